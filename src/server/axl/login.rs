//! Who calls: HTTP Basic, or the session cookie of an earlier answer.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderValue, header};

use crate::domain::history::CorrelationId;
use crate::server::basic_authentication;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::credentials::api_login::{self, ApiLogin, ApiLoginError, Principal};
use crate::service::credentials::api_session;
use crate::service::credentials::authenticate::AuthenticateError;

use super::answer::{self, Answer};

/// The cookie's name. Source: recorded answers of CUCM.
const COOKIE: &str = "JSESSIONIDSSO";

/// Seconds after which a login that found the line full may try again.
const RETRY_AFTER_S: u32 = 2;

/// Somebody let in, and the cookie that the answer brings.
pub(super) struct LoggedIn {
    /// Who.
    pub(super) principal: Principal,
    cookie: Option<HeaderValue>,
}

impl LoggedIn {
    /// Puts the cookie into an answer, where there is a new one.
    pub(super) fn mark(self, mut answer: Answer) -> Answer {
        if let Some(cookie) = self.cookie {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }
}

/// Lets somebody in, or gives the answer that says why not.
///
/// A header with user ID and password goes before a cookie: it is the newer word.
pub(super) async fn log_in(
    app: &App,
    headers: &HeaderMap,
    source: IpAddr,
    correlation: CorrelationId,
) -> Result<LoggedIn, Answer> {
    let Some((user_id, password)) = basic_authentication::read(headers) else {
        return by_cookie(app, headers, source).await;
    };
    let login = ApiLogin {
        user_id: &user_id,
        password: &password,
        source,
        correlation,
    };
    let principal = api_login::log_in(app, &login).await.map_err(refused)?;
    let cookie = cookie_for(app, &principal, source);
    Ok(LoggedIn { principal, cookie })
}

async fn by_cookie(app: &App, headers: &HeaderMap, source: IpAddr) -> Result<LoggedIn, Answer> {
    let Some(cookie) = cookie_of(headers) else {
        return Err(answer::unauthorized());
    };
    let session = match api_session::open(app, cookie, source).await {
        Ok(Some(session)) => session,
        Ok(None) => return Err(answer::unauthorized()),
        Err(error) => {
            tracing::error!(%error, "an AXL session could not be looked up");
            return Err(answer::unavailable(RETRY_AFTER_S));
        }
    };
    let cookie = session
        .is_stale
        .then(|| cookie_for(app, &session.principal, source))
        .flatten();
    Ok(LoggedIn {
        principal: session.principal,
        cookie,
    })
}

fn refused(error: ApiLoginError) -> Answer {
    match error {
        ApiLoginError::MustChange(_) => answer::forbidden(&error.to_string()),
        ApiLoginError::Authenticate(AuthenticateError::Service(ServiceError::Busy)) => {
            answer::unavailable(RETRY_AFTER_S)
        }
        ApiLoginError::Authenticate(AuthenticateError::Service(error)) => {
            tracing::error!(%error, "an AXL login could not be looked at");
            answer::unavailable(RETRY_AFTER_S)
        }
        // A delay is not told apart from a wrong password: whoever waits would be told that the
        // user exists.
        ApiLoginError::Authenticate(AuthenticateError::Failed | AuthenticateError::Wait(_)) => {
            answer::unauthorized()
        }
    }
}

fn cookie_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

fn cookie_for(app: &App, principal: &Principal, source: IpAddr) -> Option<HeaderValue> {
    let value = api_session::issue(app, principal, source).ok()?;
    format!("{COOKIE}={value}; Path=/; Secure; HttpOnly; SameSite=Strict")
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let found = headers(header::COOKIE, "JSESSIONID=1; JSESSIONIDSSO=abc; x=y");
        assert_eq!(cookie_of(&found), Some("abc"));
        let other = headers(header::COOKIE, "JSESSIONIDSSOX=abc");
        assert_eq!(cookie_of(&other), None);
    }
}
