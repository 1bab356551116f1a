//! Signed files (`.sgn`): a header of version 1.0 with the signature, then the file as it is.
//!
//! The same file under the same name keeps its signature and time for a while: all phones of a
//! site ask for the same soft keys, and validators of HTTP stay.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Instant;

use bytes::Bytes;
use sha2::Digest as _;
use sha2::Sha256;

use crate::domain::trust_list::SignatureDigest;
use crate::locks;
use crate::server::connection_permits::ConnectionPermits;
use crate::server::repeated_notice::RepeatedNotice;
use crate::server::signed_header::Header;
use crate::server::signed_header::Parts;
use crate::service::trust_list::signed_files::FileSigner;
use crate::service::trust_list::signed_files::NotSigned;

/// Version of the header of a signed file.
const HEADER_VERSION: [u8; 2] = [1, 0];

/// Signatures of each of two generations that are remembered, some 350 bytes each: together those
/// of a site that restarts.
const GENERATION_MAX: usize = 4_096;

/// Signatures that one source may wait for at once; networks behind NAT 20 times as many. A phone
/// waits for one. Without a share one address could keep all phones waiting for theirs.
const WAITING_PER_SOURCE_MAX: usize = 32;

/// Signs files and remembers their signatures.
pub(super) struct SignedFiles {
    remembered: Mutex<Generations>,
    waiting: Arc<ConnectionPermits>,
    notice: RepeatedNotice,
}

/// A file that is to be signed.
pub(super) struct Unsigned<'a> {
    /// The name under which it was asked for.
    pub(super) name: &'a str,
    /// The file.
    pub(super) file: &'a [u8],
    /// Who asked.
    pub(super) source: IpAddr,
    /// How many sources' share that address has.
    pub(super) shares: u32,
}

#[derive(Clone)]
struct Remembered {
    made_at_s: i64,
    signature: Arc<[u8]>,
}

/// What was asked for lately. When the young ones are too many, those that were not asked for
/// since the last time are forgotten: names that somebody makes up do not drive out those that
/// every phone asks for.
struct Generations {
    generation_max: usize,
    young: HashMap<[u8; 32], Remembered>,
    old: HashMap<[u8; 32], Remembered>,
}

impl Generations {
    fn new(generation_max: usize) -> Self {
        Self {
            generation_max,
            young: HashMap::new(),
            old: HashMap::new(),
        }
    }

    fn get(&mut self, key: &[u8; 32]) -> Option<Remembered> {
        if let Some(known) = self.young.get(key) {
            return Some(known.clone());
        }
        let known = self.old.remove(key)?;
        self.insert(*key, known.clone());
        Some(known)
    }

    fn insert(&mut self, key: [u8; 32], known: Remembered) {
        if self.young.len() >= self.generation_max {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, known);
    }
}

impl SignedFiles {
    /// Nothing is remembered yet.
    pub(super) fn new() -> Self {
        Self {
            remembered: Mutex::new(Generations::new(GENERATION_MAX)),
            // All of them together are bounded by the signer.
            waiting: ConnectionPermits::new(usize::MAX, WAITING_PER_SOURCE_MAX),
            notice: RepeatedNotice::default(),
        }
    }

    /// The file with its header; `now_s` is the time in seconds since 1970.
    ///
    /// `None` when it is not signed now; the administrator is told once a minute.
    pub(super) async fn sign(
        &self,
        signer: &Arc<FileSigner>,
        unsigned: Unsigned<'_>,
        now_s: i64,
    ) -> Option<Bytes> {
        match self.try_sign(signer, &unsigned, now_s).await {
            Ok(signed) => Some(signed),
            Err(error) => {
                metrics::counter!("selfprov_files_not_signed_total").increment(1);
                if let Some((times, mostly)) = self.notice.add(unsigned.source, Instant::now()) {
                    tracing::warn!(times, mostly_from = %mostly, %error, "files were not signed");
                }
                None
            }
        }
    }

    async fn try_sign(
        &self,
        signer: &Arc<FileSigner>,
        unsigned: &Unsigned<'_>,
        now_s: i64,
    ) -> Result<Bytes, NotSigned> {
        let (name, file) = (unsigned.name, unsigned.file);
        let key = key(signer, name, file);
        let known = self.remembered().get(&key);
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
        if let Some(known) = known {
            return Ok(parts.with(&known.signature)?.into());
        }
        let shares = usize::try_from(unsigned.shares).unwrap_or(usize::MAX);
        let most = WAITING_PER_SOURCE_MAX.saturating_mul(shares);
        let place = self.waiting.acquire_up_to(unsigned.source, most);
        let place = place.ok_or(NotSigned::Busy)?;
        let signature: Arc<[u8]> = signer.sign(parts.signed()).await?.into();
        drop(place);
        let signed = parts.with(&signature)?;
        let now_known = Remembered {
            made_at_s,
            signature,
        };
        self.remembered().insert(key, now_known);
        Ok(signed.into())
    }

    fn remembered(&self) -> MutexGuard<'_, Generations> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_again_outlives_what_is_asked_for_once() {
        let mut remembered = Generations::new(4);
        let of = |number: u8| Remembered {
            made_at_s: number.into(),
            signature: Arc::default(),
        };
        remembered.insert([0; 32], of(0));
        for number in 1..100 {
            remembered.insert([number; 32], of(number));
            if number % 4 == 0 {
                let known = remembered.get(&[0; 32]);
                assert_eq!(known.map(|known| known.made_at_s), Some(0), "{number}");
            }
        }
        assert!(remembered.get(&[1; 32]).is_none());
        assert!(remembered.young.len() + remembered.old.len() <= 8);
    }
}
