//! What our Record-Route carries: the two ends of a call, so that requests within it find their way
//! without anything being kept, and nobody else can send requests through us.
//!
//! The bytes are signed together with the Call-ID. A request within a call goes to the end it names
//! and nowhere else, whatever its Request-URI and the rest of its Route say.
//! Source: RFC 3261 clause 16.6 step 4; the flows are those of RFC 5626 clause 5.2.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::device::DeviceName;
use crate::domain::registration::{Flow, Transport};
use crate::service::keys::{Keys, Purpose};

/// Bytes of the signature kept: enough for something that is tried over the network only.
const TAG_BYTES: usize = 12;

/// Bytes of the hash of the caller's tag.
const FROM_TAG_BYTES: usize = 4;

/// Longest token in characters: two ends of 50-character names over IPv6 stay below it.
const TOKEN_LENGTH_MAX: usize = 400;

/// Who is at one end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Party {
    /// A phone of ours, by its name.
    Device(DeviceName),
    /// A caller known by its address only: an emergency call from a phone that need not say who
    /// it is.
    Address,
    /// The PBX.
    Pbx,
    /// The emergency target.
    EmergencyTarget,
}

/// One end of a call and how it was reached when the call began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) party: Party,
    pub(super) flow: Flow,
}

/// Both ends of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RouteToken {
    from_tag: [u8; FROM_TAG_BYTES],
    pub(super) caller: End,
    pub(super) callee: End,
}

impl RouteToken {
    /// The ends of a call whose INVITE has this tag in From.
    pub(super) fn new(keys: &Keys, from_tag: &[u8], caller: End, callee: End) -> Self {
        Self {
            from_tag: hash_of_tag(keys, from_tag),
            caller,
            callee,
        }
    }

    /// Whether a request with this tag in From comes from the caller.
    pub(super) fn is_from_caller(&self, keys: &Keys, from_tag: &[u8]) -> bool {
        hash_of_tag(keys, from_tag) == self.from_tag
    }

    /// Whether this is a call to the emergency target.
    pub(super) fn is_of_emergency_call(&self) -> bool {
        let mut ends = [&self.caller, &self.callee].into_iter();
        ends.any(|end| end.party == Party::EmergencyTarget)
    }

    /// The token's text, of characters that a URI parameter may have.
    pub(super) fn seal(&self, keys: &Keys, call_id: &[u8]) -> String {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&self.from_tag);
        for end in [&self.caller, &self.callee] {
            write_end(&mut bytes, end);
        }
        let signature = keys.sign(Purpose::CallRoute, &signed(&bytes, call_id));
        let signature = signature.unwrap_or_default();
        bytes.extend(signature.iter().take(TAG_BYTES));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`RouteToken::seal`] gave for the same Call-ID; `None` for anything else.
    pub(super) fn open(keys: &Keys, call_id: &[u8], text: &[u8]) -> Option<Self> {
        if text.len() > TOKEN_LENGTH_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (bytes, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        if !keys.verify(Purpose::CallRoute, &signed(bytes, call_id), tag) {
            return None;
        }
        let mut rest = Reader(bytes);
        let from_tag = rest.array()?;
        let caller = read_end(&mut rest)?;
        let callee = read_end(&mut rest)?;
        rest.0.is_empty().then_some(Self {
            from_tag,
            caller,
            callee,
        })
    }
}

fn hash_of_tag(keys: &Keys, tag: &[u8]) -> [u8; FROM_TAG_BYTES] {
    let mut hash = [0; FROM_TAG_BYTES];
    if let Ok(signature) = keys.sign(Purpose::CallRoute, tag) {
        for (to, from) in hash.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
    }
    hash
}

fn signed(bytes: &[u8], call_id: &[u8]) -> Vec<u8> {
    // A byte that no Call-ID has stands between the two.
    [bytes, &[0], call_id].concat()
}

fn write_end(bytes: &mut Vec<u8>, end: &End) {
    let kind = match &end.party {
        Party::Device(_) => 0,
        Party::Address => 1,
        Party::Pbx => 2,
        Party::EmergencyTarget => 3,
    };
    bytes.push(kind);
    if let Party::Device(name) = &end.party {
        let name = name.as_str().as_bytes();
        // A name has 50 characters at most.
        bytes.push(u8::try_from(name.len()).unwrap_or(0));
        bytes.extend_from_slice(name);
    }
    let flow = &end.flow;
    bytes.push(match flow.transport {
        Transport::Udp => 0,
        Transport::Tcp => 1,
        Transport::Tls => 2,
    });
    write_address(bytes, flow.local);
    write_address(bytes, flow.remote);
    bytes.extend_from_slice(&flow.connection.to_be_bytes());
}

fn write_address(bytes: &mut Vec<u8>, address: SocketAddr) {
    match address.ip().to_canonical() {
        IpAddr::V4(ip) => {
            bytes.push(4);
            bytes.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            bytes.push(6);
            bytes.extend_from_slice(&ip.octets());
        }
    }
    bytes.extend_from_slice(&address.port().to_be_bytes());
}

/// Bytes that are taken from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
}

fn read_end(rest: &mut Reader<'_>) -> Option<End> {
    let party = match rest.byte()? {
        0 => {
            let length = rest.byte()?;
            let name = std::str::from_utf8(rest.take(length.into())?).ok()?;
            Party::Device(name.parse().ok()?)
        }
        1 => Party::Address,
        2 => Party::Pbx,
        3 => Party::EmergencyTarget,
        _ => return None,
    };
    let transport = match rest.byte()? {
        0 => Transport::Udp,
        1 => Transport::Tcp,
        2 => Transport::Tls,
        _ => return None,
    };
    let flow = Flow {
        transport,
        local: read_address(rest)?,
        remote: read_address(rest)?,
        connection: u64::from_be_bytes(rest.array()?),
    };
    Some(End { party, flow })
}

fn read_address(rest: &mut Reader<'_>) -> Option<SocketAddr> {
    let ip = match rest.byte()? {
        4 => IpAddr::V4(Ipv4Addr::from(rest.array::<4>()?)),
        6 => IpAddr::V6(Ipv6Addr::from(rest.array::<16>()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(rest.array()?)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::service::environment::{Clock, Entropy, Environment};

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> crate::domain::time::UnixMillis {
            crate::domain::time::UnixMillis(0)
        }
    }

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn keys() -> Keys {
        let environment = Environment::new(Arc::new(Fixed), Arc::new(Fixed));
        Keys::new(&[7; 32], environment).unwrap()
    }

    fn token(keys: &Keys) -> RouteToken {
        let flow = |remote: &str, transport| Flow {
            transport,
            local: "10.0.0.1:5060".parse().unwrap(),
            remote: remote.parse().unwrap(),
            connection: 1_700_000_000_000_001,
        };
        let caller = End {
            party: Party::Device("SEP0011AABBCC01".parse().unwrap()),
            flow: flow("10.0.0.9:49152", Transport::Tcp),
        };
        let callee = End {
            party: Party::Pbx,
            flow: flow("[2001:db8::7]:5060", Transport::Udp),
        };
        RouteToken::new(keys, b"tag1", caller, callee)
    }

    #[test]
    fn it_reads_back_for_its_own_call_and_tells_the_caller_by_the_tag() {
        let keys = keys();
        let token = token(&keys);
        let text = token.seal(&keys, b"call-1");
        assert!(text.len() < 200, "{}", text.len());
        assert_eq!(
            RouteToken::open(&keys, b"call-1", text.as_bytes()),
            Some(token.clone())
        );
        assert_eq!(RouteToken::open(&keys, b"call-2", text.as_bytes()), None);
        assert!(token.is_from_caller(&keys, b"tag1"));
        assert!(!token.is_from_caller(&keys, b"tag2"));
    }

    proptest! {
        #[test]
        fn a_changed_or_invented_token_is_nothing(index in 0_usize..120, change in 1_u8..255) {
            let keys = keys();
            let text = token(&keys).seal(&keys, b"c");
            let mut bytes = URL_SAFE_NO_PAD.decode(&text).unwrap();
            let index = index % bytes.len();
            bytes[index] ^= change;
            let forged = URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(RouteToken::open(&keys, b"c", forged.as_bytes()), None);
        }

        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(RouteToken::open(&keys(), b"c", &bytes), None);
            let text = URL_SAFE_NO_PAD.encode(&bytes);
            prop_assert_eq!(RouteToken::open(&keys(), b"c", text.as_bytes()), None);
            read_end(&mut Reader(&bytes));
        }
    }
}
