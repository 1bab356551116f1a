//! The texts that settings hold: host names, networks, SIP targets, time zones.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// Defines a checked text with `as_str` and `Display`.
macro_rules! text {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A host name or an address without a port.
    ///
    /// At most [`HostName::LENGTH_MAX`] characters: a confirm URL with host and token must stay
    /// under the 256 bytes that a phone takes.
    HostName
}

impl HostName {
    /// Longest host name, in characters.
    pub const LENGTH_MAX: usize = 64;
}

impl FromStr for HostName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let is_name = !text.is_empty() && text.chars().all(allowed);
        if (is_name || text.parse::<IpAddr>().is_ok()) && text.len() <= Self::LENGTH_MAX {
            return Ok(Self(text.to_owned()));
        }
        Err("a host name or address has 1 to 64 letters, digits, '.', '-' or '_', and no port")
    }
}

text! {
    /// The name of a `CallManager` node: 1 to 50 letters, digits, `.`, `-` or `_`.
    NodeName
}

impl FromStr for NodeName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if (1..=50).contains(&text.len()) && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err("a node name has 1 to 50 letters, digits, '.', '-' or '_'")
    }
}

text! {
    /// A time zone of the IANA database, for example `Europe/Berlin`.
    TimeZoneName
}

impl FromStr for TimeZoneName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        jiff::tz::TimeZone::get(text)
            .map(|_| Self(text.to_owned()))
            .map_err(|_| "no such time zone; take a name such as UTC or Europe/Berlin")
    }
}

/// A network such as `10.1.0.0/16`; an address alone is the network of that address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Network {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse::<IpNet>();
        let network = network.or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        network
            .map(Self)
            .map_err(|_| "a network is written 10.1.0.0/16 or 2001:db8::/32")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_ports_or_too_long_are_refused() {
        assert!("voice.example.com".parse::<HostName>().is_ok());
        assert!("2001:db8::1".parse::<HostName>().is_ok());
        assert!("voice:8443".parse::<HostName>().is_err());
        assert!("x".repeat(65).parse::<HostName>().is_err());
    }

    #[test]
    fn an_address_alone_is_a_network_of_one() {
        assert_eq!(
            "10.1.2.3".parse::<Network>().unwrap().to_string(),
            "10.1.2.3/32"
        );
        assert_eq!(
            "10.1.0.0/16".parse::<Network>().unwrap().to_string(),
            "10.1.0.0/16"
        );
        assert!("10.1.0.0/33".parse::<Network>().is_err());
    }

    #[test]
    fn a_time_zone_must_exist() {
        assert!("Europe/Berlin".parse::<TimeZoneName>().is_ok());
        assert!("Europe/Atlantis".parse::<TimeZoneName>().is_err());
    }
}
