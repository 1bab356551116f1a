//! The Via header field: the way an answer goes back.

use std::net::{IpAddr, SocketAddr};

use super::error::MessageError;
use super::name::HeaderName;
use super::text::{CommaList, Params, is_token, number, split_around, trim, trim_start};
use super::uri::split_host_port;

/// What every branch made under RFC 3261 begins with. Source: clause 8.1.1.7.
const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

/// The port of a Via without one, over UDP and TCP. Source: RFC 3261 clause 18.2.2.
const DEFAULT_PORT: u16 = 5060;

/// One Via. Source: RFC 3261 clause 20.42.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// The transport's name as written, for example `UDP`.
    pub transport: &'a [u8],
    /// The host of `sent-by`.
    pub host: &'a [u8],
    /// The port of `sent-by`, when written.
    pub port: Option<u16>,
    /// The parameters: `branch`, `rport`, `received` and others.
    pub params: Params<'a>,
    /// The element as it stood in the message.
    pub raw: &'a [u8],
}

impl<'a> Via<'a> {
    /// Reads the first Via of a header value, and what follows its comma.
    ///
    /// # Errors
    ///
    /// [`MessageError::Malformed`] when the first element is not a Via.
    pub fn parse_first(value: &'a [u8]) -> Result<(Self, Option<&'a [u8]>), MessageError> {
        let (first, rest) = super::text::split_outside(value, b',')
            .ok_or(MessageError::Malformed(HeaderName::Via))?;
        let via = Self::read(trim(first)).ok_or(MessageError::Malformed(HeaderName::Via))?;
        Ok((via, rest))
    }

    /// Reads every Via of a header value.
    pub fn parse_all(value: &'a [u8]) -> impl Iterator<Item = Result<Self, MessageError>> {
        CommaList::new(value).map(|element| {
            element
                .and_then(Self::read)
                .ok_or(MessageError::Malformed(HeaderName::Via))
        })
    }

    fn read(raw: &'a [u8]) -> Option<Self> {
        let (name, rest) = split_around(raw, memchr::memchr(b'/', raw)?);
        let (version, rest) = split_around(rest, memchr::memchr(b'/', rest)?);
        if !trim(name).eq_ignore_ascii_case(b"SIP") || trim(version) != b"2.0" {
            return None;
        }
        let rest = trim_start(rest);
        let end = rest
            .iter()
            .position(|byte| super::text::is_white_space(*byte))?;
        let (transport, rest) = rest.split_at_checked(end)?;
        let end = memchr::memchr(b';', rest).unwrap_or(rest.len());
        let (sent_by, params) = rest.split_at_checked(end)?;
        let (host, port) = split_sent_by(trim(sent_by))?;
        let params = Params::parse(params)?;
        is_token(transport).then_some(Self {
            transport,
            host,
            port,
            params,
            raw,
        })
    }

    /// The branch, when there is one.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.params.get("branch")?.value
    }

    /// The branch when it alone names the transaction: it begins with the magic cookie and has
    /// something after it. Source: RFC 3261 clause 17.2.3, RFC 4475 clause 3.2.1.
    pub fn unique_branch(&self) -> Option<&'a [u8]> {
        self.branch()
            .filter(|branch| branch.len() > MAGIC_COOKIE.len() && branch.starts_with(MAGIC_COOKIE))
    }

    /// Whether the sender asks for answers at the port it sent from. Source: RFC 3581.
    pub fn wants_rport(&self) -> bool {
        self.params.get("rport").is_some()
    }

    /// Where the answer to a datagram from `source` goes: its address, and its port if the sender
    /// asked for that, else the port it wrote. `maddr` is not followed: it would let a sender
    /// aim answers at a third party. Source: RFC 3261 clause 18.2.2, RFC 3581 clause 4.
    pub fn answer_address(&self, mut source: SocketAddr) -> SocketAddr {
        if !self.wants_rport() {
            source.set_port(self.port.unwrap_or(DEFAULT_PORT));
        }
        source
    }

    /// Whether `sent-by` is this very address.
    pub fn is_from(&self, source: IpAddr) -> bool {
        let host = self.host.strip_prefix(b"[").unwrap_or(self.host);
        let host = host.strip_suffix(b"]").unwrap_or(host);
        let address = std::str::from_utf8(host)
            .ok()
            .and_then(|text| text.parse::<IpAddr>().ok());
        address == Some(source)
    }
}

/// Splits `host : port`, which in a Via may have white space around its colon.
fn split_sent_by(text: &[u8]) -> Option<(&[u8], Option<u16>)> {
    let colon = memchr::memrchr(b':', text);
    let spaced = text.iter().any(|byte| super::text::is_white_space(*byte));
    let Some(colon) = colon.filter(|_| spaced) else {
        return split_host_port(text);
    };
    let (host, port) = split_around(text, colon);
    let (host, none) = split_host_port(trim(host))?;
    let port = number(trim(port), u64::from(u16::MAX))?;
    none.is_none().then_some((host, u16::try_from(port).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(text: &str) -> Via<'_> {
        Via::parse_first(text.as_bytes()).unwrap().0
    }

    #[test]
    fn white_space_may_stand_around_every_separator() {
        let value =
            b"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 5070 ; branch\r\n = z9hG4bKx ,SIP/2.0/TCP h";
        let (first, rest) = Via::parse_first(value).unwrap();
        assert_eq!(
            (first.transport, first.host, first.port),
            (&b"UDP"[..], &b"192.0.2.2"[..], Some(5070))
        );
        assert_eq!(first.unique_branch(), Some(&b"z9hG4bKx"[..]));
        assert_eq!(rest, Some(&b"SIP/2.0/TCP h"[..]));
        assert_eq!(Via::parse_all(value).count(), 2);
        let six = via("SIP/2.0/TLS [2001:db8::9:1]:5061;rport");
        assert_eq!((six.host, six.port), (&b"[2001:db8::9:1]"[..], Some(5061)));
    }

    #[test]
    fn a_branch_without_content_names_nothing() {
        assert_eq!(via("SIP/2.0/UDP h;branch=z9hG4bK").unique_branch(), None);
        assert_eq!(via("SIP/2.0/UDP h;branch=1").unique_branch(), None);
        assert_eq!(via("SIP/2.0/UDP h").branch(), None);
    }

    #[test]
    fn answers_go_to_the_source_address_and_to_the_port_the_sender_chose() {
        let source: SocketAddr = "198.51.100.7:49152".parse().unwrap();
        let to = |text: &str| via(text).answer_address(source).to_string();
        assert_eq!(
            to("SIP/2.0/UDP 10.0.0.1:5070;branch=a"),
            "198.51.100.7:5070"
        );
        assert_eq!(
            to("SIP/2.0/UDP 10.0.0.1;branch=a;maddr=192.0.2.9"),
            "198.51.100.7:5060"
        );
        assert_eq!(
            to("SIP/2.0/UDP 10.0.0.1:5070;rport;branch=a"),
            "198.51.100.7:49152"
        );
        assert!(via("SIP/2.0/UDP 198.51.100.7:5060").is_from(source.ip()));
        assert!(!via("SIP/2.0/UDP phone.example").is_from(source.ip()));
    }

    #[test]
    fn a_malformed_via_is_refused() {
        for bad in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ;branch=x",
            "SIP/7.0/UDP h",
            "HTTP/2.0/UDP h",
            "SIP/2.0/UDP 192.0.2.15;;,;,,",
            "SIP/2.0/UDP h:port",
            "SIP/2.0/U@P h",
            "SIP/2.0/UDP h \"",
        ] {
            assert!(Via::parse_first(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
