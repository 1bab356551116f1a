//! The decision to let an end user take a phone: one pure function over loaded state.
//!
//! Every door asks it, before the confirm screen and again inside the provisioning transaction.
//! The checks stand in one order and the first that fails decides.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::catalogue::UniversalLineTemplate;
use crate::domain::catalogue::UserProfile;
use crate::domain::device::DeviceState;
use crate::domain::phone::Phone;
use crate::domain::phone_model::DeviceClass;
use crate::domain::phone_model::PhoneModel;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::user_profile::PhoneLimit;

/// Who may log in, and with what.
///
/// Source: CUCM *User Management > Self-Provisioning*, "Authentication Mode".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum AuthenticationMode {
    /// *Require Authentication*, users only: the user's PIN.
    #[default]
    UsersOnly,
    /// *Require Authentication*, users and administrators: the PIN, or the authentication code in
    /// its place.
    UsersAndAdministrators,
    /// *No Authentication Required*: the user ID or Self-Service User ID alone.
    NotRequired,
}

impl AuthenticationMode {
    const ALL: [Self; 3] = [
        Self::UsersOnly,
        Self::UsersAndAdministrators,
        Self::NotRequired,
    ];

    /// The word that stands in the database and in listings.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UsersOnly => "users_only",
            Self::UsersAndAdministrators => "users_and_administrators",
            Self::NotRequired => "not_required",
        }
    }

    /// Reads the word that [`AuthenticationMode::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// Whether the login form asks for a PIN.
    pub const fn asks_for_pin(self) -> bool {
        !matches!(self, Self::NotRequired)
    }

    /// The number that stands in a sealed token.
    pub const fn to_byte(self) -> u8 {
        match self {
            Self::UsersOnly => 0,
            Self::UsersAndAdministrators => 1,
            Self::NotRequired => 2,
        }
    }
}

/// *User Management > Self-Provisioning* as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SelfProvisioningSettings {
    /// Who may log in, and with what.
    pub mode: AuthenticationMode,
    /// The administrator's authentication code, where one is set.
    pub code: Option<AuthenticationCodeHash>,
    /// When too many failures switched the code off; it stays off until an administrator acts.
    pub code_off_at: Option<UnixMillis>,
    /// The version of the settings; every change by an administrator raises it.
    pub version: i64,
}

impl SelfProvisioningSettings {
    /// The code, when an entry of this many characters is to be tried as it.
    pub fn code_for(&self, entry: &Secret) -> Option<&AuthenticationCodeHash> {
        let may_be_used =
            self.mode == AuthenticationMode::UsersAndAdministrators && self.code_off_at.is_none();
        self.code
            .as_ref()
            .filter(|code| may_be_used && entry.reveal().len() == code.length)
    }
}

/// An authentication code as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthenticationCodeHash {
    /// PHC string of the hash.
    pub hash: Box<str>,
    /// How many digits it has.
    pub length: usize,
}

impl std::fmt::Debug for AuthenticationCodeHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The door a request came through. The decision is the same for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The idle URL on the handset.
    Url,
    /// The voice dialogue.
    Ivr,
}

impl Door {
    /// The word for timeline, audit and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Ivr => "ivr",
        }
    }
}

/// Where a request for a phone may come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressPolicy {
    /// Whether it must come from the address the phone registered from.
    pub require_registered_address: bool,
    /// Networks whose addresses count as one (NAT, dual stack).
    pub same_phone_networks: Vec<IpNet>,
}

impl AddressPolicy {
    /// Whether two addresses count as one: equal once IPv4-in-IPv6 is unwrapped, or in one of the
    /// named networks.
    pub fn is_same_place(&self, left: IpAddr, right: IpAddr) -> bool {
        let (left, right) = (left.to_canonical(), right.to_canonical());
        let holds_both = |network: &IpNet| network.contains(&left) && network.contains(&right);
        left == right || self.same_phone_networks.iter().any(holds_both)
    }
}

/// What the decision knows of the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceFacts {
    /// Whether it waits to be claimed.
    pub state: DeviceState,
    /// Where it registered from.
    pub registered_address: Option<IpAddr>,
}

impl From<&Phone> for DeviceFacts {
    fn from(phone: &Phone) -> Self {
        Self {
            state: phone.state,
            registered_address: phone.registered_address,
        }
    }
}

/// What the person has shown, for this mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Proof {
    /// Nothing that is right.
    Nothing,
    /// The user's own PIN.
    Pin {
        /// It has expired or carries *must change*.
        must_change: bool,
    },
    /// The administrator's authentication code.
    AuthenticationCode,
}

/// What the decision knows of the user.
#[derive(Debug, Clone, Copy)]
pub struct UserFacts<'a> {
    /// The user may log in at all.
    pub is_enabled: bool,
    /// The PIN is locked.
    pub is_pin_locked: bool,
    /// The user is in *Standard CCM End Users*.
    pub is_end_user: bool,
    /// The user has a primary extension.
    pub has_primary_extension: bool,
    /// The user has a Self-Service User ID.
    pub has_self_service_user_id: bool,
    /// How many phones the user owns.
    pub phones_owned: u32,
    /// The user's profile, or the system default profile; `None` only where that is missing.
    pub profile: Option<&'a UserProfile>,
}

/// One request with everything that bears on it.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a, 'c> {
    /// The phone; `None` when there is none of that name.
    pub device: Option<DeviceFacts>,
    /// Where the request comes from.
    pub source: IpAddr,
    /// Where it may come from.
    pub addresses: &'a AddressPolicy,
    /// How long attempts from this device and address must wait; zero when they need not.
    pub wait: std::time::Duration,
    /// The authentication mode.
    pub mode: AuthenticationMode,
    /// What the person has shown.
    pub proof: Proof,
    /// The user; `None` when there is none of that login.
    pub user: Option<UserFacts<'a>>,
    /// The phone's model, where it is one we know.
    pub model: Option<&'static PhoneModel>,
    /// The configured objects.
    pub catalogue: &'c Catalogue,
}

/// What an admitted request is provisioned from.
#[derive(Debug, Clone, Copy)]
pub struct Admitted<'a> {
    /// The phone's model.
    pub model: &'static PhoneModel,
    /// The Universal Device Template of the profile for the model's class.
    pub device_template: &'a UniversalDeviceTemplate,
    /// The Universal Line Template of the profile.
    pub line_template: &'a UniversalLineTemplate,
}

/// Rows 1 and 2, which need nothing of the user: the login form asks them too.
///
/// # Errors
///
/// The first row that fails.
pub fn admit_device(
    device: Option<DeviceFacts>,
    source: IpAddr,
    addresses: &AddressPolicy,
) -> Result<(), Refusal> {
    let device = device.ok_or(Refusal::DeviceNotFound)?;
    if device.state != DeviceState::AutoRegistered {
        return Err(Refusal::DeviceNotAutoRegistered);
    }
    let is_there = device
        .registered_address
        .is_some_and(|registered| addresses.is_same_place(registered, source));
    if addresses.require_registered_address && !is_there {
        return Err(Refusal::DeviceAddressMismatch);
    }
    Ok(())
}

/// Decides a request: rows 1 to 9, the first that fails decides.
///
/// # Errors
///
/// The refusal of the first row that fails.
pub fn decide<'c>(request: &Request<'_, 'c>) -> Result<Admitted<'c>, Refusal> {
    admit_device(request.device, request.source, request.addresses)?;
    if !request.wait.is_zero() {
        return Err(Refusal::TooManyAttempts { wait: request.wait });
    }
    let user = admit_user(request.user, request.mode, request.proof)?;
    if !(user.is_end_user && user.has_primary_extension && user.has_self_service_user_id) {
        return Err(Refusal::UserNotReady);
    }
    let profile = user
        .profile
        .filter(|profile| profile.allow_provision)
        .ok_or(Refusal::SelfprovNotAllowed)?;
    let limit = PhoneLimit::new(i64::from(profile.limit_provision)).unwrap_or_default();
    if !limit.admits_one_more(user.phones_owned) {
        return Err(Refusal::SelfprovDeviceLimit);
    }
    let model = request
        .model
        .filter(|model| model.is_phone())
        .ok_or(Refusal::InvalidDeviceModel)?;
    templates_for(profile, model, request.catalogue).ok_or(Refusal::ModelPhoneTemplateNotFound)
}

/// Rows 4 and 4b: the user exists, may log in, and has shown what the mode asks for.
fn admit_user(
    user: Option<UserFacts>,
    mode: AuthenticationMode,
    proof: Proof,
) -> Result<UserFacts, Refusal> {
    let user = user
        .filter(|user| user.is_enabled)
        .ok_or(Refusal::AuthenticationFailed)?;
    match (mode, proof) {
        (AuthenticationMode::NotRequired, _)
        | (AuthenticationMode::UsersAndAdministrators, Proof::AuthenticationCode) => Ok(user),
        (_, Proof::Pin { .. }) if user.is_pin_locked => Err(Refusal::AuthenticationFailed),
        (_, Proof::Pin { must_change: true }) => Err(Refusal::CredentialExpired),
        (_, Proof::Pin { must_change: false }) => Ok(user),
        (_, Proof::Nothing | Proof::AuthenticationCode) => Err(Refusal::AuthenticationFailed),
    }
}

/// Row 9: the profile's templates for a model, when they are there and suit it.
fn templates_for<'a>(
    profile: &UserProfile,
    model: &'static PhoneModel,
    catalogue: &'a Catalogue,
) -> Option<Admitted<'a>> {
    let device_template = match model.class() {
        DeviceClass::DeskPhone => profile.desk_phones,
        DeviceClass::MobileOrDesktop => profile.mobile_devices,
        DeviceClass::NotAPhone => None,
    }
    .and_then(|template| catalogue.universal_device_templates.get(&template))?;
    let line_template = profile
        .universal_line_template
        .and_then(|template| catalogue.universal_line_templates.get(&template))?;
    let buttons = catalogue
        .phone_button_templates
        .get(&device_template.configuration.phone_button_template)?;
    let suits = buttons.model.is_none_or(|number| number == model.number);
    suits.then_some(Admitted {
        model,
        device_template,
        line_template,
    })
}

#[cfg(test)]
mod tests;
