//! Use cases: what administrators see of devices and do with them. Release and restart are use
//! cases of their own.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::administration::AdministrationError;
use super::file_requests::UnknownRequest;
use super::phone_book::KnownPhone;
use super::provision::remove as remove_rows;
use super::record;
use super::record::Actor;
use super::record::Change;
use super::record::Happening;
use super::register;
use super::restart_request;
use crate::domain::binding::Binding;
use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEntry;
use crate::domain::history::TimelineEvent;
use crate::domain::lockout::Lock;
use crate::domain::phone::Phone;
use crate::domain::phone_model;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::time::UnixMillis;
use crate::store;
use crate::store::Connection;

const KIND: &str = "device";

/// Longest time for which a file may be left open to any address.
pub const FILE_ALLOWED_MAX: Duration = Duration::from_hours(24);

/// A device as administrators see one.
#[derive(Debug, Clone)]
pub struct DeviceView {
    /// The device.
    pub phone: Phone,
    /// Product name of its model; `None`: not known.
    pub product: Option<&'static str>,
    /// User ID of its owner.
    pub owner: Option<String>,
    /// Its live registrations.
    pub bindings: Vec<Arc<Binding>>,
    /// A restart that it has not answered by coming back.
    pub restart: Option<PhoneRestart>,
}

/// A device with its history.
#[derive(Debug, Clone)]
pub struct DeviceHistory {
    /// The device; `None`: no such device (yet).
    pub device: Option<DeviceView>,
    /// The lock that holds now.
    pub lock: Option<Lock>,
    /// The newest rows of its timeline, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// Requests for its file from before it existed, oldest first; in memory of this node only.
    pub asked_before: Vec<UnknownRequest>,
}

/// The devices after `after` (a name; empty: from the first) in order of their names, at most
/// `limit`.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn list(
    app: &App,
    after: &str,
    limit: usize,
) -> Result<Vec<DeviceView>, AdministrationError> {
    let mut known: Vec<Arc<KnownPhone>> = Vec::new();
    app.phones.for_each(|phone| {
        if phone.phone.name.as_str() > after {
            known.push(phone.clone());
        }
    });
    known.sort_unstable_by(|a, b| a.phone.name.cmp(&b.phone.name));
    let mut reader = app.store.read().await?;
    let mut views = Vec::new();
    for known in known.iter().take(limit) {
        views.push(view(app, reader.connection(), &known.phone).await?);
    }
    Ok(views)
}

/// Shows a device with the newest `limit` rows of its timeline.
///
/// A name that nobody has still shows what was asked for in that name.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when nothing at all is known of the name.
pub async fn show(
    app: &App,
    name: &DeviceName,
    limit: u32,
) -> Result<DeviceHistory, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let device = match app.phones.find(name) {
        Some(known) => Some(view(app, connection, &known.phone).await?),
        None => None,
    };
    let now = app.environment.now();
    let lock = store::authentication_failure::device_lock(connection, name).await?;
    let history = DeviceHistory {
        device,
        lock: lock.filter(|lock| !lock.left(now).is_zero()),
        timeline: store::history::timeline_of(connection, name, limit).await?,
        asked_before: app.file_requests.of_unknown(name),
    };
    let is_nothing =
        history.device.is_none() && history.timeline.is_empty() && history.asked_before.is_empty();
    if is_nothing {
        return Err(AdministrationError::not_found(KIND, name.as_str()));
    }
    Ok(history)
}

async fn view(
    app: &App,
    connection: &mut Connection,
    phone: &Phone,
) -> Result<DeviceView, AdministrationError> {
    let now = app.environment.now();
    let owner = match phone.owner {
        Some(owner) => store::end_user::by_pkid(connection, owner).await?,
        None => None,
    };
    let mut bindings = app.locations.of_device(&phone.name);
    bindings.retain(|binding| binding.expires_at > now);
    Ok(DeviceView {
        product: phone
            .model
            .and_then(phone_model::by_number)
            .map(|model| model.product),
        owner: owner.map(|owner| owner.user_id.to_string()),
        bindings,
        restart: app.phone_control.owed_by(&phone.name),
        phone: phone.clone(),
    })
}

/// Ends the lock of a device and forgets its failures; gives whether it was locked.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when it neither exists nor is locked.
pub async fn unlock(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
) -> Result<bool, AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let now = app.environment.now();
    let lock = store::authentication_failure::device_lock(connection, name).await?;
    if lock.is_none() && app.phones.find(name).is_none() {
        return Err(AdministrationError::not_found(KIND, name.as_str()));
    }
    let was_locked = lock.is_some_and(|lock| !lock.left(now).is_zero());
    store::authentication_failure::set_device_lock(connection, name, None).await?;
    store::authentication_failure::delete_of_device(connection, name).await?;
    let change = Change {
        action: "device.unlock",
        object_kind: KIND,
        object_name: name.to_string(),
        before: if was_locked { "locked" } else { "not locked" }.to_owned(),
        after: "unlocked, failures forgotten".to_owned(),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    Ok(was_locked)
}

/// Lets any address fetch the device's file, with its secret, for `duration`; gives the end.
///
/// For a phone that was moved to another network and still has a file that does not work there.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for more than [`FILE_ALLOWED_MAX`].
pub async fn allow_file(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    duration: Duration,
) -> Result<UnixMillis, AdministrationError> {
    if duration > FILE_ALLOWED_MAX {
        let reason = "the file holds the phone's secret: at most 24 hours";
        return Err(AdministrationError::invalid("duration", &reason));
    }
    let until = app.environment.now().plus(duration);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = store::device::find_for_update(connection, name)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, name.as_str()))?;
    store::device::set_file_allowed(connection, phone.pkid, Some(until)).await?;
    let change = Change {
        action: "device.allow_file",
        object_kind: KIND,
        object_name: name.to_string(),
        before: String::new(),
        after: format!("any address for {} s", duration.as_secs()),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    app.phones.update(name, |known| {
        let mut known = known.clone();
        known.phone.file_allowed_until = Some(until);
        (known.phone.pkid == phone.pkid).then_some(known)
    });
    Ok(until)
}

/// Removes a device. A Cisco phone that is still there restarts and auto-registers anew, if it may;
/// the registrations of a device of another kind end at once.
///
/// # Errors
///
/// [`AdministrationError::NotFound`].
pub async fn delete(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
) -> Result<(), AdministrationError> {
    let _alone = app
        .attempts
        .enter_alone(&format!("change {name}"))
        .await
        .map_err(|_| AdministrationError::Changed(KIND))?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = store::device::find_for_update(connection, name)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, name.as_str()))?;
    refuse_while_kept(connection, &phone).await?;
    remove_rows(connection, &phone).await?;
    let farewell = say_farewell(app, connection, &phone).await?;
    write_removal(app, connection, actor, &phone).await?;
    let committed = transaction.commit().await;
    committed.inspect_err(|_| app.phones.doubt(name))?;
    app.phones.remove(name);
    farewell.publish(app, name);
    Ok(())
}

/// Refuses a device that an element of something else names: another phone's, a line's, a user's.
async fn refuse_while_kept(
    connection: &mut Connection,
    phone: &Phone,
) -> Result<(), AdministrationError> {
    if !store::attribute::is_target(connection, phone.pkid).await? {
        return Ok(());
    }
    let mut users = store::catalogue::users_of(connection, phone.pkid).await?;
    let itself = format!("Phone {}", phone.name);
    users.retain(|user| *user != itself);
    if users.is_empty() {
        return Ok(());
    }
    Err(AdministrationError::InUse {
        kind: "Phone",
        name: phone.name.to_string(),
        users,
    })
}

/// How the phone of a name that is no device any more finds out.
#[must_use]
pub(super) struct Farewell(Option<(Grace, PhoneRestart)>);

impl Farewell {
    /// Makes memory say what was committed.
    pub(super) fn publish(self, app: &App, name: &DeviceName) {
        if let Some((grace, restart)) = self.0 {
            app.locations.set_grace(name, Some(&grace));
            app.phone_control.submit(restart);
            return;
        }
        for binding in app.locations.of_device(name) {
            app.locations.remove(name, binding.address_of_record());
        }
        app.phone_control.forget(name);
    }
}

/// Writes what tells a phone that its device is gone: a Cisco phone restarts; the registrations of
/// a device of another kind end. Behind a placeholder there is no phone.
pub(super) async fn say_farewell(
    app: &App,
    connection: &mut Connection,
    phone: &Phone,
) -> Result<Farewell, AdministrationError> {
    let model = phone.model.and_then(phone_model::by_number);
    let is_by_account = model.is_some_and(phone_model::PhoneModel::is_found_by_account);
    if is_by_account || phone.name.is_placeholder() {
        store::binding::delete_of_device(connection, &phone.name).await?;
        store::phone_restart::delete(connection, &phone.name).await?;
        return Ok(Farewell(None));
    }
    let farewell = farewell(app, connection, phone).await?;
    Ok(Farewell(Some(farewell)))
}

/// The grace and the restart by which a phone finds out that its device is gone.
async fn farewell(
    app: &App,
    connection: &mut Connection,
    phone: &Phone,
) -> Result<(Grace, PhoneRestart), AdministrationError> {
    let name = &phone.name;
    let grace = register::grace_after_replacement(phone, app.environment.now());
    let stored = (&*grace.sealed_secret, grace.until);
    store::binding::set_grace(connection, name, Some(stored)).await?;
    let action = PhoneAction::Reset;
    let restart = restart_request::request(app, connection, name, action).await?;
    Ok((grace, restart))
}

async fn write_removal(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    phone: &Phone,
) -> Result<(), AdministrationError> {
    let happening = Happening {
        detail: format!("removed by {}", actor.name),
        correlation: actor.correlation,
        ..Happening::default()
    };
    let event = TimelineEvent::Removed;
    record::happened(app, connection, &phone.name, event, happening).await?;
    let extension = phone.primary_line();
    let change = Change {
        action: "device.remove",
        object_kind: KIND,
        object_name: phone.name.to_string(),
        before: format!(
            "{}, extension {}",
            phone.state.as_str(),
            extension.map_or("none", |line| line.pattern.as_str())
        ),
        after: String::new(),
    };
    Ok(record::audit_object(app, connection, actor, phone.pkid, change).await?)
}
