//! Use case: somebody says who they are and shows a PIN.
//!
//! Whatever is wrong, the answer and the time it takes are the same: an unknown user, a wrong PIN,
//! a disabled account and a lock cost one hash each. The true reason stands in the phone's
//! timeline. What failed is in the database before the answer goes out, so that delays and locks
//! hold on every node and survive a restart.

mod known;
mod outcome;

use std::net::IpAddr;
use std::time::Duration;

use known::Known;
use known::look_up;
use outcome::record_right;
use outcome::record_wrong;
use outcome::tell_wait;

use super::App;
use super::ServiceError;
use super::attempt_gate::GateFull;
use super::group_commit::WriteError;
use super::hasher::HasherError;
use super::hasher::Share;
use crate::domain::device::DeviceName;
use crate::domain::history::CorrelationId;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::Proof;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;
use crate::domain::user::EndUser;
use crate::store::StoreError;

/// Somebody's attempt to log in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// User ID or Self-Service User ID as typed.
    pub login: &'a str,
    /// PIN or authentication code as typed; `None` where the form does not ask.
    pub secret: Option<&'a Secret>,
    /// Whether it is looked at even where no authentication is required.
    pub is_needed: bool,
    /// The device it is typed on.
    pub device: Option<&'a DeviceName>,
    /// The address it comes from.
    pub source: IpAddr,
    /// The line to wait in.
    pub share: Share,
    /// The request that this is part of.
    pub correlation: CorrelationId,
}

/// Somebody who has shown who they are.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The user.
    pub user: EndUser,
    /// The user's PIN, where there is one.
    pub credential: Option<StoredCredential>,
    /// What was shown.
    pub proof: Proof,
    /// The authentication mode it was judged by.
    pub mode: AuthenticationMode,
}

impl Authenticated {
    /// The version of the PIN, to which tokens are bound; 0 where there is none.
    pub fn credential_version(&self) -> i64 {
        self.credential.as_ref().map_or(0, |pin| pin.version)
    }
}

/// Why somebody was not let in.
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateError {
    /// Device, credential or address must wait; not verified and not counted.
    #[error("too many attempts; the next one is looked at in {} s", .0.as_secs())]
    Wait(Duration),
    /// Unknown user, wrong PIN, disabled or locked.
    #[error("the user ID or PIN is not correct, or the account is locked for now")]
    Failed,
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for AuthenticateError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<WriteError> for AuthenticateError {
    fn from(error: WriteError) -> Self {
        Self::Service(error.into())
    }
}

impl From<GateFull> for AuthenticateError {
    fn from(_: GateFull) -> Self {
        Self::Service(ServiceError::Busy)
    }
}

impl From<HasherError> for AuthenticateError {
    fn from(error: HasherError) -> Self {
        Self::Service(error.into())
    }
}

/// Why an attempt failed in truth; told to administrators only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    UnknownUser,
    Disabled,
    NoPin,
    PinLocked,
    WrongPin,
}

impl Reason {
    const fn as_sentence(self) -> &'static str {
        match self {
            Self::UnknownUser => "no user has this user ID or Self-Service User ID",
            Self::Disabled => "the account is disabled",
            Self::NoPin => "the user has no PIN",
            Self::PinLocked => "the PIN is locked; it was not looked at",
            Self::WrongPin => "the PIN is wrong",
        }
    }
}

/// What looking at an attempt gave.
enum Verdict {
    Right(Proof),
    Wrong { reason: Reason, of_code: bool },
}

/// Lets somebody in, or not.
///
/// # Errors
///
/// [`AuthenticateError`], which tells the caller no more than it may know.
pub async fn authenticate(
    app: &App,
    attempt: &Attempt<'_>,
) -> Result<Authenticated, AuthenticateError> {
    let (passes, known) = look_up(app, attempt).await?;
    let now = app.environment.now();
    let wait = known.wait(now);
    if !wait.is_zero() {
        tell_wait(app, attempt, &known, wait).await?;
        return Err(AuthenticateError::Wait(wait));
    }
    let verdict = judge(app, attempt, &known, now).await?;
    let answer = match verdict {
        Verdict::Right(proof) => record_right(app, attempt, known, proof).await,
        Verdict::Wrong { reason, of_code } => {
            record_wrong(app, attempt, &known, reason, of_code).await?;
            Err(AuthenticateError::Failed)
        }
    };
    drop(passes);
    answer
}

/// Looks at what was shown. Everything that ends in *wrong* costs the same.
async fn judge(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    now: UnixMillis,
) -> Result<Verdict, HasherError> {
    if known.settings.mode == AuthenticationMode::NotRequired && !attempt.is_needed {
        return Ok(judge_without_secret(known));
    }
    let nothing = Secret::from("");
    let entry = attempt.secret.unwrap_or(&nothing);
    let obstacle = known.obstacle(now);
    match (&known.credential, obstacle) {
        (Some(pin), None) => {
            if app.hasher.verify(attempt.share, entry, &pin.hash).await? {
                let must_change = pin.must_change(now);
                return Ok(Verdict::Right(Proof::Pin { must_change }));
            }
        }
        _ => app.hasher.verify_dummy(attempt.share, entry).await?,
    }
    let code = known.settings.code_for(entry);
    if let Some(code) = code {
        let is_right = app.hasher.verify(attempt.share, entry, &code.hash).await?;
        if is_right && known.user.as_ref().is_some_and(|user| user.enabled) {
            return Ok(Verdict::Right(Proof::AuthenticationCode));
        }
    }
    Ok(Verdict::Wrong {
        reason: obstacle.unwrap_or(Reason::WrongPin),
        of_code: code.is_some(),
    })
}

fn judge_without_secret(known: &Known) -> Verdict {
    let of_code = false;
    match &known.user {
        Some(user) if user.enabled => Verdict::Right(Proof::Nothing),
        Some(_) => Verdict::Wrong {
            reason: Reason::Disabled,
            of_code,
        },
        None => Verdict::Wrong {
            reason: Reason::UnknownUser,
            of_code,
        },
    }
}
