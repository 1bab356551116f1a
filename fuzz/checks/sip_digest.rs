//! Credentials and challenges: what is read can be written and read back the same.

use selfprov::server::sip::message::{Challenge, DigestCredentials};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    if let Ok(Some(credentials)) = DigestCredentials::parse(bytes) {
        let _ = credentials.request(b"REGISTER");
        drop(DigestCredentials::parse(credentials.to_string().as_bytes()));
    }
    if let Ok(Some(challenge)) = Challenge::parse(bytes) {
        drop(Challenge::parse(challenge.to_string().as_bytes()));
    }
}
