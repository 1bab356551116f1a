//! Use cases: *User Management > Self-Provisioning*: who may log in, and the administrators' code.

use super::App;
use super::administration::AdministrationError;
use super::hasher::Share;
use super::record;
use super::record::Actor;
use super::record::Change;
use crate::domain::credential::AuthenticationCode;
use crate::domain::fresh_system;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationCodeHash;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::store;
use crate::store::Transaction;

/// Shown wherever the mode *not required* is.
pub const NOT_REQUIRED_WARNING: &str = "no authentication is required: whoever knows a user ID or \
     extension can take a phone in that user's name";

/// What is likely a mistake in these settings, as sentences.
pub fn warnings(settings: &SelfProvisioningSettings) -> Vec<String> {
    let admins = settings.mode == AuthenticationMode::UsersAndAdministrators;
    [
        (
            settings.mode == AuthenticationMode::NotRequired,
            NOT_REQUIRED_WARNING,
        ),
        (
            admins && settings.code.is_none(),
            "administrators may log in, and no authentication code is set",
        ),
        (
            admins && settings.code_off_at.is_some(),
            "too many failures have switched the authentication code off; set it again",
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, warning)| warning.to_owned())
    .collect()
}

/// Sets the authentication mode; gives warnings.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn set_mode(
    app: &App,
    actor: &Actor,
    mode: AuthenticationMode,
) -> Result<Vec<String>, AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let before = store::self_provisioning::find(connection).await?;
    store::self_provisioning::set_mode(connection, mode).await?;
    let warning = match mode {
        AuthenticationMode::NotRequired => format!(" ({NOT_REQUIRED_WARNING})"),
        _ => String::new(),
    };
    let change = Change {
        action: "self_provisioning.set_mode",
        object_kind: "self_provisioning",
        object_name: "authentication mode".to_owned(),
        before: before.mode.as_str().to_owned(),
        after: format!("{}{warning}", mode.as_str()),
    };
    commit(app, transaction, actor, change).await?;
    Ok(warnings(&app.self_provisioning.load()))
}

/// Sets the authentication code and switches it on, or removes it.
///
/// `allow_short` admits fewer than eight digits, as AXL clients may set them.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when it does not have 8 to 20 digits.
pub async fn set_authentication_code(
    app: &App,
    actor: &Actor,
    code: Option<&Secret>,
    allow_short: bool,
) -> Result<(), AdministrationError> {
    let hashed = match code {
        Some(code) => {
            let code = AuthenticationCode::new(code.clone(), allow_short)
                .map_err(|error| AdministrationError::invalid("Authentication Code", &error))?;
            Some(AuthenticationCodeHash {
                hash: app.hasher.hash(Share::Others, code.secret()).await?,
                length: code.length(),
            })
        }
        None => None,
    };
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let before = store::self_provisioning::find(connection).await?;
    store::self_provisioning::set_code(connection, hashed.as_ref()).await?;
    let is_set = |code: &Option<AuthenticationCodeHash>| match code {
        Some(_) => "set".to_owned(),
        None => "not set".to_owned(),
    };
    let change = Change {
        action: "self_provisioning.set_authentication_code",
        object_kind: "self_provisioning",
        object_name: "authentication code".to_owned(),
        before: is_set(&before.code),
        after: is_set(&hashed),
    };
    commit(app, transaction, actor, change).await
}

async fn commit(
    app: &App,
    mut transaction: Transaction,
    actor: &Actor,
    change: Change,
) -> Result<(), AdministrationError> {
    let object = fresh_system::SELF_PROVISIONING;
    record::audit_object(app, transaction.connection(), actor, object, change).await?;
    transaction.commit().await?;
    Ok(app.reload_self_provisioning().await?)
}
