//! Use cases: *User Management > Self-Provisioning*: who may log in, and the administrators' code.

use crate::domain::credential::AuthenticationCode;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::schema::StoredElements;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationCodeHash;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::attributes;
use crate::service::configuration::ConfigurationChange;
use crate::service::credentials::hasher::Share;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;

/// Shown wherever the mode *not required* is.
pub const NOT_REQUIRED_WARNING: &str = "no authentication is required: whoever knows a user ID or \
     extension can take a phone in that user's name";

/// The elements that the program acts on, by their names in AXL.
const ACTED_ON: [&str; 3] = [
    "requireAuthentication",
    "allowAuthentication",
    "authenticationCode",
];

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

/// What is to be changed of the settings.
#[derive(Debug, Clone, Copy, Default)]
pub struct SettingsChange<'a> {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// The authentication mode; `None`: as it is.
    pub mode: Option<AuthenticationMode>,
    /// The authentication code, which is switched on, or `Some(None)` to remove it; `None`: as it
    /// is.
    pub code: Option<Option<&'a Secret>>,
    /// Whether the code may have fewer than eight digits, as AXL clients may set them.
    pub allow_short_code: bool,
    /// Elements that are only kept.
    pub elements: Option<&'a StoredElements>,
}

/// Changes the settings in one transaction; gives warnings.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when the code does not have 8 to 20 digits,
/// [`AdministrationError::Changed`] when the version is not the one given.
pub async fn update(
    app: &App,
    actor: &Actor,
    change: &SettingsChange<'_>,
) -> Result<Vec<String>, AdministrationError> {
    // Hashing takes long: not while the database waits.
    let code = match change.code {
        Some(code) => Some(hashed(app, code, change.allow_short_code).await?),
        None => None,
    };
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    let object = fresh_system::SELF_PROVISIONING;
    store::self_provisioning::raise_version(connection, change.version).await?;
    let before = store::self_provisioning::find(connection).await?;
    if let Some(mode) = change.mode {
        store::self_provisioning::set_mode(connection, mode).await?;
        let change = mode_change(before.mode, mode);
        record::audit_object(app, connection, actor, object, change).await?;
    }
    if let Some(code) = &code {
        store::self_provisioning::set_code(connection, code.as_ref()).await?;
        let change = code_change(before.code.as_ref(), code.as_ref());
        record::audit_object(app, connection, actor, object, change).await?;
    }
    if let Some(elements) = change.elements {
        attributes::write(app, connection, object, elements).await?;
        let mut touched = elements.touched.clone();
        // Those have rows of their own.
        touched.retain(|element| !ACTED_ON.contains(element));
        if !touched.is_empty() {
            let change = elements_change(&touched);
            record::audit_elements(app, connection, actor, (object, &touched), change).await?;
        }
    }
    transaction.commit().await?;
    Ok(warnings(&app.self_provisioning.load()))
}

async fn hashed(
    app: &App,
    code: Option<&Secret>,
    allow_short: bool,
) -> Result<Option<AuthenticationCodeHash>, AdministrationError> {
    let Some(code) = code else {
        return Ok(None);
    };
    let code = AuthenticationCode::new(code.clone(), allow_short)
        .map_err(|error| AdministrationError::invalid("Authentication Code", &error))?;
    Ok(Some(AuthenticationCodeHash {
        hash: app.hasher.hash(Share::Others, code.secret()).await?,
        length: code.length(),
    }))
}

fn mode_change(before: AuthenticationMode, after: AuthenticationMode) -> Change {
    let warning = match after {
        AuthenticationMode::NotRequired => format!(" ({NOT_REQUIRED_WARNING})"),
        _ => String::new(),
    };
    Change {
        action: "self_provisioning.set_mode",
        object_kind: AuditKind::SelfProvisioning,
        object_name: "authentication mode".to_owned(),
        before: before.as_str().to_owned(),
        after: format!("{}{warning}", after.as_str()),
    }
}

fn elements_change(touched: &[&str]) -> Change {
    Change {
        action: "self_provisioning.update",
        object_kind: AuditKind::SelfProvisioning,
        object_name: "self-provisioning".to_owned(),
        before: String::new(),
        after: touched.join(", "),
    }
}

fn code_change(
    before: Option<&AuthenticationCodeHash>,
    after: Option<&AuthenticationCodeHash>,
) -> Change {
    let is_set = |code: Option<&AuthenticationCodeHash>| match code {
        Some(_) => "set".to_owned(),
        None => "not set".to_owned(),
    };
    Change {
        action: "self_provisioning.set_authentication_code",
        object_kind: AuditKind::SelfProvisioning,
        object_name: "authentication code".to_owned(),
        before: is_set(before),
        after: is_set(after),
    }
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
    let change = SettingsChange {
        mode: Some(mode),
        ..SettingsChange::default()
    };
    update(app, actor, &change).await
}

/// Sets the authentication code and switches it on, or removes it.
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
    let change = SettingsChange {
        code: Some(code),
        allow_short_code: allow_short,
        ..SettingsChange::default()
    };
    update(app, actor, &change).await.map(drop)
}
