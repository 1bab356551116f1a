//! Expressions. What is not named here is refused.

use sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Ident, Query, UnaryOperator};

use crate::store::sql_query::Bind;

use super::Translation;
use super::scope::{Kind, Scope};
use super::value::{Translated, Typed, literal};
use super::weight::Weight;
use crate::service::sql::SqlError;

impl Translation {
    /// A condition or value as SQL text.
    pub(super) fn expression_text(
        &mut self,
        expression: &Expr,
        scope: &Scope<'_>,
    ) -> Result<String, SqlError> {
        let typed = self.expression(expression, scope)?;
        Ok(self.text_of(typed))
    }

    pub(super) fn expression(&mut self, expression: &Expr, scope: &Scope<'_>) -> Translated {
        self.weight.add(Weight::EXPRESSION)?;
        match expression {
            Expr::Identifier(name) => match given_place(name) {
                Some(place) => {
                    self.weight.add(Weight::COLUMN)?;
                    self.given.push((self.binds.len(), place));
                    Ok(Typed::new(self.bind(Bind::Null), Kind::Text))
                }
                None => self.named(None, &name.value, scope),
            },
            Expr::CompoundIdentifier(names) => match names.as_slice() {
                [table, column] => self.named(Some(&table.value), &column.value, scope),
                _ => Err(SqlError::not_supported("names of more than two parts")),
            },
            Expr::Value(value) => {
                let typed = literal(&value.value)?;
                let text = typed.literal.as_deref().unwrap_or_default();
                self.weight.add(Weight::of_text(text))?;
                Ok(typed)
            }
            Expr::IsNull(inner) => self.postfix(inner, "IS NULL", scope),
            Expr::IsNotNull(inner) => self.postfix(inner, "IS NOT NULL", scope),
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right, scope),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr, scope),
            Expr::Function(function) => self.function(function, scope),
            _ => self.composed(expression, scope),
        }
    }

    fn named(&mut self, table: Option<&str>, name: &str, scope: &Scope<'_>) -> Translated {
        let (sql, kind, weight) = scope.column(table, name)?;
        self.weight.add(weight)?;
        Ok(Typed::new(sql, kind))
    }

    /// What is made of several expressions or of queries.
    fn composed(&mut self, expression: &Expr, scope: &Scope<'_>) -> Translated {
        match expression {
            Expr::Nested(inner) => {
                let inner = self.expression(inner, scope)?;
                if inner.literal.is_some() {
                    return Ok(inner);
                }
                Ok(Typed::new(format!("({})", inner.sql), inner.kind))
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => self.between(expr, *negated, (low, high), scope),
            Expr::InList {
                expr,
                list,
                negated,
            } => self.in_list(expr, list, *negated, scope),
            Expr::InSubquery {
                expr,
                subquery,
                negated,
            } => self.in_subquery(expr, subquery, *negated, scope),
            Expr::Exists { subquery, negated } => {
                let (sql, _) = self.query(subquery, Some(scope))?;
                Ok(condition(format!("{}EXISTS ({sql})", not(*negated))))
            }
            Expr::Subquery(query) => {
                let (sql, columns) = self.query(query, Some(scope))?;
                let kind = columns.first().map_or(Kind::Unknown, |column| column.kind);
                Ok(Typed::new(format!("({sql})"), kind))
            }
            Expr::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.like(expr, pattern, *negated, scope),
            Expr::Case {
                operand,
                conditions,
                else_result,
                ..
            } => self.case(
                (operand.as_deref(), conditions, else_result.as_deref()),
                scope,
            ),
            Expr::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters: None,
            } => {
                let inner = self.expression_text(expr, scope)?;
                Ok(Typed::new(format!("TRIM({inner})"), Kind::Text))
            }
            Expr::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                ..
            } => self.substring(expr, from, substring_for.as_deref(), scope),
            other => Err(SqlError::not_supported(&other.to_string())),
        }
    }

    fn postfix(&mut self, inner: &Expr, operator: &str, scope: &Scope<'_>) -> Translated {
        let inner = self.expression_text(inner, scope)?;
        Ok(condition(format!("{inner} {operator}")))
    }

    fn unary(&mut self, operator: UnaryOperator, inner: &Expr, scope: &Scope<'_>) -> Translated {
        let inner = self.expression(inner, scope)?;
        match (operator, inner.literal.as_deref()) {
            (UnaryOperator::Not, _) => {
                let inner = self.text_of(inner);
                Ok(condition(format!("NOT ({inner})")))
            }
            (UnaryOperator::Minus, Some(digits)) if inner.kind == Kind::Integer => {
                Ok(Typed::literal(format!("-{digits}"), Kind::Integer))
            }
            (UnaryOperator::Plus, _) => Ok(inner),
            _ => Err(SqlError::not_supported("this sign")),
        }
    }

    fn binary(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Translated {
        if matches!(
            operator,
            BinaryOperator::And | BinaryOperator::Or | BinaryOperator::StringConcat
        ) {
            return self.chain(left, operator, right, scope);
        }
        let (left, right) = (
            self.expression(left, scope)?,
            self.expression(right, scope)?,
        );
        match operator {
            BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq => {
                let (left, right) = self.comparable(left, right);
                Ok(condition(format!("{left} {operator} {right}")))
            }
            BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply => {
                let (left, right) = (self.as_integer(left), self.as_integer(right));
                let sql = format!("({left} {operator} {right})");
                Ok(Typed::new(sql, Kind::Integer))
            }
            other => Err(SqlError::not_supported(&other.to_string())),
        }
    }

    /// `a AND b AND c …`, parted in the middle again and again: databases refuse expressions that
    /// are as deep as a script's list of conditions is long.
    fn chain(
        &mut self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
        scope: &Scope<'_>,
    ) -> Translated {
        let mut links = vec![right];
        let mut rest = left;
        while let Expr::BinaryOp { left, op, right } = rest
            && op == operator
        {
            links.push(right);
            rest = left;
        }
        links.push(rest);
        let is_text = *operator == BinaryOperator::StringConcat;
        let mut texts = Vec::with_capacity(links.len());
        for link in links.into_iter().rev() {
            let link = self.expression(link, scope)?;
            texts.push(if is_text {
                self.as_text(link)
            } else {
                self.text_of(link)
            });
        }
        let kind = if is_text { Kind::Text } else { Kind::Unknown };
        Ok(Typed::new(balanced(&texts, &operator.to_string()), kind))
    }

    fn between(
        &mut self,
        value: &Expr,
        negated: bool,
        (low, high): (&Expr, &Expr),
        scope: &Scope<'_>,
    ) -> Translated {
        let before = self.weight;
        let value = self.expression(value, scope)?;
        // It is written twice.
        self.weight.add(self.weight.since(before))?;
        let (low, high) = (self.expression(low, scope)?, self.expression(high, scope)?);
        let (first, low) = self.comparable(value.clone(), low);
        let (second, high) = self.comparable(value, high);
        let sql = format!("({first} >= {low} AND {second} <= {high})");
        Ok(condition(format!("{}{sql}", not(negated))))
    }

    fn in_list(
        &mut self,
        value: &Expr,
        list: &[Expr],
        negated: bool,
        scope: &Scope<'_>,
    ) -> Translated {
        let before = self.weight;
        let value = self.expression(value, scope)?;
        // It is written once for every item.
        let further = list.len().saturating_sub(1);
        self.weight.add(self.weight.since(before).times(further))?;
        let mut equal = Vec::new();
        for item in list {
            let item = self.expression(item, scope)?;
            let (left, right) = self.comparable(value.clone(), item);
            equal.push(format!("{left} = {right}"));
        }
        let sql = balanced(&equal, "OR");
        Ok(condition(format!("{}{sql}", not(negated))))
    }

    fn in_subquery(
        &mut self,
        value: &Expr,
        subquery: &Query,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Translated {
        let value = self.expression(value, scope)?;
        let (sql, columns) = self.query(subquery, Some(scope))?;
        let [column] = columns.as_slice() else {
            return Err(SqlError::Syntax(
                "IN takes a query of one column".to_owned(),
            ));
        };
        let left = match column.kind {
            Kind::Text => self.as_text(value),
            Kind::Integer => self.as_integer(value),
            Kind::Unknown => self.text_of(value),
        };
        Ok(condition(format!("{left} {}IN ({sql})", not(negated))))
    }

    /// A backslash takes the meaning from the next character, as in Informix.
    fn like(
        &mut self,
        value: &Expr,
        pattern: &Expr,
        negated: bool,
        scope: &Scope<'_>,
    ) -> Translated {
        let (value, pattern) = (
            self.expression(value, scope)?,
            self.expression(pattern, scope)?,
        );
        let (value, pattern) = (self.as_text(value), self.as_text(pattern));
        let sql = format!("{value} {}LIKE {pattern} ESCAPE '\\'", not(negated));
        Ok(condition(sql))
    }

    fn case(
        &mut self,
        (operand, conditions, otherwise): (Option<&Expr>, &[CaseWhen], Option<&Expr>),
        scope: &Scope<'_>,
    ) -> Translated {
        let mut results = Vec::new();
        for when in conditions {
            results.push(self.expression(&when.result, scope)?);
        }
        if let Some(otherwise) = otherwise {
            results.push(self.expression(otherwise, scope)?);
        }
        let is_text = results.iter().any(|result| result.kind == Kind::Text);
        let mut results = results.into_iter();
        let mut sql = "CASE".to_owned();
        for (when, result) in conditions.iter().zip(&mut results) {
            let condition = match operand {
                Some(operand) => {
                    let operand = self.expression(operand, scope)?;
                    let value = self.expression(&when.condition, scope)?;
                    let (operand, value) = self.comparable(operand, value);
                    format!("{operand} = {value}")
                }
                None => self.expression_text(&when.condition, scope)?,
            };
            let result = self.result(result, is_text);
            sql.extend([" WHEN ", &condition, " THEN ", &result]);
        }
        if let Some(otherwise) = results.next() {
            let otherwise = self.result(otherwise, is_text);
            sql.extend([" ELSE ", &otherwise]);
        }
        let kind = if is_text { Kind::Text } else { Kind::Integer };
        Ok(Typed::new(format!("{sql} END"), kind))
    }

    fn result(&mut self, result: Typed, is_text: bool) -> String {
        if is_text {
            self.as_text(result)
        } else {
            self.text_of(result)
        }
    }

    fn substring(
        &mut self,
        value: &Expr,
        from: &Expr,
        length: Option<&Expr>,
        scope: &Scope<'_>,
    ) -> Translated {
        let value = self.expression(value, scope)?;
        let mut arguments = vec![self.as_text(value)];
        for number in [Some(from), length].into_iter().flatten() {
            let number = self.expression(number, scope)?;
            let number = self.as_integer(number);
            arguments.push(format!("CAST({number} AS INTEGER)"));
        }
        let sql = format!("SUBSTR({})", arguments.join(", "));
        Ok(Typed::new(sql, Kind::Text))
    }
}

/// An identifier that stands for the value of an earlier question. No caller can write one: it has
/// a blank and stands in no quotes.
pub(in crate::service::sql) fn given(place: usize) -> Ident {
    Ident::new(format!(" given {place}"))
}

/// Which earlier question an identifier stands for.
pub(super) fn given_place(name: &Ident) -> Option<usize> {
    let place = name.value.strip_prefix(" given ")?;
    name.quote_style.is_none().then(|| place.parse().ok())?
}

/// Expressions with an operator between them that may be computed in any order.
fn balanced(texts: &[String], operator: &str) -> String {
    match texts {
        [] => String::new(),
        [one] => format!("({one})"),
        [one, other] => format!("({one} {operator} {other})"),
        many => {
            let (first, second) = many.split_at(many.len() / 2);
            let (first, second) = (balanced(first, operator), balanced(second, operator));
            format!("({first} {operator} {second})")
        }
    }
}

fn condition(sql: String) -> Typed {
    Typed::new(sql, Kind::Unknown)
}

const fn not(negated: bool) -> &'static str {
    if negated { "NOT " } else { "" }
}
