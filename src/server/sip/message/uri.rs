//! SIP URIs and the address of record that a registrar files bindings under.

use std::fmt;

use super::error::MessageError;
use super::text::{Params, number, split_around};

/// The scheme of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `sip`.
    Sip,
    /// `sips`.
    Sips,
    /// `tel`: a number without a host. Source: RFC 3966.
    Tel,
    /// `urn:service:sos` and its sub-services: an emergency service. Source: RFC 5031.
    EmergencyService,
    /// Any other, such as `mailto` or `isbn`.
    Other,
}

impl Scheme {
    /// Whether this is `sip` or `sips`.
    pub const fn is_sip(self) -> bool {
        matches!(self, Self::Sip | Self::Sips)
    }
}

/// A URI, read as far as its scheme allows. Source: RFC 3261 clauses 19.1 and 25.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The scheme.
    pub scheme: Scheme,
    /// The user part as written, escapes kept; without the password, which SIP deprecates. Of `tel`
    /// the number as written.
    pub user: Option<&'a [u8]>,
    /// Host name or address as written; an IPv6 address with its brackets. Empty for a scheme
    /// other than `sip` and `sips`.
    pub host: &'a [u8],
    /// The port, when written.
    pub port: Option<u16>,
    /// The URI's own parameters.
    pub params: Params<'a>,
    /// What follows `?`: header fields that a request to this URI would carry.
    pub headers: Option<&'a [u8]>,
}

impl<'a> Uri<'a> {
    /// Reads a URI without angle brackets.
    ///
    /// # Errors
    ///
    /// [`MessageError::Uri`] when the grammar is broken.
    pub fn parse(text: &'a [u8]) -> Result<Self, MessageError> {
        Self::read(text).ok_or(MessageError::Uri)
    }

    fn read(text: &'a [u8]) -> Option<Self> {
        let colon = memchr::memchr(b':', text)?;
        let (scheme, rest) = split_around(text, colon);
        let scheme = read_scheme(scheme)?;
        if rest.is_empty() || !rest.iter().copied().all(is_uri_byte) {
            return None;
        }
        if !scheme.is_sip() {
            let (scheme, user) = match scheme {
                Scheme::Tel => telephone_number(rest)
                    .map_or((Scheme::Other, None), |number| (scheme, Some(number))),
                Scheme::EmergencyService if !is_sos(rest) => (Scheme::Other, None),
                _ => (scheme, None),
            };
            return Some(Self {
                scheme,
                user,
                host: &[],
                port: None,
                params: Params::default(),
                headers: None,
            });
        }
        let (user, rest) = split_user(rest)?;
        let (rest, headers) = match memchr::memchr(b'?', rest) {
            Some(mark) => {
                let (before, after) = split_around(rest, mark);
                (before, Some(after))
            }
            None => (rest, None),
        };
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (host_port, params) = rest.split_at_checked(end)?;
        let (host, port) = split_host_port(host_port)?;
        Some(Self {
            scheme,
            user,
            host,
            port,
            params: Params::parse(params)?,
            headers,
        })
    }

    /// The address of record this URI names.
    ///
    /// # Errors
    ///
    /// [`MessageError::AddressOfRecord`] when it names nobody.
    pub fn address_of_record(&self) -> Result<AddressOfRecord, MessageError> {
        Ok(AddressOfRecord {
            user: self.user_of_record()?,
            host: String::from_utf8_lossy(self.host).to_ascii_lowercase(),
        })
    }
}

impl Uri<'_> {
    /// The user part of the address of record this URI names; see [`AddressOfRecord`].
    ///
    /// # Errors
    ///
    /// [`MessageError::AddressOfRecord`] when it names nobody.
    pub fn user_of_record(&self) -> Result<String, MessageError> {
        if !self.scheme.is_sip() {
            return Err(MessageError::AddressOfRecord);
        }
        let user = self.user.and_then(canonical_user);
        user.ok_or(MessageError::AddressOfRecord)
    }
}

/// A telephone number, as a URI has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelephoneNumber {
    /// The digits, without parameters and without what may stand between them and means nothing.
    pub digits: String,
    /// Whether the URI says that it is one: by `tel`, by `user=phone`, or by the parameters of a
    /// number. Else it is a user part that could be one.
    pub is_said: bool,
}

/// What may stand between the digits of a telephone number and means nothing.
/// Source: RFC 3966 clause 5.1.1.
const VISUAL_SEPARATORS: [char; 4] = ['-', '.', '(', ')'];

impl Uri<'_> {
    /// The telephone number that this names; `None` when it can be none. A `tel` URI becomes a SIP
    /// URI with all of it, separators and parameters, as the user part.
    /// Source: RFC 3261 clause 19.1.6.
    pub fn telephone_number(&self) -> Option<TelephoneNumber> {
        let (number, is_said) = match self.scheme {
            Scheme::Tel => (String::from_utf8(self.user?.to_vec()).ok()?, true),
            Scheme::Sip | Scheme::Sips => {
                let user = self.user_of_record().ok()?;
                let number = telephone_number(user.as_bytes())?;
                let number = user.get(..number.len())?.to_owned();
                let is_said = self.is_of_a_phone() || number.len() < user.len();
                (number, is_said)
            }
            Scheme::EmergencyService | Scheme::Other => return None,
        };
        Some(TelephoneNumber {
            digits: number.replace(VISUAL_SEPARATORS, ""),
            is_said,
        })
    }

    /// Whether it has `user=phone`.
    fn is_of_a_phone(&self) -> bool {
        let user = self.params.get("user").and_then(|param| param.value);
        user.is_some_and(|user| user.eq_ignore_ascii_case(b"phone"))
    }
}

/// Reads the name of a scheme; which service a `urn` names is still to be seen.
fn read_scheme(scheme: &[u8]) -> Option<Scheme> {
    let known: [(&[u8], Scheme); 4] = [
        (b"sip", Scheme::Sip),
        (b"sips", Scheme::Sips),
        (b"tel", Scheme::Tel),
        (b"urn", Scheme::EmergencyService),
    ];
    for (name, known) in known {
        if scheme.eq_ignore_ascii_case(name) {
            return Some(known);
        }
    }
    let rest_ok = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    let first_ok = scheme.first().is_some_and(u8::is_ascii_alphabetic);
    (first_ok && scheme.iter().all(rest_ok)).then_some(Scheme::Other)
}

/// The number of a `tel` URI, without its parameters; `None` where it is none.
fn telephone_number(text: &[u8]) -> Option<&[u8]> {
    let number = text.split(|byte| *byte == b';').next()?;
    let is_of_number = |byte: &u8| byte.is_ascii_hexdigit() || b"*#+-.()".contains(byte);
    let has_digit = number
        .iter()
        .any(|byte| byte.is_ascii_hexdigit() || b"*#".contains(byte));
    (has_digit && number.iter().all(is_of_number)).then_some(number)
}

/// Whether what follows `urn:` is the emergency service or a part of it.
fn is_sos(text: &[u8]) -> bool {
    const SOS: &[u8] = b"service:sos";
    let (service, rest) = text.split_at_checked(SOS.len()).unwrap_or((text, b""));
    service.eq_ignore_ascii_case(SOS) && rest.first().is_none_or(|byte| *byte == b'.')
}

/// Printable ASCII without what delimits a URI in a message.
const fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"')
}

/// Splits `user@` off; the password after `:` is dropped.
fn split_user(text: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let Some(at) = memchr::memchr(b'@', text) else {
        return Some((None, text));
    };
    let (user, rest) = split_around(text, at);
    let user = user.split(|byte| *byte == b':').next().unwrap_or_default();
    let escapes_ok = || Unescaped(user).all(|unescaped| unescaped.is_some());
    let one_at = memchr::memchr(b'@', rest).is_none();
    (one_at && !user.is_empty() && escapes_ok()).then_some((Some(user), rest))
}

/// Splits `host:port`; an IPv6 address stands in brackets.
pub(super) fn split_host_port(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let (host, after) = if text.first() == Some(&b'[') {
        let end = memchr::memchr(b']', text)? + 1;
        let (host, after) = text.split_at_checked(end)?;
        let inside = host.get(1..end.checked_sub(1)?)?;
        let address = std::str::from_utf8(inside).ok()?;
        is_ipv6(address).then_some(())?;
        (host, after)
    } else {
        let end = memchr::memchr(b':', text).unwrap_or(text.len());
        let (host, after) = text.split_at_checked(end)?;
        let host_ok =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if host.is_empty() || !host.iter().all(host_ok) {
            return None;
        }
        (host, after)
    };
    if after.is_empty() {
        return Some((host, None));
    }
    let port = number(after.strip_prefix(b":")?, u64::from(u16::MAX))?;
    Some((host, u16::try_from(port).ok()))
}

/// Whether this stands for an IPv6 address. The grammar of RFC 3261 puts a third colon before an
/// IPv4 address at the end, and such senders must be understood.
/// Source: RFC 4291 clause 2.2; RFC 5118 clause 4.10.
fn is_ipv6(text: &str) -> bool {
    use std::net::{Ipv4Addr, Ipv6Addr};
    text.parse::<Ipv6Addr>().is_ok()
        || text.split_once(":::").is_some_and(|(before, after)| {
            after.parse::<Ipv4Addr>().is_ok()
                && format!("{before}::{after}").parse::<Ipv6Addr>().is_ok()
        })
}

/// The bytes of a text with `%` escapes: the byte and whether it was escaped; `None` for a
/// `%` without two hexadecimal digits.
struct Unescaped<'a>(&'a [u8]);

impl Iterator for Unescaped<'_> {
    type Item = Option<(u8, bool)>;

    fn next(&mut self) -> Option<Self::Item> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        if *first != b'%' {
            return Some(Some((*first, false)));
        }
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let value = match rest {
            [high, low, after @ ..] => {
                self.0 = after;
                digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| high * 16 + low)
            }
            _ => None,
        };
        Some(
            value
                .and_then(|value| u8::try_from(value).ok())
                .map(|byte| (byte, true)),
        )
    }
}

/// The one spelling of a user part: needless escapes undone, the others in upper case, control
/// characters refused. Source: RFC 3261 clauses 10.3 step 5 and 19.1.4.
pub(super) fn canonical_user(user: &[u8]) -> Option<String> {
    let mut canonical = String::with_capacity(user.len());
    for unescaped in Unescaped(user) {
        let (byte, was_escaped) = unescaped?;
        if byte.is_ascii_control() {
            return None;
        }
        let unreserved = byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
        if was_escaped && !unreserved {
            let hex = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
            canonical.push('%');
            canonical.push(hex(byte >> 4).to_ascii_uppercase());
            canonical.push(hex(byte & 15).to_ascii_uppercase());
        } else {
            canonical.push(char::from(byte));
        }
    }
    Some(canonical)
}

/// An address of record in canonical form: two spellings of one address are equal.
///
/// The user part is compared with regard to case, the host without. Scheme, port and
/// parameters do not belong to it: a phone may register `sip:1001@cm` and `sips:1001@cm:5061`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AddressOfRecord {
    user: String,
    host: String,
}

impl AddressOfRecord {
    /// The user part, for example a directory number.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The host in lower case.
    pub fn host(&self) -> &str {
        &self.host
    }
}

impl fmt::Display for AddressOfRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sip:{}@{}", self.user, self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aor(text: &str) -> Option<String> {
        let uri = Uri::parse(text.as_bytes()).ok()?;
        uri.address_of_record().ok().map(|aor| aor.to_string())
    }

    #[test]
    fn a_uri_is_taken_apart() {
        let uri = Uri::parse(b"sips:a;b=c:pw@[::1]:5061;lr;transport=TCP?x=y").unwrap();
        assert_eq!(uri.scheme, Scheme::Sips);
        assert_eq!(uri.user, Some(&b"a;b=c"[..]));
        assert_eq!(uri.host, b"[::1]");
        assert_eq!(uri.port, Some(5061));
        assert_eq!(
            uri.params.get("Transport").unwrap().value,
            Some(&b"TCP"[..])
        );
        assert_eq!(uri.headers, Some(&b"x=y"[..]));
        assert_eq!(Uri::parse(b"sip:cm").unwrap().user, None);
        assert_eq!(Uri::parse(b"mailto:a@b").unwrap().scheme, Scheme::Other);
    }

    #[test]
    fn numbers_and_emergency_services_are_told_from_what_else_has_their_scheme() {
        let read = |text: &'static str| {
            let uri = Uri::parse(text.as_bytes()).unwrap();
            let user = uri
                .user
                .map(|user| String::from_utf8_lossy(user).into_owned());
            (uri.scheme, user)
        };
        let number = |text: &str| (Scheme::Tel, Some(text.to_owned()));
        assert_eq!(read("tel:112"), number("112"));
        assert_eq!(read("TEL:+49-30(1)2.3;isub=1"), number("+49-30(1)2.3"));
        assert_eq!(read("tel:*21#;phone-context=a.example"), number("*21#"));
        for other in [
            "tel:+",
            "tel:;x=y",
            "tel:help",
            "urn:service:sosx",
            "urn:service:police",
        ] {
            assert_eq!(read(other), (Scheme::Other, None), "{other}");
        }
        for sos in ["urn:service:sos", "URN:SERVICE:SOS.fire"] {
            assert_eq!(read(sos), (Scheme::EmergencyService, None), "{sos}");
        }
        assert_eq!(aor("tel:112"), None);
    }

    #[test]
    fn a_malformed_uri_is_refused() {
        for bad in [
            "",
            "sip:",
            "sip",
            "sip:@h",
            "sip:a@",
            "sip:a@h:x",
            "sip:a@h:99999",
            "sip:a@b@c",
            "<sip:a@h>",
            "sip:a b@h",
            "sip:%zz@h",
            "sip:a@[::1",
            "sip:a@[1.2]",
            "sip:a@h;;b",
            "1x:y",
        ] {
            assert_eq!(Uri::parse(bad.as_bytes()), Err(MessageError::Uri), "{bad}");
        }
    }

    #[test]
    fn two_spellings_of_one_address_are_one_address() {
        assert_eq!(
            aor("sip:%74est@EXAMPLE.com").unwrap(),
            "sip:test@example.com"
        );
        assert_eq!(
            aor("sips:test@example.com:5061;user=phone").unwrap(),
            "sip:test@example.com"
        );
        assert_eq!(aor("sip:a%40b%3a@h").unwrap(), "sip:a%40b%3A@h");
        assert_ne!(aor("sip:Test@h"), aor("sip:test@h"));
    }

    #[test]
    fn an_address_with_an_escaped_nul_names_nobody() {
        for bad in [
            "sip:%74est%00x@h",
            "sip:a%0d%0Ab@h",
            "sip:h",
            "isbn:2983792873",
        ] {
            assert_eq!(aor(bad), None, "{bad}");
        }
    }
}
