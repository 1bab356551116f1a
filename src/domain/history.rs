//! What is remembered: the audit log (who changed what) and each phone's timeline (what happened).

use std::net::IpAddr;

use super::device::DeviceName;
use super::pkid::Pkid;
use super::schema::ObjectKind;
use super::time::UnixMillis;

/// Ties together what one request of a phone caused, from the wire to the audit row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CorrelationId(pub Pkid);

impl std::fmt::Display for CorrelationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}

/// Kind of object that the audit log speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditKind {
    /// An access control group.
    AccessControlGroup,
    /// An application user.
    ApplicationUser,
    /// A node, auto-registration included.
    CallManager,
    /// Which credential policy new credentials get.
    CredentialPolicyDefault,
    /// A device.
    Device,
    /// What new devices of a model get.
    DeviceDefaults,
    /// An end user.
    EndUser,
    /// A Feature Group Template.
    FeatureGroupTemplate,
    /// A line.
    Line,
    /// An activation code.
    PhoneActivationCode,
    /// *User Management > Self-Provisioning*.
    SelfProvisioning,
    /// A key that signs trust lists.
    TrustKey,
    /// A Universal Device Template.
    UniversalDeviceTemplate,
    /// A Universal Line Template.
    UniversalLineTemplate,
    /// A User Profile.
    UserProfile,
    /// Another object of the catalogue.
    Object(ObjectKind),
}

impl AuditKind {
    /// The word in the database: of an object that is known by AXL alone, its noun there.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessControlGroup => "access_control_group",
            Self::ApplicationUser => "application_user",
            Self::CallManager => "call_manager",
            Self::CredentialPolicyDefault => "credential_policy_default",
            Self::Device => "device",
            Self::DeviceDefaults => "device_defaults",
            Self::EndUser => "end_user",
            Self::FeatureGroupTemplate => "feature_group_template",
            Self::Line => "line",
            Self::PhoneActivationCode => "phone_activation_code",
            Self::SelfProvisioning => "self_provisioning",
            Self::TrustKey => "trust_key",
            Self::UniversalDeviceTemplate => "universal_device_template",
            Self::UniversalLineTemplate => "universal_line_template",
            Self::UserProfile => "user_profile",
            Self::Object(kind) => kind.noun(),
        }
    }
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identity, ordered by time.
    pub pkid: Pkid,
    /// When.
    pub at: UnixMillis,
    /// Who: `user:aksethi`, `administrator:admin`, `device:SEP…`, `system`.
    pub actor: String,
    /// From where: an address or a door (`command line`).
    pub source: String,
    /// What was done, as `object.verb`: `device.provision`.
    pub action: &'static str,
    /// Kind of object.
    pub object_kind: AuditKind,
    /// Its name.
    pub object_name: String,
    /// Its identity, where it has one.
    pub object: Option<Pkid>,
    /// What it was before, in words; never a secret.
    pub before: String,
    /// What it is after, in words; never a secret.
    pub after: String,
    /// The elements of the object that changed, by their names in AXL.
    pub elements: Vec<&'static str>,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

/// One row of a phone's timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// Identity, ordered by time.
    pub pkid: Pkid,
    /// When.
    pub at: UnixMillis,
    /// The phone.
    pub device_name: DeviceName,
    /// What happened.
    pub event: TimelineEvent,
    /// The code of a refusal; empty otherwise.
    pub code: String,
    /// A sentence for the administrator; never a secret.
    pub detail: String,
    /// The address it came from.
    pub source: Option<IpAddr>,
    /// User ID of the user concerned; empty when there is none.
    pub end_user: String,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

/// What can happen to a phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimelineEvent {
    /// A file was asked for before the device existed.
    FileAskedFor,
    /// Its own file was served with its secret.
    FileServed,
    /// Its file was served without its secret, or refused.
    FileWithheld,
    /// Auto-registration made the device.
    AutoRegistered,
    /// A registration that would have made the device was refused.
    AutoRegistrationRefused,
    /// It registered or re-registered.
    Registered,
    /// A registration was refused.
    RegistrationRefused,
    /// Its registration ended or was taken back.
    Unregistered,
    /// A user logged in on it.
    LoggedIn,
    /// A login on it was refused.
    LoginRefused,
    /// A user changed the PIN on it.
    PinChanged,
    /// An administrator added it.
    Added,
    /// An administrator changed it.
    Changed,
    /// It became a user's phone.
    Provisioned,
    /// It went back to the auto-registered state.
    Released,
    /// It was told to restart.
    RestartSent,
    /// Telling it to restart failed and will be tried again.
    RestartFailed,
    /// It came back after a restart.
    RestartDone,
    /// The row was removed.
    Removed,
}

impl TimelineEvent {
    const WORDS: [(Self, &'static str); 19] = [
        (Self::FileAskedFor, "file_asked_for"),
        (Self::FileServed, "file_served"),
        (Self::FileWithheld, "file_withheld"),
        (Self::AutoRegistered, "auto_registered"),
        (Self::AutoRegistrationRefused, "auto_registration_refused"),
        (Self::Registered, "registered"),
        (Self::RegistrationRefused, "registration_refused"),
        (Self::Unregistered, "unregistered"),
        (Self::LoggedIn, "logged_in"),
        (Self::LoginRefused, "login_refused"),
        (Self::PinChanged, "pin_changed"),
        (Self::Added, "added"),
        (Self::Changed, "changed"),
        (Self::Provisioned, "provisioned"),
        (Self::Released, "released"),
        (Self::RestartSent, "restart_sent"),
        (Self::RestartFailed, "restart_failed"),
        (Self::RestartDone, "restart_done"),
        (Self::Removed, "removed"),
    ];

    /// The word that stands in the database and in listings.
    pub fn as_str(self) -> &'static str {
        Self::WORDS
            .iter()
            .find(|(event, _)| *event == self)
            .map_or("", |(_, word)| word)
    }

    /// Reads the word that [`TimelineEvent::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::WORDS
            .iter()
            .find(|(_, other)| *other == word)
            .map(|(event, _)| *event)
    }
}
