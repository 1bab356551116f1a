//! Answers: documents, and what is wrong with a request.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::xml::Xml;
use crate::domain::schema::SchemaVersion;
use crate::domain::trivial_credential::CredentialRefused;
use crate::service::ServiceError;
use crate::service::administration::AdministrationError;
use crate::service::objects::ObjectError;

/// What every answer says of itself: only who asked may keep it, and not on a disk.
///
/// Source: recorded answers of CUCM (`private` and a date that is past).
const HEADERS: [(HeaderName, HeaderValue); 4] = [
    (
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/xml"),
    ),
    (
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    ),
    (
        header::EXPIRES,
        HeaderValue::from_static("Thu, 01 Jan 1970 00:00:00 GMT"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
];

/// The challenge. Source: recorded answers of CUCM.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Basic realm=\"Cisco Web Services Realm\"");

/// Seconds after which to try again what found the service busy.
const RETRY_AFTER_S: u32 = 2;

/// The version of the interface: what clients choose their elements by, not that of this program.
pub(super) fn version() -> String {
    format!("{}.1", SchemaVersion::NEWEST)
}

/// A root with `uri` and `version`, as every document has.
pub(super) fn root(name: &'static str, uri: &str) -> Xml {
    Xml::with_root(name, &[("uri", uri), ("version", &version())])
}

/// 200 with a document.
pub(super) fn ok(xml: Xml) -> Response {
    document(StatusCode::OK, xml)
}

/// 204: done, and nothing to say.
pub(super) fn no_content() -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    let (name, value) = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer.headers_mut().insert(name, value);
    answer
}

fn document(status: StatusCode, xml: Xml) -> Response {
    let mut answer = Response::new(Body::from(xml.finish()));
    *answer.status_mut() = status;
    answer.headers_mut().extend(HEADERS);
    answer
}

/// Why a request is not carried out. None tells more than who asks may know.
#[derive(Debug)]
pub(super) enum Problem {
    /// The parameters or the body are wrong.
    BadRequest(String),
    /// User ID and password are missing or wrong.
    Unauthorized,
    /// Who asks may not have this.
    Forbidden(String),
    /// There is no such resource.
    NoSuchResource,
    /// The user has no such thing.
    NotFound(&'static str),
    /// Nobody has such things here.
    NotKept(&'static str),
    /// The resource has other methods: these.
    MethodNotAllowed(&'static str),
    /// The body did not arrive in time.
    TooSlow,
    /// Somebody else changes the same.
    Conflict(String),
    /// The body is too large; so many bytes it may have.
    TooLarge(usize),
    /// The body is no XML by its own word.
    NotXml,
    /// Not the client's fault, and it may succeed soon.
    Busy,
    /// Not the client's fault; the cause is in the log.
    Internal,
    /// The same, and it may have been done.
    Unconfirmed,
}

impl Problem {
    /// The answer. It does not repeat what was asked for: it is the same whoever was asked for.
    pub(super) fn into_response(self) -> Response {
        let (status, code) = self.status();
        let mut xml = Xml::with_root("errors", &[("version", &version())]);
        xml.open("error", &[]);
        xml.text("code", code);
        xml.text("message", &self.message());
        let mut answer = document(status, xml);
        let headers = answer.headers_mut();
        match self {
            Self::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, CHALLENGE);
            }
            Self::MethodNotAllowed(methods) => {
                headers.insert(header::ALLOW, HeaderValue::from_static(methods));
            }
            Self::Busy => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_S));
            }
            // The rest of the body is not read.
            Self::TooLarge(_) | Self::TooSlow => {
                headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            _ => {}
        }
        answer
    }

    const fn status(&self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "BAD_REQUEST"),
            Self::Unauthorized => (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"),
            Self::Forbidden(_) => (StatusCode::FORBIDDEN, "FORBIDDEN"),
            Self::NoSuchResource | Self::NotFound(_) | Self::NotKept(_) => {
                (StatusCode::NOT_FOUND, "NOT_FOUND")
            }
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED"),
            Self::TooSlow => (StatusCode::REQUEST_TIMEOUT, "REQUEST_TIMEOUT"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "CONFLICT"),
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "PAYLOAD_TOO_LARGE"),
            Self::NotXml => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE"),
            Self::Internal | Self::Unconfirmed => {
                (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL_SERVER_ERROR")
            }
        }
    }

    fn message(&self) -> String {
        match self {
            Self::BadRequest(reason) | Self::Forbidden(reason) | Self::Conflict(reason) => {
                reason.clone()
            }
            Self::Unauthorized => {
                "send the user ID and password of an account that is not locked, \
                                   by HTTP Basic"
                    .to_owned()
            }
            Self::NoSuchResource => "there is no such resource".to_owned(),
            Self::NotFound(what) => format!("the user has no such {what}"),
            Self::NotKept(what) => format!("this system keeps no {what}"),
            Self::MethodNotAllowed(methods) => {
                format!("the methods of this resource are {methods}")
            }
            Self::TooSlow => "the body did not arrive in time".to_owned(),
            Self::TooLarge(bytes_max) => format!("a body has at most {bytes_max} bytes"),
            Self::NotXml => "send the body as application/xml".to_owned(),
            Self::Busy => "too much to do; try again in a moment".to_owned(),
            Self::Internal => "the service failed; its log says why".to_owned(),
            Self::Unconfirmed => {
                "the database did not confirm the change: it may have been made or \
                                  not; look before you repeat it"
                    .to_owned()
            }
        }
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Busy => Self::Busy,
            error => {
                tracing::error!(%error, "a UDS request could not be carried out");
                if error.is_unconfirmed() {
                    Self::Unconfirmed
                } else {
                    Self::Internal
                }
            }
        }
    }
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Administration(error) => error.into(),
            error => Self::BadRequest(error.to_string()),
        }
    }
}

impl From<AdministrationError> for Problem {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::Service(error) => error.into(),
            AdministrationError::Changed(_) | AdministrationError::InUse { .. } => {
                Self::Conflict(error.to_string())
            }
            AdministrationError::NotFound { kind, .. } => Self::NotFound(kind),
            // Whose the value is, is not told.
            AdministrationError::Taken { field, .. } => {
                Self::Conflict(format!("{field}: the value is taken"))
            }
            AdministrationError::Credential {
                reason: CredentialRefused::OnlyAdministrators,
                ..
            } => Self::Forbidden(error.to_string()),
            AdministrationError::Invalid { .. } | AdministrationError::Credential { .. } => {
                Self::BadRequest(error.to_string())
            }
        }
    }
}
