//! `selfprov device`.

use super::CliError;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::activation_code;
use super::all_rows;
use super::arguments::DeviceCommand;
use super::device_arguments::DeviceSettingArguments;
use super::device_restart;
use super::output::{Output, columns};
use crate::domain::secret::Secret;
use crate::server::control::protocol::{
    Answer, DeviceChange, DeviceSettings, DeviceView, MadeDevice, Name, NewDevice, Page, Request,
};
use crate::settings::Settings;

/// Does what the command says.
///
/// # Errors
///
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: DeviceCommand,
    output: Output,
) -> Result<(), CliError> {
    let file = match &command {
        DeviceCommand::Sheet(arguments) => arguments.output.clone(),
        _ => None,
    };
    let answer = all_rows::ask(settings, request(command), output).await?;
    if let (Some(path), Answer::Sheet { text, .. }) = (&file, &answer) {
        save(path, &text.secret())?;
        output.remark(format!("written to {}", path.display()));
        return Ok(());
    }
    if output.json {
        output.json_document(&answer);
        return Ok(());
    }
    match answer {
        Answer::Done(text) => output.line(text),
        Answer::Devices(devices) => output.line(table(&devices)),
        Answer::Device(device) => output.line(card(&device)),
        Answer::Made(device) => output.line(made(&device)),
        Answer::Sheet { text, .. } => output.line(text.secret().reveal()),
        Answer::ActivationCode {
            device,
            code,
            expires_at,
        } => output.line(activation_code::shown(&device, &code, &expires_at)),
        Answer::Restarts(restarts) => output.line(device_restart::table(&restarts)),
        Answer::User { .. }
        | Answer::PasswordSet { .. }
        | Answer::Administrators(_)
        | Answer::Users(_)
        | Answer::Findings(_)
        | Answer::TrustLists(_)
        | Answer::TrustKeyFile { .. }
        | Answer::AutoRegistration(_) => {}
    }
    Ok(())
}

fn request(command: DeviceCommand) -> Request {
    match command {
        DeviceCommand::Add(arguments) => {
            let asked = arguments.settings;
            Request::DeviceAdd(Box::new(NewDevice {
                name: arguments.name,
                model: arguments.model,
                template: arguments.template,
                owner: asked.owner.clone(),
                digest_user: asked.digest_user.clone(),
                settings: settings_of(asked),
            }))
        }
        DeviceCommand::Update(arguments) => {
            let asked = arguments.settings;
            let nobody = |is_nobody: bool| is_nobody.then(String::new);
            Request::DeviceUpdate(Box::new(DeviceChange {
                name: arguments.device,
                owner: asked.owner.clone().or(nobody(arguments.no_owner)),
                digest_user: asked
                    .digest_user
                    .clone()
                    .or(nobody(arguments.no_digest_user)),
                settings: settings_of(asked),
            }))
        }
        DeviceCommand::Delete { device } => Request::DeviceDelete(Name { name: device }),
        DeviceCommand::Sheet(arguments) => Request::DeviceSheet(Name {
            name: arguments.device,
        }),
        DeviceCommand::List(page) => Request::DeviceList(Page {
            after: page.after,
            limit: page.limit,
        }),
        DeviceCommand::Show { device } => Request::DeviceShow(Name { name: device }),
        DeviceCommand::Unlock { device } => Request::DeviceUnlock(Name { name: device }),
        DeviceCommand::Release { device } => Request::DeviceRelease(Name { name: device }),
        DeviceCommand::ActivationCode(code) => code.request(),
        DeviceCommand::Restart(restart) => restart.request(),
        DeviceCommand::Restarts => Request::DeviceRestarts,
        DeviceCommand::AllowFile { device, time } => Request::DeviceAllowFile {
            name: device,
            for_s: time.as_secs(),
        },
    }
}

fn settings_of(asked: DeviceSettingArguments) -> DeviceSettings {
    DeviceSettings {
        description: asked.description,
        lines: asked.lines,
        route_partition: asked.partition,
        device_pool: asked.device_pool,
        phone_security_profile: asked.security_profile,
        sip_profile: asked.sip_profile,
        phone_button_template: asked.button_template,
        common_phone_profile: asked.common_phone_profile,
        location: asked.location,
        calling_search_space: asked.calling_search_space,
    }
}

/// Writes a sheet into a new file that only its owner can read.
fn save(path: &Path, text: &Secret) -> Result<(), CliError> {
    let written = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(text.reveal().as_bytes()));
    written.map_err(|error| {
        CliError::Failed(format!(
            "cannot write {}: {error}; name a file that does not exist yet",
            path.display()
        ))
    })
}

/// A device that was made, and what to do with it.
pub(super) fn made(device: &MadeDevice) -> String {
    format!(
        "Device             {}\nFile               {}\nRegisters as user  {}\nNext               {}",
        device.name, device.file, device.digest_user_name, device.next
    )
}

fn table(devices: &[DeviceView]) -> String {
    let row = |device: &DeviceView| {
        vec![
            device.name.clone(),
            device.model.clone(),
            device.state.clone(),
            device.lines.join(","),
            device.owner.clone().unwrap_or_default(),
            registered_from(device).unwrap_or_else(|| "not registered".to_owned()),
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

/// Where a device is registered from, with the node where that is not the one that answers.
fn registered_from(device: &DeviceView) -> Option<String> {
    let from = device.registered_from.as_ref()?;
    Some(match &device.registered_at_node {
        Some(node) => format!("{from} at node {node}"),
        None => from.clone(),
    })
}

fn card(device: &DeviceView) -> String {
    let or_none = |text: Option<&str>| text.unwrap_or("none").to_owned();
    let text = format!(
        "Device           {}\nModel            {}\nState            {}\nDescription      {}\n\
         Lines            {}\nOwner            {}\nDigest user      {}\nRegistered from  {}\nRestart          {}\n\
         Locked           {}\n",
        device.name,
        device.model,
        device.state,
        device.description,
        device.lines.join(", "),
        or_none(device.owner.as_deref()),
        device
            .digest_user
            .as_deref()
            .unwrap_or("none: a secret of its own"),
        or_none(registered_from(device).as_deref()),
        device_restart::in_words(device.restart.as_ref()),
        device.lock.as_deref().unwrap_or("no"),
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
