//! The numbers that the database gives devices, lines on devices and nodes.

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::engine;
use super::row::Columns;
use crate::domain::ctiid::Ctiid;

/// A number that nothing has or had.
pub(super) async fn next(connection: &mut Connection) -> Result<Ctiid, StoreError> {
    let row = sqlx::query(engine::next_ctiid(connection))
        .fetch_one(connection)
        .await?;
    ctiid_or_null(&row, "ctiid.ctiid")?.ok_or(StoreError::Corrupt {
        column: "ctiid.ctiid",
        value: String::new(),
    })
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
