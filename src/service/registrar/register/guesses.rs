//! Guessing of digest secrets: after a few wrong answers for one user name from one address the
//! rest of the minute's answers are judged wrong without a look, so that a guess learns nothing.
//!
//! Only answers to a nonce that was given to this very address are counted, so that nobody can
//! use up another's by forging the address. A device's own secret is random; a digest user's is
//! what people choose.

use std::collections::HashMap;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;
use crate::locks;

/// Wrong answers for one user name from one address in [`WINDOW`]. A phone with an old secret
/// gives one or two.
pub const WRONG_MAX: u32 = 10;

/// Time over which wrong answers are counted.
pub const WINDOW: Duration = Duration::from_mins(1);

/// User names and addresses counted at once; more guess unhindered, each its first ten times.
const COUNTED_MAX: usize = 20_000;

/// The wrong answers of the last minute.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    hasher: RandomState,
    /// Whether anything is counted: as a rule nobody guesses, and then nobody waits here.
    any: AtomicBool,
    counted: Mutex<HashMap<u64, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    started: UnixMillis,
    wrong: u32,
}

impl Guesses {
    fn counted(&self) -> MutexGuard<'_, HashMap<u64, Window>> {
        locks::lock(&self.counted)
    }

    fn key(&self, address: IpAddr, user_name: &str) -> u64 {
        self.hasher
            .hash_one((SourceNetwork::of(address), user_name))
    }

    /// Whether answers for this user name from this address are not looked at now.
    pub(super) fn is_stopped(&self, address: IpAddr, user_name: &str, now: UnixMillis) -> bool {
        if !self.any.load(Ordering::Relaxed) {
            return false;
        }
        let key = self.key(address, user_name);
        let counted = self.counted();
        counted
            .get(&key)
            .is_some_and(|window| window.wrong >= WRONG_MAX && now.since(window.started) < WINDOW)
    }

    /// Counts a wrong answer; `true` when it was the last that was looked at.
    pub(super) fn wrong(&self, address: IpAddr, user_name: &str, now: UnixMillis) -> bool {
        let key = self.key(address, user_name);
        let mut counted = self.counted();
        if counted.len() >= COUNTED_MAX && !counted.contains_key(&key) {
            counted.retain(|_, window| now.since(window.started) < WINDOW);
            if counted.len() >= COUNTED_MAX {
                return false;
            }
        }
        self.any.store(true, Ordering::Relaxed);
        let begun = Window {
            started: now,
            wrong: 0,
        };
        let window = counted.entry(key).or_insert(begun);
        if now.since(window.started) >= WINDOW {
            *window = begun;
        }
        window.wrong = window.wrong.saturating_add(1);
        window.wrong == WRONG_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_answers_stop_one_user_at_one_address_for_the_rest_of_the_minute() {
        let guesses = Guesses::default();
        let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = UnixMillis(1_000_000);
        for count in 1..=WRONG_MAX {
            assert!(!guesses.is_stopped(here, "jdoe", now));
            assert_eq!(guesses.wrong(here, "jdoe", now), count == WRONG_MAX);
        }
        assert!(guesses.is_stopped(here, "jdoe", now));
        assert!(!guesses.is_stopped(there, "jdoe", now));
        assert!(!guesses.is_stopped(here, "jane", now));
        let later = now.plus(WINDOW);
        assert!(!guesses.is_stopped(here, "jdoe", later));
        assert!(!guesses.wrong(here, "jdoe", later));
        assert!(!guesses.is_stopped(here, "jdoe", later));
    }

    #[test]
    fn a_network_of_one_host_is_one_and_memory_is_bounded() {
        let guesses = Guesses::default();
        let now = UnixMillis(0);
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        for last in 0..10 {
            guesses.wrong(host(last), "jdoe", now);
        }
        assert!(guesses.is_stopped(host(99), "jdoe", now));
        for number in 0..2 * COUNTED_MAX {
            guesses.wrong(host(1), &number.to_string(), now);
        }
        assert_eq!(guesses.counted().len(), COUNTED_MAX);
        guesses.wrong(host(1), "late", now.plus(WINDOW));
        assert_eq!(guesses.counted().len(), 1);
    }
}
