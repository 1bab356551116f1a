//! An administrator removes a device, and its phone finds out.

use super::change;
use super::find_for_update;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::farewell::Parting;
use crate::service::devices::replacement::remove as remove_rows;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Happening;
use crate::store;
use crate::store::Connection;

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
    let turn = DeviceTurn::take(app, [name]).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let phone = find_for_update(connection, name).await?;
    refuse_while_kept(connection, &phone).await?;
    remove_rows(connection, &phone).await?;
    let parting = Parting::write(app, connection, &phone).await?;
    write_removal(app, connection, actor, &phone).await?;
    turn.commit(app, transaction).await?;
    app.phones.remove(name);
    parting.publish(app, name);
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

async fn write_removal(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    phone: &Phone,
) -> Result<(), AdministrationError> {
    let happening = Happening {
        detail: format!("removed by {}", actor.who),
        correlation: actor.correlation,
        ..Happening::default()
    };
    let event = TimelineEvent::Removed;
    record::happened(app, connection, &phone.name, event, happening).await?;
    let extension = phone.primary_line();
    let before = format!(
        "{}, extension {}",
        phone.state.as_str(),
        extension.map_or("none", |line| line.pattern.as_str())
    );
    let change = change("device.remove", &phone.name, &before, String::new());
    Ok(record::audit_object(app, connection, actor, phone.pkid, change).await?)
}
