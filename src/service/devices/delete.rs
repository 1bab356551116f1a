//! An administrator removes a device, and its phone finds out.

use super::change;
use super::find_for_update;
use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_model;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::device_turn::DeviceTurn;
use crate::service::record;
use crate::service::record::Actor;
use crate::service::record::Happening;
use crate::service::register;
use crate::service::replacement::remove as remove_rows;
use crate::service::restart_request;
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
    let farewell = say_farewell(app, connection, &phone).await?;
    write_removal(app, connection, actor, &phone).await?;
    turn.commit(app, transaction).await?;
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
pub(in crate::service) struct Farewell(Option<(Grace, PhoneRestart)>);

impl Farewell {
    /// Makes memory say what was committed.
    pub(in crate::service) fn publish(self, app: &App, name: &DeviceName) {
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
pub(in crate::service) async fn say_farewell(
    app: &App,
    connection: &mut Connection,
    phone: &Phone,
) -> Result<Farewell, AdministrationError> {
    let model = phone.known_model();
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
    let before = format!(
        "{}, extension {}",
        phone.state.as_str(),
        extension.map_or("none", |line| line.pattern.as_str())
    );
    let change = change("device.remove", &phone.name, &before, String::new());
    Ok(record::audit_object(app, connection, actor, phone.pkid, change).await?)
}
