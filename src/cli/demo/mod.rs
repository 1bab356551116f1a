//! `selfprov demo`: the whole service on this machine with sample data, and the journey played by
//! the built-in handset.

pub mod play;
pub mod report;

use std::path::PathBuf;

use tokio::task::JoinHandle;

use super::CliError;
use super::arguments::{DemoArguments, DemoPorts};
use super::logging;
use super::output::Output;
use super::service;
use crate::domain::secret::Secret;
use crate::server::control::fault;
use crate::service::demo_data::{self, SampleData, SampleUser};
use crate::service::health;
use crate::settings::{Loaded, Settings, Sources};
use report::Report;

/// The PIN of the sample user. It is known to everybody, so the demonstration answers on this
/// machine only.
const PIN: &str = "735912";

/// The password of the sample user.
const PASSWORD: &str = "quiet-Harbour-52";

/// The password of the administrator.
const ADMINISTRATOR_PASSWORD: &str = "calm-Meadow-84";

/// What the demonstration sets before the settings file and flags are looked at.
const SETTINGS: [(&str, &str); 3] = [
    ("listen.http_phones", "true"),
    ("listen.low_ports", "off"),
    ("log.level", "warn"),
];

/// The ports that `--ports auto` leaves to the system.
const PORTS: [&str; 10] = [
    "https_port",
    "http_phones_port",
    "files_http_port",
    "files_https_port",
    "tvs_port",
    "tftp_port",
    "sip_udp_port",
    "sip_tcp_port",
    "sip_tls_port",
    "monitoring_port",
];

/// Runs the demonstration.
///
/// # Errors
///
/// The service cannot start, or the journey did not work.
pub async fn run(
    arguments: &DemoArguments,
    mut sources: Sources,
    output: Output,
) -> Result<(), CliError> {
    let scratch = prepare_sources(arguments, &mut sources)?;
    let loaded = Loaded::read(&sources)?;
    let settings = &loaded.settings;
    if !settings.listen.address.0.is_loopback() {
        let text = "the demonstration has a PIN that everybody knows, so it listens on this \
                    machine only; take away listen.address, or run: selfprov serve";
        return Err(CliError::Failed(text.to_owned()));
    }
    logging::start(&settings.log);
    let result = demonstrate(arguments, settings, sources, output).await;
    drop(scratch);
    result
}

/// Puts the demonstration's own settings before the flags of the command line, which win.
fn prepare_sources(
    arguments: &DemoArguments,
    sources: &mut Sources,
) -> Result<Option<Scratch>, CliError> {
    let mut flags: Vec<(String, String)> = SETTINGS
        .iter()
        .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
        .collect();
    if arguments.ports == DemoPorts::Auto {
        flags.extend(
            PORTS
                .iter()
                .map(|port| (format!("listen.{port}"), "0".to_owned())),
        );
    }
    let named = sources.flags.iter().any(|(_, key, _)| key == "data_dir")
        || sources
            .environment
            .iter()
            .any(|(name, _)| name == "SELFPROV_DATA_DIR");
    let scratch = if named { None } else { Some(Scratch::new()?) };
    if let Some(Scratch(path)) = &scratch {
        flags.push(("data_dir".to_owned(), path.display().to_string()));
    }
    let ours = flags
        .into_iter()
        .map(|(key, text)| ("demo".to_owned(), key, text));
    sources.flags.splice(0..0, ours.collect::<Vec<_>>());
    Ok(scratch)
}

async fn demonstrate(
    arguments: &DemoArguments,
    settings: &Settings,
    sources: Sources,
    output: Output,
) -> Result<(), CliError> {
    let prepared = service::prepare(settings, service::PhonesTrust::OurCertificate).await?;
    let app = prepared.app().clone();
    demo_data::prepare(&app, &fault::actor(&app), &sample_data()?).await?;
    let (trigger, shutdown, signals) = service::watch_signals(&prepared, settings, sources)?;
    let report = Report::new(settings, &prepared, &sample_data()?);
    let mut running: JoinHandle<Result<(), CliError>> =
        tokio::spawn(prepared.run(shutdown.clone()));
    if !health::is_ready(&app).await {
        return Err(CliError::Failed("the database does not answer".to_owned()));
    }
    if let Some(path) = &arguments.report {
        report.write(path)?;
    }
    if output.json && !arguments.once {
        output.json_line(&report);
    } else if !output.json {
        output.line(report.text(output.is_terminal()));
    }
    let played = if arguments.no_play {
        Ok(())
    } else {
        tokio::select! {
            played = play::journey(&report, output) => played,
            ended = &mut running => return finished(ended),
        }
    };
    if arguments.once || shutdown.is_requested() {
        trigger.request();
    } else {
        if let Err(error) = &played {
            output.remark(format!("selfprov: the journey did not work: {error}"));
        }
        if !output.json {
            output.line(play::invitation(&report));
        }
    }
    let ended = running.await;
    signals.abort();
    finished(ended).and(if arguments.once { played } else { Ok(()) })
}

fn finished(ended: Result<Result<(), CliError>, tokio::task::JoinError>) -> Result<(), CliError> {
    ended.unwrap_or_else(|error| Err(CliError::Failed(error.to_string())))
}

/// The sample user of Cisco's guide, with the range from which auto-registration takes numbers.
fn sample_data() -> Result<SampleData, CliError> {
    let invalid = |error: &dyn std::fmt::Display| CliError::Failed(error.to_string());
    let number = |text: &str| text.parse().map_err(|error| invalid(&error));
    Ok(SampleData {
        start_dn: number("1000")?,
        end_dn: number("1999")?,
        user: SampleUser {
            user_id: "aksethi".parse().map_err(|error| invalid(&error))?,
            first_name: "Akash".to_owned(),
            last_name: "Sethi".to_owned(),
            pin: Secret::from(PIN),
            password: Secret::from(PASSWORD),
            extension: number("1004")?,
        },
        administrator_password: Secret::from(ADMINISTRATOR_PASSWORD),
    })
}

/// A directory that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, CliError> {
        let number = u64::from_be_bytes(super::phone::command::random_bytes());
        let path = std::env::temp_dir().join(format!("selfprov-demo-{number:016x}"));
        std::fs::create_dir(&path).map_err(|error| {
            let path = path.display();
            CliError::Failed(format!(
                "cannot make {path}: {error}; name one with --data-dir"
            ))
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is a directory in the system's place for such.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
