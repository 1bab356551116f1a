//! Credentials and challenges: what is read can be written and read back the same.

use selfprov::domain::sip_digest::DigestAlgorithm;
use selfprov::server::sip::message::{Challenge, DigestCredentials, DigestQop};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    compared(bytes);
}

/// The same; gives how many values were written and read back.
pub(crate) fn compared(bytes: &[u8]) -> usize {
    let mut count = 0;
    if let Ok(Some(mut credentials)) = DigestCredentials::parse(bytes) {
        let _ = credentials.request(b"REGISTER");
        let written = credentials.to_string();
        // An algorithm that the program does not do has no name here: it is written as MD5 is.
        credentials.algorithm.get_or_insert(DigestAlgorithm::Md5);
        if are_writable(bytes, &raw_texts(&credentials)) {
            let again = DigestCredentials::parse(written.as_bytes());
            assert_eq!(again, Ok(Some(credentials)), "{written}");
            count += 1;
        }
    }
    if let Ok(Some(mut challenge)) = Challenge::parse(bytes) {
        let written = challenge.to_string();
        challenge.algorithm.get_or_insert(DigestAlgorithm::Md5);
        let raw = [&*challenge.nonce, challenge.opaque.unwrap_or_default()];
        if are_writable(bytes, &raw) {
            let again = Challenge::parse(written.as_bytes());
            assert_eq!(again, Ok(Some(challenge)), "{written}");
            count += 1;
        }
    }
    count
}

/// What is kept as it was written, escapes and all, because it goes so into the arithmetic.
fn raw_texts<'a>(credentials: &DigestCredentials<'a>) -> [&'a [u8]; 5] {
    let client_nonce = match credentials.qop {
        DigestQop::None => b"".as_slice(),
        DigestQop::Auth { client_nonce, .. } => client_nonce,
    };
    let opaque = credentials.opaque.unwrap_or_default();
    let DigestCredentials {
        nonce,
        uri,
        response,
        ..
    } = *credentials;
    [nonce, uri, response, opaque, client_nonce]
}

/// Whether a header field can hold it: text without control characters, and nothing that came
/// without quotes and would eat the closing one.
fn are_writable(bytes: &[u8], raw_texts: &[&[u8]]) -> bool {
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control));
    let ends_whole = |text: &&[u8]| {
        let backslashes = text.iter().rev().take_while(|byte| **byte == b'\\');
        backslashes.count() % 2 == 0
    };
    is_text && raw_texts.iter().all(ends_whole)
}
