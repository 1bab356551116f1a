//! Table `self_provisioning`: the one row of *User Management > Self-Provisioning*.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use super::row::one_row;
use crate::domain::self_provisioning::AuthenticationCodeHash;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::domain::self_provisioning::SelfProvisioningSettings;
use crate::domain::time::UnixMillis;

/// Reads the settings; the defaults where there is no row yet.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn find(connection: &mut Connection) -> Result<SelfProvisioningSettings, StoreError> {
    let row = sqlx::query("SELECT * FROM self_provisioning LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(SelfProvisioningSettings::default());
    };
    let word = row.text("self_provisioning.authentication_mode")?;
    let mode = AuthenticationMode::from_word(&word).ok_or(StoreError::Corrupt {
        column: "self_provisioning.authentication_mode",
        value: word,
    })?;
    let hash = row.text_or_null("self_provisioning.authentication_code_hash")?;
    let length = row.integer_or_null("self_provisioning.authentication_code_length")?;
    Ok(SelfProvisioningSettings {
        mode,
        code: hash
            .zip(length)
            .map(|(hash, length)| AuthenticationCodeHash {
                hash: hash.into_boxed_str(),
                length,
            }),
        code_off_at: row.time_or_null("self_provisioning.authentication_code_off_at")?,
        version: row.number("self_provisioning.version")?,
    })
}

/// Locks the settings until the caller's transaction ends and raises their version, which must be
/// the one given, where one is.
///
/// # Errors
///
/// [`StoreError::Conflict`] when they have another version by now.
pub async fn raise_version(
    connection: &mut Connection,
    version: Option<i64>,
) -> Result<(), StoreError> {
    let raised = sqlx::query(
        "UPDATE self_provisioning SET version = version + 1 WHERE version = COALESCE($1, version)",
    )
    .bind(version)
    .execute(connection)
    .await?;
    one_row(&raised, "Self-Provisioning")
}

/// Writes the authentication mode.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn set_mode(
    connection: &mut Connection,
    mode: AuthenticationMode,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE self_provisioning SET authentication_mode = $1")
        .bind(mode.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes the authentication code, or removes it, and switches it on again.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn set_code(
    connection: &mut Connection,
    code: Option<&AuthenticationCodeHash>,
) -> Result<(), StoreError> {
    let length = code.and_then(|code| i64::try_from(code.length).ok());
    sqlx::query(
        "UPDATE self_provisioning SET authentication_code_hash = $1, \
         authentication_code_length = $2, authentication_code_off_at = NULL",
    )
    .bind(code.map(|code| &*code.hash))
    .bind(length)
    .execute(connection)
    .await?;
    Ok(())
}

/// Switches the code off after too many failures, unless it is off already; gives whether it was
/// on.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn switch_code_off(
    connection: &mut Connection,
    at: UnixMillis,
) -> Result<bool, StoreError> {
    let changed = sqlx::query(
        "UPDATE self_provisioning SET authentication_code_off_at = $1 \
         WHERE authentication_code_off_at IS NULL",
    )
    .bind(at.0)
    .execute(connection)
    .await?;
    Ok(changed.rows_affected() == 1)
}
