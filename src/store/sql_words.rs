//! The last look at a question before the database gets it: it is made of the words that the
//! translation writes, and of nothing else. Should the translation ever let a caller's text
//! through, this refuses it: no table of ours, no quoted text, no comment and no second statement
//! can be written with these words.

use std::collections::BTreeSet;

use super::cucm_tables::CucmTable;

/// Words that stand without quotes: those of the language, of its types, and functions.
const WORDS: &[&str] = &[
    "ALL", "AND", "AS", "BIGINT", "BY", "CASE", "CAST", "COALESCE", "COUNT", "CROSS", "DESC",
    "DISTINCT", "ELSE", "END", "ESCAPE", "EXISTS", "FROM", "GROUP", "HAVING", "IN", "INTEGER",
    "IS", "JOIN", "LEFT", "LENGTH", "LIKE", "LIMIT", "LOWER", "MAX", "MIN", "NOT", "NULL",
    "OFFSET", "ON", "OR", "ORDER", "RIGHT", "SELECT", "SUBSTR", "SUM", "TEXT", "THEN", "TRIM",
    "UNION", "UPPER", "WHEN", "WHERE",
];

/// The one text that may stand in quotes: what LIKE escapes by.
const ESCAPE_TEXT: &str = "'\\'";

/// What does not belong into a question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the text for the database has {0:?} in it, which no translation writes")]
pub struct ForeignWord(String);

/// Looks a question over that stands behind the common table expressions of `tables`.
///
/// # Errors
///
/// [`ForeignWord`] is the first that does not belong there.
pub(super) fn check(text: &str, tables: &[&CucmTable]) -> Result<(), ForeignWord> {
    let names: BTreeSet<String> = tables.iter().map(|table| table.expression_name()).collect();
    let columns: BTreeSet<&str> = tables
        .iter()
        .flat_map(|table| table.columns)
        .map(|column| column.name)
        .collect();
    let mut rest = text;
    let mut before = "";
    while let Some((piece, after)) = next_piece(rest) {
        let is_ours = match piece.as_bytes() {
            [b'"', ..] => {
                let inner = piece.strip_prefix('"');
                let name = inner.and_then(|inner| inner.strip_suffix('"'));
                name.is_some_and(|name| is_label(name) || (before == "." && columns.contains(name)))
            }
            [b'\'', ..] => piece == ESCAPE_TEXT && before == "ESCAPE",
            [b'$', digits @ ..] => is_number(digits),
            [b'0'..=b'9', ..] => is_number(piece.as_bytes()),
            [b'-'] => before != "-",
            [byte] if b"(),.=<>+*|".contains(byte) => true,
            _ => WORDS.contains(&piece) || names.contains(piece),
        };
        if !is_ours {
            return Err(ForeignWord(piece.chars().take(80).collect()));
        }
        (before, rest) = (piece, after);
    }
    Ok(())
}

/// The next piece behind blanks, and what follows: a word with what stands directly before it, a
/// text with its quotes, or a sign.
fn next_piece(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let first = text.chars().next()?;
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let length = match first {
        '"' | '\'' => {
            let inner = text.get(1..)?;
            inner.find(first).map_or(text.len(), |end| end + 2)
        }
        '$' => {
            let inner = text.get(1..)?;
            inner
                .find(|c| !is_part(c))
                .map_or(text.len(), |end| end + 1)
        }
        character if is_part(character) => text.find(|c| !is_part(c)).unwrap_or(text.len()),
        other => other.len_utf8(),
    };
    text.split_at_checked(length)
}

/// `t1`, `c2`: how the translation calls tables and columns.
fn is_label(name: &str) -> bool {
    name.strip_prefix(['t', 'c'])
        .is_some_and(|digits| is_number(digits.as_bytes()))
}

fn is_number(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::super::cucm_tables;
    use super::*;

    fn accepts(text: &str) -> bool {
        check(text, &[cucm_tables::find("device").unwrap()]).is_ok()
    }

    #[test]
    fn what_the_translation_writes_passes() {
        for text in [
            r#"SELECT COUNT(*) AS "c1" FROM cucm_device AS "t1" WHERE ("t1"."name" LIKE $1 ESCAPE '\')"#,
            r#"SELECT "t2"."c1" AS "c2" FROM (SELECT $1 AS "c1") AS "t2" LIMIT 9223372036854775807 OFFSET 2"#,
            r#"SELECT ($1 || "t1"."description") AS "c1" FROM cucm_device AS "t1" WHERE "t1"."tkmodel" <> $2 ORDER BY 1 DESC"#,
            r#"SELECT ("t1"."tkmodel" - $1) AS "c1" FROM cucm_device AS "t1""#,
        ] {
            assert!(accepts(text), "{text}");
        }
    }

    #[test]
    fn every_other_word_is_refused() {
        for text in [
            "SELECT hash FROM credential",
            r#"SELECT 1 AS "c1" FROM "credential""#,
            r#"SELECT 1 AS "c1" FROM "name""#,
            r#"SELECT 1 AS "c1" FROM device"#,
            r#"SELECT 1 AS "c1" FROM cucm_enduser AS "t1""#,
            r#"SELECT "t1"."hash" AS "c1" FROM cucm_device AS "t1""#,
            r#"SELECT $1 AS "a" FROM cucm_device AS "t1""#,
            r#"SELECT $1 AS "c1"; SELECT $1 AS "c1""#,
            r#"SELECT $1 AS "c1" -- x"#,
            r#"SELECT $1 AS "c1" - - $2"#,
            r#"SELECT $1 AS "c1" /* x */"#,
            r#"SELECT 'x' AS "c1""#,
            "SELECT $1 LIKE $2 ESCAPE 'x'",
            r#"SELECT '\' AS "c1""#,
            r#"SELECT $1 AS "c1" WHERE load_extension($1)"#,
            "SELECT select",
            "SELECT $$x$$",
            "SELECT E'x'",
            "SELECT [hash]",
            "SELECT `hash`",
            "SELECT 1e5",
            "SELECT 1\nFROM",
            r#"SELECT "c1"#,
            "SELECT 'x",
            r#"SELECT "ä" $"#,
            "SELECT \u{ff04}1",
        ] {
            assert!(!accepts(text), "{text}");
        }
    }

    /// Else a caller's column could stand for one of our tables.
    #[test]
    fn no_label_is_the_name_of_a_table() {
        for table in cucm_tables::all() {
            assert!(!is_label(table.name), "{}", table.name);
        }
    }
}
