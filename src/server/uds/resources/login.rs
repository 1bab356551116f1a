//! Who asks, and for whom: users see what is theirs and nothing else.

use super::Asked;
use super::answer::Problem;
use crate::domain::login_name::FoldedLogin;
use crate::server::basic_authentication;
use crate::service::ServiceError;
use crate::service::credentials::api_login::{self, ApiLogin, ApiLoginError, Principal};
use crate::service::credentials::authenticate::AuthenticateError;
use crate::service::history::record::Actor;
use crate::service::users::self_care;

/// Somebody let in.
#[derive(Debug)]
pub(super) struct LoggedIn {
    /// Who.
    pub(super) principal: Principal,
    /// Whether nothing but a change of the password is allowed.
    pub(super) must_change: bool,
}

impl LoggedIn {
    /// The name under which changes stand in the audit log.
    pub(super) fn actor(&self, asked: &Asked<'_>) -> Actor {
        Actor::at_address(
            self.principal.who(),
            asked.peer.address.ip(),
            asked.correlation,
        )
    }

    /// Refuses whoever must change the password first.
    pub(super) fn refuse_must_change(&self) -> Result<(), Problem> {
        if !self.must_change {
            return Ok(());
        }
        Err(Problem::Forbidden(
            "the password must be changed first: PUT a new one to the credentials of the user"
                .to_owned(),
        ))
    }
}

/// Lets somebody in by user ID and password.
async fn log_in(asked: &Asked<'_>) -> Result<LoggedIn, Problem> {
    let Some((user_id, password)) = basic_authentication::read(&asked.parts.headers) else {
        return Err(Problem::Unauthorized);
    };
    let login = ApiLogin {
        user_id: &user_id,
        password: &password,
        source: asked.peer.address.ip().to_canonical(),
        correlation: asked.correlation,
    };
    match api_login::log_in(asked.app, &login).await {
        Ok(principal) => Ok(LoggedIn {
            principal,
            must_change: false,
        }),
        Err(ApiLoginError::MustChange(principal)) => Ok(LoggedIn {
            principal,
            must_change: true,
        }),
        // A delay is not told apart from a wrong password: whoever waits would be told that the
        // user exists.
        Err(ApiLoginError::Authenticate(
            AuthenticateError::Failed | AuthenticateError::Wait(_),
        )) => Err(Problem::Unauthorized),
        Err(ApiLoginError::Authenticate(AuthenticateError::Service(error))) => {
            Err(unavailable(error))
        }
    }
}

fn unavailable(error: ServiceError) -> Problem {
    match error {
        ServiceError::Busy => Problem::Busy,
        error => {
            tracing::error!(%error, "a UDS login could not be looked at");
            Problem::Busy
        }
    }
}

/// Lets the user of this ID in, and nobody else. Whether there is another user of this ID is told
/// to nobody.
pub(super) async fn as_user(asked: &Asked<'_>, user_id: &str) -> Result<LoggedIn, Problem> {
    let logged_in = log_in(asked).await?;
    let who = &logged_in.principal;
    if who.user_id.folded() != FoldedLogin::of(user_id) {
        return Err(Problem::Forbidden(
            "a user sees what is their own: the user ID of the path must be that of the login"
                .to_owned(),
        ));
    }
    if !self_care::is_allowed(who) {
        return Err(Problem::Forbidden(
            "this account is not in the access control group Standard CCM End Users".to_owned(),
        ));
    }
    Ok(logged_in)
}

/// Lets anybody in who may look for users: end users, and programs that may read over AXL.
pub(super) async fn as_searcher(asked: &Asked<'_>) -> Result<(), Problem> {
    let logged_in = log_in(asked).await?;
    logged_in.refuse_must_change()?;
    let who = &logged_in.principal;
    if self_care::is_allowed(who) || who.axl_access().is_some() {
        return Ok(());
    }
    Err(Problem::Forbidden(
        "this account is in no access control group that may look for users".to_owned(),
    ))
}
