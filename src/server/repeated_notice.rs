//! Something that is told to the administrator once a minute, however often it happens.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::locks;

/// Least time between two lines about the same.
const INTERVAL: Duration = Duration::from_mins(1);

/// What has happened since the last line.
#[derive(Debug, Default)]
pub(super) struct RepeatedNotice(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    told_at: Option<Instant>,
    count: u64,
    /// The address that most of it came from, by majority vote (Boyer and Moore): a candidate and
    /// how far it is ahead.
    candidate: Option<IpAddr>,
    ahead: u64,
}

impl RepeatedNotice {
    /// Counts one; gives how many there were and the address that they mostly came from when it is
    /// time for a line.
    pub(super) fn add(&self, address: IpAddr, now: Instant) -> Option<(u64, IpAddr)> {
        locks::lock(&self.0).add(address, now)
    }
}

impl Slot {
    fn add(&mut self, address: IpAddr, now: Instant) -> Option<(u64, IpAddr)> {
        self.count += 1;
        if self.candidate == Some(address) {
            self.ahead += 1;
        } else if self.ahead == 0 {
            (self.candidate, self.ahead) = (Some(address), 1);
        } else {
            self.ahead -= 1;
        }
        let is_due = |told_at| now.saturating_duration_since(told_at) >= INTERVAL;
        if !self.told_at.is_none_or(is_due) {
            return None;
        }
        let told = (self.count, self.candidate.unwrap_or(address));
        *self = Self {
            told_at: Some(now),
            ..Self::default()
        };
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_address() {
        let start = Instant::now();
        let (loud, quiet) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let notice = RepeatedNotice::default();
        assert_eq!(notice.add(quiet, start), Some((1, quiet)));
        let lines = (1..6_000).filter_map(|tenth| {
            let now = start + Duration::from_millis(tenth * 100);
            notice.add(if tenth % 3 == 0 { quiet } else { loud }, now)
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines, [(600, loud); 9]);
    }
}
