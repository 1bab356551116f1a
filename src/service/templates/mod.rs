//! Use cases: administrators save and remove templates, profiles and auto-registration blocks.
//!
//! Every `save_…` takes the whole object with the version that was read; an object of version
//! [`NEW`] is added and gets its identity here. What would not work is refused; what works but
//! is likely a mistake comes back as warnings.

mod auto_registration;
mod device_template;
mod feature_group_template;
mod line_template;
mod user_profile;

use super::App;
use super::administration::AdministrationError;
use super::administration::check_text;
use super::attributes;
use super::record;
use super::record::Actor;
use super::record::Change;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::config_file::idle_url::points_at_self_provision;
use crate::domain::phone::ServiceUrl;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::template::TemplateText;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::Transaction;

pub use auto_registration::save_call_manager;
pub use device_template::save_universal_device_template;
pub use feature_group_template::save_feature_group_template;
pub use line_template::save_universal_line_template;
pub use user_profile::save_user_profile;

/// Version of an object that does not exist yet.
pub const NEW: i64 = 0;

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

/// A kind of object that [`delete`] removes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateKind {
    /// Universal Device Template.
    UniversalDeviceTemplate,
    /// Universal Line Template.
    UniversalLineTemplate,
    /// User Profile.
    UserProfile,
    /// Feature Group Template.
    FeatureGroupTemplate,
}

impl TemplateKind {
    /// What pages call the kind.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UniversalDeviceTemplate => "Universal Device Template",
            Self::UniversalLineTemplate => "Universal Line Template",
            Self::UserProfile => "User Profile",
            Self::FeatureGroupTemplate => "Feature Group Template",
        }
    }

    const fn object_kind(self) -> &'static str {
        match self {
            Self::UniversalDeviceTemplate => "universal_device_template",
            Self::UniversalLineTemplate => "universal_line_template",
            Self::UserProfile => "user_profile",
            Self::FeatureGroupTemplate => "feature_group_template",
        }
    }

    const fn save_action(self, is_new: bool) -> &'static str {
        match (self, is_new) {
            (Self::UniversalDeviceTemplate, true) => "universal_device_template.add",
            (Self::UniversalDeviceTemplate, false) => "universal_device_template.update",
            (Self::UniversalLineTemplate, true) => "universal_line_template.add",
            (Self::UniversalLineTemplate, false) => "universal_line_template.update",
            (Self::UserProfile, true) => "user_profile.add",
            (Self::UserProfile, false) => "user_profile.update",
            (Self::FeatureGroupTemplate, true) => "feature_group_template.add",
            (Self::FeatureGroupTemplate, false) => "feature_group_template.update",
        }
    }

    const fn remove_action(self) -> &'static str {
        match self {
            Self::UniversalDeviceTemplate => "universal_device_template.remove",
            Self::UniversalLineTemplate => "universal_line_template.remove",
            Self::UserProfile => "user_profile.remove",
            Self::FeatureGroupTemplate => "feature_group_template.remove",
        }
    }

    /// Name and version of an object of this kind.
    fn find(self, app: &App, pkid: Pkid) -> Option<(String, i64)> {
        let catalogue = app.catalogue.load();
        match self {
            Self::UniversalDeviceTemplate => catalogue
                .universal_device_templates
                .get(&pkid)
                .map(|object| (object.name.clone(), object.version)),
            Self::UniversalLineTemplate => catalogue
                .universal_line_templates
                .get(&pkid)
                .map(|object| (object.name.clone(), object.version)),
            Self::UserProfile => catalogue
                .user_profiles
                .get(&pkid)
                .map(|object| (object.name.clone(), object.version)),
            Self::FeatureGroupTemplate => catalogue
                .feature_group_templates
                .get(&pkid)
                .map(|object| (object.name.clone(), object.version)),
        }
    }
}

/// Removes a template or profile that nothing refers to.
///
/// # Errors
///
/// [`AdministrationError::InUse`] names what refers to it; the system default profile is refused
/// as [`AdministrationError::Invalid`].
pub async fn delete(
    app: &App,
    actor: &Actor,
    kind: TemplateKind,
    pkid: Pkid,
) -> Result<(), AdministrationError> {
    let (name, version) = kind
        .find(app, pkid)
        .ok_or_else(|| AdministrationError::not_found(kind.label(), &pkid.to_string()))?;
    if kind == TemplateKind::UserProfile {
        user_profile::refuse_default(app, pkid)?;
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let users = store::catalogue::users_of(connection, pkid).await?;
    if !users.is_empty() {
        let kind = kind.label();
        return Err(AdministrationError::InUse { kind, name, users });
    }
    let deleted = match kind {
        TemplateKind::UniversalDeviceTemplate => {
            store::catalogue::delete_universal_device_template(connection, pkid, version).await
        }
        TemplateKind::UniversalLineTemplate => {
            store::catalogue::delete_universal_line_template(connection, pkid, version).await
        }
        TemplateKind::UserProfile => {
            store::catalogue::delete_user_profile(connection, pkid, version).await
        }
        TemplateKind::FeatureGroupTemplate => {
            store::catalogue::delete_feature_group_template(connection, pkid, version).await
        }
    };
    match deleted {
        // Somebody began to use it in the meantime.
        Err(StoreError::InUse) => return Err(AdministrationError::Changed(kind.label())),
        other => other?,
    }
    let change = Change {
        action: kind.remove_action(),
        object_kind: kind.object_kind(),
        object_name: name,
        before: String::new(),
        after: String::new(),
    };
    commit(app, transaction, actor, (pkid, change)).await
}

/// The identity of an object that is saved: a new one, or its own.
fn identity(app: &App, pkid: Pkid, version: i64) -> Pkid {
    if version == NEW { app.new_pkid() } else { pkid }
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

/// Writes the audit row, commits, and shows everybody the new catalogue.
async fn commit(
    app: &App,
    mut transaction: Transaction,
    actor: &Actor,
    (object, change): (Pkid, Change),
) -> Result<(), AdministrationError> {
    record::audit_object(app, transaction.connection(), actor, object, change).await?;
    transaction.commit().await?;
    Ok(app.reload_catalogue().await?)
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
