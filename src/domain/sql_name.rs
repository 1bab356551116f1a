//! Names that a caller gives to columns and tables of a question in SQL.

use std::fmt;
use std::str::FromStr;

/// Longest such name in bytes. Source: Informix, *Identifier*: up to 128 bytes.
const NAME_BYTES_MAX: usize = 128;

/// A name of a column or table: letters, digits and underscores, the first no digit; in small
/// letters.
///
/// The names of an answer's elements are such names, so every one can stand in XML.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlName(String);

/// Why a text is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("names are made of letters, digits and underscores, at most {NAME_BYTES_MAX}")]
pub struct InvalidSqlName;

impl SqlName {
    /// The name in small letters.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether somebody who writes `text` means this name; case does not matter.
    pub fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }
}

impl FromStr for SqlName {
    type Err = InvalidSqlName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let begins_well = text
            .bytes()
            .next()
            .is_some_and(|byte| !byte.is_ascii_digit());
        if begins_well && text.bytes().all(is_part) && text.len() <= NAME_BYTES_MAX {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidSqlName)
        }
    }
}

impl fmt::Display for SqlName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_digits_and_underscores_make_a_name_and_nothing_else_does() {
        for text in ["a", "_", "Device_2", "x".repeat(128).as_str()] {
            let name: SqlName = text.parse().unwrap();
            assert_eq!(name.as_str(), text.to_lowercase());
            assert!(name.is(text));
        }
        for text in [
            "",
            "1a",
            "a b",
            "a\"",
            "a'",
            "a.b",
            "a-b",
            "a;",
            "ä",
            "a\0",
            "a<b",
            " a",
            "x".repeat(129).as_str(),
        ] {
            assert_eq!(text.parse::<SqlName>(), Err(InvalidSqlName), "{text}");
        }
    }
}
