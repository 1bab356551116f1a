//! A caller's question in SQL, already translated: run on a connection that can only read, for a
//! limited time. The one place where the engines need different words for that.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use sqlx::any::{AnyRow, AnyTypeInfoKind};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, ValueRef as _};

use super::cucm_tables;
use super::cucm_tables::{CucmTable, NodeServer};
use super::engine::Engine;
use super::sql_words;
pub use super::sql_words::ForeignWord;
use super::{Store, StoreError};
use crate::domain::sql_name::SqlName;

/// Steps of SQLite's machine between two looks at the clock; a few microseconds each time.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// A value beside the text of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// NULL.
    Null,
}

/// A question over our own tables: whoever has one knows that nothing but the words of
/// `sql_words` stands in its text.
#[derive(Debug, Clone)]
pub struct SqlQuery {
    tables: Vec<&'static CucmTable>,
    body: String,
    binds: Vec<Bind>,
    columns: Vec<SqlName>,
}

impl SqlQuery {
    /// The question `body` over these tables of CUCM's. `$1`, `$2` … stand for `binds`.
    ///
    /// # Errors
    ///
    /// [`ForeignWord`]: there is something in it that no translation writes.
    pub fn new(
        tables: Vec<&'static CucmTable>,
        body: String,
        binds: Vec<Bind>,
        columns: Vec<SqlName>,
    ) -> Result<Self, ForeignWord> {
        sql_words::check(&body, &tables)?;
        Ok(Self {
            tables,
            body,
            binds,
            columns,
        })
    }

    /// The text for the database, with places behind the other values for so many servers.
    pub fn text(&self, servers: usize) -> String {
        let mut expressions = Vec::with_capacity(self.tables.len() + 1);
        if self.reads_servers() {
            let first = self.binds.len() + 1;
            expressions.push(cucm_tables::servers_expression(first, servers));
        }
        expressions.extend(self.tables.iter().map(|table| table.expression()));
        if expressions.is_empty() {
            return self.body.clone();
        }
        format!("WITH {} {}", expressions.join(", "), self.body)
    }

    fn reads_servers(&self) -> bool {
        self.tables.iter().any(|table| table.reads_servers())
    }

    /// What stands beside the text.
    fn values(&self, servers: &[NodeServer]) -> Vec<Bind> {
        let mut values = self.binds.clone();
        if self.reads_servers() {
            for server in servers {
                values.push(Bind::Text(server.call_manager.to_string()));
                values.push(Bind::Text(server.process_node.to_string()));
                values.push(Bind::Text(server.host.clone()));
            }
        }
        values
    }

    /// Gives another value beside the text.
    pub fn set(&mut self, place: usize, value: Bind) {
        if let Some(bind) = self.binds.get_mut(place) {
            *bind = value;
        }
    }
}

/// What one question may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SqlLimits {
    /// How long it may run.
    pub time: Duration,
    /// Bytes of values that are kept; 0: no limit. Rows beyond are only counted.
    pub bytes_max: usize,
}

/// The rows that fitted, and how many there were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRows {
    /// The names of the columns.
    pub columns: Vec<SqlName>,
    /// Values row by row; `None`: NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// How many rows matched.
    pub total: u64,
}

/// Runs a question, in which CallManager nodes run on these servers.
///
/// # Errors
///
/// [`StoreError::TookTooLong`] when its time is over, [`StoreError::NotComputable`] when it asks
/// for what cannot be, [`StoreError`] when the database fails.
pub async fn run(
    store: &Store,
    query: &SqlQuery,
    servers: &[NodeServer],
    limits: SqlLimits,
) -> Result<SqlRows, StoreError> {
    let rows = match store.engine() {
        Engine::Sqlite => on_sqlite(store, query, servers, limits).await,
        Engine::PostgreSql => on_postgresql(store, query, servers, limits).await,
    };
    rows.map_err(|error| match &error {
        error if is_interruption(error) => StoreError::TookTooLong,
        sqlx::Error::Database(reason) if is_the_questions_fault(&**reason) => {
            StoreError::NotComputable
        }
        _ => error.into(),
    })
}

/// Whether the database could not compute what was asked for.
///
/// Source: SQLite result code 1 with these messages (any other of that code means that this program
/// wrote a wrong statement); PostgreSQL errors of class 22 (data exception) and 54 (program limit
/// exceeded).
fn is_the_questions_fault(error: &dyn sqlx::error::DatabaseError) -> bool {
    const LIMITS_OF_SQLITE: [&str; 6] = [
        "integer overflow",
        "Expression tree is too large",
        "parser stack overflow",
        "too many",
        "at most 64 tables",
        "pattern too complex",
    ];
    let code = error.code().unwrap_or_default();
    match &*code {
        "1" => LIMITS_OF_SQLITE
            .iter()
            .any(|limit| error.message().contains(limit)),
        code => code.len() == 5 && (code.starts_with("22") || code.starts_with("54")),
    }
}

/// On a connection of its own: it reads only, and looks at the clock while it works.
async fn on_sqlite(
    store: &Store,
    query: &SqlQuery,
    servers: &[NodeServer],
    limits: SqlLimits,
) -> Result<SqlRows, sqlx::Error> {
    let options = SqliteConnectOptions::from_str(&store.url)?
        .read_only(true)
        // A caller's statement is no matter for the log, however slow it is.
        .disable_statement_logging();
    let mut connection = options.connect().await?;
    // As Informix and PostgreSQL have it.
    sqlx::query("PRAGMA case_sensitive_like = ON")
        .execute(&mut connection)
        .await?;
    let end = Instant::now() + limits.time;
    let caller = Arc::new(());
    let is_there = Arc::downgrade(&caller);
    let mut handle = connection.lock_handle().await?;
    // A statement whose caller has gone away ends as well.
    handle.set_progress_handler(STEPS_BETWEEN_LOOKS, move || {
        is_there.strong_count() > 0 && Instant::now() < end
    });
    drop(handle);
    let mut statement = sqlx::query(AssertSqlSafe(query.text(servers.len())));
    for bind in query.values(servers) {
        statement = match bind {
            Bind::Text(text) => statement.bind(text),
            Bind::Integer(number) => statement.bind(number),
            Bind::Null => statement.bind(None::<String>),
        };
    }
    let mut kept = Kept::new(query, limits);
    let mut rows = statement.fetch(&mut connection);
    while let Some(row) = rows.next().await {
        let row = row?;
        kept.take(|index| row.try_get_unchecked(index))?;
    }
    drop(rows);
    connection.close().await?;
    drop(caller);
    Ok(kept.rows)
}

async fn on_postgresql(
    store: &Store,
    query: &SqlQuery,
    servers: &[NodeServer],
    limits: SqlLimits,
) -> Result<SqlRows, sqlx::Error> {
    let mut transaction = store.questions.begin().await?;
    let time = limits.time.as_millis();
    sqlx::query("SET TRANSACTION READ ONLY")
        .execute(&mut *transaction)
        .await?;
    sqlx::query(AssertSqlSafe(format!(
        "SET LOCAL statement_timeout = {time}"
    )))
    .execute(&mut *transaction)
    .await?;
    // Not kept: one text stands for questions whose values are of other types.
    let mut statement = sqlx::query(AssertSqlSafe(query.text(servers.len()))).persistent(false);
    for bind in query.values(servers) {
        statement = match bind {
            Bind::Text(text) => statement.bind(text),
            Bind::Integer(number) => statement.bind(number),
            Bind::Null => statement.bind(None::<String>),
        };
    }
    let mut kept = Kept::new(query, limits);
    let mut rows = statement.fetch(&mut *transaction);
    while let Some(row) = rows.next().await {
        let row = row?;
        kept.take(|index| value_of(&row, index))?;
    }
    drop(rows);
    transaction.rollback().await?;
    Ok(kept.rows)
}

fn value_of(row: &AnyRow, index: usize) -> Result<Option<String>, sqlx::Error> {
    let kind = row.try_get_raw(index)?.type_info().kind();
    match kind {
        AnyTypeInfoKind::Null => Ok(None),
        AnyTypeInfoKind::SmallInt | AnyTypeInfoKind::Integer | AnyTypeInfoKind::BigInt => {
            let number: Option<i64> = row.try_get(index)?;
            Ok(number.map(|number| number.to_string()))
        }
        AnyTypeInfoKind::Bool => {
            let flag: Option<bool> = row.try_get(index)?;
            Ok(flag.map(|flag| if flag { "t" } else { "f" }.to_owned()))
        }
        _ => row.try_get(index),
    }
}

/// Whether the database ended the statement because its time was over.
///
/// Source: SQLite result code 9 (interrupt); PostgreSQL error 57014 (query canceled).
fn is_interruption(error: &sqlx::Error) -> bool {
    let code = error
        .as_database_error()
        .and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == "9" || code == "57014")
}

/// Rows while they come.
struct Kept {
    rows: SqlRows,
    bytes: usize,
    bytes_max: usize,
}

impl Kept {
    fn new(query: &SqlQuery, limits: SqlLimits) -> Self {
        Self {
            rows: SqlRows {
                columns: query.columns.clone(),
                rows: Vec::new(),
                total: 0,
            },
            bytes: 0,
            bytes_max: limits.bytes_max,
        }
    }

    fn take(
        &mut self,
        value: impl Fn(usize) -> Result<Option<String>, sqlx::Error>,
    ) -> Result<(), sqlx::Error> {
        self.rows.total += 1;
        if self.bytes_max > 0 && self.bytes > self.bytes_max {
            return Ok(());
        }
        let values = (0..self.rows.columns.len()).map(value);
        let row = values.collect::<Result<Vec<_>, _>>()?;
        let size = |(value, name): (&Option<String>, &SqlName)| {
            value.as_ref().map_or(0, String::len) + 2 * name.as_str().len() + 5
        };
        self.bytes += row.iter().zip(&self.rows.columns).map(size).sum::<usize>();
        if self.bytes_max == 0 || self.bytes <= self.bytes_max {
            self.rows.rows.push(row);
        }
        Ok(())
    }
}
