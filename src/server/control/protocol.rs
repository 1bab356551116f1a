//! What commands and the running service say to each other over the control socket.
//!
//! One JSON object a line in each direction: a [`Request`], then a [`Response`]. A connection may
//! carry several, one after another.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::secret::Secret;
use crate::server::control::trust_lists_view::TrustListsView;

/// Longest line in bytes, in either direction: a listing of 10,000 phones.
pub const LINE_BYTES_MAX: usize = 8 << 20;

/// The socket's file in the data directory.
pub fn socket_path(data_dir: &Path) -> PathBuf {
    data_dir.join("control.sock")
}

/// A PIN or password on its way. Prints as `[redacted]`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// Takes a secret along.
    pub fn new(secret: &Secret) -> Self {
        Self(secret.reveal().to_owned())
    }

    /// The secret.
    pub fn secret(&self) -> Secret {
        Secret::from(self.0.as_str())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a command asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Adds a user.
    UserAdd(Box<NewUser>),
    /// Lists users.
    UserList(Page),
    /// Shows a user.
    UserShow(Name),
    /// Sets a user's PIN.
    UserSetPin {
        /// User ID or Self-Service User ID.
        name: String,
        /// The PIN; `None` makes one.
        pin: Option<SecretText>,
        /// Whether the user must choose another at the first login.
        must_change: bool,
    },
    /// Sets a user's digest credentials, makes some, or removes them.
    UserSetDigest {
        /// User ID or Self-Service User ID.
        name: String,
        /// What becomes of them.
        digest: NewDigest,
    },
    /// Takes back the lock of a user's PIN.
    UserUnlock(Name),
    /// Adds a device.
    DeviceAdd(Box<NewDevice>),
    /// Changes a device.
    DeviceUpdate(Box<DeviceChange>),
    /// Removes a device.
    DeviceDelete(Name),
    /// Shows a device's SIP accounts with their secret.
    DeviceSheet(Name),
    /// Lists phones.
    DeviceList(Page),
    /// Shows a phone with its timeline.
    DeviceShow(Name),
    /// Takes back the lock of a phone.
    DeviceUnlock(Name),
    /// Returns a phone to the auto-registered state.
    DeviceRelease(Name),
    /// Tells a phone to restart.
    DeviceRestart {
        /// Device name or MAC address.
        name: String,
        /// `restart`, `reset` or `check-version`.
        action: String,
    },
    /// Tells many phones to restart, one after the other.
    DeviceRestartMany {
        /// Those of this model; `None`: all.
        model: Option<String>,
        /// `restart`, `reset` or `check-version`.
        action: String,
        /// How many a minute; `None`: the usual pace.
        per_minute: Option<u32>,
    },
    /// Takes back the restarts that were never tried and are not due yet.
    DeviceRestartCancel,
    /// Lists the restarts that phones owe.
    DeviceRestarts,
    /// Opens a phone's file for any address.
    DeviceAllowFile {
        /// Device name or MAC address.
        name: String,
        /// For how many seconds.
        for_s: u64,
    },
    /// Shows this node's auto-registration.
    AutoRegistrationShow,
    /// Changes this node's auto-registration.
    AutoRegistrationSet(Box<AutoRegistrationChange>),
    /// Shows the authentication mode and whether there is an authentication code.
    SelfProvisioningShow,
    /// Sets the authentication mode.
    SelfProvisioningSetMode {
        /// `users_only`, `users_and_administrators` or `not_required`.
        mode: String,
    },
    /// Sets the administrators' authentication code, or removes it (`None`).
    SelfProvisioningSetCode {
        /// 8 to 20 digits.
        code: Option<SecretText>,
    },
    /// Lists User Profiles.
    UserProfileList,
    /// Changes what a User Profile says about self-provisioning.
    UserProfileSet(ProfileChange),
    /// Shows trust lists, keys and certificates.
    CertShow,
    /// Makes the first trust key.
    CertCreate,
    /// Makes a second trust key.
    CertRotate,
    /// Gives a trust key, encrypted.
    CertExport {
        /// Its number; `None`: the one that waits for it, else the one that signs.
        number: Option<u32>,
        /// Encrypts the key.
        passphrase: SecretText,
    },
    /// The export of a trust key is safe.
    CertExported {
        /// Its number.
        number: u32,
    },
    /// Takes a trust key from a file.
    CertImport {
        /// The file, PEM.
        file: SecretText,
        /// Opens the key, where it is encrypted.
        passphrase: Option<SecretText>,
    },
    /// Retires a trust key.
    CertRetire {
        /// Its number.
        number: u32,
        /// Although phones do not know the other one.
        force: bool,
    },
    /// Checks what the service knows of its readiness.
    Readiness {
        /// This user alone; `None`: everything.
        user: Option<String>,
    },
}

/// A user or phone by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Name {
    /// The name.
    pub name: String,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// It begins after this name.
    pub after: String,
    /// How many rows at most.
    pub limit: u32,
}

/// A user to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// User ID.
    pub user_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Number of the primary extension.
    pub extension: Option<String>,
    /// Self-Service User ID; `None`: the extension.
    pub self_service_id: Option<String>,
    /// Feature Group Template; `None`: the system's.
    pub feature_group_template: Option<String>,
    /// The PIN; `None` makes one.
    pub pin: Option<SecretText>,
    /// Whether the user must choose another at the first login.
    pub must_change: bool,
    /// Digest credentials; `None`: none, unless the phone needs some.
    #[serde(default)]
    pub digest: Option<NewDigest>,
    /// A phone for the user.
    #[serde(default)]
    pub phone: Option<NewPhone>,
}

/// What becomes of digest credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewDigest {
    /// These.
    Given(SecretText),
    /// New ones, shown once.
    Generated,
    /// None any more.
    Removed,
}

/// A phone that comes with a new user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewPhone {
    /// Device name or MAC address.
    pub name: String,
    /// Model by number, product name or as the device names itself.
    pub model: String,
    /// Universal Device Template; `None`: that of the user's profile.
    pub template: Option<String>,
}

/// A device to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    /// Device name or MAC address.
    pub name: String,
    /// Model by number, product name or as the device names itself.
    pub model: String,
    /// Universal Device Template; `None`: defaults.
    pub template: Option<String>,
    /// What else it has.
    pub settings: DeviceSettings,
    /// User ID of its owner.
    pub owner: Option<String>,
    /// User ID of its digest user.
    pub digest_user: Option<String>,
}

/// A change of a device; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceChange {
    /// Device name or MAC address.
    pub name: String,
    /// What changes; no line leaves the lines as they are.
    pub settings: DeviceSettings,
    /// User ID of its owner; empty: nobody.
    pub owner: Option<String>,
    /// User ID of its digest user; empty: a secret of its own.
    pub digest_user: Option<String>,
}

/// Settings of a device by their names; what is `None` is the template's, the default or as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceSettings {
    /// Description.
    pub description: Option<String>,
    /// Numbers of its lines, from the first on.
    pub lines: Vec<String>,
    /// Route partition of the lines; empty: `< None >`.
    pub route_partition: String,
    /// Device pool.
    pub device_pool: Option<String>,
    /// Phone security profile.
    pub phone_security_profile: Option<String>,
    /// SIP profile.
    pub sip_profile: Option<String>,
    /// Phone button template.
    pub phone_button_template: Option<String>,
    /// Common phone profile.
    pub common_phone_profile: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// Calling search space.
    pub calling_search_space: Option<String>,
}

/// A change of auto-registration; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoRegistrationChange {
    /// On or off.
    pub enabled: Option<bool>,
    /// Starting Directory Number.
    pub from: Option<String>,
    /// Ending Directory Number.
    pub to: Option<String>,
    /// Time box: for how many seconds from now.
    pub for_s: Option<u64>,
    /// Whether a time box that was set before goes.
    pub without_end: bool,
    /// Models that may; `["all"]`: every model.
    pub models: Option<Vec<String>>,
    /// Most unclaimed phones at once.
    pub unclaimed_max: Option<u32>,
    /// Days after which an unclaimed phone is removed; 0: never.
    pub unclaimed_days: Option<u64>,
    /// Name of the Universal Device Template.
    pub universal_device_template: Option<String>,
    /// Name of the Universal Line Template.
    pub universal_line_template: Option<String>,
}

/// A change of a User Profile; what is `None` stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileChange {
    /// Its name; `None`: the system default.
    pub name: Option<String>,
    /// *Allow End User to Provision their Own Phone*.
    pub allow: Option<bool>,
    /// *Limit Provisioning once End User has this many phones*.
    pub limit: Option<u8>,
}

/// What the service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Response {
    /// Done.
    Ok(Answer),
    /// Refused or failed; the text says why and what to do.
    Error(String),
}

/// What a command gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Done; the text says what.
    Done(String),
    /// A user, and the PIN where one was made.
    User {
        /// The user.
        user: Box<UserView>,
        /// A PIN that was made: shown once.
        pin: Option<SecretText>,
        /// Digest credentials that were made: shown once.
        #[serde(default)]
        digest_credentials: Option<SecretText>,
        /// A phone that was added with the user.
        #[serde(default)]
        phone: Option<Box<MadeDevice>>,
    },
    /// A device that was added or changed.
    Made(MadeDevice),
    /// A device's SIP accounts.
    Sheet {
        /// What to save it as.
        file: String,
        /// The text, with the secret.
        text: SecretText,
    },
    /// Users.
    Users(Vec<UserView>),
    /// A phone.
    Device(Box<DeviceView>),
    /// Phones.
    Devices(Vec<DeviceView>),
    /// Findings.
    Findings(Vec<Finding>),
    /// Trust lists.
    TrustLists(Box<TrustListsView>),
    /// A trust key for its file.
    TrustKeyFile {
        /// Its number.
        number: u32,
        /// The file: the certificate and the encrypted private key.
        pem: String,
    },
    /// Auto-registration of this node.
    AutoRegistration(Box<AutoRegistrationView>),
    /// Restarts that phones owe.
    Restarts(RestartsView),
}

/// The restarts that phones owe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartsView {
    /// How many phones owe one.
    pub owed: usize,
    /// Those that were tried most often, first.
    pub restarts: Vec<RestartView>,
}

/// A restart that a phone owes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestartView {
    /// Device name.
    pub device: String,
    /// `restart`, `reset` or `check-version`.
    pub action: String,
    /// When it was asked for, as RFC 3339 in UTC.
    pub requested_at: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, as RFC 3339 in UTC.
    pub next_attempt_at: String,
    /// What became of the last attempt; empty before the first.
    pub last_result: String,
}

/// Auto-registration of a node as commands show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoRegistrationView {
    /// Name of the node.
    pub node: String,
    /// `off`, `open`, or `closed` when its time box is over.
    pub state: String,
    /// End of the time box, as RFC 3339 in UTC.
    pub enabled_until: Option<String>,
    /// Seconds to that end; 0 when it is over.
    pub closes_in_s: Option<u64>,
    /// Starting Directory Number.
    pub from: String,
    /// Ending Directory Number.
    pub to: String,
    /// Numbers of the range.
    pub size: u64,
    /// Those that a line has.
    pub used: u64,
    /// Those that no line has.
    pub free: u64,
    /// Phones that wait to be claimed.
    pub unclaimed: u32,
    /// How many may.
    pub unclaimed_max: u32,
    /// Numbers that go a day, at the fastest rate of 6 hours, a day and a week.
    pub per_day: u64,
    /// Seconds until new phones are refused at that rate; `None`: nothing goes.
    pub lasts_s: Option<u64>,
    /// The same as a time.
    pub runs_out_at: Option<String>,
    /// What is at its end first: `numbers` or `unclaimed`.
    pub stopped_by: String,
    /// `good`, `low`, `critical` or `exhausted`.
    pub level: String,
    /// Models allowed; empty: all.
    pub models: Vec<String>,
    /// Universal Device Template of new phones.
    pub universal_device_template: Option<String>,
    /// Universal Line Template of new phones.
    pub universal_line_template: Option<String>,
    /// Age in seconds at which an unclaimed phone is removed; `None`: never.
    pub unclaimed_removed_after_s: Option<u64>,
    /// Refused registrations since the service started, by reason.
    pub refused: Vec<RefusalCount>,
    /// The phones that were refused last, newest first.
    pub refused_phones: Vec<RefusedView>,
    /// What wants attention.
    pub warnings: Vec<String>,
}

/// How often new phones were refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusalCount {
    /// The reason's code.
    pub reason: String,
    /// How often.
    pub times: u64,
}

/// A new phone that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedView {
    /// Device name.
    pub name: String,
    /// Model; empty when it is not known.
    pub model: String,
    /// Where it came from last.
    pub source: String,
    /// The reason's code.
    pub reason: String,
    /// How often it was refused for it.
    pub times: u32,
    /// When it was refused last, as RFC 3339 in UTC.
    pub last_at: String,
}

/// A user as commands show one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserView {
    /// User ID.
    pub user_id: String,
    /// First and last name.
    pub name: String,
    /// Number of the primary extension.
    pub extension: Option<String>,
    /// Self-Service User ID.
    pub self_service_id: Option<String>,
    /// User Profile.
    pub profile: String,
    /// Whether the account is switched on.
    pub enabled: bool,
    /// Names of the phones they own.
    pub devices: Vec<String>,
    /// What keeps them from provisioning a phone; empty when nothing does.
    pub not_ready: Vec<String>,
}

/// A device that was made, and the file by which it gets its settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeDevice {
    /// Device name.
    pub name: String,
    /// What it asks for, or the name of its account sheet.
    pub file: String,
    /// Digest user name.
    pub digest_user_name: String,
    /// What to do next, in a sentence.
    pub next: String,
}

/// A phone as commands show one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceView {
    /// Device name.
    pub name: String,
    /// Model.
    pub model: String,
    /// `auto_registered`, `provisioned`, or `unknown` for one that only asked for files.
    pub state: String,
    /// Description.
    pub description: String,
    /// Numbers of its lines.
    pub lines: Vec<String>,
    /// User ID of its owner.
    pub owner: Option<String>,
    /// User ID of its digest user; `None`: a secret of its own.
    #[serde(default)]
    pub digest_user: Option<String>,
    /// Address of its live registration.
    pub registered_from: Option<String>,
    /// Whether a restart is still owed.
    pub restart_pending: bool,
    /// That restart.
    pub restart: Option<RestartView>,
    /// What happened to it, newest first; only when one phone is shown.
    pub timeline: Vec<Happened>,
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When, as RFC 3339 in UTC.
    pub at: String,
    /// What.
    pub event: String,
    /// The code of a refusal; empty otherwise.
    pub code: String,
    /// A sentence.
    pub detail: String,
    /// From where.
    pub source: String,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, but look at it.
    Warning,
    /// Does not work.
    Problem,
}

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What was checked.
    pub subject: String,
    /// What was found.
    pub text: String,
    /// What to do about it; empty when nothing is to be done.
    pub advice: String,
}

impl Finding {
    /// As it should be.
    pub fn good(subject: &str, text: impl Into<String>) -> Self {
        Self::new(Severity::Good, subject, text, "")
    }

    /// Works, but look at it.
    pub fn warning(subject: &str, text: impl Into<String>, advice: &str) -> Self {
        Self::new(Severity::Warning, subject, text, advice)
    }

    /// Does not work.
    pub fn problem(subject: &str, text: impl Into<String>, advice: &str) -> Self {
        Self::new(Severity::Problem, subject, text, advice)
    }

    fn new(severity: Severity, subject: &str, text: impl Into<String>, advice: &str) -> Self {
        Self {
            severity,
            subject: subject.to_owned(),
            text: text.into(),
            advice: advice.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_one_flat_object_and_print_no_pin() {
        let request = Request::UserSetPin {
            name: "aksethi".into(),
            pin: Some(SecretText::new(&Secret::from("735912"))),
            must_change: false,
        };
        let line = serde_json::to_string(&request).unwrap();
        let expected =
            r#"{"command":"user_set_pin","name":"aksethi","pin":"735912","must_change":false}"#;
        assert_eq!(line, expected);
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), request);
        assert!(!format!("{request:?}").contains("735912"));
        let show = r#"{"command":"device_show","name":"SEP0011AABBCCDD"}"#;
        assert!(serde_json::from_str::<Request>(show).is_ok());
        assert!(serde_json::from_str::<Request>(r#"{"command":"format_disk"}"#).is_err());
    }
}
