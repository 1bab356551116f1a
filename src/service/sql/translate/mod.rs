//! A query over CUCM's tables as one over ours. Pure.
//!
//! Nothing of the caller's text goes through: names are looked up and called by numbers
//! ([`scope::Label`]), literals become bound values, and every construct that is not known is
//! refused. `store::sql_query` looks over the result once more.

mod expression;
mod from;
mod function;
mod scope;
mod value;
mod weight;

use std::collections::BTreeMap;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, OrderBy, OrderByKind, OrderBySort, Query, Select,
    SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, Value,
    WildcardAdditionalOptions,
};

use crate::domain::sql_name::SqlName;
use crate::store::cucm_tables::CucmTable;
use crate::store::sql_query::{Bind, SqlQuery};

use super::SqlError;
pub(super) use expression::given;
use expression::given_place;
use scope::{Label, Output, Scope, given_name, known_name, qualified};
use weight::Weight;

/// Most tables of one statement, those of subqueries counted: more is no question but an attack.
const TABLES_MAX: usize = 32;

/// What has been translated so far.
#[derive(Debug, Default)]
pub(super) struct Translation {
    binds: Vec<Bind>,
    given: Vec<(usize, usize)>,
    tables: BTreeMap<&'static str, &'static CucmTable>,
    tables_named: usize,
    /// How many labels have been given out.
    labels: usize,
    weight: Weight,
}

/// Translates a query.
///
/// # Errors
///
/// [`SqlError`] says what is not known or not supported.
pub(super) fn translate(query: &Query) -> Result<SqlQuery, SqlError> {
    translate_with_values(query).map(|translated| translated.query)
}

/// A query with places for values that earlier questions give.
#[derive(Debug)]
pub(super) struct WithValues {
    /// The query.
    pub(super) query: SqlQuery,
    /// Which bound value is given by which question.
    given: Vec<(usize, usize)>,
}

impl WithValues {
    /// The query with the values in their places.
    pub(super) fn complete(mut self, values: &[Option<String>]) -> SqlQuery {
        for (place, which) in self.given {
            if let Some(Some(value)) = values.get(which) {
                self.query.set(place, Bind::Text(value.clone()));
            }
        }
        self.query
    }
}

/// Translates a query that may hold such places ([`given`]).
///
/// # Errors
///
/// [`SqlError`] as [`translate`].
pub(super) fn translate_with_values(query: &Query) -> Result<WithValues, SqlError> {
    let mut translation = Translation::default();
    let (sql, columns) = translation.query(query, None)?;
    let tables: Vec<&'static CucmTable> = translation.tables.values().copied().collect();
    let columns = columns.into_iter().map(|column| column.name).collect();
    let query = SqlQuery::new(tables, sql, translation.binds, columns).map_err(|error| {
        tracing::error!(%error, "a statement was translated wrongly and not carried out");
        SqlError::not_supported("this statement; write it another way")
    })?;
    Ok(WithValues {
        query,
        given: translation.given,
    })
}

impl Translation {
    fn bind(&mut self, value: Bind) -> String {
        self.binds.push(value);
        format!("${}", self.binds.len())
    }

    fn column_label(&mut self) -> Label {
        self.labels += 1;
        Label::Column(self.labels)
    }

    fn table_label(&mut self) -> Label {
        self.labels += 1;
        Label::Table(self.labels)
    }

    /// A query and the columns that it gives.
    fn query(
        &mut self,
        query: &Query,
        outer: Option<&Scope<'_>>,
    ) -> Result<(String, Vec<Output>), SqlError> {
        let is_plain = query.with.is_none()
            && query.fetch.is_none()
            && query.locks.is_empty()
            && query.for_clause.is_none()
            && query.settings.is_none()
            && query.format_clause.is_none()
            && query.pipe_operators.is_empty();
        if !is_plain {
            return Err(SqlError::not_supported(&query.to_string()));
        }
        let (mut sql, columns) = self.body(&query.body, query.order_by.as_ref(), outer)?;
        if let Some(limits) = &query.limit_clause {
            sql.push_str(&limits_text(limits)?);
        }
        Ok((sql, columns))
    }

    fn body(
        &mut self,
        body: &SetExpr,
        order_by: Option<&OrderBy>,
        outer: Option<&Scope<'_>>,
    ) -> Result<(String, Vec<Output>), SqlError> {
        match body {
            SetExpr::Select(select) => self.select(select, order_by, outer),
            SetExpr::SetOperation {
                left,
                op: SetOperator::Union,
                set_quantifier,
                right,
            } => {
                let union = match set_quantifier {
                    SetQuantifier::None | SetQuantifier::Distinct => "UNION",
                    SetQuantifier::All => "UNION ALL",
                    _ => return Err(SqlError::not_supported("this kind of UNION")),
                };
                let (left, mut columns) = self.body(left, None, outer)?;
                let (right, others) = self.body(right, None, outer)?;
                if columns.len() != others.len() {
                    let reason = "the queries of a UNION give different numbers of columns";
                    return Err(SqlError::Syntax(reason.to_owned()));
                }
                for (column, other) in columns.iter_mut().zip(others) {
                    column.weight = column.weight.max(other.weight);
                }
                let mut sql = format!("{left} {union} {right}");
                if let Some(order_by) = order_by {
                    let scope = Scope::default();
                    sql.push_str(&self.order_by(order_by, &scope, &columns)?);
                }
                Ok((sql, columns))
            }
            SetExpr::Query(query) if order_by.is_none() => self.query(query, outer),
            other => Err(SqlError::not_supported(&other.to_string())),
        }
    }

    fn select(
        &mut self,
        select: &Select,
        order_by: Option<&OrderBy>,
        outer: Option<&Scope<'_>>,
    ) -> Result<(String, Vec<Output>), SqlError> {
        check_plain(select)?;
        let mut scope = Scope {
            sources: Vec::new(),
            outer,
        };
        let from = self.from(&select.from, &mut scope)?;
        let (items, columns) = self.projection(&select.projection, &scope)?;
        let distinct = match &select.distinct {
            Some(Distinct::Distinct) => "DISTINCT ",
            None | Some(Distinct::All) => "",
            Some(Distinct::On(_)) => return Err(SqlError::not_supported("DISTINCT ON")),
        };
        let mut sql = format!("SELECT {distinct}{}{from}", items.join(", "));
        if let Some(selection) = &select.selection {
            sql.push_str(" WHERE ");
            sql.push_str(&self.expression_text(selection, &scope)?);
        }
        let GroupByExpr::Expressions(groups, modifiers) = &select.group_by else {
            return Err(SqlError::not_supported("GROUP BY ALL"));
        };
        if !modifiers.is_empty() {
            return Err(SqlError::not_supported("modifiers of GROUP BY"));
        }
        let mut texts = Vec::new();
        for group in groups {
            texts.push(self.sort_key(group, &scope, &columns)?);
        }
        if !texts.is_empty() {
            sql.extend([" GROUP BY ", &texts.join(", ")]);
        }
        if let Some(having) = &select.having {
            sql.push_str(" HAVING ");
            sql.push_str(&self.expression_text(having, &scope)?);
        }
        if let Some(order_by) = order_by {
            sql.push_str(&self.order_by(order_by, &scope, &columns)?);
        }
        Ok((sql, columns))
    }

    fn projection(
        &mut self,
        items: &[SelectItem],
        scope: &Scope<'_>,
    ) -> Result<(Vec<String>, Vec<Output>), SqlError> {
        let (mut texts, mut columns) = (Vec::new(), Vec::new());
        for item in items {
            let (expression, alias) = match item {
                SelectItem::Wildcard(options) => {
                    check_plain_wildcard(options)?;
                    self.all_columns(None, scope, &mut texts, &mut columns)?;
                    continue;
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    options,
                ) => {
                    check_plain_wildcard(options)?;
                    let table = name.to_string();
                    self.all_columns(Some(&table), scope, &mut texts, &mut columns)?;
                    continue;
                }
                SelectItem::UnnamedExpr(expression) => (expression, None),
                SelectItem::ExprWithAlias { expr, alias } => (expr, Some(given_name(alias)?)),
                other => return Err(SqlError::not_supported(&other.to_string())),
            };
            let before = self.weight;
            let typed = self.expression(expression, scope)?;
            let weight = self.weight.since(before);
            let (kind, label) = (typed.kind, self.column_label());
            texts.push(format!("{} AS {label}", self.text_of(typed)));
            let name = alias.map_or_else(|| name_of(expression), Ok)?;
            columns.push(Output {
                name,
                label,
                kind,
                weight,
            });
        }
        Ok((texts, columns))
    }

    fn all_columns(
        &mut self,
        table: Option<&str>,
        scope: &Scope<'_>,
        texts: &mut Vec<String>,
        columns: &mut Vec<Output>,
    ) -> Result<(), SqlError> {
        let before = columns.len();
        for source in &scope.sources {
            if table.is_some_and(|table| !source.name.is(table)) {
                continue;
            }
            for column in &source.columns {
                self.weight.add(column.weight)?;
                let label = self.column_label();
                texts.push(format!("{} AS {label}", qualified(source, column)));
                columns.push(Output {
                    label,
                    ..column.clone()
                });
            }
        }
        if columns.len() == before {
            return Err(SqlError::NoTable(table.unwrap_or("*").to_ascii_lowercase()));
        }
        Ok(())
    }

    fn order_by(
        &mut self,
        order_by: &OrderBy,
        scope: &Scope<'_>,
        columns: &[Output],
    ) -> Result<String, SqlError> {
        let OrderByKind::Expressions(keys) = &order_by.kind else {
            return Err(SqlError::not_supported("ORDER BY ALL"));
        };
        if order_by.interpolate.is_some() {
            return Err(SqlError::not_supported("INTERPOLATE"));
        }
        let mut texts = Vec::new();
        for key in keys {
            if key.options.nulls_first.is_some() || key.with_fill.is_some() {
                return Err(SqlError::not_supported(
                    "NULLS FIRST, NULLS LAST or WITH FILL",
                ));
            }
            let text = self.sort_key(&key.expr, scope, columns)?;
            let direction = match &key.options.sort {
                Some(OrderBySort::Desc) => " DESC",
                Some(OrderBySort::Asc) | None => "",
                Some(OrderBySort::Using(_)) => {
                    return Err(SqlError::not_supported("ORDER BY USING"));
                }
            };
            texts.push(format!("{text}{direction}"));
        }
        Ok(format!(" ORDER BY {}", texts.join(", ")))
    }

    /// What is sorted or grouped by: a column of the result by place or name, or an expression.
    fn sort_key(
        &mut self,
        key: &Expr,
        scope: &Scope<'_>,
        columns: &[Output],
    ) -> Result<String, SqlError> {
        match key {
            Expr::Value(value) => match &value.value {
                Value::Number(digits, _) => {
                    let place: usize = digits.parse().unwrap_or(0);
                    if !(1..=columns.len()).contains(&place) {
                        return Err(SqlError::NoColumn(digits.clone()));
                    }
                    Ok(place.to_string())
                }
                other => Err(SqlError::not_supported(&other.to_string())),
            },
            Expr::Identifier(name) => {
                let mut columns = columns.iter();
                match columns.position(|column| column.name.is(&name.value)) {
                    Some(place) => Ok((place + 1).to_string()),
                    None => self.expression_text(key, scope),
                }
            }
            _ => self.expression_text(key, scope),
        }
    }
}

/// What a column of the result is called when the caller does not say.
fn name_of(expression: &Expr) -> Result<SqlName, SqlError> {
    match expression {
        Expr::Identifier(name) if given_place(name).is_none() => given_name(name),
        Expr::CompoundIdentifier(names) => match names.last() {
            Some(name) => given_name(name),
            None => known_name("expression"),
        },
        Expr::Function(function) => known_name(&function.name.to_string()),
        _ => known_name("expression"),
    }
}

fn check_plain_wildcard(options: &WildcardAdditionalOptions) -> Result<(), SqlError> {
    let is_plain = options.opt_ilike.is_none()
        && options.opt_exclude.is_none()
        && options.opt_except.is_none()
        && options.opt_replace.is_none()
        && options.opt_rename.is_none()
        && options.opt_alias.is_none();
    if is_plain {
        Ok(())
    } else {
        Err(SqlError::not_supported("anything behind *"))
    }
}

fn check_plain(select: &Select) -> Result<(), SqlError> {
    let is_plain = select.top.is_none()
        && select.into.is_none()
        && select.lateral_views.is_empty()
        && select.prewhere.is_none()
        && select.connect_by.is_empty()
        && select.cluster_by.is_empty()
        && select.distribute_by.is_empty()
        && select.sort_by.is_empty()
        && select.named_window.is_empty()
        && select.qualify.is_none()
        && select.value_table_mode.is_none()
        && select.exclude.is_none();
    if is_plain {
        Ok(())
    } else {
        Err(SqlError::not_supported(&select.to_string()))
    }
}

fn limits_text(limits: &LimitClause) -> Result<String, SqlError> {
    let LimitClause::LimitOffset {
        limit,
        offset,
        limit_by,
    } = limits
    else {
        return Err(SqlError::not_supported("LIMIT with a comma"));
    };
    if !limit_by.is_empty() {
        return Err(SqlError::not_supported("LIMIT BY"));
    }
    let limit = limit.as_ref().map_or(Ok(i64::MAX), whole_number)?;
    let offset = match offset {
        Some(offset) => format!(" OFFSET {}", whole_number(&offset.value)?),
        None => String::new(),
    };
    Ok(format!(" LIMIT {limit}{offset}"))
}

fn whole_number(expression: &Expr) -> Result<i64, SqlError> {
    let Expr::Value(value) = expression else {
        return Err(SqlError::not_supported("a row limit that is no number"));
    };
    match &value.value {
        Value::Number(digits, _) => digits
            .parse()
            .map_err(|_| SqlError::not_supported("a row limit of this size")),
        _ => Err(SqlError::not_supported("a row limit that is no number")),
    }
}
