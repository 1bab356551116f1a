//! Writing the histories: each phone's timeline and the audit log.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use super::App;
use super::group_commit;
use super::group_commit::Write;
use super::group_commit::WriteError;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditEntry;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEntry;
use crate::domain::history::TimelineEvent;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What a row of a timeline says beside phone, event and time.
#[derive(Debug, Clone, Default)]
pub struct Happening {
    /// The code of a refusal; empty otherwise.
    pub code: &'static str,
    /// A sentence for the administrator; never a secret.
    pub detail: String,
    /// The address it came from.
    pub source: Option<IpAddr>,
    /// User ID of the user concerned; empty when there is none.
    pub end_user: String,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

/// Writes a row of a phone's timeline within the caller's transaction.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn happened(
    app: &App,
    connection: &mut Connection,
    device_name: &DeviceName,
    event: TimelineEvent,
    happening: Happening,
) -> Result<(), StoreError> {
    let at = app.environment.now();
    let entry = TimelineEntry {
        pkid: app.environment.new_ordered_pkid(at),
        at,
        device_name: device_name.clone(),
        event,
        code: happening.code.to_owned(),
        detail: happening.detail,
        source: happening.source,
        end_user: happening.end_user,
        correlation: happening.correlation,
    };
    store::history::insert_timeline(connection, &entry).await
}

/// Time in which one phone's timeline takes one row of a refusal that cost no work: such refusals
/// come as fast as somebody can send them.
const REFUSALS_APART: Duration = Duration::from_secs(10);

/// Phones and codes of which the last such row is remembered.
const REFUSALS_REMEMBERED_MAX: usize = 10_000;

/// When each phone's timeline last took a row of a refusal that cost no work.
#[derive(Debug, Default)]
pub struct RefusalRows(Mutex<HashMap<(DeviceName, &'static str), UnixMillis>>);

impl RefusalRows {
    /// Whether a row may be written now; if so, the next not before [`REFUSALS_APART`].
    fn admit(&self, device_name: &DeviceName, code: &'static str, now: UnixMillis) -> bool {
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_recent = |at: &UnixMillis| now.since(*at) < REFUSALS_APART;
        if rows.len() >= REFUSALS_REMEMBERED_MAX {
            rows.retain(|_, at| is_recent(at));
        }
        let key = (device_name.clone(), code);
        let is_full = rows.len() >= REFUSALS_REMEMBERED_MAX;
        if is_full || rows.get(&key).is_some_and(is_recent) {
            return false;
        }
        rows.insert(key, now);
        true
    }
}

/// Writes a refusal that cost no work to a phone's timeline, unless one with its code stands there
/// since a moment ago.
///
/// # Errors
///
/// [`WriteError`] when the database does not take it.
pub async fn refused_without_work(
    app: &App,
    device_name: &DeviceName,
    happening: Happening,
) -> Result<(), WriteError> {
    let now = app.environment.now();
    if app.refusal_rows.admit(device_name, happening.code, now) {
        let event = TimelineEvent::LoginRefused;
        let row = Box::new((device_name.clone(), event, happening));
        group_commit::commit(app, Write::Happened(row)).await?;
    }
    Ok(())
}

/// Who does something and from where, for the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    /// `user:aksethi`, `administrator:admin`, `device:SEP…`, `system`.
    pub name: String,
    /// An address or a door (`command line`).
    pub source: String,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

/// A change, for the audit log.
#[derive(Debug, Clone)]
pub struct Change {
    /// What was done, as `object.verb`: `device.provision`.
    pub action: &'static str,
    /// Kind of object: `device`, `end_user`.
    pub object_kind: &'static str,
    /// Its name.
    pub object_name: String,
    /// What it was before, in words; never a secret.
    pub before: String,
    /// What it is after, in words; never a secret.
    pub after: String,
}

/// Writes a row of the audit log within the caller's transaction, about something that has no
/// identity of its own.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn audit(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    change: Change,
) -> Result<(), StoreError> {
    write_audit(app, connection, actor, (None, change)).await
}

/// The same about an object: `listChange` then says which one.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn audit_object(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    object: Pkid,
    change: Change,
) -> Result<(), StoreError> {
    write_audit(app, connection, actor, (Some(object), change)).await
}

async fn write_audit(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (object, change): (Option<Pkid>, Change),
) -> Result<(), StoreError> {
    let at = app.environment.now();
    let entry = AuditEntry {
        pkid: app.environment.new_ordered_pkid(at),
        at,
        actor: actor.name.clone(),
        source: actor.source.clone(),
        action: change.action,
        object_kind: change.object_kind,
        object_name: change.object_name,
        object,
        before: change.before,
        after: change.after,
        correlation: actor.correlation,
    };
    store::history::insert_audit(connection, &entry).await
}
