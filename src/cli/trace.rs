//! The service trace as the settings want it.

use jiff::tz::TimeZone;

use super::CliError;
use crate::server::trace_files::{InvalidRetention, Retention};
use crate::server::trace_log::{Level, TraceLog, UDS_FILES};
use crate::settings::load::DATABASE_KEY;
use crate::settings::table::Key;
use crate::settings::tables::{Log, LogLevel};
use crate::settings::{Loaded, Settings, Sources};

/// Opens the `cucm-uds` files.
///
/// # Errors
///
/// The folder cannot be made or written.
pub fn open(settings: &Settings) -> Result<TraceLog, CliError> {
    let folder = settings.log_dir();
    let failed = |reason: String| {
        let folder = folder.display();
        CliError::Failed(format!(
            "cannot write logs in {folder}: {reason}; see log.dir"
        ))
    };
    let retention = retention(&settings.log).map_err(|error| failed(error.to_string()))?;
    let zone = TimeZone::get(settings.date_time.zone.0.as_str()).unwrap_or(TimeZone::UTC);
    let level = level(&settings.log);
    TraceLog::open(&folder, UDS_FILES, retention, level, zone)
        .map_err(|error| failed(error.to_string()))
}

/// Keys that are taken while the service runs. Of `log.level` the trace's part is as well, but not
/// that of the service's own log.
const TAKEN: [&str; 2] = ["log.cucm_uds_files", "log.cucm_uds_file_bytes"];

/// Reads the settings again and gives size, number and level to the trace while it runs; says in
/// the log which settings are not those of the start (`started`) and wait for a restart, or that
/// none can be read, and changes nothing then.
pub fn reload_and_tell(sources: &Sources, started: &Settings, trace: &TraceLog) {
    let settings = match Loaded::read(sources) {
        Ok(loaded) => loaded.settings,
        Err(error) => {
            tracing::error!(%error, "keeping the settings");
            return;
        }
    };
    match retention(&settings.log) {
        Ok(retention) => trace.set_retention(retention),
        Err(error) => tracing::error!(%error, "keeping the size of the service trace"),
    }
    trace.set_level(level(&settings.log));
    let waiting = waiting(started, &settings);
    if waiting.is_empty() {
        tracing::info!("the settings were read again; none needs a restart of the service");
    } else {
        let settings = waiting.join(", ");
        tracing::warn!(settings, "these settings were changed and need a restart");
    }
}

/// The keys that were changed since the start and are not taken before the next.
fn waiting(started: &Settings, now: &Settings) -> Vec<String> {
    let keys = Settings::keys().filter(|key| started.show(key) != now.show(key));
    let mut waiting: Vec<String> = keys.map(Key::dotted).collect();
    // What is shown of a database leaves its password out.
    let is_other = started.database.url != now.database.url;
    let is_named = waiting.iter().any(|key| key == DATABASE_KEY);
    if is_other && !is_named {
        waiting.push(DATABASE_KEY.to_owned());
    }
    waiting.retain(|key| !TAKEN.contains(&key.as_str()));
    waiting
}

fn retention(log: &Log) -> Result<Retention, InvalidRetention> {
    let files_max = u16::try_from(log.cucm_uds_files.get()).unwrap_or(u16::MAX);
    Retention::new(log.cucm_uds_file_bytes.get().into(), files_max)
}

/// At INFO unless more is wanted: what administrators look for stands at INFO.
fn level(log: &Log) -> Level {
    match log.level {
        LogLevel::Debug => Level::Debug,
        LogLevel::Info | LogLevel::Warn | LogLevel::Error => Level::Info,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_password_of_the_database_waits_for_a_restart_and_a_taken_key_does_not() {
        let settings = |file_bytes: u32, password: &str| {
            let mut sources = Sources::default();
            for assignment in [
                format!("log.cucm_uds_file_bytes={file_bytes}"),
                format!("database.url=postgres://sip:{password}@db/sip"),
            ] {
                sources.add_assignment(&assignment).unwrap();
            }
            Loaded::read(&sources).unwrap().settings
        };
        let started = settings(2_000_000, "kettle");
        assert_eq!(waiting(&started, &settings(3_000_000, "kettle")), [""; 0]);
        assert_eq!(
            waiting(&started, &settings(2_000_000, "pot")),
            [DATABASE_KEY]
        );
    }
}
