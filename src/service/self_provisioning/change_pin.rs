//! Use case: a user whose PIN must change gives a new one on the handset.

use super::claim::Claim;
use super::claim::Row;
use super::confirmation::Confirmation;
use super::confirmation::LogInError;
use super::confirmation::bound_to;
use super::login::confirm;
use super::sealed_token::Token;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::Pin;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::Proof;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::trivial_credential::CredentialOwner;
use crate::domain::trivial_credential::CredentialRefused;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::authenticate::Authenticated;
use crate::service::credentials::hasher::Share;
use crate::service::credentials::history;
use crate::service::history::record;
use crate::service::history::record::Change;
use crate::service::history::record::Who;
use crate::service::keys::Purpose;
use crate::store;
use crate::store::StoreError;
use crate::store::credential::NewCredential;

/// Why a new PIN is not taken. The text is shown to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    /// The two entries differ.
    #[error("The two PINs are not the same.")]
    Mismatch,
    /// The entry is not made of digits.
    #[error("A PIN has digits only.")]
    NotDigits,
    /// The policy refuses it.
    #[error(transparent)]
    Policy(#[from] CredentialRefused),
}

/// Why the PIN was not changed, or was and led to no confirm screen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangePinError {
    /// The new PIN is none; the same token may be used again.
    #[error(transparent)]
    NotAcceptable(#[from] NotAcceptable),
    /// The login behind the token no longer holds: log in again.
    #[error("log in again")]
    StartAgain,
    /// The PIN was changed and the login is refused for another reason.
    #[error("{0}")]
    Refused(Refusal),
    /// Too many logins at once; try again.
    #[error("too many logins at once")]
    Busy,
    /// The service cannot do it now; the cause is in the log.
    #[error("not available")]
    Unavailable,
}

impl From<ServiceError> for ChangePinError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Busy => Self::Busy,
            error => {
                tracing::error!(%error, "a PIN could not be changed");
                Self::Unavailable
            }
        }
    }
}

impl From<StoreError> for ChangePinError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<LogInError> for ChangePinError {
    fn from(error: LogInError) -> Self {
        match error {
            LogInError::Refused(refusal) => Self::Refused(refusal),
            LogInError::MustChangePin { .. } => Self::StartAgain,
            LogInError::Busy => Self::Busy,
            LogInError::Unavailable => Self::Unavailable,
        }
    }
}

/// Changes the PIN of the user whom the token was given to, and goes on with the login.
///
/// # Errors
///
/// [`ChangePinError`].
pub async fn change_pin(
    app: &App,
    claim: &Claim,
    token: &str,
    new: &Secret,
    again: &Secret,
) -> Result<Confirmation, ChangePinError> {
    let known = claim
        .phone(app)
        .ok_or(ChangePinError::Refused(Refusal::DeviceNotFound))?;
    let now = app.environment.now();
    let token = Token::open(token, &app.keys, Purpose::ChangePinToken, now)
        .filter(|token| token.device == known.phone.pkid)
        .ok_or(ChangePinError::StartAgain)?;
    let who = holder(app, claim, &token).await?;
    if new != again {
        return Err(NotAcceptable::Mismatch.into());
    }
    let pin = Pin::new(new.clone()).map_err(|_| NotAcceptable::NotDigits)?;
    let old = who.credential.as_ref().ok_or(ChangePinError::StartAgain)?;
    if old.cant_change {
        return Err(NotAcceptable::Policy(CredentialRefused::OnlyAdministrators).into());
    }
    old.policy
        .check_pin(&pin, &credential_owner(&who.user))
        .map_err(NotAcceptable::Policy)?;
    if history::was_used_before(app, Share::Phones, old, new).await? {
        return Err(NotAcceptable::Policy(CredentialRefused::UsedBefore).into());
    }
    let hash = app
        .hasher
        .hash(Share::Phones, new)
        .await
        .map_err(ServiceError::from)?;
    store_pin(app, claim, &known.phone.name, &who, old, hash).await?;
    let who = holder_now(app, who).await?;
    Ok(confirm(app, claim, &known, &who).await?)
}

/// The user whom a token was given to, if everything it is bound to still holds.
async fn holder(app: &App, claim: &Claim, token: &Token) -> Result<Authenticated, ChangePinError> {
    let who = Authenticated::of_token(app, token).await?;
    let who = who.ok_or(ChangePinError::StartAgain)?;
    let now = app.environment.now();
    let is_locked = who.credential.as_ref().is_none_or(|pin| pin.is_locked(now));
    if is_locked || !token.is_bound_to(&bound_to(claim, &who)) {
        return Err(ChangePinError::StartAgain);
    }
    Ok(who)
}

/// The same user after the change.
async fn holder_now(app: &App, who: Authenticated) -> Result<Authenticated, ChangePinError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let owner = who.user.pkid;
    let credential = store::credential::find(connection, owner, CredentialKind::Pin).await?;
    Ok(Authenticated {
        credential,
        proof: Proof::Pin { must_change: false },
        ..who
    })
}

/// What a guesser would try of a user.
pub(in crate::service) fn credential_owner(user: &EndUser) -> CredentialOwner<'_> {
    let extension = user.primary_extension.as_ref();
    let self_service = user.self_service_user_id.as_ref();
    CredentialOwner {
        user_id: user.user_id.as_str(),
        self_service_user_id: self_service.map_or("", |id| id.as_str()),
        extension: extension.map_or("", |extension| extension.pattern.as_str()),
        first_name: &user.person.first_name,
        last_name: &user.person.last_name,
    }
}

/// Writes the new PIN, unless another change came first.
async fn store_pin(
    app: &App,
    claim: &Claim,
    device: &DeviceName,
    who: &Authenticated,
    old: &StoredCredential,
    hash: Box<str>,
) -> Result<(), ChangePinError> {
    let user = &who.user;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    store::end_user::by_pkid_for_update(connection, user.pkid).await?;
    let current = store::credential::find(connection, user.pkid, CredentialKind::Pin).await?;
    if current.is_none_or(|current| current.version != old.version) {
        return Err(ChangePinError::StartAgain);
    }
    let new = NewCredential {
        pkid: app.new_pkid(),
        owner: user.pkid,
        kind: CredentialKind::Pin,
        hash,
        policy: old.policy_pkid,
        changed_at: app.environment.now(),
        must_change: false,
    };
    store::credential::put(connection, &new).await?;
    let user_id = user.user_id.as_str();
    let row = Row {
        user_id,
        ..Row::default()
    };
    let event = TimelineEvent::PinChanged;
    claim.happened(app, connection, device, event, row).await?;
    let actor = claim.actor(Who::User(user.user_id.clone()));
    let change = Change {
        action: "end_user.change_pin",
        object_kind: AuditKind::EndUser,
        object_name: user_id.to_owned(),
        before: String::new(),
        after: format!("changed on {device}"),
    };
    record::audit_object(app, connection, &actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(())
}
