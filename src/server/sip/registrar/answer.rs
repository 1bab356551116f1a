//! What a registration led to, written as the answer that a Cisco phone needs.
//!
//! Source: captures of CUCM and the phones' own SIP stack.

use std::borrow::Cow;
use std::sync::Arc;

use crate::domain::binding::Binding;
use crate::domain::registration_refused::RegistrationRefused;
use crate::domain::time::UnixMillis;
use crate::service::devices::phone_book::SIP_REALM;
use crate::service::registrar::register::{EXPIRES_MIN_S, RETRY_AFTER_S, RegisterOutcome};

use super::super::date::Date;
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
pub(super) struct Registration<'a> {
    /// The Contact without its `expires`.
    contact: Cow<'a, [u8]>,
    /// Whether the phone told what it can do and wants to hear the same.
    tells_options: bool,
}

impl<'a> Registration<'a> {
    pub(super) fn new(contact: Cow<'a, [u8]>, body: &[u8]) -> Self {
        Self {
            contact,
            tells_options: memchr::memmem::find(body, b"<optionsind").is_some(),
        }
    }

    /// The registration with bytes of its own, for an answer that is written later.
    pub(super) fn to_owned(&self) -> Registration<'static> {
        Registration {
            contact: Cow::Owned(self.contact.to_vec()),
            tells_options: self.tells_options,
        }
    }
}

/// The Contact with every parameter but `expires`, byte for byte.
pub(super) fn echo<'a>(contact: &Address<'a>) -> Cow<'a, [u8]> {
    // Nearly every phone gives the lifetime in a header field of its own.
    if contact.raw.contains(&b'<') && contact.params.get("expires").is_none() {
        return Cow::Borrowed(contact.raw);
    }
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
    Cow::Owned(echo)
}

/// Writes the answer; `response` begins one with a status. `has_phone`: whether a phone is
/// registered at the sender's address, which is never told to send nothing for a while: it may have
/// to call for help. Source: RFC 3261 clause 21.5.4.
pub(super) fn write(
    response: impl Fn(Status) -> ResponseBuilder,
    outcome: &RegisterOutcome,
    has_phone: impl Fn() -> bool,
    registration: &Registration<'_>,
    now: &Date,
) -> Vec<u8> {
    let ok = || {
        response(Status::OK)
            .header(HeaderName::Date.as_str(), now.text)
            .header(HeaderName::Supported.as_str(), SUPPORTED)
    };
    match outcome {
        RegisterOutcome::Granted {
            expires_s,
            is_new,
            others,
        } => {
            let new_registration = if *is_new { NEW_REGISTRATION } else { &[] };
            let response = granted(ok(), *expires_s, new_registration, registration);
            let response = bound(response, others, now.at);
            if *is_new && registration.tells_options {
                response.finish_with_body(REMOTE_CC_RESPONSE, OPTIONS_INDICATION)
            } else {
                response.finish()
            }
        }
        RegisterOutcome::KeptAlive => {
            let echo = &registration.contact;
            let contact = HeaderName::Contact.as_str();
            ok().header(HeaderName::Expires.as_str(), "0")
                .header(contact, echo)
                .finish()
        }
        RegisterOutcome::Unregistered { left } => {
            let response = ok().header(HeaderName::Expires.as_str(), "0");
            bound(response, left, now.at).finish()
        }
        RegisterOutcome::Bound(bindings) => bound(ok(), bindings, now.at).finish(),
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
        RegisterOutcome::Refused(reason) => refused(response, *reason, has_phone),
    }
}

fn granted(
    response: ResponseBuilder,
    expires_s: u32,
    new_registration: &[u8],
    registration: &Registration<'_>,
) -> ResponseBuilder {
    let number = expires_s.to_string();
    let contact: [&[u8]; 4] = [
        &registration.contact,
        b";expires=",
        number.as_bytes(),
        new_registration,
    ];
    response
        .header(HeaderName::Expires.as_str(), &number)
        .header_of_parts(HeaderName::Contact.as_str(), &contact)
}

/// A Contact for each binding, with what is left of its lifetime.
fn bound(
    mut response: ResponseBuilder,
    bindings: &[Arc<Binding>],
    now: UnixMillis,
) -> ResponseBuilder {
    for binding in bindings {
        // What was stored by an earlier release may have a lifetime of its own.
        let contact = binding.contact().as_bytes();
        let parsed = Address::parse(contact, HeaderName::Contact);
        let contact = parsed.map_or(Cow::Borrowed(contact), |contact| echo(&contact));
        let left_s = binding.expires_at.since(now).as_secs().to_string();
        let parts: [&[u8]; 3] = [&contact, b";expires=", left_s.as_bytes()];
        response = response.header_of_parts(HeaderName::Contact.as_str(), &parts);
    }
    response
}

fn refused(
    response: impl Fn(Status) -> ResponseBuilder,
    reason: RegistrationRefused,
    has_phone: impl Fn() -> bool,
) -> Vec<u8> {
    use RegistrationRefused as R;
    let (status, retry_after_s) = match reason {
        R::NoEntryInDatabase | R::AutoRegister(_) => (Status::NOT_FOUND, Some(RETRY_AFTER_S)),
        R::DirectoryNumberMismatch | R::AmbiguousDigestUser => (Status::FORBIDDEN, None),
        R::DeviceAlreadyExists | R::AuthenticationError => (Status::FORBIDDEN, Some(RETRY_AFTER_S)),
        R::MalformedRegisterMsg => (Status::BAD_REQUEST, None),
        R::OutOfOrder => (Status::SERVER_INTERNAL_ERROR, None),
        R::IntervalTooBrief => (Status::INTERVAL_TOO_BRIEF, None),
        R::DatabaseError => (Status::SERVICE_UNAVAILABLE, Some(RETRY_AFTER_S)),
        R::Busy => (Status::SERVICE_UNAVAILABLE, Some(BUSY_RETRY_AFTER_S)),
    };
    let warning = format!("399 selfprov \"{}\"", reason.as_str());
    let mut response = response(status).header(HeaderName::Warning.as_str(), warning);
    let is_silencing = status == Status::SERVICE_UNAVAILABLE;
    let retry_after_s = retry_after_s.filter(|_| !(is_silencing && has_phone()));
    if let Some(seconds) = retry_after_s {
        response = response.header(HeaderName::RetryAfter.as_str(), seconds.to_string());
    }
    if reason == R::IntervalTooBrief {
        let seconds = EXPIRES_MIN_S.to_string();
        response = response.header(HeaderName::MinExpires.as_str(), seconds);
    }
    response.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_goes_back_without_its_lifetime() {
        let echoed = |text: &'static str| {
            let contact = Address::parse(text.as_bytes(), HeaderName::Contact).unwrap();
            String::from_utf8(echo(&contact).to_vec()).unwrap()
        };
        for same in ["<sip:a@h;transport=tcp>;+u.sip!x=\"1\"", "\"A\" <sip:a@h>"] {
            assert_eq!(echoed(same), same);
        }
        assert_eq!(echoed("<sip:a@h>;a=1;Expires=60;b"), "<sip:a@h>;a=1;b");
        assert_eq!(echoed("sip:a@h;a=1"), "<sip:a@h>;a=1");
    }
}
