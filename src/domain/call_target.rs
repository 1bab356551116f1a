//! Where calls are sent that are not for a phone here: a PBX or a gateway.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::registration::Transport;

/// The port of a target that names none. Source: RFC 3261 clause 19.1.2.
const DEFAULT_PORT: u16 = 5060;

/// Longest target, in characters: a host name has 253 at most.
const LENGTH_MAX: usize = 255;

/// A SIP server as an administrator names it: `host`, `host:port`, or a `sip:` URI with an optional
/// user and an optional `;transport=udp` or `;transport=tcp`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallTarget {
    user: Option<Box<str>>,
    host: Box<str>,
    port: Option<u16>,
    transport: Transport,
}

impl CallTarget {
    /// The user part that replaces the number dialled; `None`: the number itself.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Host name or address, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(DEFAULT_PORT)
    }

    /// UDP unless the target says TCP.
    pub const fn transport(&self) -> Transport {
        self.transport
    }

    /// The URI by which a call to `dialled` asks for it there.
    pub fn uri(&self, dialled: &str) -> String {
        let user = self.user().unwrap_or(dialled);
        let transport = match self.transport {
            Transport::Udp => "",
            Transport::Tcp | Transport::Tls => ";transport=tcp",
        };
        format!("sip:{user}@{}{transport}", self.host_port())
    }

    fn host_port(&self) -> String {
        let host = match self.host.parse::<IpAddr>() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => self.host.to_string(),
        };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }
}

impl fmt::Display for CallTarget {
    /// Writes the shortest text that reads back as this target.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.user, self.transport) {
            (None, Transport::Udp) => f.write_str(&self.host_port()),
            (Some(user), _) => f.write_str(&self.uri(user)),
            (None, _) => write!(f, "sip:{};transport=tcp", self.host_port()),
        }
    }
}

/// The text names no place that calls can be sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a SIP target is host, host:port or sip:user@host:port, with ;transport=tcp where TCP is \
     wanted (sips and TLS are not supported towards a PBX)"
)]
pub struct InvalidCallTarget;

impl FromStr for CallTarget {
    type Err = InvalidCallTarget;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text).ok_or(InvalidCallTarget)
    }
}

fn read(text: &str) -> Option<CallTarget> {
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '?' | '\'');
    if !(1..=LENGTH_MAX).contains(&text.len()) || !text.chars().all(is_plain) {
        return None;
    }
    let rest = match text.split_at_checked(4) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("sip:") => rest,
        // Not a host named `tel` with the number as its port.
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("tel:") => return None,
        _ => text,
    };
    let (address, parameters) = rest.split_once(';').unwrap_or((rest, ""));
    let transport = read_transport(parameters)?;
    let (user, host_port) = match address.split_once('@') {
        Some((user, host_port)) => (Some(user), host_port),
        None => (None, address),
    };
    let user_ok = |user: &str| !user.is_empty() && !user.contains(['@', ':']);
    if user.is_some_and(|user| !user_ok(user)) {
        return None;
    }
    let (host, port) = split_host_port(host_port)?;
    Some(CallTarget {
        user: user.map(Into::into),
        host: host.into(),
        port,
        transport,
    })
}

fn read_transport(parameters: &str) -> Option<Transport> {
    let mut transport = Transport::Udp;
    for parameter in parameters.split(';').filter(|one| !one.is_empty()) {
        let (name, value) = parameter.split_once('=')?;
        if !name.eq_ignore_ascii_case("transport") {
            return None;
        }
        transport = Transport::from_word(&value.to_ascii_lowercase())?;
    }
    (transport != Transport::Tls).then_some(transport)
}

/// Reads `host`, `host:port`, `[address]:port` or an IPv6 address alone.
fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    if let Ok(IpAddr::V6(_)) = text.parse() {
        return Some((text, None));
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']')?;
        let IpAddr::V6(_) = address.parse().ok()? else {
            return None;
        };
        return match port {
            "" => Some((address, None)),
            port => Some((address, Some(read_port(port.strip_prefix(':')?)?))),
        };
    }
    let host_ok = |host: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !host.is_empty() && host.chars().all(plain)
    };
    let (host, port) = match text.split_once(':') {
        None => (text, None),
        Some((host, port)) => (host, Some(read_port(port)?)),
    };
    host_ok(host).then_some((host, port))
}

/// A port from 1 on.
fn read_port(port: &str) -> Option<u16> {
    port.parse().ok().filter(|port| *port != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> CallTarget {
        text.parse().unwrap()
    }

    #[test]
    fn hosts_ports_users_and_transports_are_read() {
        let plain = target("pbx.example.com");
        assert_eq!((plain.host(), plain.port()), ("pbx.example.com", 5060));
        assert_eq!(plain.uri("1004"), "sip:1004@pbx.example.com");
        let tcp = target("SIP:pbx.example.com:5080;transport=TCP");
        assert_eq!((tcp.port(), tcp.transport()), (5080, Transport::Tcp));
        assert_eq!(
            tcp.uri("1004"),
            "sip:1004@pbx.example.com:5080;transport=tcp"
        );
        let user = target("sip:112@10.0.0.7");
        assert_eq!(user.uri("911"), "sip:112@10.0.0.7");
        for six in ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:5060"] {
            assert_eq!(
                (target(six).host(), target(six).port()),
                ("2001:db8::7", 5060)
            );
        }
        assert_eq!(target("2001:db8::7").uri("1"), "sip:1@[2001:db8::7]");
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in [
            "pbx",
            "pbx:5080",
            "[2001:db8::7]:5080",
            "sip:pbx;transport=tcp",
            "sip:112@pbx:5080;transport=tcp",
            "sip:112@pbx",
        ] {
            assert_eq!(target(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_place_for_calls_is_refused() {
        for bad in [
            "",
            "sips:pbx",
            "tel:112",
            "pbx:0",
            "pbx:99999",
            "pbx:port",
            "a b",
            "sip:@pbx",
            "sip:a:b@pbx",
            "pbx;transport=tls",
            "pbx;maddr=1.2.3.4",
            "[10.0.0.1]",
            "[::1]x",
            "pbx>",
        ] {
            assert_eq!(bad.parse::<CallTarget>(), Err(InvalidCallTarget), "{bad}");
        }
    }
}
