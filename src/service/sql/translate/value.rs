//! Values of expressions, and how two of different types meet.

use sqlparser::ast::Value;

use crate::store::sql_query::Bind;

use super::Translation;
use super::scope::Kind;
use crate::service::sql::SqlError;

/// An expression as SQL text; a literal is not text yet, because what stands beside it decides
/// how it is compared.
#[derive(Debug, Clone)]
pub(super) struct Typed {
    pub(super) sql: String,
    pub(super) kind: Kind,
    pub(super) literal: Option<String>,
}

impl Typed {
    pub(super) fn new(sql: impl Into<String>, kind: Kind) -> Self {
        Self {
            sql: sql.into(),
            kind,
            literal: None,
        }
    }

    pub(super) fn literal(text: String, kind: Kind) -> Self {
        Self {
            sql: String::new(),
            kind,
            literal: Some(text),
        }
    }
}

pub(super) type Translated = Result<Typed, SqlError>;

impl Translation {
    /// The expression as SQL text; literals become bound values.
    pub(super) fn text_of(&mut self, typed: Typed) -> String {
        let Some(literal) = typed.literal else {
            return typed.sql;
        };
        match literal.parse() {
            Ok(number) if typed.kind == Kind::Integer => self.bind(Bind::Integer(number)),
            _ => self.bind(Bind::Text(literal)),
        }
    }

    /// Two values so that either database compares them: Informix turns one into the type of the
    /// other by itself.
    pub(super) fn comparable(&mut self, mut left: Typed, mut right: Typed) -> (String, String) {
        match (left.kind, right.kind) {
            (Kind::Integer, Kind::Text) => adapt(&mut left, &mut right),
            (Kind::Text, Kind::Integer) => adapt(&mut right, &mut left),
            _ => {}
        }
        (self.text_of(left), self.text_of(right))
    }

    pub(super) fn as_text(&mut self, mut typed: Typed) -> String {
        let is_integer = typed.kind == Kind::Integer;
        if typed.literal.is_some() {
            typed.kind = Kind::Text;
            return self.text_of(typed);
        }
        let sql = self.text_of(typed);
        if is_integer {
            format!("CAST({sql} AS TEXT)")
        } else {
            sql
        }
    }

    pub(super) fn as_integer(&mut self, mut typed: Typed) -> String {
        if typed
            .literal
            .as_deref()
            .is_some_and(|text| text.parse::<i64>().is_ok())
        {
            typed.kind = Kind::Integer;
        }
        let is_text = typed.kind == Kind::Text;
        let sql = self.text_of(typed);
        if is_text {
            format!("CAST({sql} AS BIGINT)")
        } else {
            sql
        }
    }
}

/// Turns a text that is compared with a number into a number where it is one, else the number
/// into a text.
fn adapt(integer: &mut Typed, text: &mut Typed) {
    let is_number = |typed: &Typed| {
        let literal = typed.literal.as_deref();
        literal.is_some_and(|text| text.trim().parse::<i64>().is_ok())
    };
    if is_number(text) {
        text.literal = text.literal.take().map(|text| text.trim().to_owned());
        text.kind = Kind::Integer;
    } else if integer.literal.is_some() {
        integer.kind = Kind::Text;
    } else {
        integer.sql = format!("CAST({} AS TEXT)", integer.sql);
        integer.kind = Kind::Text;
    }
}

/// A literal of the statement.
pub(super) fn literal(value: &Value) -> Translated {
    match value {
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
            if text.contains('\0') {
                return Err(SqlError::not_supported("the character 0"));
            }
            Ok(Typed::literal(text.clone(), Kind::Text))
        }
        Value::Number(digits, _) if digits.parse::<i64>().is_ok() => {
            Ok(Typed::literal(digits.clone(), Kind::Integer))
        }
        Value::Null => Ok(Typed::new("NULL", Kind::Unknown)),
        Value::Boolean(flag) => {
            let flag = if *flag { "t" } else { "f" };
            Ok(Typed::literal(flag.to_owned(), Kind::Text))
        }
        other => Err(SqlError::not_supported(&other.to_string())),
    }
}
