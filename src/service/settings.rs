//! What the use cases need of the settings, as plain values. `settings.rs` converts into it.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::call_route::PbxCalls;
use crate::domain::call_target::CallTarget;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::trust_list::Sha1For;

/// Settings of the use cases.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How phones reach the service.
    pub advertised: Advertised,
    /// SIP requests a second that one address may send, ten times as many at once; 0: no limit.
    pub sip_requests_per_source_s: u32,
    /// SIP connections open at once; one address, or one site behind NAT, has at most a quarter.
    pub sip_connections_max: u32,
    /// Of these, those of one address; a site behind NAT has a multiple.
    pub sip_connections_per_source_max: u32,
    /// What phones are served and believed.
    pub phones: PhoneSettings,
    /// Trust lists.
    pub trust_list: TrustListSettings,
    /// Where calls go.
    pub calls: CallSettings,
    /// Limits of auto-registration beyond those of the node.
    pub auto_registration: AutoRegistrationSettings,
    /// PIN and password checks.
    pub credentials: CredentialSettings,
    /// AXL.
    pub axl: AxlSettings,
    /// Looking for users.
    pub user_search: UserSearchSettings,
}

impl Default for Settings {
    /// The defaults of the settings file, on loopback.
    fn default() -> Self {
        Self {
            advertised: Advertised {
                host: "127.0.0.1".to_owned(),
                https_port: 8443,
                http_phones_port: None,
                files_http_port: 6970,
                tvs_port: None,
                sip_port: 5060,
                sip_secure_port: 5061,
            },
            sip_requests_per_source_s: 1_000,
            sip_connections_max: 20_000,
            sip_connections_per_source_max: 1_000,
            phones: PhoneSettings::default(),
            trust_list: TrustListSettings::default(),
            calls: CallSettings::default(),
            auto_registration: AutoRegistrationSettings::default(),
            credentials: CredentialSettings::default(),
            axl: AxlSettings::default(),
            user_search: UserSearchSettings::default(),
        }
    }
}

/// How phones reach the service, as their files say it.
#[derive(Debug, Clone)]
pub struct Advertised {
    /// Host name or address.
    pub host: String,
    /// Port of the HTTPS door in idle URLs; 443 is left out of the URL.
    pub https_port: u16,
    /// Port of the plain-HTTP door for phones; `None`: it is off.
    pub http_phones_port: Option<u16>,
    /// Port of the file door.
    pub files_http_port: u16,
    /// Port of TVS, which phones ask about certificates; `None`: it is off.
    pub tvs_port: Option<u16>,
    /// SIP port in files when the node's own is not to be used (port 0 at start); else the node's.
    pub sip_port: u16,
    /// SIP over TLS.
    pub sip_secure_port: u16,
}

impl Advertised {
    /// `https://host[:port]` of the HTTPS door.
    pub fn https_base(&self) -> String {
        match self.https_port {
            443 => format!("https://{}", self.host_in_url()),
            port => format!("https://{}:{port}", self.host_in_url()),
        }
    }

    /// `http://host[:port]` of the plain-HTTP door for phones, where it is on.
    pub fn http_phones_base(&self) -> Option<String> {
        self.http_phones_port.map(|port| match port {
            80 => format!("http://{}", self.host_in_url()),
            port => format!("http://{}:{port}", self.host_in_url()),
        })
    }

    /// `http://host:port` of the file door.
    pub fn files_http_base(&self) -> String {
        format!("http://{}:{}", self.host_in_url(), self.files_http_port)
    }

    fn host_in_url(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        }
    }
}

/// What a phone is told that asks for the file of an unknown MAC address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPhones {
    /// A file without any secret that makes the phone register.
    AutoRegistrationFile,
    /// Not found; the phone goes on to `XMLDefault.cnf.xml`.
    NotFound,
}

/// From where a phone may fetch its file with its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfigSource {
    /// The address of its last registration.
    Last,
    /// The same /24 (IPv6: /64) as that address.
    Subnet,
    /// Anywhere.
    Any,
}

/// How a phone is made to load its new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartAction {
    /// `reset` when template, locale or load differ, else `restart`.
    Auto,
    /// Always `restart`.
    Restart,
    /// Always `reset`.
    Reset,
}

/// What phones are served and believed.
#[derive(Debug, Clone)]
pub struct PhoneSettings {
    /// Answer to the file of an unknown phone.
    pub unknown_phones: UnknownPhones,
    /// Who gets a file with its secret.
    pub config_source: ConfigSource,
    /// Largest TFTP block granted, in bytes.
    pub tftp_blksize_max: u16,
    /// Proxies whose word about the original address is taken.
    pub trusted_proxies: Vec<IpNet>,
    /// Networks that count as one address (NAT, dual stack).
    pub same_phone_networks: Vec<IpNet>,
    /// Whether a phone may be provisioned only from the address it registered from.
    pub require_registered_address: bool,
    /// Whether a phone that waits to be claimed takes an activation code.
    pub activation_codes: bool,
    /// How a phone is made to load its new file.
    pub restart_action: RestartAction,
    /// Lifetime granted to a registration, in seconds; a Cisco phone needs 65 or more.
    pub registration_expires_s: u32,
    /// Olson name of the time zone of date/time groups that name none.
    pub time_zone: String,
    /// Whether phones accept our HTTPS certificate without a trust list of ours: those of the
    /// demonstration are given it.
    pub trust_our_certificate: bool,
}

impl Default for PhoneSettings {
    fn default() -> Self {
        Self {
            unknown_phones: UnknownPhones::AutoRegistrationFile,
            config_source: ConfigSource::Last,
            tftp_blksize_max: 1_428,
            trusted_proxies: Vec::new(),
            same_phone_networks: Vec::new(),
            require_registered_address: true,
            activation_codes: true,
            restart_action: RestartAction::Auto,
            registration_expires_s: 120,
            time_zone: "UTC".to_owned(),
            trust_our_certificate: false,
        }
    }
}

/// Trust lists.
#[derive(Debug, Clone, Copy, Default)]
pub struct TrustListSettings {
    /// Whether they are made and served.
    pub enabled: bool,
    /// Which phones get one whose signature uses SHA-1.
    pub sha1_for: Sha1For,
    /// Whether lists say that configuration files are signed.
    pub signed_configuration: bool,
}

/// Where calls go.
#[derive(Debug, Clone, Default)]
pub struct CallSettings {
    /// The number of the self-provisioning dialogue; `None`: there is none.
    pub ivr_number: Option<DirectoryNumber>,
    /// Numbers that always go to `emergency_target`.
    pub emergency_numbers: Vec<DirectoryNumber>,
    /// Where emergency calls go; `None`: the PBX.
    pub emergency_target: Option<CallTarget>,
    /// The PBX that takes calls to numbers that no phone here has.
    pub pbx: Option<CallTarget>,
    /// Whether phones are told to call the PBX themselves (302) instead of through us.
    pub pbx_redirects: bool,
    /// Whether provisioned phones register with the PBX instead.
    pub pbx_register_there: bool,
}

impl CallSettings {
    /// Where emergency calls go.
    pub fn emergency_target(&self) -> Option<&CallTarget> {
        self.emergency_target.as_ref().or(self.pbx.as_ref())
    }

    /// Whether this is one of the emergency numbers.
    pub fn is_emergency(&self, dialled: &str) -> bool {
        let mut numbers = self.emergency_numbers.iter();
        numbers.any(|number| number.as_str() == dialled)
    }

    /// What becomes of calls to numbers that no phone here has.
    pub const fn pbx_calls(&self) -> PbxCalls {
        match (&self.pbx, self.pbx_redirects) {
            (None, _) => PbxCalls::None,
            (Some(_), false) => PbxCalls::Proxied,
            (Some(_), true) => PbxCalls::Redirected,
        }
    }
}

/// Limits of auto-registration beyond those of the node.
#[derive(Debug, Clone)]
pub struct AutoRegistrationSettings {
    /// Most unclaimed phones that one address may have registered.
    pub unclaimed_per_source_max: u32,
    /// Networks behind NAT to which that limit does not apply.
    pub nat_networks: Vec<IpNet>,
    /// Most unclaimed phones altogether.
    pub unclaimed_max: u32,
    /// Age at which an unclaimed phone is removed; `None`: never.
    pub unclaimed_time_to_live: Option<Duration>,
}

/// How many usual phones' addresses a network behind NAT counts as, where each has a share.
const NAT_NETWORK_SHARES: u32 = 20;

impl AutoRegistrationSettings {
    /// The multiple of one address's share that this one has: many phones may stand behind it.
    pub fn shares_of(&self, source: IpAddr) -> u32 {
        let source = source.to_canonical();
        let mut networks = self.nat_networks.iter();
        if networks.any(|network| network.contains(&source)) {
            NAT_NETWORK_SHARES
        } else {
            1
        }
    }
}

impl Default for AutoRegistrationSettings {
    fn default() -> Self {
        Self {
            unclaimed_per_source_max: 16,
            nat_networks: Vec::new(),
            unclaimed_max: 1_000,
            unclaimed_time_to_live: Some(Duration::from_hours(30 * 24)),
        }
    }
}

/// What AXL takes and gives.
#[derive(Debug, Clone, Copy)]
pub struct AxlSettings {
    /// Largest request in bytes.
    pub request_bytes_max: usize,
    /// Largest answer in bytes; 0: no limit.
    pub answer_bytes_max: usize,
    /// Changes that may be under way at once; 0: no limit.
    pub changes_at_once_max: usize,
    /// Whether a call in the dialect before 8.0 is refused for an element that it does not have.
    pub refuses_unknown_in_old_dialect: bool,
}

impl Default for AxlSettings {
    fn default() -> Self {
        Self {
            request_bytes_max: 1024 * 1024,
            answer_bytes_max: 8 * 1024 * 1024,
            changes_at_once_max: 0,
            refuses_unknown_in_old_dialect: false,
        }
    }
}

/// How failures lead to a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lockout {
    /// One device or address counts at most twice towards a lock.
    Spread,
    /// The plain count of CUCM.
    Cucm,
}

/// PIN and password checks.
#[derive(Debug, Clone)]
pub struct CredentialSettings {
    /// How failures lead to a lock.
    pub lockout: Lockout,
    /// Threads that verify PINs; 0: one less than the processors, at least one.
    pub hasher_threads: usize,
    /// Logins that may wait for such a thread.
    pub hasher_queue_max: usize,
}

impl Default for CredentialSettings {
    fn default() -> Self {
        Self {
            lockout: Lockout::Spread,
            hasher_threads: 0,
            hasher_queue_max: 256,
        }
    }
}

/// Who may look for users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSearchAccess {
    /// Nobody.
    Off,
    /// Users and programs that have logged in.
    Authenticated,
    /// Anybody who reaches the door.
    Open,
}

/// Looking for users.
#[derive(Debug, Clone, Copy)]
pub struct UserSearchSettings {
    /// Who may.
    pub access: UserSearchAccess,
    /// Most users of one answer.
    pub limit: u32,
}

impl Default for UserSearchSettings {
    fn default() -> Self {
        Self {
            access: UserSearchAccess::Authenticated,
            limit: 64,
        }
    }
}
