//! What a registration led to, written as the answer that a Cisco phone needs.
//!
//! Source: captures of CUCM and the phones' own SIP stack.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::registration_refused::RegistrationRefused;
use crate::domain::time::UnixMillis;
use crate::service::phone_book::SIP_REALM;
use crate::service::register::{EXPIRES_MIN_S, RETRY_AFTER_S, RegisterOutcome};

use super::super::message::{Address, Challenge, HeaderName, ResponseBuilder, Status};

/// What phones look for: without an SIS version they fall back to the oldest feature set.
const SUPPORTED: &str = "X-cisco-srtp-fallback,X-cisco-sis-8.0.0";

/// The parameter that tells a phone that it was not registered before.
const NEW_REGISTRATION: &[u8] = b";x-cisco-newreg";

/// Seconds after which a phone that met a full queue tries again.
const BUSY_RETRY_AFTER_S: u32 = 10;

const REMOTE_CC_RESPONSE: &str = "application/x-cisco-remotecc-response+xml";

/// The answer to a phone that told what it can do: which requests it may get in one. Source:
/// capture of CUCM 11.5, reduced to what this program sends.
const OPTIONS_INDICATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<x-cisco-remotecc-response><response><code>200</code><reason></reason><optionsind>\
<combine max=\"6\"><remotecc><status></status></remotecc><service-control></service-control>\
</combine></optionsind></response></x-cisco-remotecc-response>\n";

/// What the answer needs of a REGISTER.
#[derive(Debug, Clone)]
pub(super) struct Registration {
    /// The Contact without its `expires`.
    contact: Vec<u8>,
    /// Whether the phone told what it can do and wants to hear the same.
    tells_options: bool,
}

impl Registration {
    pub(super) fn new(contact: Option<&Address<'_>>, body: &[u8]) -> Self {
        Self {
            contact: contact.map(echo).unwrap_or_default(),
            tells_options: memchr::memmem::find(body, b"<optionsind").is_some(),
        }
    }
}

/// The Contact with every parameter but `expires`, byte for byte.
fn echo(contact: &Address<'_>) -> Vec<u8> {
    let mut echo = Vec::with_capacity(contact.raw.len() + 32);
    if !contact.display.is_empty() {
        echo.extend_from_slice(contact.display);
        echo.push(b' ');
    }
    echo.push(b'<');
    echo.extend_from_slice(contact.uri);
    echo.push(b'>');
    for param in contact.params.iter().filter(|param| !param.is("expires")) {
        echo.push(b';');
        echo.extend_from_slice(param.name);
        if let Some(value) = param.value {
            echo.push(b'=');
            echo.extend_from_slice(value);
        }
    }
    echo
}

/// Writes the answer; `response` begins one with a status.
pub(super) fn write(
    response: impl Fn(Status) -> ResponseBuilder,
    outcome: &RegisterOutcome,
    registration: &Registration,
    now: UnixMillis,
) -> Vec<u8> {
    let ok = || {
        response(Status::OK)
            .header(HeaderName::Date.as_str(), date(now))
            .header(HeaderName::Supported.as_str(), SUPPORTED)
    };
    match outcome {
        RegisterOutcome::Granted { expires_s, is_new } => {
            granted(ok(), *expires_s, *is_new, registration)
        }
        RegisterOutcome::KeptAlive => {
            let echo = &registration.contact;
            let contact = HeaderName::Contact.as_str();
            ok().header(HeaderName::Expires.as_str(), "0")
                .header(contact, echo)
                .finish()
        }
        RegisterOutcome::Unregistered => ok().header(HeaderName::Expires.as_str(), "0").finish(),
        RegisterOutcome::Bound(bindings) => {
            let mut response = ok();
            for binding in bindings {
                let left_s = binding.expires_at.since(now).as_secs();
                let contact = format!("{};expires={left_s}", binding.contact);
                response = response.header(HeaderName::Contact.as_str(), contact);
            }
            response.finish()
        }
        RegisterOutcome::Challenge {
            nonce,
            is_stale,
            algorithms,
        } => {
            let mut response = response(Status::UNAUTHORIZED);
            for algorithm in *algorithms {
                let challenge = Challenge::new(SIP_REALM, nonce, *algorithm, *is_stale);
                let name = HeaderName::WwwAuthenticate.as_str();
                response = response.header(name, challenge.to_string());
            }
            response.finish()
        }
        RegisterOutcome::Refused(reason) => refused(response, *reason),
    }
}

fn granted(
    response: ResponseBuilder,
    expires_s: u32,
    is_new: bool,
    registration: &Registration,
) -> Vec<u8> {
    let mut number = String::with_capacity(10);
    // Writing to a String cannot fail.
    let _ = std::fmt::Write::write_fmt(&mut number, format_args!("{expires_s}"));
    let mut contact = registration.contact.clone();
    contact.extend_from_slice(b";expires=");
    contact.extend_from_slice(number.as_bytes());
    if is_new {
        contact.extend_from_slice(NEW_REGISTRATION);
    }
    let response = response
        .header(HeaderName::Expires.as_str(), number)
        .header(HeaderName::Contact.as_str(), contact);
    if is_new && registration.tells_options {
        response.finish_with_body(REMOTE_CC_RESPONSE, OPTIONS_INDICATION)
    } else {
        response.finish()
    }
}

fn refused(response: impl Fn(Status) -> ResponseBuilder, reason: RegistrationRefused) -> Vec<u8> {
    use RegistrationRefused as R;
    let (status, retry_after_s) = match reason {
        R::NoEntryInDatabase | R::AutoRegister(_) => (Status::NOT_FOUND, Some(RETRY_AFTER_S)),
        R::DirectoryNumberMismatch | R::AmbiguousDigestUser => (Status::FORBIDDEN, None),
        R::DeviceAlreadyExists | R::AuthenticationError => (Status::FORBIDDEN, Some(RETRY_AFTER_S)),
        R::MalformedRegisterMsg => (Status::BAD_REQUEST, None),
        R::IntervalTooBrief => (Status::INTERVAL_TOO_BRIEF, None),
        R::DatabaseError => (Status::SERVICE_UNAVAILABLE, Some(RETRY_AFTER_S)),
        R::Busy => (Status::SERVICE_UNAVAILABLE, Some(BUSY_RETRY_AFTER_S)),
    };
    let warning = format!("399 selfprov \"{}\"", reason.as_str());
    let mut response = response(status).header(HeaderName::Warning.as_str(), warning);
    if let Some(seconds) = retry_after_s {
        response = response.header(HeaderName::RetryAfter.as_str(), seconds.to_string());
    }
    if reason == R::IntervalTooBrief {
        let seconds = EXPIRES_MIN_S.to_string();
        response = response.header(HeaderName::MinExpires.as_str(), seconds);
    }
    response.finish()
}

/// The time as phones set their clock by it. Source: RFC 3261 clause 20.17.
pub(super) fn date(now: UnixMillis) -> String {
    let since_epoch = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
    let time: SystemTime = UNIX_EPOCH + since_epoch;
    httpdate::fmt_http_date(time)
}
