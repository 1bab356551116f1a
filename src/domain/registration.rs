//! How a phone is reached: the transport and the flow its REGISTER came on.

use std::fmt;
use std::net::SocketAddr;
use std::net::SocketAddrV4;
use std::net::SocketAddrV6;

/// The transport below SIP. Source: RFC 3261 clause 18 and 26.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One datagram, one message.
    Udp,
    /// A stream; the answer and later requests go on the same connection.
    Tcp,
    /// TCP under TLS.
    Tls,
}

impl Transport {
    /// The word that stands in the database and in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// Reads the word that [`Transport::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Udp, Self::Tcp, Self::Tls]
            .into_iter()
            .find(|transport| transport.as_str() == word)
    }

    /// Whether the transport itself delivers or reports failure, so that nothing is sent twice.
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a message came from and where later requests to the same phone go.
///
/// Over TCP and TLS the flow *is* the connection: another connection from the same address is
/// another flow. Source: RFC 5626 clause 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// Our end.
    pub local: SocketAddr,
    /// The phone's end, as our socket sees it. Over UDP this is where answers go: the source
    /// address, with the port of the topmost Via when the phone did not ask for `rport`
    /// (RFC 3261 clause 18.2.2, RFC 3581 clause 4).
    pub remote: SocketAddr,
    /// The connection's number on this node, never given twice; 0 for UDP.
    pub connection: u64,
}

impl Flow {
    /// Whether `other` can speak for the phone behind this flow: over TCP and TLS only the same
    /// connection, over UDP the same address and port at both ends.
    pub fn is_same_flow(&self, other: &Self) -> bool {
        self == other
    }
}

/// The [`Flow`] of a binding. A large site has tens of thousands of them: IPv4 addresses stand in
/// place, and only longer ones in memory of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundFlow {
    transport: Transport,
    local: Endpoint,
    remote: Endpoint,
    connection: u64,
}

/// An address with its port.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Endpoint {
    V4(SocketAddrV4),
    V6(Box<SocketAddrV6>),
}

impl BoundFlow {
    /// The flow itself.
    pub fn to_flow(&self) -> Flow {
        Flow {
            transport: self.transport,
            local: self.local.address(),
            remote: self.remote.address(),
            connection: self.connection,
        }
    }
}

impl From<Flow> for BoundFlow {
    fn from(flow: Flow) -> Self {
        Self {
            transport: flow.transport,
            local: Endpoint::new(flow.local),
            remote: Endpoint::new(flow.remote),
            connection: flow.connection,
        }
    }
}

impl Endpoint {
    fn new(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(address) => Self::V4(address),
            SocketAddr::V6(address) => Self::V6(Box::new(address)),
        }
    }

    fn address(&self) -> SocketAddr {
        match self {
            Self::V4(address) => SocketAddr::V4(*address),
            Self::V6(address) => SocketAddr::V6(**address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binding_keeps_the_whole_flow() {
        for remote in [
            "10.0.0.9:5060",
            "[fe80::7%3]:5060",
            "[::ffff:10.0.0.9]:5061",
        ] {
            let flow = Flow {
                transport: Transport::Tls,
                local: "[::]:5061".parse().unwrap(),
                remote: remote.parse().unwrap(),
                connection: 7,
            };
            assert_eq!(BoundFlow::from(flow).to_flow(), flow);
        }
    }

    #[test]
    fn a_transport_is_read_back_from_its_word() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Tls] {
            assert_eq!(Transport::from_word(transport.as_str()), Some(transport));
        }
        assert_eq!(Transport::from_word("sctp"), None);
        assert!(!Transport::Udp.is_reliable() && Transport::Tls.is_reliable());
    }

    #[test]
    fn another_connection_from_the_same_address_is_another_flow() {
        let flow = Flow {
            transport: Transport::Tcp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "127.0.0.1:40000".parse().unwrap(),
            connection: 1,
        };
        assert!(flow.is_same_flow(&flow));
        assert!(!flow.is_same_flow(&Flow {
            connection: 2,
            ..flow
        }));
    }
}
