//! `<flat-profile>` XML, as multiplatform phones read it.
//!
//! `ua="na"` keeps a parameter from the phone's user. What is left out stays as it is on the phone;
//! so a profile without secrets leaves the password alone. Never written: passwords of the phone's
//! administrator and user. Source: element names and attributes in the phones' provisioning and
//! administration guides.

use bytes::Bytes;

use super::xml::Xml;
use super::xml::tag;
use crate::domain::config_file::Transport;
use crate::domain::config_file::account::Account;
use crate::domain::config_file::account::DeviceAccounts;
use crate::domain::config_file::flat_profile::FlatProfile;

/// A usual length of a file, so that writing it allocates once.
const CAPACITY_BYTES: usize = 4 * 1024;

/// Nobody changes it on the phone.
const LOCKED: &[(&str, &str)] = &[("ua", "na")];

/// Writes the file.
pub(super) fn write(profile: &FlatProfile) -> Bytes {
    let mut xml = Xml::document(CAPACITY_BYTES);
    xml.nest(tag!("flat-profile"), |xml| {
        set(xml, "Provision_Enable", "Yes");
        set(xml, "Resync_On_Reset", "Yes");
        let periodic = profile.resync_periodic_s.to_string();
        set(xml, "Resync_Periodic", &periodic);
        set(xml, "Profile_Rule", &profile.profile_rule);
        if let Some(accounts) = &profile.accounts {
            of_device(xml, accounts);
        }
    });
    xml.finish()
}

fn set(xml: &mut Xml, name: &str, text: &str) {
    xml.named_text(name, LOCKED, text);
}

fn of_device(xml: &mut Xml, device: &DeviceAccounts) {
    for (name, server) in ["Primary_NTP_Server", "Secondary_NTP_Server"]
        .into_iter()
        .zip(&device.ntp_servers)
    {
        set(xml, name, server);
    }
    set(xml, "Enable_Web_Server", "No");
    if let Some(first) = device.accounts.first() {
        set(xml, "Station_Display_Name", &first.label);
    }
    for index in 1..=device.line_buttons {
        match device.accounts.iter().find(|line| line.index == index) {
            Some(account) => line(xml, device, account),
            None => set(xml, &format!("Line_Enable_{index}_"), "No"),
        }
    }
}

fn line(xml: &mut Xml, device: &DeviceAccounts, account: &Account) {
    let index = account.index;
    let (sip_transport, transport) = sip_transport(device.transport);
    let mut of_line = |name: &str, text: &str| set(xml, &format!("{name}_{index}_"), text);
    of_line("Line_Enable", "Yes");
    of_line("Extension", &index.to_string());
    of_line("Short_Name", &account.label);
    of_line("Display_Name", &account.display_name);
    of_line("User_ID", &account.number);
    of_line("Use_Auth_ID", "Yes");
    of_line("Auth_ID", &account.user_name);
    if let Some(secret) = &account.secret {
        of_line("Password", secret.reveal());
    }
    for (name, registrar) in ["Proxy", "Alternate_Proxy"]
        .into_iter()
        .zip(&device.registrars)
    {
        of_line(name, &registrar.address(transport));
    }
    of_line("Register", "Yes");
    of_line("Register_Expires", &device.register_expires_s.to_string());
    of_line("SIP_Transport", sip_transport);
    // The registrar's NOTIFY (check-sync) carries no credentials; all it does is have this file read
    // again.
    of_line("Auth_Resync-Reboot", "No");
}

/// `SIP_Transport_n_`, and the transport that it stands for.
fn sip_transport(transport: Transport) -> (&'static str, Transport) {
    match transport {
        Transport::Tls => ("TLS", Transport::Tls),
        Transport::Tcp => ("TCP", Transport::Tcp),
        Transport::Udp | Transport::TcpAndUdp => ("UDP", Transport::Udp),
    }
}
