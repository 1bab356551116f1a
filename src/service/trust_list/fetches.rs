//! Which list each phone has: what tells an administrator when an old key may go.
//!
//! A phone fetches its list before it registers, so the fetch of a new phone, or of one that has
//! moved, waits until it has. Counted is a fetch from the phone's own address alone: nobody else can make a phone look
//! up to date. A note that is lost makes a phone look behind, which is the safe side; so notes of
//! other addresses than the phone's own have a room of their own, with a share for each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use super::App;
use super::ServiceError;
use crate::domain::device::DeviceName;
use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::store;
use crate::store::trust_list::ListFetch;

/// Notes kept at once: every phone of a large site that restarts.
const NOTES_MAX: usize = 50_000;

/// Of these, how many one source may have about phones that are not known at its address: as many
/// as it may ask for in vain before it is throttled. Networks behind NAT have 20 times as many.
const NOTES_PER_SOURCE_MAX: usize = 64;

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
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Of phones that fetched from their own address: no more than there are phones.
    own: HashMap<DeviceName, ListNote>,
    /// Of phones that may be about to register from there. One address never replaces the note of
    /// another.
    awaited: HashMap<(DeviceName, SourceNetwork), ListNote>,
    /// How many of these each source has.
    awaited_by_source: HashMap<SourceNetwork, usize>,
}

impl Notes {
    fn await_phone(&mut self, note: ListNote, shares: usize) {
        let source = SourceNetwork::of(note.source);
        let key = (note.device.clone(), source);
        if let Some(known) = self.awaited.get_mut(&key) {
            *known = note;
            return;
        }
        let count = self.awaited_by_source.entry(source).or_default();
        if self.awaited.len() < NOTES_MAX && *count < NOTES_PER_SOURCE_MAX.saturating_mul(shares) {
            *count += 1;
            self.awaited.insert(key, note);
        }
    }

    /// Takes up to `GROUP_MAX` notes that can be written; drops what waited too long, such as a
    /// stranger's.
    fn take(&mut self, app: &App, now: UnixMillis) -> Vec<ListNote> {
        let own = self.own.extract_if(|_, _| true).map(|(_, note)| note);
        let mut group: Vec<ListNote> = own.take(GROUP_MAX).collect();
        self.awaited.retain(|(_, source), note| {
            let may_be_written = group.len() < GROUP_MAX && is_of_its_own(app, note);
            if may_be_written {
                group.push(note.clone());
            }
            // New, or at a new address since it booted: it registers in a moment.
            let stays = !may_be_written && now.since(note.at) < WAITS_AT_MOST;
            if !stays && let Some(count) = self.awaited_by_source.get_mut(source) {
                *count = count.saturating_sub(1);
            }
            stays
        });
        self.awaited_by_source.retain(|_, count| *count > 0);
        group
    }
}

impl Fetches {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        locks::lock(&self.notes)
    }
}

/// Takes note. Never waits.
pub fn take_note(app: &App, note: ListNote) {
    let is_its_own = is_of_its_own(app, &note);
    let mut notes = app.trust_lists.fetches.notes();
    if is_its_own {
        notes.own.insert(note.device.clone(), note);
        return;
    }
    let shares = app.settings.auto_registration.shares_of(note.source);
    notes.await_phone(note, usize::try_from(shares).unwrap_or(usize::MAX));
}

/// Whether the phone fetched it: from the address that it registered from.
fn is_of_its_own(app: &App, note: &ListNote) -> bool {
    let known = app.phones.find(&note.device);
    let registered = known.and_then(|known| known.phone.registered_address);
    registered.is_some_and(|at| at.to_canonical() == note.source.to_canonical())
}

/// Writes the notes of phones that are known by now; gives how many.
///
/// # Errors
///
/// [`ServiceError`] when the database fails; the notes of the group are lost then.
pub async fn write(app: &App) -> Result<usize, ServiceError> {
    let mut count = 0;
    loop {
        let now = app.environment.now();
        let group = app.trust_lists.fetches.notes().take(app, now);
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
