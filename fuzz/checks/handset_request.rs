//! Requests of the handset, query and form parted by the first line end: what cannot be read is
//! said without repeating it.

use selfprov::server::uds::request;
use selfprov::server::uds::text::Language;

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let query = parts.next().unwrap_or_default();
    let form = parts.next().unwrap_or_default();
    let _ = request::device_of_query(query);
    if let Err(reason) = request::parse(query, form) {
        // Every text is one of ours with the name of a parameter, 64 characters at most.
        assert!(reason.text(Language::English.texts()).len() <= 64);
    }
}
