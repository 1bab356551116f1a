//! *Continue* after a login: an auto-registered phone becomes its user's, in one transaction.

use std::time::Duration;

use super::claim::Claim;
use super::claim::Row;
use super::claim::Standing;
use super::confirmation::bound_to;
use super::sealed_token::Token;
use crate::domain::credential::CredentialKind;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::refusal::Refusal;
use crate::domain::schema::ObjectKind;
use crate::domain::self_provisioning::Admitted;
use crate::domain::self_provisioning::Proof;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::attributes;
use crate::service::credentials::attempt_gate::GateFull;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::devices::phone_from_template::Mould;
use crate::service::devices::phone_from_template::Subject;
use crate::service::devices::phone_from_template::apply_line_template;
use crate::service::devices::phone_from_template::make_phone;
use crate::service::devices::replacement::Replacement;
use crate::service::devices::replacement::put_in_place;
use crate::service::devices::turn::DeviceTurn;
use crate::service::group_commit::WriteError;
use crate::service::history::record;
use crate::service::history::record::Change;
use crate::service::history::record::Who;
use crate::service::users::associated_devices;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::provision_result::ProvisionResult;

/// What a phone has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// The number of its line 1.
    pub extension: DirectoryNumber,
    /// The phone.
    pub device: DeviceName,
}

/// Why a phone was not provisioned. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProvisionError {
    /// A row of the decision fails by now.
    #[error("{0}")]
    Refused(Refusal),
    /// The confirmed login is too old or something has changed since: log in again.
    #[error("the confirmed login no longer holds; log in again")]
    StartAgain,
    /// Too many want to change this phone at once; try again in a few seconds.
    #[error("too many want to change this phone at once; try again in a few seconds")]
    Busy,
    /// The service cannot do it now; the cause is in the log.
    #[error("not available")]
    Unavailable,
}

impl From<GateFull> for ProvisionError {
    fn from(_: GateFull) -> Self {
        Self::Busy
    }
}

impl From<ServiceError> for ProvisionError {
    fn from(error: ServiceError) -> Self {
        tracing::error!(%error, "a phone could not be provisioned");
        Self::Unavailable
    }
}

impl From<WriteError> for ProvisionError {
    fn from(error: WriteError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<StoreError> for ProvisionError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

/// Provisions the phone that a confirm token was given for.
///
/// # Errors
///
/// [`ProvisionError`]; then nothing has changed.
pub(in crate::service) async fn provision(
    app: &App,
    claim: &Claim,
    token: &Token,
    fingerprint: &str,
) -> Result<Provisioned, ProvisionError> {
    let device = claim
        .device_name(app)
        .ok_or(ProvisionError::Refused(Refusal::DeviceNotFound))?;
    // One use case at a time on a phone, so that memory sees its rows in the order of their commits.
    let turn = DeviceTurn::take(app, [&device]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    // Boxed: its many statements would make every future above it large.
    let outcome = in_transaction(app, connection, claim, &turn, &device, token, fingerprint);
    match Box::pin(outcome).await? {
        Outcome::Recorded(provisioned) => Ok(provisioned),
        Outcome::Now(change) => {
            turn.commit(app, transaction).await?;
            let extension = change.publish(app)?;
            Ok(Provisioned { extension, device })
        }
        Outcome::Refused { refusal, user_id } => {
            drop(transaction);
            let row = Row {
                user_id: &user_id,
                refusal: Some(refusal),
                detail: "at Continue".to_owned(),
            };
            let event = TimelineEvent::LoginRefused;
            claim.tell(app, &device, event, row).await?;
            Err(ProvisionError::Refused(refusal))
        }
    }
}

enum Outcome {
    Recorded(Provisioned),
    Now(Box<Replacement>),
    Refused { refusal: Refusal, user_id: String },
}

async fn in_transaction(
    app: &App,
    connection: &mut Connection,
    claim: &Claim,
    turn: &DeviceTurn,
    device: &DeviceName,
    token: &Token,
    fingerprint: &str,
) -> Result<Outcome, ProvisionError> {
    // First the user, then the device: the same order everywhere, so that nobody waits in a ring.
    let user = store::end_user::by_pkid_for_update(connection, token.user).await?;
    if let Some(recorded) = store::provision_result::find(connection, fingerprint).await? {
        return Ok(Outcome::Recorded(Provisioned {
            extension: recorded.extension,
            device: recorded.device_name,
        }));
    }
    let phone = store::device::find_for_update(connection, device).await?;
    let user = user.ok_or(ProvisionError::StartAgain)?;
    let who = authenticated_again(app, connection, user, token.proof).await?;
    let standing = Standing::read(connection, who.user.pkid).await?;
    let wait = lock_left(app, connection, device).await?;
    // As of this transaction: memory may be behind a change on another node or of this moment.
    let catalogue = store::catalogue::load(connection).await?;
    let admitted = match claim.decide(app, phone.as_ref(), &who, standing, wait, &catalogue) {
        Ok(admitted) => admitted,
        // What was shown no longer opens the door: the mode, the PIN or the account has changed.
        Err(Refusal::CredentialExpired | Refusal::AuthenticationFailed) => {
            return Err(ProvisionError::StartAgain);
        }
        Err(refusal) => {
            let user_id = who.user.user_id.to_string();
            return Ok(Outcome::Refused { refusal, user_id });
        }
    };
    let before = phone
        .filter(|phone| phone.pkid == token.device && token.is_bound_to(&bound_to(claim, &who)))
        .ok_or(ProvisionError::StartAgain)?;
    let replacement = replace(app, connection, turn, &who, &before, &admitted).await?;
    let result = ProvisionResult {
        token: fingerprint.into(),
        device_name: device.clone(),
        extension: replacement.extension.clone(),
        expires_at: token.expires_at,
    };
    store::provision_result::insert(connection, &result, app.environment.now()).await?;
    write_history(app, connection, claim, &who, &before, &replacement).await?;
    Ok(Outcome::Now(Box::new(replacement)))
}

/// The user as of now, with what the token says was shown.
async fn authenticated_again(
    app: &App,
    connection: &mut Connection,
    user: crate::domain::end_user::EndUser,
    proof: Proof,
) -> Result<Authenticated, ProvisionError> {
    let settings = store::self_provisioning::find(connection).await?;
    let credential = store::credential::find(connection, user.pkid, CredentialKind::Pin).await?;
    let now = app.environment.now();
    let proof = match (proof, &credential) {
        (Proof::Pin { .. }, Some(pin)) => Proof::Pin {
            must_change: pin.must_change(now),
        },
        (Proof::AuthenticationCode, _) if settings.code_off_at.is_some() => {
            return Err(ProvisionError::StartAgain);
        }
        (proof, _) => proof,
    };
    Ok(Authenticated {
        user,
        credential,
        proof,
        mode: settings.mode,
    })
}

/// What is left of a lock of the phone. Delays stand before logins, not before *Continue*.
pub(super) async fn lock_left(
    app: &App,
    connection: &mut Connection,
    device: &DeviceName,
) -> Result<Duration, StoreError> {
    let now = app.environment.now();
    let lock = store::authentication_failure::device_lock(connection, device).await?;
    Ok(lock.map_or(Duration::ZERO, |lock| lock.left(now)))
}

/// The auto-registered phone goes, with its line; the user's phone of the same name comes.
async fn replace(
    app: &App,
    connection: &mut Connection,
    turn: &DeviceTurn,
    who: &Authenticated,
    before: &Phone,
    admitted: &Admitted<'_>,
) -> Result<Replacement, ProvisionError> {
    let user = &who.user;
    let line = user.primary_extension.as_ref().map(|line| line.line);
    let line = line.ok_or(ProvisionError::Refused(Refusal::UserNotReady))?;
    // Whoever changes the line has done so by now, or sees then that this phone has it.
    let mut line = store::line::by_pkid_for_update(connection, line)
        .await?
        .ok_or(ProvisionError::Refused(Refusal::UserNotReady))?;
    let pattern = line.pattern.clone();
    let subject = Subject {
        device_name: &before.name,
        model: Some(admitted.model.number),
        user: Some(user),
        directory_number: &pattern,
    };
    apply_line_template(&mut line, admitted.line_template, &subject);
    line.auto_registered = false;
    store::line::update(connection, &line).await?;
    let mould = Mould {
        subject,
        state: DeviceState::Provisioned,
        device_template: admitted.device_template,
        line: &line,
        before: Some(before),
    };
    let phone = make_phone(app, &mould).map_err(ServiceError::from)?;
    let replacement = put_in_place(app, connection, turn, before, phone, pattern).await?;
    let device = replacement.phone.pkid;
    let template = admitted.device_template.identity.pkid;
    let template = (ObjectKind::UniversalDeviceTemplate, template);
    attributes::inherit(connection, template, device).await?;
    associated_devices::add_owner(app, connection, user.pkid, device).await?;
    Ok(replacement)
}

async fn write_history(
    app: &App,
    connection: &mut Connection,
    claim: &Claim,
    who: &Authenticated,
    before: &Phone,
    replacement: &Replacement,
) -> Result<(), StoreError> {
    let user_id = who.user.user_id.as_str();
    let name = &before.name;
    let number = before
        .primary_line()
        .map_or("none", |line| line.pattern.as_str());
    let extension = &replacement.extension;
    let row = Row {
        user_id,
        refusal: None,
        detail: format!("now extension {extension} of {user_id}; {number} is free again"),
    };
    let event = TimelineEvent::Provisioned;
    claim.happened(app, connection, name, event, row).await?;
    let actor = claim.actor(Who::User(who.user.user_id.clone()));
    let by = match who.proof {
        Proof::AuthenticationCode => ", by authentication code",
        Proof::Nothing => ", without authentication",
        Proof::Pin { .. } => "",
    };
    let change = Change {
        action: "device.provision",
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: format!("auto-registered, extension {number}"),
        after: format!(
            "owner {user_id}, extension {extension}, by {}{by}",
            claim.door.as_str()
        ),
    };
    let device = replacement.phone.pkid;
    record::audit_object(app, connection, &actor, device, change).await
}
