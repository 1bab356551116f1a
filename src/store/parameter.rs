//! Table `service_parameter`: values that hold for every node.

use super::Connection;
use super::StoreError;
use super::row::Columns;

/// Name of the row that holds the fingerprint of the key file.
pub const KEY_FINGERPRINT: &str = "key_fingerprint";

/// Writes a value unless the name has one; gives the value that holds.
///
/// # Errors
///
/// [`StoreError`] when the database fails; so for every function here.
pub async fn get_or_insert(
    connection: &mut Connection,
    name: &str,
    value: &str,
) -> Result<String, StoreError> {
    sqlx::query(
        "INSERT INTO service_parameter (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(value)
    .execute(&mut *connection)
    .await?;
    sqlx::query("SELECT value FROM service_parameter WHERE name = $1")
        .bind(name)
        .fetch_one(connection)
        .await?
        .text("service_parameter.value")
}

/// Whether the database has no such table: nobody has made our schema in it.
pub(super) async fn is_absent(connection: &mut Connection) -> bool {
    let found = sqlx::query("SELECT value FROM service_parameter LIMIT 1")
        .fetch_optional(connection)
        .await;
    // Source: PostgreSQL, error code 42P01 (undefined_table); SQLite's text of the same.
    found.is_err_and(|error| {
        error.as_database_error().is_some_and(|error| {
            error.code().is_some_and(|code| code == "42P01")
                || error.message().starts_with("no such table")
        })
    })
}

/// Reads a value.
///
/// # Errors
///
/// [`StoreError`] as [`get_or_insert`].
pub async fn get(connection: &mut Connection, name: &str) -> Result<Option<String>, StoreError> {
    sqlx::query("SELECT value FROM service_parameter WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?
        .map(|row| row.text("service_parameter.value"))
        .transpose()
}

/// Writes a value.
///
/// # Errors
///
/// [`StoreError`] as [`get_or_insert`].
pub async fn set(connection: &mut Connection, name: &str, value: &str) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO service_parameter (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(connection)
    .await?;
    Ok(())
}
