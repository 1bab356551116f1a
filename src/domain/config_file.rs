//! A phone's configuration file as a value: what it says, not how it is written.
//!
//! [`assemble::device_file`] makes it from a phone and the catalogue, [`DeviceFile`] is what the
//! HTTP and TFTP doors write as XML. It borrows what it says from them: it lives as long as one
//! answer takes, and copying some twenty texts took as long as writing them. Nothing here ever
//! holds an SSH, administrator or phone password, a user ID or an owner: files travel unencrypted.

pub mod account;
pub mod assemble;
pub mod file_name;
pub mod flat_profile;
pub mod idle_url;
pub mod incomplete;
pub mod locale;
mod referred;
pub mod text;
pub mod time_zone;

use std::borrow::Cow;

use idle_url::IdleUrl;
use locale::UserLocale;
use text::PhoneText;
use text::PhoneUrl;

use super::ctiid::Ctiid;
use super::pkid::Pkid;
use super::secret::Secret;

/// Longest label, name, display name or password of a line, in characters.
/// Source: the phones' own limits (reference: 30 each).
pub const LINE_TEXT_LENGTH_MAX: usize = 30;

/// Most CallManager members that a phone reads. Source: the phones' file parser.
pub const CALL_MANAGERS_MAX: usize = 3;

/// `SEP<MAC>.cnf.xml`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFile<'a> {
    /// Identity of the device; `None`: of a phone that is none yet.
    pub pkid: Option<Pkid>,
    /// The number by which CTI knows the device.
    pub ctiid: Option<Ctiid>,
    /// Name of its device pool.
    pub device_pool: &'a str,
    /// Clock.
    pub date_time: DateTimeSetting<'a>,
    /// Registrars, in the order in which the phone tries them.
    pub call_managers: CallManagers<'a>,
    /// Where to ask about certificates; empty: nowhere.
    pub trust_verification: Vec<TrustVerificationMember<'a>>,
    /// SIP timers, ports and the names of the files that go with them.
    pub sip_profile: SipSettings,
    /// Lines from the top; the first is the primary line.
    pub lines: Vec<FileLine<'a>>,
    /// Firmware load; empty: the phone keeps what it runs.
    pub load_information: &'a str,
    /// Any change of it makes the phone load the file anew on `check-version`.
    pub version_stamp: Pkid,
    /// Language of the phone; `None`: its own.
    pub user_locale: Option<UserLocale>,
    /// Tones; empty: the phone's own.
    pub network_locale: Cow<'a, str>,
    /// Signalling security.
    pub security_mode: DeviceSecurityMode,
    /// SIP transport.
    pub transport: Transport,
    /// Where its buttons and its idle screen lead.
    pub urls: ServiceUrls<'a>,
    /// Where phone services come from.
    pub services_provisioning: ServicesProvisioning,
    /// What had to be changed or left out, for log, timeline and `doctor`.
    pub warnings: Vec<FileWarning>,
}

/// `XMLDefault.cnf.xml`: what a phone without a file of its own gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlDefaultFile<'a> {
    /// The line name with which it shall register.
    pub auto_registration_name: &'a str,
    /// Whether it shall register at all.
    pub auto_registration_enabled: bool,
    /// Self-provisioning asks for credentials.
    pub self_provisioning_secure_mode: bool,
    /// The administrators' authentication code is accepted.
    pub admin_provision_mode: bool,
    /// Registrars.
    pub call_managers: CallManagers<'a>,
    /// Where to ask about certificates; empty: nowhere.
    pub trust_verification: Vec<TrustVerificationMember<'a>>,
    /// Firmware by model number, where the catalogue names one.
    pub loads: Vec<(u32, &'a str)>,
    /// Service URLs; never an idle URL, because the phone is not known yet.
    pub urls: ServiceUrls<'a>,
}

/// How a phone shows and gets the time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateTimeSetting<'a> {
    /// Name of the date/time group.
    pub name: &'a str,
    /// Format: `D/M/Ya`.
    pub date_template: &'a str,
    /// Zone for phones before the 7800, where their list has it.
    pub cisco_time_zone: Option<&'static str>,
    /// Olson zone, for newer ones.
    pub olson_time_zone: &'a str,
    /// Time servers.
    pub ntp_servers: &'a [String],
}

/// The CallManager group of a file: one to [`CALL_MANAGERS_MAX`] members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallManagers<'a> {
    group: &'a str,
    members: Vec<CallManagerMember<'a>>,
}

impl<'a> CallManagers<'a> {
    /// A group of these members in order of priority; only the first three are kept, because a
    /// phone reads no more. `None` when there is none.
    pub fn new(group: &'a str, mut members: Vec<CallManagerMember<'a>>) -> Option<Self> {
        members.truncate(CALL_MANAGERS_MAX);
        (!members.is_empty()).then_some(Self { group, members })
    }

    /// Name of the group.
    pub const fn group(&self) -> &'a str {
        self.group
    }

    /// The members by priority.
    pub fn members(&self) -> &[CallManagerMember<'a>] {
        &self.members
    }
}

/// One registrar of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallManagerMember<'a> {
    /// Name of the node.
    pub name: &'a str,
    /// Description of the node.
    pub description: &'a str,
    /// Host name or address.
    pub process_node_name: &'a str,
    /// SCCP port; phones want the element.
    pub ethernet_phone_port: u16,
    /// SIP port.
    pub sip_port: u16,
    /// SIP port over TLS.
    pub secured_sip_port: u16,
}

/// One TVS of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustVerificationMember<'a> {
    /// Host name or address.
    pub address: &'a str,
    /// TCP port.
    pub port: u16,
}

/// The part of the SIP profile that the product sets; the rest is what every CUCM writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipSettings {
    /// Registration lifetime that the phone asks for, in seconds.
    pub register_expires_s: u32,
    /// How long before its end it refreshes, in seconds.
    pub register_delta_s: u32,
    /// Keep-alive interval to backup nodes, in seconds.
    pub keep_alive_expires_s: u32,
    /// First RTP port.
    pub start_media_port: u16,
    /// Last RTP port.
    pub stop_media_port: u16,
}

/// One line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine<'a> {
    /// Button, 1 the topmost.
    pub button: u8,
    /// Position among the lines; 1 is the primary line.
    pub index: u8,
    /// Text beside the button.
    pub label: PhoneText<'a, LINE_TEXT_LENGTH_MAX>,
    /// The user part of From and To: the directory number.
    pub name: PhoneText<'a, LINE_TEXT_LENGTH_MAX>,
    /// Display name in calls.
    pub display_name: PhoneText<'a, LINE_TEXT_LENGTH_MAX>,
    /// The user part of Contact.
    pub contact: String,
    /// What it answers a digest challenge with; `None` in a file without secrets.
    pub digest: Option<LineDigest<'a>>,
    /// Whether it answers calls by itself.
    pub auto_answer: bool,
    /// Most calls at once.
    pub max_number_of_calls: u16,
    /// Calls at which it is busy.
    pub busy_trigger: u16,
}

/// The digest credential of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDigest<'a> {
    /// `authName`.
    pub user_name: &'a str,
    /// `authPassword`, at most [`LINE_TEXT_LENGTH_MAX`] characters.
    pub secret: &'a Secret,
}

/// `deviceSecurityMode`. Anything else is an error to the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceSecurityMode {
    /// Signalling in the clear.
    NonSecure = 1,
    /// TLS without encryption.
    Authenticated = 2,
    /// TLS and SRTP.
    Encrypted = 3,
}

/// `transportLayerProtocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp = 1,
    /// UDP.
    Udp = 2,
    /// TLS.
    Tls = 3,
    /// TCP, and UDP accepted.
    TcpAndUdp = 4,
}

/// `phoneServices/provisioning`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServicesProvisioning {
    /// The list in the file.
    Internal = 0,
    /// The URLs of the file.
    ExternalUrl = 1,
    /// Both.
    Both = 2,
}

/// The service URLs of a file, after *Default* and *Override* are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUrls<'a> {
    /// The one idle URL.
    pub idle: IdleUrl<'a>,
    /// Seconds of idleness before it is opened; 0 without one.
    pub idle_timeout_s: u32,
    /// `authenticationURL`: always ours. An empty one would let anybody push to the phone.
    pub authentication: &'a PhoneUrl<'static>,
    /// `secureAuthenticationURL`: always ours.
    pub secure_authentication: &'a PhoneUrl<'static>,
    /// `directoryURL`.
    pub directory: Option<PhoneUrl<'a>>,
    /// `secureDirectoryURL`.
    pub secure_directory: Option<PhoneUrl<'a>>,
    /// `informationURL`.
    pub information: Option<PhoneUrl<'a>>,
    /// `secureInformationURL`.
    pub secure_information: Option<PhoneUrl<'a>>,
    /// `messagesURL`.
    pub messages: Option<PhoneUrl<'a>>,
    /// `secureMessagesURL`.
    pub secure_messages: Option<PhoneUrl<'a>>,
    /// `proxyServerURL`.
    pub proxy_server: Option<PhoneUrl<'a>>,
    /// `servicesURL`.
    pub services: Option<PhoneUrl<'a>>,
    /// `secureServicesURL`.
    pub secure_services: Option<PhoneUrl<'a>>,
}

/// Something in a file that is not as its template says, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FileWarning {
    /// The login is on a door that this phone will not trust.
    #[error(
        "the idle URL is HTTPS, which this phone will not trust: it will show \"Host not found\"; \
         serve a trust list or switch on the plain HTTP listener for phones"
    )]
    IdleUrlNotTrusted,
    /// The template's idle URL is the login, and the phone has an owner already.
    #[error(
        "the idle URL is the self-provisioning login and was left out, because the phone is \
         provisioned; give its template another idle URL"
    )]
    LoginLeftOut,
    /// A text was cut.
    #[error("{0} is longer than a phone's file may hold and was cut")]
    Shortened(&'static str),
    /// A URL was left out.
    #[error("{0} is not a URL of at most 255 printable characters and was left out")]
    UrlUnusable(&'static str),
    /// The digest secret does not fit.
    #[error(
        "the digest secret is longer than 30 characters or not plain text, so the phone cannot \
         use it; give the digest user shorter digest credentials"
    )]
    SecretUnusable,
    /// The model is older than the zone names of the installation.
    #[error("phones before the 7800 do not know this time zone and show UTC")]
    TimeZoneUnknown,
    /// The profile asks for TLS without encryption.
    #[error(
        "the security profile says Authenticated, TLS without encryption, which is not offered: \
         the phone is told to encrypt; say Encrypted in the profile"
    )]
    AuthenticatedIsEncrypted,
    /// The phone must use TLS towards a server that it does not trust.
    #[error(
        "the security profile asks for TLS, but this phone has no trust list: it will not \
         register; serve a trust list, or give it a profile without TLS"
    )]
    SignallingNotTrusted,
    /// More members than a phone reads.
    #[error("the CallManager group has more than three members; phones read three")]
    TooManyCallManagers,
}
