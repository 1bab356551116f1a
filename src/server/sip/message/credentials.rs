//! Digest credentials and challenges: Authorization and WWW-Authenticate.
//!
//! Source: RFC 7616 clauses 3.3 and 3.4, RFC 8760, RFC 3261 clause 22.4.

use std::borrow::Cow;
use std::fmt;

use crate::domain::sip_digest::{CountedNonce, DigestAlgorithm, DigestRequest};

use super::error::MessageError;
use super::name::HeaderName;
use super::text::{CommaList, is_token, split_around, split_quoted, trim, unquote, unquote_raw};

/// How the response was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestQop<'a> {
    /// Without `qop`, the form of RFC 2069.
    None,
    /// `auth`.
    Auth {
        /// `nc` as written: eight hexadecimal digits.
        count_text: &'a [u8],
        /// `nc` as a number.
        count: u32,
        /// `cnonce`.
        client_nonce: &'a [u8],
    },
}

/// The credentials in an Authorization header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestCredentials<'a> {
    /// `username` without quotes and escapes.
    pub user_name: Cow<'a, [u8]>,
    /// `realm` without quotes and escapes.
    pub realm: Cow<'a, [u8]>,
    /// `nonce` as it goes into the arithmetic.
    pub nonce: &'a [u8],
    /// `uri` as it goes into the arithmetic.
    pub uri: &'a [u8],
    /// `response`, in hexadecimal.
    pub response: &'a [u8],
    /// `opaque`.
    pub opaque: Option<&'a [u8]>,
    /// `algorithm`, MD5 when absent; `None` for one that the program does not do.
    pub algorithm: Option<DigestAlgorithm>,
    /// `qop`, `nc` and `cnonce`.
    pub qop: DigestQop<'a>,
}

impl<'a> DigestCredentials<'a> {
    /// Reads a header value; `Ok(None)` when its scheme is not Digest.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] when a parameter is missing, repeated or malformed.
    pub fn parse(value: &'a [u8]) -> Result<Option<Self>, MessageError> {
        let malformed = MessageError::Malformed(HeaderName::Authorization);
        let Some(parameters) = digest_parameters(value) else {
            return Ok(None);
        };
        let parameters = AuthParameters::parse(parameters).ok_or(malformed)?;
        Self::read(&parameters).map(Some).ok_or(malformed)
    }

    fn read(parameters: &AuthParameters<'a>) -> Option<Self> {
        let raw = |name| parameters.get(name).map(unquote_raw);
        let qop = match raw("qop") {
            None => DigestQop::None,
            Some(qop) if qop.eq_ignore_ascii_case(b"auth") => {
                let count_text = raw("nc")?;
                let client_nonce = raw("cnonce")?;
                DigestQop::Auth {
                    count_text,
                    count: read_count(count_text)?,
                    client_nonce,
                }
            }
            Some(_) => return None,
        };
        let algorithm = raw("algorithm").unwrap_or(b"MD5");
        Some(Self {
            user_name: unquote(parameters.get("username")?),
            realm: unquote(parameters.get("realm")?),
            nonce: raw("nonce")?,
            uri: raw("uri")?,
            response: raw("response")?,
            opaque: raw("opaque"),
            algorithm: DigestAlgorithm::from_token(std::str::from_utf8(algorithm).ok()?),
            qop,
        })
    }

    /// What the response is computed from, for a request of this method.
    pub fn request(&self, method: &'a [u8]) -> DigestRequest<'a> {
        let counted = match self.qop {
            DigestQop::None => None,
            DigestQop::Auth {
                count_text,
                client_nonce,
                ..
            } => Some(CountedNonce {
                count: count_text,
                client_nonce,
            }),
        };
        DigestRequest {
            method,
            uri: self.uri,
            nonce: self.nonce,
            counted,
        }
    }
}

impl fmt::Display for DigestCredentials<'_> {
    /// Writes the value of an Authorization header field, for the handset's side.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        write!(f, "Digest username={}, ", Quoted(&text(&self.user_name)))?;
        write!(
            f,
            "realm={}, nonce=\"{}\", ",
            Quoted(&text(&self.realm)),
            text(self.nonce)
        )?;
        write!(
            f,
            "uri=\"{}\", response=\"{}\"",
            text(self.uri),
            text(self.response)
        )?;
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if let DigestQop::Auth {
            count_text,
            client_nonce,
            ..
        } = self.qop
        {
            let (count, client_nonce) = (text(count_text), text(client_nonce));
            write!(f, ", qop=auth, nc={count}, cnonce=\"{client_nonce}\"")?;
        }
        self.opaque
            .map_or(Ok(()), |opaque| write!(f, ", opaque=\"{}\"", text(opaque)))
    }
}

/// A challenge in a WWW-Authenticate header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// `realm` without quotes and escapes.
    pub realm: Cow<'a, [u8]>,
    /// `nonce`.
    pub nonce: Cow<'a, [u8]>,
    /// `opaque`.
    pub opaque: Option<&'a [u8]>,
    /// `algorithm`, MD5 when absent; `None` for one that the program does not do.
    pub algorithm: Option<DigestAlgorithm>,
    /// Whether `qop` offers `auth`.
    pub qop_auth: bool,
    /// Whether the credentials were right but their nonce is no longer accepted.
    pub stale: bool,
}

impl<'a> Challenge<'a> {
    /// A challenge with `qop=auth` and no `opaque`, as the registrar sends it.
    pub fn new(realm: &'a str, nonce: &'a str, algorithm: DigestAlgorithm, stale: bool) -> Self {
        Self {
            realm: Cow::Borrowed(realm.as_bytes()),
            nonce: Cow::Borrowed(nonce.as_bytes()),
            opaque: None,
            algorithm: Some(algorithm),
            qop_auth: true,
            stale,
        }
    }

    /// Reads a header value; `Ok(None)` when its scheme is not Digest.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] when a parameter is missing, repeated or malformed.
    pub fn parse(value: &'a [u8]) -> Result<Option<Self>, MessageError> {
        let malformed = MessageError::Malformed(HeaderName::WwwAuthenticate);
        let Some(parameters) = digest_parameters(value) else {
            return Ok(None);
        };
        let parameters = AuthParameters::parse(parameters).ok_or(malformed)?;
        let raw = |name| parameters.get(name).map(unquote_raw);
        let algorithm = std::str::from_utf8(raw("algorithm").unwrap_or(b"MD5"));
        let qop = raw("qop").unwrap_or_default();
        Ok(Some(Self {
            realm: unquote(parameters.get("realm").ok_or(malformed)?),
            nonce: Cow::Borrowed(raw("nonce").ok_or(malformed)?),
            opaque: raw("opaque"),
            algorithm: DigestAlgorithm::from_token(algorithm.map_err(|_| malformed)?),
            qop_auth: qop
                .split(|byte| *byte == b',')
                .any(|qop| trim(qop) == b"auth"),
            stale: raw("stale").is_some_and(|stale| stale.eq_ignore_ascii_case(b"true")),
        }))
    }
}

impl fmt::Display for Challenge<'_> {
    /// Writes the value of a WWW-Authenticate header field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy;
        write!(
            f,
            "Digest realm={}, nonce=\"{}\"",
            Quoted(&text(&self.realm)),
            text(&self.nonce)
        )?;
        if let Some(opaque) = self.opaque {
            write!(f, ", opaque=\"{}\"", text(opaque))?;
        }
        if let Some(algorithm) = self.algorithm {
            write!(f, ", algorithm={algorithm}")?;
        }
        if self.qop_auth {
            f.write_str(", qop=\"auth\"")?;
        }
        if self.stale {
            f.write_str(", stale=true")?;
        }
        Ok(())
    }
}

/// Text as a quoted string.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars().filter(|character| !character.is_control()) {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        f.write_str("\"")
    }
}

/// What follows `Digest`, or `None` for another scheme.
fn digest_parameters(value: &[u8]) -> Option<&[u8]> {
    let (scheme, parameters) = value.split_at_checked(6)?;
    let is_digest = scheme.eq_ignore_ascii_case(b"Digest");
    let ends = parameters
        .first()
        .is_none_or(|byte| super::text::is_white_space(*byte));
    (is_digest && ends).then_some(parameters)
}

/// `nc`: exactly eight hexadecimal digits. Source: RFC 7616 clause 3.4.
fn read_count(text: &[u8]) -> Option<u32> {
    let digits = text.len() == 8 && text.iter().all(u8::is_ascii_hexdigit);
    u32::from_str_radix(std::str::from_utf8(text).ok().filter(|_| digits)?, 16).ok()
}

/// Most parameters of one header field; the standard has eleven.
const PARAMETERS_MAX: usize = 24;

/// The `name=value` pairs of a Digest header field; each name once.
struct AuthParameters<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> AuthParameters<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let mut pairs: Vec<(&[u8], &[u8])> = Vec::with_capacity(12);
        for element in CommaList::new(text) {
            let element = element?;
            if element.is_empty() {
                continue;
            }
            let (name, value) = split_around(element, memchr::memchr(b'=', element)?);
            let (name, value) = (trim(name), trim(value));
            let whole = split_quoted(value).is_some_and(|(_, rest)| rest.is_empty());
            let plain = !value.is_empty() && !value.contains(&b'"');
            let again = pairs
                .iter()
                .any(|(other, _)| other.eq_ignore_ascii_case(name));
            if !is_token(name) || !(whole || plain) || again || pairs.len() == PARAMETERS_MAX {
                return None;
            }
            pairs.push((name, value));
        }
        Some(Self(pairs))
    }

    fn get(&self, name: &str) -> Option<&'a [u8]> {
        let mut pairs = self.0.iter();
        let pair = pairs.find(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))?;
        Some(pair.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "Digest username=\"SEP\\\"00\", realm=\"self,prov\", nonce=\"n1\", \
        uri=\"sip:cm\", response=\"0123\", algorithm=MD5, cnonce=\"c\", qop=auth, nc=0000001F";

    #[test]
    fn credentials_are_read_and_written_back() {
        let credentials = DigestCredentials::parse(FULL.as_bytes()).unwrap().unwrap();
        assert_eq!(&*credentials.user_name, b"SEP\"00");
        assert_eq!(&*credentials.realm, b"self,prov");
        let DigestQop::Auth {
            count, count_text, ..
        } = credentials.qop
        else {
            panic!("{credentials:?}");
        };
        assert_eq!((count, count_text), (31, &b"0000001F"[..]));
        let written = credentials.to_string();
        let again = DigestCredentials::parse(written.as_bytes())
            .unwrap()
            .unwrap();
        assert_eq!(again, credentials);
    }

    #[test]
    fn nonce_counts_are_eight_hexadecimal_digits() {
        let with = |count: &str| {
            let text = FULL.replace("0000001F", count);
            DigestCredentials::parse(text.as_bytes()).map(|_| ())
        };
        for good in ["00000001", "0000000a", "000000ff", "00000100", "ffffffff"] {
            assert_eq!(with(good), Ok(()), "{good}");
        }
        for bad in ["1", "000000001", "+0000001", "0000000g"] {
            assert!(with(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_missing_repeated_or_unknown_is_told_apart() {
        let parse =
            |text: &str| DigestCredentials::parse(text.as_bytes()).map(|found| found.is_some());
        assert_eq!(parse("NoOneKnowsThisScheme opaque-data=here"), Ok(false));
        assert_eq!(parse("Digestive x=y"), Ok(false));
        assert!(parse("Digest username=\"a\"").is_err());
        assert!(parse(&format!("{FULL}, nonce=\"n2\"")).is_err());
        assert!(parse(&FULL.replace("qop=auth", "qop=auth-int")).is_err());
        let other = FULL.replace("algorithm=MD5", "algorithm=SHA-512-256");
        let other = DigestCredentials::parse(other.as_bytes()).unwrap().unwrap();
        assert_eq!(other.algorithm, None);
    }

    #[test]
    fn a_challenge_is_read_back() {
        let challenge = Challenge::new("self\"prov", "n1", DigestAlgorithm::Sha256, true);
        let written = challenge.to_string();
        assert_eq!(
            Challenge::parse(written.as_bytes()).unwrap().unwrap(),
            challenge
        );
        let plain = Challenge::parse(b"Digest realm=r, nonce=\"n\"")
            .unwrap()
            .unwrap();
        assert!(!plain.qop_auth && !plain.stale);
        assert_eq!(plain.algorithm, Some(DigestAlgorithm::Md5));
    }
}
