//! What is known when an attempt is judged, and the leave to judge it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Attempt;
use super::AuthenticateError;
use super::Reason;
use crate::domain::account::Account;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialPolicy;
use crate::domain::fresh_system;
use crate::domain::lockout;
use crate::domain::lockout::FailureHistory;
use crate::domain::lockout::Lock;
use crate::domain::lockout::LockoutRule;
use crate::domain::login_name::FoldedLogin;
use crate::domain::pkid::Pkid;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::attempt_gate::AttemptKey;
use crate::service::credentials::attempt_gate::Pass;
use crate::service::keys::Purpose;
use crate::service::settings::Lockout;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What is known when an attempt is judged.
pub(super) struct Known {
    pub(super) settings: SelfProvisioningSettings,
    pub(super) account: Option<Account>,
    /// What is looked at.
    pub(super) kind: CredentialKind,
    pub(super) credential: Option<StoredCredential>,
    pub(super) policy: CredentialPolicy,
    /// What failures are counted under: the credential, or a digest of a login of nobody.
    pub(super) key: String,
    pub(super) history: FailureHistory,
    pub(super) device_lock: Option<Lock>,
}

impl Known {
    pub(super) fn wait(&self, now: UnixMillis) -> Duration {
        let locked = self
            .device_lock
            .map_or(Duration::ZERO, |lock| lock.left(now));
        locked.max(self.history.wait(&self.policy, now))
    }

    pub(super) fn has_failures(&self) -> bool {
        !self.history.credential.is_empty() || !self.history.device.is_empty()
    }

    /// Why the credential cannot be looked at.
    pub(super) fn obstacle(&self, now: UnixMillis) -> Option<Reason> {
        match (&self.account, &self.credential) {
            (None, _) => Some(Reason::UnknownUser),
            (Some(account), _) if !account.is_enabled() => Some(Reason::Disabled),
            (Some(_), None) => Some(Reason::NoCredential),
            (Some(_), Some(stored)) if stored.is_locked(now) => Some(Reason::Locked),
            (Some(_), Some(_)) => None,
        }
    }

    /// Whether the credential is locked, or would be if there were one.
    pub(super) fn is_locked(&self, now: UnixMillis) -> bool {
        self.lock().is_some_and(|lock| !lock.left(now).is_zero())
    }

    /// The last lock of the credential, or of what stands for one.
    fn lock(&self) -> Option<Lock> {
        let stored = self.credential.as_ref().map(|pin| pin.lock);
        stored.unwrap_or(self.history.imagined_lock)
    }
}

/// The owner of no credential.
const NOBODY: Pkid = Pkid::from_u128(0);

/// Waits for leave to judge this attempt and reads what there is to know. Attempts on a device or
/// credential that has failed before are judged one at a time.
pub(super) async fn look_up(
    app: &App,
    attempt: &Attempt<'_>,
    kind: CredentialKind,
) -> Result<([Pass<AttemptKey>; 2], Known), AuthenticateError> {
    let origin = attempt.device.map_or_else(
        || AttemptKey::Source(attempt.source),
        |device| AttemptKey::Device(device.clone()),
    );
    let passed_origin = app.attempts.enter(&origin).await?;
    let mut known = read(app, attempt, kind).await?;
    let credential = AttemptKey::Credential(known.key.as_str().into());
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
    let mut known = read(app, attempt, kind).await?;
    known.history = read_history(app, attempt, &known).await?;
    Ok((passes, known))
}

/// Everything but the failures.
async fn read(
    app: &App,
    attempt: &Attempt<'_>,
    kind: CredentialKind,
) -> Result<Known, AuthenticateError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let login = FoldedLogin::of(attempt.login);
    let settings = store::self_provisioning::find(connection).await?;
    let account = find_account(connection, &login, kind).await?;
    // Nobody's credential is looked for as well: the same statements, the same time.
    let owner = account.as_ref().map_or(NOBODY, Account::pkid);
    let credential = store::credential::find(connection, owner, kind).await?;
    let device_lock = match attempt.device {
        Some(device) => store::authentication_failure::device_lock(connection, device).await?,
        None => None,
    };
    let policy = match &credential {
        Some(stored) => stored.policy.clone(),
        None => usual_policy(app, kind),
    };
    let key = match (&credential, &account) {
        (Some(stored), _) => stored.pkid.to_string(),
        (None, Some(account)) => account.pkid().to_string(),
        (None, None) => nobody(app, &login)?,
    };
    Ok(Known {
        settings,
        account,
        kind,
        credential,
        policy,
        key,
        history: FailureHistory::default(),
        device_lock,
    })
}

/// PINs are end users' alone; application users have passwords, and user IDs of neither kind are
/// the other's.
async fn find_account(
    connection: &mut Connection,
    login: &FoldedLogin,
    kind: CredentialKind,
) -> Result<Option<Account>, StoreError> {
    let end_user = store::end_user::by_login(connection, login).await?;
    if kind == CredentialKind::Pin {
        return Ok(end_user.map(|user| Account::EndUser(Box::new(user))));
    }
    let application_user = store::application_user::by_login(connection, login).await?;
    Ok(application_user
        .map(Account::Application)
        .or(end_user.map(|user| Account::EndUser(Box::new(user)))))
}

async fn read_history(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
) -> Result<FailureHistory, AuthenticateError> {
    let mut reader = app.store.read().await?;
    let history = history(app, reader.connection(), attempt, known).await?;
    Ok(match &known.credential {
        Some(_) => history,
        None => history.with_imagined_lock(&known.policy, lockout_rule(app)),
    })
}

/// How failures add up, as the administrator set it.
pub(super) fn lockout_rule(app: &App) -> LockoutRule {
    match app.settings.credentials.lockout {
        Lockout::Spread => LockoutRule::Spread,
        Lockout::Cucm => LockoutRule::Cucm,
    }
}

/// The failures that bear on an attempt.
pub(super) async fn history(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
) -> Result<FailureHistory, StoreError> {
    let now = app.environment.now();
    let oldest = now.minus(lockout::remembered(&known.policy));
    let after = |lock: Option<Lock>| lock.map_or(oldest, |lock| lock.since.max(oldest));
    let failures = store::authentication_failure::of_credential;
    let credential = failures(connection, &known.key, after(known.lock())).await?;
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
        imagined_lock: known.history.imagined_lock,
    })
}

/// The policy that credentials of this kind stand under unless an administrator said otherwise:
/// attempts on nobody are to look like attempts on anybody.
fn usual_policy(app: &App, kind: CredentialKind) -> CredentialPolicy {
    let policy = match kind {
        CredentialKind::Pin => fresh_system::PIN_POLICY,
        CredentialKind::Password => fresh_system::PASSWORD_POLICY,
    };
    let catalogue = app.catalogue.load();
    catalogue.credential_policies.get(&policy).map_or_else(
        || CredentialPolicy::default_of(kind),
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
