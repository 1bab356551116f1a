//! The profile of a multiplatform phone (3PCC), and of a whole model.

use super::account::DeviceAccounts;

/// How often a phone reads its profile again when nobody tells it, in seconds: a day.
pub const RESYNC_PERIODIC_S: u32 = 86_400;

/// How often a phone that has only its model's profile reads it again, in seconds: soon, because it
/// says where the phone's own is.
pub const RESYNC_UNCONFIGURED_S: u32 = 120;

/// A profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlatProfile {
    /// Where the phone's own profile is; `$MA` is the phone's MAC address in lower case.
    /// Source: macro variables in the phones' provisioning guide.
    pub profile_rule: String,
    /// Seconds until the phone asks again.
    pub resync_periodic_s: u32,
    /// The phone's accounts; `None` in a model's profile, which anybody may read.
    pub accounts: Option<DeviceAccounts>,
}

/// The rule that leads a phone to its own profile on this file server.
pub fn profile_rule(files_http_base: &str) -> String {
    format!("{files_http_base}/$MA.xml")
}
