//! How the service of a data directory was started, kept in it: commands of the same directory read
//! the same settings and find the same database, or say what they miss.

mod database;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::CliError;
use crate::settings::load::{DATABASE_KEY, FILE_NAME as SETTINGS_FILE_NAME};
use crate::settings::table::Key;
use crate::settings::{Loaded, Origin, Settings, Sources};
pub use database::refuse_unknown_database;

/// The file in the data directory.
const FILE_NAME: &str = "started-with.json";

/// Mode of that file: its owner alone.
const FILE_MODE: u32 = 0o600;

/// The key that says where this file is.
const DATA_DIR_KEY: &str = "data_dir";

/// How the service was started last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StartedWith {
    /// The settings file, where it is not the one in the data directory.
    file: Option<PathBuf>,
    /// The directory of which relative paths in the settings are.
    #[serde(default)]
    directory: Option<PathBuf>,
    /// Settings of the environment: variable and text.
    environment: Vec<(String, String)>,
    /// Settings of the command line: the flag, the dotted key, the text.
    flags: Vec<(String, String, String)>,
    /// The database that the settings named, without a password; `None`: the data directory's own.
    database: Option<String>,
}

/// Remembers how the service is started, without what is secret.
///
/// # Errors
///
/// The data directory cannot be written.
pub fn remember(loaded: &Loaded, sources: &Sources) -> Result<(), CliError> {
    let data_dir = &loaded.settings.top.data_dir;
    // Of the data directory's own file nothing is remembered: the directory may be moved.
    let own_file = data_dir.join(SETTINGS_FILE_NAME);
    let file = loaded.file.as_ref().filter(|file| **file != own_file);
    let url = loaded.settings.database.url.as_ref();
    let of_variable = |(variable, text): &(String, String)| {
        let key = Settings::keys().find(|key| key.variable() == *variable)?;
        Some((variable.clone(), remembered(&key.dotted(), text)?))
    };
    let of_flag = |(flag, key, text): &(String, String, String)| {
        Some((flag.clone(), key.clone(), remembered(key, text)?))
    };
    let started = StartedWith {
        file: file.map(std::path::absolute).transpose()?,
        directory: std::env::current_dir().ok(),
        environment: sources.environment.iter().filter_map(of_variable).collect(),
        flags: sources.flags.iter().filter_map(of_flag).collect(),
        database: url.map(|url| database::shown(&url.redacted())),
    };
    let text = serde_json::to_vec_pretty(&started).map_err(io::Error::from)?;
    Ok(write(&data_dir.join(FILE_NAME), &text)?)
}

/// What is remembered of a setting's text; `None`: nothing.
fn remembered(key: &str, text: &str) -> Option<String> {
    match key {
        DATA_DIR_KEY => None,
        DATABASE_KEY => Some(database::without_password(text)),
        _ => Some(text.to_owned()),
    }
}

/// Beside its place first, so that nobody ever reads half of it.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(FILE_MODE);
    options.open(&beside)?.write_all(bytes)?;
    fs::rename(&beside, path)
}

/// The settings of the service whose data directory the caller's sources name: what the caller
/// says, over what the service was started with.
///
/// # Errors
///
/// The settings cannot be used, or the data directory may not be read.
pub fn settings(own: Sources) -> Result<Loaded, CliError> {
    let loaded = Loaded::read(&own)?;
    let data_dir = &loaded.settings.top.data_dir;
    let Some(started) = read(data_dir)? else {
        return Ok(loaded);
    };
    let said = said(&loaded, own.names_file());
    let directory = started.directory.clone();
    let mut sources = started.under(own, &said);
    let here = data_dir.display().to_string();
    let flag = "--data-dir".to_owned();
    sources.flags.push((flag, DATA_DIR_KEY.to_owned(), here));
    let mut all = Loaded::read(&sources)?;
    if let Some(directory) = directory {
        all.take_paths_from(&directory, |key| {
            let key = key.dotted();
            key != DATA_DIR_KEY && !said.contains(&key)
        });
    }
    Ok(all)
}

/// The keys that a command has a word of its own for: by flag, by variable, or in a file that it
/// names itself.
fn said(loaded: &Loaded, names_file: bool) -> BTreeSet<String> {
    let is_said = |key: &&Key| match loaded.origin(key) {
        Origin::Default => false,
        Origin::File(_) => names_file,
        Origin::Environment(_) | Origin::Flag(_) => true,
    };
    let keys = Settings::keys().filter(is_said);
    keys.map(Key::dotted).collect()
}

fn read(data_dir: &Path) -> Result<Option<StartedWith>, CliError> {
    let path = data_dir.join(FILE_NAME);
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            CliError::Failed(format!(
                "{} cannot be read ({error}); the next start of the service writes it anew",
                path.display()
            ))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(CliError::Failed(not_allowed(data_dir)))
        }
        Err(error) => Err(error.into()),
    }
}

/// What somebody hears who may not look into the data directory.
pub(super) fn not_allowed(data_dir: &Path) -> String {
    format!(
        "the data directory {} is not yours to read: run this as root or as the service's user \
         (whether the service runs cannot be seen from here)",
        data_dir.display()
    )
}

impl StartedWith {
    /// The sources of a command, which has `said` these keys, on top of these.
    fn under(self, own: Sources, said: &BTreeSet<String>) -> Sources {
        let file = if own.names_file() {
            own.file
        } else {
            self.file
        };
        let key_of = |variable: &str| Settings::keys().find(|key| key.variable() == variable);
        let is_unsaid = |(variable, _): &(String, String)| {
            key_of(variable).is_some_and(|key| !said.contains(&key.dotted()))
        };
        let mut environment: Vec<_> = self.environment.into_iter().filter(is_unsaid).collect();
        environment.extend(own.environment);
        let flags = self.flags.into_iter();
        let of_serve = flags
            .filter(|(_, key, _)| !said.contains(key))
            .map(|(flag, key, text)| (format!("{flag} of serve"), key, text));
        Sources {
            file,
            environment,
            flags: of_serve.chain(own.flags).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
