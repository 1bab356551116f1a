//! FROM: tables, joins, derived tables.

use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, TableAlias, TableFactor,
    TableWithJoins,
};

use crate::domain::sql_name::SqlName;
use crate::store::cucm_tables;

use super::scope::{Label, Output, Scope, Source, given_name, known_name};
use super::weight::Weight;
use super::{TABLES_MAX, Translation};
use crate::service::sql::SqlError;

impl Translation {
    /// The FROM clause, with a blank before it; its tables join the scope.
    pub(super) fn from(
        &mut self,
        tables: &[TableWithJoins],
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let mut sql = String::new();
        for table in tables {
            sql.push_str(if sql.is_empty() { " FROM " } else { ", " });
            sql.push_str(&self.table(&table.relation, scope)?);
            for join in &table.joins {
                sql.push_str(&self.join(join, scope)?);
            }
        }
        Ok(sql)
    }

    fn join(&mut self, join: &Join, scope: &mut Scope<'_>) -> Result<String, SqlError> {
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => {
                ("JOIN", constraint)
            }
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                ("LEFT JOIN", constraint)
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", constraint)
            }
            JoinOperator::CrossJoin(constraint) => ("CROSS JOIN", constraint),
            _ => return Err(SqlError::not_supported("this kind of join")),
        };
        let table = self.table(&join.relation, scope)?;
        match constraint {
            JoinConstraint::On(condition) => {
                let condition = self.expression_text(condition, scope)?;
                Ok(format!(" {word} {table} ON {condition}"))
            }
            JoinConstraint::None if word == "CROSS JOIN" => Ok(format!(" {word} {table}")),
            _ => Err(SqlError::Syntax("a join needs ON".to_owned())),
        }
    }

    fn table(&mut self, table: &TableFactor, scope: &mut Scope<'_>) -> Result<String, SqlError> {
        match table {
            TableFactor::Table {
                name,
                alias,
                args: None,
                with_hints,
                version: None,
                with_ordinality: false,
                partitions,
                json_path: None,
                sample: None,
                index_hints,
            } if with_hints.is_empty() && partitions.is_empty() && index_hints.is_empty() => {
                self.named_table(name, alias.as_ref(), scope)
            }
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias: Some(alias),
                sample: None,
            } => {
                let (sql, columns) = self.query(subquery, scope.outer)?;
                let label = self.table_label();
                let text = format!("({sql}) AS {label}");
                scope.add(Source {
                    name: plain_alias(alias)?,
                    label,
                    columns,
                })?;
                Ok(text)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => {
                let inner = self.from(std::slice::from_ref(table_with_joins), scope)?;
                let inner = inner.trim_start_matches(" FROM ");
                Ok(format!("({inner})"))
            }
            other => Err(SqlError::not_supported(&other.to_string())),
        }
    }

    fn named_table(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        // Informix lets a table be named with its owner: informix.device.
        let Some(ObjectNamePart::Identifier(last)) = name.0.last() else {
            return Err(SqlError::not_supported(&name.to_string()));
        };
        let table = cucm_tables::find(&last.value)
            .ok_or_else(|| SqlError::NoTable(last.value.to_ascii_lowercase()))?;
        self.tables_named += 1;
        if self.tables_named > TABLES_MAX {
            let reason = format!("a statement names at most {TABLES_MAX} tables");
            return Err(SqlError::Syntax(reason));
        }
        self.tables.insert(table.name, table);
        let called = match alias {
            Some(alias) => plain_alias(alias)?,
            None => known_name(table.name)?,
        };
        let label = self.table_label();
        let text = format!("{} AS {label}", table.expression_name());
        let mut columns = Vec::with_capacity(table.columns.len());
        for column in table.columns {
            columns.push(Output {
                name: known_name(column.name)?,
                label: Label::Known(column.name),
                kind: column.kind.into(),
                weight: Weight::COLUMN,
            });
        }
        scope.add(Source {
            name: called,
            label,
            columns,
        })?;
        Ok(text)
    }
}

/// The name that a table is called by in a statement.
fn plain_alias(alias: &TableAlias) -> Result<SqlName, SqlError> {
    if !alias.columns.is_empty() || alias.at.is_some() {
        return Err(SqlError::not_supported(
            "names of columns behind the name of a table",
        ));
    }
    given_name(&alias.name)
}
