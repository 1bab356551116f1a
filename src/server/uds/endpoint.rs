//! The URL that the screens point back at.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::domain::device::DeviceName;
use crate::server::http::Peer;
use crate::server::uds::screen::ScreenUrl;

pub use crate::domain::config_file::idle_url::SELF_PROVISION_PATH as PATH;

/// Longest host name that leaves room for a token in a URL of 256 bytes; a longer configured one
/// is refused at start.
pub const HOST_MAX: usize = 64;

/// What a value may keep unescaped. Source: RFC 3986 2.3.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The endpoint as one phone reached it: scheme, host and port of its request, and its name.
#[derive(Debug, Clone)]
pub struct Endpoint {
    base: String,
    separator: char,
}

impl Endpoint {
    /// The endpoint under the host the phone itself named, so that it is one that it can reach;
    /// under the address it connected to when the `Host` is missing or malformed.
    pub fn reached(peer: &Peer, host: Option<&str>, device: Option<&DeviceName>) -> Self {
        let mut base = base(peer, host);
        base.push_str(PATH);
        let mut separator = '?';
        if let Some(device) = device {
            base.push_str("?name=");
            base.push_str(device.as_str());
            separator = '&';
        }
        Self { base, separator }
    }

    /// The endpoint without parameters beyond the device's name: where the login form goes.
    ///
    /// The parts are so limited that it always fits.
    pub fn form(&self) -> ScreenUrl {
        self.with(&[]).unwrap_or_else(ScreenUrl::exit)
    }

    /// The endpoint with these parameters, or nothing when a phone could not take it.
    pub fn with(&self, parameters: &[(&str, &str)]) -> Option<ScreenUrl> {
        let mut url = String::with_capacity(256);
        url.push_str(&self.base);
        let mut separator = self.separator;
        for (name, value) in parameters {
            url.push(separator);
            url.push_str(name);
            url.push('=');
            url.extend(utf8_percent_encode(value, VALUE));
            separator = '&';
        }
        ScreenUrl::new(url)
    }

    /// The URL with these parameters, of which the second may be left out: it is when the URL would
    /// be too long with it.
    pub fn with_optional(&self, required: (&str, &str), optional: (&str, &str)) -> ScreenUrl {
        let with_both = (!optional.1.is_empty())
            .then(|| self.with(&[required, optional]))
            .flatten();
        with_both
            .or_else(|| self.with(&[required]))
            .unwrap_or_else(|| self.form())
    }
}

/// `scheme://host[:port]` under the host that a client itself named; under the address it connected
/// to when the `Host` is missing or malformed.
pub fn base(peer: &Peer, host: Option<&str>) -> String {
    let scheme = if peer.encrypted {
        "https://"
    } else {
        "http://"
    };
    let mut base = String::with_capacity(192);
    base.push_str(scheme);
    match host.filter(|host| is_host_and_port(host)) {
        Some(host) => base.push_str(host),
        None => base.push_str(&peer.local.to_string()),
    }
    base
}

/// Whether a `Host` can stand in a URL: a name or address of at most [`HOST_MAX`] characters, and
/// a port.
fn is_host_and_port(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => (None, port),
        Some(_) => return false,
        None => match text.find(':') {
            Some(colon) => {
                let (host, port) = text.split_at(colon);
                (Some(host), port)
            }
            None => (Some(text), ""),
        },
    };
    let host_fits =
        host.is_none_or(|host| (1..=HOST_MAX).contains(&host.len()) && host.bytes().all(allowed));
    let port_fits = port.is_empty()
        || port.strip_prefix(':').is_some_and(|digits| {
            (1..=5).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        });
    host_fits && port_fits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(encrypted: bool) -> Peer {
        Peer {
            address: "10.0.0.5:50000".parse().unwrap(),
            local: "10.0.0.1:8443".parse().unwrap(),
            encrypted,
            connection: 1,
        }
    }

    #[test]
    fn the_host_the_phone_named_is_used_when_it_is_one() {
        for host in ["cucm.example:8443", "10.0.0.1", "[2001:db8::1]:8443", "a_b"] {
            let url = Endpoint::reached(&peer(true), Some(host), None).form();
            assert_eq!(url.as_str(), format!("https://{host}{PATH}"));
        }
        let long = "h".repeat(65);
        let bad = [
            "", "a b", "a/b", "x:", "x:123456", "[::1", "[x]", "x\"", "user@x", &long,
        ];
        for host in bad {
            let url = Endpoint::reached(&peer(false), Some(host), None).form();
            assert_eq!(
                url.as_str(),
                format!("http://10.0.0.1:8443{PATH}"),
                "{host}"
            );
        }
    }

    #[test]
    fn parameters_are_escaped_and_an_optional_one_gives_way() {
        let device = "SEP0011AABBCCDD".parse().unwrap();
        let endpoint = Endpoint::reached(&peer(true), Some("x"), Some(&device));
        let url = endpoint.with_optional(("step", "login"), ("userid", "a b&c=ü"));
        assert_eq!(
            url.as_str(),
            format!("https://x{PATH}?name=SEP0011AABBCCDD&step=login&userid=a%20b%26c%3D%C3%BC")
        );
        let long = "ü".repeat(60);
        let url = endpoint.with_optional(("step", "login"), ("userid", &long));
        assert!(url.as_str().ends_with("step=login"));
        assert_eq!(endpoint.with(&[("token", &"x".repeat(256))]), None);
    }

    #[test]
    fn the_longest_host_and_device_leave_room_for_a_step() {
        let device = "x".repeat(DeviceName::LENGTH_MAX).parse().unwrap();
        let host = format!("{}:65535", "h".repeat(HOST_MAX));
        let endpoint = Endpoint::reached(&peer(true), Some(&host), Some(&device));
        assert!(endpoint.with(&[("step", "release-confirm")]).is_some());
    }
}
