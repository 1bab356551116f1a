//! Use case: what happened to devices' files is written down, off the hot path.
//!
//! That a phone has its present file ends what waited for it: the restart it owed and the grace of
//! its old registration.

use std::sync::Arc;

use super::file_notes::FileEvent;
use super::file_notes::FileNote;
use crate::domain::history::TimelineEvent;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::group_commit;
use crate::service::history::record;
use crate::service::history::record::Happening;
use crate::service::phone_control;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Notes written in one transaction.
const GROUP_MAX: usize = 256;

/// Writes notes as they come. Ends only with the task it runs in.
pub async fn run(app: Arc<App>) {
    loop {
        app.file_notes.are_waiting().await;
        loop {
            match write_waiting(&app).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(%error, "file fetches could not be written");
                    break;
                }
            }
        }
    }
}

/// Writes the notes that wait, at most one group; gives how many there were.
///
/// Notes that cannot be written are dropped: the phone's restart is then tried once more, and its
/// next fetch is noted again.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn write_waiting(app: &App) -> Result<usize, ServiceError> {
    let notes = app.file_notes.take(GROUP_MAX);
    if notes.is_empty() {
        return Ok(0);
    }
    // Before it is known whose present file was fetched: what is asked for later is for a later file.
    let owed: Vec<Option<UnixMillis>> = notes
        .iter()
        .map(|note| app.phone_control.requested_at(&note.device))
        .collect();
    let written = write_group(app, &notes).await;
    if let Ok(fetched) = &written {
        for note in notes
            .iter()
            .filter(|note| note.event == FileEvent::FirstFetch)
        {
            app.phones
                .update(&note.device, |known| with_first_fetch(known, note));
            app.first_fetches.forget(note.pkid);
        }
        // All of them before anything that waits: a phone may register any moment.
        for (_, note) in fetched {
            app.phones
                .update(&note.device, |known| with_fetch(known, note));
        }
    }
    app.file_notes.done(&notes);
    let mut ends = Vec::new();
    for (index, note) in written? {
        for warning in &note.warnings {
            tracing::warn!(device = %note.device, %warning, "a phone's file");
        }
        let happening = Happening {
            detail: "has its present file".to_owned(),
            source: Some(note.source),
            ..Happening::default()
        };
        // What is asked for after the file was is for a later file, or a boot that is still to come.
        let owed = owed.get(index).copied().flatten();
        let owed = owed.filter(|requested_at| note.at >= *requested_at);
        let end = phone_control::came_back_write(app, &note.device, owed, happening);
        ends.extend(end.map(|write| (&note.device, write)));
    }
    // Together: after a storm of new phones each of them owes a restart.
    let (devices, writes): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
    let results = group_commit::commit_all(app, writes).await;
    for (device, result) in devices.into_iter().zip(results) {
        if let Err(error) = result {
            tracing::warn!(%device, %error, "its restart is still counted as owed");
        }
    }
    Ok(notes.len())
}

/// Writes a group of notes; gives those that say that a device has its present file, each with its
/// place in the group.
async fn write_group<'a>(
    app: &App,
    notes: &'a [FileNote],
) -> Result<Vec<(usize, &'a FileNote)>, ServiceError> {
    let mut transaction = app.store.begin().await?;
    let mut fetched = Vec::new();
    for (index, note) in notes.iter().enumerate() {
        if write(app, transaction.connection(), note).await? {
            fetched.push((index, note));
        }
    }
    transaction.commit().await?;
    Ok(fetched)
}

/// The row of a note: what happened, by which door, and what the file says otherwise than its
/// template.
fn happening(note: &FileNote, what: &str) -> Happening {
    let mut detail = format!("{what}, by {}", note.door.as_str());
    for warning in &note.warnings {
        detail = format!("{detail}; {warning}");
    }
    Happening {
        detail,
        source: Some(note.source),
        ..Happening::default()
    }
}

/// The phone with the fetch, if it is still the row and the version that were fetched.
fn with_fetch(known: &KnownPhone, note: &FileNote) -> Option<KnownPhone> {
    let phone = &known.phone;
    if phone.pkid != note.pkid || phone.version_stamp != note.version_stamp {
        return None;
    }
    let mut changed = known.clone();
    changed.phone.file_fetched_at = Some(note.at);
    Some(changed)
}

/// The phone with the address that its first file went to, if it is still the same row.
fn with_first_fetch(known: &KnownPhone, note: &FileNote) -> Option<KnownPhone> {
    let is_new = known.phone.pkid == note.pkid && known.phone.first_fetch_address.is_none();
    is_new.then(|| {
        let mut changed = known.clone();
        changed.phone.first_fetch_address = Some(Box::new(note.source));
        changed
    })
}

/// Writes one note; `true` when it says that the device has its present file.
async fn write(
    app: &App,
    connection: &mut Connection,
    note: &FileNote,
) -> Result<bool, StoreError> {
    let is_present = note.event == FileEvent::Fetched && {
        let (device, stamp) = ((&note.device, note.pkid), note.version_stamp);
        store::device::set_version_fetched(connection, device, stamp, note.at).await?
    };
    if !is_present {
        let phone = store::device::find_for_update(connection, &note.device).await?;
        if phone.is_none_or(|phone| phone.pkid != note.pkid) {
            return Ok(false);
        }
    }
    let (event, what) = match note.event {
        FileEvent::Fetched if is_present => (TimelineEvent::FileServed, "its present file"),
        FileEvent::Fetched => (TimelineEvent::FileServed, "an earlier version of its file"),
        FileEvent::FirstFetch => (
            TimelineEvent::FileServed,
            "its first file goes to this address; until it has registered no other gets its secret",
        ),
        FileEvent::Withheld => (
            TimelineEvent::FileWithheld,
            "asked for from another address than that of its last registration or first fetch; \
             sent without the secret",
        ),
    };
    record::happened(app, connection, &note.device, event, happening(note, what)).await?;
    if note.event == FileEvent::FirstFetch {
        store::device::set_first_fetch(connection, note.pkid, note.source).await?;
    }
    Ok(is_present)
}
