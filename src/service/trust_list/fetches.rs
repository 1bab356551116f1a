//! Which list each phone has: what tells an administrator when an old key may go.
//!
//! A phone fetches its list before it registers, so the fetch of a new phone, or of one that has
//! moved, waits until it has. Counted is a fetch from the phone's own address alone: nobody else can make a phone look
//! up to date. A note that is lost makes a phone look behind, which is the safe side.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use super::App;
use super::ServiceError;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::store;
use crate::store::trust_list::ListFetch;

/// Notes kept at once: every phone of a large site that restarts.
const NOTES_MAX: usize = 50_000;

/// How long a note waits for its phone to register.
const WAITS_AT_MOST: Duration = Duration::from_mins(10);

/// Notes written in one transaction.
const GROUP_MAX: usize = 500;

/// A phone has all of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListNote {
    /// The phone in the name of the file.
    pub device: DeviceName,
    /// Who fetched it.
    pub source: IpAddr,
    /// The newest key that the list names.
    pub newest_key: u32,
    /// When.
    pub at: UnixMillis,
}

/// Notes that wait to be written.
#[derive(Debug, Default)]
pub struct Fetches {
    notes: Mutex<HashMap<DeviceName, ListNote>>,
}

impl Fetches {
    /// Takes note. Never waits.
    pub fn note(&self, note: ListNote) {
        let mut notes = self.notes();
        if notes.len() < NOTES_MAX || notes.contains_key(&note.device) {
            notes.insert(note.device.clone(), note);
        }
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<DeviceName, ListNote>> {
        locks::lock(&self.notes)
    }
}

/// Writes the notes of phones that are known by now; gives how many.
///
/// # Errors
///
/// [`ServiceError`] when the database fails; the notes of the group are lost then.
pub async fn write(app: &App) -> Result<usize, ServiceError> {
    let mut count = 0;
    loop {
        let group = take(app);
        if group.is_empty() {
            return Ok(count);
        }
        let mut transaction = app.store.begin().await?;
        for note in &group {
            let row = ListFetch {
                device_name: note.device.clone(),
                key_number: note.newest_key,
                fetched_at: note.at,
            };
            store::trust_list::put_fetch(transaction.connection(), &row).await?;
        }
        transaction.commit().await?;
        count += group.len();
    }
}

/// Takes the notes that can be written; drops what waited too long, such as a stranger's.
fn take(app: &App) -> Vec<ListNote> {
    let now = app.environment.now();
    let mut group = Vec::new();
    let mut notes = app.trust_lists.fetches.notes();
    notes.retain(|name, note| {
        if group.len() >= GROUP_MAX {
            return true;
        }
        let registered = app
            .phones
            .find(name)
            .and_then(|known| known.phone.registered_address);
        let is_its_own =
            registered.is_some_and(|at| at.to_canonical() == note.source.to_canonical());
        if is_its_own {
            group.push(note.clone());
            return false;
        }
        // New, or at a new address since it booted: it registers in a moment.
        now.since(note.at) < WAITS_AT_MOST
    });
    group
}
