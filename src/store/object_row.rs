//! Rows of small configured objects, by the table that says which element stands in which column.
//!
//! The program reads these objects as one [`Catalogue`](crate::domain::catalogue::Catalogue); only
//! administrators' doors write them, and need no statement of their own for each kind.

mod tables;

use std::collections::HashMap;
use std::fmt::Write as _;

use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::Columns as _;
use super::row::Query;
use super::row::one_row;
use crate::domain::pkid::Pkid;

pub use tables::table_of;

/// How a column holds an element's value.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Text; empty for nothing.
    Text,
    /// 1 for true, 0 for false.
    Flag,
    /// A number of the element's unit as so many of the column's: 60 for minutes in seconds.
    Number(i64),
    /// One of these words, as its number.
    Words(&'static [(&'static str, i64)]),
    /// A model by its number; NULL for every model.
    Model,
    /// Another object's identity; NULL for none.
    Reference,
}

/// An element and its column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The element's name.
    pub element: &'static str,
    /// The column's name.
    pub column: &'static str,
    /// How it holds the value.
    pub form: Form,
}

/// Entries of an object in a table of their own.
#[derive(Debug, Clone, Copy)]
pub struct Members {
    /// The element around them: `members`.
    pub container: &'static str,
    /// The element of each: `member`.
    pub entry: &'static str,
    /// Their table.
    pub table: &'static str,
    /// The column with the object's identity.
    pub owner: &'static str,
    /// Their columns; the first is their position, which is unique and orders them.
    pub columns: &'static [Column],
}

/// Where the objects of one kind stand.
#[derive(Debug, Clone, Copy)]
pub struct RowTable {
    /// The table; objects of several kinds may share one.
    pub table: &'static str,
    /// What the kind is called where somebody is told of a conflict.
    pub label: &'static str,
    /// Column and value that tell the kind in a shared table.
    pub kind: Option<(&'static str, &'static str)>,
    /// Columns, of which `name` is the first.
    pub columns: &'static [Column],
    /// Entries.
    pub members: Option<Members>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// NULL in a column of texts.
    NoText,
    /// NULL in a column of numbers.
    NoNumber,
}

/// Cells in the order of a table's columns.
pub type Cells = Vec<Cell>;

/// Objects of which the rows are read in one statement.
const OWNERS_AT_ONCE: usize = 500;

/// The rows of these objects.
///
/// # Errors
///
/// [`StoreError`] when the database fails; so for every function here.
pub async fn read(
    connection: &mut Connection,
    table: &RowTable,
    pkids: &[Pkid],
) -> Result<HashMap<Pkid, Cells>, StoreError> {
    let mut found = HashMap::with_capacity(pkids.len());
    let names = column_names(table.columns);
    for pkids in pkids.chunks(OWNERS_AT_ONCE) {
        let statement = format!(
            "SELECT pkid, {names} FROM {} WHERE pkid IN ({})",
            table.table,
            places(1, pkids.len())
        );
        for row in &select(connection, statement, pkids).await? {
            found.insert(row.pkid("object.pkid")?, cells(row, table.columns, 1)?);
        }
    }
    Ok(found)
}

/// The version of an object; `None` when there is no such object.
///
/// # Errors
///
/// [`StoreError`] as [`read`].
pub async fn version(
    connection: &mut Connection,
    table: &RowTable,
    pkid: Pkid,
) -> Result<Option<i64>, StoreError> {
    let statement = format!("SELECT version FROM {} WHERE pkid = $1", table.table);
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| row.number("object.version"))
        .transpose()
}

/// The entries of these objects, in order of their positions.
///
/// # Errors
///
/// [`StoreError`] as [`read`].
pub async fn read_members(
    connection: &mut Connection,
    members: &Members,
    owners: &[Pkid],
) -> Result<HashMap<Pkid, Vec<Cells>>, StoreError> {
    let mut found: HashMap<Pkid, Vec<Cells>> = HashMap::new();
    let names = column_names(members.columns);
    for owners in owners.chunks(OWNERS_AT_ONCE) {
        let statement = format!(
            "SELECT {owner} AS owner, {names} FROM {} WHERE {owner} IN ({}) ORDER BY 1, 2",
            members.table,
            places(1, owners.len()),
            owner = members.owner,
        );
        for row in &select(connection, statement, owners).await? {
            let owner = row.pkid("object.owner")?;
            let entries = found.entry(owner).or_default();
            entries.push(cells(row, members.columns, 1)?);
        }
    }
    Ok(found)
}

/// Adds an object.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another has its name.
pub async fn insert(
    connection: &mut Connection,
    table: &RowTable,
    pkid: Pkid,
    cells: &Cells,
) -> Result<(), StoreError> {
    let mut names = format!("pkid, {}", column_names(table.columns));
    let mut cells = cells.clone();
    if let Some((column, kind)) = table.kind {
        let _ = write!(names, ", {column}");
        cells.push(Cell::Text(kind.to_owned()));
    }
    insert_row(connection, table.table, &names, pkid, &cells).await
}

/// Writes an object anew and raises its version.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another has its new name, [`StoreError::Conflict`] when it is gone
/// or has another version by now.
pub async fn update(
    connection: &mut Connection,
    table: &RowTable,
    (pkid, version): (Pkid, i64),
    cells: &Cells,
) -> Result<(), StoreError> {
    let mut statement = format!("UPDATE {} SET ", table.table);
    for (number, column) in table.columns.iter().enumerate() {
        let _ = write!(statement, "{} = ${}, ", column.column, number + 2);
    }
    let place = table.columns.len().saturating_add(2);
    let _ = write!(
        statement,
        "version = version + 1 WHERE pkid = $1 AND version = ${place}"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(pkid.to_string());
    let updated = bind_all(query, cells)
        .bind(version)
        .execute(connection)
        .await?;
    one_row(&updated, table.label)
}

/// Replaces the entries of an object.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when two have the same position.
pub async fn replace_members(
    connection: &mut Connection,
    members: &Members,
    owner: Pkid,
    entries: &[Cells],
) -> Result<(), StoreError> {
    let statement = format!("DELETE FROM {} WHERE {} = $1", members.table, members.owner);
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(owner.to_string())
        .execute(&mut *connection)
        .await?;
    let names = format!("{}, {}", members.owner, column_names(members.columns));
    for cells in entries {
        insert_row(connection, members.table, &names, owner, cells).await?;
    }
    Ok(())
}

/// Removes an object with its entries and everything that is kept for it.
///
/// # Errors
///
/// [`StoreError::InUse`] when others refer to it.
pub async fn delete(
    connection: &mut Connection,
    table: &RowTable,
    pkid: Pkid,
) -> Result<(), StoreError> {
    let statement = format!("DELETE FROM {} WHERE pkid = $1", table.table);
    sqlx::query(sqlx::AssertSqlSafe(statement))
        .bind(pkid.to_string())
        .execute(&mut *connection)
        .await?;
    super::attribute::delete_of(connection, pkid).await
}

async fn select(
    connection: &mut Connection,
    statement: String,
    pkids: &[Pkid],
) -> Result<Vec<AnyRow>, StoreError> {
    // Names of columns and numbers of places are all that is put into the text.
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for pkid in pkids {
        query = query.bind(pkid.to_string());
    }
    Ok(query.fetch_all(connection).await?)
}

async fn insert_row(
    connection: &mut Connection,
    table: &'static str,
    names: &str,
    owner: Pkid,
    cells: &Cells,
) -> Result<(), StoreError> {
    let places = places(1, cells.len().saturating_add(1));
    let statement = format!("INSERT INTO {table} ({names}) VALUES ({places})");
    let query = sqlx::query(sqlx::AssertSqlSafe(statement)).bind(owner.to_string());
    bind_all(query, cells).execute(connection).await?;
    Ok(())
}

fn bind_all<'a>(query: Query<'a>, cells: &'a Cells) -> Query<'a> {
    cells.iter().fold(query, |query, cell| match cell {
        Cell::Text(text) => query.bind(text.as_str()),
        Cell::Number(number) => query.bind(*number),
        Cell::NoText => query.bind(None::<String>),
        Cell::NoNumber => query.bind(None::<i64>),
    })
}

fn column_names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.column).collect();
    names.join(", ")
}

/// `$1, $2, $3`.
fn places(first: usize, count: usize) -> String {
    let places: Vec<String> = (first..first.saturating_add(count))
        .map(|number| format!("${number}"))
        .collect();
    places.join(", ")
}

/// The cells of a row, whose first `skip` columns are something else.
fn cells(row: &AnyRow, columns: &[Column], skip: usize) -> Result<Cells, StoreError> {
    let cell = |(position, column): (usize, &Column)| {
        let position = position.saturating_add(skip);
        Ok(match column.form {
            Form::Text | Form::Reference => row
                .try_get::<Option<String>, _>(position)?
                .map_or(Cell::NoText, Cell::Text),
            Form::Flag | Form::Number(_) | Form::Words(_) | Form::Model => row
                .try_get::<Option<i64>, _>(position)?
                .map_or(Cell::NoNumber, Cell::Number),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}
