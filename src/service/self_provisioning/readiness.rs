//! Whether users can provision phones, and what keeps them from it: the checks of the decision
//! that do not need a phone, asked beforehand.

use crate::domain::auto_registration::DirectoryNumberRange;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UserProfile;
use crate::domain::credential::CredentialKind;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::fresh_system::STANDARD_CCM_END_USERS;
use crate::domain::lockout::Lock;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::domain::refusal::Refusal;
use crate::domain::stored_credential::StoredCredential;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::registrar::auto_register::watch;
use crate::service::trust_list;
use crate::service::trust_list::NotServed;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Something that keeps phones or users from working, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The code that a handset would show; empty where it would show none.
    pub code: &'static str,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub advice: String,
}

impl Obstacle {
    fn new(code: &'static str, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            code,
            text: text.into(),
            advice: advice.into(),
        }
    }

    fn refused(refusal: Refusal, text: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(refusal.code(), text, advice)
    }
}

/// A user with what they own and what is in their way.
#[derive(Debug, Clone)]
pub struct UserOverview {
    /// The user.
    pub user: EndUser,
    /// Name of the profile in force; empty when there is none.
    pub profile: String,
    /// The phones they own.
    pub devices: Vec<DeviceName>,
    /// Whether the PIN must be changed at the next login.
    pub must_change_pin: bool,
    /// What keeps them from provisioning a desk phone now.
    pub obstacles: Vec<Obstacle>,
}

/// The users whose user IDs follow `after`, at most `limit`.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn users(app: &App, after: &str, limit: u32) -> Result<Vec<UserOverview>, ServiceError> {
    let mut reader = app.store.read().await?;
    let users = store::end_user::page(reader.connection(), after, limit).await?;
    let mut overviews = Vec::with_capacity(users.len());
    for user in users {
        overviews.push(overview(app, reader.connection(), user).await?);
    }
    Ok(overviews)
}

/// The user whom a user ID or Self-Service User ID names.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn user(app: &App, login: &str) -> Result<Option<UserOverview>, ServiceError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::end_user::by_login(connection, &FoldedLogin::of(login)).await?;
    match user {
        Some(user) => Ok(Some(overview(app, connection, user).await?)),
        None => Ok(None),
    }
}

async fn overview(
    app: &App,
    connection: &mut Connection,
    user: EndUser,
) -> Result<UserOverview, StoreError> {
    let catalogue = app.catalogue.load_full();
    let devices = store::device::owned_by(connection, user.pkid).await?;
    let groups = store::end_user::access_control_groups(connection, user.pkid).await?;
    let profile = user
        .user_profile
        .and_then(|profile| catalogue.user_profiles.get(&profile))
        .or_else(|| catalogue.default_user_profile());
    let pin = store::credential::find(connection, user.pkid, CredentialKind::Pin).await?;
    let mut obstacles = credential_obstacles(app, &user, pin.as_ref());
    obstacles.extend(account_obstacles(&user, &groups));
    let owned = u32::try_from(devices.len()).unwrap_or(u32::MAX);
    obstacles.extend(profile_obstacles(&catalogue, profile, owned));
    Ok(UserOverview {
        profile: profile
            .map(|profile| profile.identity.name.clone())
            .unwrap_or_default(),
        must_change_pin: pin.is_some_and(|pin| pin.must_change(app.environment.now())),
        user,
        devices,
        obstacles,
    })
}

fn credential_obstacles(
    app: &App,
    user: &EndUser,
    pin: Option<&StoredCredential>,
) -> Vec<Obstacle> {
    if !app.self_provisioning.load().mode.asks_for_pin() {
        return Vec::new();
    }
    let refusal = Refusal::AuthenticationFailed;
    let id = &user.user_id;
    let obstacle = match pin {
        None => {
            let advice = format!("run: selfprov user set-pin {id}");
            Some(Obstacle::refused(refusal, "has no PIN", advice))
        }
        Some(pin) => pin
            .lock
            .filter(|lock| !lock.left(app.environment.now()).is_zero())
            .map(|lock| locked(id, lock)),
    };
    obstacle.into_iter().collect()
}

fn locked(id: &UserId, lock: Lock) -> Obstacle {
    let unlock = format!("run: selfprov user unlock {id}");
    let (text, advice) = match lock.until {
        Some(_) => (
            "the PIN is locked after failed logins",
            format!("wait, or {unlock}"),
        ),
        None => ("the PIN is locked until somebody unlocks it", unlock),
    };
    Obstacle::refused(Refusal::AuthenticationFailed, text, advice)
}

fn account_obstacles(user: &EndUser, groups: &[String]) -> Vec<Obstacle> {
    let mut obstacles = Vec::new();
    if !user.enabled {
        let refusal = Refusal::AuthenticationFailed;
        let advice = format!("run: selfprov user enable {}", user.user_id);
        obstacles.push(Obstacle::refused(
            refusal,
            "the account is disabled",
            advice,
        ));
    }
    let mut add = |refusal, text: String, advice: &str| {
        obstacles.push(Obstacle::refused(refusal, text, advice));
    };
    if !groups.iter().any(|group| group == STANDARD_CCM_END_USERS) {
        let text = format!("is not in the access control group {STANDARD_CCM_END_USERS}");
        add(
            Refusal::UserNotReady,
            text,
            "add the user to it over AXL: updateUser with associatedGroups",
        );
    }
    if user.primary_extension.is_none() {
        let text = "has no primary extension".into();
        add(
            Refusal::UserNotReady,
            text,
            "give the user one over AXL: updateUser with primaryExtension",
        );
    }
    if user.self_service_user_id.is_none() {
        let text = "has no Self-Service User ID".into();
        add(
            Refusal::UserNotReady,
            text,
            "set one over AXL: updateUser with selfService; the extension is the usual choice",
        );
    }
    obstacles
}

fn profile_obstacles(
    catalogue: &Catalogue,
    profile: Option<&UserProfile>,
    owned: u32,
) -> Vec<Obstacle> {
    let Some(profile) = profile else {
        let text = "there is no User Profile, not even a default one";
        let advice = "over AXL make one, addUserProfileProvision, and give it to the user: \
                      updateUser with userProfile";
        return vec![Obstacle::refused(Refusal::SelfprovNotAllowed, text, advice)];
    };
    let name = &profile.identity.name;
    let mut obstacles = Vec::new();
    if !profile.allow_provision {
        let text = format!("the User Profile {name} does not allow it");
        let advice = format!(
            "run: selfprov user-profile set '{name}' --allow true, or give the user another over \
             AXL: updateUser with userProfile"
        );
        obstacles.push(Obstacle::refused(Refusal::SelfprovNotAllowed, text, advice));
    }
    if owned >= u32::from(profile.limit_provision) {
        let limit = profile.limit_provision;
        let text = format!("owns {owned} phones, and the User Profile {name} allows {limit}");
        let advice = format!(
            "run: selfprov user-profile set '{name}' --limit PHONES, or take a phone from the \
             user: selfprov device release NAME"
        );
        obstacles.push(Obstacle::refused(
            Refusal::SelfprovDeviceLimit,
            text,
            advice,
        ));
    }
    obstacles.extend(template_obstacle(catalogue, profile));
    obstacles
}

/// Whether a desk phone would find its templates in the profile.
fn template_obstacle(catalogue: &Catalogue, profile: &UserProfile) -> Option<Obstacle> {
    let device = profile
        .desk_phones
        .is_some_and(|pkid| catalogue.universal_device_templates.contains_key(&pkid));
    let line = profile
        .universal_line_template
        .is_some_and(|pkid| catalogue.universal_line_templates.contains_key(&pkid));
    let (missing, element) = match (device, line) {
        (true, true) => return None,
        (false, _) => ("Universal Device Template for desk phones", "deskPhones"),
        (true, false) => ("Universal Line Template", "universalLineTemplate"),
    };
    let name = &profile.identity.name;
    let text = format!("the User Profile {name} has no {missing}");
    let advice = format!("choose one over AXL: updateUserProfileProvision with {element}");
    Some(Obstacle::refused(
        Refusal::ModelPhoneTemplateNotFound,
        text,
        advice,
    ))
}

/// What keeps new phones of this node from registering, and what is dangerous as it is.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn system(app: &App) -> Result<Vec<Obstacle>, ServiceError> {
    let mut obstacles = auto_registration(app);
    if obstacles.is_empty() {
        let status = watch::status(app).await?;
        let notices = watch::notices(&status).into_iter();
        obstacles.extend(notices.map(|notice| Obstacle::new("", notice.text, notice.advice)));
    }
    let catalogue = app.catalogue.load();
    let profiles = catalogue.user_profiles.values();
    for profile in profiles.filter(|profile| profile.allow_provision) {
        obstacles.extend(template_obstacle(&catalogue, profile));
    }
    if !app.self_provisioning.load().mode.asks_for_pin() {
        let text = "the authentication mode is \"not required\": whoever stands at a phone can \
                    take any user's extension";
        obstacles.push(Obstacle::new(
            "",
            text,
            "run: selfprov self-provisioning set-mode users-only",
        ));
    }
    obstacles.extend(trust_list(app));
    obstacles.extend(emergency(app));
    Ok(obstacles)
}

/// Trust lists that are on and yet not served, and what the settings want in them that is not; a
/// list that is just being made is no obstacle.
fn trust_list(app: &App) -> Vec<Obstacle> {
    let outcome = app.trust_lists.outcome();
    let mut obstacles = Vec::new();
    match outcome.as_ref() {
        Ok(_) | Err(NotServed::Off | NotServed::Starting) => {}
        Err(reason) => obstacles.push(Obstacle::new(
            "",
            format!("no trust list is served: {reason}"),
            "see docs/trust-list.md; selfprov cert show tells more",
        )),
    }
    for lack in trust_list::lacks(app) {
        obstacles.push(Obstacle::new("", lack.to_string(), lack.advice()));
    }
    obstacles
}

fn auto_registration(app: &App) -> Vec<Obstacle> {
    let catalogue = app.catalogue.load();
    let Some(node) = catalogue.call_managers.get(&app.node.pkid) else {
        let text = "this node has no CallManager row";
        return vec![Obstacle::new("", text, "start the service once more")];
    };
    let block = &node.auto_registration;
    let mut obstacles = Vec::new();
    let mut add = |text: String, advice: &str| obstacles.push(Obstacle::new("", text, advice));
    // The templates first: without them it cannot be switched on.
    let device = block.universal_device_template;
    if !device.is_some_and(|pkid| catalogue.universal_device_templates.contains_key(&pkid)) {
        let text = "auto-registration has no Universal Device Template".to_owned();
        add(
            text,
            "choose one, its idle URL shows the login; run: selfprov auto-registration set \
             --device-template NAME",
        );
    }
    let line = block.universal_line_template;
    if !line.is_some_and(|pkid| catalogue.universal_line_templates.contains_key(&pkid)) {
        add(
            "auto-registration has no Universal Line Template".to_owned(),
            "run: selfprov auto-registration set --line-template NAME",
        );
    }
    if !block.enabled {
        let text = format!(
            "auto-registration is off on {}: new phones are refused",
            node.name
        );
        add(
            text,
            "run: selfprov auto-registration on --from NUMBER --to NUMBER",
        );
    }
    if block.start_dn == block.end_dn
        || DirectoryNumberRange::new(&block.start_dn, &block.end_dn).is_err()
    {
        let text = format!(
            "the auto-registration range {} to {} holds no numbers",
            block.start_dn, block.end_dn
        );
        add(
            text,
            "run: selfprov auto-registration on --from NUMBER --to NUMBER",
        );
    }
    obstacles
}

/// selfprov connects no emergency call by itself; until both are set nobody does.
fn emergency(app: &App) -> Option<Obstacle> {
    let calls = &app.settings.calls;
    let has_target = calls.emergency_target.is_some() || calls.pbx.is_some();
    if !calls.emergency_numbers.is_empty() && has_target {
        return None;
    }
    let text = "emergency calls go nowhere: selfprov itself connects none";
    let advice = "set calls.emergency_numbers, and calls.emergency_target or calls.pbx";
    Some(Obstacle::new("", text, advice))
}
