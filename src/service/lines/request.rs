//! What administrators say of a line to be added or changed.

use crate::domain::directory_number::DirectoryNumber;
use crate::domain::line::AutoAnswer;
use crate::domain::line::LineSettings;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;

/// A line to be added.
#[derive(Debug, Clone)]
pub struct NewLine {
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// Route partition.
    pub route_partition: Pkid,
    /// What is set of it.
    pub settings: LineSettings,
    /// What is only kept.
    pub elements: StoredElements,
}

impl NewLine {
    /// A line of this number and nothing else.
    pub fn new(pattern: DirectoryNumber, route_partition: Pkid) -> Self {
        Self {
            pattern,
            route_partition,
            settings: LineSettings::default(),
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
    /// Automatic answer.
    pub auto_answer: Option<AutoAnswer>,
    /// What is only kept.
    pub elements: StoredElements,
}
