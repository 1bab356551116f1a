//! The service trace as the settings want it.

use jiff::tz::TimeZone;

use super::CliError;
use crate::server::trace_files::{InvalidRetention, Retention};
use crate::server::trace_log::{Level, TraceLog, UDS_FILES};
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

/// Reads the settings again and gives size, number and level to the trace while it runs; says in
/// the log when they cannot be read, and changes nothing then.
pub fn reload_and_tell(sources: &Sources, trace: &TraceLog) {
    let log = match Loaded::read(sources) {
        Ok(loaded) => loaded.settings.log,
        Err(error) => {
            tracing::error!(%error, "keeping the settings of the service trace");
            return;
        }
    };
    match retention(&log) {
        Ok(retention) => trace.set_retention(retention),
        Err(error) => tracing::error!(%error, "keeping the size of the service trace"),
    }
    trace.set_level(level(&log));
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
