//! FROM: tables, joins, derived tables.

use sqlparser::ast::{
    Join, JoinConstraint, JoinOperator, ObjectName, ObjectNamePart, TableAlias, TableFactor,
    TableWithJoins,
};

use crate::store::cucm_tables;

use super::super::SqlError;
use super::expression::not_supported;
use super::scope::{Output, Scope, Source};
use super::{TABLES_MAX, Translation};

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
            _ => return Err(not_supported("this kind of join")),
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
                ..
            } => self.named_table(name, alias.as_ref(), scope),
            TableFactor::Derived {
                lateral: false,
                subquery,
                alias: Some(alias),
                ..
            } => {
                let (sql, columns) = self.query(subquery, scope.outer)?;
                let alias = alias.name.value.to_ascii_lowercase();
                let text = format!("({sql}) AS \"{alias}\"");
                scope.add(Source { alias, columns })?;
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
            other => Err(not_supported(&other.to_string())),
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
            return Err(not_supported(&name.to_string()));
        };
        let table = cucm_tables::find(&last.value)
            .ok_or_else(|| SqlError::NoTable(last.value.to_ascii_lowercase()))?;
        self.tables_named += 1;
        if self.tables_named > TABLES_MAX {
            let reason = format!("a statement names at most {TABLES_MAX} tables");
            return Err(SqlError::Syntax(reason));
        }
        self.tables.insert(table.name, table);
        let alias = alias.map_or(table.name, |alias| alias.name.value.as_str());
        let alias = alias.to_ascii_lowercase();
        let text = format!("{} AS \"{alias}\"", table.expression_name());
        let columns = table.columns.iter().map(|column| Output {
            name: column.name.to_owned(),
            kind: column.kind.into(),
        });
        let columns = columns.collect();
        scope.add(Source { alias, columns })?;
        Ok(text)
    }
}
