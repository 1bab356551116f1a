//! The commands that add, change and remove devices.

use crate::domain::config_file::file_name;
use crate::domain::phone::Phone;
use crate::domain::phone_model::{self, FileFormat, PhoneModel};
use crate::server::account_sheet as sheet_text;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{
    Answer, DeviceChange, DeviceSettings, MadeDevice, NewDevice, SecretText,
};
use crate::server::control::values::{device_fault, device_name};
use crate::service::App;
use crate::service::devices::lines::DeviceLine;
use crate::service::devices::phone_book::SIP_REALM;
use crate::service::devices::{self, account_sheet};
use crate::service::users::Extension;

/// Adds a device.
///
/// # Errors
///
/// A value is not allowed, or there is a device of that name.
pub async fn add(app: &App, new: NewDevice) -> Result<Answer, Fault> {
    let settings = &new.settings;
    let device = devices::NewDevice {
        description: settings.description.clone(),
        template: new.template.clone(),
        lines: lines(settings)?,
        settings: settings_of(settings),
        owner: new.owner.clone(),
        digest_user: new.digest_user.clone(),
        ..devices::NewDevice::new(device_name(&new.name)?, model_named(&new.model)?)
    };
    let added = devices::add(app, &actor(app), &device).await;
    let phone = added.map_err(device_fault)?;
    Ok(Answer::Made(made(&phone)))
}

/// Changes a device.
///
/// # Errors
///
/// There is no such device, or a value is not allowed.
pub async fn update(app: &App, change: DeviceChange) -> Result<Answer, Fault> {
    let settings = &change.settings;
    let some_or_nobody = |user: &Option<String>| {
        let user = user.clone();
        user.map(|user| Some(user).filter(|user| !user.is_empty()))
    };
    let wanted = devices::DeviceChange {
        description: settings.description.clone(),
        settings: settings_of(settings),
        lines: Some(lines(settings)?).filter(|lines| !lines.is_empty()),
        owner: some_or_nobody(&change.owner),
        digest_user: some_or_nobody(&change.digest_user),
        ..devices::DeviceChange::default()
    };
    let name = device_name(&change.name)?;
    let updated = devices::update(app, &actor(app), &name, &wanted).await;
    let phone = updated.map_err(device_fault)?;
    Ok(Answer::Made(made(&phone)))
}

/// Removes a device.
///
/// # Errors
///
/// There is no such device.
pub async fn delete(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let deleted = devices::delete(app, &actor(app), &name).await;
    deleted.map_err(device_fault)?;
    Ok(Answer::Done(format!("{name} is deleted")))
}

/// Shows a device's SIP accounts with their secret.
///
/// # Errors
///
/// There is no such device, or it fetches its own file.
pub async fn sheet(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let accounts = account_sheet::read(app, &actor(app), &name).await?;
    Ok(Answer::Sheet {
        file: file_name::of_device(&name, FileFormat::AccountSheet),
        text: SecretText::new(&sheet_text::write(&accounts, SIP_REALM)),
    })
}

/// The model that a text names.
pub(super) fn model_named(text: &str) -> Result<&'static PhoneModel, Fault> {
    let model = phone_model::named(text).filter(|model| model.is_phone());
    model.ok_or_else(|| {
        Fault::new(format!(
            "there is no model {text:?}; write a product name (\"Cisco 7841\", \"Third-party SIP \
             Device (Basic)\"), CUCM's number (336) or the device's own name (CP-8841-3PCC)"
        ))
    })
}

/// What was made, with the next step.
pub(super) fn made(phone: &Phone) -> MadeDevice {
    let model = phone.known_model();
    let format = model.map_or(FileFormat::CiscoXml, PhoneModel::file_format);
    let name = &phone.name;
    let next = match format {
        FileFormat::CiscoXml if name.is_placeholder() => {
            format!("have a code made for it: selfprov device activation-code {name}")
        }
        FileFormat::CiscoXml => "plug the phone in; it fetches its file within 7 days".to_owned(),
        FileFormat::FlatProfile => {
            "plug the phone in within 7 days; from the factory it finds its profile through DHCP \
             option 66 or 150"
                .to_owned()
        }
        FileFormat::AccountSheet => {
            format!("type in what `selfprov device sheet {name}` shows")
        }
    };
    MadeDevice {
        name: name.to_string(),
        file: file_name::of_device(name, format),
        digest_user_name: phone.digest_user_name().to_owned(),
        next,
    }
}

fn lines(settings: &DeviceSettings) -> Result<Vec<DeviceLine>, Fault> {
    let line = |number: &String| {
        let extension = Extension {
            pattern: number.parse()?,
            route_partition: settings.route_partition.clone(),
        };
        Ok(DeviceLine::new(extension))
    };
    settings.lines.iter().map(line).collect()
}

fn settings_of(settings: &DeviceSettings) -> devices::settings::DeviceSettings {
    devices::settings::DeviceSettings {
        device_pool: settings.device_pool.clone(),
        phone_security_profile: settings.phone_security_profile.clone(),
        sip_profile: settings.sip_profile.clone(),
        phone_button_template: settings.phone_button_template.clone(),
        common_phone_profile: settings.common_phone_profile.clone(),
        location: settings.location.clone(),
        calling_search_space: settings.calling_search_space.clone().map(Some),
        ..devices::settings::DeviceSettings::default()
    }
}
