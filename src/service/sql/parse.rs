//! Informix's SQL as scripts write it, made readable for the parser. Pure.
//!
//! Two things no parser for other databases knows: strings in double quotes, and row limits right
//! after SELECT (`select skip 10 first 5 …`), which become the usual ones at the end of that query.

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::Dialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use super::SqlError;

/// Longest statement, in bytes; the longest of the public scripts has some 3,000.
const STATEMENT_BYTES_MAX: usize = 64 * 1024;

/// Deepest nesting of expressions and subqueries.
const DEPTH_MAX: usize = 40;

/// Most words, values and signs of a statement: a list of 1,600 identities has twice as many.
/// Signs in a row (`1 + 1 + 1 …`) nest as deep as there are signs, and no other limit counts them.
const TOKENS_MAX: usize = 10_000;

/// Informix's words, as far as they differ.
#[derive(Debug)]
struct Informix;

impl Dialect for Informix {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_ascii_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_ascii_alphanumeric() || ch == '_'
    }

    /// A text in double quotes is a string, as in single ones.
    fn is_delimited_identifier_start(&self, _: char) -> bool {
        false
    }
}

/// Reads one SELECT.
///
/// # Errors
///
/// [`SqlError::Syntax`] when it cannot be read, [`SqlError::NotAQuery`] for any other statement.
pub(super) fn parse(text: &str) -> Result<Query, SqlError> {
    match statement(text)? {
        Statement::Query(query) => Ok(*query),
        _ => Err(SqlError::NotAQuery),
    }
}

/// Reads one statement of any kind.
///
/// # Errors
///
/// [`SqlError::Syntax`] when it cannot be read or is not one.
pub(super) fn statement(text: &str) -> Result<Statement, SqlError> {
    if text.len() > STATEMENT_BYTES_MAX {
        let reason = format!("a statement has at most {STATEMENT_BYTES_MAX} bytes");
        return Err(SqlError::Syntax(reason));
    }
    let syntax = |reason: String| SqlError::Syntax(reason);
    let tokens = Tokenizer::new(&Informix, without_cdata(text))
        .tokenize()
        .map_err(|error| syntax(error.to_string()))?;
    let tokens = move_row_limits(tokens)?;
    if tokens.len() > TOKENS_MAX {
        let reason = format!("a statement has at most {TOKENS_MAX} words, values and signs");
        return Err(SqlError::Syntax(reason));
    }
    let mut statements = Parser::new(&Informix)
        .with_recursion_limit(DEPTH_MAX)
        .with_tokens(tokens)
        .parse_statements()
        .map_err(|error| syntax(error.to_string()))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(statement),
        (Some(_), false) => Err(syntax("send one statement".to_owned())),
        (None, _) => Err(syntax("the statement is empty".to_owned())),
    }
}

/// One client sends the marks of a CDATA section as part of the text.
fn without_cdata(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix("<![CDATA[")
        .and_then(|text| text.strip_suffix("]]>"));
    inner.unwrap_or(text)
}

/// Row limits of one SELECT, and how many parentheses it stands in.
struct RowLimits {
    depth: usize,
    limit: Option<String>,
    offset: Option<String>,
}

impl RowLimits {
    fn tokens(self) -> Vec<Token> {
        // SQLite takes an OFFSET only after a LIMIT.
        let limit = self.limit.unwrap_or_else(|| i64::MAX.to_string());
        let mut tokens = vec![keyword("LIMIT", Keyword::LIMIT), number(limit)];
        if let Some(offset) = self.offset {
            tokens.extend([keyword("OFFSET", Keyword::OFFSET), number(offset)]);
        }
        tokens
    }
}

fn move_row_limits(tokens: Vec<Token>) -> Result<Vec<Token>, SqlError> {
    let mut tokens = tokens
        .into_iter()
        .filter(|token| !matches!(token, Token::Whitespace(_)))
        .peekable();
    let mut moved = Vec::new();
    let mut open: Vec<RowLimits> = Vec::new();
    let mut depth: usize = 0;
    while let Some(token) = tokens.next() {
        match &token {
            Token::LParen => depth += 1,
            Token::RParen => {
                end_of_query(&mut open, &mut moved, depth);
                depth = depth.saturating_sub(1);
            }
            Token::SemiColon => end_of_query(&mut open, &mut moved, 0),
            _ => {}
        }
        let is_select = matches!(&token, Token::Word(word) if word.keyword == Keyword::SELECT);
        moved.push(token);
        if !is_select {
            continue;
        }
        let offset = take_number(&mut tokens, &["skip"])?;
        let limit = take_number(&mut tokens, &["first", "limit"])?;
        if offset.is_some() || limit.is_some() {
            open.push(RowLimits {
                depth,
                limit,
                offset,
            });
        }
    }
    end_of_query(&mut open, &mut moved, 0);
    Ok(moved)
}

/// Writes the limits of the queries that end here.
fn end_of_query(open: &mut Vec<RowLimits>, moved: &mut Vec<Token>, depth: usize) {
    while let Some(limits) = open.pop_if(|limits| limits.depth >= depth) {
        moved.extend(limits.tokens());
    }
}

fn take_number(
    tokens: &mut std::iter::Peekable<impl Iterator<Item = Token>>,
    words: &[&str],
) -> Result<Option<String>, SqlError> {
    let is_word = |token: &Token| match token {
        Token::Word(word) => words
            .iter()
            .any(|known| word.value.eq_ignore_ascii_case(known)),
        _ => false,
    };
    let Some(word) = tokens.next_if(is_word) else {
        return Ok(None);
    };
    match tokens.next() {
        Some(Token::Number(digits, _)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            Ok(Some(digits))
        }
        _ => Err(SqlError::Syntax(format!("{word} is followed by a number"))),
    }
}

fn keyword(text: &str, keyword: Keyword) -> Token {
    Token::Word(Word {
        value: text.to_owned(),
        quote_style: None,
        keyword,
    })
}

fn number(digits: String) -> Token {
    Token::Number(digits, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_limits_go_to_the_end_of_their_own_query() {
        for (text, expected) in [
            (
                "select first 10 * from enduser",
                "SELECT * FROM enduser LIMIT 10",
            ),
            (
                "SELECT SKIP 100 FIRST 50 name FROM device ORDER BY name;",
                "SELECT name FROM device ORDER BY name LIMIT 50 OFFSET 100",
            ),
            (
                "select limit 3 name from device where pkid in (select first 1 fkdevice from enduserdevicemap)",
                "SELECT name FROM device WHERE pkid IN (SELECT fkdevice FROM enduserdevicemap LIMIT 1) LIMIT 3",
            ),
            (
                "<![CDATA[select name from device where name <> 'a']]>",
                "SELECT name FROM device WHERE name <> 'a'",
            ),
            (
                "select name from device limit 4",
                "SELECT name FROM device LIMIT 4",
            ),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected);
        }
    }

    #[test]
    fn anything_but_one_query_is_refused() {
        for text in [
            "",
            ";",
            "select 1; select 2",
            "selec 1",
            "select first x * from a",
        ] {
            assert!(matches!(parse(text), Err(SqlError::Syntax(_))), "{text}");
        }
        for text in [
            "delete from device",
            "drop table device",
            "update device set name='a'",
        ] {
            assert_eq!(parse(text).unwrap_err(), SqlError::NotAQuery, "{text}");
        }
        let deep = format!("select {}1{}", "(".repeat(10_000), ")".repeat(10_000));
        assert!(matches!(parse(&deep), Err(SqlError::Syntax(_))));
    }
}
