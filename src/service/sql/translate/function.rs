//! Functions: those that Informix has and public scripts use.

use sqlparser::ast::{
    DuplicateTreatment, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
};

use super::Translation;
use super::scope::{Kind, Scope};
use super::value::{Translated, Typed};
use crate::service::sql::SqlError;

impl Translation {
    pub(super) fn function(&mut self, function: &Function, scope: &Scope<'_>) -> Translated {
        let name = function.name.to_string().to_ascii_lowercase();
        let is_plain = function.over.is_none()
            && function.filter.is_none()
            && function.within_group.is_empty()
            && function.null_treatment.is_none()
            && !function.uses_odbc_syntax;
        let FunctionArguments::List(list) = &function.args else {
            return Err(SqlError::NoRoutine(name));
        };
        if !is_plain || !list.clauses.is_empty() {
            return Err(SqlError::NoRoutine(name));
        }
        let is_distinct = list.duplicate_treatment == Some(DuplicateTreatment::Distinct);
        if name == "count"
            && matches!(
                list.args.as_slice(),
                [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]
            )
        {
            return Ok(Typed::new("COUNT(*)", Kind::Integer));
        }
        let mut arguments = Vec::new();
        for argument in &list.args {
            let FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) = argument else {
                return Err(SqlError::NoRoutine(name));
            };
            arguments.push(self.expression(argument, scope)?);
        }
        self.known_function(&name, arguments, is_distinct)
    }

    fn known_function(
        &mut self,
        name: &str,
        mut arguments: Vec<Typed>,
        is_distinct: bool,
    ) -> Translated {
        let distinct = if is_distinct { "DISTINCT " } else { "" };
        let count = arguments.len();
        let second = (count == 2).then(|| arguments.pop()).flatten();
        let (Some(first), None) = (arguments.pop(), arguments.pop()) else {
            return Err(SqlError::NoRoutine(name.to_owned()));
        };
        let kind = first.kind;
        match (name, second) {
            ("lower" | "upper" | "trim", None) => {
                let argument = self.as_text(first);
                let name = name.to_ascii_uppercase();
                Ok(Typed::new(format!("{name}({argument})"), Kind::Text))
            }
            ("length" | "char_length", None) => {
                let argument = self.as_text(first);
                Ok(Typed::new(format!("LENGTH({argument})"), Kind::Integer))
            }
            ("count", None) => {
                let argument = self.text_of(first);
                let sql = format!("COUNT({distinct}{argument})");
                Ok(Typed::new(sql, Kind::Integer))
            }
            ("min" | "max", None) => {
                let argument = self.text_of(first);
                let name = name.to_ascii_uppercase();
                Ok(Typed::new(format!("{name}({argument})"), kind))
            }
            ("sum", None) => {
                let argument = self.as_integer(first);
                let sql = format!("CAST(SUM({distinct}{argument}) AS BIGINT)");
                Ok(Typed::new(sql, Kind::Integer))
            }
            ("concat", Some(second)) => {
                let (first, second) = (self.as_text(first), self.as_text(second));
                Ok(Typed::new(format!("({first} || {second})"), Kind::Text))
            }
            ("nvl", Some(second)) => {
                let (first, second) = self.comparable(first, second);
                Ok(Typed::new(format!("COALESCE({first}, {second})"), kind))
            }
            _ => Err(SqlError::NoRoutine(name.to_owned())),
        }
    }
}
