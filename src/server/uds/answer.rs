//! What goes back to the phone, and how its end is named in logs and metrics.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::server::uds::screen::{Screen, ScreenUrl};

/// Without a charset a phone reads the encoding of its locale. Source: IP phone services notes.
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/xml; charset=UTF-8");
/// A date that is past, and after 1970-01-01 for the 8800 series: keeps the screen off the
/// phone's stack of URLs, so that *Back* never repeats a login.
const EXPIRES: HeaderValue = HeaderValue::from_static("Wed, 01 Jan 2020 00:00:00 GMT");
/// Nothing between us and the phone keeps a screen.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("no-store");

/// Seconds after which a busy screen asks again: longer than the queue of logins takes to empty.
pub const BUSY_REFRESH_S: u32 = 5;

/// A screen on its way to the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What the request came to: a word of [`result`] or the code of a refusal.
    pub result: &'static str,
    xml: String,
    refresh: Option<ScreenUrl>,
    close: bool,
}

/// How requests end, beside the codes of refusals.
pub mod result {
    /// The login form was shown.
    pub const LOGIN_FORM: &str = "LOGIN_FORM";
    /// The help screen was shown.
    pub const HELP: &str = "HELP";
    /// Somebody logged in and is asked to confirm.
    pub const LOGIN_SUCCESS: &str = "LOGIN_SUCCESS";
    /// The phone is its user's now.
    pub const PROVISIONED: &str = "PROVISIONED";
    /// The form *Change PIN* was shown.
    pub const CHANGE_PIN: &str = "CHANGE_PIN";
    /// A new PIN was refused.
    pub const NEW_PIN_REFUSED: &str = "NEW_PIN_REFUSED";
    /// A token was too old, or what it stood for has changed; the login form was shown.
    pub const START_AGAIN: &str = "START_AGAIN";
    /// The form *Release this phone* was shown.
    pub const RELEASE_FORM: &str = "RELEASE_FORM";
    /// The owner is asked whether to release the phone.
    pub const RELEASE_CONFIRM: &str = "RELEASE_CONFIRM";
    /// The phone was released.
    pub const RELEASED: &str = "RELEASED";
    /// Too many logins at once.
    pub const BUSY: &str = "BUSY";
    /// The database is away, or something failed inside.
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The request could not be read.
    pub const BAD_REQUEST: &str = crate::server::uds::screens::BAD_REQUEST;
}

impl Answer {
    /// This screen.
    pub fn new(result: &'static str, screen: &Screen<'_>) -> Self {
        Self {
            result,
            xml: screen.to_xml(),
            refresh: None,
            close: false,
        }
    }

    /// The same screen for another reason.
    #[must_use]
    pub fn named(mut self, result: &'static str) -> Self {
        self.result = result;
        self
    }

    /// The phone fetches `url` after [`BUSY_REFRESH_S`] seconds.
    #[must_use]
    pub fn refreshed_from(mut self, url: ScreenUrl) -> Self {
        self.refresh = Some(url);
        self
    }

    /// The connection ends after this answer, since the rest of the request was not read.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.close = true;
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.xml));
        // Phones show their own words for any other status, and none of ours.
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
        headers.insert(header::EXPIRES, EXPIRES);
        headers.insert(header::CACHE_CONTROL, CACHE_CONTROL);
        if let Some(url) = self.refresh
            && let Ok(value) =
                HeaderValue::try_from(format!("{BUSY_REFRESH_S}; url={}", url.as_str()))
        {
            headers.insert(header::REFRESH, value);
        }
        if self.close {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}
