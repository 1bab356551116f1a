//! How commands take PINs and passwords: from a file, from standard input, or typed unseen.
//! Never as an argument, which everybody on the machine can read.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::domain::secret::Secret;

/// Longest secret in bytes that is taken.
const SECRET_BYTES_MAX: usize = 1_024;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretInputError {
    /// The file cannot be read.
    #[error("cannot read {path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: io::Error,
    },
    /// Nothing was given.
    #[error("nothing was entered")]
    Empty,
    /// Too much was given.
    #[error("more than {SECRET_BYTES_MAX} bytes")]
    TooLong,
}

/// Reads the first line of a file; `-` is standard input.
///
/// # Errors
///
/// The file cannot be read, or its first line is empty or too long.
pub fn from_file(path: &Path) -> Result<Secret, SecretInputError> {
    if path.as_os_str() == "-" {
        return from_standard_input();
    }
    let text = std::fs::read_to_string(path).map_err(|reason| SecretInputError::File {
        path: path.display().to_string(),
        reason,
    })?;
    first_line(&text)
}

/// Asks for it on the terminal without showing what is typed; reads a line when standard input
/// is not a terminal.
///
/// # Errors
///
/// Nothing or too much was entered.
pub fn ask(question: &str) -> Result<Secret, SecretInputError> {
    if !io::stdin().is_terminal() {
        return from_standard_input();
    }
    let _ = write!(io::stderr(), "{question}: ");
    let _ = io::stderr().flush();
    let hidden = echo(false);
    let secret = from_standard_input();
    if hidden {
        echo(true);
        let _ = writeln!(io::stderr());
    }
    secret
}

fn from_standard_input() -> Result<Secret, SecretInputError> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|reason| SecretInputError::File {
            path: "standard input".to_owned(),
            reason,
        })?;
    first_line(&line)
}

fn first_line(text: &str) -> Result<Secret, SecretInputError> {
    match text.lines().next().unwrap_or_default() {
        "" => Err(SecretInputError::Empty),
        line if line.len() > SECRET_BYTES_MAX => Err(SecretInputError::TooLong),
        line => Ok(Secret::from(line)),
    }
}

/// Switches the terminal's echo; without `stty` the text is seen, which is better than nothing.
fn echo(on: bool) -> bool {
    let mode = if on { "echo" } else { "-echo" };
    let status = Command::new("stty")
        .arg(mode)
        .stdin(Stdio::inherit())
        .status();
    status.is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_file_is_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pin");
        std::fs::write(&path, "82641\nrest\n").unwrap();
        assert_eq!(from_file(&path).unwrap().reveal(), "82641");
        std::fs::write(&path, "\n").unwrap();
        assert!(matches!(from_file(&path), Err(SecretInputError::Empty)));
        let error = from_file(&dir.path().join("none")).unwrap_err().to_string();
        assert!(error.contains("cannot read"), "{error}");
    }
}
