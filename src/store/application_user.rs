//! Table `application_user`: administrators and programs.

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::Columns;
use super::row::one_row;
use crate::domain::account::ApplicationUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

fn application_user_of(row: &AnyRow) -> Result<ApplicationUser, StoreError> {
    Ok(ApplicationUser {
        pkid: row.pkid("application_user.pkid")?,
        user_id: row.parsed("application_user.user_id")?,
        enabled: row.flag("application_user.enabled")?,
        version: row.number("application_user.version")?,
    })
}

/// Finds an application user by user ID.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn by_login(
    connection: &mut Connection,
    login: &FoldedLogin,
) -> Result<Option<ApplicationUser>, StoreError> {
    sqlx::query("SELECT * FROM application_user WHERE folded = $1")
        .bind(login.as_str())
        .fetch_optional(connection)
        .await?
        .map(|row| application_user_of(&row))
        .transpose()
}

/// Reads an application user by identity.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn by_pkid(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<ApplicationUser>, StoreError> {
    sqlx::query("SELECT * FROM application_user WHERE pkid = $1")
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| application_user_of(&row))
        .transpose()
}

/// Every application user, by user ID; there are few.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn all(connection: &mut Connection) -> Result<Vec<ApplicationUser>, StoreError> {
    sqlx::query("SELECT * FROM application_user ORDER BY folded")
        .fetch_all(connection)
        .await?
        .iter()
        .map(application_user_of)
        .collect()
}

/// Adds an application user.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another has the user ID.
pub async fn insert(
    connection: &mut Connection,
    user: &ApplicationUser,
    created_at: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO application_user (pkid, user_id, folded, enabled, created_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(user.pkid.to_string())
    .bind(user.user_id.as_str())
    .bind(user.user_id.folded().as_str())
    .bind(i64::from(user.enabled))
    .bind(created_at.0)
    .bind(user.version)
    .execute(connection)
    .await?;
    Ok(())
}

/// Enables or disables an application user.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn set_enabled(
    connection: &mut Connection,
    pkid: Pkid,
    enabled: bool,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE application_user SET enabled = $2, version = version + 1 WHERE pkid = $1")
        .bind(pkid.to_string())
        .bind(i64::from(enabled))
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives an application user another user ID.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another has it.
pub async fn rename(
    connection: &mut Connection,
    pkid: Pkid,
    user_id: &UserId,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE application_user SET user_id = $2, folded = $3, version = version + 1 \
         WHERE pkid = $1",
    )
    .bind(pkid.to_string())
    .bind(user_id.as_str())
    .bind(user_id.folded().as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks the row until the caller's transaction ends.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn lock(connection: &mut Connection, pkid: Pkid) -> Result<(), StoreError> {
    sqlx::query("UPDATE application_user SET user_id = user_id WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Locks the row until the caller's transaction ends and raises its version, which must be the one
/// given, where one is.
///
/// # Errors
///
/// [`StoreError::Conflict`] when the row is gone or has another version by now.
pub async fn raise_version(
    connection: &mut Connection,
    pkid: Pkid,
    version: Option<i64>,
) -> Result<(), StoreError> {
    let raised = sqlx::query(
        "UPDATE application_user SET version = version + 1 \
         WHERE pkid = $1 AND version = COALESCE($2, version)",
    )
    .bind(pkid.to_string())
    .bind(version)
    .execute(connection)
    .await?;
    one_row(&raised, "Application User")
}

/// How many enabled application users are in a group.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn count_enabled_in(connection: &mut Connection, group: Pkid) -> Result<u32, StoreError> {
    sqlx::query(
        "SELECT COUNT(*) AS members FROM application_user JOIN access_control_group_member \
         ON access_control_group_member.member = application_user.pkid \
         WHERE application_user.enabled = 1 \
         AND access_control_group_member.access_control_group = $1",
    )
    .bind(group.to_string())
    .fetch_one(connection)
    .await?
    .integer("application_user.members")
}

/// Removes an application user with groups and credentials.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<(), StoreError> {
    super::end_user::delete_what_is_kept(connection, pkid).await?;
    sqlx::query("DELETE FROM application_user WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
