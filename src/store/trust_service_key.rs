//! Table `trust_service_key`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use super::trust_list::bytes;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::service_key::TrustService;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceKeyRow {
    /// What the key is for.
    pub service: TrustService,
    /// Certificate in DER.
    pub certificate: Vec<u8>,
    /// Private key, sealed with the key file.
    pub sealed_key: Box<str>,
    /// When it came.
    pub created_at: UnixMillis,
    /// When it was first exported.
    pub exported_at: Option<UnixMillis>,
    /// When a list first named it.
    pub listed_at: Option<UnixMillis>,
}

const fn word(service: TrustService) -> &'static str {
    match service {
        TrustService::TrustVerification => "tvs",
        TrustService::ConfigurationFiles => "configuration_files",
    }
}

/// Every key, that of TVS first.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn all(connection: &mut Connection) -> Result<Vec<ServiceKeyRow>, StoreError> {
    let column = "trust_service_key.service";
    sqlx::query("SELECT * FROM trust_service_key ORDER BY service DESC")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            let value = row.text(column)?;
            let mut services = TrustService::ALL.into_iter();
            let service = services.find(|service| word(*service) == value);
            Ok(ServiceKeyRow {
                service: service.ok_or(StoreError::Corrupt { column, value })?,
                certificate: bytes(row, "trust_service_key.certificate")?,
                sealed_key: row.text("trust_service_key.sealed_key")?.into_boxed_str(),
                created_at: row.time("trust_service_key.created_at")?,
                exported_at: row.time_or_null("trust_service_key.exported_at")?,
                listed_at: row.time_or_null("trust_service_key.listed_at")?,
            })
        })
        .collect()
}

/// Writes a key; one of the same service is replaced.
///
/// # Errors
///
/// [`StoreError`] as [`all`].
pub async fn put(connection: &mut Connection, key: &ServiceKeyRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO trust_service_key (service, certificate, sealed_key, created_at, \
         exported_at, listed_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (service) DO UPDATE SET certificate = excluded.certificate, \
         sealed_key = excluded.sealed_key, created_at = excluded.created_at, \
         exported_at = excluded.exported_at, listed_at = excluded.listed_at",
    )
    .bind(word(key.service))
    .bind(STANDARD.encode(&key.certificate))
    .bind(key.sealed_key.as_ref())
    .bind(key.created_at.0)
    .bind(key.exported_at.map(|at| at.0))
    .bind(key.listed_at.map(|at| at.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes the first export of a key; a later one changes nothing.
///
/// # Errors
///
/// [`StoreError`] as [`all`].
pub async fn set_exported(
    connection: &mut Connection,
    service: TrustService,
    at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE trust_service_key SET exported_at = $2 WHERE service = $1 AND exported_at IS NULL",
    )
    .bind(word(service))
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Notes that a list names the key from now on; whether that was news.
///
/// # Errors
///
/// [`StoreError`] as [`all`].
pub async fn set_listed(
    connection: &mut Connection,
    service: TrustService,
    at: UnixMillis,
) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "UPDATE trust_service_key SET listed_at = $2 WHERE service = $1 AND listed_at IS NULL",
    )
    .bind(word(service))
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}
