//! What is remembered of file requests, in memory alone: unknown names, sweeps, alarms.
//!
//! A phone that only asked for a file is no device: nothing here reaches the database before the
//! device exists. Everything is bounded, because anybody can send a request.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::hash::BuildHasher as _;
use std::hash::RandomState;
use std::net::IpAddr;
use std::net::Ipv6Addr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::time::Duration;

use metrics::Counter;

use super::record::Happening;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;

/// The door through which a file was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileDoor {
    /// TFTP.
    Tftp,
    /// HTTP 6970.
    Http,
    /// HTTPS 6971.
    Https,
}

impl FileDoor {
    const ALL: [Self; 3] = [Self::Tftp, Self::Http, Self::Https];

    /// The word in timelines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tftp => "TFTP",
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
        }
    }
}

/// Unknown names that are remembered; the oldest goes first.
const NAMES_MAX: usize = 20_000;

/// Requests remembered a name.
const EVENTS_MAX: usize = 20;

/// Time over which the names that one address asks for are counted.
const SWEEP_WINDOW: Duration = Duration::from_mins(1);

/// Different device names that one address may ask for in vain in that time. A phone asks for
/// one; a sweep over the last three digits of a MAC address for 4,096.
const SWEEP_NAMES_MAX: usize = 64;

/// What asking for an index weighs, in names: no phone ever does.
const INDEX_WEIGHT: usize = 16;

/// Addresses whose requests are counted at once.
const SOURCES_MAX: usize = 20_000;

/// Time between two alarms for the same device and address.
const ALARM_INTERVAL: Duration = Duration::from_mins(1);

/// Pairs of device and address whose last alarm is remembered.
const ALARMS_MAX: usize = 10_000;

/// One request for the file of a device that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRequest {
    /// When.
    pub at: UnixMillis,
    /// From where.
    pub source: IpAddr,
    /// By which door.
    pub door: FileDoor,
    /// The name as it was asked for.
    pub file: String,
    /// What it got, in words.
    pub answer: &'static str,
}

impl UnknownRequest {
    fn into_happening(self) -> Happening {
        let seconds = self.at.unix_s();
        Happening {
            detail: format!(
                "{} by {} at {}: {}",
                self.file,
                self.door.as_str(),
                jiff::Timestamp::from_second(seconds).unwrap_or_default(),
                self.answer
            ),
            source: Some(self.source),
            ..Happening::default()
        }
    }
}

/// Whether an address is stopped for sweeping over names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// It may go on.
    No,
    /// It is stopped since just now: time to tell somebody.
    StoppedNow,
    /// It was stopped before.
    Stopped,
}

/// The memory of file requests.
#[derive(Default)]
pub struct FileRequests {
    unknown: Mutex<Ring>,
    sweeps: Mutex<HashMap<IpAddr, SweepWindow>>,
    alarms: Mutex<HashMap<(DeviceName, IpAddr), UnixMillis>>,
    hasher: RandomState,
    counters: OnceLock<[(FileDoor, Counter); 3]>,
}

impl FileRequests {
    /// Counts a request. The counters are looked up once, when there is somebody who counts.
    pub fn count(&self, door: FileDoor) {
        let counters = self.counters.get_or_init(|| {
            FileDoor::ALL.map(|door| {
                let name = "selfprov_file_requests_total";
                (door, metrics::counter!(name, "door" => door.as_str()))
            })
        });
        let counter = counters.iter().find(|(of, _)| *of == door);
        if let Some((_, counter)) = counter {
            counter.increment(1);
        }
    }

    /// Remembers a request for the file of an unknown device.
    pub fn remember_unknown(&self, device: &DeviceName, request: UnknownRequest) {
        lock(&self.unknown).push(device, request);
    }

    /// What was asked for in this device's name before it existed, oldest first.
    pub fn of_unknown(&self, device: &DeviceName) -> Vec<UnknownRequest> {
        lock(&self.unknown)
            .requests
            .get(device)
            .map(|requests| requests.iter().cloned().collect())
            .unwrap_or_default()
    }

    /// The same as rows for the timeline of the device that is made now.
    pub fn asked_before(&self, device: &DeviceName) -> Vec<Happening> {
        self.of_unknown(device)
            .into_iter()
            .map(UnknownRequest::into_happening)
            .collect()
    }

    /// Forgets them: the device has been made.
    pub fn forget_unknown(&self, device: &DeviceName) {
        lock(&self.unknown).requests.remove(device);
    }

    /// The unknown devices that asked last, newest first, at most `limit`.
    pub fn newest_unknown(&self, limit: usize) -> Vec<(DeviceName, UnknownRequest)> {
        let ring = lock(&self.unknown);
        let mut newest: Vec<(DeviceName, UnknownRequest)> = ring
            .requests
            .iter()
            .filter_map(|(name, requests)| Some((name.clone(), requests.back()?.clone())))
            .collect();
        newest.sort_unstable_by_key(|(_, request)| std::cmp::Reverse(request.at));
        newest.truncate(limit);
        newest
    }

    /// Counts a name that an address asked for in vain.
    pub fn count_name(&self, source: IpAddr, device: &DeviceName, now: UnixMillis) -> Sweep {
        let name = self.hasher.hash_one(device);
        let mut sweeps = lock(&self.sweeps);
        let Some(window) = window_of(&mut sweeps, source, now) else {
            return Sweep::Stopped;
        };
        if window.names.contains(&name) {
            return Sweep::No;
        }
        if window.names.len() + window.weight < SWEEP_NAMES_MAX {
            window.names.insert(name);
            return Sweep::No;
        }
        if std::mem::replace(&mut window.told, true) {
            Sweep::Stopped
        } else {
            Sweep::StoppedNow
        }
    }

    /// Counts a request for an index, which no phone sends; `true` for the first in its window.
    pub fn count_index(&self, source: IpAddr, now: UnixMillis) -> bool {
        let mut sweeps = lock(&self.sweeps);
        let Some(window) = window_of(&mut sweeps, source, now) else {
            return false;
        };
        window.weight += INDEX_WEIGHT;
        window.weight == INDEX_WEIGHT
    }

    /// Whether an alarm about this device and address is due: at most one a minute.
    pub fn alarm_is_due(&self, device: &DeviceName, source: IpAddr, now: UnixMillis) -> bool {
        let mut alarms = lock(&self.alarms);
        if alarms.len() >= ALARMS_MAX {
            alarms.retain(|_, last| now.since(*last) < ALARM_INTERVAL);
        }
        let last = alarms.get(&(device.clone(), source));
        if last.is_some_and(|last| now.since(*last) < ALARM_INTERVAL) || alarms.len() >= ALARMS_MAX
        {
            return false;
        }
        alarms.insert((device.clone(), source), now);
        true
    }
}

/// Requests by name, and the names in the order in which they came first.
#[derive(Default)]
struct Ring {
    requests: HashMap<DeviceName, VecDeque<UnknownRequest>>,
    order: VecDeque<DeviceName>,
}

impl Ring {
    fn push(&mut self, device: &DeviceName, request: UnknownRequest) {
        if !self.requests.contains_key(device) {
            self.make_room();
            self.order.push_back(device.clone());
        }
        let requests = self.requests.entry(device.clone()).or_default();
        if requests.len() >= EVENTS_MAX {
            requests.pop_front();
        }
        requests.push_back(request);
    }

    /// A name that was taken out still stands in the order; it goes when its turn comes.
    fn make_room(&mut self) {
        while self.order.len() >= NAMES_MAX {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            self.requests.remove(&oldest);
        }
    }
}

/// What one address asked for in vain since `started`.
struct SweepWindow {
    started: UnixMillis,
    names: HashSet<u64>,
    weight: usize,
    /// Whether somebody was told that the address is stopped.
    told: bool,
}

/// The window of an address, begun anew when it is over; `None` when too many are counted.
fn window_of(
    sweeps: &mut HashMap<IpAddr, SweepWindow>,
    source: IpAddr,
    now: UnixMillis,
) -> Option<&mut SweepWindow> {
    let source = network_of(source);
    if sweeps.len() >= SOURCES_MAX && !sweeps.contains_key(&source) {
        sweeps.retain(|_, window| now.since(window.started) < SWEEP_WINDOW);
        if sweeps.len() >= SOURCES_MAX {
            return None;
        }
    }
    let window = sweeps.entry(source).or_insert_with(|| SweepWindow::at(now));
    if now.since(window.started) >= SWEEP_WINDOW {
        *window = SweepWindow::at(now);
    }
    Some(window)
}

impl SweepWindow {
    fn at(now: UnixMillis) -> Self {
        Self {
            started: now,
            names: HashSet::new(),
            weight: 0,
            told: false,
        }
    }
}

/// One IPv6 host has a whole /64; an IPv4 address stands for itself.
fn network_of(source: IpAddr) -> IpAddr {
    match source.to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address @ IpAddr::V4(_) => address,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::DeviceName;
    use crate::domain::device::MacAddress;

    fn device(number: u16) -> DeviceName {
        let [high, low] = number.to_be_bytes();
        DeviceName::of_phone(MacAddress::from_bytes([0, 0x11, 0x22, 0x33, high, low]))
    }

    fn request(at: i64) -> UnknownRequest {
        UnknownRequest {
            at: UnixMillis(at),
            source: IpAddr::from([192, 0, 2, 1]),
            door: FileDoor::Http,
            file: "x".into(),
            answer: "not found",
        }
    }

    #[test]
    fn the_ring_keeps_the_newest_requests_of_the_newest_names() {
        let requests = FileRequests::default();
        for at in 0..30 {
            requests.remember_unknown(&device(0), request(at));
        }
        let kept = requests.of_unknown(&device(0));
        assert_eq!(kept.len(), EVENTS_MAX);
        assert_eq!(kept[0].at, UnixMillis(10));
        for number in 1..=u16::try_from(NAMES_MAX).unwrap() {
            requests.remember_unknown(&device(number), request(100 + i64::from(number)));
        }
        assert!(
            requests.of_unknown(&device(0)).is_empty(),
            "the oldest name went"
        );
        assert_eq!(requests.newest_unknown(2)[0].0, device(20_000));
        let asked = requests.asked_before(&device(7));
        assert_eq!(
            asked[0].detail,
            "x by HTTP at 1970-01-01T00:00:00Z: not found"
        );
        requests.forget_unknown(&device(7));
        assert!(requests.of_unknown(&device(7)).is_empty());
    }

    #[test]
    fn a_sweep_is_stopped_and_a_phone_that_repeats_itself_is_not() {
        let requests = FileRequests::default();
        let (sweeper, phone) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let now = UnixMillis(1_000_000);
        for _ in 0..1_000 {
            assert_eq!(requests.count_name(phone, &device(9), now), Sweep::No);
        }
        let verdicts: Vec<Sweep> = (0..4_096)
            .map(|number| requests.count_name(sweeper, &device(number), now))
            .collect();
        let count = |verdict| verdicts.iter().filter(|other| **other == verdict).count();
        assert_eq!(count(Sweep::No), SWEEP_NAMES_MAX);
        assert_eq!(count(Sweep::StoppedNow), 1, "told once");
        let known = requests.count_name(sweeper, &device(1), now);
        assert_eq!(known, Sweep::No, "names it asked for before are not new");
        let later = now.plus(SWEEP_WINDOW);
        assert_eq!(
            requests.count_name(sweeper, &device(5_000), later),
            Sweep::No
        );
    }

    #[test]
    fn an_index_weighs_as_much_as_many_names_and_ipv6_counts_by_network() {
        let requests = FileRequests::default();
        let now = UnixMillis(0);
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        for last in 0..5 {
            assert_eq!(requests.count_index(host(last), now), last == 0);
        }
        let verdict = requests.count_name(host(99), &device(1), now);
        assert_eq!(verdict, Sweep::StoppedNow);
    }

    #[test]
    fn an_alarm_is_not_repeated_within_a_minute() {
        let requests = FileRequests::default();
        let source = IpAddr::from([192, 0, 2, 1]);
        assert!(requests.alarm_is_due(&device(1), source, UnixMillis(0)));
        assert!(!requests.alarm_is_due(&device(1), source, UnixMillis(59_000)));
        assert!(requests.alarm_is_due(&device(1), source, UnixMillis(60_000)));
    }
}
