//! A line: a directory number in a route partition with its call settings.

use super::directory_number::DirectoryNumber;
use super::pkid::Pkid;

/// A line as the program keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Identity.
    pub pkid: Pkid,
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// The partition in which the number is unique; `< None >` is one as well.
    pub route_partition: Pkid,
    /// What the line is for, for administrators; phones do not show it.
    pub description: String,
    /// The name that a caller sees while the line rings.
    pub alerting_name: String,
    /// The partitions that calls from the line may reach, before those of the device.
    pub calling_search_space: Option<Pkid>,
    /// Which voice mail takes its calls; here only a name that others refer to.
    pub voice_mail_profile: Option<Pkid>,
    /// Which route server CUCM asks about calls to it; here only a name.
    pub external_call_control_profile: Option<Pkid>,
    /// Whether a call to it goes out at once, without waiting for further digits.
    pub urgent_priority: bool,
    /// Automatic answer, in the schema's words.
    pub auto_answer: String,
    /// Made by auto-registration: its number goes back to the pool with its device.
    pub auto_registered: bool,
    /// Optimistic version.
    pub version: i64,
}

impl Line {
    /// Whether phones answer calls to it by themselves.
    pub fn answers_automatically(&self) -> bool {
        answers_automatically(&self.auto_answer)
    }
}

/// Whether this Auto Answer, in the schema's words, is any but *Auto Answer Off*.
pub fn answers_automatically(auto_answer: &str) -> bool {
    !matches!(auto_answer, "" | "Auto Answer Off")
}
