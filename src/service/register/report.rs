//! What is said of refused registrations: once, not for every repetition, so that nobody can
//! fill log and timeline.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;

/// How long one refusal of one device from one address speaks for its repetitions.
const SILENCE: Duration = Duration::from_mins(10);

/// Refusals remembered. With more in that time, further ones stand in the metrics alone.
const REMEMBERED_MAX: usize = 10_000;

/// Refusals that were reported lately.
#[derive(Debug, Default)]
pub(super) struct Reported {
    hasher: RandomState,
    at: Mutex<HashMap<u64, UnixMillis>>,
}

impl Reported {
    /// Whether this refusal is to be reported now.
    pub(super) fn is_news(
        &self,
        device: Option<&DeviceName>,
        address: IpAddr,
        code: &str,
        now: UnixMillis,
    ) -> bool {
        let key = self.hasher.hash_one((device, address, code));
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.get(&key).is_some_and(|last| now.since(*last) < SILENCE) {
            return false;
        }
        if at.len() >= REMEMBERED_MAX {
            at.retain(|_, last| now.since(*last) < SILENCE);
        }
        let fits = at.len() < REMEMBERED_MAX;
        if fits {
            at.insert(key, now);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_refusal_is_reported_once_in_a_while() {
        let reported = Reported::default();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        let device: DeviceName = "SEP0011AABBCCDD".parse().unwrap();
        let now = UnixMillis(0);
        assert!(reported.is_news(Some(&device), address, "a", now));
        assert!(!reported.is_news(Some(&device), address, "a", now));
        assert!(reported.is_news(Some(&device), address, "b", now));
        assert!(reported.is_news(None, address, "a", now));
        assert!(reported.is_news(Some(&device), address, "a", now.plus(SILENCE)));
    }
}
