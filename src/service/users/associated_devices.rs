//! Use cases: the devices that a user controls (*Controlled Devices*, AXL `associatedDevices`).
//!
//! A device has any number of controllers, and they need not own it. Its owner becomes one where
//! CUCM makes the association by itself: when a user provisions a phone and at quick add.

use std::collections::BTreeSet;

use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::associated_device;
use crate::store::device;

pub use crate::store::associated_device::Controller;

/// Most devices that one user controls: far more than any recorder or attendant console has, and
/// what one transaction writes in about a second.
pub const ASSOCIATED_DEVICES_MAX: usize = 20_000;

/// Names of the devices that a user controls, in order.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn read(
    connection: &mut Connection,
    user: Controller,
) -> Result<Vec<DeviceName>, StoreError> {
    associated_device::of_user(connection, user).await
}

/// Makes these devices the ones that a user controls, within the caller's transaction. The user
/// ID is for the audit log.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] names a device that does not exist,
/// [`AdministrationError::Invalid`] says that they are too many.
pub async fn replace(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (user, user_id): (Controller, &str),
    devices: &[DeviceName],
) -> Result<(), AdministrationError> {
    if devices.len() > ASSOCIATED_DEVICES_MAX {
        let reason = format!("a user controls at most {ASSOCIATED_DEVICES_MAX} devices");
        return Err(AdministrationError::invalid("Controlled Devices", &reason));
    }
    let before: BTreeSet<DeviceName> = read(connection, user).await?.into_iter().collect();
    let after: BTreeSet<DeviceName> = devices.iter().cloned().collect();
    for name in after.difference(&before) {
        let device = device(connection, name).await?;
        associated_device::add(connection, app.new_pkid(), user, device).await?;
    }
    for name in before.difference(&after) {
        let device = device(connection, name).await?;
        associated_device::remove(connection, user, device).await?;
    }
    if before == after {
        return Ok(());
    }
    let row = change(user, user_id, &named(&before), &named(&after));
    Ok(record::audit_object(app, connection, actor, user.pkid(), row).await?)
}

/// Lets a user control one more device, within the caller's transaction; gives whether that is
/// new.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when there is no such device.
pub async fn add(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (user, user_id): (Controller, &str),
    name: &DeviceName,
) -> Result<bool, AdministrationError> {
    let device = device(connection, name).await?;
    let is_new = associated_device::add(connection, app.new_pkid(), user, device).await?;
    if is_new {
        let row = change(user, user_id, "those before", &format!("also {name}"));
        record::audit_object(app, connection, actor, user.pkid(), row).await?;
    }
    Ok(is_new)
}

/// Ends a user's control of a device, within the caller's transaction; gives whether there was
/// one.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when there is no such device.
pub async fn remove(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (user, user_id): (Controller, &str),
    name: &DeviceName,
) -> Result<bool, AdministrationError> {
    let device = device(connection, name).await?;
    let was_there = associated_device::remove(connection, user, device).await?;
    if was_there {
        let row = change(user, user_id, name.as_str(), &format!("{name} no longer"));
        record::audit_object(app, connection, actor, user.pkid(), row).await?;
    }
    Ok(was_there)
}

/// Lets the owner of a new device control it, within the caller's transaction. The audit row of
/// the device names the owner and says enough.
pub(in crate::service) async fn add_owner(
    app: &App,
    connection: &mut Connection,
    owner: Pkid,
    device: Pkid,
) -> Result<(), StoreError> {
    let owner = Controller::EndUser(owner);
    associated_device::add(connection, app.new_pkid(), owner, device).await?;
    Ok(())
}

async fn device(
    connection: &mut Connection,
    name: &DeviceName,
) -> Result<Pkid, AdministrationError> {
    device::pkid_of(connection, name)
        .await?
        .ok_or_else(|| AdministrationError::not_found("device", name.as_str()))
}

fn change(user: Controller, user_id: &str, before: &str, after: &str) -> Change {
    let (action, object_kind) = match user {
        Controller::EndUser(_) => ("end_user.set_associated_devices", AuditKind::EndUser),
        Controller::ApplicationUser(_) => (
            "application_user.set_associated_devices",
            AuditKind::ApplicationUser,
        ),
    };
    Change {
        action,
        object_kind,
        object_name: user_id.to_owned(),
        before: format!("controls {before}"),
        after: format!("controls {after}"),
    }
}

/// Names in a row of the audit log; the rest is a number.
const NAMED_MAX: usize = 50;

fn named(devices: &BTreeSet<DeviceName>) -> String {
    let mut names: Vec<&str> = devices
        .iter()
        .take(NAMED_MAX)
        .map(DeviceName::as_str)
        .collect();
    let others = format!("{} others", devices.len().saturating_sub(NAMED_MAX));
    if devices.len() > NAMED_MAX {
        names.push(&others);
    }
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
