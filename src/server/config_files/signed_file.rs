//! Signed files (`.sgn`): a header of version 1.0 with the signature, then the file as it is.
//!
//! The same file under the same name keeps its signature and time for a while: all phones of a
//! site ask for the same soft keys, and validators of HTTP stay.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;

use bytes::Bytes;
use sha2::Digest as _;
use sha2::Sha256;

use crate::domain::trust_list::SignatureDigest;
use crate::locks;
use crate::server::signed_header::Header;
use crate::server::signed_header::Parts;
use crate::service::trust_list::signed_files::FileSigner;
use crate::service::trust_list::signed_files::NotSigned;

/// Version of the header of a signed file.
const HEADER_VERSION: [u8; 2] = [1, 0];

/// Signatures that are remembered, some 350 bytes each: those of a site that restarts. Then all are
/// forgotten, which costs half a millisecond for each file that is asked for again.
const REMEMBERED_MAX: usize = 8_192;

/// Signs files and remembers their signatures.
#[derive(Default)]
pub(super) struct SignedFiles {
    remembered: Mutex<HashMap<[u8; 32], Remembered>>,
}

#[derive(Clone)]
struct Remembered {
    made_at_s: i64,
    signature: Arc<[u8]>,
}

impl SignedFiles {
    /// The file with its header. `name` is that under which it was asked for, `now_s` the time in
    /// seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`NotSigned`].
    pub(super) async fn sign(
        &self,
        signer: &Arc<FileSigner>,
        name: &str,
        file: &[u8],
        now_s: i64,
    ) -> Result<Bytes, NotSigned> {
        let key = key(signer, name, file);
        let known = self.remembered().get(&key).cloned();
        let made_at_s = known.as_ref().map_or(now_s, |known| known.made_at_s);
        let header = Header {
            version: HEADER_VERSION,
            signer_version: None,
            signer: signer.certificate(),
            digest: SignatureDigest::Sha512,
            file_name: name,
            made_at_s,
        };
        let parts = Parts::new(&header, file)?;
        let signature = match known {
            Some(known) => known.signature,
            None => signer.sign(parts.signed()).await?.into(),
        };
        let signed = parts.with(&signature)?;
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX && !remembered.contains_key(&key) {
            remembered.clear();
        }
        let now_known = Remembered {
            made_at_s,
            signature,
        };
        remembered.insert(key, now_known);
        Ok(signed.into())
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<[u8; 32], Remembered>> {
        locks::lock(&self.remembered)
    }
}

/// What a signature depends on but for the time.
fn key(signer: &FileSigner, name: &str, file: &[u8]) -> [u8; 32] {
    let mut digest = Sha256::new();
    for part in [signer.certificate().der(), name.as_bytes(), file] {
        digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}
