//! The header `Authorization: Basic`, for the doors that programs log in at. Source: RFC 7617.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::secret::Secret;

/// Longest header that is read: 128 characters each of user ID and password.
const AUTHORIZATION_BYTES_MAX: usize = 2_048;

/// User ID and password of the header; `None`: there is none of this scheme that can be read.
pub fn read(headers: &HeaderMap) -> Option<(String, Secret)> {
    let header = headers.get(header::AUTHORIZATION)?.as_bytes();
    if header.len() > AUTHORIZATION_BYTES_MAX {
        return None;
    }
    let (scheme, encoded) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("Basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user_id, password) = decoded.split_once(':')?;
    Some((user_id.to_owned(), Secret::from(password)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn user_id_and_password_are_read_from_a_basic_header_only() {
        let encoded = STANDARD.encode("admin:a:b");
        let found = read(&headers(header::AUTHORIZATION, &format!("basic {encoded}")));
        let (user_id, password) = found.unwrap();
        assert_eq!((user_id.as_str(), password.reveal()), ("admin", "a:b"));
        for wrong in ["Bearer abc", "Basic", "Basic !!", "Basic YWRtaW4="] {
            assert!(read(&headers(header::AUTHORIZATION, wrong)).is_none());
        }
    }
}
