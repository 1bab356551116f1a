//! Over what a phone signals: its security profile, as far as this program can keep its word.

use crate::domain::catalogue::PhoneSecurityProfile;
use crate::domain::config_file::DeviceSecurityMode;
use crate::domain::config_file::FileWarning;
use crate::domain::config_file::Transport;

/// The mode and the transport of a phone with a file of its own.
///
/// A profile that asks for security, by its mode or by its transport, gives both: a phone takes
/// the secure port only in a secure mode. *Authenticated* means TLS without encryption, which the
/// registrar does not offer, so such a phone is told to encrypt.
/// Source: the phones' file parser (modes, port), RFC 8446 (no NULL ciphers).
pub(in crate::domain::config_file) fn of_device(
    profile: &PhoneSecurityProfile,
    has_trust_list: bool,
    warnings: &mut Vec<FileWarning>,
) -> (DeviceSecurityMode, Transport) {
    if !is_secure(profile) {
        return (DeviceSecurityMode::NonSecure, transport(&profile.transport));
    }
    if profile.device_security_mode == DeviceSecurityMode::Authenticated as u8 {
        warnings.push(FileWarning::AuthenticatedIsEncrypted);
    }
    if !has_trust_list {
        warnings.push(FileWarning::SignallingNotTrusted);
    }
    (DeviceSecurityMode::Encrypted, Transport::Tls)
}

/// The transport of a phone that nobody knows. It has no trust list yet, so it signals in the
/// clear until it has a file of its own.
pub(super) fn of_nobody(profile: Option<&PhoneSecurityProfile>) -> Transport {
    profile
        .filter(|profile| !is_secure(profile))
        .map_or(Transport::TcpAndUdp, |profile| {
            transport(&profile.transport)
        })
}

fn is_secure(profile: &PhoneSecurityProfile) -> bool {
    profile.device_security_mode != DeviceSecurityMode::NonSecure as u8
        || transport(&profile.transport) == Transport::Tls
}

fn transport(words: &str) -> Transport {
    match words {
        "TCP" => Transport::Tcp,
        "UDP" => Transport::Udp,
        "TLS" => Transport::Tls,
        _ => Transport::TcpAndUdp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile(mode: u8, transport: &str) -> PhoneSecurityProfile {
        PhoneSecurityProfile {
            name: "P".to_owned(),
            model: None,
            transport: transport.to_owned(),
            device_security_mode: mode,
            digest_authentication: true,
            nonce_validity_s: 600,
        }
    }

    #[test]
    fn a_profile_that_asks_for_security_gives_mode_and_transport_together() {
        use DeviceSecurityMode::{Encrypted, NonSecure};
        for (mode, words, expected) in [
            (1, "TCP+UDP", (NonSecure, Transport::TcpAndUdp)),
            (1, "UDP", (NonSecure, Transport::Udp)),
            (1, "TLS", (Encrypted, Transport::Tls)),
            (3, "TLS", (Encrypted, Transport::Tls)),
            (3, "TCP", (Encrypted, Transport::Tls)),
        ] {
            let mut warnings = Vec::new();
            let found = of_device(&profile(mode, words), true, &mut warnings);
            assert_eq!(
                (found, warnings.as_slice()),
                (expected, &[][..]),
                "{mode} {words}"
            );
        }
    }

    #[test]
    fn what_will_not_work_or_is_not_as_said_is_warned_about() {
        let mut warnings = Vec::new();
        let found = of_device(&profile(2, "TLS"), false, &mut warnings);
        assert_eq!(found, (DeviceSecurityMode::Encrypted, Transport::Tls));
        let expected = [
            FileWarning::AuthenticatedIsEncrypted,
            FileWarning::SignallingNotTrusted,
        ];
        assert_eq!(warnings, expected);
    }

    #[test]
    fn a_phone_that_nobody_knows_signals_in_the_clear() {
        assert_eq!(of_nobody(Some(&profile(3, "TLS"))), Transport::TcpAndUdp);
        assert_eq!(of_nobody(Some(&profile(1, "TLS"))), Transport::TcpAndUdp);
        assert_eq!(of_nobody(Some(&profile(1, "TCP"))), Transport::Tcp);
        assert_eq!(of_nobody(None), Transport::TcpAndUdp);
    }
}
