//! Whether two SIP URIs are the same. Source: RFC 3261 clause 19.1.4.

use std::collections::BTreeSet;

use super::uri::{Uri, canonical_user};

/// Parameters that never match when only one URI has them.
const NEVER_LEFT_OUT: [&str; 4] = ["user", "ttl", "method", "maddr"];

/// Whether two `sip` or `sips` URIs are the same. A part that is left out differs from its default
/// written out. A password is not looked at: it is not kept.
pub fn is_same_uri(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.scheme == b.scheme
        && a.user.map(canonical_user) == b.user.map(canonical_user)
        && a.host.eq_ignore_ascii_case(b.host)
        && a.port == b.port
        && agree(a, b)
        && agree(b, a)
        && header_fields(a) == header_fields(b)
}

/// Whether every parameter of `a` that counts is in `b` with the same value.
fn agree(a: &Uri<'_>, b: &Uri<'_>) -> bool {
    a.params.iter().all(|param| {
        let name = String::from_utf8_lossy(param.name);
        // One that is there twice, which RFC 3261 forbids, counts as it stands first.
        match (a.params.get(&name), b.params.get(&name)) {
            (Some(first), Some(other)) => first.text().eq_ignore_ascii_case(&other.text()),
            _ => !NEVER_LEFT_OUT.iter().any(|kept| param.is(kept)),
        }
    })
}

/// The header fields of a URI, in any order.
fn header_fields<'a>(uri: &Uri<'a>) -> BTreeSet<&'a [u8]> {
    let fields = uri.headers.unwrap_or_default();
    let fields = fields.split(|byte| *byte == b'&');
    fields.filter(|field| !field.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_same(a: &str, b: &str) -> bool {
        let (read_a, read_b) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes()));
        let (read_a, read_b) = (read_a.unwrap(), read_b.unwrap());
        let is_same = is_same_uri(&read_a, &read_b);
        assert_eq!(is_same, is_same_uri(&read_b, &read_a), "{a} {b}");
        is_same
    }

    // Source of both lists: the examples of RFC 3261 clause 19.1.4.
    #[test]
    fn two_spellings_of_one_uri_are_the_same() {
        for (a, b) in [
            (
                "sip:%61lice@atlanta.com;transport=TCP",
                "sip:alice@AtLanTa.CoM;Transport=tcp",
            ),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:carol@chicago.com;security=on",
                "sip:carol@chicago.com;newparam=5",
            ),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
        ] {
            assert!(is_same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn what_differs_in_a_part_that_counts_is_another_uri() {
        for (a, b) in [
            (
                "SIP:ALICE@AtLanTa.CoM;Transport=udp",
                "sip:alice@AtLanTa.CoM;Transport=UDP",
            ),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com:5060", "sip:bob@biloxi.com:50601"),
            ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
            ("sip:bob@biloxi.com", "sip:biloxi.com"),
            (
                "sip:bob@biloxi.com:6000;transport=tcp",
                "sip:bob@biloxi.com:6000;transport=udp",
            ),
            (
                "sip:carol@chicago.com",
                "sip:carol@chicago.com?Subject=next%20meeting",
            ),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:bob@h;maddr=192.0.2.1", "sip:bob@h"),
        ] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
