//! What counts as one source where a limit is set for each.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv6Addr;

/// The part of the network that one host can speak for: an IPv4 address, or the /64 of an IPv6
/// address, all of whose addresses any host on that link may take.
///
/// Source: RFC 4291 clause 2.5.4 (interface identifiers are 64 bits), RFC 8981 (hosts change theirs).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceNetwork(IpAddr);

impl SourceNetwork {
    /// The source that an address belongs to; an IPv4 address inside IPv6 is the IPv4 address.
    pub const fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(address) => {
                let network = address.to_bits() & !(u64::MAX as u128);
                Self(IpAddr::V6(Ipv6Addr::from_bits(network)))
            }
            address @ IpAddr::V4(_) => Self(address),
        }
    }
}

impl fmt::Display for SourceNetwork {
    /// An IPv4 address as it is; a /64 by its first address and its length.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(address) => address.fmt(formatter),
            IpAddr::V6(network) => write!(formatter, "{network}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(address: &str) -> SourceNetwork {
        SourceNetwork::of(address.parse().unwrap())
    }

    #[test]
    fn an_ipv6_host_has_a_64_and_an_ipv4_host_its_address() {
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:ffff:ffff:ffff"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_eq!(of("192.0.2.1").to_string(), "192.0.2.1");
        assert_eq!(of("2001:db8:0:1::9").to_string(), "2001:db8:0:1::/64");
    }
}
