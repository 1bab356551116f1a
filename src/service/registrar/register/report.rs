//! What is said of refused registrations: once, not for every repetition, so that nobody can
//! fill log and timeline.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::locks;

/// How long one refusal of one device speaks for its repetitions.
const SILENCE: Duration = Duration::from_mins(10);

/// Further addresses in that time from which the same is news: a source may be forged.
const MORE_ADDRESSES: u8 = 4;

/// Refusals remembered before those that are long past are looked for. There are at most as many
/// as devices and reasons.
const SWEPT_FROM: usize = 10_000;

/// Least time between two lines about names that no device has, and between two sweeps.
const STRANGERS_APART: Duration = Duration::from_mins(1);

/// Refusals that were reported lately.
#[derive(Debug, Default)]
pub(super) struct Reported {
    hasher: RandomState,
    devices: Mutex<Devices>,
    strangers: Mutex<Strangers>,
}

/// Refusals of devices, by device and reason.
#[derive(Debug, Default)]
struct Devices {
    refusals: HashMap<u64, Refusal>,
    swept_at: Option<UnixMillis>,
}

#[derive(Debug, Clone, Copy)]
struct Refusal {
    at: UnixMillis,
    address: IpAddr,
    more_addresses: u8,
}

/// Refusals of names that no device has: anybody can make up as many as there are.
#[derive(Debug, Default)]
struct Strangers {
    told_at: Option<UnixMillis>,
    untold: u64,
}

impl Reported {
    /// Whether this refusal of a device is to be reported now.
    pub(super) fn is_news(
        &self,
        device: &DeviceName,
        address: IpAddr,
        code: &str,
        now: UnixMillis,
    ) -> bool {
        let key = self.hasher.hash_one((device, code));
        let mut devices = locks::lock(&self.devices);
        devices.sweep(now);
        let last = devices.refusals.get(&key).copied();
        let last = last.filter(|last| now.since(last.at) < SILENCE);
        let refusal = match last {
            None => Refusal {
                at: now,
                address,
                more_addresses: 0,
            },
            Some(last) if last.address != address && last.more_addresses < MORE_ADDRESSES => {
                Refusal {
                    address,
                    more_addresses: last.more_addresses + 1,
                    ..last
                }
            }
            Some(_) => return false,
        };
        devices.refusals.insert(key, refusal);
        true
    }

    /// Whether a refusal of a name that no device has is to be reported now; gives how many were
    /// not since the last.
    pub(super) fn is_news_of_strangers(&self, now: UnixMillis) -> Option<u64> {
        let mut strangers = locks::lock(&self.strangers);
        let is_recent = |at: UnixMillis| now.since(at) < STRANGERS_APART;
        if strangers.told_at.is_some_and(is_recent) {
            strangers.untold += 1;
            return None;
        }
        strangers.told_at = Some(now);
        Some(std::mem::take(&mut strangers.untold))
    }
}

impl Devices {
    fn sweep(&mut self, now: UnixMillis) {
        let is_due = |at: UnixMillis| now.since(at) >= STRANGERS_APART;
        if self.refusals.len() >= SWEPT_FROM && self.swept_at.is_none_or(is_due) {
            self.swept_at = Some(now);
            self.refusals
                .retain(|_, refusal| now.since(refusal.at) < SILENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(0);

    #[test]
    fn one_refusal_is_reported_once_in_a_while() {
        let reported = Reported::default();
        let device: DeviceName = "SEP0011AABBCCDD".parse().unwrap();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(reported.is_news(&device, address, "a", NOW));
        assert!(!reported.is_news(&device, address, "a", NOW));
        assert!(reported.is_news(&device, address, "b", NOW));
        assert!(reported.is_news(&device, address, "a", NOW.plus(SILENCE)));
    }

    #[test]
    fn forged_addresses_fill_no_log() {
        let reported = Reported::default();
        let device: DeviceName = "SEP0011AABBCCDD".parse().unwrap();
        let addresses = (0..100_u32).map(|host| IpAddr::V4((0x0a00_0000 + host).into()));
        let news = addresses.filter(|address| reported.is_news(&device, *address, "a", NOW));
        assert_eq!(news.count(), 1 + usize::from(MORE_ADDRESSES));
    }

    #[test]
    fn names_that_no_device_has_are_told_of_together() {
        let reported = Reported::default();
        assert_eq!(reported.is_news_of_strangers(NOW), Some(0));
        for _ in 0..5 {
            assert_eq!(reported.is_news_of_strangers(NOW), None);
        }
        let later = NOW.plus(STRANGERS_APART);
        assert_eq!(reported.is_news_of_strangers(later), Some(5));
    }
}
