//! The lines that make a DHCP server lead phones here: option 150 (Cisco's list of addresses) and
//! option 66 (RFC 2132, one name).

use std::net::IpAddr;

/// The lines for the usual servers, for a file server at `address` that is also called `host`.
pub fn lines(address: IpAddr, host: &str) -> String {
    let option_150 = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(_) => return ipv6(host),
    };
    format!(
        "  ISC dhcpd   option cisco-tftp code 150 = array of ip-address;
              option cisco-tftp {option_150};
              option tftp-server-name \"{host}\";
  Kea         \"option-def\": [{{\"name\": \"cisco-tftp\", \"code\": 150, \"type\": \"ipv4-address\", \"array\": true, \"space\": \"dhcp4\"}}],
              \"option-data\": [{{\"name\": \"cisco-tftp\", \"data\": \"{option_150}\"}},
                              {{\"name\": \"tftp-server-name\", \"data\": \"{host}\"}}]
  dnsmasq     dhcp-option=150,{option_150}
              dhcp-option=66,\"{host}\"
  Cisco IOS   option 150 ip {option_150}"
    )
}

/// Option 150 holds IPv4 addresses only.
fn ipv6(host: &str) -> String {
    format!("  option 66 (tftp-server-name) \"{host}\"; option 150 holds IPv4 addresses only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_server_gets_its_lines() {
        let text = lines("192.0.2.10".parse().unwrap(), "voice.example.com");
        for expected in [
            "option cisco-tftp 192.0.2.10;",
            "\"code\": 150",
            "dhcp-option=150,192.0.2.10",
            "dhcp-option=66,\"voice.example.com\"",
            "option 150 ip 192.0.2.10",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
        assert!(lines("2001:db8::1".parse().unwrap(), "h").contains("IPv4 addresses only"));
    }
}
