//! Tables `authentication_failure` and `device_lock`: what lock-out and delays are computed from.

use std::net::IpAddr;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::lockout::Failure;
use crate::domain::lockout::Lock;
use crate::domain::lockout::SOURCE_FAILURES_MAX;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// Most failures of one credential or device that are read: the longest delay and every lock are
/// reached long before.
const READ_MAX: i64 = 100;

/// Under this key stand failures of the authentication code that count for it alone: on a user
/// whose PIN is locked, and after a right login of the user. Neither makes guesses at the code free.
pub const OF_CODE: &str = "authentication code";

/// A failed attempt to be written.
#[derive(Debug, Clone)]
pub struct NewFailure<'a> {
    /// Identity.
    pub pkid: Pkid,
    /// The credential's pkid, or a keyed digest of a login that names nobody.
    pub credential: &'a str,
    /// When, from which device and address.
    pub failure: &'a Failure,
    /// Whether the entry had the length of the authentication code.
    pub of_code: bool,
}

/// Adds a failed attempt.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn insert(connection: &mut Connection, new: &NewFailure<'_>) -> Result<(), StoreError> {
    let failure = new.failure;
    sqlx::query(
        "INSERT INTO authentication_failure (pkid, at, credential, device_name, source, of_code) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(new.pkid.to_string())
    .bind(failure.at.0)
    .bind(new.credential)
    .bind(failure.device.as_ref().map_or("", DeviceName::as_str))
    .bind(failure.source.to_canonical().to_string())
    .bind(i64::from(new.of_code))
    .execute(connection)
    .await?;
    Ok(())
}

/// The failures on a credential after `since`, newest first.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_credential(
    connection: &mut Connection,
    credential: &str,
    since: UnixMillis,
) -> Result<Vec<Failure>, StoreError> {
    sqlx::query(
        "SELECT at, device_name, source FROM authentication_failure \
         WHERE credential = $1 AND at > $2 ORDER BY at DESC LIMIT $3",
    )
    .bind(credential)
    .bind(since.0)
    .bind(READ_MAX)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        let device = row.text("authentication_failure.device_name")?;
        Ok(Failure {
            at: row.time("authentication_failure.at")?,
            device: device.parse().ok(),
            source: row.parsed("authentication_failure.source")?,
        })
    })
    .collect()
}

/// When a device failed after `since`, on whatever credential and not before its last right
/// login, newest first.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_device(
    connection: &mut Connection,
    device: &DeviceName,
    since: UnixMillis,
) -> Result<Vec<UnixMillis>, StoreError> {
    sqlx::query(
        "SELECT at FROM authentication_failure WHERE device_name = $1 AND at > $2 \
         AND cleared = 0 ORDER BY at DESC LIMIT $3",
    )
    .bind(device.as_str())
    .bind(since.0)
    .bind(READ_MAX)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.time("authentication_failure.at"))
    .collect()
}

/// When an address failed after `since`, newest first; no more than are needed to see that there
/// are too many.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_source(
    connection: &mut Connection,
    source: IpAddr,
    since: UnixMillis,
) -> Result<Vec<UnixMillis>, StoreError> {
    let enough = i64::try_from(SOURCE_FAILURES_MAX + 1).unwrap_or(READ_MAX);
    sqlx::query(
        "SELECT at FROM authentication_failure WHERE source = $1 AND at > $2 \
         ORDER BY at DESC LIMIT $3",
    )
    .bind(source.to_canonical().to_string())
    .bind(since.0)
    .bind(enough)
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.time("authentication_failure.at"))
    .collect()
}

/// How many entries of the authentication code's length failed after `since`.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn count_of_code(
    connection: &mut Connection,
    since: UnixMillis,
) -> Result<u32, StoreError> {
    sqlx::query(
        "SELECT COUNT(*) AS failures FROM authentication_failure WHERE at > $1 AND of_code = 1",
    )
    .bind(since.0)
    .fetch_one(connection)
    .await?
    .integer("authentication_failure.failures")
}

/// Forgets the failures of a credential after a right login, and clears those of the device it
/// came from. What the device tried on other credentials still counts towards those.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn clear(
    connection: &mut Connection,
    credential: &str,
    device: Option<&DeviceName>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE authentication_failure SET credential = $2, cleared = 1 \
         WHERE credential = $1 AND of_code = 1",
    )
    .bind(credential)
    .bind(OF_CODE)
    .execute(&mut *connection)
    .await?;
    sqlx::query("DELETE FROM authentication_failure WHERE credential = $1")
        .bind(credential)
        .execute(&mut *connection)
        .await?;
    if let Some(device) = device {
        sqlx::query(
            "UPDATE authentication_failure SET cleared = 1 WHERE device_name = $1 AND cleared = 0",
        )
        .bind(device.as_str())
        .execute(connection)
        .await?;
    }
    Ok(())
}

/// Forgets every failure of a device: an administrator unlocked it.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn delete_of_device(
    connection: &mut Connection,
    device: &DeviceName,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM authentication_failure WHERE device_name = $1")
        .bind(device.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Forgets failures before `before`; gives how many went.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn delete_before(
    connection: &mut Connection,
    before: UnixMillis,
) -> Result<u64, StoreError> {
    let deleted = sqlx::query("DELETE FROM authentication_failure WHERE at < $1")
        .bind(before.0)
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected())
}

/// The last lock of a device, which may be over.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn device_lock(
    connection: &mut Connection,
    device: &DeviceName,
) -> Result<Option<Lock>, StoreError> {
    sqlx::query("SELECT locked_at, locked_until FROM device_lock WHERE device_name = $1")
        .bind(device.as_str())
        .fetch_optional(connection)
        .await?
        .map(|row| {
            Ok(Lock {
                since: row.time("device_lock.locked_at")?,
                until: row.time_or_null("device_lock.locked_until")?,
            })
        })
        .transpose()
}

/// Locks a device, or ends its lock (`None`). Gives whether there was one to end.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn set_device_lock(
    connection: &mut Connection,
    device: &DeviceName,
    lock: Option<Lock>,
) -> Result<bool, StoreError> {
    let changed = match lock {
        Some(lock) => {
            sqlx::query(
                "INSERT INTO device_lock (device_name, locked_at, locked_until) \
                 VALUES ($1, $2, $3) ON CONFLICT (device_name) DO UPDATE SET \
                 locked_at = excluded.locked_at, locked_until = excluded.locked_until",
            )
            .bind(device.as_str())
            .bind(lock.since.0)
            .bind(lock.until.map(|until| until.0))
            .execute(connection)
            .await?
        }
        None => {
            sqlx::query("DELETE FROM device_lock WHERE device_name = $1")
                .bind(device.as_str())
                .execute(connection)
                .await?
        }
    };
    Ok(changed.rows_affected() == 1)
}
