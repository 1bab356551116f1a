//! Private keys: made beside the tasks that serve phones, kept sealed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::service::App;
use crate::service::keys::KeysError;
use crate::service::keys::Purpose;
use crate::service::keys::rsa_key::RsaKey;
use crate::service::keys::rsa_key::RsaKeyError;

/// Does work that keeps a core busy, on a thread of its own.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RsaKeyError> + Send + 'static,
) -> Result<T, RsaKeyError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| RsaKeyError::Make(error.to_string()))?
}

/// A private key as it is stored.
pub(super) fn seal(app: &App, key: &RsaKey) -> Result<Box<str>, KeysError> {
    let sealed = app.keys.seal(Purpose::TrustKey, key.pkcs8())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed).into_boxed_str())
}
