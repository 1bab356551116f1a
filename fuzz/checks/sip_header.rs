//! Single header values. The first byte chooses the reader.

use selfprov::server::sip::message::{
    Address, Contact, HeaderName, Reason, Uri, Via, is_same_uri, unquote,
};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Some((choice, value)) = bytes.split_first() else {
        return;
    };
    match choice {
        b'v' => drop(Via::parse_all(value).flatten().count()),
        b'a' => drop(Address::parse(value, HeaderName::To).map(|to| (to.uri(), to.expires_s()))),
        b'm' => {
            for contact in Contact::parse_all(value).flatten() {
                if let Contact::Address(address) = contact {
                    let _ = (address.instances().count(), address.cisco_device_name());
                }
            }
        }
        b'r' => drop(Reason::parse(value).and_then(|reason| reason.cisco_alarm())),
        b'u' => {
            // The canonical form of a canonical form is itself.
            if let Ok(address) = Uri::parse(value).and_then(|uri| uri.address_of_record()) {
                let text = address.to_string();
                let again = Uri::parse(text.as_bytes()).and_then(|uri| uri.address_of_record());
                assert_eq!(again, Ok(address));
            }
        }
        b'e' => {
            // Two URIs, parted by a space: the same to each other or not, from either side.
            let mut parts = value.splitn(2, |byte| *byte == b' ');
            let mut next = || Uri::parse(parts.next().unwrap_or_default());
            if let (Ok(one), Ok(other)) = (next(), next()) {
                assert!(is_same_uri(&one, &one) && is_same_uri(&other, &other));
                assert_eq!(is_same_uri(&one, &other), is_same_uri(&other, &one));
            }
        }
        _ => drop(unquote(value)),
    }
}
