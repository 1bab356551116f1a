//! Table `line`: directory numbers in their partitions.

use super::Connection;
use super::StoreError;
use super::row::Columns;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::line::Line;
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
        description: row.text("line.description")?,
        alerting_name: row.text("line.alerting_name")?,
        calling_search_space: row.pkid_or_null("line.calling_search_space")?,
        voice_mail_profile: row.pkid_or_null("line.voice_mail_profile")?,
        external_call_control_profile: row.pkid_or_null("line.external_call_control_profile")?,
        urgent_priority: row.flag("line.urgent_priority")?,
        auto_answer: row.text("line.auto_answer")?,
        auto_registered: row.flag("line.auto_registered")?,
        version: row.number("line.version")?,
    })
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
/// [`StoreError`] when the database fails or a row is corrupt.
pub async fn by_pkid_for_update(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<Line>, StoreError> {
    sqlx::query("UPDATE line SET pattern = pattern WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(&mut *connection)
        .await?;
    by_pkid(connection, pkid).await
}

/// Adds a line.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the number stands in that partition already.
pub async fn insert(connection: &mut Connection, line: &Line) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO line (pkid, pattern, route_partition, description, alerting_name, \
         calling_search_space, voice_mail_profile, external_call_control_profile, \
         urgent_priority, auto_answer, auto_registered, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(line.pkid.to_string())
    .bind(line.pattern.as_str())
    .bind(line.route_partition.to_string())
    .bind(line.description.as_str())
    .bind(line.alerting_name.as_str())
    .bind(line.calling_search_space.map(|pkid| pkid.to_string()))
    .bind(line.voice_mail_profile.map(|pkid| pkid.to_string()))
    .bind(
        line.external_call_control_profile
            .map(|pkid| pkid.to_string()),
    )
    .bind(i64::from(line.urgent_priority))
    .bind(line.auto_answer.as_str())
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
    sqlx::query(
        "UPDATE line SET description = $2, alerting_name = $3, calling_search_space = $4, \
         voice_mail_profile = $5, external_call_control_profile = $6, urgent_priority = $7, \
         auto_answer = $8, auto_registered = $9, version = version + 1 WHERE pkid = $1",
    )
    .bind(line.pkid.to_string())
    .bind(line.description.as_str())
    .bind(line.alerting_name.as_str())
    .bind(line.calling_search_space.map(|pkid| pkid.to_string()))
    .bind(line.voice_mail_profile.map(|pkid| pkid.to_string()))
    .bind(
        line.external_call_control_profile
            .map(|pkid| pkid.to_string()),
    )
    .bind(i64::from(line.urgent_priority))
    .bind(line.auto_answer.as_str())
    .bind(i64::from(line.auto_registered))
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
        freed += sqlx::query(
            "DELETE FROM line WHERE pkid = $1 AND auto_registered = 1 \
             AND NOT EXISTS (SELECT 1 FROM device_line WHERE device_line.line = line.pkid) \
             AND NOT EXISTS (SELECT 1 FROM end_user WHERE end_user.primary_extension = line.pkid)",
        )
        .bind(line.to_string())
        .execute(&mut *connection)
        .await?
        .rows_affected();
    }
    Ok(freed)
}

/// Every number of a partition that has as many characters as `length` and lies between the two
/// texts, in order. For equal lengths of digits, order of text is order of number.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn patterns_between(
    connection: &mut Connection,
    route_partition: Pkid,
    first: &DirectoryNumber,
    last: &DirectoryNumber,
) -> Result<Vec<DirectoryNumber>, StoreError> {
    let length = i64::try_from(first.as_str().len()).unwrap_or(i64::MAX);
    sqlx::query(
        "SELECT pattern FROM line WHERE route_partition = $1 AND LENGTH(pattern) = $2 \
         AND pattern >= $3 AND pattern <= $4 ORDER BY pattern",
    )
    .bind(route_partition.to_string())
    .bind(length)
    .bind(first.as_str())
    .bind(last.as_str())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.parsed("line.pattern"))
    .collect()
}
