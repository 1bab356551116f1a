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
    /// Route partition.
    pub route_partition: Pkid,
    /// Description.
    pub description: String,
    /// Alerting name.
    pub alerting_name: String,
    /// Calling search space.
    pub calling_search_space: Option<Pkid>,
    /// Voice-mail profile.
    pub voice_mail_profile: Option<Pkid>,
    /// External call control profile.
    pub external_call_control_profile: Option<Pkid>,
    /// Urgent priority.
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
