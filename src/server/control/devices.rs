//! The commands about phones.

use std::time::Duration;

use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEntry;
use crate::domain::lockout::Lock;
use crate::domain::phone_model;
use crate::server::control::auto_registration;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, DeviceView, Happened, Page};
use crate::server::control::restarts;
use crate::server::control::values::{device_fault, device_name, timestamp};
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::{self, DeviceDetails, DeviceOverview};
use crate::service::phone_files::file_requests::UnknownRequest;
use crate::service::registrar::auto_register::refused::RefusedPhone;
use crate::service::self_provisioning::release;

/// Lists phones.
///
/// # Errors
///
/// The database is away.
pub async fn list(app: &App, page: &Page) -> Result<Answer, Fault> {
    let devices = devices::list(app, &page.after, page.limit).await?;
    Ok(Answer::Devices(devices.into_iter().map(view).collect()))
}

/// Shows a phone with its timeline, newest first.
///
/// # Errors
///
/// The name is none, or nothing was ever heard of it.
pub async fn show(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let details = match devices::show(app, &name).await {
        Err(AdministrationError::NotFound { .. }) => {
            return Err(Fault::new(format!(
                "nothing was ever heard of {name}: it asked for no file and did not register. Does \
                 its DHCP option 150 name this server? A login that names it (DEVICE_NOT_FOUND) \
                 stands in the cucm-uds log alone"
            )));
        }
        details => details?,
    };
    let mut timeline = timeline(&name, &details);
    if details.device.is_none() && !auto_registration::is_open(app) {
        timeline.insert(0, auto_registration::why_not(app));
    }
    let restart = details.restart.as_ref().map(restarts::view);
    let device = details.device.map_or_else(|| unknown(&name), view);
    Ok(Answer::Device(Box::new(DeviceView {
        restart_pending: restart.is_some(),
        restart,
        lock: details.lock.map(lock_in_words),
        timeline,
        ..device
    })))
}

/// What happened to a device, newest first. What asks for the files of no device comes after what an
/// earlier device of that name did.
fn timeline(name: &DeviceName, details: &DeviceDetails) -> Vec<Happened> {
    let asked = details.asked_before.iter();
    let mut rows: Vec<Happened> = asked.map(|request| asked_for(name, request)).collect();
    rows.extend(details.refused.iter().map(not_registered));
    rows.sort_by(|a, b| a.at.cmp(&b.at));
    rows.splice(0..0, details.timeline.iter().map(happened));
    rows.reverse();
    rows
}

fn lock_in_words(lock: Lock) -> String {
    lock.until.map_or_else(
        || "until it is unlocked".to_owned(),
        |until| format!("until {}", timestamp(until)),
    )
}

/// Takes back the lock of a phone.
///
/// # Errors
///
/// There is no such device.
pub async fn unlock(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let unlocked = devices::unlock(app, &actor(app), &name).await;
    let before = if unlocked.map_err(device_fault)? {
        "was locked; it"
    } else {
        "was not locked; it"
    };
    Ok(Answer::Done(format!("{name} {before} may log in now")))
}

/// Returns a phone to the auto-registered state.
///
/// # Errors
///
/// There is no such device, or it is nobody's.
pub async fn release(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let released = release::by_administrator(app, &name, &actor(app)).await?;
    Ok(Answer::Done(match released.waits_with {
        Some(number) => {
            format!("{name} is released; it restarts and waits with the number {number}")
        }
        None => format!("{name} is removed: no auto-registration number was free for it"),
    }))
}

/// Opens a phone's file for any address.
///
/// # Errors
///
/// There is no such device, or the time is none.
pub async fn allow_file(app: &App, name: &str, for_s: u64) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let time = Duration::from_secs(for_s);
    let allowed = devices::allow_file(app, &actor(app), &name, time).await;
    let until = timestamp(allowed.map_err(device_fault)?);
    Ok(Answer::Done(format!(
        "the file of {name} is served with its secret to any address until {until}"
    )))
}

fn view(overview: DeviceOverview) -> DeviceView {
    let phone = overview.phone;
    let model = phone.model.map(|number| {
        phone_model::by_number(number)
            .map_or_else(|| number.to_string(), |model| model.product.to_owned())
    });
    let binding = overview.bindings.first();
    DeviceView {
        name: phone.name.to_string(),
        model: model.unwrap_or_default(),
        state: phone.state.as_str().to_owned(),
        description: phone.description.into(),
        lines: phone
            .lines
            .iter()
            .map(|line| line.pattern.to_string())
            .collect(),
        owner: overview.owner.map(|owner| owner.to_string()),
        digest_user: phone.digest.digest_user.map(|user| user.user_id.into()),
        registered_from: binding.map(|binding| binding.flow().remote.to_string()),
        registered_at_node: overview.other_node,
        restart_pending: overview.restart.is_some(),
        restart: overview.restart.as_ref().map(restarts::view),
        lock: None,
        timeline: Vec::new(),
    }
}

fn unknown(name: &DeviceName) -> DeviceView {
    DeviceView {
        name: name.to_string(),
        model: String::new(),
        state: "unknown".to_owned(),
        description: String::new(),
        lines: Vec::new(),
        owner: None,
        digest_user: None,
        registered_from: None,
        registered_at_node: None,
        restart_pending: false,
        restart: None,
        lock: None,
        timeline: Vec::new(),
    }
}

fn happened(entry: &TimelineEntry) -> Happened {
    let source = entry.source.map(|source| source.to_string());
    Happened {
        at: timestamp(entry.at),
        event: entry.event.as_str().to_owned(),
        code: entry.code.clone(),
        detail: match entry.end_user.as_str() {
            "" => entry.detail.clone(),
            user => format!("{user}: {}", entry.detail),
        },
        source: source.unwrap_or_default(),
    }
}

fn asked_for(device: &DeviceName, request: &UnknownRequest) -> Happened {
    Happened {
        at: timestamp(request.at),
        event: "file_asked_for".to_owned(),
        code: String::new(),
        detail: format!("{}: {}", request.file_name(device), request.answer.as_str()),
        source: request.source.to_string(),
    }
}

fn not_registered(refused: &RefusedPhone) -> Happened {
    Happened {
        at: timestamp(refused.last_at),
        event: "auto_registration_refused".to_owned(),
        code: refused.reason.code().to_owned(),
        detail: refused.in_words(),
        source: refused.source.to_string(),
    }
}
