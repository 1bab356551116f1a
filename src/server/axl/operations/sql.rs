//! `executeSQLQuery` and `executeSQLUpdate`.

use std::time::Duration;

use quick_xml::escape::escape;

use crate::service::sql::{self, SqlError, SqlRows};

use super::super::envelope::Call;
use super::super::fault::Fault;
use super::{Caller, arguments};

/// How long a statement may run.
const TIME_MAX: Duration = Duration::from_secs(20);

/// `executeSQLQuery`: rows as elements named after the columns.
pub(super) async fn query(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    let statement = statement(caller, call)?;
    let limits = sql::SqlLimits {
        time: TIME_MAX,
        bytes_max: caller.app.settings.axl.answer_bytes_max,
    };
    let rows = sql::query(caller.app, &statement, limits).await?;
    Ok(written(&rows))
}

/// `executeSQLUpdate`: how many rows were changed.
pub(super) async fn update(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    let statement = statement(caller, call)?;
    let rows = sql::update(caller.app, caller.actor, &statement).await?;
    Ok(format!(
        "<return><rowsUpdated>{rows}</rowsUpdated></return>"
    ))
}

fn statement(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    arguments::check(caller, call, &["sql"])?;
    arguments::text(caller, call, "sql")?.ok_or_else(|| {
        Fault::not_valid(format!(
            "{} takes one element, sql, with a statement in it",
            call.operation()
        ))
    })
}

fn written(rows: &SqlRows) -> String {
    if rows.rows.is_empty() {
        return "<return/>".to_owned();
    }
    let mut text = String::from("<return>");
    for row in &rows.rows {
        text.push_str("<row>");
        for (name, value) in rows.columns.iter().zip(row) {
            let name = name.as_str();
            match value.as_deref() {
                None | Some("") => text.extend(["<", name, "/>"]),
                Some(value) => text.extend(["<", name, ">", &escape(value), "</", name, ">"]),
            }
        }
        text.push_str("</row>");
    }
    text.push_str("</return>");
    text
}

impl From<SqlError> for Fault {
    fn from(error: SqlError) -> Self {
        match error {
            SqlError::Service(error) => error.into(),
            SqlError::Refused(error) => error.into(),
            error => Self::of_database(error.number(), error.to_string()),
        }
    }
}
