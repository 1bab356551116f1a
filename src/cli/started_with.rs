//! How the service of a data directory was started, kept in it: commands of the same directory read
//! the same settings and find the same database, or say what they miss.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::CliError;
use crate::service::keys::key_file;
use crate::settings::load::{FILE_VARIABLE, VARIABLE_PREFIX};
use crate::settings::table::Key;
use crate::settings::value::DatabaseUrl;
use crate::settings::{Loaded, Settings, Sources};

/// The file in the data directory.
const FILE_NAME: &str = "started-with.json";

/// Mode of that file: its owner alone.
const FILE_MODE: u32 = 0o600;

/// The key that may hold a password, and the one that says where this file is.
const DATABASE_KEY: &str = "database.url";
const DATA_DIR_KEY: &str = "data_dir";

/// How the service was started last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StartedWith {
    /// The settings file.
    file: Option<PathBuf>,
    /// Settings of the environment: variable and text.
    environment: Vec<(String, String)>,
    /// Settings of the command line: the flag, the dotted key, the text.
    flags: Vec<(String, String, String)>,
    /// The database, without a password.
    database: String,
}

/// Remembers how the service is started, without what is secret.
///
/// # Errors
///
/// The data directory cannot be written.
pub fn remember(loaded: &Loaded, sources: &Sources) -> Result<(), CliError> {
    let data_dir = &loaded.settings.top.data_dir;
    let is_remembered = |key: &str, text: &str| match key {
        DATA_DIR_KEY => false,
        DATABASE_KEY => !has_password(text),
        _ => true,
    };
    let of_variable = |variable: &str| Settings::keys().find(|key| key.variable() == variable);
    let file = loaded.file.as_ref().map(std::path::absolute).transpose()?;
    let started = StartedWith {
        file,
        environment: sources
            .environment
            .iter()
            .filter(|(variable, text)| {
                let key = of_variable(variable).map(Key::dotted);
                key.is_some_and(|key| is_remembered(&key, text))
            })
            .cloned()
            .collect(),
        flags: sources
            .flags
            .iter()
            .filter(|(_, key, text)| is_remembered(key, text))
            .cloned()
            .collect(),
        database: database_of(&loaded.settings),
    };
    let text = serde_json::to_vec_pretty(&started).map_err(io::Error::from)?;
    Ok(write(&data_dir.join(FILE_NAME), &text)?)
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
    let mut sources = started.under(own);
    let here = data_dir.display().to_string();
    let flag = "--data-dir".to_owned();
    sources.flags.push((flag, DATA_DIR_KEY.to_owned(), here));
    Ok(Loaded::read(&sources)?)
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
    /// The sources of a command on top of these.
    fn under(self, own: Sources) -> Sources {
        let has_variable = |name: &str| own.environment.iter().any(|(one, _)| one == name);
        let file = match own.file {
            None if !has_variable(FILE_VARIABLE) => self.file,
            ref file => file.clone(),
        };
        let of_serve = |(flag, key, text): (String, String, String)| {
            let variable = key.to_ascii_uppercase().replacen('.', "__", 1);
            let is_overruled = has_variable(&format!("{VARIABLE_PREFIX}{variable}"));
            (!is_overruled).then(|| (format!("{flag} of serve"), key, text))
        };
        let mut flags: Vec<_> = self.flags.into_iter().filter_map(of_serve).collect();
        let mut environment: Vec<_> = self
            .environment
            .into_iter()
            .filter(|(name, _)| !has_variable(name))
            .collect();
        environment.extend(own.environment);
        flags.extend(own.flags);
        Sources {
            file,
            environment,
            flags,
        }
    }
}

/// Refuses to open a database that no service of this data directory has made: commands make none.
///
/// # Errors
///
/// The text says what is missing and what to name.
pub fn refuse_unknown_database(settings: &Settings) -> Result<(), CliError> {
    let data_dir = &settings.top.data_dir;
    let here = data_dir.display();
    let name_it = "name the service's with --data-dir or SELFPROV_DATA_DIR, or start one: \
                   selfprov serve";
    let refused = |text: String| Err(CliError::Failed(text));
    if !data_dir
        .join(key_file::FILE_NAME)
        .try_exists()
        .unwrap_or(true)
    {
        key_file::refuse_lost(data_dir, settings.sqlite_file().as_deref())?;
        return refused(format!(
            "no service was ever started on the data directory {here}; {name_it}"
        ));
    }
    let database = database_of(settings);
    match read(data_dir)? {
        Some(started) if started.database != database => refused(format!(
            "the service of {here} was last started on the database {}, and these settings name \
             {database}; say which: SELFPROV_DATABASE__URL or --set database.url=URL with its \
             password, or --config FILE",
            started.database
        )),
        None if settings.sqlite_file().is_none() => refused(format!(
            "no service of {here} was ever started on the database {database}; {name_it}"
        )),
        _ => match settings.sqlite_file() {
            Some(file) if !file.exists() => refused(format!(
                "there is no database {}: restore it from your backup, or {name_it}",
                file.display()
            )),
            _ => Ok(()),
        },
    }
}

/// The database as it may be shown and compared: without password and parameters.
fn database_of(settings: &Settings) -> String {
    let url = match &settings.database.url {
        Some(url) => url.redacted(),
        None => settings.database_url(),
    };
    url.split('?').next().unwrap_or_default().to_owned()
}

/// Whether a database URL may hold a password.
fn has_password(text: &str) -> bool {
    let is_hidden = |url: DatabaseUrl| url.redacted() != text;
    text.contains("password") || text.parse().map_or(true, is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(key: &str, text: &str) -> (String, String, String) {
        (format!("--set {key}"), key.to_owned(), text.to_owned())
    }

    fn sources(data_dir: &Path) -> Sources {
        let here = data_dir.display().to_string();
        Sources {
            flags: vec![flag(DATA_DIR_KEY, &here)],
            ..Sources::default()
        }
    }

    #[test]
    fn a_command_reads_what_the_service_was_started_with_and_its_own_word_wins() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("settings.toml");
        fs::write(&file, "[listen]\nhttp_phones = true\n").unwrap();
        let mut serve = sources(dir.path());
        serve.file = Some(file.clone());
        serve.flags.push(flag("listen.https_port", "9443"));
        let variable = "SELFPROV_LOG__LEVEL".to_owned();
        serve.environment = vec![(variable.clone(), "debug".to_owned())];
        remember(&Loaded::read(&serve).unwrap(), &serve).unwrap();

        let seen = settings(sources(dir.path())).unwrap();
        assert_eq!(seen.file, Some(file));
        assert!(seen.settings.listen.http_phones);
        assert_eq!(database_of(&seen.settings), seen.settings.database_url());
        let port = |loaded: &Loaded| loaded.settings.addresses().https.port();
        assert_eq!(port(&seen), 9443);
        let mut own = sources(dir.path());
        let name = "SELFPROV_LISTEN__HTTPS_PORT".to_owned();
        own.environment = vec![(name, "9444".to_owned())];
        assert_eq!(port(&settings(own).unwrap()), 9444);
    }

    #[test]
    fn no_password_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let mut serve = sources(dir.path());
        let url = "postgres://sip:kettle@db/sip?sslmode=require";
        serve.flags.push(flag(DATABASE_KEY, url));
        remember(&Loaded::read(&serve).unwrap(), &serve).unwrap();
        let kept = fs::read_to_string(dir.path().join(FILE_NAME)).unwrap();
        assert!(!kept.contains("kettle"), "{kept}");
        assert!(kept.contains("postgres://sip:[redacted]@db/sip"), "{kept}");
        let open = "postgres://sip@db/sip";
        assert!(!has_password(open) && has_password(url));
        assert!(has_password("postgres://db/sip?user=a&password=b"));
    }
}
