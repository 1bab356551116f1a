//! Table `phone_restart`: restarts that a phone has not answered yet by coming back.

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::time::UnixMillis;

/// Adds a restart or replaces the one of the same phone.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn upsert(connection: &mut Connection, restart: &PhoneRestart) -> Result<(), StoreError> {
    let insertion = "INSERT INTO phone_restart (device_name, action, requested_at, attempts, \
         next_attempt_at, last_result) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (device_name) DO UPDATE SET action = excluded.action, \
         requested_at = excluded.requested_at, attempts = excluded.attempts, \
         next_attempt_at = excluded.next_attempt_at, last_result = excluded.last_result";
    put(connection, insertion, restart).await.map(drop)
}

/// Adds a restart unless the phone owes one already; whether it was added.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn insert(
    connection: &mut Connection,
    restart: &PhoneRestart,
) -> Result<bool, StoreError> {
    let insertion = "INSERT INTO phone_restart (device_name, action, requested_at, attempts, \
         next_attempt_at, last_result) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (device_name) DO NOTHING";
    put(connection, insertion, restart).await
}

/// Removes the restarts that were never tried and are not due before `after`.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn delete_untried(
    connection: &mut Connection,
    after: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM phone_restart WHERE attempts = 0 AND next_attempt_at > $1")
        .bind(after.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes what became of an attempt, unless the restart was asked for anew or is done.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn attempted(
    connection: &mut Connection,
    restart: &PhoneRestart,
) -> Result<bool, StoreError> {
    let updated = sqlx::query(
        "UPDATE phone_restart SET attempts = $3, next_attempt_at = $4, last_result = $5 \
         WHERE device_name = $1 AND requested_at = $2",
    )
    .bind(restart.device_name.as_str())
    .bind(restart.requested_at.0)
    .bind(i64::from(restart.attempts))
    .bind(restart.next_attempt_at.0)
    .bind(restart.last_result.as_str())
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

/// Removes a phone's restart; whether there was one.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn delete(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM phone_restart WHERE device_name = $1")
        .bind(device_name.as_str())
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Removes the restart that was asked for at this time; whether there was one. One that was asked
/// for anew stays.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn delete_requested(
    connection: &mut Connection,
    device_name: &DeviceName,
    requested_at: UnixMillis,
) -> Result<bool, StoreError> {
    let deletion = "DELETE FROM phone_restart WHERE device_name = $1 AND requested_at = $2";
    let deleted = sqlx::query(deletion)
        .bind(device_name.as_str())
        .bind(requested_at.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Every restart that is still owed. As many rows as phones that have not come back.
///
/// # Errors
///
/// [`StoreError`] as [`upsert`].
pub async fn all(connection: &mut Connection) -> Result<Vec<PhoneRestart>, StoreError> {
    let rows = sqlx::query("SELECT * FROM phone_restart ORDER BY next_attempt_at")
        .fetch_all(connection)
        .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<PhoneRestart, StoreError> {
    let action = row.text("phone_restart.action")?;
    Ok(PhoneRestart {
        device_name: row.parsed("phone_restart.device_name")?,
        action: PhoneAction::from_word(&action).ok_or(StoreError::Corrupt {
            column: "phone_restart.action",
            value: action,
        })?,
        requested_at: row.time("phone_restart.requested_at")?,
        attempts: row.integer("phone_restart.attempts")?,
        next_attempt_at: row.time("phone_restart.next_attempt_at")?,
        last_result: row.text("phone_restart.last_result")?,
    })
}

/// Binds the columns of a restart to an insertion; whether a row was written.
async fn put(
    connection: &mut Connection,
    insertion: &'static str,
    restart: &PhoneRestart,
) -> Result<bool, StoreError> {
    let written = sqlx::query(insertion)
        .bind(restart.device_name.as_str())
        .bind(restart.action.as_str())
        .bind(restart.requested_at.0)
        .bind(i64::from(restart.attempts))
        .bind(restart.next_attempt_at.0)
        .bind(restart.last_result.as_str())
        .execute(connection)
        .await?;
    Ok(written.rows_affected() == 1)
}
