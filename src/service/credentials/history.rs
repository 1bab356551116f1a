//! Whether somebody had a PIN or password before.

use super::hasher::Share;
use crate::domain::secret::Secret;
use crate::domain::stored_credential::StoredCredential;
use crate::service::App;
use crate::service::ServiceError;
use crate::store;

/// Compares with the credential in force and as many earlier ones as its policy remembers.
pub(in crate::service) async fn was_used_before(
    app: &App,
    share: Share,
    in_force: &StoredCredential,
    new: &Secret,
) -> Result<bool, ServiceError> {
    let remembered = in_force.policy.history;
    if remembered == 0 {
        return Ok(false);
    }
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let earlier = remembered.saturating_sub(1);
    let mut hashes = store::credential::history(connection, in_force.pkid, earlier).await?;
    drop(reader);
    hashes.insert(0, in_force.hash.clone());
    for hash in hashes {
        if app.hasher.verify(share, new, &hash).await? {
            return Ok(true);
        }
    }
    Ok(false)
}
