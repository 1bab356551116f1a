//! Use case: a program changes rows of CUCM's tables, as public scripts do.
//!
//! ```text
//! statement.rs    one INSERT, UPDATE or DELETE: table, columns, and a SELECT that gives the rows
//! writable.rs     which tables and columns, and what to do instead of the others
//! subquery.rs     subqueries that stand for one value
//! row.rs          values as the use cases take them
//! step.rs         what is to be done, and doing it in one transaction
//! associations.rs, devices.rs, lines.rs, users.rs    rows of a table to steps
//! ```

mod associations;
mod devices;
mod lines;
mod row;
mod statement;
mod step;
mod subquery;
mod users;
mod writable;

use std::time::Duration;

use sqlparser::ast::Query;
use sqlparser::ast::Statement;

use super::SqlError;
use super::SqlLimits;
use super::parse;
use super::translate;
use crate::service::App;
use crate::service::record::Actor;
use crate::store::StoreError;
use crate::store::sql_query;
use row::Finder;
use row::Row;
use statement::Write;
use step::Step;

pub use writable::Verb;

/// Most rows that one statement changes: a transaction of some seconds, for which others wait.
pub const ROWS_MAX: usize = 1_000;

/// How long looking for the rows may take.
const SEARCH_TIME_MAX: Duration = Duration::from_secs(20);

/// Bytes of the values of all rows: 1,000 rows with a long text each.
const VALUES_BYTES_MAX: usize = 1024 * 1024;

/// Carries out one INSERT, UPDATE or DELETE by the use cases behind it, in one transaction; gives
/// how many rows it was.
///
/// The rows are looked for just before the transaction. One that somebody changes in between is
/// changed as it is then, or the statement fails as a whole when it is gone.
///
/// # Errors
///
/// [`SqlError`] with Informix's number; [`SqlError::NotBySql`] names the operation to use instead.
pub async fn update(app: &App, actor: &Actor, text: &str) -> Result<u64, SqlError> {
    let mut write = Write::read(parse::statement(text)?)?;
    subquery::resolve(app, &mut write.query).await?;
    let rows = rows(app, &write).await?;
    let mut finder = Finder::new(app).await?;
    let mut steps = Vec::with_capacity(rows.len());
    for row in &rows {
        steps.push(step_of(&mut finder, &write, row).await?);
    }
    drop(finder);
    step::carry_out(app, actor, &steps).await?;
    Ok(steps.len() as u64)
}

/// Reads a change as far as that needs no database.
pub(super) fn check(statement: Statement) -> Result<(), SqlError> {
    let mut write = Write::read(statement)?;
    while let Some(query) = subquery::take(&mut write.query)? {
        translate::translate(&query)?;
        subquery::put(&mut write.query, None)?;
    }
    translate::translate(&write.query).map(drop)
}

/// What a query gives, at most `ROWS_MAX` rows.
async fn answer(app: &App, query: &Query) -> Result<Vec<Vec<Option<String>>>, SqlError> {
    let query = translate::translate(query)?;
    let limits = SqlLimits {
        time: SEARCH_TIME_MAX,
        bytes_max: VALUES_BYTES_MAX,
    };
    let found = match sql_query::run(&app.store, &query, limits).await {
        Err(StoreError::TookTooLong) => return Err(SqlError::TimedOut(SEARCH_TIME_MAX.as_secs())),
        other => other?,
    };
    if found.total > ROWS_MAX as u64 || found.rows.len() as u64 != found.total {
        return Err(SqlError::TooManyRows(found.total));
    }
    Ok(found.rows)
}

/// The rows that a statement means, with their new values.
async fn rows(app: &App, write: &Write) -> Result<Vec<Row>, SqlError> {
    let rows = answer(app, &write.query).await?;
    let row = |values| Row::new(write, values);
    Ok(rows.into_iter().map(row).collect())
}

async fn step_of(finder: &mut Finder<'_>, write: &Write, row: &Row) -> Result<Step, SqlError> {
    match write.writable.table {
        "enduserdevicemap" => associations::of_end_user(finder, write.verb, row).await,
        "applicationuserdevicemap" => {
            associations::of_application_user(finder, write.verb, row).await
        }
        "enduserdirgroupmap" => users::membership(finder, write.verb, row).await,
        "endusernumplanmap" => users::primary_extension(finder, write.verb, row).await,
        "enduser" => users::changed(finder, row).await,
        "device" => devices::changed(finder, row).await,
        "devicenumplanmap" => lines::appearance(finder, write.verb, row).await,
        "numplan" => lines::changed(finder, row),
        other => Err(SqlError::NoTable(other.to_owned())),
    }
}
