//! `selfprov device`.

use super::CliError;
use super::arguments::{DeviceCommand, RestartKind};
use super::control;
use super::output::{Output, columns};
use crate::server::control::protocol::{Answer, DeviceView, Name, Page, Request};
use crate::settings::Settings;

/// Does what the command says.
///
/// # Errors
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: DeviceCommand,
    output: Output,
) -> Result<(), CliError> {
    let answer = control::ask(settings, &request(command)).await?;
    if output.json {
        output.json_document(&answer);
        return Ok(());
    }
    match answer {
        Answer::Done(text) => output.line(text),
        Answer::Devices(devices) => output.line(table(&devices)),
        Answer::Device(device) => output.line(card(&device)),
        Answer::User { .. }
        | Answer::Users(_)
        | Answer::Findings(_)
        | Answer::AutoRegistration(_) => {}
    }
    Ok(())
}

fn request(command: DeviceCommand) -> Request {
    match command {
        DeviceCommand::List(page) => Request::DeviceList(Page {
            after: page.after,
            limit: page.limit,
        }),
        DeviceCommand::Show { device } => Request::DeviceShow(Name { name: device }),
        DeviceCommand::Unlock { device } => Request::DeviceUnlock(Name { name: device }),
        DeviceCommand::Release { device } => Request::DeviceRelease(Name { name: device }),
        DeviceCommand::Restart { device, kind } => Request::DeviceRestart {
            name: device,
            reset: kind == RestartKind::Reset,
        },
        DeviceCommand::AllowFile { device, time } => Request::DeviceAllowFile {
            name: device,
            for_s: time.as_secs(),
        },
    }
}

fn table(devices: &[DeviceView]) -> String {
    let row = |device: &DeviceView| {
        vec![
            device.name.clone(),
            device.model.clone(),
            device.state.clone(),
            device.lines.join(","),
            device.owner.clone().unwrap_or_default(),
            device
                .registered_from
                .clone()
                .unwrap_or_else(|| "not registered".to_owned()),
        ]
    };
    let rows: Vec<Vec<String>> = devices.iter().map(row).collect();
    columns(
        &[
            "DEVICE",
            "MODEL",
            "STATE",
            "LINES",
            "OWNER",
            "REGISTERED FROM",
        ],
        &rows,
    )
}

fn card(device: &DeviceView) -> String {
    let or_none = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let text = format!(
        "Device           {}\nModel            {}\nState            {}\nDescription      {}\n\
         Lines            {}\nOwner            {}\nRegistered from  {}\nRestart          {}\n",
        device.name,
        device.model,
        device.state,
        device.description,
        device.lines.join(", "),
        or_none(device.owner.as_deref()),
        or_none(device.registered_from.as_deref()),
        if device.restart_pending {
            "asked for, not yet back"
        } else {
            "none pending"
        },
    );
    let rows: Vec<Vec<String>> = device
        .timeline
        .iter()
        .map(|row| {
            let detail = match row.code.as_str() {
                "" => row.detail.clone(),
                code => format!("{code} {}", row.detail),
            };
            vec![
                row.at.clone(),
                row.event.clone(),
                row.source.clone(),
                detail,
            ]
        })
        .collect();
    format!(
        "{text}\n{}",
        columns(&["WHEN", "WHAT", "FROM", "WHY"], &rows)
    )
}
