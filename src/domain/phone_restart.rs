//! A restart that a phone was asked for and has not answered yet by coming back.

use super::device::DeviceName;
use super::time::UnixMillis;

/// What a phone is asked to do. Source: service-control, `action=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PhoneAction {
    /// Re-read the configuration (quick).
    Restart,
    /// Boot anew, firmware and locale included.
    Reset,
    /// Compare version stamps and reload when they differ.
    CheckVersion,
}

impl PhoneAction {
    /// The word of the service-control body and of the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Reset => "reset",
            Self::CheckVersion => "check-version",
        }
    }

    /// Reads the word that [`PhoneAction::as_str`] gave.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Restart, Self::Reset, Self::CheckVersion]
            .into_iter()
            .find(|action| action.as_str() == word)
    }
}

/// One phone's restart, from the request until the phone has come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneRestart {
    /// The phone.
    pub device_name: DeviceName,
    /// What it is asked to do.
    pub action: PhoneAction,
    /// When it was first asked for.
    pub requested_at: UnixMillis,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: UnixMillis,
    /// What became of the last attempt, in words; empty before the first.
    pub last_result: String,
}
