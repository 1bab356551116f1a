//! Table `line`: directory numbers in their partitions.

use std::collections::HashMap;

use futures_util::StreamExt as _;

use super::Connection;
use super::StoreError;
use super::attribute;
use super::like;
use super::row::Columns;
use super::row::Query;
use super::row::one_row;
use super::row::places;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::line::Line;
use crate::domain::line::LineSettings;
use crate::domain::pkid::Pkid;

/// One static text a statement: the columns of [`line_of`] and what follows them.
macro_rules! select_line {
    ($tail:literal) => {
        concat!(
            "SELECT pkid, pattern, route_partition, description, alerting_name, \
             calling_search_space, voice_mail_profile, external_call_control_profile, \
             urgent_priority, auto_answer, auto_registered, version FROM line ",
            $tail
        )
    };
}

fn line_of(row: &sqlx::any::AnyRow) -> Result<Line, StoreError> {
    Ok(Line {
        pkid: row.pkid("line.pkid")?,
        pattern: row.parsed("line.pattern")?,
        route_partition: row.pkid("line.route_partition")?,
        settings: LineSettings {
            description: row.text("line.description")?,
            alerting_name: row.text("line.alerting_name")?,
            calling_search_space: row.pkid_or_null("line.calling_search_space")?,
            voice_mail_profile: row.pkid_or_null("line.voice_mail_profile")?,
            external_call_control_profile: row
                .pkid_or_null("line.external_call_control_profile")?,
            urgent_priority: row.flag("line.urgent_priority")?,
            auto_answer: row.parsed("line.auto_answer")?,
        },
        auto_registered: row.flag("line.auto_registered")?,
        version: row.number("line.version")?,
    })
}

/// Binds what is set of a line, from `description` to `auto_answer` in the order of the columns.
fn bind_settings<'a>(query: Query<'a>, settings: &'a LineSettings) -> Query<'a> {
    let reference = |pkid: Option<Pkid>| pkid.map(|pkid| pkid.to_string());
    query
        .bind(settings.description.as_str())
        .bind(settings.alerting_name.as_str())
        .bind(reference(settings.calling_search_space))
        .bind(reference(settings.voice_mail_profile))
        .bind(reference(settings.external_call_control_profile))
        .bind(i64::from(settings.urgent_priority))
        .bind(settings.auto_answer.as_str())
}

/// Finds a line by number and partition.
///
/// # Errors
///
/// As every function here: [`StoreError`] when the database fails or a row is corrupt.
pub async fn find(
    connection: &mut Connection,
    pattern: &DirectoryNumber,
    route_partition: Pkid,
) -> Result<Option<Line>, StoreError> {
    sqlx::query(select_line!("WHERE pattern = $1 AND route_partition = $2"))
        .bind(pattern.as_str())
        .bind(route_partition.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| line_of(&row))
        .transpose()
}

/// The lines of a number, whatever their partitions.
///
/// # Errors
///
/// As [`find`].
pub async fn by_pattern(
    connection: &mut Connection,
    pattern: &DirectoryNumber,
) -> Result<Vec<Line>, StoreError> {
    sqlx::query(select_line!("WHERE pattern = $1 ORDER BY pkid"))
        .bind(pattern.as_str())
        .fetch_all(connection)
        .await?
        .iter()
        .map(line_of)
        .collect()
}

/// Reads a line by identity.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt.
pub async fn by_pkid(connection: &mut Connection, pkid: Pkid) -> Result<Option<Line>, StoreError> {
    sqlx::query(select_line!("WHERE pkid = $1"))
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| line_of(&row))
        .transpose()
}

/// Locks the row until the caller's transaction ends, then reads the line.
///
/// # Errors
///
/// As [`find`].
pub async fn by_pkid_for_update(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<Line>, StoreError> {
    // SQLite has no `SELECT … FOR UPDATE`.
    sqlx::query("UPDATE line SET pattern = pattern WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(&mut *connection)
        .await?;
    by_pkid(connection, pkid).await
}

/// Lines that are read in one statement: within what a statement of either database may bind.
const LINES_AT_ONCE: usize = 500;

/// The lines of these identities; one that is gone is left out.
///
/// # Errors
///
/// As [`find`].
pub async fn of_many(
    connection: &mut Connection,
    pkids: &[Pkid],
) -> Result<HashMap<Pkid, Line>, StoreError> {
    let mut lines = HashMap::with_capacity(pkids.len());
    for pkids in pkids.chunks(LINES_AT_ONCE) {
        // Only numbers of places are put into the text.
        let places = places(pkids.len(), 1);
        let statement = format!("{} WHERE pkid IN ({places})", select_line!(""));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for pkid in pkids {
            query = query.bind(pkid.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let line = line_of(row)?;
            lines.insert(line.pkid, line);
        }
    }
    Ok(lines)
}

/// What a list of lines is chosen by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineKey {
    /// Identity.
    pub pkid: Pkid,
    /// The directory number.
    pub pattern: String,
    /// Route partition.
    pub route_partition: Pkid,
    /// Description.
    pub description: String,
}

/// Which lines a list may want.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Those of one number.
    Pattern(&'a str),
    /// Those whose number and description may have these pieces, folded to small letters, in this
    /// order; `None`: any. The caller looks whether they do.
    Pieces {
        /// Of the number.
        pattern: Option<&'a [String]>,
        /// Of the description.
        description: Option<&'a [String]>,
    },
}

/// The lines that a list may want, in the order of their numbers.
///
/// # Errors
///
/// As [`find`].
pub async fn keys(
    connection: &mut Connection,
    wanted: Wanted<'_>,
) -> Result<Vec<LineKey>, StoreError> {
    let key_of = |row: &sqlx::any::AnyRow| {
        Ok::<_, StoreError>(LineKey {
            pkid: row.pkid("line.pkid")?,
            pattern: row.text("line.pattern")?,
            route_partition: row.pkid("line.route_partition")?,
            description: row.text("line.description")?,
        })
    };
    let (conditions, bound) = match wanted {
        Wanted::Pattern(pattern) => (" WHERE pattern = $1".to_owned(), vec![pattern.to_owned()]),
        Wanted::Pieces {
            pattern,
            description,
        } => {
            let fields = [("pattern", pattern), ("description", description)];
            let wanted: Vec<_> = fields
                .into_iter()
                .filter_map(|(column, pieces)| Some((column, pieces?)))
                .collect();
            let columns = wanted.iter().map(|(column, _)| *column);
            let bound = wanted.iter().map(|(_, pieces)| like::pattern(pieces));
            (like::conditions(columns), bound.collect())
        }
    };
    // Only names of columns and numbers of places are put into the text.
    let statement = format!(
        "SELECT pkid, pattern, route_partition, description FROM line{conditions} \
         ORDER BY pattern, pkid"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for text in bound {
        query = query.bind(text);
    }
    // A row at a time: a row of the database is larger than what is kept of it.
    let mut rows = query.fetch(connection);
    let mut keys = Vec::new();
    while let Some(row) = rows.next().await {
        keys.push(key_of(&row?)?);
    }
    Ok(keys)
}

/// Adds a line.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the number stands in that partition already.
pub async fn insert(connection: &mut Connection, line: &Line) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO line (pkid, pattern, route_partition, description, alerting_name, \
         calling_search_space, voice_mail_profile, external_call_control_profile, \
         urgent_priority, auto_answer, auto_registered, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(line.pkid.to_string())
    .bind(line.pattern.as_str())
    .bind(line.route_partition.to_string());
    bind_settings(query, &line.settings)
        .bind(i64::from(line.auto_registered))
        .bind(line.version)
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes what a template gives to a line and raises its version.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn update(connection: &mut Connection, line: &Line) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE line SET description = $2, alerting_name = $3, calling_search_space = $4, \
         voice_mail_profile = $5, external_call_control_profile = $6, urgent_priority = $7, \
         auto_answer = $8, auto_registered = $9, version = version + 1 WHERE pkid = $1",
    )
    .bind(line.pkid.to_string());
    bind_settings(query, &line.settings)
        .bind(i64::from(line.auto_registered))
        .execute(connection)
        .await?;
    Ok(())
}

/// Writes every column of a line, its number and partition included, and raises its version.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the number stands in that partition already,
/// [`StoreError::Conflict`] when the row is gone or has another version by now.
pub async fn replace(connection: &mut Connection, line: &Line) -> Result<(), StoreError> {
    let query = sqlx::query(
        "UPDATE line SET pattern = $3, route_partition = $4, description = $5, \
         alerting_name = $6, calling_search_space = $7, voice_mail_profile = $8, \
         external_call_control_profile = $9, urgent_priority = $10, auto_answer = $11, \
         version = version + 1 WHERE pkid = $1 AND version = $2",
    )
    .bind(line.pkid.to_string())
    .bind(line.version)
    .bind(line.pattern.as_str())
    .bind(line.route_partition.to_string());
    let written = bind_settings(query, &line.settings)
        .execute(connection)
        .await?;
    one_row(&written, "Line")
}

/// Removes a line that nothing refers to, with everything kept for it.
///
/// # Errors
///
/// [`StoreError::InUse`] when a phone or a user has it.
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<(), StoreError> {
    attribute::delete_of(connection, pkid).await?;
    sqlx::query("DELETE FROM line WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes the lines that auto-registration made for a device: their numbers are free again.
///
/// Call it after the device's own rows are gone. A line that another device or a user has by now
/// stays. Returns how many numbers are free.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn delete_auto_registered(
    connection: &mut Connection,
    lines: &[Pkid],
) -> Result<u64, StoreError> {
    let mut freed = 0;
    for line in lines {
        let deleted = sqlx::query(
            "DELETE FROM line WHERE pkid = $1 AND auto_registered = 1 \
             AND NOT EXISTS (SELECT 1 FROM device_line WHERE device_line.line = line.pkid) \
             AND NOT EXISTS (SELECT 1 FROM end_user WHERE end_user.primary_extension = line.pkid)",
        )
        .bind(line.to_string())
        .execute(&mut *connection)
        .await?
        .rows_affected();
        if deleted > 0 {
            attribute::delete_of(connection, *line).await?;
        }
        freed += deleted;
    }
    Ok(freed)
}
