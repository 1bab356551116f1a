//! Table `provision_result`: what a confirm token led to, for the rest of its life.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::time::UnixMillis;

/// What a token led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionResult {
    /// A digest of the token.
    pub token: Box<str>,
    /// The phone.
    pub device_name: DeviceName,
    /// The number it got.
    pub extension: DirectoryNumber,
    /// When the token, and with it this row, comes to its end.
    pub expires_at: UnixMillis,
}

/// Finds what a token led to.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn find(
    connection: &mut Connection,
    token: &str,
) -> Result<Option<ProvisionResult>, StoreError> {
    sqlx::query("SELECT * FROM provision_result WHERE token = $1")
        .bind(token)
        .fetch_optional(connection)
        .await?
        .map(|row| {
            Ok(ProvisionResult {
                token: row.text("provision_result.token")?.into_boxed_str(),
                device_name: row.parsed("provision_result.device_name")?,
                extension: row.parsed("provision_result.extension")?,
                expires_at: row.time("provision_result.expires_at")?,
            })
        })
        .transpose()
}

/// Records what a token led to and forgets the tokens whose life is over.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn insert(
    connection: &mut Connection,
    result: &ProvisionResult,
    now: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM provision_result WHERE expires_at <= $1")
        .bind(now.0)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO provision_result (token, device_name, extension, expires_at) \
         VALUES ($1, $2, $3, $4)",
    )
    .bind(&*result.token)
    .bind(result.device_name.as_str())
    .bind(result.extension.as_str())
    .bind(result.expires_at.0)
    .execute(connection)
    .await?;
    Ok(())
}
