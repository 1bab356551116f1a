//! The numbers that the database gives devices, lines on devices and nodes.

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::engine;
use super::row::Columns;
use crate::domain::ctiid::Ctiid;

/// A number that nothing has or had.
pub(super) async fn next(connection: &mut Connection) -> Result<Ctiid, StoreError> {
    let numbers = next_of(connection, 1).await?;
    numbers
        .first()
        .copied()
        .ok_or_else(|| corrupt(String::new()))
}

/// So many numbers that nothing has or had, in one statement.
pub(super) async fn next_of(
    connection: &mut Connection,
    count: usize,
) -> Result<Vec<Ctiid>, StoreError> {
    let Some(others) = u32::try_from(count)
        .ok()
        .and_then(|count| count.checked_sub(1))
    else {
        return Ok(Vec::new());
    };
    let rows = sqlx::query(engine::next_ctiids(connection))
        .bind(i64::from(others) + 1)
        .fetch_all(connection)
        .await?;
    let numbers = match rows.as_slice() {
        // SQLite gives the last of them.
        [row] => {
            let last: u32 = row.integer("ctiid.ctiid")?;
            (last.saturating_sub(others)..=last).collect()
        }
        rows => {
            let numbers = rows.iter().map(|row| row.integer("ctiid.ctiid"));
            numbers.collect::<Result<Vec<u32>, _>>()?
        }
    };
    let numbers = numbers.into_iter();
    numbers
        .map(|number| Ctiid::new(number).ok_or_else(|| corrupt(number.to_string())))
        .collect()
}

const fn corrupt(value: String) -> StoreError {
    StoreError::Corrupt {
        column: "ctiid.ctiid",
        value,
    }
}

/// The number that a row has.
pub(super) fn ctiid_or_null(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<Ctiid>, StoreError> {
    let Some(number) = row.integer_or_null::<u32>(column)? else {
        return Ok(None);
    };
    let ctiid = Ctiid::new(number).ok_or_else(|| StoreError::Corrupt {
        column,
        value: number.to_string(),
    })?;
    Ok(Some(ctiid))
}
