//! Tables `trust_key`, `trust_certificate` and `trust_list_fetch`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// A row of `trust_key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustKeyRow {
    /// Number.
    pub number: u32,
    /// Certificate in DER.
    pub certificate: Vec<u8>,
    /// Private key, sealed with the key file; empty when it is retired.
    pub sealed_key: Box<str>,
    /// When it came.
    pub created_at: UnixMillis,
    /// When it was first exported.
    pub exported_at: Option<UnixMillis>,
    /// When it was retired.
    pub retired_at: Option<UnixMillis>,
}

/// A row of `trust_certificate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeCertificate {
    /// The `CallManager` node.
    pub node: Pkid,
    /// Certificate of its HTTPS door in DER; empty: an earlier version wrote that phones would not
    /// take it.
    pub certificate: Vec<u8>,
    /// Certificate of its HTTPS door for files in DER; empty: not known yet.
    pub files_certificate: Vec<u8>,
    /// When it changed.
    pub changed_at: UnixMillis,
}

/// A row of `trust_list_fetch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFetch {
    /// The phone.
    pub device_name: DeviceName,
    /// Newest key that its list names.
    pub key_number: u32,
    /// When it fetched the list.
    pub fetched_at: UnixMillis,
}

/// Every key, also retired ones, in the order of their numbers.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn keys(connection: &mut Connection) -> Result<Vec<TrustKeyRow>, StoreError> {
    sqlx::query("SELECT * FROM trust_key ORDER BY number")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            Ok(TrustKeyRow {
                number: row.integer("trust_key.number")?,
                certificate: bytes(row, "trust_key.certificate")?,
                sealed_key: row.text("trust_key.sealed_key")?.into_boxed_str(),
                created_at: row.time("trust_key.created_at")?,
                exported_at: row.time_or_null("trust_key.exported_at")?,
                retired_at: row.time_or_null("trust_key.retired_at")?,
            })
        })
        .collect()
}

/// Takes the write lock of the keys, so that nobody changes them before the end of the transaction.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn lock_keys(connection: &mut Connection) -> Result<(), StoreError> {
    // A row that is always there and that nothing else writes: both engines lock it.
    super::parameter::set(connection, "trust_keys_locked", "").await
}

/// Adds a key.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn insert_key(connection: &mut Connection, key: &TrustKeyRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO trust_key (number, certificate, sealed_key, created_at, exported_at, \
         retired_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(i64::from(key.number))
    .bind(STANDARD.encode(&key.certificate))
    .bind(key.sealed_key.as_ref())
    .bind(key.created_at.0)
    .bind(key.exported_at.map(|at| at.0))
    .bind(key.retired_at.map(|at| at.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the first export of a key; a later one changes nothing.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn set_exported(
    connection: &mut Connection,
    number: u32,
    at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE trust_key SET exported_at = $2 WHERE number = $1 AND exported_at IS NULL")
        .bind(i64::from(number))
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// Retires a key and wipes its secret.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn retire(
    connection: &mut Connection,
    number: u32,
    at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE trust_key SET retired_at = $2, sealed_key = '' WHERE number = $1")
        .bind(i64::from(number))
        .bind(at.0)
        .execute(connection)
        .await?;
    Ok(())
}

/// The certificates of the nodes, in the order of their rows' identities.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn node_certificates(
    connection: &mut Connection,
) -> Result<Vec<NodeCertificate>, StoreError> {
    sqlx::query("SELECT * FROM trust_certificate ORDER BY node")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            Ok(NodeCertificate {
                node: row.pkid("trust_certificate.node")?,
                certificate: bytes(row, "trust_certificate.certificate")?,
                files_certificate: bytes(row, "trust_certificate.files_certificate")?,
                changed_at: row.time("trust_certificate.changed_at")?,
            })
        })
        .collect()
}

/// Writes the certificate of a node.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn put_node_certificate(
    connection: &mut Connection,
    row: &NodeCertificate,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO trust_certificate (node, certificate, files_certificate, changed_at) \
         VALUES ($1, $2, $3, $4) \
         ON CONFLICT (node) DO UPDATE SET certificate = excluded.certificate, \
         files_certificate = excluded.files_certificate, changed_at = excluded.changed_at",
    )
    .bind(row.node.to_string())
    .bind(STANDARD.encode(&row.certificate))
    .bind(STANDARD.encode(&row.files_certificate))
    .bind(row.changed_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes which list a phone has; a later list replaces an earlier one.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn put_fetch(connection: &mut Connection, row: &ListFetch) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO trust_list_fetch (device_name, key_number, fetched_at) VALUES ($1, $2, $3) \
         ON CONFLICT (device_name) DO UPDATE SET key_number = excluded.key_number, \
         fetched_at = excluded.fetched_at \
         WHERE excluded.fetched_at >= trust_list_fetch.fetched_at",
    )
    .bind(row.device_name.as_str())
    .bind(i64::from(row.key_number))
    .bind(row.fetched_at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// The phones whose list names this key or a newer one, and that still have a device row.
///
/// # Errors
///
/// [`StoreError`] as [`keys`].
pub async fn phones_that_know(
    connection: &mut Connection,
    key_number: u32,
) -> Result<Vec<DeviceName>, StoreError> {
    sqlx::query(
        "SELECT device_name FROM trust_list_fetch WHERE key_number >= $1 \
         AND device_name IN (SELECT name FROM device)",
    )
    .bind(i64::from(key_number))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.parsed("trust_list_fetch.device_name"))
    .collect()
}

pub(super) fn bytes(row: &sqlx::any::AnyRow, column: &'static str) -> Result<Vec<u8>, StoreError> {
    let value = row.text(column)?;
    STANDARD
        .decode(&value)
        .map_err(|_| StoreError::Corrupt { column, value })
}
