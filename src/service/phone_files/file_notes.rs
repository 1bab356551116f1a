//! What happened to known devices' files and waits to be written, in memory.
//!
//! Whoever must know whether a phone has its file asks here as well: after a burst of fetches a
//! note waits for up to a second, and the phone does not.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;

use super::file_requests::FileDoor;
use crate::domain::config_file::FileWarning;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::locks;

/// A phone that fetches its file again within this time, and owes nothing, gets no further row in
/// its timeline: a phone in a boot loop shall not fill the database.
const FETCH_NOTED_EVERY: Duration = Duration::from_secs(10);

/// Devices whose last noted fetch is remembered, in each of two generations; some 40 bytes each.
const GENERATION_MAX: usize = 10_000;

/// Notes that may wait to be written; more are dropped (the phone's restart is then retried).
const NOTES_MAX: usize = 10_000;

/// Something that happened to a known device's file, to be written off the hot path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// The device.
    pub device: DeviceName,
    /// Identity of its row when it happened.
    pub pkid: Pkid,
    /// The version of the file.
    pub version_stamp: Pkid,
    /// When.
    pub at: UnixMillis,
    /// From where.
    pub source: IpAddr,
    /// By which door.
    pub door: FileDoor,
    /// What happened.
    pub event: FileEvent,
    /// What the file says otherwise than its template, and why.
    pub warnings: Vec<FileWarning>,
}

/// What happened to a known device's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileEvent {
    /// The device never registered, and its first file began to go to an address that is not
    /// forged.
    FirstFetch,
    /// It was fetched with its secret.
    Fetched,
    /// It was asked for from a wrong address and went out without its secret.
    Withheld,
}

/// The notes that wait, and what they say of fetches.
#[derive(Default)]
pub struct FileNotes {
    fetches: Mutex<LastNoted>,
    waiting: Mutex<Waiting>,
    left: Notify,
}

/// When which device's last fetch was noted. When the young generation is full the old one is
/// forgotten: what is older than a moment is not searched for among thousands.
#[derive(Default)]
struct LastNoted {
    young: HashMap<Pkid, UnixMillis>,
    old: HashMap<Pkid, UnixMillis>,
}

impl LastNoted {
    fn of(&self, pkid: Pkid) -> Option<UnixMillis> {
        self.young
            .get(&pkid)
            .or_else(|| self.old.get(&pkid))
            .copied()
    }

    fn put(&mut self, pkid: Pkid, at: UnixMillis) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(pkid, at);
    }
}

#[derive(Default)]
struct Waiting {
    notes: VecDeque<FileNote>,
    /// How many notes of a fetch of each device are not written yet: those that wait and those
    /// that are being written.
    fetches: HashMap<Pkid, usize>,
}

impl FileNotes {
    /// Leaves a note of a fetch, unless one of the same device was left a moment ago and nothing
    /// waits for this one.
    pub fn leave_of_fetch(&self, note: FileNote, is_awaited: bool) {
        let (now, mut fetches) = (note.at, locks::lock(&self.fetches));
        let last = fetches.of(note.pkid);
        let is_repeated = last.is_some_and(|last| now.since(last) < FETCH_NOTED_EVERY);
        if is_repeated && !is_awaited {
            return;
        }
        fetches.put(note.pkid, now);
        drop(fetches);
        self.leave(note);
    }

    /// Leaves a note for [`super::file_fetched`].
    pub fn leave(&self, note: FileNote) {
        let mut waiting = locks::lock(&self.waiting);
        if waiting.notes.len() >= NOTES_MAX {
            metrics::counter!("selfprov_file_notes_dropped_total").increment(1);
            return;
        }
        if note.event == FileEvent::Fetched {
            *waiting.fetches.entry(note.pkid).or_default() += 1;
        }
        waiting.notes.push_back(note);
        drop(waiting);
        self.left.notify_one();
    }

    /// Takes up to `limit` notes, oldest first; [`FileNotes::done`] must follow.
    pub fn take(&self, limit: usize) -> Vec<FileNote> {
        let notes = &mut locks::lock(&self.waiting).notes;
        let count = notes.len().min(limit);
        notes.drain(..count).collect()
    }

    /// These notes were written, and the devices in memory say so, or they could not be.
    pub fn done(&self, notes: &[FileNote]) {
        let fetches = &mut locks::lock(&self.waiting).fetches;
        for note in notes {
            if note.event == FileEvent::Fetched
                && let Some(count) = fetches.get_mut(&note.pkid)
            {
                *count -= 1;
                if *count == 0 {
                    fetches.remove(&note.pkid);
                }
            }
        }
    }

    /// Whether this device, by its row, has fetched its file and the note of it is not written yet.
    pub fn has_fetched(&self, pkid: Pkid) -> bool {
        locks::lock(&self.waiting).fetches.contains_key(&pkid)
    }

    /// Waits until a note was left.
    pub async fn are_waiting(&self) {
        self.left.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(pkid: u128, event: FileEvent) -> FileNote {
        FileNote {
            device: "SEP0011AABBCC01".parse().unwrap(),
            pkid: Pkid::from_u128(pkid),
            version_stamp: Pkid::from_u128(9),
            at: UnixMillis(0),
            source: IpAddr::from([192, 0, 2, 1]),
            door: FileDoor::Http,
            event,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_fetch_is_known_until_every_note_of_it_is_done() {
        let notes = FileNotes::default();
        let one = Pkid::from_u128(1);
        notes.leave(note(1, FileEvent::Withheld));
        assert!(!notes.has_fetched(one), "nothing was fetched");
        notes.leave(note(1, FileEvent::Fetched));
        notes.leave(note(1, FileEvent::Fetched));
        let first = notes.take(2);
        assert!(notes.has_fetched(one), "it is being written");
        notes.done(&first);
        assert!(notes.has_fetched(one), "another waits");
        assert!(!notes.has_fetched(Pkid::from_u128(2)));
        notes.done(&notes.take(2));
        assert!(!notes.has_fetched(one));
        assert!(locks::lock(&notes.waiting).fetches.is_empty());
    }

    #[test]
    fn a_repeated_fetch_is_noted_again_only_when_it_is_awaited_or_later() {
        let notes = FileNotes::default();
        let at = |at, is_awaited| {
            let at = UnixMillis(at);
            let note = FileNote {
                at,
                ..note(1, FileEvent::Fetched)
            };
            notes.leave_of_fetch(note, is_awaited);
            notes.take(9).len()
        };
        assert_eq!(at(0, false), 1);
        assert_eq!(at(9_999, false), 0);
        assert_eq!(at(9_999, true), 1);
        assert_eq!(at(19_998, false), 0);
        assert_eq!(at(19_999, false), 1);
    }

    #[test]
    fn however_many_devices_fetch_two_generations_are_remembered() {
        let mut last = LastNoted::default();
        let count = u32::try_from(GENERATION_MAX).unwrap() * 3 + 1;
        for n in 0..count {
            last.put(Pkid::from_u128(n.into()), UnixMillis(n.into()));
        }
        assert_eq!(last.of(Pkid::from_u128(0)), None);
        let newest = Pkid::from_u128(u128::from(count) - 1);
        assert_eq!(last.of(newest), Some(UnixMillis(i64::from(count) - 1)));
        assert!(last.young.len() + last.old.len() <= 2 * GENERATION_MAX);
    }
}
