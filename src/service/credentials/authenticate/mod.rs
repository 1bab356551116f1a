//! Use case: somebody says who they are and shows a PIN.
//!
//! Whatever is wrong, the answer and the time it takes are the same: an unknown user, a wrong PIN,
//! a disabled account and a lock cost one hash each. The true reason stands in the phone's
//! timeline. What failed is in the database before the answer goes out, so that delays and locks
//! hold on every node and survive a restart.

mod known;
mod outcome;

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use known::Known;
use known::look_up;
use outcome::forget_failures;
use outcome::record_right;
use outcome::record_wrong;
use outcome::tell_wait;

use super::attempt_gate::GateFull;
use super::hasher::HasherError;
use super::hasher::Share;
use crate::domain::account::Account;
use crate::domain::credential::CredentialKind;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::history::CorrelationId;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::Proof;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::group_commit::WriteError;
use crate::service::self_provisioning::sealed_token::Token;
use crate::store;
use crate::store::StoreError;
use crate::store::activation::WaitingCode;

/// Somebody's attempt to log in.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// User ID or Self-Service User ID as typed.
    pub login: &'a str,
    /// PIN, authentication code or password as typed; `None` where the form does not ask.
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

    /// Whether only administrators may change the PIN.
    pub fn cant_change(&self) -> bool {
        self.credential.as_ref().is_some_and(|pin| pin.cant_change)
    }

    /// The user whom a token was given to, as of now; `None` for one who is gone or disabled.
    /// Whether what the token is bound to still holds is the caller's to see.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] when the database fails.
    pub(in crate::service) async fn of_token(
        app: &App,
        token: &Token,
    ) -> Result<Option<Self>, ServiceError> {
        let mut reader = app.store.read().await?;
        let connection = reader.connection();
        let settings = store::self_provisioning::find(connection).await?;
        let user = store::end_user::by_pkid(connection, token.user).await?;
        let Some(user) = user.filter(|user| user.enabled) else {
            return Ok(None);
        };
        let kind = CredentialKind::Pin;
        let credential = store::credential::find(connection, user.pkid, kind).await?;
        Ok(Some(Self {
            user,
            credential,
            proof: token.proof,
            mode: settings.mode,
        }))
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
    fn from(full: GateFull) -> Self {
        Self::Service(full.into())
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
    NoCredential,
    Locked,
    Wrong,
    NoActivationCode,
}

impl Reason {
    fn as_sentence(self, kind: CredentialKind) -> Cow<'static, str> {
        match self {
            Self::UnknownUser => "no user has this user ID or Self-Service User ID".into(),
            Self::Disabled => "the account is disabled".into(),
            Self::NoCredential => format!("the user has no {kind}").into(),
            Self::Locked => format!("the {kind} is locked; it was not looked at").into(),
            Self::Wrong => format!("the {kind} is wrong").into(),
            Self::NoActivationCode => "no activation code of these digits is valid now".into(),
        }
    }
}

/// What looking at an attempt gave.
enum Verdict {
    Right(Proof),
    Wrong { reason: Reason, entry: Entry },
}

/// What a wrong entry may have been an attempt at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    /// The user's credential, or an activation code.
    OfUser,
    /// The administrators' authentication code as well, because it has that code's length.
    AuthenticationCode,
}

/// Lets an end user in by PIN, or not.
///
/// # Errors
///
/// [`AuthenticateError`], which tells the caller no more than it may know.
pub async fn authenticate(
    app: &App,
    attempt: &Attempt<'_>,
) -> Result<Authenticated, AuthenticateError> {
    let admitted = admit(app, attempt, CredentialKind::Pin).await?;
    let Account::EndUser(user) = admitted.account else {
        return Err(AuthenticateError::Failed);
    };
    Ok(Authenticated {
        user: *user,
        credential: admitted.credential,
        proof: admitted.proof,
        mode: admitted.mode,
    })
}

/// Lets an end user or application user in by password, or not.
///
/// # Errors
///
/// [`AuthenticateError`], which tells the caller no more than it may know.
pub async fn authenticate_password(
    app: &App,
    attempt: &Attempt<'_>,
) -> Result<PasswordAccepted, AuthenticateError> {
    let admitted = admit(app, attempt, CredentialKind::Password).await?;
    let must_change = matches!(admitted.proof, Proof::Pin { must_change: true });
    Ok(PasswordAccepted {
        credential_version: admitted
            .credential
            .as_ref()
            .map_or(0, |stored| stored.version),
        credential: admitted.credential,
        account: admitted.account,
        must_change,
    })
}

/// Lets somebody in who shows an activation code in place of a user ID, or not: the code of this
/// digest. The login of the attempt are its digits, under which failures are counted.
///
/// # Errors
///
/// [`AuthenticateError`], which tells the caller no more than it may know.
pub(in crate::service) async fn authenticate_activation_code(
    app: &App,
    attempt: &Attempt<'_>,
    digest: &str,
) -> Result<WaitingCode, AuthenticateError> {
    let (passes, known) = look_up(app, attempt, CredentialKind::Pin).await?;
    let now = app.environment.now();
    let wait = known.wait(now);
    if !wait.is_zero() {
        tell_wait(app, attempt, &known, wait).await?;
        return Err(AuthenticateError::Wait(wait));
    }
    // The same time as a wrong PIN, whatever comes of it.
    let nothing = Secret::from("");
    app.hasher.verify_dummy(attempt.share, &nothing).await?;
    let mut reader = app.store.read().await?;
    let found = store::activation::by_digest(reader.connection(), digest).await?;
    drop(reader);
    let answer = if let Some(code) = found.filter(|code| code.expires_at > now) {
        forget_failures(app, attempt, &known, Proof::Nothing).await?;
        Ok(code)
    } else {
        record_wrong(
            app,
            attempt,
            &known,
            Reason::NoActivationCode,
            Entry::OfUser,
        )
        .await?;
        Err(AuthenticateError::Failed)
    };
    drop(passes);
    answer
}

/// Somebody who has shown a password.
#[derive(Debug, Clone)]
pub struct PasswordAccepted {
    /// Who.
    pub account: Account,
    /// The version of the password, to which sessions are bound.
    pub credential_version: i64,
    /// The password.
    pub credential: Option<StoredCredential>,
    /// Whether nothing but a change of the password is allowed.
    pub must_change: bool,
}

/// Somebody who has shown a credential of either kind.
struct Admitted {
    account: Account,
    credential: Option<StoredCredential>,
    proof: Proof,
    mode: AuthenticationMode,
}

async fn admit(
    app: &App,
    attempt: &Attempt<'_>,
    kind: CredentialKind,
) -> Result<Admitted, AuthenticateError> {
    let (passes, known) = look_up(app, attempt, kind).await?;
    let now = app.environment.now();
    let wait = known.wait(now);
    if !wait.is_zero() {
        tell_wait(app, attempt, &known, wait).await?;
        return Err(AuthenticateError::Wait(wait));
    }
    let verdict = judge(app, attempt, &known, now).await?;
    let answer = match verdict {
        Verdict::Right(proof) => record_right(app, attempt, known, proof).await,
        Verdict::Wrong { reason, entry } => {
            record_wrong(app, attempt, &known, reason, entry).await?;
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
    let is_pin = known.kind == CredentialKind::Pin;
    if is_pin && known.settings.mode == AuthenticationMode::NotRequired && !attempt.is_needed {
        return Ok(judge_without_secret(known));
    }
    let nothing = Secret::from("");
    let entry = attempt.secret.unwrap_or(&nothing);
    let obstacle = known.obstacle(now);
    match (&known.credential, obstacle) {
        (Some(stored), None) => {
            if app
                .hasher
                .verify(attempt.share, entry, &stored.hash)
                .await?
            {
                let must_change = stored.must_change(now);
                return Ok(Verdict::Right(Proof::Pin { must_change }));
            }
        }
        _ => app.hasher.verify_dummy(attempt.share, entry).await?,
    }
    let code = is_pin.then(|| known.settings.code_for(entry)).flatten();
    if let Some(code) = code {
        let is_right = app.hasher.verify(attempt.share, entry, &code.hash).await?;
        if is_right && known.account.as_ref().is_some_and(Account::is_enabled) {
            return Ok(Verdict::Right(Proof::AuthenticationCode));
        }
    }
    Ok(Verdict::Wrong {
        reason: obstacle.unwrap_or(Reason::Wrong),
        entry: match code {
            Some(_) => Entry::AuthenticationCode,
            None => Entry::OfUser,
        },
    })
}

fn judge_without_secret(known: &Known) -> Verdict {
    match &known.account {
        Some(account) if account.is_enabled() => Verdict::Right(Proof::Nothing),
        Some(_) => Verdict::Wrong {
            reason: Reason::Disabled,
            entry: Entry::OfUser,
        },
        None => Verdict::Wrong {
            reason: Reason::UnknownUser,
            entry: Entry::OfUser,
        },
    }
}
