//! The service's own log on standard error.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::settings::tables::{Log, LogFormat};

/// Starts the log. A second call changes nothing.
pub fn start(log: &Log) {
    // The libraries below log for their developers; only what an administrator can act on stays.
    let filter = format!("warn,selfprov={}", log.level.as_str());
    let builder = fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr);
    let _ = match log.format {
        LogFormat::Json => builder.json().try_init(),
        LogFormat::Text => builder.with_target(false).with_ansi(false).try_init(),
    };
}
