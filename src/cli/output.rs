//! What commands print: text for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use serde::Serialize;

/// Where and how a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// Whether programs read it (`--json`).
    pub json: bool,
}

impl Output {
    /// Prints one line, or several, on standard output. Whoever closed the other end has read
    /// enough, so that is no error.
    pub fn line(self, text: impl AsRef<str>) {
        let mut stdout = io::stdout().lock();
        let _ = writeln!(stdout, "{}", text.as_ref().trim_end_matches('\n'));
        let _ = stdout.flush();
    }

    /// Prints a value as one line of JSON.
    pub fn json_line(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string(value) {
            self.line(text);
        }
    }

    /// Prints a value as an indented JSON document.
    pub fn json_document(self, value: &impl Serialize) {
        if let Ok(text) = serde_json::to_string_pretty(value) {
            self.line(text);
        }
    }

    /// Prints `text` for people or `value` for programs.
    pub fn both(self, text: impl AsRef<str>, value: &impl Serialize) {
        if self.json {
            self.json_document(value);
        } else {
            self.line(text);
        }
    }

    /// Prints a remark on standard error, where it does not disturb what programs read.
    pub fn remark(self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
    }

    /// Whether a person watches standard output.
    pub fn is_terminal(self) -> bool {
        !self.json && io::stdout().is_terminal()
    }
}

/// Lays rows out in columns as wide as their widest cell, under a heading.
pub fn columns(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count());
        let title = heading.get(column).map_or(0, |title| title.chars().count());
        cells.chain([title]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded: Vec<String> = cells
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(heading.to_vec());
    for row in rows {
        text.push_str(&line(row.iter().map(String::as_str).collect()));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![
            vec!["aksethi".to_owned(), "1004".to_owned()],
            vec!["jo".to_owned(), "7".to_owned()],
        ];
        let text = columns(&["USER", "EXTENSION"], &rows);
        assert_eq!(text, "USER     EXTENSION\naksethi  1004\njo       7\n");
    }
}
