//! The service's own log on standard error.

use std::io;
use std::io::Write;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::server::metrics::LOG_LINES_LOST;
use crate::server::metrics::recorder;
use crate::settings::tables::{Log, LogFormat};

/// Starts the log. A second call changes nothing.
pub fn start(log: &Log) {
    // The libraries below log for their developers; only what an administrator can act on stays.
    let filter = format!("warn,selfprov={}", log.level.as_str());
    // Before the first line, so that no lost one is counted into the void.
    recorder();
    let builder = fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(|| StandardError)
        // It would be told on standard error, and whoever cannot write there would panic.
        .log_internal_errors(false);
    let _ = match log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_target(false).with_ansi(false).try_init(),
    };
}

/// Standard error as the log writes it: a line that cannot be written (a full disk, a reader that
/// has gone) is lost and counted, and whoever wrote it goes on.
struct StandardError;

impl Write for StandardError {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if io::stderr().lock().write_all(line).is_err() {
            metrics::counter!(LOG_LINES_LOST).increment(1);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
