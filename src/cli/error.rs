//! Why a command did not do what it was told, and the exit status that says so.

use super::phone::handset::HandsetError;
use super::phone::script::ScriptError;
use super::secret_input::SecretInputError;
use crate::settings::SettingsError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// No PIN or password could be had.
    #[error(transparent)]
    Secret(#[from] SecretInputError),
    /// The terminal handset failed.
    #[error(transparent)]
    Handset(#[from] HandsetError),
    /// The terminal handset's script did not run to its end.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// Anything else; the text says why and what to do.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// The exit status of the program.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Settings(_) => 3,
            _ => 1,
        }
    }
}
