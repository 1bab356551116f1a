//! What auto-registration asks and writes beside devices and lines: the lock, the last number
//! given, and how many phones wait to be claimed.

use std::net::IpAddr;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::source_network::SourceNetwork;
use crate::domain::time::UnixMillis;

/// Waits until no other transaction, on whatever node, gives numbers; holds that until the
/// caller's transaction ends.
///
/// One row for all nodes: their ranges may overlap, and two nodes must never give one number.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn lock(connection: &mut Connection) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO service_parameter (name, value) VALUES ('auto_registration_lock', '') \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The last number that a node gave; `None` since its range was set.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn last_given(
    connection: &mut Connection,
    node: Pkid,
) -> Result<Option<DirectoryNumber>, StoreError> {
    let row = sqlx::query("SELECT last_dn FROM call_manager WHERE pkid = $1")
        .bind(node.to_string())
        .fetch_optional(connection)
        .await?;
    match row
        .map(|row| row.text("call_manager.last_dn"))
        .transpose()?
    {
        Some(text) if !text.is_empty() => text.parse().map(Some).map_err(|_| StoreError::Corrupt {
            column: "call_manager.last_dn",
            value: text,
        }),
        _ => Ok(None),
    }
}

/// Writes the last number that a node gave.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn set_last_given(
    connection: &mut Connection,
    node: Pkid,
    last: &DirectoryNumber,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE call_manager SET last_dn = $2 WHERE pkid = $1")
        .bind(node.to_string())
        .bind(last.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// The numbers between the two that a line has, in whatever partition. For equal lengths of
/// digits, order of text is order of number.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn numbers_in_use(
    connection: &mut Connection,
    first: &DirectoryNumber,
    last: &DirectoryNumber,
) -> Result<Vec<DirectoryNumber>, StoreError> {
    sqlx::query("SELECT pattern FROM line WHERE pattern >= $1 AND pattern <= $2")
        .bind(first.as_str())
        .bind(last.as_str())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| row.parsed("line.pattern"))
        .collect()
}

/// How many numbers between the two, which have the same length, a line has in whatever partition.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn count_in_use(
    connection: &mut Connection,
    first: &DirectoryNumber,
    last: &DirectoryNumber,
) -> Result<u64, StoreError> {
    let digits = i64::try_from(first.as_str().len()).unwrap_or(i64::MAX);
    let numbers: u32 = sqlx::query(
        "SELECT COUNT(DISTINCT pattern) AS numbers FROM line \
         WHERE pattern >= $1 AND pattern <= $2 AND LENGTH(pattern) = $3",
    )
    .bind(first.as_str())
    .bind(last.as_str())
    .bind(digits)
    .fetch_one(connection)
    .await?
    .integer("line.numbers")?;
    Ok(numbers.into())
}

/// How many phones that wait to be claimed were made since `since`.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn count_unclaimed_since(
    connection: &mut Connection,
    since: UnixMillis,
) -> Result<u32, StoreError> {
    sqlx::query(
        "SELECT COUNT(*) AS phones FROM device WHERE state = 'auto_registered' AND created_at >= $1",
    )
    .bind(since.0)
    .fetch_one(connection)
    .await?
    .integer("device.phones")
}

/// How many phones wait to be claimed.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn count_unclaimed(connection: &mut Connection) -> Result<u32, StoreError> {
    sqlx::query("SELECT COUNT(*) AS phones FROM device WHERE state = 'auto_registered'")
        .fetch_one(connection)
        .await?
        .integer("device.phones")
}

/// How many phones that registered from this address wait to be claimed.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn count_unclaimed_at(
    connection: &mut Connection,
    address: IpAddr,
) -> Result<u32, StoreError> {
    let address = address.to_canonical();
    // The network is what the index has.
    sqlx::query(
        "SELECT COUNT(*) AS phones FROM device WHERE registered_network = $1 \
         AND state = 'auto_registered' AND registered_address = $2",
    )
    .bind(SourceNetwork::of(address).to_string())
    .bind(address.to_string())
    .fetch_one(connection)
    .await?
    .integer("device.phones")
}

/// Unclaimed phones made before `before`, oldest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn unclaimed_before(
    connection: &mut Connection,
    before: UnixMillis,
    limit: u32,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query(
        "SELECT name FROM device WHERE state = 'auto_registered' AND created_at < $1 \
         ORDER BY created_at LIMIT $2",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.parsed("device.name"))
    .collect()
}

/// Unclaimed phones made before `before` that never fetched their own file, oldest first, at most
/// `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`lock`].
pub async fn unfetched_before(
    connection: &mut Connection,
    before: UnixMillis,
    limit: u32,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query(
        "SELECT name FROM device WHERE state = 'auto_registered' AND created_at < $1 \
         AND file_fetched_at IS NULL ORDER BY created_at LIMIT $2",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.parsed("device.name"))
    .collect()
}
