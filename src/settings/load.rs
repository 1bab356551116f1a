//! Where settings come from: default, file, environment, flag; the last one wins.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Value;

use super::Settings;
use super::table::Key;
use super::value::Kind;

/// The file that is read from the data directory when no other is named.
pub const FILE_NAME: &str = "selfprov.toml";

/// The environment variable that names the settings file.
pub const FILE_VARIABLE: &str = "SELFPROV_CONFIG";

/// What every environment variable of a setting begins with.
pub const VARIABLE_PREFIX: &str = "SELFPROV_";

/// The key of the database's URL, which may hold a password, or a path.
pub const DATABASE_KEY: &str = "database.url";

/// Variables with our prefix that are not settings: those of the test scripts.
const TEST_PREFIX: &str = "SELFPROV_TEST_";

/// Largest settings file in bytes: a longer one is the wrong file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The settings file.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag, as it was written.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// What the caller found outside the program.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file that `--config` named.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Flags: the flag as written, the dotted key, the text.
    pub flags: Vec<(String, String, String)>,
}

impl Sources {
    /// Adds `--set key=text`, as clap gives it.
    ///
    /// # Errors
    ///
    /// There is no `=`.
    pub fn add_assignment(&mut self, assignment: &str) -> Result<(), SettingsError> {
        let (key, text) = assignment
            .split_once('=')
            .ok_or_else(|| SettingsError::Assignment {
                text: assignment.to_owned(),
            })?;
        let flag = format!("--set {key}");
        self.flags
            .push((flag, key.trim().to_owned(), text.to_owned()));
        Ok(())
    }

    /// Whether a settings file is named, by flag or by variable.
    pub fn names_file(&self) -> bool {
        self.file.is_some() || self.variable(FILE_VARIABLE).is_some()
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self
            .environment
            .iter()
            .find(|(variable, _)| variable == name);
        found
            .map(|(_, text)| text.as_str())
            .filter(|text| !text.is_empty())
    }
}

/// Why the settings cannot be used. Always the administrator's to mend; the text says where.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read the settings file {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is not TOML.
    #[error("the settings file {} is not valid TOML:\n{reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// There is no such key.
    #[error(
        "unknown setting {key} ({origin}); did you mean {nearest}? `selfprov config --default` lists them all"
    )]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// The most similar key.
        nearest: String,
    },
    /// The key's value is not allowed.
    #[error("{key} ({origin}): {reason}")]
    Value {
        /// The key.
        key: String,
        /// Where it was written.
        origin: Origin,
        /// What was expected.
        reason: String,
    },
    /// `--set` without `=`.
    #[error("--set {text}: write --set table.key=value, for example --set listen.https_port=9443")]
    Assignment {
        /// What was written.
        text: String,
    },
}

/// The settings and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The settings file that was read.
    pub file: Option<PathBuf>,
    origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Reads all sources.
    ///
    /// # Errors
    ///
    /// The file cannot be read or parsed, a key is unknown, or a value is not allowed.
    pub fn read(sources: &Sources) -> Result<Self, SettingsError> {
        let mut loaded = Self {
            settings: Settings::default(),
            file: None,
            origins: BTreeMap::new(),
        };
        loaded.settings.top.data_dir = default_data_dir(sources);
        if let Some((path, table)) = read_file(sources)? {
            loaded.apply_file(&path, &table)?;
            loaded.file = Some(path);
        }
        loaded.apply_environment(sources)?;
        for (flag, name, text) in &sources.flags {
            let origin = Origin::Flag(flag.clone());
            let key = find_key(name, &origin)?;
            loaded.apply_text(key, text, origin)?;
        }
        Ok(loaded)
    }

    /// Where the value of `key` came from.
    pub fn origin(&self, key: &Key) -> &Origin {
        self.origins.get(&key.dotted()).unwrap_or(&Origin::Default)
    }

    /// Takes relative paths, where somebody set them and `is_meant` says so, as ones of `directory`.
    pub fn take_paths_from(&mut self, directory: &Path, is_meant: impl Fn(&Key) -> bool) {
        for key in Settings::keys() {
            if self.origin(key) == &Origin::Default || !is_meant(key) {
                continue;
            }
            if key.dotted() == DATABASE_KEY {
                let url = self.settings.database.url.take();
                self.settings.database.url = url.map(|url| url.in_directory(directory));
            } else if key.kind == Kind::Path
                && let Some(Value::String(path)) = self.settings.show(key)
            {
                let path = directory.join(path).display().to_string();
                // A path that was read before is one with a directory before it as well.
                let _ = self.settings.set(key, &Value::String(path));
            }
        }
    }

    fn apply_file(&mut self, path: &Path, table: &toml::Table) -> Result<(), SettingsError> {
        let origin = || Origin::File(path.to_owned());
        let is_table = |name: &str| Settings::tables().iter().any(|table| table.0 == name);
        for (name, value) in table {
            match value {
                Value::Table(inner) if is_table(name) => {
                    for (inner_name, value) in inner {
                        let key = find_key(&format!("{name}.{inner_name}"), &origin())?;
                        self.apply(key, value, origin())?;
                    }
                }
                _ => self.apply(find_key(name, &origin())?, value, origin())?,
            }
        }
        Ok(())
    }

    fn apply_environment(&mut self, sources: &Sources) -> Result<(), SettingsError> {
        for (variable, text) in &sources.environment {
            let Some(path) = variable.strip_prefix(VARIABLE_PREFIX) else {
                continue;
            };
            if variable == FILE_VARIABLE || variable.starts_with(TEST_PREFIX) {
                continue;
            }
            let origin = Origin::Environment(variable.clone());
            let dotted = path.to_ascii_lowercase().replacen("__", ".", 1);
            let key = find_key(&dotted, &origin)?;
            self.apply_text(key, text, origin)?;
        }
        Ok(())
    }

    fn apply_text(&mut self, key: &Key, text: &str, origin: Origin) -> Result<(), SettingsError> {
        match key.kind.parse(text) {
            Ok(value) => self.apply(key, &value, origin),
            // Empty text takes back what is optional, whatever its shape.
            Err(_) if text.is_empty() => self.apply(key, &Value::from(""), origin),
            Err(reason) => Err(SettingsError::Value {
                key: key.dotted(),
                origin,
                reason,
            }),
        }
    }

    fn apply(&mut self, key: &Key, value: &Value, origin: Origin) -> Result<(), SettingsError> {
        let dotted = key.dotted();
        match self.settings.set(key, value) {
            Ok(()) => {
                self.origins.insert(dotted, origin);
                Ok(())
            }
            Err(reason) => Err(SettingsError::Value {
                key: dotted,
                origin,
                reason,
            }),
        }
    }
}

/// Where data goes when nobody says: systemd's state directory, else the user's data directory.
fn default_data_dir(sources: &Sources) -> PathBuf {
    let variable = |name| sources.variable(name).map(PathBuf::from);
    variable("STATE_DIRECTORY")
        .or_else(|| variable("XDG_DATA_HOME").map(|dir| dir.join("selfprov")))
        .or_else(|| variable("HOME").map(|dir| dir.join(".local/share/selfprov")))
        .unwrap_or_else(|| Settings::default().top.data_dir)
}

/// The settings file: the named one, which must exist, or the data directory's, which may.
fn read_file(sources: &Sources) -> Result<Option<(PathBuf, toml::Table)>, SettingsError> {
    let named = sources.file.clone();
    let named = named.or_else(|| sources.variable(FILE_VARIABLE).map(PathBuf::from));
    let path = named
        .clone()
        .unwrap_or_else(|| data_dir_of(sources).join(FILE_NAME));
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    let unreadable = |reason: String| SettingsError::Unreadable {
        path: path.clone(),
        reason,
    };
    let bytes = std::fs::metadata(&path)
        .map_err(|error| unreadable(error.to_string()))?
        .len();
    if bytes > FILE_BYTES_MAX {
        return Err(unreadable(format!(
            "it has {bytes} bytes, more than {FILE_BYTES_MAX}"
        )));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
    let table = text
        .parse()
        .map_err(|error: toml::de::Error| SettingsError::Syntax {
            path: path.clone(),
            reason: error.to_string(),
        })?;
    Ok(Some((path, table)))
}

/// The data directory before any file is read: flag, environment, default.
fn data_dir_of(sources: &Sources) -> PathBuf {
    let flag = sources
        .flags
        .iter()
        .rev()
        .find(|(_, key, _)| key == "data_dir");
    flag.map(|(_, _, text)| PathBuf::from(text))
        .or_else(|| sources.variable("SELFPROV_DATA_DIR").map(PathBuf::from))
        .unwrap_or_else(|| default_data_dir(sources))
}

fn find_key(name: &str, origin: &Origin) -> Result<&'static Key, SettingsError> {
    if let Some(key) = Settings::keys().find(|key| key.dotted() == name) {
        return Ok(key);
    }
    let nearest = Settings::keys()
        .min_by_key(|key| distance(name, &key.dotted()))
        .map(Key::dotted)
        .unwrap_or_default();
    Err(SettingsError::UnknownKey {
        key: name.to_owned(),
        origin: origin.clone(),
        nearest,
    })
}

/// How many characters must be added, removed or changed to make `left` into `right`.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, from) in left.chars().enumerate() {
        let mut diagonal = index;
        let mut before = index + 1;
        let mut next = vec![before];
        for (to, above) in right.iter().zip(row.iter().skip(1)) {
            let changed = diagonal + usize::from(from != *to);
            before = changed.min(above + 1).min(before + 1);
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests;
