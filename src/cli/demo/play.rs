//! The journey, played by the built-in handset against the running service.

use std::net::SocketAddr;
use std::sync::Arc;

use super::report::Report;
use crate::cli::CliError;
use crate::cli::output::Output;
use crate::cli::phone::command::{random_bytes, random_mac};
use crate::cli::phone::event::Sink;
use crate::cli::phone::files::FileServers;
use crate::cli::phone::handset::{Handset, Options};
use crate::cli::phone::{script, terminal};
use crate::domain::phone_model;
use crate::domain::secret::Secret;

/// The model that plays: a common desk phone.
const MODEL: &str = "Cisco 7841";

/// Plays a factory-fresh phone until it is its user's, showing each screen.
///
/// # Errors
///
/// The journey stopped somewhere; the text says where.
pub async fn journey(report: &Report, output: Output) -> Result<(), CliError> {
    let user = report
        .users
        .first()
        .ok_or_else(|| failed("there is no sample user"))?;
    let mut handset = Handset::new(options(report)?, sink(output))?;
    handset.power_on().await?;
    let pin = Secret::from(user.pin.as_str());
    let steps = format!("{}wait registered {}\n", script::JOURNEY, user.extension);
    let steps = script::parse(&steps, Some(&user.user_id), Some(&pin))?;
    script::run(&mut handset, &steps).await?;
    if handset.display().is_some() {
        return Err(failed("the phone still shows a screen"));
    }
    if !output.json {
        let name = handset.name();
        output.line(handset.drawing());
        output.line(format!(
            "{name} is now {}'s phone, {}.\n",
            user.user_id, user.extension
        ));
    }
    handset.power_off().await;
    Ok(())
}

fn options(report: &Report) -> Result<Options, CliError> {
    let tftp: SocketAddr = report.tftp.parse().map_err(|_| failed("no TFTP address"))?;
    Ok(Options {
        mac: random_mac(),
        model: phone_model::by_product(MODEL).ok_or_else(|| failed("no such model"))?,
        servers: FileServers {
            http: Some(report.config_http.clone()),
            tftp: Some(tftp),
        },
        ca_file: Some(report.ca_file.clone()),
        transport: None,
        random: random_bytes,
    })
}

fn sink(output: Output) -> Sink {
    Arc::new(move |event| {
        if output.json {
            output.json_line(&event);
        } else {
            terminal::print(output, &event);
        }
    })
}

/// How to go on by hand.
pub fn invitation(report: &Report) -> String {
    format!(
        "The service stays up until you interrupt it (Ctrl-C). Another phone, yours to use:\n\n  \
         selfprov phone --config-url {} --ca-file {}\n",
        report.config_http,
        report.ca_file.display()
    )
}

fn failed(text: &str) -> CliError {
    CliError::Failed(text.to_owned())
}
