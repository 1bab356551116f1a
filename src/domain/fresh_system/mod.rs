//! What a fresh system has: the objects that every CUCM is installed with, by the names that
//! administrators and scripts take for granted, each with the same identity everywhere.
//!
//! Source: AXL and SQL answers of installed systems; CUCM System Configuration Guide.

mod function_roles;
mod phone_settings;

use std::collections::HashMap;

use super::catalogue::AutoRegistration;
use super::catalogue::CallManager;
use super::catalogue::CallManagerGroup;
use super::catalogue::Catalogue;
use super::catalogue::DateTimeGroup;
use super::catalogue::DevicePool;
use super::catalogue::FeatureGroupTemplate;
use super::catalogue::Identity;
use super::catalogue::NamedCredentialPolicy;
use super::catalogue::NamedObject;
use super::catalogue::UniversalDeviceTemplate;
use super::catalogue::UniversalLineTemplate;
use super::catalogue::UserProfile;
use super::credential::CredentialKind;
use super::credential::CredentialPolicy;
use super::credential::CredentialUser;
use super::directory_number::DirectoryNumber;
use super::line::AutoAnswer;
use super::phone::PhoneConfiguration;
use super::phone::ServiceUrl;
use super::pkid::Pkid;
use super::user_profile::PhoneLimit;

pub use function_roles::function_roles;
pub use phone_settings::device_defaults;
pub use phone_settings::standard_button_template;
pub use phone_settings::standard_security_profile;

/// Group of the users who may provision phones and use the self-care pages.
pub const STANDARD_CCM_END_USERS: &str = "Standard CCM End Users";
/// Group of the administrators.
pub const STANDARD_CCM_SUPER_USERS: &str = "Standard CCM Super Users";
/// Group of those who may look at everything and change nothing.
pub const STANDARD_CCM_READ_ONLY: &str = "Standard CCM Read Only";
/// Group of the programs that use AXL.
pub const STANDARD_AXL_API_ACCESS: &str = "Standard AXL API Access";
/// Group of the programs that use AXL, by the name that CUCM's own documents give the role.
pub const STANDARD_AXL_API_USERS: &str = "Standard AXL API Users";
/// Group of the programs that only read over AXL.
pub const STANDARD_AXL_READ_ONLY_API_ACCESS: &str = "Standard AXL Read Only API Access";
/// Groups whose members may read and change everything over AXL.
pub const AXL_WRITERS: [&str; 3] = [
    STANDARD_CCM_SUPER_USERS,
    STANDARD_AXL_API_ACCESS,
    STANDARD_AXL_API_USERS,
];
/// Groups whose members may read everything over AXL.
pub const AXL_READERS: [&str; 2] = [STANDARD_CCM_READ_ONLY, STANDARD_AXL_READ_ONLY_API_ACCESS];
/// Group of those who help users: PINs, release and restart of phones. Ours, not CUCM's.
pub const HELP_DESK: &str = "Help Desk";

/// Template of phones that nobody has claimed; its idle URL opens the login.
pub const AUTO_REGISTRATION_TEMPLATE: &str = "Auto-registration Template";
/// Template of claimed phones.
pub const SAMPLE_DEVICE_TEMPLATE: &str = "Sample Device Template with TAG usage examples";
/// Template of lines.
pub const SAMPLE_LINE_TEMPLATE: &str = "Sample Line Template with TAG usage examples";
/// The system default user profile.
pub const STANDARD_USER_PROFILE: &str = "Standard (Factory Default) User Profile";
/// The feature group template that Quick User/Phone Add begins with.
pub const DEFAULT_FEATURE_GROUP_TEMPLATE: &str = "Default Feature Group Template";

/// Families of seeded identities.
#[derive(Debug, Clone, Copy)]
enum Family {
    RoutePartition = 1,
    NamedObject = 2,
    DateTimeGroup = 3,
    CallManagerGroup = 4,
    DevicePool = 5,
    SipProfile = 6,
    PhoneSecurityProfile = 7,
    PhoneButtonTemplate = 8,
    UniversalDeviceTemplate = 9,
    UniversalLineTemplate = 10,
    UserProfile = 11,
    FeatureGroupTemplate = 12,
    AccessControlGroup = 13,
    CredentialPolicy = 14,
    SelfProvisioning = 15,
    CredentialPolicyDefault = 16,
    DeviceDefaults = 17,
}

/// The identity of a seeded object: a UUID of version 8 (RFC 9562 clause 5.8).
const fn seeded(family: Family, number: u32) -> Pkid {
    const BASE: u128 = 0x5e1f_0000_0000_8000_8000_0000_0000_0000;
    Pkid::from_u128(BASE | ((family as u128) << 32) | number as u128)
}

/// The partition `< None >`.
pub const NO_PARTITION: Pkid = seeded(Family::RoutePartition, 0);
/// The credential policy of new PINs.
pub const PIN_POLICY: Pkid = seeded(Family::CredentialPolicy, 2);
/// The credential policy of new passwords.
pub const PASSWORD_POLICY: Pkid = seeded(Family::CredentialPolicy, 1);
/// The one row of self-provisioning.
pub const SELF_PROVISIONING: Pkid = seeded(Family::SelfProvisioning, 1);
/// The CallManager group that new nodes join.
pub const DEFAULT_CALL_MANAGER_GROUP: Pkid = seeded(Family::CallManagerGroup, 1);

const DEFAULT_DATE_TIME_GROUP: Pkid = seeded(Family::DateTimeGroup, 1);
const DEFAULT_DEVICE_POOL: Pkid = seeded(Family::DevicePool, 1);
const AUTO_REGISTRATION: Pkid = seeded(Family::UniversalDeviceTemplate, 1);
const SAMPLE_DEVICE: Pkid = seeded(Family::UniversalDeviceTemplate, 2);
const SAMPLE_LINE: Pkid = seeded(Family::UniversalLineTemplate, 1);
const FACTORY_USER_PROFILE: Pkid = seeded(Family::UserProfile, 1);

/// Seconds of idleness after which an unclaimed phone shows the login, as the guide sets it.
const IDLE_TIMER_S: u32 = 1;

/// Small objects; their place in the list is their number. Only append.
const NAMED_OBJECTS: [(&str, &str); 19] = [
    (NamedObject::REGION, "Default"),
    (NamedObject::LOCATION, "Hub_None"),
    (NamedObject::LOCATION, "Phantom"),
    (NamedObject::LOCATION, "Shadow"),
    (
        NamedObject::COMMON_PHONE_PROFILE,
        "Standard Common Phone Profile",
    ),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard User"),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Feature"),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Manager"),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Assistant"),
    (
        NamedObject::SOFTKEY_TEMPLATE,
        "Standard Shared Mode Manager",
    ),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Agent"),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Protected Phone"),
    (NamedObject::SOFTKEY_TEMPLATE, "Standard Chaperone Phone"),
    (NamedObject::PRESENCE_GROUP, "Standard Presence group"),
    (NamedObject::SRST, "Disable"),
    (NamedObject::SRST, "Use Default Gateway"),
    (NamedObject::VOICE_MAIL_PROFILE, "Default"),
    (NamedObject::VOICE_MAIL_PROFILE, "NoVoiceMail"),
    (NamedObject::SERVICE_PROFILE, "Default Service Profile"),
];

/// Access control groups; their place in the list is their number. Only append.
const ACCESS_CONTROL_GROUPS: [&str; 15] = [
    STANDARD_CCM_SUPER_USERS,
    STANDARD_CCM_READ_ONLY,
    STANDARD_AXL_API_ACCESS,
    STANDARD_CCM_END_USERS,
    HELP_DESK,
    STANDARD_AXL_API_USERS,
    "Standard Audit Users",
    "Standard CCM Admin Users",
    "Standard CCM Gateway Administration",
    "Standard CCM Phone Administration",
    "Standard CCM Server Maintenance",
    "Standard CCM Server Monitoring",
    "Standard CTI Allow Control of All Devices",
    "Standard CTI Enabled",
    STANDARD_AXL_READ_ONLY_API_ACCESS,
];

/// Whether a fresh system has an access control group of this name: its rights hang on it.
pub fn is_standard_group(name: &str) -> bool {
    ACCESS_CONTROL_GROUPS.contains(&name)
}

/// What new credentials of a kind begin with has an identity, but no name.
pub const fn credential_policy_default(user: CredentialUser, kind: CredentialKind) -> Pkid {
    let number = match (user, kind) {
        (CredentialUser::EndUser, CredentialKind::Password) => 1,
        (CredentialUser::EndUser, CredentialKind::Pin) => 2,
        (CredentialUser::ApplicationUser, CredentialKind::Password) => 3,
        (CredentialUser::ApplicationUser, CredentialKind::Pin) => 4,
    };
    seeded(Family::CredentialPolicyDefault, number)
}

/// The catalogue of a fresh system, still without a CallManager node.
///
/// `self_provision_url` is the login's address as phones reach it; the auto-registration template
/// opens it.
pub fn catalogue(self_provision_url: &str) -> Catalogue {
    let mut catalogue = Catalogue {
        named_objects: named_objects(),
        sip_profiles: phone_settings::sip_profiles(),
        phone_security_profiles: phone_settings::phone_security_profiles(),
        phone_button_templates: phone_settings::phone_button_templates(),
        access_control_groups: numbered(Family::AccessControlGroup, ACCESS_CONTROL_GROUPS)
            .map(|(pkid, name)| (pkid, name.to_owned()))
            .collect(),
        credential_policies: credential_policies(),
        ..Catalogue::default()
    };
    let partitions = numbered(Family::RoutePartition, ["", "Directory URI"]);
    catalogue.route_partitions = partitions
        .map(|(pkid, name)| (pkid, name.to_owned()))
        .collect();
    add_device_pool(&mut catalogue);
    for template in [
        auto_registration_template(self_provision_url),
        sample_device_template(),
    ] {
        catalogue
            .universal_device_templates
            .insert(template.identity.pkid, template);
    }
    let template = sample_line_template();
    catalogue
        .universal_line_templates
        .insert(template.identity.pkid, template);
    let profile = standard_user_profile();
    catalogue
        .user_profiles
        .insert(profile.identity.pkid, profile);
    let template = default_feature_group_template();
    catalogue
        .feature_group_templates
        .insert(template.identity.pkid, template);
    catalogue
}

/// A new CallManager node with these SIP ports (UDP and TCP, TLS): auto-registration switched off
/// by a range of one number.
///
/// Source: AXL `CallManager` (`startDn` and `endDn` are 1000 on a fresh system).
pub fn call_manager(pkid: Pkid, name: &str, sip_ports: (u16, u16)) -> Option<CallManager> {
    let only: DirectoryNumber = "1000".parse().ok()?;
    Some(CallManager {
        pkid,
        ctiid: None,
        name: name.to_owned(),
        description: String::new(),
        process_node_name: String::new(),
        phone_port: 2000,
        sip_port: sip_ports.0,
        sip_secure_port: sip_ports.1,
        auto_registration: AutoRegistration {
            enabled: false,
            name: "AUTO-REG".to_owned(),
            universal_device_template: Some(AUTO_REGISTRATION),
            universal_line_template: Some(SAMPLE_LINE),
            start_dn: only.clone(),
            end_dn: only,
            last_dn: None,
            route_partition: NO_PARTITION,
            enabled_until: None,
            models_allowed: Vec::new(),
            unclaimed_max: 1_000,
            unclaimed_time_to_live_s: None,
        },
        version: 1,
    })
}

fn numbered<const N: usize>(
    family: Family,
    names: [&str; N],
) -> impl Iterator<Item = (Pkid, &str)> {
    (0..)
        .zip(names)
        .map(move |(number, name)| (seeded(family, number), name))
}

fn named_objects() -> HashMap<Pkid, NamedObject> {
    (1..)
        .zip(NAMED_OBJECTS)
        .map(|(number, (kind, name))| {
            let object = NamedObject {
                kind: kind.to_owned(),
                name: name.to_owned(),
                description: String::new(),
            };
            (seeded(Family::NamedObject, number), object)
        })
        .collect()
}

fn named_object(kind: &str, name: &str) -> Pkid {
    let place = (1..)
        .zip(NAMED_OBJECTS)
        .find(|(_, object)| *object == (kind, name));
    // A name that is not in the list would be refused by the database's references.
    seeded(Family::NamedObject, place.map_or(0, |(number, _)| number))
}

fn credential_policies() -> HashMap<Pkid, NamedCredentialPolicy> {
    [
        (
            PASSWORD_POLICY,
            "Default Credential Policy",
            CredentialKind::Password,
        ),
        (
            PIN_POLICY,
            "Default PIN Credential Policy",
            CredentialKind::Pin,
        ),
    ]
    .into_iter()
    .map(|(pkid, name, kind)| {
        let named = NamedCredentialPolicy {
            name: name.to_owned(),
            policy: CredentialPolicy::default_of(kind),
            version: 1,
        };
        (pkid, named)
    })
    .collect()
}

fn add_device_pool(catalogue: &mut Catalogue) {
    let group = DateTimeGroup {
        name: "CMLocal".to_owned(),
        date_template: "M/D/Ya".to_owned(),
        time_zone: String::new(),
        ntp_servers: Vec::new(),
    };
    catalogue
        .date_time_groups
        .insert(DEFAULT_DATE_TIME_GROUP, group);
    let group = CallManagerGroup {
        name: "Default".to_owned(),
        members: Vec::new(),
    };
    catalogue
        .call_manager_groups
        .insert(DEFAULT_CALL_MANAGER_GROUP, group);
    let pool = DevicePool {
        name: "Default".to_owned(),
        call_manager_group: DEFAULT_CALL_MANAGER_GROUP,
        date_time_group: DEFAULT_DATE_TIME_GROUP,
        region: Some(named_object(NamedObject::REGION, "Default")),
        location: Some(named_object(NamedObject::LOCATION, "Hub_None")),
    };
    catalogue.device_pools.insert(DEFAULT_DEVICE_POOL, pool);
}

fn standard_configuration() -> PhoneConfiguration {
    PhoneConfiguration {
        device_pool: DEFAULT_DEVICE_POOL,
        phone_security_profile: phone_settings::MODEL_INDEPENDENT_SECURITY_PROFILE,
        sip_profile: phone_settings::STANDARD_SIP_PROFILE,
        phone_button_template: phone_settings::UNIVERSAL_BUTTON_LAYOUT,
        softkey_template: Some(named_object(NamedObject::SOFTKEY_TEMPLATE, "Standard User")),
        common_phone_profile: named_object(
            NamedObject::COMMON_PHONE_PROFILE,
            "Standard Common Phone Profile",
        ),
        location: named_object(NamedObject::LOCATION, "Hub_None"),
        calling_search_space: None,
        user_locale: String::new(),
        network_locale: String::new(),
        load_information: String::new(),
        idle_timer_s: None,
        services_provisioning: "Default".to_owned(),
        service_urls: Vec::new(),
    }
}

fn auto_registration_template(self_provision_url: &str) -> UniversalDeviceTemplate {
    let idle = ServiceUrl {
        name: "idle".into(),
        url: self_provision_url.into(),
    };
    UniversalDeviceTemplate {
        identity: Identity {
            pkid: AUTO_REGISTRATION,
            name: AUTO_REGISTRATION_TEMPLATE.to_owned(),
            version: 1,
        },
        device_description: "Auto #DirectoryNumber#".to_owned(),
        configuration: PhoneConfiguration {
            idle_timer_s: Some(IDLE_TIMER_S),
            service_urls: vec![idle],
            ..standard_configuration()
        },
        line_label: "#DirectoryNumber#".to_owned(),
        ..sample_device_template()
    }
}

fn sample_device_template() -> UniversalDeviceTemplate {
    UniversalDeviceTemplate {
        identity: Identity {
            pkid: SAMPLE_DEVICE,
            name: SAMPLE_DEVICE_TEMPLATE.to_owned(),
            version: 1,
        },
        device_description: "#FirstName# #LastName# - #PrimaryExtension#".to_owned(),
        configuration: standard_configuration(),
        line_label: "#UserID# - #PrimaryExtension#".to_owned(),
        display_caller_id: "#FirstName# #LastName#".to_owned(),
        external_phone_number: String::new(),
        max_number_of_calls: 4,
        busy_trigger: 2,
    }
}

fn sample_line_template() -> UniversalLineTemplate {
    UniversalLineTemplate {
        identity: Identity {
            pkid: SAMPLE_LINE,
            name: SAMPLE_LINE_TEMPLATE.to_owned(),
            version: 1,
        },
        line_description: "#FirstName# #LastName#".to_owned(),
        route_partition: NO_PARTITION,
        calling_search_space: None,
        voice_mail_profile: None,
        alerting_name: "#FirstName# #LastName#".to_owned(),
        external_call_control_profile: None,
        urgent_priority: false,
        auto_answer: AutoAnswer::Off,
    }
}

fn standard_user_profile() -> UserProfile {
    UserProfile {
        identity: Identity {
            pkid: FACTORY_USER_PROFILE,
            name: STANDARD_USER_PROFILE.to_owned(),
            version: 1,
        },
        description: "System default user profile".to_owned(),
        desk_phones: Some(SAMPLE_DEVICE),
        mobile_devices: Some(SAMPLE_DEVICE),
        profile: Some(SAMPLE_DEVICE),
        universal_line_template: Some(SAMPLE_LINE),
        allow_provision: false,
        limit_provision: PhoneLimit::default().phones(),
        allow_phone_reassign: false,
        is_default: true,
    }
}

fn default_feature_group_template() -> FeatureGroupTemplate {
    FeatureGroupTemplate {
        identity: Identity {
            pkid: seeded(Family::FeatureGroupTemplate, 1),
            name: DEFAULT_FEATURE_GROUP_TEMPLATE.to_owned(),
            version: 1,
        },
        description: String::new(),
        user_profile: Some(FACTORY_USER_PROFILE),
        service_profile: Some(named_object(
            NamedObject::SERVICE_PROFILE,
            "Default Service Profile",
        )),
        blf_presence_group: Some(named_object(
            NamedObject::PRESENCE_GROUP,
            "Standard Presence group",
        )),
        user_locale: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::phone_model;
    use crate::domain::template::TemplateText;

    #[test]
    fn every_reference_of_a_fresh_system_leads_somewhere() {
        let fresh = catalogue("https://cm/cucm-uds/private/selfProvision");
        for template in fresh.universal_device_templates.values() {
            let configuration = &template.configuration;
            assert!(fresh.device_pools.contains_key(&configuration.device_pool));
            assert!(fresh.sip_profiles.contains_key(&configuration.sip_profile));
            let profile = configuration.phone_security_profile;
            assert!(fresh.phone_security_profiles.contains_key(&profile));
            let buttons = configuration.phone_button_template;
            assert!(fresh.phone_button_templates.contains_key(&buttons));
            assert!(fresh.named_objects.contains_key(&configuration.location));
            assert!(
                fresh
                    .named_objects
                    .contains_key(&configuration.common_phone_profile)
            );
            assert!(
                configuration
                    .softkey_template
                    .is_some_and(|pkid| fresh.named_objects.contains_key(&pkid))
            );
            assert!(TemplateText::parse(&template.device_description).is_ok());
            assert!(TemplateText::parse(&template.line_label).is_ok());
        }
        assert_eq!(fresh.route_partition(""), Some(NO_PARTITION));
        assert!(fresh.default_user_profile().is_some());
        assert!(fresh.access_control_group(HELP_DESK).is_some());
        assert!(fresh.credential_policies.contains_key(&PIN_POLICY));
    }

    #[test]
    fn every_phone_model_has_a_security_profile_and_a_button_template_of_its_own() {
        let fresh = catalogue("");
        for model in phone_model::all().iter().filter(|model| model.is_phone()) {
            let profile = &fresh.phone_security_profiles[&standard_security_profile(model.number)];
            assert_eq!(profile.model, Some(model.number));
            let buttons = &fresh.phone_button_templates[&standard_button_template(model.number)];
            assert_eq!(buttons.model, Some(model.number));
            assert_eq!(
                buttons.buttons.len(),
                usize::from(model.line_buttons),
                "{}",
                model.product
            );
        }
    }
}
