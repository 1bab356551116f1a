//! Use case: a phone goes back to the auto-registered state, by its owner or an administrator.
//!
//! The user's line leaves it, its secret is replaced, it restarts. Where no number of the
//! auto-registration range is free, or the node makes no unclaimed phones, its rows go instead.

use super::claim::Claim;
use super::claim::Row;
use super::claim::address_policy;
use super::confirmation::LogInError;
use super::confirmation::bound_to;
use super::sealed_token::Token;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::EndUser;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::Proof;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::attempt_gate::GateFull;
use crate::service::credentials::authenticate;
use crate::service::credentials::authenticate::Attempt;
use crate::service::credentials::authenticate::AuthenticateError;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::credentials::hasher::Share;
use crate::service::devices::farewell::Parting;
use crate::service::devices::replacement::Replacement;
use crate::service::devices::replacement::put_in_place;
use crate::service::devices::replacement::remove;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::history::record::Happening;
use crate::service::history::record::Who;
use crate::service::history::refusal_rows;
use crate::service::keys::Purpose;
use crate::service::registrar::auto_register::Allocation;
use crate::service::registrar::auto_register::GroupTry;
use crate::service::registrar::auto_register::template::Templates;
use crate::service::registrar::auto_register::template::Unclaimed;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What became of a released phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The number it waits with; `None` when its rows were removed.
    pub waits_with: Option<DirectoryNumber>,
}

/// Why a phone was not released. Nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// There is no such device, or it is nobody's.
    #[error("there is no provisioned phone of this name; `selfprov device list` shows them all")]
    NotProvisioned,
    /// It is no phone that could show the login again.
    #[error(
        "this device shows no login, so nobody could claim it again; delete it instead: \
         selfprov device delete {0}"
    )]
    ShowsNoLogin(DeviceName),
    /// The login behind the token no longer holds: enter the PIN again.
    #[error("the confirmed login no longer holds; enter the PIN again")]
    StartAgain,
    /// Too many want to change this phone at once; try again in a few seconds.
    #[error("too many want to change this phone at once; try again in a few seconds")]
    Busy,
    /// The service cannot do it now; the cause is in the log.
    #[error("the phone could not be released now; the service's log says why")]
    Unavailable,
}

impl From<GateFull> for ReleaseError {
    fn from(_: GateFull) -> Self {
        Self::Busy
    }
}

impl From<ServiceError> for ReleaseError {
    fn from(error: ServiceError) -> Self {
        tracing::error!(%error, "a phone could not be released");
        Self::Unavailable
    }
}

impl From<StoreError> for ReleaseError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

/// The owner enters the PIN on the phone. Gives the token that comes back with the confirmation.
///
/// # Errors
///
/// [`LogInError`], as at a login. A phone that is nobody's is refused as not found.
pub async fn ask(app: &App, claim: &Claim, pin: &Secret) -> Result<String, LogInError> {
    let known = claim.phone(app).ok_or(Refusal::DeviceNotFound)?;
    let phone = &known.phone;
    let owner = phone.owner.ok_or(Refusal::DeviceNotFound)?;
    if let Err(refusal) = admit_address(app, claim, phone) {
        let row = Row {
            user_id: "",
            refusal: Some(refusal),
            detail: "a release was asked for".to_owned(),
        };
        refusal_rows::refused_without_work(app, &phone.name, claim.happening(row)).await?;
        return Err(refusal.into());
    }
    let owner = owner_of(app, owner).await?;
    let attempt = Attempt {
        login: owner.user_id.as_str(),
        secret: Some(pin),
        // Where anybody may take a phone for a user, still only the user gives it back.
        is_needed: true,
        device: Some(&phone.name),
        source: claim.source,
        share: Share::Phones,
        correlation: claim.correlation,
    };
    match authenticate::authenticate(app, &attempt).await {
        Ok(who) if matches!(who.proof, Proof::Pin { must_change: true }) => {
            Err(Refusal::CredentialExpired.into())
        }
        Ok(who) => {
            let now = app.environment.now();
            let bound = bound_to(claim, &who);
            let token = Token::new(phone.pkid, who.user.pkid, who.proof, &bound, now);
            Ok(token
                .seal(&app.keys, Purpose::ReleaseToken)
                .map_err(ServiceError::from)?)
        }
        Err(AuthenticateError::Wait(wait)) => Err(Refusal::TooManyAttempts { wait }.into()),
        Err(AuthenticateError::Failed) => Err(Refusal::AuthenticationFailed.into()),
        Err(AuthenticateError::Service(error)) => Err(error.into()),
    }
}

/// Row 2 of the decision holds for a release as well.
fn admit_address(app: &App, claim: &Claim, phone: &Phone) -> Result<(), Refusal> {
    let addresses = address_policy(app);
    let is_there = phone
        .registered_address
        .is_some_and(|registered| addresses.is_same_place(registered, claim.source));
    if addresses.require_registered_address && !is_there {
        return Err(Refusal::DeviceAddressMismatch);
    }
    Ok(())
}

async fn owner_of(app: &App, owner: Pkid) -> Result<EndUser, LogInError> {
    let mut reader = app.store.read().await?;
    let owner = store::end_user::by_pkid(reader.connection(), owner).await?;
    Ok(owner.ok_or(Refusal::DeviceNotFound)?)
}

/// The owner confirms.
///
/// # Errors
///
/// [`ReleaseError`]; then nothing has changed.
pub async fn confirm(app: &App, claim: &Claim, token: &str) -> Result<Released, ReleaseError> {
    let now = app.environment.now();
    let token = Token::open(token, &app.keys, Purpose::ReleaseToken, now)
        .ok_or(ReleaseError::StartAgain)?;
    let name = claim.device_name(app).ok_or(ReleaseError::NotProvisioned)?;
    let who = Authenticated::of_token(app, &token).await?;
    let who = who.ok_or(ReleaseError::StartAgain)?;
    if !token.is_bound_to(&bound_to(claim, &who)) {
        return Err(ReleaseError::StartAgain);
    }
    let actor = claim.actor(Who::User(who.user.user_id));
    release(app, &name, Some(&token), &actor).await
}

/// An administrator releases a phone.
///
/// # Errors
///
/// [`ReleaseError`]; then nothing has changed.
pub async fn by_administrator(
    app: &App,
    name: &DeviceName,
    actor: &Actor,
) -> Result<Released, ReleaseError> {
    release(app, name, None, actor).await
}

/// What was done, to be told to memory once it is committed.
enum Done {
    Waits(Box<Replacement>),
    Removed(Parting),
}

async fn release(
    app: &App,
    name: &DeviceName,
    token: Option<&Token>,
    actor: &Actor,
) -> Result<Released, ReleaseError> {
    let turn = DeviceTurn::take(app, [name]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let mut allocation = Allocation::begin(app, connection, 1, GroupTry::AsOne).await?;
    let before = store::device::find_for_update(connection, name)
        .await?
        .filter(|phone| phone.state == DeviceState::Provisioned)
        .ok_or(ReleaseError::NotProvisioned)?;
    let model = before.known_model();
    if model.is_some_and(PhoneModel::is_found_by_account) {
        return Err(ReleaseError::ShowsNoLogin(name.clone()));
    }
    let is_the_same =
        |token: &Token| token.device == before.pkid && before.owner == Some(token.user);
    if !token.is_none_or(is_the_same) {
        return Err(ReleaseError::StartAgain);
    }
    let done = in_transaction(app, connection, &turn, &mut allocation, &before).await?;
    allocation.end(app, connection).await?;
    write_history(app, connection, &before, &done, actor).await?;
    turn.commit(app, transaction).await?;
    Ok(publish(app, name, done)?)
}

async fn in_transaction(
    app: &App,
    connection: &mut Connection,
    turn: &DeviceTurn,
    allocation: &mut Allocation,
    before: &Phone,
) -> Result<Done, StoreError> {
    let catalogue = app.catalogue.load_full();
    let templates = Templates::of(&catalogue, allocation.block());
    let number = allocation.next_number(connection).await?;
    if let (Some(templates), Some(number)) = (templates, number) {
        let unclaimed = Unclaimed {
            name: &before.name,
            model: before.model,
            registered_address: before.registered_address,
        };
        let (after, line) = templates.make(app, &unclaimed, &number)?;
        store::line::insert(connection, &line).await?;
        let replacement = put_in_place(app, connection, turn, before, after, number).await?;
        allocation.inherits(replacement.phone.pkid, line.pkid);
        return Ok(Done::Waits(Box::new(replacement)));
    }
    remove(connection, before).await?;
    let parting = Parting::write(app, connection, before).await?;
    Ok(Done::Removed(parting))
}

/// Makes memory say what the database says.
fn publish(app: &App, name: &DeviceName, done: Done) -> Result<Released, ServiceError> {
    match done {
        Done::Waits(replacement) => {
            let waits_with = Some(replacement.publish(app)?);
            Ok(Released { waits_with })
        }
        Done::Removed(parting) => {
            app.phones.remove(name);
            parting.publish(app, name);
            Ok(Released { waits_with: None })
        }
    }
}

async fn write_history(
    app: &App,
    connection: &mut Connection,
    before: &Phone,
    done: &Done,
    actor: &Actor,
) -> Result<(), StoreError> {
    let owner = match before.owner {
        Some(owner) => store::end_user::by_pkid(connection, owner).await?,
        None => None,
    };
    let owner = owner.map_or_else(String::new, |owner| owner.user_id.to_string());
    let extension = before
        .primary_line()
        .map_or("none", |line| line.pattern.as_str());
    let after = match done {
        Done::Waits(replacement) => {
            format!("auto-registered, extension {}", replacement.extension)
        }
        Done::Removed(_) => "removed: no number of the range is free".to_owned(),
    };
    let name = &before.name;
    let happening = Happening {
        detail: format!("{after}; by {}", actor.who),
        end_user: owner.clone(),
        correlation: actor.correlation,
        ..Happening::default()
    };
    let event = TimelineEvent::Released;
    record::happened(app, connection, name, event, happening).await?;
    let change = Change {
        action: "device.release",
        object_kind: AuditKind::Device,
        object_name: name.to_string(),
        before: format!("owner {owner}, extension {extension}"),
        after,
    };
    record::audit_object(app, connection, actor, before.pkid, change).await
}
