//! Subqueries that stand for one value: `fkenduser = (select pkid from enduser where …)`.
//!
//! They are asked before the statement that they stand in, the innermost first. One that gives
//! several rows is an error, as in Informix; SQLite would take any of them, and the wrong row would
//! be changed.

use sqlparser::ast::Expr;
use sqlparser::ast::Query;
use sqlparser::ast::SelectItem;
use sqlparser::ast::SetExpr;
use sqlparser::ast::TableFactor;

use crate::service::sql::SqlError;
use crate::service::sql::translate::given;

/// Most of them in one statement.
const SUBQUERIES_MAX: usize = 16;

/// Takes the first innermost subquery out; the value that it gives stands in its place, under this
/// number.
pub(super) fn take(query: &mut Query, number: usize) -> Result<Option<Query>, SqlError> {
    let mut taken = None;
    visit_query(query, &mut |expression| {
        if taken.is_none()
            && let Expr::Subquery(subquery) = expression
        {
            taken = Some((**subquery).clone());
            *expression = Expr::Identifier(given(number));
        }
    })?;
    if taken.is_some() && number >= SUBQUERIES_MAX {
        let reason = format!("a statement has at most {SUBQUERIES_MAX} subqueries");
        return Err(SqlError::Syntax(reason));
    }
    Ok(taken)
}

type Visitor<'a> = &'a mut dyn FnMut(&mut Expr);

fn visit_query(query: &mut Query, visitor: Visitor<'_>) -> Result<(), SqlError> {
    visit_body(&mut query.body, visitor)
}

fn visit_body(body: &mut SetExpr, visitor: Visitor<'_>) -> Result<(), SqlError> {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } = item
                {
                    visit(expr, visitor)?;
                }
            }
            for table in &mut select.from {
                let joined = table.joins.iter_mut().map(|join| &mut join.relation);
                for factor in std::iter::once(&mut table.relation).chain(joined) {
                    if let TableFactor::Derived { subquery, .. } = factor {
                        visit_query(subquery, visitor)?;
                    }
                }
            }
            select
                .selection
                .as_mut()
                .map_or(Ok(()), |selection| visit(selection, visitor))
        }
        SetExpr::Query(query) => visit_query(query, visitor),
        SetExpr::SetOperation { left, right, .. } => {
            visit_body(left, visitor)?;
            visit_body(right, visitor)
        }
        _ => Ok(()),
    }
}

/// Visits an expression after everything in it. What is nested to the left (`a OR b OR c`) is as
/// deep as it is long.
fn visit(expression: &mut Expr, visitor: Visitor<'_>) -> Result<(), SqlError> {
    match expression {
        Expr::Subquery(query) => visit_query(query, visitor)?,
        Expr::Exists { subquery, .. } => visit_query(subquery, visitor)?,
        Expr::Nested(inner)
        | Expr::IsNull(inner)
        | Expr::IsNotNull(inner)
        | Expr::UnaryOp { expr: inner, .. } => visit(inner, visitor)?,
        Expr::BinaryOp { left, right, .. } => {
            visit(left, visitor)?;
            visit(right, visitor)?;
        }
        Expr::Like { expr, pattern, .. } => {
            visit(expr, visitor)?;
            visit(pattern, visitor)?;
        }
        Expr::Between {
            expr, low, high, ..
        } => {
            for inner in [expr, low, high] {
                visit(inner, visitor)?;
            }
        }
        Expr::InList { expr, list, .. } => {
            visit(expr, visitor)?;
            for inner in list {
                visit(inner, visitor)?;
            }
        }
        Expr::InSubquery { expr, subquery, .. } => {
            visit(expr, visitor)?;
            visit_query(subquery, visitor)?;
        }
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Value(_) => {}
        other if other.to_string().contains("(SELECT ") => {
            let reason = "a subquery inside a function or CASE; ask for its value first";
            return Err(SqlError::Syntax(format!("not supported here: {reason}")));
        }
        _ => {}
    }
    visitor(expression);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::sql::parse;

    #[test]
    fn the_innermost_is_taken_first_and_every_one_comes_back() {
        let mut query = parse::parse(
            "select (select a from b) from c where d = (select e from f where g in \
             (select h from i where j = (select k from l)))",
        )
        .unwrap();
        let mut taken = Vec::new();
        while let Some(subquery) = take(&mut query, taken.len()).unwrap() {
            taken.push(subquery.to_string());
        }
        assert_eq!(
            taken,
            [
                "SELECT a FROM b",
                "SELECT k FROM l",
                "SELECT e FROM f WHERE g IN (SELECT h FROM i WHERE j =  given 1)",
            ]
        );
        assert_eq!(
            query.to_string(),
            "SELECT  given 0 FROM c WHERE d =  given 2"
        );
    }

    #[test]
    fn one_that_cannot_be_asked_first_is_refused() {
        let mut query = parse::parse("select lower((select a from b))").unwrap();
        assert!(take(&mut query, 0).is_err());
    }
}
