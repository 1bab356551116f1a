//! Use case: somebody asks for rows in the words of CUCM's database.
//!
//! The statement is parsed, translated into one over our own tables and run on a connection that
//! can only read, for a limited time.

mod parse;
mod translate;

use super::App;
use super::ServiceError;
use crate::store::StoreError;
use crate::store::sql_query;

pub use crate::store::sql_query::SqlLimits;
pub use crate::store::sql_query::SqlRows;

/// Why a statement gives no rows. The numbers are Informix's.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// It cannot be read, or holds something that is not translated.
    #[error("A syntax error has occurred. ({0})")]
    Syntax(String),
    /// It would change something.
    #[error(
        "A syntax error has occurred. (executeSQLQuery takes one SELECT; changes go through executeSQLUpdate)"
    )]
    NotAQuery,
    /// No such table.
    #[error("The specified table ({0}) is not in the database.")]
    NoTable(String),
    /// No such column.
    #[error("Column ({0}) not found in any table in the query (or SLV is undefined).")]
    NoColumn(String),
    /// A column that several tables have.
    #[error("Ambiguous column ({0}).")]
    Ambiguous(String),
    /// No such function, or not with these arguments.
    #[error("Routine ({0}) can not be resolved.")]
    NoRoutine(String),
    /// It took too long.
    #[error("The statement took longer than {0} s and was ended; ask for less")]
    TimedOut(u64),
    /// The rows are more than an answer may hold.
    #[error(
        "Query request too large. Total rows matched: {total} rows. Suggestive Row Fetch: less than {fitting} rows"
    )]
    TooLarge {
        /// Rows that match.
        total: u64,
        /// Rows that would have fitted.
        fitting: u64,
    },
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl PartialEq for SqlError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl SqlError {
    /// Informix's number; -1 for limits.
    pub const fn number(&self) -> i32 {
        match self {
            Self::Syntax(_) | Self::NotAQuery => -201,
            Self::NoTable(_) => -206,
            Self::NoColumn(_) => -217,
            Self::Ambiguous(_) => -324,
            Self::NoRoutine(_) => -674,
            Self::TimedOut(_) | Self::TooLarge { .. } | Self::Service(_) => -1,
        }
    }
}

impl From<StoreError> for SqlError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// The rows that a SELECT gives.
///
/// # Errors
///
/// [`SqlError`]; nothing was changed in any case.
pub async fn query(app: &App, text: &str, limits: SqlLimits) -> Result<SqlRows, SqlError> {
    let query = translate::translate(&parse::parse(text)?)?;
    match sql_query::run(&app.store, &query, limits).await {
        Ok(rows) if rows.rows.len() as u64 == rows.total => Ok(rows),
        Ok(rows) => Err(SqlError::TooLarge {
            total: rows.total,
            fitting: rows.rows.len() as u64,
        }),
        Err(StoreError::TookTooLong) => Err(SqlError::TimedOut(limits.time.as_secs())),
        Err(error) => Err(error.into()),
    }
}
