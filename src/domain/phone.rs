//! A phone as the program keeps it: its configuration, its lines and its SIP credential.

use std::net::IpAddr;
use std::sync::Arc;

use super::ctiid::Ctiid;
use super::device::DeviceName;
use super::device::DeviceState;
use super::directory_number::DirectoryNumber;
use super::phone_model;
use super::phone_model::PhoneModel;
use super::pkid::Pkid;
use super::secret::Sealed;
use super::time::UnixMillis;

/// One device with everything that its file, its registrations and its login form need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Identity of the row. Provisioning and release give a new one.
    pub pkid: Pkid,
    /// The number by which CTI knows it; `None` until the row is stored.
    pub ctiid: Option<Ctiid>,
    /// `SEP` and the MAC address, or an administrator's name for it.
    pub name: DeviceName,
    /// Whether it waits to be claimed.
    pub state: DeviceState,
    /// Model number (`domain::phone_model`); `None` until the phone said it.
    pub model: Option<u32>,
    /// Free text, shown in listings and on the confirm screen.
    pub description: Box<str>,
    /// The end user who owns it.
    pub owner: Option<Pkid>,
    /// How it proves who it is to the registrar.
    pub digest: DigestIdentity,
    /// Changes whenever its file changes; phones reload on a new one.
    pub version_stamp: Pkid,
    /// What it took from its Universal Device Template. Devices that took the same share it in
    /// memory.
    pub configuration: Arc<PhoneConfiguration>,
    /// Its lines, ordered by `index`; the first is the primary line.
    pub lines: Box<[PhoneLine]>,
    /// The address it last registered from; kept after the registration ends.
    pub registered_address: Option<IpAddr>,
    /// The address that its first file went to with its secret, before it ever registered. Boxed:
    /// few devices have one, and all of them are in memory.
    pub first_fetch_address: Option<Box<IpAddr>>,
    /// When this version of its file was last fetched.
    pub file_fetched_at: Option<UnixMillis>,
    /// Until then any address may fetch its file (`device allow-file`).
    pub file_allowed_until: Option<UnixMillis>,
    /// When the row was made.
    pub created_at: UnixMillis,
    /// Optimistic version of the row.
    pub version: i64,
}

impl Phone {
    /// Its model, where it said one and the program knows it.
    pub fn known_model(&self) -> Option<&'static PhoneModel> {
        self.model.and_then(phone_model::by_number)
    }

    /// The primary line, when the phone has one.
    pub fn primary_line(&self) -> Option<&PhoneLine> {
        self.lines.first()
    }

    /// Digest user name: the user ID of its digest user, or else the device name.
    pub fn digest_user_name(&self) -> &str {
        let user = self.digest.digest_user.as_ref();
        user.map_or(self.name.as_str(), |user| &user.user_id)
    }
}

/// The digest credential of a device: its own random secret, or that of its `digestUser`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestIdentity {
    /// The end user whose digest credentials the device uses instead of its own secret. Boxed:
    /// hardly any of a site's many phones has one.
    pub digest_user: Option<Box<DigestUser>>,
    /// The secret, sealed with the key file; `None` when the `digestUser` has none yet.
    pub sealed_secret: Option<Sealed>,
}

/// An end user in whose name devices prove themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DigestUser {
    /// Identity of the end user.
    pub pkid: Pkid,
    /// User ID: the digest user name.
    pub user_id: Box<str>,
}

/// What a device takes from a Universal Device Template.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PhoneConfiguration {
    /// Device pool: gives CallManager group and date/time group.
    pub device_pool: Pkid,
    /// Phone security profile: transport, digest authentication and encryption of its signalling.
    pub phone_security_profile: Pkid,
    /// SIP profile: the phone's timers and media ports.
    pub sip_profile: Pkid,
    /// Phone button template: what each of its buttons is for.
    pub phone_button_template: Pkid,
    /// Softkey template: the keys under its screen in each state of a call.
    pub softkey_template: Option<Pkid>,
    /// Common phone profile: settings of the phone's own menus that many phones share.
    pub common_phone_profile: Pkid,
    /// Location: where CUCM counts the bandwidth of its calls.
    pub location: Pkid,
    /// The partitions that its calls may reach, after those of the line.
    pub calling_search_space: Option<Pkid>,
    /// User locale by its name; empty: the phone's own.
    pub user_locale: String,
    /// Network locale by its name; empty: the phone's own.
    pub network_locale: String,
    /// Firmware load; empty: the phone keeps what it runs.
    pub load_information: String,
    /// Seconds of idleness before the idle URL is opened; `None`: the system's value.
    pub idle_timer_s: Option<u32>,
    /// Where phone services come from: Default, Internal, External URL, Both.
    pub services_provisioning: String,
    /// Service URLs set here (*Override*) by AXL name; one that is absent is *Default*.
    pub service_urls: Vec<ServiceUrl>,
}

/// A service URL that a template or device sets itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceUrl {
    /// AXL element name: `idle`, `secureIdleUrl`, `directory` …
    pub name: Box<str>,
    /// The URL; may be empty, which switches the service off.
    pub url: Box<str>,
}

/// A line as it stands on one phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneLine {
    /// Position on the phone; 1 is the primary line.
    pub index: u8,
    /// Identity of the line.
    pub line: Pkid,
    /// Its directory number.
    pub pattern: DirectoryNumber,
    /// Identity of its route partition.
    pub route_partition: Pkid,
    /// The user part of the Contact that this phone uses for this line (a UUID, as CUCM gives): the
    /// identity of the appearance.
    pub contact_user: Pkid,
    /// The number by which CTI knows the appearance; `None` until the row is stored.
    pub ctiid: Option<Ctiid>,
    /// Text beside the line button.
    pub label: Box<str>,
    /// Display name for calls.
    pub display: Box<str>,
    /// External phone number mask.
    pub external_phone_number: Box<str>,
    /// Most calls at once on this line.
    pub max_number_of_calls: u16,
    /// Calls at which the line is busy.
    pub busy_trigger: u16,
    /// Whether the phone answers calls to it by itself.
    pub answers_automatically: bool,
}
