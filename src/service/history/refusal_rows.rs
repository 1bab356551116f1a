//! Refusals that cost no work, in the timeline of a phone: not more rows than anybody reads.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use super::record::Happening;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::App;
use crate::service::group_commit;
use crate::service::group_commit::Write;
use crate::service::group_commit::WriteError;

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
        let mut rows = locks::lock(&self.0);
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
pub(in crate::service) async fn refused_without_work(
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
