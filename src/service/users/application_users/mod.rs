//! Use cases: application users, that is administrators and programs.

mod change;

use super::credentials::generate_password;
use crate::domain::account::ApplicationUser;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::lockout::Lock;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::domain::secret::Secret;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::NewSecret;
use crate::service::credentials::change::CredentialTerms;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::users;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

pub use change::ApplicationUserChange;
pub use change::add;
pub use change::update;

const KIND: &str = "Application User";

/// User ID of the administrator that first start makes.
pub const FIRST_ADMINISTRATOR: &str = "admin";

/// An application user as administrators see one.
#[derive(Debug, Clone)]
pub struct ApplicationUserView {
    /// The user.
    pub user: ApplicationUser,
    /// Names of the access control groups.
    pub access_control_groups: Vec<String>,
    /// Whether there is a password; AXL can add a user without.
    pub has_password: bool,
    /// The lock of the password that holds now.
    pub lock: Option<Lock>,
    /// Whether the password must be changed at the next login.
    pub must_change_password: bool,
}

/// Makes the first administrator with a one-time password when there is no administrator who can
/// log in; gives the password, which is shown once and kept nowhere.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn ensure_administrator(
    app: &App,
    actor: &Actor,
) -> Result<Option<Secret>, AdministrationError> {
    if has_administrator(app, app.store.read().await?.connection()).await? {
        return Ok(None);
    }
    let user = CredentialUser::ApplicationUser;
    let one_time = generate_password(app, user, FIRST_ADMINISTRATOR).await?;
    let user_id: UserId = FIRST_ADMINISTRATOR
        .parse()
        .map_err(|error| AdministrationError::invalid("user ID", &error))?;
    let said = ApplicationUserChange {
        password: Some(NewSecret {
            secret: one_time.clone(),
            must_change: true,
        }),
        access_control_groups: Some(vec![fresh_system::STANDARD_CCM_SUPER_USERS.to_owned()]),
        ..ApplicationUserChange::default()
    };
    match add(app, actor, &user_id, &said).await {
        Ok(_) => Ok(Some(one_time)),
        // Another node that starts at the same time was faster, and prints its password.
        Err(AdministrationError::Taken { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives an administrator a one-time password: the old one is lost, the account enabled and
/// unlocked.
///
/// # Errors
///
/// [`AdministrationError::NotFound`].
pub async fn reset_password(
    app: &App,
    actor: &Actor,
    user_id: &str,
) -> Result<Secret, AdministrationError> {
    let user = CredentialUser::ApplicationUser;
    let one_time = generate_password(app, user, user_id).await?;
    let new = NewSecret {
        secret: one_time.clone(),
        must_change: true,
    };
    let terms = CredentialTerms {
        // Whoever may not change it could not use a one-time password.
        cant_change: Some(false),
        locked: Some(false),
        ..CredentialTerms::default()
    };
    let action = "application_user.reset_password";
    set(app, actor, user_id, (&new, terms), action).await?;
    Ok(one_time)
}

/// Sets the password of an application user; its lock ends.
///
/// # Errors
///
/// [`AdministrationError::Credential`] when the policy refuses it, [`AdministrationError::Invalid`]
/// when it must be changed by somebody who may not.
pub async fn set_password(
    app: &App,
    actor: &Actor,
    user_id: &str,
    password: &NewSecret,
) -> Result<(), AdministrationError> {
    let terms = CredentialTerms {
        locked: Some(false),
        ..CredentialTerms::default()
    };
    let action = "application_user.set_password";
    set(app, actor, user_id, (password, terms), action).await
}

/// Removes an application user, unless it is the last administrator.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for the last administrator.
pub async fn remove(app: &App, actor: &Actor, user_id: &str) -> Result<(), AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = find_for_update(connection, user_id).await?;
    let had_administrator = has_administrator(app, connection).await?;
    store::application_user::delete(connection, user.pkid).await?;
    if had_administrator {
        refuse_without_administrator(app, connection, &user).await?;
    }
    let change = Change {
        action: "application_user.remove",
        object_kind: AuditKind::ApplicationUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: String::new(),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(())
}

/// Every application user.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn list(app: &App) -> Result<Vec<ApplicationUserView>, AdministrationError> {
    let now = app.environment.now();
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let mut views = Vec::new();
    for user in store::application_user::all(connection).await? {
        let groups = store::end_user::access_control_groups(connection, user.pkid).await?;
        let kind = CredentialKind::Password;
        let password = store::credential::find(connection, user.pkid, kind).await?;
        let lock = password.as_ref().and_then(|password| password.lock);
        views.push(ApplicationUserView {
            user,
            access_control_groups: groups,
            has_password: password.is_some(),
            lock: lock.filter(|lock| !lock.left(now).is_zero()),
            must_change_password: password.is_some_and(|password| password.must_change(now)),
        });
    }
    Ok(views)
}

/// A user ID that somebody else has.
fn taken(user_id: &UserId, holder: String) -> AdministrationError {
    AdministrationError::Taken {
        field: "user ID",
        value: user_id.to_string(),
        wanted_by: "an application user".to_owned(),
        holder,
    }
}

/// User IDs are unique among end users and application users together.
async fn refuse_end_user(
    connection: &mut Connection,
    user_id: &UserId,
) -> Result<(), AdministrationError> {
    match store::end_user::by_login(connection, &user_id.folded()).await? {
        Some(other) => Err(taken(user_id, format!("the end user {}", other.user_id))),
        None => Ok(()),
    }
}

/// Writes an application user with groups and audit row, still without a password.
async fn insert_user(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    user_id: &UserId,
    groups: &[String],
) -> Result<ApplicationUser, AdministrationError> {
    refuse_end_user(connection, user_id).await?;
    let user = ApplicationUser {
        pkid: app.new_pkid(),
        user_id: user_id.clone(),
        enabled: true,
        version: 1,
    };
    let now = app.environment.now();
    match store::application_user::insert(connection, &user, now).await {
        Err(StoreError::Duplicate) => {
            return Err(taken(user_id, format!("the application user {user_id}")));
        }
        other => other?,
    }
    users::join_groups(connection, &app.catalogue.load_full(), user.pkid, groups).await?;
    let change = Change {
        action: "application_user.add",
        object_kind: AuditKind::ApplicationUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: format!("groups {}", groups.join(", ")),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    Ok(user)
}

async fn set(
    app: &App,
    actor: &Actor,
    user_id: &str,
    (new, password_terms): (&NewSecret, CredentialTerms),
    action: &'static str,
) -> Result<(), AdministrationError> {
    let said = ApplicationUserChange {
        password: Some(new.clone()),
        password_terms,
        ..ApplicationUserChange::default()
    };
    let password = change::prepare_change(app, user_id, &said).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = find_for_update(connection, user_id).await?;
    change::write_rest(app, connection, actor, &user, (&said, password)).await?;
    store::application_user::set_enabled(connection, user.pkid, true).await?;
    let change = Change {
        action,
        object_kind: AuditKind::ApplicationUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: if new.must_change {
            "set, unlocked, enabled; must be changed at the next login".to_owned()
        } else {
            "set, unlocked, enabled".to_owned()
        },
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(())
}

async fn find_for_update(
    connection: &mut Connection,
    user_id: &str,
) -> Result<ApplicationUser, AdministrationError> {
    let login = FoldedLogin::of(user_id);
    let user = store::application_user::by_login(connection, &login)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, user_id))?;
    store::application_user::lock(connection, user.pkid).await?;
    Ok(user)
}

/// Refuses a change after which nobody could administer the system, seen from the last
/// administrator.
async fn refuse_without_administrator(
    app: &App,
    connection: &mut Connection,
    user: &ApplicationUser,
) -> Result<(), AdministrationError> {
    if has_administrator(app, connection).await? {
        return Ok(());
    }
    let reason = format!(
        "{} is the last administrator; add another first",
        user.user_id
    );
    Err(AdministrationError::invalid("Application User", &reason))
}

/// Whether an enabled application user is in *Standard CCM Super Users*.
pub(super) async fn has_administrator(
    app: &App,
    connection: &mut Connection,
) -> Result<bool, AdministrationError> {
    let group = app
        .catalogue
        .load()
        .access_control_group(fresh_system::STANDARD_CCM_SUPER_USERS);
    let Some(group) = group else {
        return Ok(false);
    };
    Ok(store::application_user::count_enabled_in(connection, group).await? > 0)
}
