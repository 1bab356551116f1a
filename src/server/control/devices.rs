//! The commands about phones.

use std::time::Duration;

use crate::domain::device::{DeviceName, MacAddress};
use crate::domain::history::TimelineEntry;
use crate::domain::phone_model;
use crate::domain::time::UnixMillis;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, DeviceView, Happened, Page};
use crate::server::control::restarts;
use crate::service::App;
use crate::service::auto_register::refused::RefusedPhone;
use crate::service::device_admin::{self, DeviceDetails, DeviceOverview};
use crate::service::file_requests::UnknownRequest;
use crate::service::release;

/// Longest time for which a file may be opened.
const ALLOW_FILE_MAX: Duration = Duration::from_hours(24);

/// Lists phones.
///
/// # Errors
/// The database is away.
pub async fn list(app: &App, page: &Page) -> Result<Answer, Fault> {
    let devices = device_admin::page(app, &page.after, page.limit).await?;
    Ok(Answer::Devices(devices.into_iter().map(view).collect()))
}

/// Shows a phone with its timeline, newest first.
///
/// # Errors
/// The name is none, or nothing was ever heard of it.
pub async fn show(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let (mut device, mut timeline) = match device_admin::show(app, &name).await? {
        DeviceDetails::Known(overview, timeline) => (view(*overview), happened(timeline)),
        DeviceDetails::Unknown(requests, timeline) => {
            let refused = app.auto_registration.refused.of(&name);
            let mut rows: Vec<Happened> = requests
                .iter()
                .map(|request| asked(&name, request))
                .collect();
            rows.extend(refused.iter().map(not_registered));
            rows.sort_by(|a, b| a.at.cmp(&b.at));
            rows.splice(0..0, happened(timeline));
            if rows.is_empty() {
                return Err(Fault::new(format!(
                    "nothing was ever heard of {name}; does its DHCP option 150 name this server?"
                )));
            }
            (unknown(&name), rows)
        }
    };
    timeline.reverse();
    device.timeline = timeline;
    Ok(Answer::Device(Box::new(device)))
}

/// Takes back the lock of a phone.
///
/// # Errors
/// There is no such device.
pub async fn unlock(app: &App, name: &str) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let was_locked = device_admin::unlock(app, &actor(app), &name).await?;
    let before = if was_locked {
        "was locked; it"
    } else {
        "was not locked; it"
    };
    Ok(Answer::Done(format!("{name} {before} may log in now")))
}

/// Returns a phone to the auto-registered state.
///
/// # Errors
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
/// There is no such device, or the time is none.
pub async fn allow_file(app: &App, name: &str, for_s: u64) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let time = Duration::from_secs(for_s);
    if time.is_zero() || time > ALLOW_FILE_MAX {
        return Err(Fault::new("a file is opened for 1 s to 24 h"));
    }
    let until = device_admin::allow_file(app, &actor(app), &name, time).await?;
    let until = timestamp(until);
    Ok(Answer::Done(format!(
        "the file of {name} is served with its secret to any address until {until}"
    )))
}

/// A device name; a MAC address is that of its phone.
pub(super) fn device_name(text: &str) -> Result<DeviceName, Fault> {
    if let Ok(mac) = text.parse::<MacAddress>() {
        return Ok(DeviceName::of_phone(mac));
    }
    Ok(text.parse::<DeviceName>()?)
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
        registered_from: binding.map(|binding| binding.flow.remote.to_string()),
        restart_pending: overview.restart.is_some(),
        restart: overview.restart.as_ref().map(restarts::view),
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
        restart_pending: false,
        restart: None,
        timeline: Vec::new(),
    }
}

fn happened(timeline: Vec<TimelineEntry>) -> Vec<Happened> {
    let row = |entry: TimelineEntry| Happened {
        at: timestamp(entry.at),
        event: entry.event.as_str().to_owned(),
        code: entry.code,
        detail: match entry.end_user.as_str() {
            "" => entry.detail,
            user => format!("{user}: {}", entry.detail),
        },
        source: entry
            .source
            .map(|source| source.to_string())
            .unwrap_or_default(),
    };
    timeline.into_iter().map(row).collect()
}

fn asked(device: &DeviceName, request: &UnknownRequest) -> Happened {
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

/// A time as RFC 3339 in UTC, to the second.
pub(super) fn timestamp(at: UnixMillis) -> String {
    jiff::Timestamp::from_second(at.unix_s()).map_or_else(|_| String::new(), |at| at.to_string())
}
