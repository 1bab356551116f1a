//! What an administrator does to phones: look, unlock, restart, open a file for a while.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::ServiceError;
use super::file_requests::UnknownRequest;
use super::phone_book::KnownPhone;
use super::phone_channel::PhoneAction;
use super::record;
use super::record::Actor;
use super::record::Change;
use super::restart_request;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::end_user::UserId;
use crate::domain::history::TimelineEntry;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::time::UnixMillis;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Rows of a timeline that are shown.
const TIMELINE_ROWS: u32 = 100;

/// A phone with what is known of it beside its row.
#[derive(Debug, Clone)]
pub struct DeviceOverview {
    /// The device.
    pub phone: Phone,
    /// User ID of its owner.
    pub owner: Option<UserId>,
    /// Its live bindings.
    pub bindings: Vec<Arc<Binding>>,
    /// The restart that it owes: asked for and not answered by coming back.
    pub restart: Option<PhoneRestart>,
}

/// What is known of one device name.
#[derive(Debug)]
pub enum DeviceDetails {
    /// A device, with its timeline, oldest first.
    Known(Box<DeviceOverview>, Vec<TimelineEntry>),
    /// No device; only what asked for its file, and what an earlier device of this name did.
    Unknown(Vec<UnknownRequest>, Vec<TimelineEntry>),
}

/// An administrator's change of a phone was not made.
#[derive(Debug, thiserror::Error)]
pub enum DeviceAdminError {
    /// There is no such device.
    #[error("there is no device {0}; `selfprov device list` shows those that are known")]
    NotFound(DeviceName),
    /// The database failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for DeviceAdminError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// The devices whose names follow `after`, at most `limit`.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn page(app: &App, after: &str, limit: u32) -> Result<Vec<DeviceOverview>, ServiceError> {
    let mut reader = app.store.read().await?;
    let phones = store::device::page(reader.connection(), after, limit).await?;
    let mut overviews = Vec::with_capacity(phones.len());
    for phone in phones {
        overviews.push(overview(app, reader.connection(), phone).await?);
    }
    Ok(overviews)
}

/// Everything that is known of a device name.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn show(app: &App, name: &DeviceName) -> Result<DeviceDetails, ServiceError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let timeline = store::history::timeline_of(connection, name, TIMELINE_ROWS).await?;
    match store::device::find(connection, name).await? {
        Some(phone) => {
            let overview = overview(app, connection, phone).await?;
            Ok(DeviceDetails::Known(Box::new(overview), timeline))
        }
        None => Ok(DeviceDetails::Unknown(
            app.file_requests.of_unknown(name),
            timeline,
        )),
    }
}

async fn overview(
    app: &App,
    connection: &mut Connection,
    phone: Phone,
) -> Result<DeviceOverview, StoreError> {
    let owner = match phone.owner {
        Some(owner) => store::end_user::by_pkid(connection, owner).await?,
        None => None,
    };
    Ok(DeviceOverview {
        owner: owner.map(|user| user.user_id),
        bindings: app.locations.of_device(&phone.name),
        restart: app.phone_control.owed_by(&phone.name),
        phone,
    })
}

/// Ends the lock of a device and forgets its failed logins. Gives whether it was locked.
///
/// # Errors
///
/// [`DeviceAdminError`]; then nothing has changed.
pub async fn unlock(app: &App, actor: &Actor, name: &DeviceName) -> Result<bool, DeviceAdminError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    locked(connection, name).await?;
    let was_locked = store::authentication_failure::set_device_lock(connection, name, None).await?;
    store::authentication_failure::delete_of_device(connection, name).await?;
    let before = if was_locked { "locked" } else { "not locked" };
    let change = change(
        "device.unlock",
        name,
        before.to_owned(),
        "not locked".to_owned(),
    );
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    Ok(was_locked)
}

/// Asks a phone to restart, again and again until it has come back.
///
/// # Errors
///
/// [`DeviceAdminError`]; then nothing has changed.
pub async fn restart(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    action: PhoneAction,
) -> Result<(), DeviceAdminError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    locked(connection, name).await?;
    let restart = restart_request::request(app, connection, name, action).await?;
    let change = change(
        "device.restart",
        name,
        String::new(),
        action.as_str().to_owned(),
    );
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    app.phone_control.submit(restart);
    Ok(())
}

/// Lets any address fetch the device's file with its secret for a while. Gives until when.
///
/// # Errors
///
/// [`DeviceAdminError`]; then nothing has changed.
pub async fn allow_file(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    time: Duration,
) -> Result<UnixMillis, DeviceAdminError> {
    let until = app.environment.now().plus(time);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = locked(connection, name).await?;
    store::device::set_file_allowed(connection, phone.pkid, Some(until)).await?;
    let after = format!("file open to any address for {} s", time.as_secs());
    record::audit(
        app,
        connection,
        actor,
        change("device.allow_file", name, String::new(), after),
    )
    .await?;
    transaction.commit().await?;
    app.phones.update(name, |known| {
        (known.phone.pkid == phone.pkid).then(|| KnownPhone {
            phone: Phone {
                file_allowed_until: Some(until),
                ..known.phone.clone()
            },
            ha1: known.ha1.clone(),
            ha1_sha256: known.ha1_sha256.clone(),
        })
    });
    Ok(until)
}

/// The device, its row locked until the transaction ends.
async fn locked(connection: &mut Connection, name: &DeviceName) -> Result<Phone, DeviceAdminError> {
    let phone = store::device::find_for_update(connection, name).await?;
    phone.ok_or_else(|| DeviceAdminError::NotFound(name.clone()))
}

fn change(action: &'static str, name: &DeviceName, before: String, after: String) -> Change {
    Change {
        action,
        object_kind: "device",
        object_name: name.to_string(),
        before,
        after,
    }
}
