//! Why a command did not do what it was told, and the exit status that says so.

use std::io;
use std::path::PathBuf;

use super::data_dir::DataDirError;
use super::phone::handset::HandsetError;
use super::phone::script::ScriptError;
use super::secret_input::SecretInputError;
use crate::server::run::RunError;
use crate::server::sockets::BindError;
use crate::server::tls::TlsError;
use crate::service::administration::AdministrationError;
use crate::service::keys::key_file::KeyFileError;
use crate::service::start::StartError;
use crate::settings::SettingsError;

/// A command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The settings cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The firmware folder cannot be read.
    #[error(
        "the firmware folder {} cannot be read: {source}; mend phones.firmware_dir, or leave it \
         out if no phone loads firmware from here",
        path.display()
    )]
    FirmwareFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No PIN or password could be had.
    #[error(transparent)]
    Secret(#[from] SecretInputError),
    /// The terminal handset failed.
    #[error(transparent)]
    Handset(#[from] HandsetError),
    /// The terminal handset's script did not run to its end.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A port could not be had.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The key file cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The database, or what is loaded from it, cannot be used.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no certificate to serve with.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The service cannot run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The sample data or the first administrator could not be made.
    #[error(transparent)]
    Administration(#[from] AdministrationError),
    /// The system refused something every program may do.
    #[error("the system refused: {0}")]
    System(#[from] io::Error),
    /// Anything else; the text says why and what to do.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// The exit status of the program.
    pub const fn exit_status(&self) -> u8 {
        match self {
            Self::Settings(_) | Self::FirmwareFolder { .. } => 3,
            _ => 1,
        }
    }
}
