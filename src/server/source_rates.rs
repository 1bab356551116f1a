//! How many requests one address may send: a bucket each, kept only while it matters.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::domain::source_network::SourceNetwork;
use crate::locks;

/// Most addresses remembered, each about 60 bytes. An address is remembered for the moments until
/// its bucket is full again, so this many are there only when senders are forged; then further
/// ones pass unlimited, since each of them sends little.
const SOURCES_MAX: usize = 65_536;

/// Least time between two looks through a full table.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// Addresses remembered before the first look for those that can be forgotten.
const SWEEP_FIRST: usize = 1_024;

/// Time for which an address may send at once what its rate gives in that time: a site whose
/// phones start together.
const BURST: Duration = Duration::from_secs(10);

/// Requests over the rate that are answered each second, so that phones learn when to come back
/// and a forged sender is not flooded with answers.
const REFUSALS_PER_S: u32 = 20;

/// Such answers at once.
const REFUSALS_BURST: Duration = Duration::from_secs(2);

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It is looked at.
    Pass,
    /// It is answered with 503.
    Refuse,
    /// It gets no answer.
    Ignore,
}

/// The buckets of all addresses. One hash lookup a request.
#[derive(Debug)]
pub(crate) struct SourceRates {
    /// Time between two requests at the rate; `None`: no limit.
    interval: Option<Duration>,
    started: Instant,
    sources: Mutex<Sources>,
}

#[derive(Debug)]
struct Sources {
    by_address: HashMap<SourceNetwork, Source>,
    /// How many addresses there are when those that can be forgotten are next looked for.
    sweep_at: usize,
    /// Not before this, once the table is full.
    sweep_again_at: Duration,
}

/// An address. Both times are those at which its bucket is full again.
///
/// Source: ITU-T I.371 annex A (generic cell rate algorithm): a token bucket in one number.
#[derive(Debug, Clone, Copy)]
struct Source {
    requests: Duration,
    refusals: Duration,
    factor: u32,
}

impl SourceRates {
    /// `per_s` requests a second for each address; 0: no limit.
    pub(crate) fn new(per_s: u32, started: Instant) -> Self {
        Self {
            interval: Duration::from_secs(1).checked_div(per_s),
            started,
            sources: Mutex::new(Sources {
                by_address: HashMap::new(),
                sweep_at: SWEEP_FIRST,
                sweep_again_at: Duration::ZERO,
            }),
        }
    }

    /// Judges a request of this address. `factor` gives the multiple of the rate that an address
    /// has; it is asked when the address is not remembered.
    pub(crate) fn admit(
        &self,
        address: IpAddr,
        now: Instant,
        factor: impl FnOnce() -> u32,
    ) -> Admission {
        let Some(interval) = self.interval else {
            return Admission::Pass;
        };
        let now = now.saturating_duration_since(self.started);
        let mut sources = locks::lock(&self.sources);
        let key = SourceNetwork::of(address);
        if let Some(source) = sources.by_address.get_mut(&key) {
            return source.judge(now, interval);
        }
        let mut source = Source {
            requests: Duration::ZERO,
            refusals: Duration::ZERO,
            factor: factor().max(1),
        };
        let admission = source.judge(now, interval);
        sources.remember(key, source, now);
        admission
    }
}

impl Source {
    fn judge(&mut self, now: Duration, interval: Duration) -> Admission {
        if take(&mut self.requests, now, interval / self.factor, BURST) {
            return Admission::Pass;
        }
        let interval = Duration::from_secs(1) / REFUSALS_PER_S;
        if take(&mut self.refusals, now, interval, REFUSALS_BURST) {
            Admission::Refuse
        } else {
            Admission::Ignore
        }
    }
}

/// Takes one from a bucket that is full again at `full_at` and holds what `burst` refills.
fn take(full_at: &mut Duration, now: Duration, interval: Duration, burst: Duration) -> bool {
    let full = (*full_at).max(now) + interval;
    let has_one = full <= now + burst;
    if has_one {
        *full_at = full;
    }
    has_one
}

impl Sources {
    fn remember(&mut self, key: SourceNetwork, source: Source, now: Duration) {
        let is_full = self.by_address.len() >= SOURCES_MAX;
        let is_due = self.by_address.len() >= self.sweep_at;
        if is_due && (!is_full || now >= self.sweep_again_at) {
            self.sweep_again_at = now + SWEEP_INTERVAL;
            // A full bucket says no more than none.
            self.by_address
                .retain(|_, source| source.requests > now || source.refusals > now);
            let left = self.by_address.len();
            self.sweep_at = left.saturating_mul(2).clamp(SWEEP_FIRST, SOURCES_MAX);
            if left < SWEEP_FIRST {
                self.by_address.shrink_to(SWEEP_FIRST);
            }
        }
        if self.by_address.len() < SOURCES_MAX {
            self.by_address.insert(key, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn an_address_has_its_burst_then_its_rate_then_answers_then_silence() {
        let start = Instant::now();
        let rates = SourceRates::new(10, start);
        let admit = |now, times| {
            let mut counts = [0; 3];
            for _ in 0..times {
                counts[rates.admit(address(1), now, || 1) as usize] += 1;
            }
            counts
        };
        assert_eq!(admit(start, 1_000), [100, 40, 860]);
        assert_eq!(admit(start + Duration::from_secs(1), 100), [10, 20, 70]);
        assert_eq!(admit(start + Duration::from_mins(1), 1_000), [100, 40, 860]);
        assert_eq!(rates.admit(address(2), start, || 1), Admission::Pass);
    }

    #[test]
    fn a_network_behind_nat_has_a_multiple_and_no_limit_means_none() {
        let start = Instant::now();
        let passes = |rates: &SourceRates, factor| {
            let admitted = (0..10_000).map(|_| rates.admit(address(1), start, || factor));
            admitted.filter(|one| *one == Admission::Pass).count()
        };
        assert_eq!(passes(&SourceRates::new(10, start), 20), 2_000);
        assert_eq!(passes(&SourceRates::new(0, start), 1), 10_000);
    }

    #[test]
    fn addresses_of_one_ipv6_network_are_one_sender() {
        let start = Instant::now();
        let rates = SourceRates::new(1, start);
        let admitted = (0..20).map(|host| {
            let address = format!("2001:db8::{host}").parse().unwrap();
            rates.admit(address, start, || 1)
        });
        let passed = admitted.filter(|one| *one == Admission::Pass).count();
        assert_eq!(passed, 10);
        let other = "2001:db8:0:1::1".parse().unwrap();
        assert_eq!(rates.admit(other, start, || 1), Admission::Pass);
    }

    #[test]
    fn whoever_has_been_quiet_is_forgotten_and_forged_senders_are_bounded() {
        let start = Instant::now();
        let rates = SourceRates::new(100, start);
        for number in 0..100_000 {
            assert_eq!(rates.admit(address(number), start, || 1), Admission::Pass);
        }
        let known = || rates.sources.lock().unwrap().by_address.len();
        assert_eq!(known(), SOURCES_MAX);
        rates.admit(address(200_000), start + SWEEP_INTERVAL, || 1);
        assert_eq!(known(), 1);
    }
}
