//! Use cases: what administrators see of end users.

use super::App;
use super::administration::AdministrationError;
use super::administration::END_USER;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialKind;
use crate::domain::device::DeviceName;
use crate::domain::end_user::FoldedLogin;
use crate::domain::fresh_system;
use crate::domain::lockout::Lock;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;
use crate::domain::user::EndUser;
use crate::store;
use crate::store::Connection;

/// How a PIN or password stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialStatus {
    /// When it was set.
    pub changed_at: UnixMillis,
    /// Whether its owner must change it before anything else.
    pub must_change: bool,
    /// The lock that holds now.
    pub lock: Option<Lock>,
}

/// An end user as administrators see one.
#[derive(Debug, Clone)]
pub struct UserView {
    /// The user.
    pub user: EndUser,
    /// Name of the profile that holds: the user's own or the system default.
    pub user_profile: String,
    /// Whether that is the system default because the user has none.
    pub user_profile_is_default: bool,
    /// Names of the access control groups.
    pub access_control_groups: Vec<String>,
    /// The PIN; `None`: none is set.
    pub pin: Option<CredentialStatus>,
    /// The password; `None`: none is set.
    pub password: Option<CredentialStatus>,
    /// Names of the phones the user owns.
    pub phones: Vec<DeviceName>,
    /// Why the user cannot provision a phone now; empty: the user can.
    pub not_ready: Vec<String>,
}

/// Shows an end user, whom `login` names by user ID or Self-Service User ID.
///
/// # Errors
///
/// [`AdministrationError::NotFound`].
pub async fn show(app: &App, login: &str) -> Result<UserView, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::end_user::by_login(connection, &FoldedLogin::of(login))
        .await?
        .ok_or_else(|| AdministrationError::not_found(END_USER, login))?;
    view(app, connection, user).await
}

/// The users after `after` (a user ID; empty: from the first) in the database's order, at most
/// `limit`.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn list(
    app: &App,
    after: &str,
    limit: u32,
) -> Result<Vec<UserView>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let mut views = Vec::new();
    for user in store::end_user::page(connection, after, limit).await? {
        views.push(view(app, connection, user).await?);
    }
    Ok(views)
}

async fn view(
    app: &App,
    connection: &mut Connection,
    user: EndUser,
) -> Result<UserView, AdministrationError> {
    let now = app.environment.now();
    let status = |credential: StoredCredential| CredentialStatus {
        changed_at: credential.changed_at,
        must_change: credential.must_change(now),
        lock: credential.lock.filter(|lock| !lock.left(now).is_zero()),
    };
    let pin = store::credential::find(connection, user.pkid, CredentialKind::Pin).await?;
    let password = store::credential::find(connection, user.pkid, CredentialKind::Password).await?;
    let catalogue = app.catalogue.load();
    let profile = match user.user_profile {
        Some(pkid) => catalogue.user_profiles.get(&pkid),
        None => catalogue.default_user_profile(),
    };
    let mut view = UserView {
        user_profile: profile.map_or_else(String::new, |profile| profile.name.clone()),
        user_profile_is_default: user.user_profile.is_none(),
        access_control_groups: store::end_user::access_control_groups(connection, user.pkid)
            .await?,
        pin: pin.map(status),
        password: password.map(status),
        phones: store::device::owned_by(connection, user.pkid).await?,
        not_ready: Vec::new(),
        user,
    };
    let mode = app.self_provisioning.load().mode;
    view.not_ready = not_ready(&view, mode, &catalogue);
    Ok(view)
}

/// Everything that would refuse the user on a handset, in the order of the decision.
fn not_ready(view: &UserView, mode: AuthenticationMode, catalogue: &Catalogue) -> Vec<String> {
    let user = &view.user;
    let is_end_user = view
        .access_control_groups
        .iter()
        .any(|group| group == fresh_system::STANDARD_CCM_END_USERS);
    let is_locked = view.pin.is_some_and(|pin| pin.lock.is_some());
    let asks_for_pin = mode.asks_for_pin();
    [
        (!user.enabled, "the account is disabled"),
        (asks_for_pin && view.pin.is_none(), "no PIN is set"),
        (asks_for_pin && is_locked, "the PIN is locked"),
        (!is_end_user, "not in the group Standard CCM End Users"),
        (user.primary_extension.is_none(), "no primary extension"),
        (
            user.self_service_user_id.is_none(),
            "no Self-Service User ID",
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, reason)| reason.to_owned())
    .chain(profile_not_ready(view, catalogue))
    .collect()
}

fn profile_not_ready(view: &UserView, catalogue: &Catalogue) -> Vec<String> {
    let profile = catalogue
        .user_profiles
        .values()
        .find(|profile| profile.name == view.user_profile);
    let Some(profile) = profile else {
        return vec!["there is no user profile".to_owned()];
    };
    let name = &profile.name;
    let limit = usize::from(profile.limit_provision);
    let phones = view.phones.len();
    [
        (
            !profile.allow_provision,
            format!("the user profile {name:?} does not allow end users to provision phones"),
        ),
        (
            phones >= limit,
            format!("owns {phones} phones; the user profile {name:?} allows {limit}"),
        ),
        (
            profile.desk_phones.is_none(),
            format!("the user profile {name:?} has no Universal Device Template for desk phones"),
        ),
        (
            profile.universal_line_template.is_none(),
            format!("the user profile {name:?} has no Universal Line Template"),
        ),
    ]
    .into_iter()
    .filter(|(holds, _)| *holds)
    .map(|(_, reason)| reason)
    .collect()
}
