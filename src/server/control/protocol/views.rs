//! What commands show.

use serde::{Deserialize, Serialize};

/// An application user: an administrator or a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AdministratorView {
    /// User ID.
    pub user_id: String,
    /// Names of the access control groups.
    pub groups: Vec<String>,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether the password is locked.
    pub locked: bool,
    /// When that lock ends, as RFC 3339 in UTC; `None` when an administrator must end it.
    pub locked_until: Option<String>,
    /// Whether the password must be changed before it opens an API.
    pub must_change_password: bool,
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
    /// When new phones are refused at that rate, as RFC 3339 in UTC; `None`: nothing goes.
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
    /// Whether the PIN must be changed at the next login.
    #[serde(default)]
    pub must_change_pin: bool,
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
    /// Name of the node that this registration is at; `None`: the one that answers.
    #[serde(default)]
    pub registered_at_node: Option<String>,
    /// Whether a restart is still owed.
    pub restart_pending: bool,
    /// That restart.
    pub restart: Option<RestartView>,
    /// How long nobody may log in on it, in words; `None`: it is not locked, or several are shown.
    #[serde(default)]
    pub lock: Option<String>,
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
