//! Which database a command may open while no service runs: commands make none, and do not guess.

use std::fs;

use super::{CliError, read};
use crate::service::keys::key_file;
use crate::settings::Settings;
use crate::settings::value::{DatabaseUrl, REDACTED};

/// Refuses to open a database that no service of this data directory has made: commands make none.
///
/// A database that the settings name is believed, whatever the last start named: it may have moved.
/// Whether a service has ever filled it, opening says.
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
    let key = data_dir.join(key_file::FILE_NAME);
    if !key.try_exists().unwrap_or(true) {
        key_file::refuse_lost(data_dir, settings.sqlite_file().as_deref())?;
        return refused(format!(
            "no service was ever started on the data directory {here}; {name_it}"
        ));
    }
    let theirs = read(data_dir)?.and_then(|started| started.database);
    let say_it = "SELFPROV_DATABASE__URL or --set database.url=URL with its password, or \
                  --config FILE";
    match (&settings.database.url, theirs) {
        (Some(ours), _) if ours.reveal().contains(REDACTED) => refused(format!(
            "the service of {here} was last started on the database {}, whose password is not \
             kept; say it: {say_it}",
            shown(ours.reveal())
        )),
        (None, Some(theirs)) if !is_own(&theirs, settings) => refused(format!(
            "the service of {here} was last started on the database {theirs}, and these settings \
             name {}; say which: {say_it}",
            settings.database_url()
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

/// Whether a URL names the data directory's own database by another path.
fn is_own(url: &str, settings: &Settings) -> bool {
    let theirs = url.parse::<DatabaseUrl>();
    let theirs = theirs
        .ok()
        .and_then(|url| url.sqlite_file().map(fs::canonicalize));
    let ours = settings.sqlite_file().map(fs::canonicalize);
    matches!((theirs, ours), (Some(Ok(theirs)), Some(Ok(ours))) if theirs == ours)
}

/// A URL as it may be shown: without parameters. Its password is hidden already.
pub(super) fn shown(url: &str) -> String {
    url.split('?').next().unwrap_or_default().to_owned()
}

/// A database URL as it may be kept: one that holds a password says that it is hidden.
pub(super) fn without_password(text: &str) -> String {
    let hidden = text.parse().map(|url: DatabaseUrl| url.redacted());
    let hidden = hidden.unwrap_or_default();
    if hidden != text {
        return shown(&hidden);
    }
    match text.split_once('?') {
        Some((url, parameters)) if parameters.contains("password") => format!("{url}?{REDACTED}"),
        _ => hidden,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hidden_wherever_it_stands() {
        for (url, kept) in [
            ("postgres://sip@db/sip", "postgres://sip@db/sip"),
            (
                "postgres://sip:kettle@db/sip?sslmode=require",
                "postgres://sip:[redacted]@db/sip",
            ),
            (
                "postgres://db/sip?user=a&password=b",
                "postgres://db/sip?[redacted]",
            ),
            ("sqlite:a.db?mode=rw", "sqlite:a.db?mode=rw"),
        ] {
            assert_eq!(without_password(url), kept);
        }
    }
}
