//! What lists of users are made from.

use futures_util::StreamExt as _;

use super::super::Connection;
use super::super::StoreError;
use super::super::like;
use super::super::row::Columns;
use crate::domain::pkid::Pkid;

/// What users are searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Identity.
    pub pkid: Pkid,
    /// User ID.
    pub user_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Department.
    pub department: String,
}

/// A field of [`Listed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchField {
    /// User ID.
    UserId,
    /// First name.
    FirstName,
    /// Last name.
    LastName,
    /// Department.
    Department,
}

impl SearchField {
    const fn column(self) -> &'static str {
        match self {
            Self::UserId => "user_id",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Department => "department",
        }
    }
}

/// Every user whose fields may have these pieces, folded to small letters, in this order, and what
/// users are searched by, in no order. Users who have them are all there; the caller looks whether
/// the others do.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt.
pub async fn listed(
    connection: &mut Connection,
    wanted: &[(SearchField, &[String])],
) -> Result<Vec<Listed>, StoreError> {
    let columns = wanted.iter().map(|(field, _)| field.column());
    // Only names of columns and numbers of places are put into the text.
    let statement = format!(
        "SELECT pkid, user_id, first_name, last_name, department FROM end_user{}",
        like::conditions(columns)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
    for (_, pieces) in wanted {
        query = query.bind(like::pattern(pieces));
    }
    // A row at a time: a row of the database is larger than what is kept of it.
    let mut rows = query.fetch(connection);
    let mut users = Vec::new();
    while let Some(row) = rows.next().await {
        let row = row?;
        users.push(Listed {
            pkid: row.pkid("end_user.pkid")?,
            user_id: row.text("end_user.user_id")?,
            first_name: row.text("end_user.first_name")?,
            last_name: row.text("end_user.last_name")?,
            department: row.text("end_user.department")?,
        });
    }
    Ok(users)
}
