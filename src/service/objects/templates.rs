//! Templates and profiles: what every kind of them has in common.

use std::marker::PhantomData;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::kind::Named;
use super::kind::named;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::pkid::Pkid;
use crate::domain::schema::Content;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::StoredElements;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record::Actor;
use crate::service::templates;
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

/// A kind of template as a kind of object.
pub(super) struct Templates<T>(PhantomData<fn() -> T>);

impl<T: Recorded> Templates<T> {
    /// The one value.
    pub(super) const KIND: &'static Self = &Self(PhantomData);
}

#[async_trait]
impl<T: Recorded> Kind for Templates<T> {
    fn in_catalogue<'c>(&self, catalogue: &'c Catalogue, _: ObjectKind) -> Named<'c> {
        named(T::all(catalogue), |one| &one.identity().name)
    }

    async fn read(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let all = T::all(&catalogue);
        let found = pkids.iter().filter_map(|pkid| all.get(pkid));
        Ok(found
            .map(|template| (template.identity().pkid, template.record(&catalogue)))
            .collect())
    }

    fn complete(&self, record: &mut Record) {
        T::completed(record);
    }

    async fn version(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let catalogue = app.catalogue.load();
        let template = T::all(&catalogue).get(&pkid);
        Ok(template.map(|template| template.identity().version))
    }

    async fn read_again(&self, app: &App, _: Pkid) -> Outcome<()> {
        Ok(app.reread_configuration().await?)
    }

    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        object: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        super::list_of_catalogue(self, app, connection, object, criteria).await
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let catalogue = app.catalogue.load_full();
        let template = T::drafted(draft, &catalogue, None)?;
        save(app, actor, &template, draft).await
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let catalogue = app.catalogue.load_full();
        let before = T::all(&catalogue)
            .get(&pkid)
            .ok_or(AdministrationError::Changed(T::LABEL))?;
        draft.is_of(before.identity().version, T::LABEL)?;
        let after = T::drafted(draft, &catalogue, Some(before))?;
        let identity = Identity {
            name: after.identity().name.clone(),
            ..before.identity().clone()
        };
        let after = after.with_identity(identity);
        save(app, actor, &after, draft).await.map(drop)
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
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
