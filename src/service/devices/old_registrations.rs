//! What the registrations of a phone may still do whose device has another secret now.

use crate::domain::binding::Grace;
use crate::domain::phone::Phone;
use crate::service::App;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Gives them, in the caller's transaction, the grace in which the secret that the phone holds
/// still refreshes them; `None` when there is no such secret. After the commit the caller makes
/// memory say the same.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(in crate::service) async fn keep(
    app: &App,
    connection: &mut Connection,
    before: &Phone,
) -> Result<Option<Grace>, StoreError> {
    let present = store::binding::grace_of(connection, &before.name).await?;
    let grace = Grace::of_old_bindings(before, present, app.environment.now());
    store::binding::set_grace(connection, &before.name, grace.as_ref()).await?;
    Ok(grace)
}
