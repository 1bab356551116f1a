//! Tables `attribute` and `attribute_reference`: every element of an AXL object that has no column
//! of its own.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::pkid::Pkid;

/// What is kept for one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// Text; a secret is sealed.
    Text(String),
    /// Another object.
    Reference(Pkid),
}

/// Elements of one object, by path.
pub type Elements = Vec<(String, Kept)>;

/// Rows that one statement adds: three values each.
const ROWS_AT_ONCE: usize = 200;

/// The elements kept for each of these objects, in order of their path.
///
/// # Errors
///
/// [`StoreError`] when the database fails; so for every function here.
pub async fn of_many(
    connection: &mut Connection,
    owners: &[Pkid],
) -> Result<HashMap<Pkid, Elements>, StoreError> {
    let mut found: HashMap<Pkid, Elements> = HashMap::with_capacity(owners.len());
    for owners in owners.chunks(BOUND_AT_ONCE) {
        let places = places(owners.len(), 1);
        // Only numbers of places are put into the text.
        let statement = format!(
            "SELECT owner, name, value, '' AS target FROM attribute WHERE owner IN ({places}) \
             UNION ALL SELECT owner, name, '', target FROM attribute_reference \
             WHERE owner IN ({places}) ORDER BY 1, 2"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for owner in owners {
            query = query.bind(owner.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let target = row.text("attribute_reference.target")?;
            let kept = if target.is_empty() {
                Kept::Text(row.text("attribute.value")?)
            } else {
                Kept::Reference(row.pkid("attribute_reference.target")?)
            };
            let owner = row.pkid("attribute.owner")?;
            let elements = found.entry(owner).or_default();
            elements.push((row.text("attribute.name")?, kept));
        }
    }
    Ok(found)
}

/// Whether an element of anything names this object.
///
/// # Errors
///
/// [`StoreError`] as [`of_many`].
pub async fn is_target(connection: &mut Connection, pkid: Pkid) -> Result<bool, StoreError> {
    let row = sqlx::query("SELECT owner FROM attribute_reference WHERE target = $1 LIMIT 1")
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_some())
}

/// Forgets what is kept under these paths.
///
/// # Errors
///
/// [`StoreError`] as [`of_many`].
pub async fn delete(
    connection: &mut Connection,
    owner: Pkid,
    paths: &[String],
) -> Result<(), StoreError> {
    for paths in paths.chunks(ROWS_AT_ONCE) {
        let places = places(paths.len(), 2);
        for table in ["attribute", "attribute_reference"] {
            let statement = format!("DELETE FROM {table} WHERE owner = $1 AND name IN ({places})");
            let mut query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(owner.to_string());
            for path in paths {
                query = query.bind(path.as_str());
            }
            query.execute(&mut *connection).await?;
        }
    }
    Ok(())
}

/// Adds elements that are not kept yet.
///
/// # Errors
///
/// [`StoreError`] as [`of_many`].
pub async fn insert(
    connection: &mut Connection,
    owner: Pkid,
    elements: &[(String, Kept)],
) -> Result<(), StoreError> {
    let elements: Vec<_> = elements
        .iter()
        .map(|(path, kept)| (owner, path.as_str(), kept))
        .collect();
    insert_of_many(connection, &elements).await
}

/// Keeps elements of many objects: owner, path and what is kept there.
///
/// # Errors
///
/// [`StoreError`] as [`of_many`].
pub async fn insert_of_many(
    connection: &mut Connection,
    elements: &[(Pkid, &str, &Kept)],
) -> Result<(), StoreError> {
    let mut texts = Vec::new();
    let mut references = Vec::new();
    for (owner, path, kept) in elements {
        match kept {
            Kept::Text(text) => texts.push((*owner, *path, text.clone())),
            Kept::Reference(target) => references.push((*owner, *path, target.to_string())),
        }
    }
    insert_rows(connection, "attribute (owner, name, value)", &texts).await?;
    let table = "attribute_reference (owner, name, target)";
    insert_rows(connection, table, &references).await
}

async fn insert_rows(
    connection: &mut Connection,
    table: &'static str,
    rows: &[(Pkid, &str, String)],
) -> Result<(), StoreError> {
    for rows in rows.chunks(ROWS_AT_ONCE) {
        let mut statement = format!("INSERT INTO {table} VALUES ");
        for number in 0..rows.len() {
            let comma = if number == 0 { "" } else { ", " };
            let places = places(3, 3 * number + 1);
            let _ = write!(statement, "{comma}({places})");
        }
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for (owner, name, value) in rows {
            query = query
                .bind(owner.to_string())
                .bind(*name)
                .bind(value.as_str());
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Removes everything kept for an object.
///
/// # Errors
///
/// [`StoreError`] as [`of_many`].
pub async fn delete_of(connection: &mut Connection, owner: Pkid) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM attribute WHERE owner = $1",
        "DELETE FROM attribute_reference WHERE owner = $1",
    ] {
        sqlx::query(statement)
            .bind(owner.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}
