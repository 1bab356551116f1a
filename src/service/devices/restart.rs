//! An administrator has a phone restart.

use super::change;
use super::find_for_update;
use crate::domain::device::DeviceName;
use crate::domain::phone_restart::PhoneAction;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::phone_control::restart_request;

/// Asks a phone to restart, again and again until it has come back.
///
/// # Errors
///
/// [`AdministrationError::NotFound`]; then nothing has changed.
pub async fn restart(
    app: &App,
    actor: &Actor,
    name: &DeviceName,
    action: PhoneAction,
) -> Result<(), AdministrationError> {
    let turn = DeviceTurn::take(app, [name]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    find_for_update(connection, name).await?;
    let restart = restart_request::request(app, connection, name, action).await?;
    let change = change("device.restart", name, "", action.as_str().to_owned());
    record::audit(app, connection, actor, change).await?;
    turn.commit(app, transaction).await?;
    app.phone_control.submit(restart);
    Ok(())
}
