//! What administrators say of a line to be added or changed.

use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;

/// Automatic answer of a line of which nothing else is said.
pub const AUTO_ANSWER_OFF: &str = "Auto Answer Off";

/// A line to be added.
#[derive(Debug, Clone)]
pub struct NewLine {
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
    /// What is only kept.
    pub elements: StoredElements,
}

impl NewLine {
    /// A line of this number and nothing else.
    pub fn new(pattern: DirectoryNumber, route_partition: Pkid) -> Self {
        Self {
            pattern,
            route_partition,
            description: String::new(),
            alerting_name: String::new(),
            calling_search_space: None,
            voice_mail_profile: None,
            external_call_control_profile: None,
            urgent_priority: false,
            auto_answer: AUTO_ANSWER_OFF.to_owned(),
            elements: StoredElements::default(),
        }
    }
}

/// A change of a line; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct LineChange {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// The directory number.
    pub pattern: Option<DirectoryNumber>,
    /// Route partition.
    pub route_partition: Option<Pkid>,
    /// Description.
    pub description: Option<String>,
    /// Alerting name.
    pub alerting_name: Option<String>,
    /// Calling search space; `Some(None)`: none.
    pub calling_search_space: Option<Option<Pkid>>,
    /// Voice-mail profile; `Some(None)`: none.
    pub voice_mail_profile: Option<Option<Pkid>>,
    /// External call control profile; `Some(None)`: none.
    pub external_call_control_profile: Option<Option<Pkid>>,
    /// Urgent priority.
    pub urgent_priority: Option<bool>,
    /// Automatic answer, in the schema's words.
    pub auto_answer: Option<String>,
    /// What is only kept.
    pub elements: StoredElements,
}
