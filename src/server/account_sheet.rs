//! The account sheet: a device's SIP accounts as text, to be typed into a DECT base or another SIP
//! device. Shared by the doors that show it.

use std::fmt::Write as _;

use crate::domain::config_file::Transport;
use crate::domain::config_file::account::{Account, DeviceAccounts};
use crate::domain::secret::Secret;

/// Writes the sheet for devices of this digest realm.
pub fn write(device: &DeviceAccounts, realm: &str) -> Secret {
    let mut text = format!(
        "SIP accounts of {}\n{}\n\n",
        device.device_name, device.product
    );
    let mut row = |name: &str, value: &str| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<22}{}", printable(value));
    };
    for (index, registrar) in device.registrars.iter().enumerate() {
        let name = match index {
            0 => "Registrar and proxy".to_owned(),
            other => format!("Alternate {other}"),
        };
        let port = match device.transport {
            Transport::Tls => registrar.sip_secure_port,
            Transport::Tcp | Transport::Udp | Transport::TcpAndUdp => registrar.sip_port,
        };
        row(&name, &format!("{}, port {port}", registrar.host));
    }
    row("Transport", transport(device.transport));
    row("Realm", realm);
    let algorithms: Vec<&str> = device
        .digest_algorithms
        .iter()
        .map(|algorithm| algorithm.as_str())
        .collect();
    row("Digest algorithm", &algorithms.join(" or "));
    row(
        "Registration expires",
        &format!("{} s", device.register_expires_s),
    );
    if device.accounts.is_empty() {
        row("Lines", "none yet");
    }
    for account in &device.accounts {
        line(&mut text, account);
    }
    Secret::new(text)
}

fn line(text: &mut String, account: &Account) {
    let password = account
        .secret
        .as_ref()
        .map_or("(none: set the digest credentials anew)", Secret::reveal);
    // Writing to a String cannot fail.
    let _ = writeln!(text, "\nLine {}", account.index);
    for (name, value) in [
        ("User name (number)", account.number.as_str()),
        ("Authentication user", &account.user_name),
        ("Password", password),
        ("Display name", &account.display_name),
        ("Label", &account.label),
    ] {
        let _ = writeln!(text, "  {name:<20}{}", printable(value));
    }
}

const fn transport(transport: Transport) -> &'static str {
    match transport {
        Transport::Tcp => "TCP",
        Transport::Udp => "UDP",
        Transport::Tls => "TLS",
        Transport::TcpAndUdp => "UDP or TCP",
    }
}

/// A name can hold anything; on a sheet it stays on its line.
fn printable(text: &str) -> String {
    let on_line = |character: char| {
        if character.is_control() {
            ' '
        } else {
            character
        }
    };
    text.chars().map(on_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::config_file::account::Registrar;
    use crate::domain::pkid::Pkid;
    use crate::domain::sip_digest::DigestAlgorithm;

    fn device(transport: Transport) -> DeviceAccounts {
        let registrar = |host: &str| Registrar {
            host: host.to_owned(),
            sip_port: 5060,
            sip_secure_port: 5061,
        };
        let account = |index, number: &str, secret: Option<Secret>| Account {
            index,
            number: number.to_owned(),
            display_name: "Ward 7\nPassword  forged".to_owned(),
            label: number.to_owned(),
            user_name: "rsrc.sp.000011116666".to_owned(),
            secret,
        };
        DeviceAccounts {
            device_name: "dect-7".parse().unwrap(),
            product: "Third-party SIP Device (Advanced)",
            line_buttons: 8,
            digest_algorithms: &[DigestAlgorithm::Sha256, DigestAlgorithm::Md5],
            registrars: vec![registrar("voice.example.net"), registrar("192.0.2.11")],
            transport,
            register_expires_s: 3_600,
            ntp_servers: Vec::new(),
            accounts: vec![
                account(1, "2001", Some(Secret::from("not-a-real-secret"))),
                account(2, "2002", None),
            ],
            version_stamp: Pkid::from_u128(1),
            warnings: Vec::new(),
        }
    }

    #[test]
    fn golden_account_sheet_says_what_to_type_where() {
        let written = write(&device(Transport::TcpAndUdp), "ccmsipline");
        assert!(format!("{written:?}").contains("redacted"));
        let path = std::path::Path::new("tests/golden/account-sheet.txt");
        if std::env::var_os("SELFPROV_WRITE_GOLDEN").is_some() {
            std::fs::write(path, written.reveal()).unwrap();
        }
        let expected = std::fs::read_to_string(path).unwrap_or_default();
        assert_eq!(written.reveal(), expected);
    }

    #[test]
    fn a_sheet_for_tls_names_its_port_and_one_without_lines_says_so() {
        let mut device = device(Transport::Tls);
        device.accounts.clear();
        let written = write(&device, "ccmsipline");
        assert!(written.reveal().contains("voice.example.net, port 5061"));
        assert!(written.reveal().contains("none yet"));
    }
}
