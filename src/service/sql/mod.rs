//! Use cases: somebody asks for rows in the words of CUCM's database, or changes them.
//!
//! ```text
//! parse.rs     the text to one statement
//! translate/   a query over CUCM's tables to one over ours
//! update/      a change of CUCM's tables to the use cases behind them
//! ```
//!
//! A question is translated and run on a connection that can only read, for a limited time. A
//! change never reaches the database as SQL: its values and the rows that it means are asked for,
//! and the same use cases as for every other door are called.

mod deep_stack;
mod error;
mod parse;
mod translate;
mod update;

use tokio::sync::Semaphore;

use super::App;
use crate::store::StoreError;
use crate::store::sql_query;
use crate::store::sql_query::SqlQuery;

pub use crate::store::sql_query::SqlLimits;
pub use crate::store::sql_query::SqlRows;
pub use error::SqlError;
pub use update::ROWS_MAX;
pub use update::Verb;
pub use update::update;

/// Most questions that run or wait at once. Each may take a core for 20 s and hold some megabytes;
/// scripts send one after another.
pub const QUESTIONS_MAX: usize = 16;

/// Questions that run side by side: each has a connection of its own and may keep a core busy.
const QUESTIONS_RUNNING_MAX: usize = 2;

/// The places of questions.
#[derive(Debug)]
pub struct Questions {
    /// Those who run or wait.
    present: Semaphore,
    /// Those who run.
    running: Semaphore,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            present: Semaphore::new(QUESTIONS_MAX),
            running: Semaphore::new(QUESTIONS_RUNNING_MAX),
        }
    }
}

/// The rows that a SELECT gives.
///
/// # Errors
///
/// [`SqlError`]; nothing was changed in any case.
pub async fn query(app: &App, text: &str, limits: SqlLimits) -> Result<SqlRows, SqlError> {
    let text = text.to_owned();
    let read = move || translate::translate(&parse::parse(&text)?);
    let query = deep_stack::on_deep_stack(read).await?;
    let rows = ask(app, &query, limits).await?;
    let fitting = rows.rows.len() as u64;
    if fitting == rows.total {
        return Ok(rows);
    }
    Err(SqlError::TooLarge {
        total: rows.total,
        fitting,
    })
}

/// Asks the database, two questions at a time; others wait, as long as one may run.
async fn ask(app: &App, query: &SqlQuery, limits: SqlLimits) -> Result<SqlRows, SqlError> {
    let Questions { present, running } = &app.sql_questions;
    let _place = present.try_acquire().map_err(|_| SqlError::Busy)?;
    let turn = tokio::time::timeout(limits.time, running.acquire()).await;
    let turn = turn.map_err(|_| SqlError::Busy)?;
    let _turn = turn.map_err(|_| SqlError::Busy)?;
    sql_query::run(&app.store, query, &app.node_servers(), limits)
        .await
        .map_err(|error| match error {
            StoreError::TookTooLong => SqlError::TimedOut(limits.time.as_secs()),
            StoreError::NotComputable => SqlError::NotComputable,
            error => error.into(),
        })
}

/// Reads a statement as far as that needs no database: what this accepts is known down to the last
/// name. Gives the texts that the database would get. It waits for a thread of its own.
///
/// # Errors
///
/// [`SqlError`] says what is not known or not supported.
pub fn check(text: &str) -> Result<Vec<String>, SqlError> {
    let text = text.to_owned();
    deep_stack::wait_for(move || match parse::statement(&text)? {
        sqlparser::ast::Statement::Query(query) => {
            let query = translate::translate(&query)?;
            Ok(vec![query.text(1)])
        }
        change => update::read(change).map(|plan| plan.texts()),
    })
}
