//! How a phone finds out that its device is another now, or none any more.

use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::service::App;
use crate::service::devices::old_registrations;
use crate::service::phone_control::restart_request;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// The old registrations of a phone live on for a while, and it is told to restart: over one of them
/// it hears so.
#[must_use]
pub(in crate::service) struct Farewell {
    grace: Option<Grace>,
    restart: PhoneRestart,
}

impl Farewell {
    /// Writes into the caller's transaction what tells the phone that was `before`. After the commit
    /// the caller publishes it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub(in crate::service) async fn write(
        app: &App,
        connection: &mut Connection,
        before: &Phone,
        action: PhoneAction,
    ) -> Result<Self, StoreError> {
        let name = &before.name;
        let grace = old_registrations::keep(app, connection, before).await?;
        let restart = restart_request::request(app, connection, name, action).await?;
        Ok(Self { grace, restart })
    }

    /// Makes memory say what was committed.
    pub(in crate::service) fn publish(self, app: &App, name: &DeviceName) {
        app.locations.set_grace(name, self.grace.as_ref());
        app.phone_control.submit(self.restart);
    }
}

/// The registrations of a name have ended, and no phone of it owes a restart.
#[must_use]
pub(in crate::service) struct Ended;

impl Ended {
    /// Writes it into the caller's transaction. After the commit the caller publishes it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub(in crate::service) async fn write(
        connection: &mut Connection,
        name: &DeviceName,
    ) -> Result<Self, StoreError> {
        store::binding::delete_of_device(connection, name).await?;
        store::phone_restart::delete(connection, name).await?;
        Ok(Self)
    }

    /// Makes memory say what was committed.
    #[expect(
        clippy::unused_self,
        reason = "who has not written it has nothing to publish"
    )]
    pub(in crate::service) fn publish(self, app: &App, name: &DeviceName) {
        for binding in app.locations.of_device(name) {
            app.locations.remove(name, binding.address_of_record());
        }
        app.phone_control.forget(name);
    }
}

/// How the phone of a name that is no device any more finds out.
#[must_use]
pub(in crate::service) enum Parting {
    /// A Cisco phone that is registered restarts.
    Restarts(Farewell),
    /// The registrations of a device of another kind end at once. Behind a placeholder there is no
    /// phone, and one that is not registered cannot be told: it is a new one when it comes.
    Ends(Ended),
}

impl Parting {
    /// Writes into the caller's transaction what tells the phone of a device that goes. After the
    /// commit the caller publishes it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails.
    pub(in crate::service) async fn write(
        app: &App,
        connection: &mut Connection,
        phone: &Phone,
    ) -> Result<Self, StoreError> {
        let model = phone.known_model();
        let is_by_account = model.is_some_and(PhoneModel::is_found_by_account);
        let is_registered = store::binding::is_any_of(connection, &phone.name).await?;
        if is_by_account || phone.name.is_placeholder() || !is_registered {
            return Ok(Self::Ends(Ended::write(connection, &phone.name).await?));
        }
        let farewell = Farewell::write(app, connection, phone, PhoneAction::Reset).await?;
        Ok(Self::Restarts(farewell))
    }

    /// Makes memory say what was committed.
    pub(in crate::service) fn publish(self, app: &App, name: &DeviceName) {
        match self {
            Self::Restarts(farewell) => farewell.publish(app, name),
            Self::Ends(ended) => ended.publish(app, name),
        }
    }
}
