//! Templates and profiles: what every kind of them has in common.

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::pkid::Pkid;
use crate::domain::schema::Content;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::StoredElements;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::record::Actor;
use crate::service::templates;
use crate::service::templates::NEW;
use crate::service::templates::Template;
use crate::store::Connection;

/// A kind of template as a record and back.
pub(super) trait Recorded: Template + 'static {
    /// The template that a draft describes; identity and version are the caller's. `before` is what
    /// it was, for a change.
    fn drafted(draft: &Draft, catalogue: &Catalogue, before: Option<&Self>) -> Outcome<Self>;

    /// What the program acts on.
    fn record(&self, catalogue: &Catalogue) -> Record;

    /// What is only kept.
    fn stored(draft: &Draft) -> Outcome<StoredElements> {
        Ok(draft.stored())
    }

    /// Completes a record that has what is kept as well.
    fn completed(_: &mut Record) {}
}

impl<T: Recorded> Kind for T {
    async fn read(
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let all = T::all(&catalogue);
        let found = pkids.iter().filter_map(|pkid| all.get(pkid));
        Ok(found
            .map(|template| (template.pkid(), template.record(&catalogue)))
            .collect())
    }

    fn complete(record: &mut Record) {
        T::completed(record);
    }

    async fn version(
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let catalogue = app.catalogue.load();
        let template = T::all(&catalogue).get(&pkid);
        Ok(template.map(Template::version))
    }

    async fn read_again(app: &App, _: Pkid) -> Outcome<()> {
        Ok(app.reload_catalogue().await?)
    }

    async fn list(
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        super::list_of_catalogue::<Self>(app, connection, object, criteria).await
    }

    async fn add(app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let catalogue = app.catalogue.load_full();
        let template = T::drafted(draft, &catalogue, None)?.identified(app.new_pkid(), NEW);
        save(app, actor, &template, draft).await
    }

    async fn update(app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let catalogue = app.catalogue.load_full();
        let before = T::all(&catalogue)
            .get(&pkid)
            .ok_or(AdministrationError::Changed(T::LABEL))?;
        draft.is_of(before.version(), T::LABEL)?;
        let after = T::drafted(draft, &catalogue, Some(before))?;
        let after = after.identified(pkid, before.version());
        save(app, actor, &after, draft).await.map(drop)
    }

    async fn remove(app: &App, actor: &Actor, _: &'static ObjectType, pkid: Pkid) -> Outcome<()> {
        Ok(templates::delete::<T>(app, actor, pkid).await?)
    }
}

async fn save<T: Recorded>(app: &App, actor: &Actor, template: &T, draft: &Draft) -> Outcome<Pkid> {
    let stored = T::stored(draft)?;
    let saved = templates::save(app, actor, template, Some(&stored)).await?;
    Ok(saved.pkid)
}

/// The object that an element names; where it names none, the one of the table's default, for there
/// is no template without.
///
/// # Errors
///
/// [`ObjectError::Missing`] when there is neither.
pub(super) fn pkid_or_standard(
    draft: &Draft,
    catalogue: &Catalogue,
    element: &'static str,
) -> Outcome<Pkid> {
    let standard = || {
        let mut elements = draft.object().elements.iter();
        let row = elements.find(|row| row.name == element)?;
        let (Content::Reference(kind), Some(default)) = (row.content, row.default) else {
            return None;
        };
        let mut named = names::in_catalogue(catalogue, kind);
        named
            .find(|(_, name)| *name == default)
            .map(|(pkid, _)| pkid)
    };
    draft
        .pkid(element)
        .or_else(standard)
        .ok_or(ObjectError::Missing(element))
}
