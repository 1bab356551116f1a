//! The client's own address behind a proxy that the administrator trusts: the PROXY protocol and
//! the header `Forwarded`. Pure functions over bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// The bytes that begin a PROXY header of version 2.
pub const PROXY_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Bytes of the fixed part: signature, version and command, family, length.
pub const PROXY_FIXED_BYTES: usize = 16;
/// Longest variable part that is read: addresses and a few extensions.
pub const PROXY_REST_BYTES_MAX: usize = 1_024;

/// Whether an address is in one of these networks, an IPv4 address inside IPv6 unwrapped.
pub fn is_trusted(address: IpAddr, trusted_proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    trusted_proxies
        .iter()
        .any(|network| network.contains(&address))
}

/// A PROXY header that is not one, or longer than anybody sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a PROXY protocol header of version 2")]
pub struct InvalidProxyHeader;

/// How many bytes follow the fixed part.
///
/// # Errors
///
/// [`InvalidProxyHeader`] for another signature or version, or more than
/// [`PROXY_REST_BYTES_MAX`].
///
/// Source: the PROXY protocol, section 2.2.
pub fn proxy_rest_bytes(fixed: &[u8; PROXY_FIXED_BYTES]) -> Result<usize, InvalidProxyHeader> {
    let [signature @ .., version, _, high, low] = fixed;
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let fits = *signature == PROXY_SIGNATURE && version >> 4 == 2 && length <= PROXY_REST_BYTES_MAX;
    fits.then_some(length).ok_or(InvalidProxyHeader)
}

/// The client that the proxy speaks for; nothing when it speaks for itself (a health check) or
/// for something that is not TCP over IP.
///
/// # Errors
///
/// [`InvalidProxyHeader`] when the addresses are cut short or the command is unknown.
pub fn proxied_client(
    fixed: &[u8; PROXY_FIXED_BYTES],
    rest: &[u8],
) -> Result<Option<SocketAddr>, InvalidProxyHeader> {
    let [.., version_and_command, family, _, _] = *fixed;
    let client = match (version_and_command & 0x0F, family) {
        (0x1, 0x11) => {
            let (address, ports) = addresses::<4>(rest)?;
            SocketAddr::new(IpAddr::V4(Ipv4Addr::from(address)), ports)
        }
        (0x1, 0x21) => {
            let (address, ports) = addresses::<16>(rest)?;
            SocketAddr::new(IpAddr::V6(Ipv6Addr::from(address)).to_canonical(), ports)
        }
        // Its own health check, or a protocol without addresses.
        (0x0 | 0x1, _) => return Ok(None),
        _ => return Err(InvalidProxyHeader),
    };
    Ok(Some(client))
}

/// Source address and source port of an address block with addresses of `N` bytes.
fn addresses<const N: usize>(rest: &[u8]) -> Result<([u8; N], u16), InvalidProxyHeader> {
    let (source, rest) = rest.split_first_chunk::<N>().ok_or(InvalidProxyHeader)?;
    let (_destination, rest) = rest.split_first_chunk::<N>().ok_or(InvalidProxyHeader)?;
    let (port, _) = rest.split_first_chunk::<2>().ok_or(InvalidProxyHeader)?;
    Ok((*source, u16::from_be_bytes(*port)))
}

/// The client that the last trusted proxy of a `Forwarded` header saw.
///
/// Elements are read from the right, where the nearest proxy wrote: those that name a trusted
/// proxy are passed over, the first other one is the client, whatever stands left of it.
///
/// Source: RFC 7239 clauses 4 to 6.
pub fn forwarded_client(header: &str, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    for element in header.rsplit(',') {
        let value = element.split(';').find_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            name.eq_ignore_ascii_case("for").then_some(value)
        })?;
        let address = node(value.trim().trim_matches('"'))?;
        if !is_trusted(address, trusted_proxies) {
            return Some(address);
        }
    }
    None
}

/// `192.0.2.43`, `192.0.2.43:47011`, `[2001:db8::17]:4711`; obfuscated names are none.
fn node(text: &str) -> Option<IpAddr> {
    let address = match text.strip_prefix('[') {
        Some(rest) => IpAddr::V6(rest.split(']').next()?.parse().ok()?),
        None => IpAddr::V4(text.split(':').next()?.parse().ok()?),
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trusted() -> Vec<IpNet> {
        vec![
            "10.0.0.0/24".parse().unwrap(),
            "2001:db8::/64".parse().unwrap(),
        ]
    }

    fn fixed(command: u8, family: u8, length: u16) -> [u8; PROXY_FIXED_BYTES] {
        let mut fixed = [0; PROXY_FIXED_BYTES];
        fixed[..12].copy_from_slice(&PROXY_SIGNATURE);
        fixed[12] = 0x20 | command;
        fixed[13] = family;
        fixed[14..].copy_from_slice(&length.to_be_bytes());
        fixed
    }

    #[test]
    fn a_proxy_header_names_the_client_of_either_family() {
        let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xC3, 0x50, 0x20, 0xFB];
        let head = fixed(1, 0x11, 12);
        assert_eq!(proxy_rest_bytes(&head), Ok(12));
        let client = proxied_client(&head, &v4).unwrap().unwrap();
        assert_eq!(client.to_string(), "192.0.2.7:50000");
        let mut v6 = Vec::new();
        v6.extend("2001:db8:1::7".parse::<Ipv6Addr>().unwrap().octets());
        v6.extend([0; 16]);
        v6.extend([0xC3, 0x50, 0, 0, 0x03, 0, 1, 9]);
        let client = proxied_client(&fixed(1, 0x21, 40), &v6).unwrap().unwrap();
        assert_eq!(client.to_string(), "[2001:db8:1::7]:50000");
        assert_eq!(
            proxied_client(&fixed(0, 0, 0), &[]),
            Ok(None),
            "the proxy's own check"
        );
    }

    #[test]
    fn a_cut_or_foreign_proxy_header_is_refused() {
        assert_eq!(
            proxied_client(&fixed(1, 0x11, 9), &[0; 9]),
            Err(InvalidProxyHeader)
        );
        assert_eq!(
            proxied_client(&fixed(2, 0x11, 12), &[0; 12]),
            Err(InvalidProxyHeader)
        );
        assert_eq!(
            proxy_rest_bytes(&fixed(1, 0x11, 1_025)),
            Err(InvalidProxyHeader)
        );
        let mut other = fixed(1, 0x11, 12);
        other[12] = 0x11;
        assert_eq!(proxy_rest_bytes(&other), Err(InvalidProxyHeader));
        other = fixed(1, 0x11, 12);
        other[0] = b'G';
        assert_eq!(proxy_rest_bytes(&other), Err(InvalidProxyHeader));
    }

    #[test]
    fn forwarded_is_believed_up_to_the_last_trusted_proxy() {
        let client = |header| forwarded_client(header, &trusted()).map(|ip| ip.to_string());
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(client("for=192.0.2.43"), some("192.0.2.43"));
        assert_eq!(
            client("For=\"192.0.2.43:47011\";proto=https"),
            some("192.0.2.43")
        );
        assert_eq!(
            client("for=\"[2001:db8:cafe::17]:4711\""),
            some("2001:db8:cafe::17")
        );
        assert_eq!(client("for=\"[::ffff:192.0.2.1]\""), some("192.0.2.1"));
        assert_eq!(
            client("for=1.2.3.4, for=192.0.2.43, for=10.0.0.9"),
            some("192.0.2.43")
        );
        for none in [
            "",
            "for=_hidden",
            "for=unknown",
            "proto=https",
            "for=10.0.0.9",
            "for=x,y",
        ] {
            assert_eq!(client(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_them_panic(
            head in any::<[u8; PROXY_FIXED_BYTES]>(),
            rest in prop::collection::vec(any::<u8>(), 0..64),
            header in any::<String>(),
        ) {
            let _ = proxy_rest_bytes(&head);
            let _ = proxied_client(&head, &rest);
            let _ = forwarded_client(&header, &trusted());
        }
    }
}
