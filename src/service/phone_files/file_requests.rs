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
use std::sync::Mutex;
use std::sync::OnceLock;
use std::time::Duration;

use metrics::Counter;

use crate::domain::device::DeviceName;
use crate::domain::phone_model::FileFormat;
use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::history::record::Happening;

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

/// Sources whose requests are counted at once.
const SOURCES_MAX: usize = 20_000;

/// Least time between two looks through a full table for what can be forgotten.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Time between two alarms for the same device and address.
const ALARM_INTERVAL: Duration = Duration::from_mins(1);

/// Pairs of device and source whose last alarm is remembered.
const ALARMS_MAX: usize = 10_000;

/// One request for the file of a device that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownRequest {
    /// When.
    pub at: UnixMillis,
    /// From where.
    pub source: IpAddr,
    /// By which door.
    pub door: FileDoor,
    /// Which of the device's files.
    pub format: FileFormat,
    /// What it got.
    pub answer: UnknownAnswer,
}

/// What a request for the file of an unknown device got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownAnswer {
    /// The file that makes the phone register.
    AutoRegistrationFile,
    /// Nothing.
    NotFound,
}

impl UnknownAnswer {
    /// The words in timelines and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AutoRegistrationFile => "auto-registration file",
            Self::NotFound => "not found",
        }
    }
}

impl UnknownRequest {
    /// The file that was asked for in this device's name.
    pub fn file_name(&self, device: &DeviceName) -> String {
        match (self.format, device.mac()) {
            (FileFormat::FlatProfile, Some(mac)) => {
                format!("{}.xml", mac.to_string().to_ascii_lowercase())
            }
            _ => format!("{device}.cnf.xml"),
        }
    }

    fn into_happening(self, device: &DeviceName) -> Happening {
        let seconds = self.at.unix_s();
        Happening {
            detail: format!(
                "{} by {} at {}: {}",
                self.file_name(device),
                self.door.as_str(),
                jiff::Timestamp::from_second(seconds).unwrap_or_default(),
                self.answer.as_str()
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
    /// Too many sources are counted at once, most of them forged, and this is none of them.
    NotCounted,
}

/// The memory of file requests.
#[derive(Default)]
pub struct FileRequests {
    unknown: Mutex<Ring>,
    sweeps: Mutex<Sweeps>,
    alarms: Mutex<Alarms>,
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
        locks::lock(&self.unknown).push(device, request);
    }

    /// What was asked for in this device's name before it existed, oldest first.
    pub fn of_unknown(&self, device: &DeviceName) -> Vec<UnknownRequest> {
        locks::lock(&self.unknown)
            .requests
            .get(device)
            .map(|requests| requests.iter().copied().collect())
            .unwrap_or_default()
    }

    /// What an unknown device asked for, as rows for the timeline of the device that is made now.
    pub fn asked_before(&self, device: &DeviceName) -> Vec<Happening> {
        self.of_unknown(device)
            .into_iter()
            .map(|request| request.into_happening(device))
            .collect()
    }

    /// Forgets them: the device has been made.
    pub fn forget_unknown(&self, device: &DeviceName) {
        locks::lock(&self.unknown).requests.remove(device);
    }

    /// Counts a name that an address asked for in vain.
    pub fn count_name(&self, source: IpAddr, device: &DeviceName, now: UnixMillis) -> Sweep {
        let name = self.hasher.hash_one(device);
        let mut sweeps = locks::lock(&self.sweeps);
        let Some(window) = sweeps.window_of(source, now) else {
            return Sweep::NotCounted;
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
        let mut sweeps = locks::lock(&self.sweeps);
        let Some(window) = sweeps.window_of(source, now) else {
            return false;
        };
        window.weight += INDEX_WEIGHT;
        window.weight == INDEX_WEIGHT
    }

    /// Whether an alarm about this device, which exists, and address is due: at most one a minute,
    /// and with too many addresses one a minute for the device.
    pub fn alarm_is_due(&self, device: &DeviceName, source: IpAddr, now: UnixMillis) -> bool {
        locks::lock(&self.alarms).is_due(device, SourceNetwork::of(source), now)
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

/// The windows of sources.
#[derive(Default)]
struct Sweeps {
    windows: HashMap<SourceNetwork, SweepWindow>,
    look_again_at: UnixMillis,
}

impl Sweeps {
    /// The window of a source, begun anew when it is over; `None` when too many are counted.
    fn window_of(&mut self, source: IpAddr, now: UnixMillis) -> Option<&mut SweepWindow> {
        let source = SourceNetwork::of(source);
        if self.windows.len() >= SOURCES_MAX && !self.windows.contains_key(&source) {
            self.make_room(now);
            if self.windows.len() >= SOURCES_MAX {
                return None;
            }
        }
        let window = self.windows.entry(source);
        let window = window.or_insert_with(|| SweepWindow::at(now));
        if now.since(window.started) >= SWEEP_WINDOW {
            *window = SweepWindow::at(now);
        }
        Some(window)
    }

    /// Forgets the windows that are over, and those of one name: what a forged sender leaves, and
    /// as good as nothing.
    fn make_room(&mut self, now: UnixMillis) {
        if now < self.look_again_at {
            return;
        }
        self.look_again_at = now.plus(LOOK_INTERVAL);
        self.windows.retain(|_, window| {
            now.since(window.started) < SWEEP_WINDOW && window.names.len() + window.weight > 1
        });
    }
}

/// When the last alarms were.
#[derive(Default)]
struct Alarms {
    of_pairs: HashMap<(DeviceName, SourceNetwork), UnixMillis>,
    /// When the last alarm of a device was, while `of_pairs` is full: at most one entry for each
    /// device that there is.
    of_devices: HashMap<DeviceName, UnixMillis>,
    look_again_at: UnixMillis,
}

impl Alarms {
    fn is_due(&mut self, device: &DeviceName, source: SourceNetwork, now: UnixMillis) -> bool {
        let is_recent = |last: &UnixMillis| now.since(*last) < ALARM_INTERVAL;
        let pair = (device.clone(), source);
        if let Some(last) = self.of_pairs.get_mut(&pair) {
            let is_due = !is_recent(last);
            if is_due {
                *last = now;
            }
            return is_due;
        }
        if self.of_pairs.len() >= ALARMS_MAX && now >= self.look_again_at {
            self.look_again_at = now.plus(LOOK_INTERVAL);
            self.of_pairs.retain(|_, last| is_recent(last));
            self.of_devices.retain(|_, last| is_recent(last));
        }
        if self.of_pairs.len() < ALARMS_MAX {
            self.of_pairs.insert(pair, now);
            return true;
        }
        let is_due = !self.of_devices.get(device).is_some_and(is_recent);
        if is_due {
            self.of_devices.insert(device.clone(), now);
        }
        is_due
    }
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
            format: FileFormat::CiscoXml,
            answer: UnknownAnswer::NotFound,
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
        assert!(!requests.of_unknown(&device(20_000)).is_empty());
        let asked = requests.asked_before(&device(7));
        assert_eq!(
            asked[0].detail,
            "SEP001122330007.cnf.xml by HTTP at 1970-01-01T00:00:00Z: not found"
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

    fn host(number: u32) -> IpAddr {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn forged_sources_take_no_window_from_whom_asks_twice_and_none_is_stopped_for_them() {
        let requests = FileRequests::default();
        let sources = u32::try_from(SOURCES_MAX).unwrap();
        let now = UnixMillis(1_000_000);
        let sweeper = IpAddr::from([192, 0, 2, 1]);
        for number in 0..64 {
            requests.count_name(sweeper, &device(number), now);
        }
        for number in 0..sources {
            let counted = requests.count_name(host(number), &device(1), now);
            assert_eq!(counted, Sweep::No, "windows of one name make room");
        }
        let known = requests.count_name(sweeper, &device(64), now);
        assert_eq!(known, Sweep::StoppedNow, "it is remembered");
        let later = now.plus(LOOK_INTERVAL);
        for number in 0..sources {
            for name in [1, 2] {
                requests.count_name(host(sources + number), &device(name), later);
            }
        }
        let (asked, counted) = (host(5_000_000), |now| {
            requests.count_name(host(5_000_000), &device(1), now)
        });
        assert_eq!(counted(later), Sweep::NotCounted, "{asked}");
        assert_eq!(counted(later.plus(SWEEP_WINDOW)), Sweep::No);
    }

    #[test]
    fn forged_sources_silence_no_alarm_about_another_device() {
        let requests = FileRequests::default();
        let now = UnixMillis(1_000_000);
        for number in 0..2 * u32::try_from(ALARMS_MAX).unwrap() {
            requests.alarm_is_due(&device(1), host(number), now);
        }
        let source = IpAddr::from([192, 0, 2, 1]);
        assert!(requests.alarm_is_due(&device(2), source, now));
        assert!(!requests.alarm_is_due(&device(2), host(7_000_000), now));
        assert!(
            !requests.alarm_is_due(&device(1), source, now),
            "told before"
        );
        let later = now.plus(ALARM_INTERVAL);
        assert!(requests.alarm_is_due(&device(1), source, later));
    }
}
