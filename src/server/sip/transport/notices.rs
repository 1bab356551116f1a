//! What was refused, told to the administrator: once a minute for each reason, with the address
//! that it mostly was and what to do.

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::locks;

/// Least time between two lines about the same.
const INTERVAL: Duration = Duration::from_mins(1);

/// Why something was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    /// More requests than one address may send.
    Rate,
    /// Too many requests wait for an answer.
    Busy,
    /// More connections than there may be.
    Connections,
    /// No TLS handshake.
    Handshake,
    /// A message over a limit of its own: its size, its header fields.
    MessageSize,
}

/// The reasons with what a line says.
const TEXTS: [(Reason, &str); 5] = [
    (
        Reason::Rate,
        "SIP requests over the rate of one address were refused; if a site is behind that address, \
         list it in auto_registration.nat_networks or raise listen.sip_requests_per_source; else \
         block it in the firewall",
    ),
    (
        Reason::Busy,
        "SIP requests were answered 503 because too many wait; look whether the database is slow \
         or a site starts, or whether one address asks for all of it",
    ),
    (
        Reason::Connections,
        "SIP connections over the limit were closed; if a site is behind that address, list it in \
         auto_registration.nat_networks; else block it in the firewall",
    ),
    (
        Reason::Handshake,
        "TLS handshakes of SIP failed; phones there do not trust this certificate (look at their \
         trust list and at tls.certificate_file), or somebody tries the port",
    ),
    (
        Reason::MessageSize,
        "SIP messages over a limit (65,536 bytes, 128 header fields, 8,192 bytes each) were \
         refused; no phone sends such: look what runs at that address",
    ),
];

/// What has been refused since the last line, by reason.
#[derive(Debug, Default)]
pub(super) struct Notices([Mutex<Slot>; TEXTS.len()]);

#[derive(Debug, Default)]
struct Slot {
    told_at: Option<Instant>,
    count: u64,
    /// The address that most of it came from, by majority vote (Boyer and Moore): a candidate and
    /// how far it is ahead.
    candidate: Option<IpAddr>,
    ahead: u64,
}

impl Slot {
    /// Counts one; gives the count and the address when it is time for a line.
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

impl Notices {
    /// Takes note of a refusal and writes the line that is due.
    pub(super) fn add(&self, reason: Reason, address: IpAddr, now: Instant) {
        for (slot, (of, text)) in self.0.iter().zip(TEXTS) {
            if of != reason {
                continue;
            }
            let mut slot = locks::lock(slot);
            if let Some((times, mostly)) = slot.add(address, now) {
                tracing::warn!(times, mostly_from = %mostly, "{text}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_its_address() {
        let start = Instant::now();
        let (loud, quiet) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let mut slot = Slot::default();
        assert_eq!(slot.add(quiet, start), Some((1, quiet)));
        let lines = (1..6_000).filter_map(|tenth| {
            let now = start + Duration::from_millis(tenth * 100);
            slot.add(if tenth % 3 == 0 { quiet } else { loud }, now)
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines, [(600, loud); 9]);
    }

    #[test]
    fn every_reason_has_its_line() {
        let reasons = TEXTS.map(|(reason, _)| reason);
        assert!((1..reasons.len()).all(|at| !reasons[..at].contains(&reasons[at])));
        let notices = Notices::default();
        for reason in reasons {
            notices.add(reason, "192.0.2.1".parse().unwrap(), Instant::now());
        }
        let told = |slot: &Mutex<Slot>| slot.lock().unwrap().told_at.is_some();
        assert!(notices.0.iter().all(told));
    }
}
