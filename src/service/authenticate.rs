//! Use case: somebody says who they are and shows a PIN.
//!
//! Whatever is wrong, the answer and the time it takes are the same: an unknown user, a wrong PIN,
//! a disabled account and a lock cost one hash each. The true reason stands in the phone's
//! timeline. What failed is in the database before the answer goes out, so that delays and locks
//! hold on every node and survive a restart.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::App;
use super::ServiceError;
use super::attempt_gate::GateFull;
use super::attempt_gate::Pass;
use super::group_commit::WriteError;
use super::hasher::HasherError;
use super::hasher::Share;
use super::keys::Purpose;
use super::record;
use super::record::Happening;
use super::settings::Lockout;
use crate::domain::credential::AuthenticationCode;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialPolicy;
use crate::domain::credential::StoredCredential;
use crate::domain::device::DeviceName;
use crate::domain::end_user::FoldedLogin;
use crate::domain::fresh_system;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEvent;
use crate::domain::lockout;
use crate::domain::lockout::Failure;
use crate::domain::lockout::FailureHistory;
use crate::domain::lockout::Lock;
use crate::domain::lockout::LockoutRule;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::Proof;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::domain::time::UnixMillis;
use crate::domain::user::EndUser;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Under this key the failures of the authentication code are counted on a user whose PIN is
/// locked: the lock must not make guesses at the code free.
const CODE_KEY: &str = "authentication code";

/// Somebody's attempt to log in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// User ID or Self-Service User ID as typed.
    pub login: &'a str,
    /// PIN or authentication code as typed; `None` where the form does not ask.
    pub secret: Option<&'a Secret>,
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

/// What is known when an attempt is judged.
struct Known {
    settings: SelfProvisioningSettings,
    user: Option<EndUser>,
    credential: Option<StoredCredential>,
    policy: CredentialPolicy,
    /// What failures are counted under: the credential, or a digest of a login of nobody.
    key: String,
    history: FailureHistory,
    device_lock: Option<Lock>,
}

impl Known {
    fn wait(&self, now: UnixMillis) -> Duration {
        let locked = self
            .device_lock
            .map_or(Duration::ZERO, |lock| lock.left(now));
        locked.max(self.history.wait(&self.policy, now))
    }

    fn has_failures(&self) -> bool {
        !self.history.credential.is_empty() || !self.history.device.is_empty()
    }

    /// Why the PIN cannot be looked at.
    fn obstacle(&self, now: UnixMillis) -> Option<Reason> {
        match (&self.user, &self.credential) {
            (None, _) => Some(Reason::UnknownUser),
            (Some(user), _) if !user.enabled => Some(Reason::Disabled),
            (Some(_), None) => Some(Reason::NoPin),
            (Some(_), Some(pin)) if pin.is_locked(now) => Some(Reason::PinLocked),
            (Some(_), Some(_)) => None,
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

/// Writes to the phone's timeline that an attempt was not looked at, but not each of a flood.
async fn tell_wait(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    wait: Duration,
) -> Result<(), AuthenticateError> {
    let Some(device) = attempt.device else {
        return Ok(());
    };
    let happening = Happening {
        code: Refusal::TooManyAttempts { wait }.code(),
        detail: match wait {
            Duration::MAX => "locked until an administrator unlocks the phone".to_owned(),
            wait => format!("not looked at; {} s left", wait.as_millis().div_ceil(1000)),
        },
        source: Some(attempt.source),
        end_user: user_id_of(known.user.as_ref()),
        correlation: Some(attempt.correlation),
    };
    record::refused_without_work(app, device, happening).await?;
    Ok(())
}

/// Waits for leave to judge this attempt and reads what there is to know. Attempts on a device or
/// credential that has failed before are judged one at a time.
async fn look_up(
    app: &App,
    attempt: &Attempt<'_>,
) -> Result<([Pass; 2], Known), AuthenticateError> {
    let origin = attempt.device.map_or_else(
        || format!("source {}", attempt.source),
        |device| format!("device {device}"),
    );
    let passed_origin = app.attempts.enter(&origin).await?;
    let mut known = read(app, attempt).await?;
    let credential = format!("credential {}", known.key);
    let passes = [passed_origin, app.attempts.enter(&credential).await?];
    known.history = read_history(app, attempt, &known).await?;
    if !known.has_failures() {
        return Ok((passes, known));
    }
    drop(passes);
    let passes = [
        app.attempts.enter_alone(&origin).await?,
        app.attempts.enter_alone(&credential).await?,
    ];
    // Read again: a lock may have come while others went first.
    let mut known = read(app, attempt).await?;
    known.history = read_history(app, attempt, &known).await?;
    Ok((passes, known))
}

/// Everything but the failures.
async fn read(app: &App, attempt: &Attempt<'_>) -> Result<Known, AuthenticateError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let login = FoldedLogin::of(attempt.login);
    let settings = store::self_provisioning::find(connection).await?;
    let user = store::end_user::by_login(connection, &login).await?;
    let credential = match &user {
        Some(user) => store::credential::find(connection, user.pkid, CredentialKind::Pin).await?,
        None => None,
    };
    let device_lock = match attempt.device {
        Some(device) => store::authentication_failure::device_lock(connection, device).await?,
        None => None,
    };
    let policy = match &credential {
        Some(pin) => pin.policy.clone(),
        None => usual_policy(app),
    };
    let key = match (&credential, &user) {
        (Some(pin), _) => pin.pkid.to_string(),
        (None, Some(user)) => user.pkid.to_string(),
        (None, None) => nobody(app, &login)?,
    };
    Ok(Known {
        settings,
        user,
        credential,
        policy,
        key,
        history: FailureHistory::default(),
        device_lock,
    })
}

async fn read_history(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
) -> Result<FailureHistory, AuthenticateError> {
    let mut reader = app.store.read().await?;
    Ok(history(app, reader.connection(), attempt, known).await?)
}

/// The failures that bear on an attempt.
async fn history(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
) -> Result<FailureHistory, StoreError> {
    let now = app.environment.now();
    let oldest = now.minus(lockout::remembered(&known.policy));
    let after = |lock: Option<Lock>| lock.map_or(oldest, |lock| lock.since.max(oldest));
    let pin_lock = known.credential.as_ref().and_then(|pin| pin.lock);
    let failures = store::authentication_failure::of_credential;
    let credential = failures(connection, &known.key, after(pin_lock)).await?;
    let device = match attempt.device {
        Some(device) => {
            let since = after(known.device_lock);
            store::authentication_failure::of_device(connection, device, since).await?
        }
        None => Vec::new(),
    };
    let since = now.minus(lockout::SOURCE_WITHIN);
    let source = attempt.source;
    Ok(FailureHistory {
        credential,
        device,
        source: store::authentication_failure::of_source(connection, source, since).await?,
    })
}

/// The policy that PINs stand under unless an administrator said otherwise: attempts on nobody
/// are to look like attempts on anybody.
fn usual_policy(app: &App) -> CredentialPolicy {
    let catalogue = app.catalogue.load();
    catalogue
        .credential_policies
        .get(&fresh_system::PIN_POLICY)
        .map_or_else(
            || CredentialPolicy::default_of(CredentialKind::Pin),
            |named| named.policy.clone(),
        )
}

/// A digest of a login that names nobody: what was typed may be a PIN in the wrong field, so it is
/// not kept.
fn nobody(app: &App, login: &FoldedLogin) -> Result<String, ServiceError> {
    let digest = app
        .keys
        .sign(Purpose::UnknownLogin, login.as_str().as_bytes())?;
    Ok(format!("nobody {}", URL_SAFE_NO_PAD.encode(digest)))
}

/// Looks at what was shown. Everything that ends in *wrong* costs the same.
async fn judge(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    now: UnixMillis,
) -> Result<Verdict, HasherError> {
    if known.settings.mode == AuthenticationMode::NotRequired {
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

/// A right login: forgets the failures of this credential and this device. It counts only if no
/// lock came in between from another node.
async fn record_right(
    app: &App,
    attempt: &Attempt<'_>,
    known: Known,
    proof: Proof,
) -> Result<Authenticated, AuthenticateError> {
    if known.has_failures() {
        let mut transaction = app.store.begin().await?;
        let connection = transaction.connection();
        if is_locked_meanwhile(app, connection, attempt, &known, proof).await? {
            return Err(AuthenticateError::Failed);
        }
        store::authentication_failure::clear(connection, &known.key, attempt.device).await?;
        transaction.commit().await?;
    }
    let user = known.user.ok_or(AuthenticateError::Failed)?;
    Ok(Authenticated {
        user,
        credential: known.credential,
        proof,
        mode: known.settings.mode,
    })
}

/// Whether another node locked the PIN or the device while this one looked at the PIN.
async fn is_locked_meanwhile(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
    proof: Proof,
) -> Result<bool, StoreError> {
    let now = app.environment.now();
    let device_lock = match attempt.device {
        Some(device) => store::authentication_failure::device_lock(connection, device).await?,
        None => None,
    };
    let pin = match (&known.user, proof) {
        (Some(user), Proof::Pin { .. }) => {
            store::credential::find(connection, user.pkid, CredentialKind::Pin).await?
        }
        _ => None,
    };
    let device_is_locked = device_lock.is_some_and(|lock| !lock.left(now).is_zero());
    Ok(device_is_locked || pin.is_some_and(|pin| pin.is_locked(now)))
}

/// A wrong login: counts it, locks what it locks and writes the true reason.
async fn record_wrong(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    reason: Reason,
    of_code: bool,
) -> Result<(), AuthenticateError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let is_counted = reason != Reason::PinLocked || of_code;
    let mut consequences = Vec::new();
    if is_counted {
        insert_failure(app, connection, attempt, known, reason, of_code).await?;
        consequences = lock_what_failed(app, connection, attempt, known, reason).await?;
    }
    if of_code && switch_code_off(app, connection).await? {
        consequences.push("the authentication code is off until an administrator acts");
    }
    if let Some(device) = attempt.device {
        let happening = Happening {
            code: Refusal::AuthenticationFailed.code(),
            detail: sentence(reason, &consequences),
            source: Some(attempt.source),
            end_user: user_id_of(known.user.as_ref()),
            correlation: Some(attempt.correlation),
        };
        record::happened(
            app,
            connection,
            device,
            TimelineEvent::LoginRefused,
            happening,
        )
        .await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn user_id_of(user: Option<&EndUser>) -> String {
    user.map_or_else(String::new, |user| user.user_id.to_string())
}

fn sentence(reason: Reason, consequences: &[&str]) -> String {
    let mut parts = vec![reason.as_sentence()];
    parts.extend(consequences);
    parts.join("; ")
}

async fn insert_failure(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
    reason: Reason,
    of_code: bool,
) -> Result<(), StoreError> {
    let now = app.environment.now();
    let failure = Failure {
        at: now,
        device: attempt.device.cloned(),
        source: attempt.source,
    };
    let is_locked = reason == Reason::PinLocked;
    let new = store::authentication_failure::NewFailure {
        pkid: app.environment.new_ordered_pkid(now),
        credential: if is_locked { CODE_KEY } else { &known.key },
        failure: &failure,
        of_code,
    };
    store::authentication_failure::insert(connection, &new).await?;
    let kept = lockout::remembered(&known.policy).max(AuthenticationCode::FAILURES_WITHIN);
    store::authentication_failure::delete_before(connection, now.minus(kept)).await?;
    Ok(())
}

/// Locks the credential and the device when this failure was one too many for them.
async fn lock_what_failed(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
    reason: Reason,
) -> Result<Vec<&'static str>, StoreError> {
    let now = app.environment.now();
    let rule = match app.settings.credentials.lockout {
        Lockout::Spread => LockoutRule::Spread,
        Lockout::Cucm => LockoutRule::Cucm,
    };
    let history = history(app, connection, attempt, known).await?;
    let lock = Lock::begin(&known.policy, now);
    let mut consequences = Vec::new();
    if let Some(pin) = &known.credential
        && reason == Reason::WrongPin
        && history.locks_credential(&known.policy, rule, now)
    {
        store::credential::set_lock(connection, pin.pkid, Some(lock)).await?;
        consequences.push("the PIN is locked now");
    }
    if let Some(device) = attempt.device
        && history.locks_device(device, &known.policy, now)
    {
        store::authentication_failure::set_device_lock(connection, device, Some(lock)).await?;
        consequences.push("logins on this phone are locked now");
    }
    Ok(consequences)
}

/// Switches the authentication code off when it failed too often; gives whether it did.
async fn switch_code_off(app: &App, connection: &mut Connection) -> Result<bool, StoreError> {
    let now = app.environment.now();
    let since = now.minus(AuthenticationCode::FAILURES_WITHIN);
    let failures = store::authentication_failure::count_of_code(connection, since).await?;
    let switched = failures >= AuthenticationCode::FAILURES_MAX
        && store::self_provisioning::switch_code_off(connection, now).await?;
    if switched {
        tracing::error!(
            failures,
            "the authentication code failed too often within an hour and is off; set it anew"
        );
    }
    Ok(switched)
}
