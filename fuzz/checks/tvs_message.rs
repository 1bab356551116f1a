//! Questions to TVS: what is read lies within what was sent, and nothing makes a body that is too
//! long be waited for.

use selfprov::server::tvs::message;

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<{ message::HEADER_BYTES }>() else {
        let _ = message::question(bytes);
        return;
    };
    if let Ok(header) = message::header(*head) {
        assert!(header.body_bytes <= message::BODY_BYTES_MAX);
        assert_eq!(header.session.to_be_bytes(), head[4..8]);
    }
    let Ok(question) = message::question(rest) else {
        return;
    };
    assert!(!question.certificate.is_empty());
    assert!(question.certificate.len() + question.device.len() < rest.len());
    assert!(question.device.bytes().all(|byte| byte.is_ascii_graphic()));
}
