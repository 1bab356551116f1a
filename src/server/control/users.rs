//! The commands about users, and what is known of the system's readiness.

use crate::domain::credential::CredentialUser;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::Person;
use crate::domain::login_name::{SelfServiceUserId, UserId};
use crate::domain::secret::Secret;
use crate::server::control::administrators;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::new_devices;
use crate::server::control::protocol::{
    Answer, Finding, NewDigest, NewPhone, NewUser, Page, SecretText, UserView,
};
use crate::server::control::values::device_name;
use crate::service::App;
use crate::service::administration::NewSecret;
use crate::service::devices::phone_from_template::fresh_sip_secret;
use crate::service::phone_files::file_warnings::{self, WarnedPhones};
use crate::service::self_provisioning::readiness::{self, Obstacle, UserOverview};
use crate::service::users::quick_add::{self, LineChoice, QuickAdd, QuickExtension, QuickPhone};
use crate::service::users::{self, credentials};

/// Users that are checked in one go.
const PAGE_ROWS: u32 = 500;

/// Users that are not ready, named one by one; further ones are counted.
const NAMED_MAX: usize = 50;

/// Adds a user with extension and PIN.
///
/// # Errors
///
/// A value is not allowed, taken, or refused by the credential policy.
pub async fn add(app: &App, new: NewUser) -> Result<Answer, Fault> {
    let (pin, made_pin) = pin_or_new(app, &new.user_id, new.pin).await?;
    let (digest, made_digest) = digest_or_new(app, new.digest);
    let phone = new.phone.map(quick_phone).transpose()?;
    let user_id: UserId = new.user_id.parse()?;
    let pattern = new
        .extension
        .as_deref()
        .map(str::parse::<DirectoryNumber>)
        .transpose()?;
    let self_service = new
        .self_service_id
        .as_deref()
        .map(str::parse::<SelfServiceUserId>);
    let quick = QuickAdd {
        user: users::NewUser {
            person: Person {
                first_name: new.first_name,
                last_name: new.last_name,
                ..Person::default()
            },
            self_service_user_id: self_service.transpose()?,
            pin: Some(NewSecret {
                secret: pin,
                must_change: new.must_change,
            }),
            digest_credentials: digest,
            ..users::NewUser::new(user_id)
        },
        feature_group_template: new.feature_group_template,
        extension: pattern.map(|pattern| QuickExtension {
            pattern,
            route_partition: None,
            choice: LineChoice::Either,
        }),
        phone,
    };
    let added = quick_add::quick_add(app, &actor(app), &quick).await?;
    let user = view(find(app, added.user.user_id.as_str()).await?);
    let made_digest = made_digest.or(added.digest_credentials);
    Ok(Answer::User {
        user: Box::new(user),
        pin: made_pin,
        digest_credentials: made_digest.as_ref().map(SecretText::new),
        phone: added.phone.as_ref().map(new_devices::made).map(Box::new),
    })
}

fn quick_phone(phone: NewPhone) -> Result<QuickPhone, Fault> {
    Ok(QuickPhone {
        name: device_name(&phone.name)?,
        model: new_devices::model_named(&phone.model)?,
        template: phone.template,
    })
}

/// The digest credentials that were given or made; the second where they were made.
fn digest_or_new(app: &App, digest: Option<NewDigest>) -> (Option<Secret>, Option<Secret>) {
    match digest {
        Some(NewDigest::Given(secret)) => (Some(secret.secret()), None),
        Some(NewDigest::Generated) => {
            let made = fresh_sip_secret(app);
            (Some(made.clone()), Some(made))
        }
        Some(NewDigest::Removed) | None => (None, None),
    }
}

/// Sets a user's digest credentials, makes some, or removes them.
///
/// # Errors
///
/// There is no such user.
pub async fn set_digest(app: &App, name: &str, digest: NewDigest) -> Result<Answer, Fault> {
    let (secret, made) = digest_or_new(app, Some(digest));
    credentials::set_digest_credentials(app, &actor(app), name, secret.as_ref()).await?;
    Ok(Answer::User {
        user: Box::new(view(find(app, name).await?)),
        pin: None,
        digest_credentials: made.as_ref().map(SecretText::new),
        phone: None,
    })
}

/// Lists users.
///
/// # Errors
///
/// The database is away.
pub async fn list(app: &App, page: &Page) -> Result<Answer, Fault> {
    let users = readiness::users(app, &page.after, page.limit).await?;
    Ok(Answer::Users(users.into_iter().map(view).collect()))
}

/// Shows a user and what keeps them from provisioning a phone.
///
/// # Errors
///
/// There is no such user.
pub async fn show(app: &App, name: &str) -> Result<Answer, Fault> {
    let user = view(find(app, name).await?);
    Ok(with_pin(user, None))
}

/// Sets a user's PIN.
///
/// # Errors
///
/// There is no such user, or the credential policy refuses the PIN.
pub async fn set_pin(
    app: &App,
    name: &str,
    pin: Option<SecretText>,
    must_change: bool,
) -> Result<Answer, Fault> {
    let (secret, made) = pin_or_new(app, name, pin).await?;
    let new = NewSecret {
        secret,
        must_change,
    };
    credentials::set_pin(app, &actor(app), name, &new).await?;
    let user = view(find(app, name).await?);
    Ok(with_pin(user, made))
}

/// Sets a user's password, which opens UDS.
///
/// # Errors
///
/// There is no such user, or the credential policy refuses the password.
pub async fn set_password(
    app: &App,
    name: &str,
    password: Option<SecretText>,
    must_change: bool,
) -> Result<Answer, Fault> {
    let account = (CredentialUser::EndUser, name);
    let (new, made) = administrators::password_or_new(app, account, password, must_change).await?;
    credentials::set_password(app, &actor(app), name, &new).await?;
    Ok(administrators::password_set(name, made))
}

/// Enables or disables a user.
///
/// # Errors
///
/// There is no such user.
pub async fn set_enabled(app: &App, name: &str, enabled: bool) -> Result<Answer, Fault> {
    let change = users::UserChange {
        enabled: Some(enabled),
        ..users::UserChange::default()
    };
    users::update(app, &actor(app), name, &change).await?;
    Ok(with_pin(view(find(app, name).await?), None))
}

/// Ends the locks of a user's PIN and password.
///
/// # Errors
///
/// There is no such user.
pub async fn unlock(app: &App, name: &str) -> Result<Answer, Fault> {
    let unlocked = credentials::unlock(app, &actor(app), name).await?;
    let what = match (unlocked.pin, unlocked.password) {
        (true, true) => "PIN and password were locked",
        (true, false) => "the PIN was locked",
        (false, true) => "the password was locked",
        (false, false) => "nothing was locked",
    };
    Ok(Answer::Done(format!("{name} may log in now; {what}")))
}

/// What keeps phones and users from working: the system and one user, or everybody.
///
/// # Errors
///
/// The database is away.
pub async fn readiness(app: &App, user: Option<&str>) -> Result<Answer, Fault> {
    let mut findings: Vec<Finding> = readiness::system(app)
        .await?
        .into_iter()
        .map(|obstacle| finding("system", &obstacle))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::good(
            "system",
            "auto-registration and templates are complete",
        ));
    }
    if let Some(name) = user {
        if let Some(user) = readiness::user(app, name).await? {
            findings.extend(of_user(user));
        } else {
            let text = "there is no user of this ID or Self-Service User ID";
            let subject = format!("user {name}");
            findings.push(Finding::problem(&subject, text, "run: selfprov user list"));
        }
    } else {
        let warned = file_warnings::warned_phones(app).await;
        findings.extend(warned.iter().map(of_files));
        findings.extend(of_everybody(app).await?);
    }
    Ok(Answer::Findings(findings))
}

fn of_files(warned: &WarnedPhones) -> Finding {
    let first = &warned.first;
    let whose = match warned.count {
        1 => format!("phone {first}"),
        count => format!("phone {first} and {} others", count - 1),
    };
    let advice = format!("see: selfprov device show {first}");
    Finding::warning(&whose, warned.warning.to_string(), &advice)
}

async fn of_everybody(app: &App) -> Result<Vec<Finding>, Fault> {
    let (mut findings, mut ready, mut waiting) = (Vec::new(), 0_usize, 0_usize);
    let mut after = String::new();
    loop {
        let page = readiness::users(app, &after, PAGE_ROWS).await?;
        let Some(last) = page.last() else { break };
        last.user.user_id.as_str().clone_into(&mut after);
        for user in page {
            if user.obstacles.is_empty() {
                ready += 1;
                continue;
            }
            waiting += 1;
            if waiting <= NAMED_MAX {
                findings.extend(of_user(user));
            }
        }
    }
    if waiting > NAMED_MAX {
        let text = format!("{} further users are not ready", waiting - NAMED_MAX);
        findings.push(Finding::warning("users", text, "run: selfprov user list"));
    }
    findings.push(if ready + waiting == 0 {
        Finding::warning("users", "there are no users", "run: selfprov user add")
    } else {
        Finding::good("users", format!("{ready} users may provision a phone"))
    });
    Ok(findings)
}

fn of_user(user: UserOverview) -> Vec<Finding> {
    let subject = format!("user {}", user.user.user_id);
    if user.obstacles.is_empty() {
        return vec![Finding::good(&subject, "may provision a phone")];
    }
    user.obstacles
        .into_iter()
        .map(|obstacle| finding(&subject, &obstacle))
        .collect()
}

fn finding(subject: &str, obstacle: &Obstacle) -> Finding {
    Finding::warning(subject, in_words(obstacle), &obstacle.advice)
}

fn in_words(obstacle: &Obstacle) -> String {
    match obstacle.code {
        "" => obstacle.text.clone(),
        code => format!("{} ({code})", obstacle.text),
    }
}

async fn find(app: &App, name: &str) -> Result<UserOverview, Fault> {
    let found = readiness::user(app, name).await?;
    found.ok_or_else(|| {
        Fault::new(format!(
            "there is no user {name}; `selfprov user list` shows them all"
        ))
    })
}

fn with_pin(user: UserView, pin: Option<SecretText>) -> Answer {
    Answer::User {
        user: Box::new(user),
        pin,
        digest_credentials: None,
        phone: None,
    }
}

/// The PIN that was given, or a new one and its copy for the one who asked.
async fn pin_or_new(
    app: &App,
    login: &str,
    given: Option<SecretText>,
) -> Result<(Secret, Option<SecretText>), Fault> {
    if let Some(pin) = given {
        return Ok((pin.secret(), None));
    }
    let pin = credentials::generate_pin(app, login).await?;
    let copy = SecretText::new(&pin);
    Ok((pin, Some(copy)))
}

fn view(overview: UserOverview) -> UserView {
    let user = overview.user;
    UserView {
        name: user.person.full_name(),
        extension: user
            .primary_extension
            .map(|extension| extension.pattern.to_string()),
        self_service_id: user.self_service_user_id.map(|id| id.to_string()),
        user_id: user.user_id.to_string(),
        profile: overview.profile,
        must_change_pin: overview.must_change_pin,
        enabled: user.enabled,
        devices: overview.devices.iter().map(ToString::to_string).collect(),
        not_ready: overview.obstacles.iter().map(in_words).collect(),
    }
}
