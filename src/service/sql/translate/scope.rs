//! Which columns a name can mean.

use crate::store::cucm_tables::ColumnType;

use super::super::SqlError;

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

/// A column that a query gives, or a table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table in a FROM clause, under the name it is called by.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) alias: String,
    pub(super) columns: Vec<Output>,
}

/// The tables that names can mean, and those around a subquery.
#[derive(Debug, Default)]
pub(super) struct Scope<'a> {
    pub(super) sources: Vec<Source>,
    pub(super) outer: Option<&'a Scope<'a>>,
}

impl Scope<'_> {
    /// The column that `name` means, as SQL text, and what it holds.
    pub(super) fn column(
        &self,
        table: Option<&str>,
        name: &str,
    ) -> Result<(String, Kind), SqlError> {
        let mut found = self.sources.iter().filter_map(|source| {
            if table.is_some_and(|table| !source.alias.eq_ignore_ascii_case(table)) {
                return None;
            }
            let column = source
                .columns
                .iter()
                .find(|column| column.name.eq_ignore_ascii_case(name))?;
            Some((quoted(&source.alias, &column.name), column.kind))
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
        let is_taken = |known: &Source| known.alias == source.alias;
        if self.sources.iter().any(is_taken) {
            let alias = source.alias;
            return Err(SqlError::Syntax(format!("two tables are called {alias}")));
        }
        self.sources.push(source);
        Ok(())
    }
}

/// `"table"."column"`; names hold letters, digits and underscores alone.
pub(super) fn quoted(table: &str, column: &str) -> String {
    format!("\"{table}\".\"{column}\"")
}
