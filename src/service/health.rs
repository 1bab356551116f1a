//! Whether the service can do its work now.

use std::time::Duration;

use tokio::time::timeout;

use super::App;
use crate::store;
use crate::store::StoreError;

/// Time the database has to answer before the service counts as not ready: less than the second
/// or two that monitoring gives a probe.
const DATABASE_TIMEOUT: Duration = Duration::from_secs(1);

/// Whether the database answers in time. While it does not, phones get the busy screen.
pub async fn is_ready(app: &App) -> bool {
    let asked = async {
        let mut reader = app.store.read().await?;
        store::device::page(reader.connection(), "", 1).await?;
        Ok::<_, StoreError>(())
    };
    match timeout(DATABASE_TIMEOUT, asked).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!("not ready: the database does not answer");
            false
        }
    }
}
