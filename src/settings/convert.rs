//! The settings as the inner layers take them: plain values without TOML.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Settings;
use super::names::Network;
use super::tables;
use super::value::{Checked, Port};
use crate::domain::trust_list::Sha1For;
use crate::server::sockets::{self, Addresses, Bound, LowPorts};
use crate::service::settings as service;

impl Settings {
    /// Where the doors listen.
    pub fn addresses(&self) -> Addresses {
        let listen = &self.listen;
        let on = |port: Port| SocketAddr::new(listen.address.0, port.0);
        Addresses {
            https: on(listen.https_port),
            http_phones: listen.http_phones.then(|| on(listen.http_phones_port)),
            files_http: on(listen.files_http_port),
            files_https: on(listen.files_https_port),
            tvs: listen.tvs.then(|| on(listen.tvs_port)),
            tftp: on(listen.tftp_port),
            sip_udp: on(listen.sip_udp_port),
            sip_tcp: on(listen.sip_tcp_port),
            sip_tls: on(listen.sip_tls_port),
            monitoring: SocketAddr::new(listen.monitoring_address.0, listen.monitoring_port.0),
            low_ports: match listen.low_ports {
                tables::LowPorts::Off => LowPorts::Off,
                tables::LowPorts::Require => LowPorts::Require,
                tables::LowPorts::Auto if listen.address.0.is_loopback() => LowPorts::Off,
                tables::LowPorts::Auto => LowPorts::Try,
            },
        }
    }

    /// The host name or address that phones are given.
    pub fn advertised_host(&self) -> String {
        match &self.advertise.host {
            Some(host) => host.0.as_str().to_owned(),
            None => self.advertised_address().to_string(),
        }
    }

    fn advertised_address(&self) -> IpAddr {
        let address = self.listen.address.0;
        if address.is_unspecified() {
            sockets::outward_address()
        } else {
            address
        }
    }

    /// Every name and address that a certificate of our own must carry, the advertised one first.
    pub fn certificate_names(&self) -> Vec<String> {
        let mut names = vec![self.advertised_host()];
        let further = self
            .advertise
            .names
            .iter()
            .map(|name| name.0.as_str().to_owned());
        let addresses = [
            self.advertised_address().to_string(),
            "localhost".to_owned(),
        ];
        for name in further.chain(addresses).chain(["127.0.0.1".to_owned()]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// What the use cases need, with the ports that were bound.
    pub fn for_service(&self, bound: &Bound) -> service::Settings {
        let https_port = match self.advertise.https_port {
            Some(port) => port.0,
            None if bound.https_low => 443,
            None => bound.https.port(),
        };
        service::Settings {
            advertised: service::Advertised {
                host: self.advertised_host(),
                https_port,
                http_phones_port: bound.http_phones.map(|address| address.port()),
                files_http_port: bound.files_http.port(),
                tvs_port: bound.tvs.map(|address| address.port()),
                sip_port: bound.sip_tcp.port(),
                sip_secure_port: bound.sip_tls.port(),
            },
            sip_requests_per_source_s: self.listen.sip_requests_per_source.get(),
            sip_connections_max: self.listen.sip_connections_max.get(),
            sip_connections_per_source_max: self.listen.sip_connections_per_source.get(),
            phones: self.phone_settings(),
            trust_list: service::TrustListSettings {
                enabled: self.trust_list.enabled,
                sha1_for: match self.trust_list.sha1_for {
                    tables::Sha1For::None => Sha1For::NoPhone,
                    tables::Sha1For::Series7900 => Sha1For::Series7900,
                    tables::Sha1For::All => Sha1For::EveryPhone,
                },
                signed_configuration: self.trust_list.signed_configuration,
            },
            calls: self.call_settings(),
            auto_registration: self.auto_registration_settings(),
            axl: service::AxlSettings {
                request_bytes_max: self.axl.request_bytes_max.size(),
                answer_bytes_max: self.axl.answer_limit.size(),
                changes_at_once_max: self.axl.changes_at_once_max.size(),
                refuses_unknown_in_old_dialect: matches!(
                    self.axl.old_dialect_unknown,
                    tables::UnknownElements::Refuse
                ),
            },
            credentials: service::CredentialSettings {
                lockout: match self.credentials.lockout {
                    tables::Lockout::Spread => service::Lockout::Spread,
                    tables::Lockout::Cucm => service::Lockout::Cucm,
                },
                hasher_threads: self.credentials.hasher_threads.size(),
                hasher_queue_max: self.credentials.hasher_queue_max.size(),
            },
            user_search: self.user_search_settings(),
        }
    }

    fn user_search_settings(&self) -> service::UserSearchSettings {
        service::UserSearchSettings {
            access: match self.uds.user_search {
                tables::UserSearch::Off => service::UserSearchAccess::Off,
                tables::UserSearch::Authenticated => service::UserSearchAccess::Authenticated,
                tables::UserSearch::Open => service::UserSearchAccess::Open,
            },
            limit: self.uds.user_search_limit.get(),
        }
    }

    fn phone_settings(&self) -> service::PhoneSettings {
        let phones = &self.phones;
        service::PhoneSettings {
            unknown_phones: match phones.unknown_phones {
                tables::UnknownPhones::AutoRegistrationFile => {
                    service::UnknownPhones::AutoRegistrationFile
                }
                tables::UnknownPhones::NotFound => service::UnknownPhones::NotFound,
            },
            config_source: match phones.config_source {
                tables::ConfigSource::Last => service::ConfigSource::Last,
                tables::ConfigSource::Subnet => service::ConfigSource::Subnet,
                tables::ConfigSource::Any => service::ConfigSource::Any,
            },
            tftp_blksize_max: u16::try_from(phones.tftp_blksize_max.get()).unwrap_or(u16::MAX),
            trusted_proxies: networks(&phones.trusted_proxies),
            same_phone_networks: networks(&phones.same_phone_networks),
            require_registered_address: phones.require_registered_address,
            activation_codes: phones.activation_codes,
            restart_action: match phones.restart_action {
                tables::RestartAction::Auto => service::RestartAction::Auto,
                tables::RestartAction::Restart => service::RestartAction::Restart,
                tables::RestartAction::Reset => service::RestartAction::Reset,
            },
            registration_expires_s: phones.registration_expires_s.get(),
            time_zone: self.date_time.zone.0.as_str().to_owned(),
            trust_our_certificate: false,
        }
    }

    fn call_settings(&self) -> service::CallSettings {
        let calls = &self.calls;
        let numbers = calls
            .emergency_numbers
            .iter()
            .map(|number| number.0.clone());
        service::CallSettings {
            emergency_numbers: numbers.collect(),
            ivr_number: calls.ivr_number.as_ref().map(|number| number.0.clone()),
            emergency_target: calls.emergency_target.as_ref().map(|to| to.0.clone()),
            pbx: calls.pbx.as_ref().map(|pbx| pbx.0.clone()),
            pbx_redirects: calls.pbx_calls == tables::PbxCalls::Redirected,
            pbx_register_there: calls.pbx_register_there,
        }
    }

    fn auto_registration_settings(&self) -> service::AutoRegistrationSettings {
        let limits = &self.auto_registration;
        let days = u64::from(limits.unclaimed_days.get());
        service::AutoRegistrationSettings {
            unclaimed_per_source_max: limits.unclaimed_per_source_max.get(),
            nat_networks: networks(&limits.nat_networks),
            unclaimed_max: limits.unclaimed_max.get(),
            unclaimed_time_to_live: (days > 0).then(|| Duration::from_hours(24 * days)),
        }
    }
}

fn networks(networks: &[Checked<Network>]) -> Vec<ipnet::IpNet> {
    networks.iter().map(|network| network.0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound() -> Bound {
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Bound {
            https: at(8443),
            https_low: false,
            http_phones: None,
            files_http: at(6970),
            files_https: at(6971),
            tvs: None,
            tftp: at(6969),
            tftp_low: false,
            sip_udp: at(5060),
            sip_tcp: at(5060),
            sip_tls: at(5061),
            monitoring: at(9169),
        }
    }

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_use_cases() {
        let ours = Settings::default().for_service(&bound());
        assert_eq!(
            format!("{ours:?}"),
            format!("{:?}", service::Settings::default())
        );
    }

    #[test]
    fn low_ports_are_left_alone_on_loopback_and_advertised_where_they_are_open() {
        let mut settings = Settings::default();
        assert_eq!(settings.addresses().low_ports, LowPorts::Off);
        settings.listen.address = Checked(IpAddr::from([0, 0, 0, 0]));
        assert_eq!(settings.addresses().low_ports, LowPorts::Try);
        let low = Bound {
            https_low: true,
            ..bound()
        };
        assert_eq!(settings.for_service(&low).advertised.https_port, 443);
        assert!(!settings.advertised_host().is_empty());
        assert_eq!(
            settings.certificate_names().first(),
            Some(&settings.advertised_host())
        );
    }
}
