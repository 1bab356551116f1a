//! Tables of route partitions, calling search spaces and small named objects.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use crate::domain::catalogue::CallingSearchSpace;
use crate::domain::catalogue::NamedObject;
use crate::domain::pkid::Pkid;

pub(super) async fn route_partitions(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, String>, StoreError> {
    sqlx::query("SELECT pkid, name FROM route_partition")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            let name = row.text("route_partition.name")?;
            Ok((row.pkid("route_partition.pkid")?, name))
        })
        .collect()
}

/// Adds a route partition.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists; so for every function here.
pub async fn insert_route_partition(
    connection: &mut Connection,
    pkid: Pkid,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO route_partition (pkid, name) VALUES ($1, $2)")
        .bind(pkid.to_string())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

pub(super) async fn calling_search_spaces(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, CallingSearchSpace>, StoreError> {
    let rows = sqlx::query("SELECT pkid, name, description FROM calling_search_space")
        .fetch_all(&mut *connection)
        .await?;
    let mut spaces = HashMap::with_capacity(rows.len());
    for row in &rows {
        let space = CallingSearchSpace {
            name: row.text("calling_search_space.name")?,
            description: row.text("calling_search_space.description")?,
            route_partitions: Vec::new(),
        };
        spaces.insert(row.pkid("calling_search_space.pkid")?, space);
    }
    let members = sqlx::query(
        "SELECT calling_search_space, route_partition FROM calling_search_space_member \
         ORDER BY calling_search_space, sort_order",
    )
    .fetch_all(connection)
    .await?;
    for row in &members {
        let space = row.pkid("calling_search_space_member.calling_search_space")?;
        if let Some(space) = spaces.get_mut(&space) {
            let partition = row.pkid("calling_search_space_member.route_partition")?;
            space.route_partitions.push(partition);
        }
    }
    Ok(spaces)
}

/// Adds a calling search space with its partitions.
///
/// # Errors
///
/// [`StoreError`] as [`insert_route_partition`].
pub async fn insert_calling_search_space(
    connection: &mut Connection,
    pkid: Pkid,
    space: &CallingSearchSpace,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO calling_search_space (pkid, name, description) VALUES ($1, $2, $3)")
        .bind(pkid.to_string())
        .bind(space.name.as_str())
        .bind(space.description.as_str())
        .execute(&mut *connection)
        .await?;
    for (sort_order, partition) in (0_i64..).zip(&space.route_partitions) {
        sqlx::query(
            "INSERT INTO calling_search_space_member \
             (calling_search_space, route_partition, sort_order) VALUES ($1, $2, $3)",
        )
        .bind(pkid.to_string())
        .bind(partition.to_string())
        .bind(sort_order)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

pub(super) async fn named_objects(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, NamedObject>, StoreError> {
    let object_of = |row: &AnyRow| {
        let object = NamedObject {
            kind: row.text("named_object.kind")?,
            name: row.text("named_object.name")?,
            description: row.text("named_object.description")?,
        };
        Ok((row.pkid("named_object.pkid")?, object))
    };
    sqlx::query("SELECT pkid, kind, name, description FROM named_object")
        .fetch_all(connection)
        .await?
        .iter()
        .map(object_of)
        .collect()
}

/// Adds a small named object.
///
/// # Errors
///
/// [`StoreError`] as [`insert_route_partition`].
pub async fn insert_named_object(
    connection: &mut Connection,
    pkid: Pkid,
    object: &NamedObject,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO named_object (pkid, kind, name, description) VALUES ($1, $2, $3, $4)")
        .bind(pkid.to_string())
        .bind(object.kind.as_str())
        .bind(object.name.as_str())
        .bind(object.description.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
