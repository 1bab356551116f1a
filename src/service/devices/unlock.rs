//! An administrator lets people log in on a device again.

use super::change;
use super::not_found;
use crate::domain::device::DeviceName;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::store;

/// Ends the lock of a device and forgets its failed logins. Gives whether it was locked.
///
/// The lock is the name's: it outlives the device, and is ended where there is none any more.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] when it neither exists nor was locked.
pub async fn unlock(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
) -> Result<bool, AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = store::device::find_for_update(connection, name).await?;
    let lock = store::authentication_failure::device_lock(connection, name).await?;
    if phone.is_none() && lock.is_none() {
        return Err(not_found(name));
    }
    let now = app.environment.now();
    let was_locked = lock.is_some_and(|lock| !lock.left(now).is_zero());
    store::authentication_failure::set_device_lock(connection, name, None).await?;
    store::authentication_failure::delete_of_device(connection, name).await?;
    let before = if was_locked { "locked" } else { "not locked" };
    let after = "not locked, failed logins forgotten".to_owned();
    let change = change("device.unlock", name, before, after);
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    Ok(was_locked)
}
