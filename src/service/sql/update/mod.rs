//! Use case: a program changes rows of CUCM's tables, as public scripts do.
//!
//! ```text
//! statement.rs    one INSERT, UPDATE or DELETE: table, columns, and a SELECT that gives the rows
//! writable.rs     which tables and columns, and what to do instead of the others
//! subquery.rs     subqueries that stand for one value
//! row.rs          values as the use cases take them
//! step.rs         what is to be done, and doing it in one transaction
//! line_edit.rs, user_edit.rs    what is done to a line of a device, to a user
//! associations.rs, devices.rs, lines.rs, users.rs    rows of a table to steps
//! ```

mod associations;
mod devices;
mod line_edit;
mod lines;
mod row;
mod statement;
mod step;
mod subquery;
mod user_edit;
mod users;
mod writable;

use std::time::Duration;

use sqlparser::ast::Statement;

use super::SqlError;
use super::SqlLimits;
use super::deep_stack::on_deep_stack;
use super::parse;
use super::translate;
use super::translate::WithValues;
use crate::service::App;
use crate::service::history::record::Actor;
use crate::store::sql_query::SqlQuery;
use row::Finder;
use row::Row;
use statement::Write;
use step::Step;
use writable::Writable;

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
    let text = text.to_owned();
    let plan = on_deep_stack(move || read(parse::statement(&text)?)).await?;
    let mut values = Vec::with_capacity(plan.subqueries.len());
    for subquery in plan.subqueries {
        let rows = answer(app, &subquery.complete(&values)).await;
        values.push(one_value(rows)?);
    }
    let rows = answer(app, &plan.rows.complete(&values)).await?;
    let mut finder = Finder::new(app).await?;
    let mut steps = Vec::with_capacity(rows.len());
    for row in rows {
        let row = Row::new(plan.verb, plan.writable, &plan.columns, row);
        steps.push(step_of(&mut finder, plan.verb, &row).await?);
    }
    drop(finder);
    step::carry_out(app, actor, &steps).await?;
    Ok(steps.len() as u64)
}

/// A change as questions that can be asked.
pub(super) struct Plan {
    verb: Verb,
    writable: &'static Writable,
    columns: Vec<String>,
    /// Those that stand for one value, the innermost first.
    subqueries: Vec<WithValues>,
    /// The one that gives the rows.
    rows: WithValues,
}

impl Plan {
    /// The texts that the database would get.
    pub(super) fn texts(&self) -> Vec<String> {
        let questions = self.subqueries.iter().chain([&self.rows]);
        questions.map(|question| question.query.text(1)).collect()
    }
}

/// Reads a change.
pub(super) fn read(statement: Statement) -> Result<Plan, SqlError> {
    let mut write = Write::read(statement)?;
    let mut subqueries = Vec::new();
    while let Some(query) = subquery::take(&mut write.query, subqueries.len())? {
        subqueries.push(translate::translate_with_values(&query)?);
    }
    Ok(Plan {
        verb: write.verb,
        writable: write.writable,
        columns: write.columns,
        subqueries,
        rows: translate::translate_with_values(&write.query)?,
    })
}

/// What a query gives, at most `ROWS_MAX` rows.
async fn answer(app: &App, query: &SqlQuery) -> Result<Vec<Vec<Option<String>>>, SqlError> {
    let limits = SqlLimits {
        time: SEARCH_TIME_MAX,
        bytes_max: VALUES_BYTES_MAX,
    };
    let found = super::ask(app, query, limits).await?;
    if found.total > ROWS_MAX as u64 || found.rows.len() as u64 != found.total {
        return Err(SqlError::TooManyRows(found.total));
    }
    Ok(found.rows)
}

/// The value that a subquery stands for; none when it gave no row.
fn one_value(rows: Result<Vec<Vec<Option<String>>>, SqlError>) -> Result<Option<String>, SqlError> {
    let mut rows = match rows {
        Err(SqlError::TooManyRows(_)) => return Err(SqlError::NotOneRow),
        rows => rows?,
    };
    match (rows.pop(), rows.is_empty()) {
        (Some(mut row), true) if row.len() == 1 => Ok(row.pop().flatten()),
        (None, _) => Ok(None),
        _ => Err(SqlError::NotOneRow),
    }
}

async fn step_of(finder: &mut Finder<'_>, verb: Verb, row: &Row) -> Result<Step, SqlError> {
    match row.table() {
        "enduserdevicemap" => associations::of_end_user(finder, verb, row).await,
        "applicationuserdevicemap" => associations::of_application_user(finder, verb, row).await,
        "enduserdirgroupmap" => users::membership(finder, verb, row).await,
        "endusernumplanmap" => users::primary_extension(finder, verb, row).await,
        "enduser" => users::changed(finder, row).await,
        "device" => devices::changed(finder, row).await,
        "devicenumplanmap" => lines::appearance(finder, verb, row).await,
        "numplan" => lines::changed(finder, row),
        other => Err(SqlError::NoTable(other.to_owned())),
    }
}
