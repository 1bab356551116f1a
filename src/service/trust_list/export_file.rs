//! The file of an export: PEM, each certificate followed by its encrypted private key, the trust
//! key first.

use super::pem;
use super::pem::Block;
use super::sealing::blocking;
use super::service_keys::Pair;
use super::trust_key_error::TrustKeyError;
use crate::domain::secret::Secret;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::certificate::PublicKey;
use crate::domain::trust_list::service_key::TrustService;
use crate::service::environment::Environment;
use crate::service::keys::rsa_key::RsaKey;
use crate::service::keys::rsa_key::RsaKeyError;
use crate::service::keys::x509;

/// Label of a PEM block with an encrypted PKCS#8 key.
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";

/// Label of a PEM block with a PKCS#8 key in the clear.
const CLEAR: &str = "PRIVATE KEY";

/// Label of a PEM block with a certificate.
const CERTIFICATE: &str = "CERTIFICATE";

/// Most keys in a file: a trust key, and one of each service. Opening one takes some tenths of a
/// second.
const KEYS_MAX: usize = 1 + TrustService::ALL.len();

/// Writes the file. Takes some tenths of a second for each key.
pub(super) fn write(
    environment: &Environment,
    pairs: &[(Vec<u8>, RsaKey)],
    passphrase: &Secret,
) -> Result<String, RsaKeyError> {
    let mut text = String::new();
    for (certificate, key) in pairs {
        text.push_str(&pem::write(CERTIFICATE, certificate));
        let encrypted = key.encrypted(environment, passphrase)?;
        text.push_str(&pem::write(ENCRYPTED, &encrypted));
    }
    Ok(text)
}

/// What a file holds.
pub(super) struct KeyFile {
    /// The trust key.
    pub(super) key: RsaKey,
    /// Its certificate.
    pub(super) certificate: Certificate,
    /// The keys beside it.
    pub(super) beside: Vec<Pair>,
}

/// Reads a file: one trust key, at most one key of each service, each with its certificate, in any
/// order.
pub(super) async fn read(
    file: &Secret,
    passphrase: Option<&Secret>,
) -> Result<KeyFile, TrustKeyError> {
    let not_one = || TrustKeyError::NotAKeyFile;
    let blocks = pem::read(file.reveal()).ok_or_else(not_one)?;
    let certificates: Vec<&Block> = of_label(&blocks, CERTIFICATE).collect();
    let keys = keys(&blocks, passphrase).await?;
    if keys.is_empty() || certificates.len() != keys.len() {
        return Err(not_one());
    }
    let mut trust_key = None;
    let mut beside: Vec<Pair> = Vec::new();
    for block in certificates {
        let certificate = x509::read(&block.der)?;
        let key = key_of(&certificate, &keys)?.clone();
        match TrustService::of_certificate(&certificate) {
            None if trust_key.is_none() => trust_key = Some((key, certificate)),
            Some(service) if beside.iter().all(|pair| pair.service != service) => {
                beside.push(Pair {
                    service,
                    key,
                    certificate,
                });
            }
            None | Some(_) => return Err(not_one()),
        }
    }
    let (key, certificate) = trust_key.ok_or_else(not_one)?;
    Ok(KeyFile {
        key,
        certificate,
        beside,
    })
}

fn of_label<'a>(blocks: &'a [Block], label: &'static str) -> impl Iterator<Item = &'a Block> {
    blocks.iter().filter(move |block| block.label == label)
}

/// The private keys of a file. Opens encrypted ones on a thread of its own.
async fn keys(blocks: &[Block], passphrase: Option<&Secret>) -> Result<Vec<RsaKey>, TrustKeyError> {
    let encrypted: Vec<_> = of_label(blocks, ENCRYPTED)
        .map(|block| block.der.clone())
        .collect();
    let clear: Vec<&Block> = of_label(blocks, CLEAR).collect();
    if encrypted.len() + clear.len() > KEYS_MAX {
        return Err(TrustKeyError::NotAKeyFile);
    }
    let mut keys = Vec::new();
    for block in clear {
        keys.push(RsaKey::from_pkcs8(&block.der)?);
    }
    if encrypted.is_empty() {
        return Ok(keys);
    }
    let passphrase = passphrase.cloned().ok_or(TrustKeyError::NoPassphrase)?;
    let open = move || {
        let open = |der: &zeroize::Zeroizing<Vec<u8>>| RsaKey::from_encrypted(der, &passphrase);
        encrypted.iter().map(open).collect::<Result<Vec<_>, _>>()
    };
    keys.extend(blocking(open).await?);
    Ok(keys)
}

/// The private key of a certificate.
fn key_of<'a>(certificate: &Certificate, keys: &'a [RsaKey]) -> Result<&'a RsaKey, TrustKeyError> {
    let PublicKey::Rsa { der, .. } = certificate.public_key() else {
        return Err(TrustKeyError::Mismatch);
    };
    for key in keys {
        if key.public_key()? == *der {
            return Ok(key);
        }
    }
    Err(TrustKeyError::Mismatch)
}
