//! Tables `audit` and `timeline`.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditEntry;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEntry;
use crate::domain::history::TimelineEvent;
use crate::domain::time::UnixMillis;

/// Adds a row to the audit log.
///
/// # Errors
///
/// [`StoreError`] when the database fails; so for every function here.
pub async fn insert_audit(
    connection: &mut Connection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO audit (pkid, at, actor, source, action, object_kind, object_name, \
         before_text, after_text, correlation, object, elements) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(entry.pkid.to_string())
    .bind(entry.at.0)
    .bind(entry.actor.as_str())
    .bind(entry.source.as_str())
    .bind(entry.action)
    .bind(entry.object_kind.as_str())
    .bind(entry.object_name.as_str())
    .bind(entry.before.as_str())
    .bind(entry.after.as_str())
    .bind(
        entry
            .correlation
            .map_or_else(String::new, |id| id.to_string()),
    )
    .bind(
        entry
            .object
            .map_or_else(String::new, |object| object.to_string()),
    )
    .bind(entry.elements.join(" "))
    .execute(connection)
    .await?;
    Ok(())
}

/// Adds a row to a phone's timeline.
///
/// # Errors
///
/// [`StoreError`] as [`insert_audit`].
pub async fn insert_timeline(
    connection: &mut Connection,
    entry: &TimelineEntry,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO timeline (pkid, at, device_name, event, code, detail, source, end_user, \
         correlation) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(entry.pkid.to_string())
    .bind(entry.at.0)
    .bind(entry.device_name.as_str())
    .bind(entry.event.as_str())
    .bind(entry.code.as_str())
    .bind(entry.detail.as_str())
    .bind(
        entry
            .source
            .map_or_else(String::new, |source| source.to_string()),
    )
    .bind(entry.end_user.as_str())
    .bind(
        entry
            .correlation
            .map_or_else(String::new, |id| id.to_string()),
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The newest `limit` rows of a phone's timeline, oldest first.
///
/// # Errors
///
/// [`StoreError`] as [`insert_audit`].
pub async fn timeline_of(
    connection: &mut Connection,
    device_name: &DeviceName,
    limit: u32,
) -> Result<Vec<TimelineEntry>, StoreError> {
    let rows =
        sqlx::query("SELECT * FROM timeline WHERE device_name = $1 ORDER BY pkid DESC LIMIT $2")
            .bind(device_name.as_str())
            .bind(i64::from(limit))
            .fetch_all(connection)
            .await?;
    rows.iter()
        .rev()
        .map(|row| {
            let event = row.text("timeline.event")?;
            Ok(TimelineEntry {
                pkid: row.pkid("timeline.pkid")?,
                at: row.time("timeline.at")?,
                device_name: row.parsed("timeline.device_name")?,
                event: TimelineEvent::from_word(&event).ok_or(StoreError::Corrupt {
                    column: "timeline.event",
                    value: event,
                })?,
                code: row.text("timeline.code")?,
                detail: row.text("timeline.detail")?,
                source: row.text("timeline.source")?.parse().ok(),
                end_user: row.text("timeline.end_user")?,
                correlation: row
                    .text("timeline.correlation")?
                    .parse()
                    .ok()
                    .map(CorrelationId),
            })
        })
        .collect()
}

/// Removes the rows of every timeline that are older than `before`; gives how many went.
///
/// # Errors
///
/// [`StoreError`] as [`insert_audit`].
pub async fn delete_timeline_before(
    connection: &mut Connection,
    before: UnixMillis,
) -> Result<u64, StoreError> {
    let deleted = sqlx::query("DELETE FROM timeline WHERE at < $1")
        .bind(before.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected())
}

/// A row of the audit log as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at: UnixMillis,
    /// Who.
    pub actor: String,
    /// From where.
    pub source: String,
    /// What was done.
    pub action: String,
    /// What it was before.
    pub before: String,
    /// What it is after.
    pub after: String,
}

/// The newest `limit` rows of the audit log about an object, oldest first.
///
/// # Errors
///
/// [`StoreError`] as [`insert_audit`].
pub async fn audit_of(
    connection: &mut Connection,
    object_kind: &str,
    object_name: &str,
    limit: u32,
) -> Result<Vec<AuditRow>, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM audit WHERE object_kind = $1 AND object_name = $2 \
         ORDER BY pkid DESC LIMIT $3",
    )
    .bind(object_kind)
    .bind(object_name)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(AuditRow {
                at: row.time("audit.at")?,
                actor: row.text("audit.actor")?,
                source: row.text("audit.source")?,
                action: row.text("audit.action")?,
                before: row.text("audit.before_text")?,
                after: row.text("audit.after_text")?,
            })
        })
        .collect()
}
