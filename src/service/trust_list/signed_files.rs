//! Signs phones' files with the key that lists name in the role TFTP.
//!
//! On a request, by ring, in constant time; off the threads that answer requests, and never more
//! at once than a few.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::domain::trust_list::certificate::Certificate;
use crate::service::keys::rsa_key::RsaKeyError;
use crate::service::keys::rsa_key::RsaSigner;

/// Signatures that are made at once on a large machine; on a smaller one half as many as it has
/// processors. One takes half a millisecond of one, and phones that register shall have the others.
const AT_ONCE_MAX: usize = 4;

/// Files that wait for their signature; the phones of further ones are told to try again. At half a
/// millisecond each the last waits for half a second.
const WAITING_MAX: usize = 1_024;

/// Why a file was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// Too many at once.
    #[error("too many files wait for a signature; phones ask again")]
    Busy,
    /// The key does not sign.
    #[error(transparent)]
    Key(#[from] RsaKeyError),
}

/// The key that signs files, ready to do so. Prints nothing of it.
#[derive(Debug)]
pub struct FileSigner {
    certificate: Certificate,
    key: RsaSigner,
    at_once: Arc<Semaphore>,
    waiting: Semaphore,
}

impl FileSigner {
    pub(super) fn new(certificate: Certificate, key: RsaSigner) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let at_once = (processors / 2).clamp(1, AT_ONCE_MAX);
        Self {
            certificate,
            key,
            at_once: Arc::new(Semaphore::new(at_once)),
            waiting: Semaphore::new(WAITING_MAX),
        }
    }

    /// The certificate by which phones know the key.
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs bytes: RSASSA-PKCS1-v1_5 with SHA-512, always the same signature for the same bytes.
    ///
    /// # Errors
    ///
    /// [`NotSigned::Busy`] when too many wait.
    pub async fn sign(self: &Arc<Self>, bytes: Vec<u8>) -> Result<Vec<u8>, NotSigned> {
        let _place = self.waiting.try_acquire().map_err(|_| NotSigned::Busy)?;
        let turn = Arc::clone(&self.at_once).acquire_owned().await;
        let turn = turn.map_err(|_| NotSigned::Busy)?;
        let signer = Arc::clone(self);
        let signed = tokio::task::spawn_blocking(move || {
            let signature = signer.key.sign(&bytes);
            drop(turn);
            signature
        });
        metrics::counter!("selfprov_files_signed_total").increment(1);
        Ok(signed.await.map_err(|_| RsaKeyError::Sign)??)
    }
}
