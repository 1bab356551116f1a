//! Use cases of the login: the form, and what follows when it is sent.
//!
//! Nothing is written to the phone before *Continue* (`service::self_provisioning::continue_login`).

use super::activate;
use super::claim::Claim;
use super::claim::Row;
use super::claim::Standing;
use super::claim::address_policy;
use super::confirmation::Confirmation;
use super::confirmation::LogInError;
use super::confirmation::bound_to;
use super::sealed_token::Token;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::Admitted;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::DeviceFacts;
use crate::domain::self_provisioning::Proof;
use crate::domain::self_provisioning::admit_device;
use crate::domain::template::TextField;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::authenticate;
use crate::service::credentials::authenticate::Attempt;
use crate::service::credentials::authenticate::AuthenticateError;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::credentials::hasher::Share;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::devices::phone_from_template::Subject;
use crate::service::history::record;
use crate::service::history::record::Change;
use crate::service::history::record::Who;
use crate::service::history::refusal_rows;
use crate::service::keys::Purpose;
use crate::store::StoreError;

/// What the login form is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginPrompt {
    /// The phone.
    pub device: DeviceName,
    /// What the form asks for.
    pub mode: AuthenticationMode,
}

/// The login form for a phone, from memory alone: rows 1 and 2 of the decision.
///
/// # Errors
///
/// The refusal of the first row that fails.
pub fn login_prompt(app: &App, claim: &Claim) -> Result<LoginPrompt, Refusal> {
    let known = claim.phone(app).ok_or(Refusal::DeviceNotFound)?;
    let facts = DeviceFacts::from(&known.phone);
    admit_device(Some(facts), claim.source, &address_policy(app))?;
    Ok(LoginPrompt {
        device: known.phone.name.clone(),
        mode: app.self_provisioning.load().mode,
    })
}

/// A login: rows 1 to 9 of the decision, and what the confirm screen shows. An activation code in
/// place of user ID and PIN is one as well.
///
/// # Errors
///
/// [`LogInError`]. Why it was refused in truth stands in the phone's timeline.
pub async fn log_in(
    app: &App,
    claim: &Claim,
    login: &str,
    secret: Option<&Secret>,
) -> Result<Confirmation, LogInError> {
    let known = claim.phone(app).ok_or(Refusal::DeviceNotFound)?;
    let name = &known.phone.name;
    if let Err(refusal) = login_prompt(app, claim) {
        let row = Row {
            user_id: "",
            refusal: Some(refusal),
            detail: device_refusal_detail(claim, &known, refusal),
        };
        refusal_rows::refused_without_work(app, name, claim.happening(row)).await?;
        return Err(refusal.into());
    }
    if let Some(code) = activate::typed(app, login, secret).await? {
        return Box::pin(activate::log_in(app, claim, &known, &code)).await;
    }
    let attempt = Attempt {
        login,
        secret,
        is_needed: false,
        device: Some(name),
        source: claim.source,
        share: Share::Phones,
        correlation: claim.correlation,
    };
    match authenticate::authenticate(app, &attempt).await {
        Ok(who) => confirm(app, claim, &known, &who).await,
        Err(AuthenticateError::Wait(wait)) => Err(Refusal::TooManyAttempts { wait }.into()),
        Err(AuthenticateError::Failed) => Err(Refusal::AuthenticationFailed.into()),
        Err(AuthenticateError::Service(error)) => Err(error.into()),
    }
}

fn device_refusal_detail(claim: &Claim, known: &KnownPhone, refusal: Refusal) -> String {
    match (refusal, known.phone.registered_address) {
        (Refusal::DeviceAddressMismatch, Some(registered)) => format!(
            "asked from {}, registered from {registered}",
            claim.source.to_canonical()
        ),
        (Refusal::DeviceAddressMismatch, None) => format!(
            "asked from {}, never registered",
            claim.source.to_canonical()
        ),
        _ => String::new(),
    }
}

/// Decides over an authenticated user and makes the confirm screen.
pub(in crate::service) async fn confirm(
    app: &App,
    claim: &Claim,
    known: &KnownPhone,
    who: &Authenticated,
) -> Result<Confirmation, LogInError> {
    let phone = &known.phone;
    let mut reader = app.store.read().await?;
    let standing = Standing::read(reader.connection(), who.user.pkid).await?;
    drop(reader);
    let catalogue = app.catalogue.load_full();
    let wait = std::time::Duration::ZERO;
    match claim.decide(app, Some(phone), who, standing, wait, &catalogue) {
        Ok(admitted) => admit(app, claim, known, who, &admitted).await,
        Err(Refusal::CredentialExpired) if !who.cant_change() => Err(LogInError::MustChangePin {
            token: sealed(app, claim, known, who, Purpose::ChangePinToken)?,
            user_id: who.user.user_id.clone(),
        }),
        Err(refusal) => {
            let row = Row {
                user_id: who.user.user_id.as_str(),
                refusal: Some(refusal),
                detail: match refusal {
                    Refusal::CredentialExpired => {
                        "the login was right, but the PIN must be changed \
                                                   and only an administrator may change it"
                    }
                    _ => "the login was right",
                }
                .to_owned(),
            };
            let event = TimelineEvent::LoginRefused;
            claim.tell(app, &phone.name, event, row).await?;
            Err(refusal.into())
        }
    }
}

fn sealed(
    app: &App,
    claim: &Claim,
    known: &KnownPhone,
    who: &Authenticated,
    purpose: Purpose,
) -> Result<String, ServiceError> {
    let bound = bound_to(claim, who);
    let now = app.environment.now();
    let token = Token::new(known.phone.pkid, who.user.pkid, who.proof, &bound, now);
    Ok(token.seal(&app.keys, purpose)?)
}

async fn admit(
    app: &App,
    claim: &Claim,
    known: &KnownPhone,
    who: &Authenticated,
    admitted: &Admitted<'_>,
) -> Result<Confirmation, LogInError> {
    let user = &who.user;
    let extension = user
        .primary_extension
        .as_ref()
        .ok_or(Refusal::UserNotReady)?;
    let subject = Subject {
        device_name: &known.phone.name,
        model: Some(admitted.model.number),
        user: Some(user),
        directory_number: &extension.pattern,
    };
    let tags = &admitted.device_template.device_description;
    let description = subject.expand(tags, TextField::DeviceDescription);
    let full_name = user.person.full_name();
    write_log_in(app, claim, &known.phone.name, who).await?;
    Ok(Confirmation {
        token: sealed(app, claim, known, who, Purpose::ConfirmToken)?,
        user_name: if full_name.is_empty() {
            user.user_id.to_string()
        } else {
            full_name
        },
        extension: extension.pattern.clone(),
        description,
    })
}

/// Writes a login to the timeline, and the use of the administrator's code to the audit log.
async fn write_log_in(
    app: &App,
    claim: &Claim,
    device: &DeviceName,
    who: &Authenticated,
) -> Result<(), LogInError> {
    let row = Row {
        user_id: who.user.user_id.as_str(),
        refusal: None,
        detail: match who.proof {
            Proof::Pin { .. } => "with the PIN",
            Proof::AuthenticationCode => "with the administrator's authentication code",
            Proof::Nothing => "no authentication is required",
        }
        .to_owned(),
    };
    if who.proof == Proof::AuthenticationCode {
        audit_code(app, claim, device, who).await?;
    }
    Ok(claim
        .tell(app, device, TimelineEvent::LoggedIn, row)
        .await?)
}

async fn audit_code(
    app: &App,
    claim: &Claim,
    device: &DeviceName,
    who: &Authenticated,
) -> Result<(), StoreError> {
    let actor = claim.actor(Who::Device(device.clone()));
    let change = Change {
        action: "authentication_code.use",
        object_kind: AuditKind::EndUser,
        object_name: who.user.user_id.to_string(),
        before: String::new(),
        after: format!("logged in on {device}"),
    };
    let mut transaction = app.store.begin().await?;
    record::audit(app, transaction.connection(), &actor, change).await?;
    transaction.commit().await
}
