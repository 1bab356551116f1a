//! Lock-out arithmetic: what failures do to the attempts that come after them.
//!
//! Two things stand before a guesser. *Delays* are short, grow, end by themselves and are always
//! told. *Locks* close a credential or a device for the policy's lock-out duration. A device is
//! locked before a colleague's credential can be: one device or address counts at most twice
//! towards the lock of a credential, so nobody locks out a colleague from one far phone.
//!
//! An attempt refused by a delay or a lock is not verified and is no failure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::domain::credential::{CredentialPolicy, LockDuration};
use crate::domain::device::DeviceName;
use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;

/// Failures of one address within [`SOURCE_WITHIN`] above which its failing phones must wait:
/// a whole site may share one address.
pub const SOURCE_FAILURES_MAX: usize = 30;
/// The time over which the failures of an address are counted.
pub const SOURCE_WITHIN: Duration = Duration::from_mins(10);
/// How often one device or address counts towards the lock of a credential.
pub const COUNTED_PER_SOURCE_MAX: usize = 2;

/// Failures from which a delay holds, and the delay. Source: the shape of Kanidm's soft lock
/// (NIST SP 800-63B section 5.2.2).
const DELAYS: [(usize, Duration); 4] = [
    (25, Duration::from_secs(10)),
    (9, Duration::from_secs(5)),
    (3, Duration::from_secs(3)),
    (1, Duration::from_secs(1)),
];

/// How failures add up to the lock of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockoutRule {
    /// One device or address counts at most [`COUNTED_PER_SOURCE_MAX`] times.
    #[default]
    Spread,
    /// Every failure counts, as CUCM counts them (`lockout = "cucm"`).
    Cucm,
}

/// One failed attempt on a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// When it was.
    pub at: UnixMillis,
    /// The device it came from; pages and APIs have none.
    pub device: Option<DeviceName>,
    /// The address it came from.
    pub source: IpAddr,
}

/// A lock as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// When it began.
    pub since: UnixMillis,
    /// When it ends; `None` when an administrator must end it.
    pub until: Option<UnixMillis>,
}

impl Lock {
    /// The lock that begins now under a policy.
    pub fn begin(policy: &CredentialPolicy, now: UnixMillis) -> Self {
        let until = match policy.lock_duration {
            LockDuration::For(duration) => Some(now.plus(duration)),
            LockDuration::UntilUnlocked => None,
        };
        Self { since: now, until }
    }

    /// How long it still holds: [`Duration::MAX`] when an administrator must end it, zero when it
    /// is over.
    pub fn left(&self, now: UnixMillis) -> Duration {
        self.until.map_or(Duration::MAX, |until| until.since(now))
    }
}

/// What is remembered when an attempt arrives. Only failures that still matter are in it: not
/// older than [`remembered`] says, not from before the last lock began, not cleared by a right
/// login.
#[derive(Debug, Clone, Default)]
pub struct FailureHistory {
    /// Failures on this credential, from anywhere.
    pub credential: Vec<Failure>,
    /// Failures from this device, on any credential.
    pub device: Vec<UnixMillis>,
    /// Failures from this address, on any credential, within [`SOURCE_WITHIN`].
    pub source: Vec<UnixMillis>,
    /// The last lock of a login that has no credential to lock; see
    /// [`FailureHistory::with_imagined_lock`].
    pub imagined_lock: Option<Lock>,
}

/// How long a failure can matter under a policy.
pub fn remembered(policy: &CredentialPolicy) -> Duration {
    let locked = match policy.lock_duration {
        LockDuration::For(duration) => duration,
        LockDuration::UntilUnlocked => Duration::ZERO,
    };
    policy.failures_reset_after.max(SOURCE_WITHIN).max(locked)
}

/// The delay after this many failures.
pub fn delay(failures: usize) -> Duration {
    DELAYS
        .into_iter()
        .find(|(from, _)| failures >= *from)
        .map_or(Duration::ZERO, |(_, delay)| delay)
}

/// What is left of the delay after these failures.
fn delay_left(failures: impl IntoIterator<Item = UnixMillis>, now: UnixMillis) -> Duration {
    let (count, last) = failures.into_iter().fold((0, None), |(count, last), at| {
        (count + 1, last.max(Some(at)))
    });
    last.map_or(Duration::ZERO, |last: UnixMillis| {
        last.plus(delay(count)).since(now)
    })
}

/// The failures that the policy has not forgotten.
fn recent(
    failures: impl IntoIterator<Item = UnixMillis>,
    policy: &CredentialPolicy,
    now: UnixMillis,
) -> impl Iterator<Item = UnixMillis> {
    let from = now.minus(policy.failures_reset_after);
    failures.into_iter().filter(move |at| *at > from)
}

impl FailureHistory {
    /// How long an attempt must wait before it is looked at; zero when it need not.
    ///
    /// Delays hold per credential and per device. The address delay holds only for a phone that
    /// has failed itself: a right login of another phone of the site is never in its way.
    pub fn wait(&self, policy: &CredentialPolicy, now: UnixMillis) -> Duration {
        let credential = recent(self.credential.iter().map(|f| f.at), policy, now);
        let device = recent(self.device.iter().copied(), policy, now);
        delay_left(credential, now)
            .max(delay_left(device, now))
            .max(self.source_wait(now))
    }

    fn source_wait(&self, now: UnixMillis) -> Duration {
        let from = now.minus(SOURCE_WITHIN);
        let failed_itself = self.device.iter().any(|at| *at > from);
        let source: Vec<UnixMillis> = self
            .source
            .iter()
            .copied()
            .filter(|at| *at > from)
            .collect();
        if failed_itself && source.len() > SOURCE_FAILURES_MAX {
            delay_left(source, now)
        } else {
            Duration::ZERO
        }
    }

    /// Whether the failures, the newest among them, lock the credential.
    pub fn locks_credential(
        &self,
        policy: &CredentialPolicy,
        rule: LockoutRule,
        now: UnixMillis,
    ) -> bool {
        let from = now.minus(policy.failures_reset_after);
        let recent = self.credential.iter().filter(|failure| failure.at > from);
        let counted = match rule {
            LockoutRule::Cucm => recent.count(),
            LockoutRule::Spread => counted_per_source(recent),
        };
        reaches(counted, policy)
    }

    /// The history of a login that names nobody, or somebody without a PIN, as if there were a
    /// credential that these failures lock: else a lock would tell that there is somebody to lock.
    #[must_use]
    pub fn with_imagined_lock(mut self, policy: &CredentialPolicy, rule: LockoutRule) -> Self {
        let mut failures = std::mem::take(&mut self.credential);
        failures.sort_by_key(|failure| failure.at);
        for failure in failures {
            let at = failure.at;
            self.credential.push(failure);
            if self.locks_credential(policy, rule, at) {
                self.imagined_lock = Some(Lock::begin(policy, at));
                self.credential.clear();
            }
        }
        self
    }

    /// Whether the failures, the newest among them, lock this device: as many on any credentials
    /// since its last right login, or as many on this one credential, whoever logged in rightly
    /// from the device in between. Without the second a phone could guess at a colleague's PIN
    /// for ever by logging in as its own user after every second guess.
    pub fn locks_device(
        &self,
        device: &DeviceName,
        policy: &CredentialPolicy,
        now: UnixMillis,
    ) -> bool {
        let from_device = self
            .credential
            .iter()
            .filter(|failure| failure.device.as_ref() == Some(device))
            .map(|failure| failure.at);
        let on_any = recent(self.device.iter().copied(), policy, now).count();
        let on_this = recent(from_device, policy, now).count();
        reaches(on_any.max(on_this), policy)
    }
}

fn reaches(failures: usize, policy: &CredentialPolicy) -> bool {
    let most = usize::try_from(policy.failures_max).unwrap_or(usize::MAX);
    most > 0 && failures >= most
}

/// Counts failures, oldest first, each device and each source network at most
/// [`COUNTED_PER_SOURCE_MAX`] times.
fn counted_per_source<'a>(failures: impl Iterator<Item = &'a Failure>) -> usize {
    let mut ordered: Vec<&Failure> = failures.collect();
    ordered.sort_by_key(|failure| failure.at);
    let mut of_device: HashMap<&DeviceName, usize> = HashMap::new();
    let mut of_source: HashMap<SourceNetwork, usize> = HashMap::new();
    let mut counted = 0;
    for failure in ordered {
        let device = failure.device.as_ref();
        let device_count = device.map_or(0, |device| of_device.get(device).copied().unwrap_or(0));
        let source = SourceNetwork::of(failure.source);
        let source_count = of_source.get(&source).copied().unwrap_or(0);
        if device_count.max(source_count) >= COUNTED_PER_SOURCE_MAX {
            continue;
        }
        if let Some(device) = device {
            *of_device.entry(device).or_default() += 1;
        }
        *of_source.entry(source).or_default() += 1;
        counted += 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::credential::CredentialKind;

    fn policy() -> CredentialPolicy {
        CredentialPolicy::default_of(CredentialKind::Pin)
    }

    fn device(number: u8) -> DeviceName {
        format!("SEP0000000000{number:02X}").parse().unwrap()
    }

    fn failure(at_s: i64, number: u8, last_octet: u8) -> Failure {
        Failure {
            at: UnixMillis(at_s * 1000),
            device: Some(device(number)),
            source: IpAddr::from([192, 0, 2, last_octet]),
        }
    }

    fn seconds(s: i64) -> UnixMillis {
        UnixMillis(s * 1000)
    }

    #[test]
    fn delays_grow_with_the_failures() {
        let of = |failures| delay(failures).as_secs();
        assert_eq!([of(0), of(1), of(2), of(3), of(8)], [0, 1, 1, 3, 3]);
        assert_eq!([of(9), of(24), of(25), of(1000)], [5, 5, 10, 10]);
    }

    #[test]
    fn one_failure_delays_its_device_and_its_credential_by_a_second() {
        let on_credential = FailureHistory {
            credential: vec![failure(100, 1, 1)],
            ..FailureHistory::default()
        };
        let on_device = FailureHistory {
            device: vec![seconds(100)],
            ..FailureHistory::default()
        };
        for history in [on_credential, on_device] {
            let wait = |ms| history.wait(&policy(), UnixMillis(ms));
            assert_eq!(wait(100_000), Duration::from_secs(1));
            assert_eq!(wait(100_400), Duration::from_millis(600));
            assert_eq!(wait(101_000), Duration::ZERO);
        }
    }

    #[test]
    fn an_address_delays_only_phones_that_failed_themselves_and_only_above_thirty() {
        let site = |count: i64| (0..count).map(seconds).collect::<Vec<_>>();
        let history = |count, failed_itself: bool| FailureHistory {
            source: site(count),
            device: if failed_itself {
                vec![seconds(1)]
            } else {
                vec![]
            },
            ..FailureHistory::default()
        };
        let at = seconds(31);
        assert_eq!(
            history(31, true).wait(&policy(), at),
            Duration::from_secs(9)
        );
        assert_eq!(history(31, false).wait(&policy(), at), Duration::ZERO);
        assert_eq!(history(30, true).wait(&policy(), at), Duration::ZERO);
        assert_eq!(
            history(31, true).wait(&policy(), seconds(700)),
            Duration::ZERO
        );
    }

    #[test]
    fn three_failures_of_one_device_lock_it_and_not_the_credential() {
        let history = FailureHistory {
            credential: (1..=3).map(|n| failure(n, 1, 1)).collect(),
            device: (1..=3).map(seconds).collect(),
            ..FailureHistory::default()
        };
        assert!(history.locks_device(&device(1), &policy(), seconds(3)));
        assert!(!history.locks_device(&device(1), &policy(), seconds(1802)));
        assert!(!history.locks_credential(&policy(), LockoutRule::Spread, seconds(3)));
        assert!(history.locks_credential(&policy(), LockoutRule::Cucm, seconds(3)));
    }

    #[test]
    fn logging_in_as_oneself_in_between_does_not_hide_guesses_at_a_colleague() {
        let history = FailureHistory {
            credential: (1..=3).map(|n| failure(n, 1, 1)).collect(),
            device: vec![seconds(3)],
            ..FailureHistory::default()
        };
        assert!(history.locks_device(&device(1), &policy(), seconds(3)));
        assert!(!history.locks_device(&device(2), &policy(), seconds(3)));
    }

    #[test]
    fn failures_from_two_phones_at_two_addresses_lock_the_credential() {
        let locks = |failures: Vec<Failure>| {
            let history = FailureHistory {
                credential: failures,
                ..FailureHistory::default()
            };
            history.locks_credential(&policy(), LockoutRule::Spread, seconds(10))
        };
        assert!(locks(vec![
            failure(1, 1, 1),
            failure(2, 1, 1),
            failure(3, 2, 2)
        ]));
        assert!(!locks(vec![
            failure(1, 1, 1),
            failure(2, 2, 1),
            failure(3, 3, 1)
        ]));
        assert!(!locks(vec![
            failure(1, 1, 1),
            failure(2, 1, 2),
            failure(3, 1, 3)
        ]));
    }

    #[test]
    fn a_policy_of_no_failures_never_locks() {
        let policy = CredentialPolicy {
            failures_max: 0,
            ..policy()
        };
        let history = FailureHistory {
            credential: (1..=90).map(|n| failure(90, n, n)).collect(),
            device: vec![seconds(90); 90],
            ..FailureHistory::default()
        };
        assert!(!history.locks_credential(&policy, LockoutRule::Cucm, seconds(90)));
        assert!(!history.locks_device(&device(1), &policy, seconds(90)));
    }

    #[test]
    fn a_lock_ends_at_its_time_or_when_an_administrator_says_so() {
        let lock = Lock::begin(&policy(), seconds(0));
        assert_eq!(lock.left(seconds(60)), Duration::from_mins(29));
        assert_eq!(lock.left(seconds(1800)), Duration::ZERO);
        let forever = CredentialPolicy {
            lock_duration: LockDuration::UntilUnlocked,
            ..policy()
        };
        let lock = Lock::begin(&forever, seconds(0));
        assert_eq!(lock.left(seconds(1_000_000)), Duration::MAX);
    }

    #[test]
    fn a_login_of_nobody_is_locked_and_freed_as_a_credential_would_be() {
        let history = |seconds: &[i64]| {
            let credential = (1_u8..).zip(seconds).map(|(n, at)| failure(*at, n, n));
            let history = FailureHistory {
                credential: credential.collect(),
                ..FailureHistory::default()
            };
            history.with_imagined_lock(&policy(), LockoutRule::Spread)
        };
        assert_eq!(history(&[1, 2]).imagined_lock, None);
        let locked = history(&[1, 2, 3]);
        assert_eq!(
            locked.imagined_lock,
            Some(Lock::begin(&policy(), seconds(3)))
        );
        assert!(locked.credential.is_empty());
        // After its end failures count anew.
        let freed = history(&[1, 2, 3, 1803, 1804]);
        assert_eq!(freed.imagined_lock, locked.imagined_lock);
        assert_eq!(freed.credential.len(), 2);
        let again = history(&[1, 2, 3, 1803, 1804, 1805]);
        assert_eq!(
            again.imagined_lock,
            Some(Lock::begin(&policy(), seconds(1805)))
        );
    }

    proptest! {
        #[test]
        fn one_device_or_one_address_never_locks_a_credential(
            times in prop::collection::vec(0_i64..1800, 0..60),
            same_device: bool,
        ) {
            let credential = times.iter().enumerate().map(|(index, at)| {
                let other = u8::try_from(index).unwrap_or(u8::MAX);
                if same_device { failure(*at, 1, other) } else { failure(*at, other, 1) }
            }).collect();
            let history = FailureHistory { credential, ..FailureHistory::default() };
            prop_assert!(!history.locks_credential(&policy(), LockoutRule::Spread, seconds(1799)));
        }

        #[test]
        fn no_wait_is_longer_than_the_longest_delay(
            times in prop::collection::vec(0_i64..600, 0..60),
            now in 0_i64..2000,
        ) {
            let history = FailureHistory {
                credential: times.iter().filter(|at| **at <= now).map(|at| failure(*at, 1, 1)).collect(),
                device: times.iter().filter(|at| **at <= now).map(|at| seconds(*at)).collect(),
                source: times.iter().filter(|at| **at <= now).map(|at| seconds(*at)).collect(),
                imagined_lock: None,
            };
            prop_assert!(history.wait(&policy(), seconds(now)) <= Duration::from_secs(10));
        }
    }
}
