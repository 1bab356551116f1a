//! What is done about a commit whose outcome nobody knows: the database went away before it
//! answered. The phone is in doubt until it could be read again; memory then says what stands.

use super::phone_book::KnownPhone;
use super::turn::DeviceTurn;
use crate::domain::device::DeviceName;
use crate::service::App;
use crate::service::ServiceError;
use crate::store;

/// Reads the phones in doubt again; those that cannot be read stay in doubt.
pub async fn doubtful(app: &App) {
    for name in app.phones.take_doubtful() {
        if let Err(error) = device(app, &name).await {
            tracing::warn!(device = %name, %error, "a phone in doubt could not be read again");
            app.phones.doubt(&name);
        }
    }
}

/// Makes memory say of one phone what the database says: its rows, the grace of its registration,
/// the restart that it owes.
///
/// # Errors
///
/// [`ServiceError`] when the database fails or the phone's secret does not open.
pub async fn device(app: &App, name: &DeviceName) -> Result<(), ServiceError> {
    // No other use case changes the phone between what is read here and what memory is told.
    let _turn = DeviceTurn::take(app, [name]).await?;
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let phone = store::device::find(connection, name).await?;
    let grace = store::binding::grace_of(connection, name).await?;
    let restarts = store::phone_restart::all(connection).await?;
    match phone {
        Some(phone) => {
            app.phones.put(KnownPhone::new(phone, &app.keys)?);
        }
        None => app.phones.remove(name),
    }
    app.locations.set_grace(name, grace.as_ref());
    match restarts.into_iter().find(|owed| owed.device_name == *name) {
        Some(restart) => app.phone_control.submit(restart),
        None => app.phone_control.forget(name),
    }
    Ok(())
}
