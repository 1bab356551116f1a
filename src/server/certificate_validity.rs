//! Until when an X.509 certificate is valid, read from its DER without a certificate library.

use crate::domain::time::UnixMillis;
use crate::service::keys::der::SEQUENCE;
use crate::service::keys::der::element;
use crate::service::keys::der::expect;

/// The two ends of a certificate's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First moment at which the certificate is valid.
    pub not_before: UnixMillis,
    /// Last second of its validity.
    pub not_after: UnixMillis,
}

const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// Explicit tag of `version`, which a version 1 certificate does not have.
const VERSION: u8 = 0xA0;

/// Reads the validity, or nothing when `der` is not a certificate.
///
/// Source: RFC 5280 4.1 (`Certificate`, `TBSCertificate`) and 4.1.2.5 (`Validity`).
pub fn of_certificate(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = expect(SEQUENCE, der)?;
    let (mut rest, _) = expect(SEQUENCE, certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.2;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        rest = element(rest)?.2;
    }
    let (validity, _) = expect(SEQUENCE, rest)?;
    let (not_before, rest) = time(validity)?;
    let (not_after, _) = time(rest)?;
    Some(Validity {
        not_before,
        not_after,
    })
}

/// One time and what follows it.
fn time(der: &[u8]) -> Option<(UnixMillis, &[u8])> {
    let (tag, contents, rest) = element(der)?;
    let text = std::str::from_utf8(contents).ok()?.strip_suffix('Z')?;
    let text = match tag {
        // RFC 5280 4.1.2.5.1: years 50 to 99 are 19xx.
        UTC_TIME if text.get(..2)? >= "50" => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", text).ok()?;
    let instant = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some((UnixMillis(instant.as_millisecond()), rest))
}
