//! Application users with everything that can be said of them.

use super::KIND;
use super::find_for_update;
use super::has_administrator;
use super::insert_user;
use super::refuse_end_user;
use super::refuse_without_administrator;
use super::taken;
use crate::domain::account::ApplicationUser;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::domain::schema::StoredElements;
use crate::domain::trivial_credential::CredentialOwner;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::NewSecret;
use crate::service::attributes;
use crate::service::credentials;
use crate::service::credentials::change::CredentialTerms;
use crate::service::credentials::change::Holder;
use crate::service::credentials::change::PreparedChange;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::users;
use crate::service::users::associated_devices;
use crate::service::users::associated_devices::Controller;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What is said of an application user; `None` leaves it as it is, or a new one without.
#[derive(Debug, Clone, Default)]
pub struct ApplicationUserChange {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// New user ID.
    pub user_id: Option<UserId>,
    /// New password.
    pub password: Option<NewSecret>,
    /// What holds for the password beside its characters.
    pub password_terms: CredentialTerms,
    /// Names of all access control groups.
    pub access_control_groups: Option<Vec<String>>,
    /// All devices that the user controls.
    pub associated_devices: Option<Vec<DeviceName>>,
    /// What is only kept.
    pub elements: StoredElements,
}

/// Adds an application user of whom all this is said. Without a password there is the default one,
/// if an administrator has set one; else the user cannot log in until one is set.
///
/// # Errors
///
/// [`AdministrationError::Taken`] when an end user or another application user has the user ID.
pub async fn add(
    app: &App,
    actor: &Actor,
    user_id: &UserId,
    said: &ApplicationUserChange,
) -> Result<ApplicationUser, AdministrationError> {
    let owner = owner_of(user_id);
    let holder = Holder {
        user: CredentialUser::ApplicationUser,
        owner: &owner,
        in_force: None,
    };
    let password = prepare(app, said, holder).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let groups = said.access_control_groups.as_deref().unwrap_or_default();
    let user = insert_user(app, connection, actor, user_id, groups).await?;
    write_rest(app, connection, actor, &user, (said, Some(password))).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Changes an application user.
///
/// # Errors
///
/// [`AdministrationError::Taken`] when somebody has the new user ID,
/// [`AdministrationError::Invalid`] when nobody could administer the system any more,
/// [`AdministrationError::Changed`] when the version is not the one given.
pub async fn update(
    app: &App,
    actor: &Actor,
    user_id: &str,
    said: &ApplicationUserChange,
) -> Result<(), AdministrationError> {
    let password = prepare_change(app, user_id, said).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = find_for_update(connection, user_id).await?;
    store::application_user::raise_version(connection, user.pkid, said.version).await?;
    let before = store::end_user::access_control_groups(connection, user.pkid).await?;
    if let Some(new) = &said.user_id {
        rename(connection, &user, new).await?;
    }
    if let Some(groups) = &said.access_control_groups {
        let catalogue = app.catalogue.load_full();
        let had_administrator = has_administrator(app, connection).await?;
        store::end_user::leave_every_access_control_group(connection, user.pkid).await?;
        users::join_groups(connection, &catalogue, user.pkid, groups).await?;
        if had_administrator {
            refuse_without_administrator(app, connection, &user).await?;
        }
    }
    let words = write_rest(app, connection, actor, &user, (said, password)).await?;
    let groups = said.access_control_groups.as_ref().unwrap_or(&before);
    let new_id = said.user_id.as_ref().unwrap_or(&user.user_id);
    let mut after = vec![format!("user ID {new_id}, groups {}", groups.join(", "))];
    after.extend(words);
    let change = Change {
        action: "application_user.update",
        object_kind: AuditKind::ApplicationUser,
        object_name: user.user_id.to_string(),
        before: format!("user ID {}, groups {}", user.user_id, before.join(", ")),
        after: after.join(", "),
    };
    let touched = (user.pkid, said.elements.touched.as_slice());
    record::audit_elements(app, connection, actor, touched, change).await?;
    transaction.commit().await?;
    Ok(())
}

/// Password, devices and what is only kept; gives words for the audit log.
pub(super) async fn write_rest(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    user: &ApplicationUser,
    (said, password): (&ApplicationUserChange, Option<PreparedChange>),
) -> Result<Vec<String>, AdministrationError> {
    let owner = (CredentialUser::ApplicationUser, user.pkid);
    let words = match password {
        Some(password) => credentials::change::write(app, connection, owner, password).await?,
        None => Vec::new(),
    };
    if let Some(devices) = &said.associated_devices {
        let controller = Controller::ApplicationUser(user.pkid);
        let controller = (controller, user.user_id.as_str());
        associated_devices::replace(app, connection, actor, controller, devices).await?;
    }
    attributes::write(app, connection, user.pkid, &said.elements).await?;
    Ok(words)
}

async fn rename(
    connection: &mut Connection,
    user: &ApplicationUser,
    new: &UserId,
) -> Result<(), AdministrationError> {
    if new.folded() != user.user_id.folded() {
        refuse_end_user(connection, new).await?;
    }
    match store::application_user::rename(connection, user.pkid, new).await {
        Err(StoreError::Duplicate) => Err(taken(new, format!("the application user {new}"))),
        other => Ok(other?),
    }
}

fn owner_of(user_id: &UserId) -> CredentialOwner<'_> {
    CredentialOwner {
        user_id: user_id.as_str(),
        ..CredentialOwner::default()
    }
}

async fn prepare(
    app: &App,
    said: &ApplicationUserChange,
    holder: Holder<'_>,
) -> Result<PreparedChange, AdministrationError> {
    let (kind, password) = (CredentialKind::Password, said.password.as_ref());
    credentials::change::prepare(app, kind, password, &said.password_terms, holder).await
}

/// Nothing where the password is not spoken of.
pub(super) async fn prepare_change(
    app: &App,
    user_id: &str,
    said: &ApplicationUserChange,
) -> Result<Option<PreparedChange>, AdministrationError> {
    if said.password.is_none() && said.password_terms == CredentialTerms::default() {
        return Ok(None);
    }
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::application_user::by_login(connection, &FoldedLogin::of(user_id))
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, user_id))?;
    let kind = CredentialKind::Password;
    let in_force = store::credential::find(connection, user.pkid, kind).await?;
    drop(reader);
    if in_force.is_none() && said.password.is_none() {
        let terms = PreparedChange::of_terms(kind, &said.password_terms);
        return Ok(Some(terms));
    }
    let owner = owner_of(said.user_id.as_ref().unwrap_or(&user.user_id));
    let holder = Holder {
        user: CredentialUser::ApplicationUser,
        owner: &owner,
        in_force: in_force.as_ref(),
    };
    Ok(Some(prepare(app, said, holder).await?))
}
