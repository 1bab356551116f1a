//! Why something about trust keys was not done.

use crate::domain::trust_list::keys::KeyRefused;
use crate::service::ServiceError;
use crate::service::keys::KeysError;
use crate::service::keys::rsa_key::RsaKeyError;
use crate::service::keys::x509::X509Error;
use crate::store::StoreError;

/// Shortest passphrase of an export, in characters: the file lies somewhere for years.
pub const PASSPHRASE_LENGTH_MIN: usize = 12;

/// Why something about trust keys was not done. Nothing was changed then, unless
/// [`ServiceError::is_unconfirmed`] says that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum TrustKeyError {
    /// The rules of trust keys forbid it.
    #[error(transparent)]
    Refused(#[from] KeyRefused),
    /// The key cannot be made, read or used.
    #[error(transparent)]
    Key(#[from] RsaKeyError),
    /// The certificate cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] X509Error),
    /// The passphrase is too short.
    #[error("the passphrase of an export has at least {PASSPHRASE_LENGTH_MIN} characters")]
    ShortPassphrase,
    /// An encrypted key without a passphrase.
    #[error("the private key in this file is encrypted; give its passphrase")]
    NoPassphrase,
    /// Not what an import takes.
    #[error(
        "the file is not PEM with one trust key (PKCS#8) and its certificate, and at most one key \
         each of TVS and of configuration files with theirs; convert a key: \
         openssl pkcs8 -topk8 -in KEY -out NEW, then put the certificate into the same file"
    )]
    NotAKeyFile,
    /// Key and certificate are not a pair.
    #[error("the private key in this file is not the key of its certificate")]
    Mismatch,
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for TrustKeyError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

impl From<KeysError> for TrustKeyError {
    fn from(error: KeysError) -> Self {
        Self::Service(error.into())
    }
}
