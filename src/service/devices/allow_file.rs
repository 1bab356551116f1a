//! An administrator opens a device's file to any address for a while.

use std::time::Duration;

use super::change;
use super::find_for_update;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::store;

/// Longest time for which a file may be open to any address: it holds the phone's secret, and a day
/// is enough to plug in a phone that was moved.
pub const FILE_ALLOWED_MAX: Duration = Duration::from_hours(24);

/// Shortest time: a phone does not ask more than once a second.
const FILE_ALLOWED_MIN: Duration = Duration::from_secs(1);

/// Lets any address fetch the device's file, with its secret, for `duration`. Gives until when.
///
/// For a phone that was moved to another network and still has a file that does not work there.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for less than a second or more than [`FILE_ALLOWED_MAX`],
/// [`AdministrationError::NotFound`]; then nothing has changed.
pub async fn allow_file(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    duration: Duration,
) -> Result<UnixMillis, AdministrationError> {
    if !(FILE_ALLOWED_MIN..=FILE_ALLOWED_MAX).contains(&duration) {
        let hours = FILE_ALLOWED_MAX.as_secs() / 3_600;
        let reason = format!("a file holds the phone's secret and is opened for 1 s to {hours} h");
        return Err(AdministrationError::invalid("duration", &reason));
    }
    let turn = DeviceTurn::take(app, [name]).await?;
    let until = app.environment.now().plus(duration);
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = find_for_update(connection, name).await?;
    store::device::set_file_allowed(connection, phone.pkid, Some(until)).await?;
    let after = format!("file open to any address for {} s", duration.as_secs());
    let change = change("device.allow_file", name, "", after);
    record::audit(app, connection, actor, change).await?;
    turn.commit(app, transaction).await?;
    app.phones.update(name, |known| {
        let mut known = known.clone();
        known.phone.file_allowed_until = Some(until);
        (known.phone.pkid == phone.pkid).then_some(known)
    });
    Ok(until)
}
