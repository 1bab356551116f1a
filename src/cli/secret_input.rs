//! How commands take PINs and passwords: from a file, from standard input, or typed unseen.
//! Never as an argument, which everybody on the machine can read.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

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
    /// Ctrl-C, or the process was told to end, while it was asked.
    #[error("interrupted; nothing was changed")]
    Interrupted,
    /// What was typed twice was not the same.
    #[error("these were two different ones; nothing was changed")]
    Different,
    /// The program cannot hear of Ctrl-C, which would leave the terminal without echo.
    #[error("the terminal cannot be asked: {0}; name a file instead, - for standard input")]
    Signals(io::Error),
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

/// Asks for a new secret: on a terminal twice, since nobody sees what was typed.
///
/// # Errors
///
/// As [`ask`], and the two were not the same.
pub async fn ask_new(question: &str) -> Result<Secret, SecretInputError> {
    let secret = ask(question).await?;
    if io::stdin().is_terminal() && ask("The same again").await? != secret {
        return Err(SecretInputError::Different);
    }
    Ok(secret)
}

/// Asks for it on the terminal without showing what is typed; reads a line when standard input
/// is not a terminal.
///
/// # Errors
///
/// Nothing or too much was entered, or the program was interrupted; the terminal shows again what
/// is typed.
pub async fn ask(question: &str) -> Result<Secret, SecretInputError> {
    if !io::stdin().is_terminal() {
        return from_standard_input();
    }
    let listen = |kind| signal(kind).map_err(SecretInputError::Signals);
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    // Silent before it asks: who sees the question may type.
    let _silence = Silence::begin();
    let _ = write!(io::stderr(), "{question}: ");
    let _ = io::stderr().flush();
    let line = tokio::task::spawn_blocking(from_standard_input);
    tokio::select! {
        line = line => line.map_err(|_| SecretInputError::Interrupted)?,
        _ = interrupt.recv() => Err(SecretInputError::Interrupted),
        _ = terminate.recv() => Err(SecretInputError::Interrupted),
    }
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence {
    before: Termios,
}

impl Silence {
    /// `None`: the terminal does not do it, and the text is seen, which is better than nothing.
    fn begin() -> Option<Self> {
        let before = tcgetattr(io::stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSANOW, &silent).ok()?;
        Some(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.before);
        let _ = writeln!(io::stderr());
    }
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
