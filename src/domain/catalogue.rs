//! The configured objects that phones and users are made from: templates, profiles, pools, nodes.
//!
//! They are few beside phones and users, so the program keeps all of them in memory as one
//! [`Catalogue`] that is replaced as a whole when an administrator changes something.

use std::collections::HashMap;

use super::credential::CredentialKind;
use super::credential::CredentialPolicy;
use super::credential::CredentialUser;
use super::ctiid::Ctiid;
use super::directory_number::DirectoryNumber;
use super::line::AutoAnswer;
use super::phone::PhoneConfiguration;
use super::pkid::Pkid;
use super::secret::Secret;
use super::time::UnixMillis;

/// Every configured object that is not a phone, a line or a user, by identity.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Universal Device Templates: what devices are made from.
    pub universal_device_templates: HashMap<Pkid, UniversalDeviceTemplate>,
    /// Universal Line Templates: what lines are made from.
    pub universal_line_templates: HashMap<Pkid, UniversalLineTemplate>,
    /// User Profiles: whether, with what and how often users may provision phones.
    pub user_profiles: HashMap<Pkid, UserProfile>,
    /// Feature Group Templates: what Quick User/Phone Add gives new users.
    pub feature_group_templates: HashMap<Pkid, FeatureGroupTemplate>,
    /// CallManager nodes.
    pub call_managers: HashMap<Pkid, CallManager>,
    /// CallManager groups: members by priority.
    pub call_manager_groups: HashMap<Pkid, CallManagerGroup>,
    /// Device pools: what the phones of a place have in common.
    pub device_pools: HashMap<Pkid, DevicePool>,
    /// Date/time groups: zone, format and time servers of phones.
    pub date_time_groups: HashMap<Pkid, DateTimeGroup>,
    /// SIP profiles: timers and media ports of phones.
    pub sip_profiles: HashMap<Pkid, SipProfile>,
    /// Phone security profiles: transport, digest authentication and encryption of signalling.
    pub phone_security_profiles: HashMap<Pkid, PhoneSecurityProfile>,
    /// Phone button templates: what each button of a model is for.
    pub phone_button_templates: HashMap<Pkid, PhoneButtonTemplate>,
    /// Route partitions by identity; the name of `< None >` is empty.
    pub route_partitions: HashMap<Pkid, String>,
    /// Calling search spaces: partitions in search order.
    pub calling_search_spaces: HashMap<Pkid, CallingSearchSpace>,
    /// Small objects that others only refer to.
    pub named_objects: HashMap<Pkid, NamedObject>,
    /// Access control groups by identity.
    pub access_control_groups: HashMap<Pkid, String>,
    /// Credential policies: what PINs and passwords must be like, and when they lock.
    pub credential_policies: HashMap<Pkid, NamedCredentialPolicy>,
    /// What new credentials begin with, where an administrator has said it.
    pub credential_policy_defaults:
        HashMap<(CredentialUser, CredentialKind), CredentialPolicyDefault>,
    /// What new devices begin with by the number of their model, where an administrator has said it.
    pub device_defaults: HashMap<u32, DeviceDefault>,
}

impl Catalogue {
    /// The system default user profile: the one of every user without a profile.
    pub fn default_user_profile(&self) -> Option<&UserProfile> {
        self.user_profiles
            .values()
            .find(|profile| profile.is_default)
    }

    /// The small object of this kind and name.
    pub fn named_object(&self, kind: &str, name: &str) -> Option<Pkid> {
        self.named_objects
            .iter()
            .find(|(_, object)| object.kind == kind && object.name == name)
            .map(|(pkid, _)| *pkid)
    }

    /// The route partition of this name; `< None >` is the empty name.
    pub fn route_partition(&self, name: &str) -> Option<Pkid> {
        by_text(&self.route_partitions, name)
    }

    /// The firmware that a device is to load: its own, else the default of its model; empty: the one
    /// that it runs. Source: CUCM administration, *Device Defaults Configuration*.
    pub fn load_information<'a>(&'a self, own: &'a str, model: Option<u32>) -> &'a str {
        if !own.is_empty() {
            return own;
        }
        let default = model.and_then(|model| self.device_defaults.get(&model));
        default.map_or("", |default| &default.load_information)
    }

    /// The access control group of this name.
    pub fn access_control_group(&self, name: &str) -> Option<Pkid> {
        by_text(&self.access_control_groups, name)
    }
}

fn by_text(texts: &HashMap<Pkid, String>, wanted: &str) -> Option<Pkid> {
    texts
        .iter()
        .find(|(_, text)| *text == wanted)
        .map(|(pkid, _)| *pkid)
}

/// A credential policy with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCredentialPolicy {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// What it demands.
    pub policy: CredentialPolicy,
    /// Optimistic version.
    pub version: i64,
}

/// What new credentials of one kind begin with.
///
/// Source: AXL `CredentialPolicyDefault`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialPolicyDefault {
    /// The credential policy.
    pub policy: Pkid,
    /// PHC string of the credential that a new user gets who is given none.
    pub hash: Option<Secret>,
    /// Whether that one must be changed at the first login.
    pub must_change: bool,
    /// Whether that one does not expire.
    pub does_not_expire: bool,
    /// Whether only administrators may change that one.
    pub cant_change: bool,
    /// Its version; 0 where nobody has said anything yet.
    pub version: i64,
}

/// What new devices of one model begin with.
///
/// Source: CUCM administration, *Device Defaults Configuration*.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceDefault {
    /// Firmware of every device that has none of its own; empty: each keeps what it runs.
    pub load_information: String,
    /// Device pool; `None`: that of a fresh system.
    pub device_pool: Option<Pkid>,
    /// Phone button template; `None`: the standard one of the model.
    pub phone_button_template: Option<Pkid>,
    /// Its version; 0 where nobody has said anything yet.
    pub version: i64,
}

/// A small object known by kind and name only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedObject {
    /// AXL object name, one of the constants here or another.
    pub kind: String,
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Free text for administrators.
    pub description: String,
}

impl NamedObject {
    /// Kind of regions.
    pub const REGION: &'static str = "Region";
    /// Kind of locations.
    pub const LOCATION: &'static str = "Location";
    /// Kind of common phone profiles.
    pub const COMMON_PHONE_PROFILE: &'static str = "CommonPhoneConfig";
    /// Kind of softkey templates.
    pub const SOFTKEY_TEMPLATE: &'static str = "SoftKeyTemplate";
    /// Kind of BLF presence groups.
    pub const PRESENCE_GROUP: &'static str = "PresenceGroup";
    /// Kind of SRST references.
    pub const SRST: &'static str = "Srst";
    /// Kind of service profiles.
    pub const SERVICE_PROFILE: &'static str = "ServiceProfile";
    /// Kind of voice-mail profiles.
    pub const VOICE_MAIL_PROFILE: &'static str = "VoiceMailProfile";
}

/// What a template or profile is told by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Identity.
    pub pkid: Pkid,
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Optimistic version; [`Identity::NEW`]: it does not exist yet.
    pub version: i64,
}

impl Identity {
    /// Version of an object that does not exist yet.
    pub const NEW: i64 = 0;

    /// That of an object that does not exist yet; it gets its identity when it is saved.
    pub const fn of_new(name: String) -> Self {
        Self {
            pkid: Pkid::from_u128(0),
            name,
            version: Self::NEW,
        }
    }
}

/// A Universal Device Template: what a device is made from.
///
/// Texts marked *tags* may hold `#FirstName#` and the like (`domain::template`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniversalDeviceTemplate {
    /// Which it is.
    pub identity: Identity,
    /// Device description, *tags*.
    pub device_description: String,
    /// What the device takes as it stands.
    pub configuration: PhoneConfiguration,
    /// Line label, *tags*.
    pub line_label: String,
    /// Display (internal caller ID), *tags*.
    pub display_caller_id: String,
    /// External phone number mask.
    pub external_phone_number: String,
    /// Most calls at once on a line.
    pub max_number_of_calls: u16,
    /// Calls at which a line is busy.
    pub busy_trigger: u16,
}

/// A Universal Line Template: what a line is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniversalLineTemplate {
    /// Which it is.
    pub identity: Identity,
    /// Line description, *tags*.
    pub line_description: String,
    /// Route partition of new lines.
    pub route_partition: Pkid,
    /// The partitions that calls from the line may reach.
    pub calling_search_space: Option<Pkid>,
    /// Which voice mail takes its calls.
    pub voice_mail_profile: Option<Pkid>,
    /// Alerting name, *tags*.
    pub alerting_name: String,
    /// Which route server CUCM asks about calls to it.
    pub external_call_control_profile: Option<Pkid>,
    /// Whether a call to it goes out at once, without waiting for further digits.
    pub urgent_priority: bool,
    /// Automatic answer.
    pub auto_answer: AutoAnswer,
}

/// A User Profile: whether, with what and how often its users may provision phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserProfile {
    /// Which it is.
    pub identity: Identity,
    /// Free text for administrators.
    pub description: String,
    /// Universal Device Template for desk phones.
    pub desk_phones: Option<Pkid>,
    /// Universal Device Template for mobile and desktop devices.
    pub mobile_devices: Option<Pkid>,
    /// Universal Device Template for remote destination and device profiles.
    pub profile: Option<Pkid>,
    /// Universal Line Template of the lines that phones are provisioned with.
    pub universal_line_template: Option<Pkid>,
    /// *Allow End User to Provision their Own Phone*.
    pub allow_provision: bool,
    /// *Limit Provisioning once End User has this many phones*, 0 to 20.
    pub limit_provision: u8,
    /// *Allow Provisioning of a phone already assigned to a different End User*.
    pub allow_phone_reassign: bool,
    /// Whether it is the system default.
    pub is_default: bool,
}

/// A Feature Group Template: what Quick User/Phone Add gives a new user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureGroupTemplate {
    /// Which it is.
    pub identity: Identity,
    /// Free text for administrators.
    pub description: String,
    /// The User Profile it carries.
    pub user_profile: Option<Pkid>,
    /// Which services (voice mail, presence) a user gets; here only a name.
    pub service_profile: Option<Pkid>,
    /// Whose busy lamps a user may watch; here only a name.
    pub blf_presence_group: Option<Pkid>,
    /// User locale by its name; empty: none.
    pub user_locale: String,
}

/// A CallManager node with its auto-registration block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallManager {
    /// Identity.
    pub pkid: Pkid,
    /// The number by which CTI knows it; `None` until the row is stored.
    pub ctiid: Option<Ctiid>,
    /// Name, for example `CM_node1`.
    pub name: String,
    /// Free text for administrators.
    pub description: String,
    /// Host name or address that phones use; empty: the advertised address of the settings.
    pub process_node_name: String,
    /// Port for SCCP phones, written into files only.
    pub phone_port: u16,
    /// SIP port over UDP and TCP, as files tell phones.
    pub sip_port: u16,
    /// SIP port over TLS, as files tell phones.
    pub sip_secure_port: u16,
    /// The auto-registration block.
    pub auto_registration: AutoRegistration,
    /// Optimistic version.
    pub version: i64,
}

/// *Auto-registration Information* of a CallManager node, and what we add to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AutoRegistration {
    /// Whether new phones may register at all.
    pub enabled: bool,
    /// The line name that an unconfigured phone registers with (`AUTO-REG`).
    pub name: String,
    /// Universal Device Template of new phones.
    pub universal_device_template: Option<Pkid>,
    /// Universal Line Template of new phones.
    pub universal_line_template: Option<Pkid>,
    /// First directory number of the range.
    pub start_dn: DirectoryNumber,
    /// Last directory number of the range; equal to the first: switched off.
    pub end_dn: DirectoryNumber,
    /// The last one given; `None` since the range was set.
    pub last_dn: Option<DirectoryNumber>,
    /// Route partition of the numbers.
    pub route_partition: Pkid,
    /// Time box: new phones are refused after it.
    pub enabled_until: Option<UnixMillis>,
    /// Model numbers allowed; empty: all.
    pub models_allowed: Vec<u32>,
    /// Most unclaimed phones at once.
    pub unclaimed_max: u32,
    /// Age in seconds at which an unclaimed phone is removed; 0: never; `None`: what the settings
    /// say.
    pub unclaimed_time_to_live_s: Option<u64>,
}

/// A CallManager group: the nodes a phone tries, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallManagerGroup {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Nodes by priority.
    pub members: Vec<Pkid>,
}

/// A device pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevicePool {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// The nodes that its phones try, in order.
    pub call_manager_group: Pkid,
    /// Zone, date format and time servers of its phones.
    pub date_time_group: Pkid,
    /// Which codecs CUCM allows its calls; here only a name.
    pub region: Option<Pkid>,
    /// Where CUCM counts the bandwidth of its calls; here only a name.
    pub location: Option<Pkid>,
}

/// A date/time group: zone, format and time servers of its phones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateTimeGroup {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Date format as phones read it, for example `D/M/Ya`.
    pub date_template: String,
    /// Olson name of the zone; empty: that of the settings.
    pub time_zone: String,
    /// Addresses of time servers.
    pub ntp_servers: Vec<String>,
}

/// A SIP profile: what the product acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipProfile {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Registration lifetime that the phone asks for, in seconds.
    pub register_expires_s: u32,
    /// How long before its end the phone refreshes, in seconds.
    pub register_delta_s: u32,
    /// Keep-alive interval to backup nodes, in seconds.
    pub keep_alive_expires_s: u32,
    /// First RTP port.
    pub start_media_port: u16,
    /// Last RTP port.
    pub stop_media_port: u16,
}

/// A phone security profile: what the product acts on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneSecurityProfile {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// The model it is for; `None`: every model.
    pub model: Option<u32>,
    /// Transport, in the schema's words: TCP, UDP, TLS, TCP+UDP.
    pub transport: String,
    /// 1 non-secure, 2 authenticated, 3 encrypted.
    pub device_security_mode: u8,
    /// *Enable Digest Authentication*. Known devices are challenged in any case.
    pub digest_authentication: bool,
    /// Lifetime of a nonce in seconds.
    pub nonce_validity_s: u32,
}

/// A phone button template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneButtonTemplate {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// The model it is for; `None`: every model.
    pub model: Option<u32>,
    /// Buttons from the top.
    pub buttons: Vec<PhoneButton>,
}

/// One button of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneButton {
    /// Position; 1 is the topmost.
    pub button: u16,
    /// Feature in the schema's words: Line, Speed Dial …
    pub feature: String,
    /// What stands beside the button.
    pub label: String,
}

/// A calling search space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallingSearchSpace {
    /// Name, by which administrators and AXL refer to it.
    pub name: String,
    /// Free text for administrators.
    pub description: String,
    /// Partitions in search order.
    pub route_partitions: Vec<Pkid>,
}
