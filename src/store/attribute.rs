//! Table `attribute`: every element of an AXL object that has no column of its own.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::pkid::Pkid;

/// The elements kept for an object, in order of their name.
///
/// # Errors
///
/// [`StoreError`] when the database fails; so for every function here.
pub async fn all_of(
    connection: &mut Connection,
    owner: Pkid,
) -> Result<Vec<(String, String)>, StoreError> {
    sqlx::query("SELECT name, value FROM attribute WHERE owner = $1 ORDER BY name")
        .bind(owner.to_string())
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| Ok((row.text("attribute.name")?, row.text("attribute.value")?)))
        .collect()
}

/// Writes one element; `None` removes it.
///
/// # Errors
///
/// [`StoreError`] as [`all_of`].
pub async fn set(
    connection: &mut Connection,
    owner: Pkid,
    name: &str,
    value: Option<&str>,
) -> Result<(), StoreError> {
    let query = match value {
        Some(_) => sqlx::query(
            "INSERT INTO attribute (owner, name, value) VALUES ($1, $2, $3) \
             ON CONFLICT (owner, name) DO UPDATE SET value = excluded.value",
        ),
        None => sqlx::query("DELETE FROM attribute WHERE owner = $1 AND name = $2"),
    };
    let query = query.bind(owner.to_string()).bind(name);
    match value {
        Some(value) => query.bind(value).execute(connection).await?,
        None => query.execute(connection).await?,
    };
    Ok(())
}

/// Removes everything kept for an object.
///
/// # Errors
///
/// [`StoreError`] as [`all_of`].
pub async fn delete_of(connection: &mut Connection, owner: Pkid) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM attribute WHERE owner = $1")
        .bind(owner.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Gives everything kept for one object to another as well: what a template says beyond columns.
///
/// # Errors
///
/// [`StoreError`] as [`all_of`].
pub async fn copy(connection: &mut Connection, from: Pkid, to: Pkid) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO attribute (owner, name, value) \
         SELECT CAST($2 AS TEXT), name, value FROM attribute WHERE owner = $1 \
         ON CONFLICT (owner, name) DO NOTHING",
    )
    .bind(from.to_string())
    .bind(to.to_string())
    .execute(connection)
    .await?;
    Ok(())
}
