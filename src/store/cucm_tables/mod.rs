//! The tables of a CUCM database, as its SQL interface names them, over our own.
//!
//! Each is a read-only picture: a name, its columns, and where each value comes from. Secrets are
//! in none of them. Booleans are the texts `t` and `f`, identities are lower-case UUIDs.

mod devices;
mod kept;
mod organisation;
mod system;
mod types;
mod users;

use crate::domain::pkid::Pkid;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// Text, `t` or `f`, or an identity.
    Text,
    /// A whole number.
    Integer,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its name, in small letters.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
    /// The expression over our tables that gives it.
    expression: &'static str,
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy)]
enum Rows {
    /// A FROM clause over our tables.
    From(&'static str),
    /// What the program knows itself, as a VALUES list.
    Known(fn() -> String),
    /// There are none, and never will be.
    Never,
}

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct CucmTable {
    /// Its name, in small letters.
    pub name: &'static str,
    /// Its columns in the order that `*` gives them.
    pub columns: &'static [Column],
    rows: Rows,
}

const fn text(name: &'static str, expression: &'static str) -> Column {
    Column {
        name,
        kind: ColumnType::Text,
        expression,
    }
}

const fn integer(name: &'static str, expression: &'static str) -> Column {
    Column {
        name,
        kind: ColumnType::Integer,
        expression,
    }
}

/// A CallManager node and the server it runs on, as `processnode` shows it. Only the service knows
/// how its own server is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeServer {
    /// The node's row in `call_manager`.
    pub call_manager: Pkid,
    /// The server's own identity.
    pub process_node: Pkid,
    /// Its name or address.
    pub host: String,
}

/// The common table expression with a row for each [`NodeServer`], whose three values are bound from
/// place `first` on.
pub fn servers_expression(first: usize, count: usize) -> String {
    let row = |number: usize| {
        let place = first + 3 * number;
        format!(
            "(CAST(${place} AS TEXT), CAST(${} AS TEXT), CAST(${} AS TEXT))",
            place + 1,
            place + 2
        )
    };
    let rows: Vec<String> = (0..count).map(row).collect();
    let rows = if rows.is_empty() {
        "SELECT '', '', '' WHERE 1 = 0".to_owned()
    } else {
        format!("VALUES {}", rows.join(", "))
    };
    format!("node_server (call_manager, process_node, host) AS ({rows})")
}

/// Every table.
pub fn all() -> impl Iterator<Item = &'static CucmTable> {
    [
        users::TABLES,
        devices::TABLES,
        organisation::TABLES,
        types::TABLES,
        system::TABLES,
    ]
    .into_iter()
    .flatten()
}

/// The table of this name, in any case.
pub fn find(name: &str) -> Option<&'static CucmTable> {
    all().find(|table| table.name.eq_ignore_ascii_case(name))
}

impl CucmTable {
    /// The name of the common table expression that gives this table.
    pub fn expression_name(&self) -> String {
        format!("cucm_{}", self.name)
    }

    /// Whether it reads the rows of [`servers_expression`].
    pub fn reads_servers(&self) -> bool {
        matches!(self.name, "callmanager" | "processnode")
    }

    /// The common table expression: `cucm_name (columns) AS (SELECT …)`.
    pub fn expression(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let values = |of: fn(&Column) -> &'static str| {
            let values = self
                .columns
                .iter()
                .map(|column| typed(of(column), column.kind));
            values.collect::<Vec<_>>().join(", ")
        };
        let rows = match self.rows {
            Rows::From(from) => format!("SELECT {} FROM {from}", values(|c| c.expression)),
            Rows::Known(rows) => rows(),
            Rows::Never => format!("SELECT {} WHERE 1 = 0", values(|_| "NULL")),
        };
        format!(
            "{} ({}) AS ({rows})",
            self.expression_name(),
            names.join(", ")
        )
    }
}

/// An expression of this type. A column of ours has it already, and stays as it is: through a CAST
/// SQLite finds no index, and joins by reading a table for every row of another.
fn typed(expression: &str, kind: ColumnType) -> String {
    let is_column = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'_' | b'.');
    if !expression.is_empty() && expression.bytes().all(is_column) {
        return expression.to_owned();
    }
    match kind {
        ColumnType::Text => format!("CAST({expression} AS TEXT)"),
        ColumnType::Integer => format!("CAST({expression} AS BIGINT)"),
    }
}
