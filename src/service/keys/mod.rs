//! The key file: one master key, and from it a key for each purpose.
//!
//! Sealed is authenticated encryption (ChaCha20-Poly1305); what was sealed for one purpose does not
//! open for another. Every node has the same key file.
//!
//! ```text
//! key_file.rs  the file on disk
//! rsa_key.rs   RSA keys, which sign trust lists and phones' files
//! x509.rs      what a record of a trust list holds of a certificate
//! der.rs       the encoding of both
//! ```

pub mod der;
pub mod key_file;
pub mod rsa_key;
pub mod x509;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead;
use ring::hkdf;
use ring::hmac;

use super::environment::Environment;
use crate::domain::secret::Sealed;
use crate::domain::secret::Secret;

/// Bytes of the master key.
pub const MASTER_KEY_BYTES: usize = 32;

/// What something is sealed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// SIP secrets and digest credentials in the database.
    StoredSecret,
    /// Confirm tokens of the handset.
    ConfirmToken,
    /// Tokens that allow a change of PIN.
    ChangePinToken,
    /// Tokens that allow a release.
    ReleaseToken,
    /// Digest nonces of the registrar.
    Nonce,
    /// What names the two ends of a call in Record-Route.
    CallRoute,
    /// Digests under which failed logins of nobody are counted.
    UnknownLogin,
    /// Digests under which right logins of programs are remembered for a minute.
    RememberedLogin,
    /// Session cookies of programs.
    ApiSession,
    /// Keys that sign trust lists, in the database.
    TrustKey,
    /// Activation codes in the database, and the digests by which they are found.
    ActivationCode,
    /// Confirm tokens of activations.
    ActivationToken,
}

impl Purpose {
    const ALL: &[Self] = &[
        Self::StoredSecret,
        Self::ConfirmToken,
        Self::ChangePinToken,
        Self::ReleaseToken,
        Self::Nonce,
        Self::CallRoute,
        Self::UnknownLogin,
        Self::RememberedLogin,
        Self::ApiSession,
        Self::TrustKey,
        Self::ActivationCode,
        Self::ActivationToken,
    ];

    const fn label(self) -> &'static [u8] {
        match self {
            Self::StoredSecret => b"stored secret",
            Self::ConfirmToken => b"confirm token",
            Self::ChangePinToken => b"change pin token",
            Self::ReleaseToken => b"release token",
            Self::Nonce => b"nonce",
            Self::CallRoute => b"call route",
            Self::UnknownLogin => b"unknown login",
            Self::RememberedLogin => b"remembered login",
            Self::ApiSession => b"api session",
            Self::TrustKey => b"trust key",
            Self::ActivationCode => b"activation code",
            Self::ActivationToken => b"activation token",
        }
    }
}

/// A key operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// The master key has the wrong length.
    #[error("the key file does not hold a key of 32 bytes; restore it from your backup")]
    Length,
    /// What was to be opened was not sealed with this key file, or was changed.
    #[error(
        "something stored was not sealed with this key file; was the key file replaced? Restore it \
         from your backup"
    )]
    NotOurs,
}

/// The keys of the process. Prints nothing of them.
pub struct Keys {
    sealing: Vec<(Purpose, aead::LessSafeKey)>,
    signing: Vec<(Purpose, hmac::Key)>,
    fingerprint: String,
    environment: Environment,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// Derives every key from the master key.
    ///
    /// # Errors
    ///
    /// [`KeysError::Length`] when the master key has not 32 bytes.
    pub fn new(master: &[u8], environment: Environment) -> Result<Self, KeysError> {
        if master.len() != MASTER_KEY_BYTES {
            return Err(KeysError::Length);
        }
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"selfprov key file").extract(master);
        let mut sealing = Vec::new();
        let mut signing = Vec::new();
        for &purpose in Purpose::ALL {
            let key = derive(&root, &[b"seal", purpose.label()])?;
            let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &key)
                .map_err(|_| KeysError::Length)?;
            sealing.push((purpose, aead::LessSafeKey::new(key)));
            let key = derive(&root, &[b"sign", purpose.label()])?;
            signing.push((purpose, hmac::Key::new(hmac::HMAC_SHA256, &key)));
        }
        let fingerprint = derive(&root, &[b"fingerprint"])?;
        let fingerprint = URL_SAFE_NO_PAD.encode(&fingerprint[..12]);
        Ok(Self {
            sealing,
            signing,
            fingerprint,
            environment,
        })
    }

    /// Names the key file without telling anything of it; all nodes of a database must agree.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Seals bytes for a purpose: 12 bytes of nonce, the ciphertext, 16 bytes of tag.
    ///
    /// # Errors
    ///
    /// [`KeysError::Length`] when `plain` is longer than the cipher takes (256 GiB).
    pub fn seal(&self, purpose: Purpose, plain: &[u8]) -> Result<Vec<u8>, KeysError> {
        let nonce: [u8; aead::NONCE_LEN] = self.environment.random();
        let mut sealed = plain.to_vec();
        self.sealing_key(purpose)?
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::empty(),
                &mut sealed,
            )
            .map_err(|_| KeysError::Length)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Keys::seal`] gave for the same purpose.
    ///
    /// # Errors
    ///
    /// [`KeysError::NotOurs`] for anything else.
    pub fn open(&self, purpose: Purpose, sealed: &[u8]) -> Result<Vec<u8>, KeysError> {
        let (nonce, sealed) = sealed
            .split_at_checked(aead::NONCE_LEN)
            .ok_or(KeysError::NotOurs)?;
        let nonce =
            aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeysError::NotOurs)?;
        let mut plain = sealed.to_vec();
        let length = self
            .sealing_key(purpose)?
            .open_in_place(nonce, aead::Aad::empty(), &mut plain)
            .map_err(|_| KeysError::NotOurs)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }

    /// Seals a secret as the database keeps it.
    ///
    /// # Errors
    ///
    /// As [`Keys::seal`].
    pub fn seal_secret(&self, secret: &Secret) -> Result<Sealed, KeysError> {
        let sealed = self.seal(Purpose::StoredSecret, secret.reveal().as_bytes())?;
        Ok(Sealed::new(sealed))
    }

    /// Opens a secret that the database keeps.
    ///
    /// # Errors
    ///
    /// As [`Keys::open`].
    pub fn open_secret(&self, sealed: &Sealed) -> Result<Secret, KeysError> {
        let plain = self.open(Purpose::StoredSecret, sealed.as_bytes())?;
        String::from_utf8(plain)
            .map(Secret::new)
            .map_err(|_| KeysError::NotOurs)
    }

    /// A keyed digest of bytes for a purpose, 32 bytes.
    ///
    /// # Errors
    ///
    /// [`KeysError::NotOurs`] never in practice: every purpose has a key.
    pub fn sign(&self, purpose: Purpose, bytes: &[u8]) -> Result<[u8; 32], KeysError> {
        let key = self.signing_key(purpose)?;
        hmac::sign(key, bytes)
            .as_ref()
            .try_into()
            .map_err(|_| KeysError::NotOurs)
    }

    /// Whether `tag` begins the keyed digest of `bytes`, compared in constant time.
    ///
    /// `tag` may be cut to 8 bytes or more.
    pub fn verify(&self, purpose: Purpose, bytes: &[u8], tag: &[u8]) -> bool {
        let Ok(expected) = self.sign(purpose, bytes) else {
            return false;
        };
        let Some(expected) = expected.get(..tag.len()).filter(|_| tag.len() >= 8) else {
            return false;
        };
        expected
            .iter()
            .zip(tag)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
    }

    fn sealing_key(&self, purpose: Purpose) -> Result<&aead::LessSafeKey, KeysError> {
        let found = self.sealing.iter().find(|(other, _)| *other == purpose);
        found.map(|(_, key)| key).ok_or(KeysError::NotOurs)
    }

    fn signing_key(&self, purpose: Purpose) -> Result<&hmac::Key, KeysError> {
        let found = self.signing.iter().find(|(other, _)| *other == purpose);
        found.map(|(_, key)| key).ok_or(KeysError::NotOurs)
    }
}

fn derive(root: &hkdf::Prk, info: &[&[u8]]) -> Result<[u8; 32], KeysError> {
    let mut key = [0; 32];
    root.expand(info, hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut key))
        .map_err(|_| KeysError::Length)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::environment::fixed;

    fn keys(byte: u8) -> Keys {
        Keys::new(&[byte; MASTER_KEY_BYTES], fixed::environment(7)).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_with_the_same_key_file_only() {
        let sealed = keys(1).seal_secret(&Secret::from("s3cret")).unwrap();
        assert!(!sealed.as_bytes().windows(6).any(|piece| piece == b"s3cret"));
        assert_eq!(format!("{sealed:?}"), "[sealed]");
        assert_eq!(keys(1).open_secret(&sealed).unwrap().reveal(), "s3cret");
        assert_eq!(keys(2).open_secret(&sealed), Err(KeysError::NotOurs));
    }

    #[test]
    fn what_was_sealed_for_one_purpose_does_not_open_for_another() {
        let sealed = keys(1).seal(Purpose::ConfirmToken, b"x").unwrap();
        assert_eq!(
            keys(1).open(Purpose::Nonce, &sealed),
            Err(KeysError::NotOurs)
        );
    }

    #[test]
    fn a_tag_is_verified_whole_or_cut_but_not_short_or_changed() {
        let tag = keys(1).sign(Purpose::Nonce, b"x").unwrap();
        assert!(keys(1).verify(Purpose::Nonce, b"x", &tag));
        assert!(keys(1).verify(Purpose::Nonce, b"x", &tag[..8]));
        assert!(!keys(1).verify(Purpose::Nonce, b"x", &tag[..7]));
        assert!(!keys(1).verify(Purpose::Nonce, b"y", &tag));
        assert!(!keys(2).verify(Purpose::Nonce, b"x", &tag));
    }
}
