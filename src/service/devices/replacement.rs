//! A phone in place of another of the same name: its rows, what the old binding may still use, and
//! the restart by which it comes to itself.

use super::farewell::Farewell;
use super::phone_book::KnownPhone;
use super::turn::DeviceTurn;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::phone_control::restart_request;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// A phone in place of the one of the same name, once it is committed.
#[must_use]
pub(in crate::service) struct Replacement {
    /// The new row.
    pub(in crate::service) phone: Phone,
    /// The number of its line 1.
    pub(in crate::service) extension: DirectoryNumber,
    /// How it is to load its new file.
    pub(in crate::service) farewell: Farewell,
}

impl Replacement {
    /// Makes memory say what the database says. Gives the number of its line 1.
    pub(in crate::service) fn publish(self, app: &App) -> Result<DirectoryNumber, ServiceError> {
        let name = self.phone.name.clone();
        app.phones.put(KnownPhone::new(self.phone, &app.keys)?);
        self.farewell.publish(app, &name);
        Ok(self.extension)
    }
}

/// Replaces the rows of a phone by those of another of the same name, frees the auto-registered
/// numbers of the old one, lets its binding live on for a while, and asks for a restart.
pub(in crate::service) async fn put_in_place(
    app: &App,
    connection: &mut Connection,
    turn: &DeviceTurn,
    before: &Phone,
    mut after: Phone,
    extension: DirectoryNumber,
) -> Result<Replacement, StoreError> {
    debug_assert!(turn.is_of(&before.name));
    remove(connection, before).await?;
    store::device::insert(connection, &mut after).await?;
    let action = restart_request::action_for(app, before, &after);
    Ok(Replacement {
        farewell: Farewell::write(app, connection, before, action).await?,
        phone: after,
        extension,
    })
}

/// Removes the rows of a phone and frees the numbers that auto-registration gave it.
pub(in crate::service) async fn remove(
    connection: &mut Connection,
    phone: &Phone,
) -> Result<(), StoreError> {
    let lines: Vec<Pkid> = phone.lines.iter().map(|line| line.line).collect();
    store::device::delete(connection, phone.pkid).await?;
    store::line::delete_auto_registered(connection, &lines).await?;
    Ok(())
}
