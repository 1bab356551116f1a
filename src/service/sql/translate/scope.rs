//! Which columns a name can mean, and how the text for the database calls them.

use std::fmt;

use sqlparser::ast::Ident;

use crate::domain::sql_name::SqlName;
use crate::store::cucm_tables::ColumnType;

use super::weight::Weight;
use crate::service::sql::SqlError;

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Integer,
    /// NULL, or a truth value: whatever stands beside it decides.
    Unknown,
}

impl From<ColumnType> for Kind {
    fn from(column: ColumnType) -> Self {
        match column {
            ColumnType::Text => Self::Text,
            ColumnType::Integer => Self::Integer,
        }
    }
}

/// How the text for the database calls a column or table: a word of this program or a number that
/// it gave out. A caller's names stay out of that text, whatever they are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    /// A column of one of CUCM's tables.
    Known(&'static str),
    /// A column that a query gives.
    Column(usize),
    /// A table in a FROM clause.
    Table(usize),
}

impl fmt::Display for Label {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => write!(formatter, "\"{name}\""),
            Self::Column(number) => write!(formatter, "\"c{number}\""),
            Self::Table(number) => write!(formatter, "\"t{number}\""),
        }
    }
}

/// A column that a query gives, or a table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    /// What callers call it.
    pub(super) name: SqlName,
    pub(super) label: Label,
    pub(super) kind: Kind,
    /// What naming it adds to a statement.
    pub(super) weight: Weight,
}

/// A table in a FROM clause.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// What callers call it.
    pub(super) name: SqlName,
    pub(super) label: Label,
    pub(super) columns: Vec<Output>,
}

/// The tables that names can mean, and those around a subquery.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) sources: Vec<Source>,
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// The column that `name` means: as SQL text, what it holds, and what it weighs.
    pub(super) fn column(
        &self,
        table: Option<&str>,
        name: &str,
    ) -> Result<(String, Kind, Weight), SqlError> {
        let sources = self.sources.iter();
        let sources = sources.filter(|source| table.is_none_or(|table| source.name.is(table)));
        let mut found = sources.flat_map(|source| {
            let columns = source.columns.iter().filter(|column| column.name.is(name));
            columns.map(|column| (qualified(source, column), column.kind, column.weight))
        });
        match (found.next(), found.next(), self.outer) {
            (Some(column), None, _) => Ok(column),
            (Some(_), Some(_), _) => Err(SqlError::Ambiguous(name.to_ascii_lowercase())),
            (None, _, Some(outer)) => outer.column(table, name),
            (None, _, None) => Err(SqlError::NoColumn(name.to_ascii_lowercase())),
        }
    }

    /// Adds a table; two of one name would make every column ambiguous.
    pub(super) fn add(&mut self, source: Source) -> Result<(), SqlError> {
        let is_taken = |known: &Source| known.name == source.name;
        if self.sources.iter().any(is_taken) {
            let name = source.name;
            return Err(SqlError::Syntax(format!("two tables are called {name}")));
        }
        self.sources.push(source);
        Ok(())
    }
}

/// `"table"."column"`.
pub(super) fn qualified(source: &Source, column: &Output) -> String {
    format!("{}.{}", source.label, column.label)
}

/// The name that a caller gives to a column or table.
///
/// # Errors
///
/// [`SqlError::Syntax`] says what a name is made of.
pub(super) fn given_name(name: &Ident) -> Result<SqlName, SqlError> {
    known_name(&name.value)
}

/// Reads the name of a column or table.
pub(super) fn known_name(name: &str) -> Result<SqlName, SqlError> {
    let parsed = name.parse();
    parsed.map_err(|error| SqlError::Syntax(format!("{error}: {name:?}")))
}
