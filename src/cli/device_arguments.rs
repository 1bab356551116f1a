//! Arguments of the commands that add and change devices.

use std::path::PathBuf;

use clap::Args;

/// What an administrator sets on a device, by the names that CUCM's pages have.
#[derive(Debug, Clone, Args)]
pub struct DeviceSettingArguments {
    /// Description
    #[arg(long, value_name = "TEXT")]
    pub description: Option<String>,
    /// Directory number of a line; repeat it for the next line, in their order on the device
    #[arg(long = "line", value_name = "NUMBER")]
    pub lines: Vec<String>,
    /// Route partition of the lines; without it, none
    #[arg(long, value_name = "NAME", default_value = "")]
    pub partition: String,
    /// User ID of the owner
    #[arg(long, value_name = "USER")]
    pub owner: Option<String>,
    /// User ID of the end user whose digest credentials the device registers with
    #[arg(long, value_name = "USER")]
    pub digest_user: Option<String>,
    /// Device pool
    #[arg(long, value_name = "NAME")]
    pub device_pool: Option<String>,
    /// Phone security profile
    #[arg(long, value_name = "NAME")]
    pub security_profile: Option<String>,
    /// SIP profile
    #[arg(long, value_name = "NAME")]
    pub sip_profile: Option<String>,
    /// Phone button template
    #[arg(long, value_name = "NAME")]
    pub button_template: Option<String>,
    /// Common phone profile
    #[arg(long, value_name = "NAME")]
    pub common_phone_profile: Option<String>,
    /// Location
    #[arg(long, value_name = "NAME")]
    pub location: Option<String>,
    /// Calling search space
    #[arg(long, value_name = "NAME")]
    pub calling_search_space: Option<String>,
}

/// Arguments of `device add`.
#[derive(Debug, Args)]
pub struct DeviceAddArguments {
    /// Device name: SEP and the MAC address, or a name of your own for a third-party SIP device
    pub name: String,
    /// Model, for example "Third-party SIP Device (Advanced)", CP-8841-3PCC, "Cisco 7841", 336
    #[arg(long, value_name = "MODEL")]
    pub model: String,
    /// Universal Device Template to make it from
    #[arg(long, value_name = "NAME")]
    pub template: Option<String>,
    /// What else it has.
    #[command(flatten)]
    pub settings: DeviceSettingArguments,
}

/// Arguments of `device update`.
#[derive(Debug, Args)]
pub struct DeviceUpdateArguments {
    /// Device name or MAC address
    pub device: String,
    /// Nobody owns it any more
    #[arg(long, conflicts_with = "owner")]
    pub no_owner: bool,
    /// It gets a secret of its own in place of a digest user's credentials
    #[arg(long, conflicts_with = "digest_user")]
    pub no_digest_user: bool,
    /// What changes; --line replaces all lines.
    #[command(flatten)]
    pub settings: DeviceSettingArguments,
}

/// Arguments of `device sheet`.
#[derive(Debug, Args)]
pub struct DeviceSheetArguments {
    /// Device name or MAC address
    pub device: String,
    /// Writes it into a new file that only you can read, instead of on the terminal
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The phone of `user add`.
#[derive(Debug, Args)]
pub struct UserPhoneArguments {
    /// Name of a phone to add for the user: SEP and the MAC address, or a name of your own for a
    /// third-party SIP device
    #[arg(long, value_name = "DEVICE", requires = "model")]
    pub phone: Option<String>,
    /// Model of that phone
    #[arg(long, value_name = "MODEL", requires = "phone")]
    pub model: Option<String>,
    /// Universal Device Template of that phone [default: that of the user's profile]
    #[arg(long, value_name = "NAME", requires = "phone")]
    pub template: Option<String>,
    /// How the user gets digest credentials.
    #[command(flatten)]
    pub digest: DigestArguments,
}

/// How a user gets digest credentials.
#[derive(Debug, Args)]
pub struct DigestArguments {
    /// File whose first line are the user's digest credentials; - reads standard input
    #[arg(long, value_name = "FILE")]
    pub digest_file: Option<PathBuf>,
    /// Makes digest credentials and prints them once
    #[arg(long, conflicts_with = "digest_file")]
    pub digest_generate: bool,
}
