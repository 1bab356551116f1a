//! The site whose files are compared: a node, its group and pool, and a phone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::catalogue;
use crate::domain::catalogue::Catalogue;
use crate::domain::config_file::assemble::AuthenticationUrls;
use crate::domain::config_file::assemble::OwnNode;
use crate::domain::config_file::assemble::SystemValues;
use crate::domain::config_file::idle_url::SelfProvisionDoors;
use crate::domain::ctiid::Ctiid;
use crate::domain::device::DeviceState;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone::PhoneLine;
use crate::domain::phone::ServiceUrl;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

pub(super) const NODE: Pkid = Pkid::from_u128(1);
pub(super) const GROUP: Pkid = Pkid::from_u128(2);
pub(super) const DATE_TIME: Pkid = Pkid::from_u128(3);
const POOL: Pkid = Pkid::from_u128(4);
const SIP_PROFILE: Pkid = Pkid::from_u128(5);
pub(super) const SECURITY: Pkid = Pkid::from_u128(6);
const TEMPLATE: Pkid = Pkid::from_u128(7);
const PARTITION: Pkid = Pkid::from_u128(8);

fn configuration() -> PhoneConfiguration {
    PhoneConfiguration {
        device_pool: POOL,
        phone_security_profile: SECURITY,
        sip_profile: SIP_PROFILE,
        phone_button_template: Pkid::from_u128(9),
        softkey_template: None,
        common_phone_profile: Pkid::from_u128(10),
        location: Pkid::from_u128(11),
        calling_search_space: None,
        user_locale: "English United States".into(),
        network_locale: "United States".into(),
        load_information: String::new(),
        idle_timer_s: Some(1),
        services_provisioning: "Default".into(),
        service_urls: vec![ServiceUrl {
            name: "idle".into(),
            url: "https://voice.example.net:8443/cucm-uds/private/selfProvision".into(),
        }],
    }
}

pub(super) fn node() -> catalogue::CallManager {
    catalogue::CallManager {
        pkid: NODE,
        ctiid: None,
        name: "CM_node1".into(),
        description: "R&D <lab>".into(),
        process_node_name: String::new(),
        phone_port: 2000,
        sip_port: 5060,
        sip_secure_port: 5061,
        auto_registration: catalogue::AutoRegistration {
            enabled: true,
            name: "AUTO-REG".into(),
            universal_device_template: Some(TEMPLATE),
            universal_line_template: None,
            start_dn: "1000".parse().unwrap(),
            end_dn: "1999".parse().unwrap(),
            last_dn: None,
            route_partition: PARTITION,
            enabled_until: None,
            models_allowed: Vec::new(),
            unclaimed_max: 1000,
            unclaimed_time_to_live_s: None,
        },
        version: 1,
    }
}

pub(super) fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    catalogue.call_managers.insert(NODE, node());
    let group = catalogue::CallManagerGroup {
        name: "Default".into(),
        members: vec![NODE],
    };
    catalogue.call_manager_groups.insert(GROUP, group);
    let date_time = catalogue::DateTimeGroup {
        name: "CMLocal".into(),
        date_template: "D/M/Ya".into(),
        time_zone: "Europe/Berlin".into(),
        ntp_servers: vec!["192.0.2.123".into()],
    };
    catalogue.date_time_groups.insert(DATE_TIME, date_time);
    let pool = catalogue::DevicePool {
        name: "Default".into(),
        call_manager_group: GROUP,
        date_time_group: DATE_TIME,
        region: None,
        location: None,
    };
    catalogue.device_pools.insert(POOL, pool);
    let sip_profile = catalogue::SipProfile {
        name: "Standard SIP Profile".into(),
        register_expires_s: 3600,
        register_delta_s: 5,
        keep_alive_expires_s: 120,
        start_media_port: 16384,
        stop_media_port: 32766,
    };
    catalogue.sip_profiles.insert(SIP_PROFILE, sip_profile);
    let security = catalogue::PhoneSecurityProfile {
        name: "Model-independent".into(),
        model: None,
        transport: "TCP+UDP".into(),
        device_security_mode: 1,
        digest_authentication: true,
        nonce_validity_s: 600,
    };
    catalogue.phone_security_profiles.insert(SECURITY, security);
    let template = catalogue::UniversalDeviceTemplate {
        identity: catalogue::Identity {
            pkid: TEMPLATE,
            name: "Auto-registration Template".into(),
            version: 1,
        },
        device_description: String::new(),
        configuration: configuration(),
        line_label: String::new(),
        display_caller_id: String::new(),
        external_phone_number: String::new(),
        max_number_of_calls: 4,
        busy_trigger: 2,
    };
    catalogue
        .universal_device_templates
        .insert(TEMPLATE, template);
    catalogue
}

pub(super) fn system() -> SystemValues {
    let doors = SelfProvisionDoors {
        https: "https://voice.example.net:8443".parse().unwrap(),
        plain: Some("http://voice.example.net:8080".parse().unwrap()),
        phones_trust_https: true,
    };
    SystemValues {
        advertised_address: "voice.example.net".into(),
        own_node: OwnNode {
            pkid: NODE,
            sip_port: 5060,
            sip_secure_port: 5061,
        },
        tvs_port: None,
        pbx: None,
        authentication: AuthenticationUrls::at(&doors),
        doors,
        service_urls: HashMap::from([(
            "directory".to_owned(),
            "http://voice.example.net/directory?a=1&b=2".to_owned(),
        )]),
        time_zone: "America/New_York".into(),
        idle_timer_s: 0,
        self_provisioning_secure_mode: true,
        admin_provision_mode: false,
    }
}

pub(super) fn phone(model: u32, state: DeviceState) -> Phone {
    Phone {
        pkid: Pkid::from_u128(20),
        ctiid: Ctiid::new(94),
        name: "SEP0011AABBCCDD".parse().unwrap(),
        state,
        model: Some(model),
        description: "Auto 1000".into(),
        owner: None,
        digest: DigestIdentity {
            digest_user: None,
            sealed_secret: None,
        },
        version_stamp: Pkid::from_u128(21),
        configuration: Arc::new(configuration()),
        lines: Box::new([PhoneLine {
            index: 1,
            line: Pkid::from_u128(22),
            pattern: "1000".parse().unwrap(),
            route_partition: PARTITION,
            contact_user: Pkid::from_u128(23),
            ctiid: Ctiid::new(95),
            label: "Zoë <Sethi> & a very long label".into(),
            display: "Zoë Sethi".into(),
            external_phone_number: Box::default(),
            max_number_of_calls: 4,
            busy_trigger: 2,
            answers_automatically: false,
        }]),
        registered_address: None,
        first_fetch_address: None,
        file_fetched_at: None,
        file_allowed_until: None,
        created_at: UnixMillis(0),
        version: 1,
    }
}
