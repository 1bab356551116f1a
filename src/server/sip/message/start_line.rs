//! The first line of a message.

use super::error::MessageError;
use super::status::Status;
use super::text::{is_token, number, split_around};
use super::uri::{Scheme, Uri};

/// The only version. Source: RFC 3261 clause 7.1.
pub(super) const VERSION: &[u8] = b"SIP/2.0";

/// A request's method; names compare with regard to case (RFC 3261 clause 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the method of that name")]
pub enum Method<'a> {
    Ack,
    Bye,
    Cancel,
    Info,
    Invite,
    Message,
    Notify,
    Options,
    Prack,
    Publish,
    Refer,
    Register,
    Subscribe,
    Update,
    /// A method the program has no name for.
    Other(&'a [u8]),
}

impl<'a> Method<'a> {
    /// The method of this name; `None` when the name is not a token.
    pub fn parse(name: &'a [u8]) -> Option<Self> {
        Some(match name {
            b"REGISTER" => Self::Register,
            b"OPTIONS" => Self::Options,
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"NOTIFY" => Self::Notify,
            b"REFER" => Self::Refer,
            b"SUBSCRIBE" => Self::Subscribe,
            b"PUBLISH" => Self::Publish,
            b"MESSAGE" => Self::Message,
            b"INFO" => Self::Info,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            _ => return is_token(name).then_some(Self::Other(name)),
        })
    }

    /// Whether requests of this method begin, change or end calls.
    pub(super) const fn is_of_calls(self) -> bool {
        matches!(
            self,
            Self::Invite
                | Self::Ack
                | Self::Cancel
                | Self::Bye
                | Self::Prack
                | Self::Update
                | Self::Info
        )
    }

    /// The name.
    pub const fn as_bytes(self) -> &'a [u8] {
        match self {
            Self::Ack => b"ACK",
            Self::Bye => b"BYE",
            Self::Cancel => b"CANCEL",
            Self::Info => b"INFO",
            Self::Invite => b"INVITE",
            Self::Message => b"MESSAGE",
            Self::Notify => b"NOTIFY",
            Self::Options => b"OPTIONS",
            Self::Prack => b"PRACK",
            Self::Publish => b"PUBLISH",
            Self::Refer => b"REFER",
            Self::Register => b"REGISTER",
            Self::Subscribe => b"SUBSCRIBE",
            Self::Update => b"UPDATE",
            Self::Other(name) => name,
        }
    }
}

/// The first line, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StartLine<'a> {
    /// Method and Request-URI.
    Request {
        method: Method<'a>,
        uri: Uri<'a>,
        raw_uri: &'a [u8],
    },
    /// Status and reason phrase.
    Response { status: Status, reason: &'a [u8] },
}

/// What the first line looks like before it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Ends in a SIP version.
    Request,
    /// Begins with a SIP version.
    Response,
    /// Neither.
    NotSip,
}

/// Tells requests from responses and from what is not SIP, so that a broken one is answered or
/// dropped as fits.
pub(super) fn kind_of(line: &[u8]) -> Kind {
    let last = line.trim_ascii().rsplit(|byte| *byte == b' ').next();
    if begins_with_version(line) {
        Kind::Response
    } else if last.is_some_and(begins_with_version) {
        Kind::Request
    } else {
        Kind::NotSip
    }
}

/// Whether this begins as a SIP version does: a message that does is a response, never answered.
pub(super) fn begins_with_version(text: &[u8]) -> bool {
    text.get(..4)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"SIP/"))
        && text.get(4).is_some_and(u8::is_ascii_digit)
}

/// The method of a request line, however broken the rest is.
pub(super) fn method_of(line: &[u8]) -> &[u8] {
    line.split(|byte| *byte == b' ').next().unwrap_or_default()
}

impl<'a> StartLine<'a> {
    /// Reads a request line or a status line: single spaces, nothing around them.
    ///
    /// # Errors
    ///
    /// [`MessageError`] with the status that the sender of a request should get.
    pub(super) fn parse(line: &'a [u8]) -> Result<Self, MessageError> {
        match kind_of(line) {
            Kind::Request => Self::parse_request(line),
            Kind::Response => Self::parse_response(line),
            Kind::NotSip => Err(MessageError::NotSip),
        }
    }

    fn parse_request(line: &'a [u8]) -> Result<Self, MessageError> {
        let mut parts = line.split(|byte| *byte == b' ');
        let (Some(method), Some(raw_uri), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(MessageError::StartLine);
        };
        if !version.eq_ignore_ascii_case(VERSION) {
            return Err(MessageError::Version);
        }
        let method = Method::parse(method).ok_or(MessageError::StartLine)?;
        let uri = Uri::parse(raw_uri)?;
        if !may_ask_for(method, uri.scheme) {
            return Err(MessageError::UriScheme);
        }
        // Header fields in a Request-URI are forbidden: RFC 3261 clause 19.1.1, table 1.
        if uri.headers.is_some() {
            return Err(MessageError::Uri);
        }
        Ok(Self::Request {
            method,
            uri,
            raw_uri,
        })
    }

    fn parse_response(line: &'a [u8]) -> Result<Self, MessageError> {
        let space = memchr::memchr(b' ', line).ok_or(MessageError::StartLine)?;
        let (version, rest) = split_around(line, space);
        if !version.eq_ignore_ascii_case(VERSION) {
            return Err(MessageError::Version);
        }
        // The space after the code is part of the grammar; some senders leave it out.
        let end = memchr::memchr(b' ', rest).unwrap_or(rest.len());
        let (code, reason) = split_around(rest, end);
        let status = number(code, 699)
            .filter(|_| code.len() == 3)
            .and_then(|code| u16::try_from(code).ok())
            .and_then(Status::from_code)
            .ok_or(MessageError::StartLine)?;
        Ok(Self::Response { status, reason })
    }
}

/// Whether a request may name whom it is for so: a call may be for a number or an emergency
/// service, and what belongs to its INVITE repeats that.
fn may_ask_for(method: Method<'_>, scheme: Scheme) -> bool {
    match scheme {
        Scheme::Sip | Scheme::Sips => true,
        Scheme::Tel | Scheme::EmergencyService => {
            matches!(method, Method::Invite | Method::Ack | Method::Cancel)
        }
        Scheme::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(line: &str) -> MessageError {
        StartLine::parse(line.as_bytes()).unwrap_err()
    }

    #[test]
    fn request_lines_are_read_strictly() {
        let line = StartLine::parse(b"REGISTER sip:cm SIP/2.0").unwrap();
        assert!(matches!(
            line,
            StartLine::Request {
                method: Method::Register,
                raw_uri: b"sip:cm",
                ..
            }
        ));
        assert_eq!(error("INVITE  sip:a@h  SIP/2.0"), MessageError::StartLine);
        assert_eq!(error("OPTIONS sip:a@h SIP/2.0  "), MessageError::StartLine);
        assert_eq!(error("INVITE sip:a@h; lr SIP/2.0"), MessageError::StartLine);
        assert_eq!(error("IN@ITE sip:a@h SIP/2.0"), MessageError::StartLine);
        assert_eq!(error("INVITE <sip:a@h> SIP/2.0"), MessageError::Uri);
        assert_eq!(error("INVITE sip:a@h?Route=x SIP/2.0"), MessageError::Uri);
        assert_eq!(
            error("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
            MessageError::UriScheme
        );
        assert_eq!(error("OPTIONS sip:a@h SIP/7.0"), MessageError::Version);
        assert_eq!(error("GET / HTTP/1.1"), MessageError::NotSip);
        assert_eq!(error(""), MessageError::NotSip);
    }

    #[test]
    fn status_lines_are_read() {
        let line = StartLine::parse(b"SIP/2.0 100 ").unwrap();
        assert_eq!(
            line,
            StartLine::Response {
                status: Status::TRYING,
                reason: b""
            }
        );
        let line = StartLine::parse(b"SIP/2.0 200 = 2**3 * 5**2 \xd0").unwrap();
        assert_eq!(
            line,
            StartLine::Response {
                status: Status::OK,
                reason: b"= 2**3 * 5**2 \xd0"
            }
        );
        for bad in [
            "SIP/2.0 4294967301 x",
            "SIP/2.0 99 x",
            "SIP/2.0 700 x",
            "SIP/2.0  200 OK",
        ] {
            assert_eq!(error(bad), MessageError::StartLine, "{bad}");
        }
    }

    #[test]
    fn methods_compare_with_regard_to_case() {
        assert_eq!(Method::parse(b"REGISTER"), Some(Method::Register));
        assert_eq!(Method::parse(b"register"), Some(Method::Other(b"register")));
        assert_eq!(
            Method::parse(b"RE%47IST%45R"),
            Some(Method::Other(b"RE%47IST%45R"))
        );
        assert_eq!(Method::parse(b""), None);
    }
}
