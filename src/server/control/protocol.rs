//! What commands and the running service say to each other over the control socket.
//!
//! One JSON object a line in each direction: a [`Request`], then a [`Response`]. A connection may
//! carry several, one after another.

mod new_objects;
mod views;
mod words;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use new_objects::{DeviceChange, DeviceSettings, NewDevice, NewDigest, NewPhone, NewUser};
pub use views::{
    AdministratorView, AutoRegistrationView, DeviceView, Finding, Happened, MadeDevice,
    RefusalCount, RefusedView, RestartView, RestartsView, Severity, UserView,
};

use crate::domain::phone_restart::PhoneAction;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;
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
    /// Sets a user's password.
    UserSetPassword {
        /// User ID or Self-Service User ID.
        name: String,
        /// The password; `None` makes one.
        password: Option<SecretText>,
        /// Whether it must be changed before it opens anything else.
        must_change: bool,
    },
    /// What is done with application users.
    Administrator(AdministratorRequest),
    /// Sets a user's digest credentials, makes some, or removes them.
    UserSetDigest {
        /// User ID or Self-Service User ID.
        name: String,
        /// What becomes of them.
        digest: NewDigest,
    },
    /// Enables or disables a user.
    UserSetEnabled {
        /// User ID or Self-Service User ID.
        name: String,
        /// Whether the user may log in from then on.
        enabled: bool,
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
    /// Makes the activation code of a device, or shows the one that waits.
    DeviceActivationCode {
        /// Device name or MAC address.
        name: String,
        /// For how many seconds a new one is valid; `None`: the usual time.
        lifetime_s: Option<u64>,
        /// Whether another is made although one waits.
        replace: bool,
    },
    /// Takes the activation code of a device back.
    DeviceActivationCodeRemove(Name),
    /// Tells a phone to restart.
    DeviceRestart {
        /// Device name or MAC address.
        name: String,
        /// `restart`, `reset` or `check-version`.
        #[serde(with = "words::phone_action")]
        action: PhoneAction,
    },
    /// Tells many phones to restart, one after the other.
    DeviceRestartMany {
        /// Those of this model; `None`: all.
        model: Option<String>,
        /// `restart`, `reset` or `check-version`.
        #[serde(with = "words::phone_action")]
        action: PhoneAction,
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
        #[serde(with = "words::authentication_mode")]
        mode: AuthenticationMode,
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
    /// Makes the first trust key, and those beside it.
    CertCreate,
    /// Makes the keys beside the trust keys that are missing.
    CertCreateServiceKeys,
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
        /// The keys beside it that are in the file, by the SHA-256 of their certificates.
        beside: Vec<String>,
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

/// A command about application users: administrators and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdministratorRequest {
    /// Adds an application user.
    Add {
        /// User ID.
        user_id: String,
        /// Names of access control groups.
        groups: Vec<String>,
        /// The password; `None` makes one.
        password: Option<SecretText>,
        /// Whether it must be changed before it opens an API.
        must_change: bool,
    },
    /// Sets the password of an application user, and enables and unlocks the account.
    SetPassword {
        /// User ID.
        user_id: String,
        /// The password; `None` makes one.
        password: Option<SecretText>,
        /// Whether it must be changed before it opens an API.
        must_change: bool,
    },
    /// Lists application users.
    List,
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
    /// A password was set.
    PasswordSet {
        /// User ID.
        user_id: String,
        /// A password that was made: shown once.
        password: Option<SecretText>,
    },
    /// Application users.
    Administrators(Vec<AdministratorView>),
    /// An activation code.
    ActivationCode {
        /// The device that it is for.
        device: String,
        /// The digits, in groups.
        code: SecretText,
        /// When it ends.
        expires_at: String,
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
        /// The keys beside it that are in the file, by the SHA-256 of their certificates.
        beside: Vec<String>,
        /// The file: certificates and encrypted private keys.
        pem: String,
    },
    /// Auto-registration of this node.
    AutoRegistration(Box<AutoRegistrationView>),
    /// Restarts that phones owe.
    Restarts(RestartsView),
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

    #[test]
    fn a_wrong_word_is_refused_with_the_right_ones() {
        let refused = |line: &str| {
            serde_json::from_str::<Request>(line)
                .unwrap_err()
                .to_string()
        };
        let explode = r#"{"command":"device_restart","name":"SEP0011AABBCCDD","action":"explode"}"#;
        let said = refused(explode);
        assert!(said.contains("restart, reset or check-version"), "{said}");
        let anything = r#"{"command":"self_provisioning_set_mode","mode":"anything"}"#;
        let said = refused(anything);
        assert!(
            said.contains("users_only, users_and_administrators or not_required"),
            "{said}"
        );
        let restart = Request::DeviceRestart {
            name: "SEP0011AABBCCDD".into(),
            action: PhoneAction::CheckVersion,
        };
        let line = serde_json::to_string(&restart).unwrap();
        assert!(line.ends_with(r#""action":"check-version"}"#), "{line}");
        assert_eq!(serde_json::from_str::<Request>(&line).unwrap(), restart);
    }
}
