//! From a phone, its catalogue and the system's values to its file.

pub(super) mod registrars;
pub(super) mod signalling;
mod urls;

use std::borrow::Cow;
use std::collections::HashMap;

use super::DateTimeSetting;
use super::DeviceFile;
use super::DeviceSecurityMode;
use super::FileLine;
use super::FileWarning;
use super::LINE_TEXT_LENGTH_MAX;
use super::LineDigest;
use super::ServicesProvisioning;
use super::SipSettings;
use super::XmlDefaultFile;
use super::idle_url::SelfProvisionDoors;
use super::incomplete::Incomplete;
use super::locale::user_locale;
use super::referred::Referred;
use super::text::PhoneText;
use super::text::PhoneUrl;
use super::time_zone::cisco_time_zone;
use registrars::call_managers_of_default;
use registrars::registrars;
use registrars::trust_verification;
use urls::urls_of_device;
use urls::urls_of_nobody;

use crate::domain::catalogue::CallManager;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::DateTimeGroup;
use crate::domain::catalogue::SipProfile;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;

/// Path of the authentication URL that every file carries. It refuses whatever we did not push.
pub const AUTHENTICATE_PATH: &str = "/cucm-uds/private/authenticate";

/// Path of the phone service *Release this phone*.
pub const RELEASE_PATH: &str = "/cucm-uds/private/releasePhone";

/// Version stamp of every auto-registration file: a phone's own file has another.
const AUTO_REGISTRATION_STAMP: Pkid = Pkid::from_u128(0x5e1f_9204_0000_4000_8000_0000_0000_0001);

/// The node that this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnNode {
    /// Its row.
    pub pkid: Pkid,
    /// Its port for SIP over UDP and TCP.
    pub sip_port: u16,
    /// Its port for SIP over TLS.
    pub sip_secure_port: u16,
}

/// What files need to know of the whole installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SystemValues {
    /// Host name or address that phones use for a node that names none itself.
    pub advertised_address: String,
    /// The node that this process is, with the SIP ports on which phones reach it.
    pub own_node: OwnNode,
    /// Port of TVS, the same on every node; `None`: it is off.
    pub tvs_port: Option<u16>,
    /// Where provisioned phones register instead of here; `None`: here.
    pub pbx: Option<PbxRegistrar>,
    /// Where phones reach the login.
    pub doors: SelfProvisionDoors,
    /// Where phones ask whether they may be pushed to, at those doors.
    pub authentication: AuthenticationUrls,
    /// The system's service URLs (*Default*) by AXL name.
    pub service_urls: HashMap<String, String>,
    /// Olson name of the time zone of date/time groups that name none.
    pub time_zone: String,
    /// Seconds of idleness where neither template nor device says it.
    pub idle_timer_s: u32,
    /// Self-provisioning asks for credentials.
    pub self_provisioning_secure_mode: bool,
    /// The administrators' authentication code is accepted.
    pub admin_provision_mode: bool,
}

/// Where phones ask whether somebody may push to them: the same in every file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticationUrls {
    /// `authenticationURL`, at the plain door where there is one.
    pub plain: PhoneUrl<'static>,
    /// `secureAuthenticationURL`.
    pub secure: PhoneUrl<'static>,
}

impl AuthenticationUrls {
    /// Those at our doors.
    pub fn at(doors: &SelfProvisionDoors) -> Self {
        let plain = doors.plain.as_ref().unwrap_or(&doors.https);
        Self {
            plain: plain.at(AUTHENTICATE_PATH),
            secure: doors.https.at(AUTHENTICATE_PATH),
        }
    }
}

/// A PBX with which provisioned phones register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PbxRegistrar {
    /// Host name or address.
    pub host: String,
    /// SIP port.
    pub port: u16,
}

/// The file of a known device.
///
/// Without `secret` (it is not the phone's turn to have it) the file lacks `authPassword` and is
/// otherwise the same.
///
/// # Errors
///
/// [`Incomplete`] when the catalogue lacks an object that the phone refers to.
pub fn device_file<'a>(
    phone: &'a Phone,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
    secret: Option<&'a Secret>,
) -> Result<DeviceFile<'a>, Incomplete> {
    let configuration = &phone.configuration;
    let mut warnings = Vec::new();
    let referred = Referred::new(configuration, catalogue)?;
    let date_time = referred.date_time_group()?;
    let group = referred.call_manager_group()?;
    let security = referred.security_profile()?;
    let digest = secret.and_then(|secret| line_digest(phone, secret, &mut warnings));
    let has_trust_list = system.doors.phones_trust_https;
    let (security_mode, transport) = signalling::of_device(security, has_trust_list, &mut warnings);
    let urls = urls_of_device(phone, system, &mut warnings);
    Ok(DeviceFile {
        pkid: Some(phone.pkid),
        ctiid: phone.ctiid,
        device_pool: &referred.pool.name,
        date_time: date_time_setting(date_time, system, phone.model, &mut warnings),
        call_managers: registrars(phone, group, catalogue, system, &mut warnings)?,
        trust_verification: trust_verification(&group.members, catalogue, system),
        sip_profile: sip_settings(referred.sip_profile()?),
        lines: phone
            .lines
            .iter()
            .map(|line| file_line(line, digest, &mut warnings))
            .collect(),
        load_information: catalogue.load_information(&configuration.load_information, phone.model),
        version_stamp: phone.version_stamp,
        user_locale: user_locale(&configuration.user_locale),
        network_locale: with_underscores(&configuration.network_locale),
        security_mode,
        transport,
        urls,
        services_provisioning: services_provisioning(&configuration.services_provisioning),
        warnings,
    })
}

/// The file of a phone that is not a device yet: no secret, one line with the name that makes it
/// auto-register, no idle URL.
///
/// # Errors
///
/// [`Incomplete`] when the node's auto-registration template leads to no CallManager group.
pub fn auto_registration_file<'a>(
    node: &'a CallManager,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
) -> Result<DeviceFile<'a>, Incomplete> {
    let template = node
        .auto_registration
        .universal_device_template
        .and_then(|pkid| catalogue.universal_device_templates.get(&pkid))
        .ok_or(Incomplete("auto-registration template"))?;
    let configuration = &template.configuration;
    let referred = Referred::new(configuration, catalogue)?;
    let date_time = referred.date_time_group()?;
    let group = referred.pool.call_manager_group;
    let mut warnings = Vec::new();
    let members = members_of(group, node, catalogue);
    Ok(DeviceFile {
        pkid: None,
        ctiid: None,
        device_pool: &referred.pool.name,
        date_time: date_time_setting(date_time, system, None, &mut warnings),
        call_managers: call_managers_of_default(node, group, catalogue, system)?,
        trust_verification: trust_verification(&members, catalogue, system),
        sip_profile: sip_settings(referred.sip_profile()?),
        lines: vec![auto_registration_line(&node.auto_registration.name)],
        load_information: &configuration.load_information,
        version_stamp: AUTO_REGISTRATION_STAMP,
        user_locale: user_locale(&configuration.user_locale),
        network_locale: with_underscores(&configuration.network_locale),
        security_mode: DeviceSecurityMode::NonSecure,
        transport: signalling::of_nobody(referred.security_profile().ok()),
        urls: urls_of_nobody(system),
        services_provisioning: ServicesProvisioning::Internal,
        warnings,
    })
}

/// `XMLDefault.cnf.xml` of this node.
///
/// # Errors
///
/// [`Incomplete`] when no CallManager group can be found for it.
pub fn xml_default_file<'a>(
    node: &'a CallManager,
    catalogue: &'a Catalogue,
    system: &'a SystemValues,
) -> Result<XmlDefaultFile<'a>, Incomplete> {
    let group = node
        .auto_registration
        .universal_device_template
        .and_then(|pkid| catalogue.universal_device_templates.get(&pkid))
        .and_then(|template| {
            catalogue
                .device_pools
                .get(&template.configuration.device_pool)
        })
        .map_or(node.pkid, |pool| pool.call_manager_group);
    Ok(XmlDefaultFile {
        auto_registration_name: &node.auto_registration.name,
        auto_registration_enabled: node.auto_registration.enabled,
        self_provisioning_secure_mode: system.self_provisioning_secure_mode,
        admin_provision_mode: system.admin_provision_mode,
        call_managers: call_managers_of_default(node, group, catalogue, system)?,
        trust_verification: trust_verification(
            &members_of(group, node, catalogue),
            catalogue,
            system,
        ),
        loads: loads(catalogue),
        urls: urls_of_nobody(system),
    })
}

/// The nodes of a group, or the node alone where there is no such group.
fn members_of(group: Pkid, node: &CallManager, catalogue: &Catalogue) -> Vec<Pkid> {
    match catalogue.call_manager_groups.get(&group) {
        Some(group) => group.members.clone(),
        None => vec![node.pkid],
    }
}

/// The firmware of every model that has a default, in order of their numbers.
fn loads(catalogue: &Catalogue) -> Vec<(u32, &str)> {
    let defaults = catalogue.device_defaults.iter();
    let mut loads: Vec<(u32, &str)> = defaults
        .filter(|(_, default)| !default.load_information.is_empty())
        .map(|(model, default)| (*model, default.load_information.as_str()))
        .collect();
    loads.sort_unstable();
    loads
}

fn line_digest<'a>(
    phone: &'a Phone,
    secret: &'a Secret,
    warnings: &mut Vec<FileWarning>,
) -> Option<LineDigest<'a>> {
    let text = secret.reveal();
    if text.chars().count() > LINE_TEXT_LENGTH_MAX || text.chars().any(char::is_control) {
        warnings.push(FileWarning::SecretUnusable);
        return None;
    }
    Some(LineDigest {
        user_name: phone.digest_user_name(),
        secret,
    })
}

fn file_line<'a>(
    line: &'a PhoneLine,
    digest: Option<LineDigest<'a>>,
    warnings: &mut Vec<FileWarning>,
) -> FileLine<'a> {
    let label = if line.label.is_empty() {
        line.pattern.as_str()
    } else {
        &line.label
    };
    let display = if line.display.is_empty() {
        line.pattern.as_str()
    } else {
        &line.display
    };
    FileLine {
        button: line.index,
        index: line.index,
        label: bounded(label, "featureLabel", warnings),
        name: bounded(line.pattern.as_str(), "name", warnings),
        display_name: bounded(display, "displayName", warnings),
        contact: line.contact_user.to_string(),
        digest,
        auto_answer: line.answers_automatically,
        max_number_of_calls: line.max_number_of_calls,
        busy_trigger: line.busy_trigger,
    }
}

fn auto_registration_line(name: &str) -> FileLine<'_> {
    FileLine {
        button: 1,
        index: 1,
        label: PhoneText::fit(name),
        name: PhoneText::fit(name),
        display_name: PhoneText::fit(name),
        contact: PhoneText::<'_, LINE_TEXT_LENGTH_MAX>::fit(name)
            .as_str()
            .to_owned(),
        digest: None,
        auto_answer: false,
        max_number_of_calls: 2,
        busy_trigger: 1,
    }
}

/// A name as the phones' files spell it.
fn with_underscores(name: &str) -> Cow<'_, str> {
    if name.contains(' ') {
        name.replace(' ', "_").into()
    } else {
        name.into()
    }
}

fn bounded<'a, const LENGTH_MAX: usize>(
    text: &'a str,
    element: &'static str,
    warnings: &mut Vec<FileWarning>,
) -> PhoneText<'a, LENGTH_MAX> {
    let fitting = PhoneText::<LENGTH_MAX>::fit(text);
    if fitting.as_str() != text {
        warnings.push(FileWarning::Shortened(element));
    }
    fitting
}

fn date_time_setting<'a>(
    group: &'a DateTimeGroup,
    system: &'a SystemValues,
    model: Option<u32>,
    warnings: &mut Vec<FileWarning>,
) -> DateTimeSetting<'a> {
    let olson = if group.time_zone.is_empty() {
        &system.time_zone
    } else {
        &group.time_zone
    };
    let cisco = cisco_time_zone(olson);
    let is_old = model
        .and_then(phone_model::by_number)
        .is_some_and(|model| !model.speaks_tls_1_2());
    if cisco.is_none() && is_old {
        warnings.push(FileWarning::TimeZoneUnknown);
    }
    DateTimeSetting {
        name: &group.name,
        date_template: &group.date_template,
        cisco_time_zone: cisco,
        olson_time_zone: olson,
        ntp_servers: &group.ntp_servers,
    }
}

const fn sip_settings(profile: &SipProfile) -> SipSettings {
    SipSettings {
        register_expires_s: profile.register_expires_s,
        register_delta_s: profile.register_delta_s,
        keep_alive_expires_s: profile.keep_alive_expires_s,
        start_media_port: profile.start_media_port,
        stop_media_port: profile.stop_media_port,
    }
}

fn services_provisioning(words: &str) -> ServicesProvisioning {
    match words {
        "External URL" => ServicesProvisioning::ExternalUrl,
        "Both" => ServicesProvisioning::Both,
        _ => ServicesProvisioning::Internal,
    }
}
