//! A restart that a phone was asked for and has not answered yet by coming back.

use std::time::Duration;

use super::device::DeviceName;
use super::time::UnixMillis;

/// From the commit to the first attempt: the phone is to have the answer to its own request
/// first (the 200 to its REGISTER, the screen to its Continue).
pub const FIRST_ATTEMPT_AFTER: Duration = Duration::from_millis(500);

/// From an attempt that the phone accepted to the next: longer than a full boot takes.
pub const AFTER_ACCEPTED: Duration = Duration::from_mins(3);

/// From the n-th failed attempt to the next; the last holds from then on.
pub const AFTER_FAILED: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
];

/// The timeline repeats a result that stays the same only after this time: a phone that is off
/// adds a row a day.
pub const REPEATED_EVERY: Duration = Duration::from_hours(24);

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

    /// The one of the two after which the other is not needed any more.
    #[must_use]
    pub const fn stronger(self, other: Self) -> Self {
        match (self, other) {
            (Self::Reset, _) | (_, Self::Reset) => Self::Reset,
            (Self::Restart, _) | (_, Self::Restart) => Self::Restart,
            (Self::CheckVersion, Self::CheckVersion) => Self::CheckVersion,
        }
    }

    /// Whether the phone must come back afterwards. One that only compares version stamps may
    /// find nothing to do.
    pub const fn is_answered_by_coming_back(self) -> bool {
        !matches!(self, Self::CheckVersion)
    }
}

/// What a registration says of the restart that its phone owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtRegistration {
    /// None is owed.
    NotOwed,
    /// The phone has not heard of it yet: it is asked now that it can be reached.
    Unheard,
    /// It has said yes and has not booted since: it is given the time.
    Awaited,
    /// It has its present file, or has booted since it said yes.
    Done {
        /// When the restart was asked for.
        requested_at: UnixMillis,
    },
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

impl PhoneRestart {
    /// A restart asked for now, to be tried first at `first_attempt_at`.
    pub const fn new(
        device_name: DeviceName,
        action: PhoneAction,
        now: UnixMillis,
        first_attempt_at: UnixMillis,
    ) -> Self {
        Self {
            device_name,
            action,
            requested_at: now,
            attempts: 0,
            next_attempt_at: first_attempt_at,
            last_result: String::new(),
        }
    }

    /// Whether it has a place among many that are told one after the other, and that has not come
    /// yet: whatever its phone shows, a site must not boot at once.
    pub fn waits_its_turn(&self) -> bool {
        let at_once = self.requested_at.plus(FIRST_ATTEMPT_AFTER);
        self.attempts == 0 && self.next_attempt_at > at_once
    }

    /// Takes the outcome of one attempt. Gives `true` when that was the end of it: the phone has
    /// accepted what it need not come back from.
    pub fn attempted(&mut self, accepted: bool, result: String, now: UnixMillis) -> bool {
        let wait = if accepted {
            AFTER_ACCEPTED
        } else {
            after_failed(self.attempts)
        };
        self.attempts = self.attempts.saturating_add(1);
        self.next_attempt_at = now.plus(wait);
        self.last_result = result;
        accepted && !self.action.is_answered_by_coming_back()
    }
}

fn after_failed(attempts: u32) -> Duration {
    let index = usize::try_from(attempts).unwrap_or(usize::MAX);
    let [.., longest] = AFTER_FAILED;
    AFTER_FAILED.get(index).copied().unwrap_or(longest)
}

/// When the first attempts of many phones are made, at most so many a minute: the n-th phone's,
/// from 0.
pub fn paced(index: u64, per_minute: u32, now: UnixMillis) -> UnixMillis {
    let millis = index.saturating_mul(60_000) / u64::from(per_minute.max(1));
    now.plus(FIRST_ATTEMPT_AFTER)
        .plus(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: UnixMillis = UnixMillis(1_000_000);

    fn restart(action: PhoneAction) -> PhoneRestart {
        let name = "SEP0011AABBCC01".parse().unwrap();
        PhoneRestart::new(name, action, START, START.plus(FIRST_ATTEMPT_AFTER))
    }

    #[test]
    fn failed_attempts_come_at_growing_distances_and_an_accepted_one_has_time_to_boot() {
        let mut owed = restart(PhoneAction::Restart);
        let mut waits = Vec::new();
        for _ in 0..8 {
            assert!(!owed.attempted(false, "x".into(), START));
            waits.push(owed.next_attempt_at.since(START).as_secs());
        }
        assert_eq!(waits, [2, 5, 15, 30, 60, 300, 300, 300]);
        assert!(!owed.attempted(true, "yes".into(), START));
        assert_eq!(owed.next_attempt_at, START.plus(AFTER_ACCEPTED));
        assert_eq!((owed.attempts, owed.last_result.as_str()), (9, "yes"));
    }

    #[test]
    fn a_check_of_the_version_is_done_when_the_phone_accepts_it() {
        let mut owed = restart(PhoneAction::CheckVersion);
        assert!(!owed.attempted(false, "x".into(), START));
        assert!(owed.attempted(true, "yes".into(), START));
    }

    #[test]
    fn what_is_owed_is_never_weakened() {
        use PhoneAction::{CheckVersion, Reset, Restart};
        assert_eq!(Restart.stronger(Reset), Reset);
        assert_eq!(Reset.stronger(CheckVersion), Reset);
        assert_eq!(CheckVersion.stronger(Restart), Restart);
        assert_eq!(CheckVersion.stronger(CheckVersion), CheckVersion);
    }

    proptest! {
        #[test]
        fn no_minute_has_more_first_attempts_than_the_pace(per_minute in 1_u32..60_000, from in 0_u64..100_000) {
            let begin = paced(from, per_minute, START);
            let next_minute = paced(from + u64::from(per_minute), per_minute, START);
            prop_assert!(next_minute.since(begin) >= Duration::from_millis(59_999));
        }
    }
}
