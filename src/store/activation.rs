//! Tables `phone_activation` and `activation_code`: which devices are to be activated by a code, and
//! the codes that wait to be entered.
//!
//! Who changes a code has locked the row of its device
//! ([`find_for_update`](crate::store::device::find_for_update)).

use std::collections::HashMap;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// A code that waits to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingCode {
    /// Its identity.
    pub pkid: Pkid,
    /// The device that it is for.
    pub device: Pkid,
    /// Keyed digest of its digits, by which it is found.
    pub digest: Box<str>,
    /// The digits, sealed with the key file.
    pub sealed_code: Box<str>,
    /// How long it was to live.
    pub lifetime: Duration,
    /// When it ends.
    pub expires_at: UnixMillis,
}

/// A code with its device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedCode {
    /// The code.
    pub code: WaitingCode,
    /// Name of the device.
    pub device_name: DeviceName,
    /// Model number of the device.
    pub model: Option<u32>,
    /// Description of the device.
    pub description: String,
    /// Owner of the device with the user ID.
    pub owner: Option<(Pkid, String)>,
}

/// How far a device is that is to be activated by a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhoneActivation {
    /// When a code was last used for it.
    pub activated_at: Option<UnixMillis>,
    /// When the code that waits for it ends.
    pub code_expires_at: Option<UnixMillis>,
}

/// One static text a statement: the columns of [`code_of`] and what follows them.
macro_rules! select_code {
    ($columns:literal, $tail:literal) => {
        concat!(
            "SELECT activation_code.pkid, activation_code.device, activation_code.digest, \
             activation_code.sealed_code, activation_code.lifetime_s, activation_code.expires_at",
            $columns,
            " FROM activation_code ",
            $tail
        )
    };
}

fn code_of(row: &AnyRow) -> Result<WaitingCode, StoreError> {
    Ok(WaitingCode {
        pkid: row.pkid("activation_code.pkid")?,
        device: row.pkid("activation_code.device")?,
        digest: row.boxed_text("activation_code.digest")?,
        sealed_code: row.boxed_text("activation_code.sealed_code")?,
        lifetime: Duration::from_secs(row.integer("activation_code.lifetime_s")?),
        expires_at: row.time("activation_code.expires_at")?,
    })
}

/// Adds a code.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the device has one already; [`StoreError`] when the database fails
/// or a row is corrupt; so for every function here.
pub async fn insert(connection: &mut Connection, code: &WaitingCode) -> Result<(), StoreError> {
    let lifetime_s = i64::try_from(code.lifetime.as_secs()).unwrap_or(i64::MAX);
    sqlx::query(
        "INSERT INTO activation_code (pkid, device, digest, sealed_code, lifetime_s, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(code.pkid.to_string())
    .bind(code.device.to_string())
    .bind(&*code.digest)
    .bind(&*code.sealed_code)
    .bind(lifetime_s)
    .bind(code.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// The code of this digest, also when it has ended.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn by_digest(
    connection: &mut Connection,
    digest: &str,
) -> Result<Option<WaitingCode>, StoreError> {
    sqlx::query(select_code!("", "WHERE activation_code.digest = $1"))
        .bind(digest)
        .fetch_optional(connection)
        .await?
        .map(|row| code_of(&row))
        .transpose()
}

/// The code of this identity, also when it has ended.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn by_pkid(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<WaitingCode>, StoreError> {
    sqlx::query(select_code!("", "WHERE activation_code.pkid = $1"))
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| code_of(&row))
        .transpose()
}

/// The code of a device, also when it has ended.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_device(
    connection: &mut Connection,
    device: Pkid,
) -> Result<Option<WaitingCode>, StoreError> {
    sqlx::query(select_code!("", "WHERE activation_code.device = $1"))
        .bind(device.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| code_of(&row))
        .transpose()
}

fn listed(row: &AnyRow) -> Result<ListedCode, StoreError> {
    let owner = row.pkid_or_null("device.owner")?;
    let user_id = row.text_or_null("end_user.user_id")?;
    Ok(ListedCode {
        code: code_of(row)?,
        device_name: row.parsed("device.device_name")?,
        model: row.integer_or_null("device.model")?,
        description: row.text("device.description")?,
        owner: owner.zip(user_id),
    })
}

/// The columns of [`listed`], before what chooses the rows.
const LISTED: &str = select_code!(
    ", device.name AS device_name, device.model, device.description, device.owner, \
     end_user.user_id",
    "JOIN device ON device.pkid = activation_code.device \
     LEFT JOIN end_user ON end_user.pkid = device.owner "
);

/// The codes that end after `now`, by the names of their devices.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn waiting(
    connection: &mut Connection,
    now: UnixMillis,
) -> Result<Vec<ListedCode>, StoreError> {
    let statement = format!("{LISTED} WHERE activation_code.expires_at > $1 ORDER BY device.name");
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(now.0)
        .fetch_all(connection)
        .await?;
    rows.iter().map(listed).collect()
}

/// Those of these codes that end after `now`.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_pkids(
    connection: &mut Connection,
    pkids: &[Pkid],
    now: UnixMillis,
) -> Result<Vec<ListedCode>, StoreError> {
    let mut found = Vec::with_capacity(pkids.len());
    for pkids in pkids.chunks(BOUND_AT_ONCE) {
        // Only numbers of places are put into the text.
        let statement = format!(
            "{LISTED} WHERE activation_code.expires_at > $1 AND activation_code.pkid IN ({})",
            places(pkids.len(), 2)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(now.0);
        for pkid in pkids {
            query = query.bind(pkid.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            found.push(listed(row)?);
        }
    }
    Ok(found)
}

/// At most `limit` codes that ended at `now` or before, with their devices.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn expired(
    connection: &mut Connection,
    now: UnixMillis,
    limit: u32,
) -> Result<Vec<ListedCode>, StoreError> {
    let statement = format!(
        "{LISTED} WHERE activation_code.expires_at <= $1 \
         ORDER BY activation_code.expires_at LIMIT $2"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(now.0)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
    rows.iter().map(listed).collect()
}

/// Removes a code; gives whether it was there.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<bool, StoreError> {
    let deleted = sqlx::query("DELETE FROM activation_code WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Forgets a device: its code, and that it is to be activated.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn delete_of_device(connection: &mut Connection, device: Pkid) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM activation_code WHERE device = $1",
        "DELETE FROM phone_activation WHERE device = $1",
    ] {
        sqlx::query(statement)
            .bind(device.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Writes that a device is to be activated by a code, if that is not written yet.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn require(connection: &mut Connection, device: Pkid) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO phone_activation (device) VALUES ($1) ON CONFLICT (device) DO NOTHING",
    )
    .bind(device.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes that a code was used for a device.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn set_activated(
    connection: &mut Connection,
    device: Pkid,
    at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO phone_activation (device, activated_at) VALUES ($1, $2) \
         ON CONFLICT (device) DO UPDATE SET activated_at = excluded.activated_at",
    )
    .bind(device.to_string())
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Those of these devices that are to be activated by a code.
///
/// # Errors
///
/// [`StoreError`] as [`insert`].
pub async fn of_devices(
    connection: &mut Connection,
    devices: &[Pkid],
) -> Result<HashMap<Pkid, PhoneActivation>, StoreError> {
    let mut found = HashMap::new();
    for devices in devices.chunks(BOUND_AT_ONCE) {
        // Only numbers of places are put into the text.
        let statement = format!(
            "SELECT phone_activation.device, phone_activation.activated_at, \
             activation_code.expires_at FROM phone_activation \
             LEFT JOIN activation_code ON activation_code.device = phone_activation.device \
             WHERE phone_activation.device IN ({})",
            places(devices.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for device in devices {
            query = query.bind(device.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let activation = PhoneActivation {
                activated_at: row.time_or_null("phone_activation.activated_at")?,
                code_expires_at: row.time_or_null("activation_code.expires_at")?,
            };
            found.insert(row.pkid("phone_activation.device")?, activation);
        }
    }
    Ok(found)
}
