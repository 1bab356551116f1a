//! Users and devices that commands add and change.

use serde::{Deserialize, Serialize};

use super::SecretText;

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
