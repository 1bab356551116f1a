//! The SIP accounts of a device that is found by its account: what its profile or its account sheet
//! says.

use super::FileWarning;
use super::Transport;
use super::assemble::SystemValues;
use super::assemble::registrars::registrars;
use super::assemble::signalling;
use super::incomplete::Incomplete;
use super::referred::Referred;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::sip_digest::DigestAlgorithm;

/// What a device of another kind is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceAccounts {
    /// Its name.
    pub device_name: DeviceName,
    /// Product name of its model.
    pub product: &'static str,
    /// Lines that its model has.
    pub line_buttons: u8,
    /// What it is challenged with, the strongest first.
    pub digest_algorithms: &'static [DigestAlgorithm],
    /// Where it registers, in the order in which it tries them.
    pub registrars: Vec<Registrar>,
    /// SIP transport.
    pub transport: Transport,
    /// Registration lifetime that it asks for, in seconds.
    pub register_expires_s: u32,
    /// Time servers.
    pub ntp_servers: Vec<String>,
    /// One account a line.
    pub accounts: Vec<Account>,
    /// Changes whenever the settings change.
    pub version_stamp: Pkid,
    /// What had to be changed or left out.
    pub warnings: Vec<FileWarning>,
}

/// A registrar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrar {
    /// Host name or address.
    pub host: String,
    /// Port over UDP and TCP.
    pub sip_port: u16,
    /// Port over TLS.
    pub sip_secure_port: u16,
}

impl Registrar {
    /// `host:port` for this transport, an IPv6 address in brackets.
    pub fn address(&self, transport: Transport) -> String {
        let port = match transport {
            Transport::Tls => self.sip_secure_port,
            Transport::Tcp | Transport::Udp | Transport::TcpAndUdp => self.sip_port,
        };
        if self.host.contains(':') {
            format!("[{}]:{port}", self.host)
        } else {
            format!("{}:{port}", self.host)
        }
    }
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Position; 1 is the first line.
    pub index: u8,
    /// User part of From and To: the directory number.
    pub number: String,
    /// Display name in calls.
    pub display_name: String,
    /// Text beside the button.
    pub label: String,
    /// Digest user name.
    pub user_name: String,
    /// Digest secret; `None` where it is withheld or cannot be used.
    pub secret: Option<Secret>,
}

/// Makes the accounts of a device. Without `secret` they lack it and are otherwise the same.
///
/// # Errors
///
/// [`Incomplete`] when the catalogue lacks an object that the device refers to.
pub fn device_accounts(
    phone: &Phone,
    catalogue: &Catalogue,
    system: &SystemValues,
    secret: Option<&Secret>,
) -> Result<DeviceAccounts, Incomplete> {
    let mut warnings = Vec::new();
    let referred = Referred::new(&phone.configuration, catalogue)?;
    let group = referred.call_manager_group()?;
    // Such a device has no device security mode: nothing of what phones are warned about is its.
    let (_, transport) = signalling::of_device(referred.security_profile()?, true, &mut Vec::new());
    let model = phone.known_model();
    let usable = secret.filter(|secret| is_usable(secret));
    if secret.is_some() && usable.is_none() {
        warnings.push(FileWarning::SecretUnusable);
    }
    let members = registrars(phone, group, catalogue, system, &mut warnings)?;
    Ok(DeviceAccounts {
        device_name: phone.name.clone(),
        product: model.map_or("unknown model", |model| model.product),
        line_buttons: model.map_or(0, |model| model.line_buttons),
        digest_algorithms: model.map_or(&[DigestAlgorithm::Md5], PhoneModel::digest_algorithms),
        registrars: members
            .members()
            .iter()
            .map(|member| Registrar {
                host: member.process_node_name.to_owned(),
                sip_port: member.sip_port,
                sip_secure_port: member.secured_sip_port,
            })
            .collect(),
        transport,
        register_expires_s: referred.sip_profile()?.register_expires_s,
        ntp_servers: referred.date_time_group()?.ntp_servers.clone(),
        accounts: accounts(phone, usable),
        version_stamp: phone.version_stamp,
        warnings,
    })
}

fn accounts(phone: &Phone, secret: Option<&Secret>) -> Vec<Account> {
    let or_number =
        |text: &str, number: &str| if text.is_empty() { number } else { text }.to_owned();
    let lines = phone.lines.iter().map(|line| {
        let number = line.pattern.as_str();
        Account {
            index: line.index,
            number: number.to_owned(),
            display_name: or_number(&line.display, number),
            label: or_number(&line.label, number),
            user_name: phone.digest_user_name().to_owned(),
            secret: secret.cloned(),
        }
    });
    lines.collect()
}

/// Profiles are trimmed and sheets are typed in: nothing that cannot be seen.
fn is_usable(secret: &Secret) -> bool {
    let text = secret.reveal();
    text.trim() == text && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrar_is_addressed_by_transport_and_family() {
        let mut registrar = Registrar {
            host: "voice.example.net".to_owned(),
            sip_port: 5060,
            sip_secure_port: 5061,
        };
        assert_eq!(registrar.address(Transport::Udp), "voice.example.net:5060");
        assert_eq!(registrar.address(Transport::Tls), "voice.example.net:5061");
        registrar.host = "2001:db8::1".to_owned();
        assert_eq!(registrar.address(Transport::Tcp), "[2001:db8::1]:5060");
    }

    #[test]
    fn a_secret_that_would_be_changed_on_its_way_is_not_used() {
        assert!(is_usable(&Secret::from("a b<&>\"c")));
        for text in [" a", "a ", "a\nb"] {
            assert!(!is_usable(&Secret::from(text)));
        }
    }
}
