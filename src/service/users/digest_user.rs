//! What a change of a user's digest credentials or user ID does to the devices that use them:
//! their files change, so they restart, and the old secret refreshes their old binding until they
//! have.

use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::phone::DigestIdentity;
use crate::domain::phone::DigestUser;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::devices::old_registrations;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::devices::turn::DeviceTurn;
use crate::service::phone_control::restart_request;
use crate::service::phone_files::own_file;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// A device with this digest user, as memory is to know it after the commit.
pub(in crate::service) struct Affected {
    name: DeviceName,
    version_stamp: Pkid,
    grace: Option<Grace>,
    restart: Option<PhoneRestart>,
}

/// The devices with this digest user, whom `login` names: what a turn is taken for.
pub(in crate::service) async fn devices_of(
    app: &App,
    login: &str,
) -> Result<Vec<DeviceName>, StoreError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    match store::end_user::by_login(connection, &FoldedLogin::of(login)).await? {
        Some(user) => store::device::with_digest_user(connection, user.pkid).await,
        None => Ok(Vec::new()),
    }
}

/// Writes into the caller's transaction what the change does to devices. Call it before the user
/// is written: the devices' old secret is read here.
///
/// # Errors
///
/// [`AdministrationError::Changed`] when a device that the turn is not of has this digest user by
/// now.
pub(in crate::service) async fn prepare(
    app: &App,
    connection: &mut Connection,
    turn: &DeviceTurn,
    user: Pkid,
) -> Result<Vec<Affected>, AdministrationError> {
    let mut affected = Vec::new();
    for name in store::device::with_digest_user(connection, user).await? {
        if !turn.is_of(&name) {
            return Err(AdministrationError::Changed(END_USER));
        }
        let Some(phone) = store::device::find_for_update(connection, &name).await? else {
            continue;
        };
        let loads_by_restart = own_file::loads_by_restart(&phone);
        let version_stamp = app.new_pkid();
        store::device::set_version_stamp(connection, phone.pkid, version_stamp).await?;
        let grace = old_registrations::keep(app, connection, &phone).await?;
        let restart = if loads_by_restart {
            let action = PhoneAction::Restart;
            Some(restart_request::request(app, connection, &name, action).await?)
        } else {
            None
        };
        affected.push(Affected {
            name,
            version_stamp,
            grace,
            restart,
        });
    }
    Ok(affected)
}

/// Makes memory say what was committed.
pub(in crate::service) fn publish(app: &App, user: &EndUser, affected: Vec<Affected>) {
    let digest = DigestIdentity {
        digest_user: Some(Box::new(DigestUser {
            pkid: user.pkid,
            user_id: user.user_id.as_str().into(),
        })),
        sealed_secret: user.sealed_digest_credentials.clone(),
    };
    for device in affected {
        app.phones.update(&device.name, |known| {
            let mut phone = known.phone.clone();
            phone.digest = digest.clone();
            phone.version_stamp = device.version_stamp;
            phone.file_fetched_at = None;
            phone.version += 1;
            // The secret was sealed with these keys: it opens.
            KnownPhone::new(phone, &app.keys).ok()
        });
        app.locations.set_grace(&device.name, device.grace.as_ref());
        if let Some(restart) = device.restart {
            app.phone_control.submit(restart);
        }
    }
}
