//! Table `binding`: registrations that survive a restart of the service.

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use super::row::sealed_of;
use super::row::sealed_text;
use crate::domain::binding::Binding;
use crate::domain::binding::Grace;
use crate::domain::binding::SeparateTexts;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::domain::registration::Flow;
use crate::domain::registration::Transport;
use crate::domain::time::UnixMillis;

fn binding_of(row: &AnyRow) -> Result<Binding, StoreError> {
    let transport = row.text("binding.transport")?;
    let registered_at = row.time("binding.registered_at")?;
    let texts = SeparateTexts {
        address_of_record: &row.text("binding.address_of_record")?,
        contact: &row.text("binding.contact")?,
        call_id: &row.text("binding.call_id")?,
        user_agent: &row.text("binding.user_agent")?,
    };
    Ok(Binding {
        device_name: row.parsed("binding.device_name")?,
        texts: texts.join(),
        flow: Flow {
            transport: Transport::from_word(&transport).ok_or(StoreError::Corrupt {
                column: "binding.transport",
                value: transport,
            })?,
            local: row.parsed("binding.local")?,
            remote: row.parsed("binding.remote")?,
            // A connection does not survive the process that held it.
            connection: 0,
        }
        .into(),
        node: row.pkid("binding.node")?,
        cseq: row.integer("binding.cseq")?,
        expires_s: row.integer("binding.expires_s")?,
        registered_at,
        expires_at: registered_at,
        model: row.integer_or_null("binding.model")?,
        grace: grace_of_row(row)?.map(Box::new),
    })
}

/// Reads the bindings that follow `after` (device name, address of record), at most `limit`.
///
/// `expires_at` is `registered_at`: the caller grants one full lifetime from its start.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn page(
    connection: &mut Connection,
    after: (&str, &str),
    limit: u32,
) -> Result<Vec<Binding>, StoreError> {
    sqlx::query(
        "SELECT * FROM binding WHERE device_name > $1 \
         OR (device_name = $1 AND address_of_record > $2) \
         ORDER BY device_name, address_of_record LIMIT $3",
    )
    .bind(after.0)
    .bind(after.1)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(binding_of)
    .collect()
}

/// Reads the bindings of one device, the newest first; `expires_at` as in [`page`].
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn of_device(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<Vec<Binding>, StoreError> {
    sqlx::query("SELECT * FROM binding WHERE device_name = $1 ORDER BY registered_at DESC")
        .bind(device_name.as_str())
        .fetch_all(connection)
        .await?
        .iter()
        .map(binding_of)
        .collect()
}

/// Adds a binding or replaces the one of the same device and address of record.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn upsert(connection: &mut Connection, binding: &Binding) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO binding (device_name, address_of_record, contact, transport, remote, local, \
         node, call_id, cseq, expires_s, registered_at, model, user_agent, grace_secret, \
         grace_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         ON CONFLICT (device_name, address_of_record) DO UPDATE SET contact = excluded.contact, \
         transport = excluded.transport, remote = excluded.remote, local = excluded.local, \
         node = excluded.node, call_id = excluded.call_id, cseq = excluded.cseq, \
         expires_s = excluded.expires_s, registered_at = excluded.registered_at, \
         model = excluded.model, user_agent = excluded.user_agent, \
         grace_secret = excluded.grace_secret, grace_until = excluded.grace_until",
    )
    .bind(binding.device_name.as_str())
    .bind(binding.address_of_record())
    .bind(binding.contact())
    .bind(binding.flow().transport.as_str())
    .bind(binding.flow().remote.to_string())
    .bind(binding.flow().local.to_string())
    .bind(binding.node.to_string())
    .bind(binding.call_id())
    .bind(i64::from(binding.cseq))
    .bind(i64::from(binding.expires_s))
    .bind(binding.registered_at.0)
    .bind(binding.model.map(i64::from))
    .bind(binding.user_agent())
    .bind(binding.grace.as_deref().map(grace_secret))
    .bind(binding.grace.as_ref().map(|grace| grace.until.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// What the column `grace_secret` has of a grace that needs no secret. It is NULL where there is no
/// grace.
const NO_SECRET_NEEDED: &str = "";

fn grace_secret(grace: &Grace) -> String {
    let sealed = grace.sealed_secret.as_ref();
    sealed.map_or_else(|| NO_SECRET_NEEDED.to_owned(), sealed_text)
}

/// The grace of a row, where it has one.
fn grace_of_row(row: &AnyRow) -> Result<Option<Grace>, StoreError> {
    let column = "binding.grace_secret";
    let until = row.time_or_null("binding.grace_until")?;
    let Some((secret, until)) = row.text_or_null(column)?.zip(until) else {
        return Ok(None);
    };
    let sealed_secret = if secret == NO_SECRET_NEEDED {
        None
    } else {
        Some(sealed_of(&secret, column)?)
    };
    Ok(Some(Grace {
        sealed_secret,
        until,
    }))
}

/// Gives every binding of a device a grace, or ends it (`None`).
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn set_grace(
    connection: &mut Connection,
    device_name: &DeviceName,
    grace: Option<&Grace>,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE binding SET grace_secret = $2, grace_until = $3 WHERE device_name = $1")
        .bind(device_name.as_str())
        .bind(grace.map(grace_secret))
        .bind(grace.map(|grace| grace.until.0))
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes one binding unless it was made or changed after `registered_at`.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn delete_older(
    connection: &mut Connection,
    device_name: &DeviceName,
    address_of_record: &str,
    registered_at: UnixMillis,
) -> Result<bool, StoreError> {
    let deleted = sqlx::query(
        "DELETE FROM binding WHERE device_name = $1 AND address_of_record = $2 \
         AND registered_at <= $3",
    )
    .bind(device_name.as_str())
    .bind(address_of_record)
    .bind(registered_at.0)
    .execute(connection)
    .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Wipes the old secrets of every grace that ended before `now`; gives how many there were.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn wipe_ended_graces(
    connection: &mut Connection,
    now: UnixMillis,
) -> Result<u64, StoreError> {
    let wiped = sqlx::query(
        "UPDATE binding SET grace_secret = NULL, grace_until = NULL WHERE grace_until < $1",
    )
    .bind(now.0)
    .execute(connection)
    .await?;
    Ok(wiped.rows_affected())
}

/// The grace of a device's bindings, where they have one.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn grace_of(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<Option<Grace>, StoreError> {
    sqlx::query(
        "SELECT grace_secret, grace_until FROM binding WHERE device_name = $1 \
         AND grace_secret IS NOT NULL AND grace_until IS NOT NULL \
         ORDER BY grace_until DESC LIMIT 1",
    )
    .bind(device_name.as_str())
    .fetch_optional(connection)
    .await?
    .map_or(Ok(None), |row| grace_of_row(&row))
}

/// Removes one binding.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn delete(
    connection: &mut Connection,
    device_name: &DeviceName,
    address_of_record: &str,
) -> Result<bool, StoreError> {
    let deleted =
        sqlx::query("DELETE FROM binding WHERE device_name = $1 AND address_of_record = $2")
            .bind(device_name.as_str())
            .bind(address_of_record)
            .execute(connection)
            .await?;
    Ok(deleted.rows_affected() == 1)
}

/// Removes every binding of a device, whatever the address of record, on whatever node.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn delete_of_device(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<u64, StoreError> {
    let deleted = sqlx::query("DELETE FROM binding WHERE device_name = $1")
        .bind(device_name.as_str())
        .execute(connection)
        .await?;
    Ok(deleted.rows_affected())
}

/// Whether a device has a binding, on whatever node.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn is_any_of(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT 1 FROM binding WHERE device_name = $1 LIMIT 1")
        .bind(device_name.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// The node column of every binding of a device.
///
/// # Errors
///
/// [`StoreError`] as [`page`].
pub async fn nodes_of(
    connection: &mut Connection,
    device_name: &DeviceName,
) -> Result<Vec<Pkid>, StoreError> {
    sqlx::query("SELECT node FROM binding WHERE device_name = $1 ORDER BY address_of_record")
        .bind(device_name.as_str())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| row.pkid("binding.node"))
        .collect()
}
