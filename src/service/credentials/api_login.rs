//! Use case: a program says who it is with each request, by user ID and password.
//!
//! A right password is remembered for a minute as a keyed digest, so that a tool that sends it with
//! every request does not cost a hash each time. Account, lock and roles are read from the database
//! with every request all the same: what changes there holds at once, on every node.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use super::authenticate;
use super::authenticate::Attempt;
use super::authenticate::AuthenticateError;
use super::authenticate::PasswordAccepted;
use super::hasher::Share;
use crate::domain::account::Account;
use crate::domain::credential::CredentialKind;
use crate::domain::fresh_system;
use crate::domain::history::CorrelationId;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::App;
use crate::service::history::record::Who;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// How long a right password is remembered. Source: the AXL specification of this program.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Right passwords remembered at most: tools are few, and each comes from few addresses.
const REMEMBERED_MAX: usize = 1_024;

/// A program's login.
#[derive(Debug, Clone, Copy)]
pub struct ApiLogin<'a> {
    /// User ID of an application user or end user.
    pub user_id: &'a str,
    /// The password.
    pub password: &'a Secret,
    /// The address it comes from.
    pub source: IpAddr,
    /// The request that this is part of.
    pub correlation: CorrelationId,
}

/// Somebody whose password was right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Identity of the account.
    pub account: Pkid,
    /// User ID.
    pub user_id: UserId,
    /// Whether it is an application user's; else it is an end user's.
    pub is_application_user: bool,
    /// Names of the access control groups.
    pub access_control_groups: Vec<String>,
    /// The version of the password, to which sessions are bound.
    pub credential_version: i64,
}

/// The password that somebody has shown: whose it is, and which one of theirs. The user ID is not
/// enough: an account that is removed leaves its own to the next, whose passwords are counted anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownPassword {
    /// The account.
    pub account: Pkid,
    /// The version of its password.
    pub version: i64,
}

/// What somebody may do through an API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Only read.
    Read,
    /// Read and change.
    Write,
}

impl Principal {
    /// Who that is, for the audit log.
    pub fn who(&self) -> Who {
        let user_id = self.user_id.clone();
        if self.is_application_user {
            Who::Application(user_id)
        } else {
            Who::User(user_id)
        }
    }

    /// The password by which they were let in.
    pub const fn shown_password(&self) -> ShownPassword {
        ShownPassword {
            account: self.account,
            version: self.credential_version,
        }
    }

    /// What the account may do over AXL; `None`: nothing.
    pub fn axl_access(&self) -> Option<Access> {
        let is_in_one_of = |groups: &[&str]| {
            let mut mine = self.access_control_groups.iter();
            mine.any(|name| groups.contains(&name.as_str()))
        };
        if is_in_one_of(&fresh_system::AXL_WRITERS) {
            Some(Access::Write)
        } else if is_in_one_of(&fresh_system::AXL_READERS) {
            Some(Access::Read)
        } else {
            None
        }
    }
}

/// Why a program was not let in.
#[derive(Debug, thiserror::Error)]
pub enum ApiLoginError {
    /// Wrong, unknown, disabled or locked.
    #[error(transparent)]
    Authenticate(#[from] AuthenticateError),
    /// Right, but the password must be changed first. Whoever this is may change it and nothing else.
    #[error(
        "the password of {user} must be changed before it opens an API; an administrator's by: \
         selfprov admin set-password {user}, a user's over UDS or by: selfprov user set-password \
         {user}", user = .0.user_id
    )]
    MustChange(Principal),
}

impl From<StoreError> for ApiLoginError {
    fn from(error: StoreError) -> Self {
        Self::Authenticate(error.into())
    }
}

impl From<KeysError> for ApiLoginError {
    fn from(error: KeysError) -> Self {
        Self::Authenticate(AuthenticateError::Service(error.into()))
    }
}

/// Lets a program in, or not.
///
/// # Errors
///
/// [`ApiLoginError`], which tells the caller no more than it may know.
pub async fn log_in(app: &App, login: &ApiLogin<'_>) -> Result<Principal, ApiLoginError> {
    let now = app.environment.now();
    let digest = digest(app, login)?;
    if let Some(shown) = app.remembered_logins.recall(&digest, now) {
        if let Some(principal) = find(app, login.user_id, shown).await? {
            return Ok(principal);
        }
        app.remembered_logins.forget(&digest);
    }
    let accepted = authenticate::authenticate_password(app, &attempt(login)).await?;
    let principal = record_login(app, login, &accepted).await?;
    if accepted.must_change {
        return Err(ApiLoginError::MustChange(principal));
    }
    app.remembered_logins
        .remember(digest, principal.shown_password(), now);
    Ok(principal)
}

/// Writes when and from where the password was right, for its owner to see; not for each request
/// of the minute for which it is remembered.
async fn record_login(
    app: &App,
    login: &ApiLogin<'_>,
    accepted: &PasswordAccepted,
) -> Result<Principal, StoreError> {
    let account = &accepted.account;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let at = app.environment.now();
    let kind = CredentialKind::Password;
    store::credential::set_last_login(connection, account.pkid(), kind, at, login.source).await?;
    let principal = principal(connection, account, accepted.credential_version).await?;
    transaction.commit().await?;
    Ok(principal)
}

/// The account of this user ID, if it may log in now, is the one whose password was shown, and that
/// is its password still.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn find(
    app: &App,
    user_id: &str,
    shown: ShownPassword,
) -> Result<Option<Principal>, StoreError> {
    let login = FoldedLogin::of(user_id);
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let account = match store::application_user::by_login(connection, &login).await? {
        Some(user) => Some(Account::Application(user)),
        None => store::end_user::by_login(connection, &login)
            .await?
            .map(|user| Account::EndUser(Box::new(user))),
    };
    let is_theirs = |account: &Account| account.is_enabled() && account.pkid() == shown.account;
    let Some(account) = account.filter(is_theirs) else {
        return Ok(None);
    };
    let kind = CredentialKind::Password;
    let now = app.environment.now();
    let stored = store::credential::find(connection, shown.account, kind).await?;
    let is_valid = stored.is_some_and(|stored| {
        stored.version == shown.version && !stored.is_locked(now) && !stored.must_change(now)
    });
    if !is_valid {
        return Ok(None);
    }
    Ok(Some(principal(connection, &account, shown.version).await?))
}

async fn principal(
    connection: &mut Connection,
    account: &Account,
    credential_version: i64,
) -> Result<Principal, StoreError> {
    let groups = store::end_user::access_control_groups(connection, account.pkid()).await?;
    Ok(Principal {
        account: account.pkid(),
        user_id: account.user_id().clone(),
        is_application_user: matches!(account, Account::Application(_)),
        access_control_groups: groups,
        credential_version,
    })
}

const fn attempt<'a>(login: &ApiLogin<'a>) -> Attempt<'a> {
    Attempt {
        login: login.user_id,
        secret: Some(login.password),
        is_needed: true,
        device: None,
        source: login.source,
        share: Share::Others,
        correlation: login.correlation,
    }
}

/// The digest that stands for a login in memory.
type Digest = [u8; 32];

fn digest(app: &App, login: &ApiLogin<'_>) -> Result<Digest, KeysError> {
    let parts = [
        login.user_id.as_bytes(),
        login.password.reveal().as_bytes(),
        login.source.to_canonical().to_string().as_bytes(),
    ]
    .map(|part| [&part.len().to_be_bytes()[..], part].concat())
    .concat();
    app.keys.sign(Purpose::RememberedLogin, &parts)
}

/// Right passwords of the last minute, each as a keyed digest with whose it was.
#[derive(Debug, Default)]
pub struct RememberedLogins(Mutex<HashMap<Digest, (ShownPassword, UnixMillis)>>);

impl RememberedLogins {
    fn recall(&self, digest: &Digest, now: UnixMillis) -> Option<ShownPassword> {
        let remembered = self.lock();
        let (shown, until) = remembered.get(digest)?;
        (now < *until).then_some(*shown)
    }

    fn remember(&self, digest: Digest, shown: ShownPassword, now: UnixMillis) {
        let mut remembered = self.lock();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.retain(|_, (_, until)| now < *until);
        }
        if remembered.len() < REMEMBERED_MAX {
            remembered.insert(digest, (shown, now.plus(REMEMBERED)));
        }
    }

    fn forget(&self, digest: &Digest) {
        self.lock().remove(digest);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, (ShownPassword, UnixMillis)>> {
        locks::lock(&self.0)
    }
}
