//! Choosing rows that may fit a pattern, alike on both databases.
//!
//! The program folds letters by Unicode, SQLite those of ASCII, PostgreSQL by its locale. So a
//! database only leaves out what fits by no folding, and the caller looks at the rest.

use std::fmt::Write as _;

/// Most characters of a pattern: what follows is the caller's to look at.
const PATTERN_MAX: usize = 64;

/// ` WHERE …` by which each of these columns is like the pattern bound at its place; nothing for
/// none.
pub(super) fn conditions(columns: impl Iterator<Item = &'static str>) -> String {
    let mut text = String::new();
    for (number, column) in (1..).zip(columns) {
        let word = if number == 1 { "WHERE" } else { "AND" };
        let _ = write!(text, " {word} LOWER({column}) LIKE ${number} ESCAPE '\\'");
    }
    text
}

/// The pattern of every text that has these pieces, folded to small letters, in this order; the
/// first begins it, and the last ends it.
///
/// Only ASCII says anything, and of that neither `i` nor `k`: a capital I with a dot and the sign for
/// kelvin are folded to them here, a Turkish locale folds I to an i without a dot.
/// Source: Unicode Character Database, `SpecialCasing.txt` and `UnicodeData.txt`.
pub(super) fn pattern(pieces: &[String]) -> String {
    let mut pattern = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            pattern.push('%');
        }
        for character in piece.chars() {
            match character {
                'i' | 'k' => pattern.push('_'),
                '%' | '_' | '\\' => pattern.extend(['\\', character]),
                ascii if ascii.is_ascii() => pattern.push(ascii),
                _ => pattern.push('%'),
            }
            if pattern.len() >= PATTERN_MAX {
                pattern.push('%');
                return pattern;
            }
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern_of(text: &str) -> String {
        let pieces: Vec<String> = text.split('%').map(str::to_lowercase).collect();
        pattern(&pieces)
    }

    #[test]
    fn only_what_every_folding_leaves_is_asked_for() {
        for (text, expected) in [
            ("Doe", "doe"),
            ("Doe%", "doe%"),
            ("%D%e", "%d%e"),
            ("Kim", "__m"),
            ("a_b\\", "a\\_b\\\\"),
            ("Stra\u{df}e", "stra%e"),
            ("\u{df}\u{df}", "%%"),
            ("\u{130}x", "_%x"),
        ] {
            assert_eq!(pattern_of(text), expected, "{text}");
        }
        let long = pattern_of(&"%a".repeat(10_000));
        assert!(long.len() <= PATTERN_MAX + 2, "{}", long.len());
        assert!(long.ends_with('%'));
    }

    #[test]
    fn each_column_has_its_place() {
        assert_eq!(conditions([].into_iter()), "");
        assert_eq!(
            conditions(["a", "b"].into_iter()),
            " WHERE LOWER(a) LIKE $1 ESCAPE '\\' AND LOWER(b) LIKE $2 ESCAPE '\\'"
        );
    }
}
