//! Use cases: administrators save and remove templates, profiles and auto-registration blocks.
//!
//! [`save`] takes the whole object with the version that was read; an object of version
//! [`Identity::NEW`] is
//! added and gets its identity here. What would not work is refused; what works but is likely a
//! mistake comes back as warnings. A kind of template says what differs ([`Template`]).

mod auto_registration;
mod device_template;
mod feature_group_template;
mod line_template;
mod user_profile;

use std::collections::HashMap;
use std::future::Future;

use super::App;
use super::administration::AdministrationError;
use super::administration::check_text;
use super::attributes;
use super::configuration::ConfigurationChange;
use super::history::record::Actor;
use super::history::record::Change;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::config_file::idle_url::points_at_self_provision;
use crate::domain::history::AuditKind;
use crate::domain::phone::ServiceUrl;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::template::TemplateText;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

pub use auto_registration::NodeExtras;
pub use auto_registration::save_call_manager;

/// Most characters of a name. Source: AXL, `name` of templates and profiles.
const NAME_LENGTH_MAX: usize = 50;

/// Most characters of another text field, tags included. Source: AXL, `description` of profiles.
const TEXT_LENGTH_MAX: usize = 255;

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// Its identity.
    pub pkid: Pkid,
    /// What is likely a mistake, as sentences.
    pub warnings: Vec<String>,
}

/// What the audit log calls what is done with a kind of template.
#[derive(Debug, Clone, Copy)]
pub struct Actions {
    /// One is added.
    pub add: &'static str,
    /// One is replaced.
    pub update: &'static str,
    /// One is removed.
    pub remove: &'static str,
}

/// Names a kind of template for the audit log, and what is done with it.
macro_rules! audited {
    ($kind:ident, $object_kind:literal) => {
        const OBJECT_KIND: $crate::domain::history::AuditKind =
            $crate::domain::history::AuditKind::$kind;
        const ACTIONS: Actions = Actions {
            add: concat!($object_kind, ".add"),
            update: concat!($object_kind, ".update"),
            remove: concat!($object_kind, ".remove"),
        };
    };
}
use audited;

/// What differs between the kinds of template when one is saved or removed.
pub trait Template: Clone + Send + Sync {
    /// What pages call the kind.
    const LABEL: &'static str;
    /// What the audit log calls the kind.
    const OBJECT_KIND: AuditKind;
    /// What the audit log calls what is done with it.
    const ACTIONS: Actions;

    /// All of the kind.
    fn all(catalogue: &Catalogue) -> &HashMap<Pkid, Self>;

    /// What it is told by.
    fn identity(&self) -> &Identity;

    /// The template, told by something else.
    #[must_use]
    fn with_identity(&self, identity: Identity) -> Self;

    /// Refuses what would not work.
    ///
    /// # Errors
    ///
    /// [`AdministrationError::Invalid`] names the field.
    fn check(&self, catalogue: &Catalogue) -> Result<(), AdministrationError>;

    /// Refuses to remove what the system cannot be without.
    ///
    /// # Errors
    ///
    /// [`AdministrationError::Invalid`] says what to do first.
    fn check_removal(&self, _: &Catalogue) -> Result<(), AdministrationError> {
        Ok(())
    }

    /// Writes the row of a new one.
    fn insert(
        &self,
        transaction: &mut ConfigurationChange<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Replaces the row that has its version.
    fn update(
        &self,
        transaction: &mut ConfigurationChange<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes the row that has its version, and what is kept under its identity.
    fn delete(
        &self,
        transaction: &mut ConfigurationChange<'_>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What the audit log says of it.
    fn described(&self, catalogue: &Catalogue) -> String;

    /// What is likely a mistake in it, as sentences.
    fn warnings(&self, _: &Catalogue) -> Vec<String> {
        Vec::new()
    }
}

/// Adds or replaces a template, with `elements` that are only kept. What was made from it earlier
/// stays as it is.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] names the field, [`AdministrationError::Taken`] the name that
/// another has; [`AdministrationError::Changed`] when somebody else saved it meanwhile.
pub async fn save<T: Template>(
    app: &App,
    actor: &Actor,
    template: &T,
    elements: Option<&StoredElements>,
) -> Result<Saved, AdministrationError> {
    let catalogue = app.catalogue.load_full();
    template.check(&catalogue)?;
    let said = template.identity();
    let is_new = said.version == Identity::NEW;
    let (pkid, version) = if is_new {
        (app.new_pkid(), 1)
    } else {
        (said.pkid, said.version)
    };
    let name = said.name.clone();
    let identity = Identity {
        pkid,
        name: name.clone(),
        version,
    };
    let template = template.with_identity(identity);
    let mut transaction = ConfigurationChange::begin(app).await?;
    let written = if is_new {
        template.insert(&mut transaction).await
    } else {
        template.update(&mut transaction).await
    };
    saved(T::LABEL, &name, written)?;
    keep(app, transaction.connection(), pkid, elements).await?;
    let before = T::all(&catalogue).get(&pkid);
    let change = Change {
        action: if is_new {
            T::ACTIONS.add
        } else {
            T::ACTIONS.update
        },
        object_kind: T::OBJECT_KIND,
        object_name: name,
        before: before.map_or_else(String::new, |before| before.described(&catalogue)),
        after: template.described(&catalogue),
    };
    let touched = elements.map_or(&[][..], |elements| &elements.touched);
    transaction
        .commit_audited(actor, (pkid, touched), change)
        .await?;
    let warnings = template.warnings(&catalogue);
    Ok(Saved { pkid, warnings })
}

/// Removes a template that nothing refers to.
///
/// # Errors
///
/// [`AdministrationError::InUse`] names what refers to it; the system default profile is refused
/// as [`AdministrationError::Invalid`].
pub async fn delete<T: Template>(
    app: &App,
    actor: &Actor,
    pkid: Pkid,
) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let template = T::all(&catalogue)
        .get(&pkid)
        .ok_or_else(|| AdministrationError::not_found(T::LABEL, &pkid.to_string()))?;
    template.check_removal(&catalogue)?;
    let mut transaction = ConfigurationChange::begin(app).await?;
    let users = store::catalogue::users_of(transaction.connection(), pkid).await?;
    if !users.is_empty() {
        return Err(AdministrationError::InUse {
            kind: T::LABEL,
            name: template.identity().name.clone(),
            users,
        });
    }
    match template.delete(&mut transaction).await {
        // Somebody began to use it in the meantime.
        Err(StoreError::InUse) => return Err(AdministrationError::Changed(T::LABEL)),
        other => other?,
    }
    let change = Change {
        action: T::ACTIONS.remove,
        object_kind: T::OBJECT_KIND,
        object_name: template.identity().name.clone(),
        before: String::new(),
        after: String::new(),
    };
    Ok(transaction
        .commit_audited(actor, (pkid, &[]), change)
        .await?)
}

/// Keeps the elements that the program does not act on, where the caller speaks of any.
async fn keep(
    app: &App,
    connection: &mut Connection,
    pkid: Pkid,
    elements: Option<&StoredElements>,
) -> Result<(), AdministrationError> {
    match elements {
        Some(elements) => Ok(attributes::write(app, connection, pkid, elements).await?),
        None => Ok(()),
    }
}

/// Puts words to what the database says when an object is saved.
fn saved(
    kind: &'static str,
    name: &str,
    written: Result<(), StoreError>,
) -> Result<(), AdministrationError> {
    match written {
        Err(StoreError::Duplicate) => Err(AdministrationError::Taken {
            field: "the name",
            value: name.to_owned(),
            wanted_by: format!("this {kind}"),
            holder: "another".to_owned(),
        }),
        Err(StoreError::InUse) => Err(AdministrationError::invalid(
            kind,
            &"it refers to something that does not exist any more; read the lists again",
        )),
        other => Ok(other?),
    }
}

fn check_name(name: &str) -> Result<(), AdministrationError> {
    let allowed = |c: char| !c.is_control() && !matches!(c, '"' | '%' | '\\' | '&' | '<' | '>');
    let fits = !name.trim().is_empty() && name.chars().count() <= NAME_LENGTH_MAX;
    if fits && name.trim() == name && name.chars().all(allowed) {
        return Ok(());
    }
    Err(AdministrationError::invalid(
        "name",
        &format!(
            "it has 1 to {NAME_LENGTH_MAX} characters without \" % \\ & < > and no blanks around it"
        ),
    ))
}

fn check_tags(field: &'static str, text: &str) -> Result<(), AdministrationError> {
    check_text(field, text, TEXT_LENGTH_MAX)?;
    TemplateText::parse(text)
        .map(|_| ())
        .map_err(|error| AdministrationError::invalid(field, &error))
}

fn is_our_login(url: &ServiceUrl) -> bool {
    let is_idle = matches!(&*url.name, "idle" | "secureIdleUrl");
    is_idle && points_at_self_provision(&url.url)
}

/// Whether the template's idle URL opens our login.
fn opens_our_login(template: &UniversalDeviceTemplate) -> bool {
    template.configuration.service_urls.iter().any(is_our_login)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::FeatureGroupTemplate;
    use crate::domain::catalogue::UniversalLineTemplate;
    use crate::domain::catalogue::UserProfile;

    #[test]
    fn what_is_done_is_named_after_the_kind() {
        fn check<T: Template>() {
            let kind = T::OBJECT_KIND.as_str();
            assert_eq!(T::ACTIONS.add, format!("{kind}.add"));
            assert_eq!(T::ACTIONS.update, format!("{kind}.update"));
            assert_eq!(T::ACTIONS.remove, format!("{kind}.remove"));
        }
        check::<UniversalDeviceTemplate>();
        check::<UniversalLineTemplate>();
        check::<UserProfile>();
        check::<FeatureGroupTemplate>();
    }
}
