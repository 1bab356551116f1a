//! What administrators see of devices.

use std::sync::Arc;

use super::not_found;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEntry;
use crate::domain::lockout::Lock;
use crate::domain::login_name::UserId;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneRestart;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::phone_files::file_requests::UnknownRequest;
use crate::service::registrar::auto_register::refused::RefusedPhone;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Rows of a timeline that are shown.
const TIMELINE_ROWS: u32 = 100;

/// A device with what is known of it beside its row.
#[derive(Debug, Clone)]
pub struct DeviceOverview {
    /// The device.
    pub phone: Phone,
    /// User ID of its owner.
    pub owner: Option<UserId>,
    /// Its registrations at this node that have not ended; where there is none, those at other
    /// nodes as they wrote them.
    pub bindings: Vec<Arc<Binding>>,
    /// Name of the node that the first of them is at, when it is not this one.
    pub other_node: Option<String>,
    /// The restart that it owes: asked for and not answered by coming back.
    pub restart: Option<PhoneRestart>,
}

/// What is known of one device name.
#[derive(Debug)]
pub struct DeviceDetails {
    /// The device; `None`: there is none (yet, or any more).
    pub device: Option<DeviceOverview>,
    /// The restart that a phone of the name owes. A removed device's phone that is still registered
    /// owes one as well.
    pub restart: Option<PhoneRestart>,
    /// The lock that holds now. It is the name's: it outlives the device.
    pub lock: Option<Lock>,
    /// The newest rows of the timeline, oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// What asked for a file in this name before there was a device, oldest first; in memory of this
    /// node only.
    pub asked_before: Vec<UnknownRequest>,
    /// Why it was not auto-registered, by the time of the first refusal; in memory of this node only.
    pub refused: Vec<RefusedPhone>,
}

impl DeviceDetails {
    const fn is_nothing(&self) -> bool {
        self.device.is_none()
            && self.restart.is_none()
            && self.lock.is_none()
            && self.timeline.is_empty()
            && self.asked_before.is_empty()
            && self.refused.is_empty()
    }
}

/// The devices whose names follow `after` (empty: from the first) in order of their names, at most
/// `limit`.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn list(
    app: &App,
    after: &str,
    limit: u32,
) -> Result<Vec<DeviceOverview>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let phones = store::device::page(reader.connection(), after, limit).await?;
    let mut overviews = Vec::with_capacity(phones.len());
    for phone in phones {
        overviews.push(overview(app, reader.connection(), phone).await?);
    }
    Ok(overviews)
}

/// Everything that is known of a device name. A name that is no device still shows what asked for
/// files in it, and what an earlier device of this name did.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when nothing at all is known of the name.
pub async fn show(app: &App, name: &DeviceName) -> Result<DeviceDetails, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let device = match store::device::find(connection, name).await? {
        Some(phone) => Some(overview(app, connection, phone).await?),
        None => None,
    };
    let now = app.environment.now();
    let lock = store::authentication_failure::device_lock(connection, name).await?;
    let details = DeviceDetails {
        device,
        restart: app.phone_control.owed_by(name),
        lock: lock.filter(|lock| !lock.left(now).is_zero()),
        timeline: store::history::timeline_of(connection, name, TIMELINE_ROWS).await?,
        asked_before: app.file_requests.of_unknown(name),
        refused: app.auto_registration.refused.of(name),
    };
    if details.is_nothing() {
        return Err(not_found(name));
    }
    Ok(details)
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
    let now = app.environment.now();
    let mut bindings = app.locations.of_device(&phone.name);
    // One that has ended stays in the table until it is swept.
    bindings.retain(|binding| binding.expires_at > now);
    if bindings.is_empty() {
        let written = store::binding::of_device(connection, &phone.name).await?;
        let at_others = written.into_iter();
        let at_others = at_others.filter(|binding| binding.node != app.node.pkid);
        bindings = at_others.map(Arc::new).collect();
    }
    let other_node = match bindings.first() {
        Some(binding) => other_node(app, connection, binding).await?,
        None => None,
    };
    Ok(DeviceOverview {
        owner: owner.map(|user| user.user_id),
        bindings,
        other_node,
        restart: app.phone_control.owed_by(&phone.name),
        phone,
    })
}

/// The name of the node that a binding is at, unless it is this one; its identifier when the node
/// has been removed.
async fn other_node(
    app: &App,
    connection: &mut Connection,
    binding: &Binding,
) -> Result<Option<String>, StoreError> {
    if binding.node == app.node.pkid {
        return Ok(None);
    }
    let node = store::catalogue::call_manager(connection, binding.node).await?;
    let name = node.map(|node| node.name);
    Ok(Some(name.unwrap_or_else(|| binding.node.to_string())))
}
