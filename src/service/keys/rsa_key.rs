//! RSA: keys that sign trust lists and phones' files, and that of TVS. The one place in the
//! program that makes one.
//!
//! The crate `rsa`, whose arithmetic takes a time that depends on the key (RUSTSEC-2023-0071), is
//! used offline only: it makes keys, and signs lists with SHA-1 for phones that know no better, at
//! an administrator's command, a new certificate or the start of the service. Whatever a request
//! of a phone has signed is signed by ring, in constant time: [`RsaSigner`], and TLS.

use std::time::Duration;

use ring::digest::SHA1_FOR_LEGACY_USE_ONLY;
use ring::rand::SystemRandom;
use ring::signature::KeyPair as _;
use ring::signature::RsaKeyPair;
use rsa::Pkcs1v15Sign;
use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::pkcs8::EncodePrivateKey as _;
use rsa::pkcs8::EncryptedPrivateKeyInfo;
use rsa::pkcs8::PrivateKeyInfo;
use rsa::pkcs8::SecretDocument;
use rsa::pkcs8::pkcs5;
use rsa::pkcs8::pkcs5::pbes2;
use rsa::rand_core;
use rustls_pki_types::PrivatePkcs8KeyDer;
use zeroize::Zeroizing;

use crate::domain::secret::Secret;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::SignatureDigest;
use crate::service::environment::Environment;

/// Length of a key in bits: the longest that phones verify with.
const KEY_BITS: usize = 2_048;

/// Length of a signature in bytes.
const SIGNATURE_BYTES: usize = KEY_BITS / 8;

/// Lifetime of the certificate of a key: as long as CUCM's own recovery certificate. Its end would
/// mean work on every phone.
const CERTIFICATE_LIFETIME: Duration = Duration::from_hours(24 * 7_300);

/// Rounds of PBKDF2 over the passphrase of an export. Source: OWASP, for HMAC-SHA-256.
const PASSPHRASE_ROUNDS: u32 = 600_000;

/// Most rounds that a file to be imported may ask for: some ten seconds.
const PASSPHRASE_ROUNDS_MAX: u32 = 10_000_000;

/// Most memory in bytes that a file to be imported may ask for with scrypt.
const SCRYPT_MEMORY_MAX: u64 = 256 << 20;

/// Most runs of scrypt, one after another, that a file to be imported may ask for.
const SCRYPT_RUNS_MAX: u16 = 16;

/// `DigestInfo` of a SHA-1 digest up to the digest itself. Source: RFC 8017 9.2, note 1.
const SHA_1_PREFIX: [u8; 15] = [
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E, 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14,
];

/// A key operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RsaKeyError {
    /// The key is not one that we can use.
    #[error("it is not a private RSA key of {KEY_BITS} bits, which is what phones verify with")]
    NotUsable,
    /// Making a key failed.
    #[error("the key could not be made: {0}; this is a fault of the build, please report it")]
    Make(String),
    /// Signing failed.
    #[error("the key does not sign; restore it from your export: selfprov cert import")]
    Sign,
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the private key of this file")]
    Passphrase,
    /// The encryption of the file is unknown, or would take too long or too much memory to undo.
    #[error(
        "the private key in this file is encrypted in a way that is unknown here or asks for too \
         much work; encrypt it anew: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW"
    )]
    Encryption,
}

/// What the certificate of a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateUse {
    /// Signing trust lists.
    TrustLists,
    /// Signing files.
    Files,
    /// Answering TLS.
    TlsServer,
}

/// A key made ready to sign with SHA-512, by ring alone. Prints nothing of it.
pub struct RsaSigner(RsaKeyPair);

impl std::fmt::Debug for RsaSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl RsaSigner {
    /// Signs bytes: RSASSA-PKCS1-v1_5 with SHA-512. Takes about half a millisecond.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Sign`], never in practice.
    pub fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        sign_by_ring(&self.0, &ring::signature::RSA_PKCS1_SHA512, bytes)
    }
}

/// A private RSA key of 2048 bits. Prints nothing of it; its memory is overwritten when dropped.
#[derive(Clone)]
pub struct RsaKey(Zeroizing<Vec<u8>>);

impl std::fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl RsaKey {
    /// Makes a key. Takes a second or two of processor time.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Make`], never in practice.
    pub fn generate(environment: &Environment) -> Result<Self, RsaKeyError> {
        let failed = |error: &dyn std::fmt::Display| RsaKeyError::Make(error.to_string());
        let key = RsaPrivateKey::new(&mut Randomness(environment), KEY_BITS)
            .map_err(|error| failed(&error))?;
        let der = key.to_pkcs8_der().map_err(|error| failed(&error))?;
        Self::from_pkcs8(der.as_bytes())
    }

    /// Reads a key as [`RsaKey::pkcs8`] gave it.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::NotUsable`] for anything but an RSA key of 2048 bits.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, RsaKeyError> {
        let pair = RsaKeyPair::from_pkcs8(der).map_err(|_| RsaKeyError::NotUsable)?;
        if pair.public().modulus_len() != SIGNATURE_BYTES {
            return Err(RsaKeyError::NotUsable);
        }
        Ok(Self(Zeroizing::new(der.to_vec())))
    }

    /// The key as PKCS#8. Every call is a place to review: nothing may print or log it.
    pub fn pkcs8(&self) -> &[u8] {
        &self.0
    }

    /// `RSAPublicKey` in DER: to be compared with a certificate's.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::NotUsable`], never in practice.
    pub fn public_key(&self) -> Result<Vec<u8>, RsaKeyError> {
        Ok(self.pair()?.public_key().as_ref().to_vec())
    }

    /// Signs bytes: RSASSA-PKCS1-v1_5, always the same signature for the same bytes.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Sign`].
    pub fn sign(&self, digest: SignatureDigest, bytes: &[u8]) -> Result<Vec<u8>, RsaKeyError> {
        match digest {
            SignatureDigest::Sha256 => {
                sign_by_ring(&self.pair()?, &ring::signature::RSA_PKCS1_SHA256, bytes)
            }
            SignatureDigest::Sha512 => self.signer()?.sign(bytes),
            SignatureDigest::Sha1 => {
                let key =
                    RsaPrivateKey::from_pkcs8_der(&self.0).map_err(|_| RsaKeyError::NotUsable)?;
                let digest = ring::digest::digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes);
                let padding = Pkcs1v15Sign {
                    hash_len: Some(SHA1_FOR_LEGACY_USE_ONLY.output_len()),
                    prefix: Box::new(SHA_1_PREFIX),
                };
                key.sign(padding, digest.as_ref())
                    .map_err(|_| RsaKeyError::Sign)
            }
        }
    }

    /// The key made ready to sign with SHA-512 again and again.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::NotUsable`], never in practice.
    pub fn signer(&self) -> Result<RsaSigner, RsaKeyError> {
        self.pair().map(RsaSigner)
    }

    /// Makes the key's own certificate, with CN, O and OU, for signing trust lists.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Make`], never in practice.
    pub fn certify(
        &self,
        environment: &Environment,
        common_name: &str,
    ) -> Result<Vec<u8>, RsaKeyError> {
        self.certify_for(environment, common_name, CertificateUse::TrustLists)
    }

    /// Makes the key's own certificate, with CN, O and OU.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Make`], never in practice.
    pub fn certify_for(
        &self,
        environment: &Environment,
        common_name: &str,
        good_for: CertificateUse,
    ) -> Result<Vec<u8>, RsaKeyError> {
        let made = || {
            let der = PrivatePkcs8KeyDer::from(self.0.as_slice());
            let key = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, &rcgen::PKCS_RSA_SHA256)?;
            let certificate = parameters(environment, common_name, good_for).self_signed(&key)?;
            Ok(certificate.der().to_vec())
        };
        made().map_err(|error: rcgen::Error| RsaKeyError::Make(error.to_string()))
    }

    /// The key encrypted with a passphrase: `EncryptedPrivateKeyInfo` in DER with PBES2,
    /// PBKDF2-SHA-256 and AES-256-CBC, which `openssl pkey` reads. Takes some tenths of a second.
    ///
    /// # Errors
    ///
    /// [`RsaKeyError::Make`], never in practice.
    pub fn encrypted(
        &self,
        environment: &Environment,
        passphrase: &Secret,
    ) -> Result<Vec<u8>, RsaKeyError> {
        let salt: [u8; 16] = environment.random();
        let initial: [u8; 16] = environment.random();
        let encrypted = || {
            let scheme =
                pbes2::Parameters::pbkdf2_sha256_aes256cbc(PASSPHRASE_ROUNDS, &salt, &initial)?;
            let key = PrivateKeyInfo::try_from(self.0.as_slice())?;
            let document = key.encrypt_with_params(scheme, passphrase.reveal())?;
            Ok(document.as_bytes().to_vec())
        };
        encrypted().map_err(|error: rsa::pkcs8::Error| RsaKeyError::Make(error.to_string()))
    }

    /// Reads what [`RsaKey::encrypted`] or another program wrote.
    ///
    /// # Errors
    ///
    /// The passphrase is wrong, the file asks for too much work, or holds another kind of key.
    pub fn from_encrypted(der: &[u8], passphrase: &Secret) -> Result<Self, RsaKeyError> {
        let encrypted =
            EncryptedPrivateKeyInfo::try_from(der).map_err(|_| RsaKeyError::Encryption)?;
        check_work(&encrypted.encryption_algorithm)?;
        let document: SecretDocument = encrypted
            .decrypt(passphrase.reveal())
            .map_err(|_| RsaKeyError::Passphrase)?;
        Self::from_pkcs8(document.as_bytes())
    }

    fn pair(&self) -> Result<RsaKeyPair, RsaKeyError> {
        RsaKeyPair::from_pkcs8(&self.0).map_err(|_| RsaKeyError::NotUsable)
    }
}

/// Whether a signature of these bytes was made with the key of this `RSAPublicKey`.
pub fn verify(public_key: &[u8], digest: SignatureDigest, bytes: &[u8], signature: &[u8]) -> bool {
    let scheme = match digest {
        SignatureDigest::Sha1 => &ring::signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
        SignatureDigest::Sha256 => &ring::signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
        SignatureDigest::Sha512 => &ring::signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY,
    };
    ring::signature::UnparsedPublicKey::new(scheme, public_key)
        .verify(bytes, signature)
        .is_ok()
}

/// Refuses a file whose passphrase would take minutes or gigabytes to check.
fn check_work(scheme: &pkcs5::EncryptionScheme<'_>) -> Result<(), RsaKeyError> {
    let pkcs5::EncryptionScheme::Pbes2(parameters) = scheme else {
        return Err(RsaKeyError::Encryption);
    };
    let is_bearable = match &parameters.kdf {
        pbes2::Kdf::Pbkdf2(kdf) => kdf.iteration_count <= PASSPHRASE_ROUNDS_MAX,
        pbes2::Kdf::Scrypt(kdf) => {
            let memory = kdf
                .cost_parameter
                .saturating_mul(128)
                .saturating_mul(u64::from(kdf.block_size));
            memory <= SCRYPT_MEMORY_MAX && kdf.parallelization <= SCRYPT_RUNS_MAX
        }
        _ => false,
    };
    if is_bearable {
        Ok(())
    } else {
        Err(RsaKeyError::Encryption)
    }
}

fn sign_by_ring(
    pair: &RsaKeyPair,
    scheme: &'static dyn ring::signature::RsaEncoding,
    bytes: &[u8],
) -> Result<Vec<u8>, RsaKeyError> {
    let mut signature = vec![0; SIGNATURE_BYTES];
    pair.sign(scheme, &SystemRandom::new(), bytes, &mut signature)
        .map_err(|_| RsaKeyError::Sign)?;
    Ok(signature)
}

fn parameters(
    environment: &Environment,
    common_name: &str,
    good_for: CertificateUse,
) -> rcgen::CertificateParams {
    let mut subject = rcgen::DistinguishedName::new();
    subject.push(rcgen::DnType::OrganizationName, "selfprov");
    subject.push(rcgen::DnType::OrganizationalUnitName, "Self-Provisioning");
    subject.push(rcgen::DnType::CommonName, common_name);
    let now = environment.now();
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name = subject;
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    match good_for {
        CertificateUse::TrustLists => params.key_usages.push(rcgen::KeyUsagePurpose::KeyCertSign),
        CertificateUse::Files => {}
        CertificateUse::TlsServer => {
            params
                .key_usages
                .push(rcgen::KeyUsagePurpose::KeyEncipherment);
            params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        }
    }
    // A day back, so that a phone whose clock is behind accepts it.
    let (year, month, day) = date(now.minus(Duration::from_hours(24)));
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date(now.plus(CERTIFICATE_LIFETIME));
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let mut serial: [u8; 16] = environment.random();
    // Positive and never zero in front: RFC 5280 4.1.2.2.
    serial[0] = (serial[0] & 0x3F) | 0x40;
    params.serial_number = Some(serial.to_vec().into());
    params
}

/// Year, month and day.
fn date(at: UnixMillis) -> (i32, u8, u8) {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = jiff::tz::TimeZone::UTC.to_datetime(at).date();
    let month = u8::try_from(date.month()).unwrap_or(1);
    let day = u8::try_from(date.day()).unwrap_or(1);
    (i32::from(date.year()), month, day)
}

/// The process's randomness as the crate `rsa` takes it.
struct Randomness<'a>(&'a Environment);

impl rand_core::RngCore for Randomness<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_be_bytes(self.0.random())
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_be_bytes(self.0.random())
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

impl rand_core::CryptoRng for Randomness<'_> {}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU64;
    use std::sync::atomic::Ordering;

    use sha2::Digest as _;

    use super::*;
    use crate::domain::trust_list::certificate::PublicKey;
    use crate::service::environment::Clock;
    use crate::service::environment::Entropy;
    use crate::service::keys::x509;

    /// November 2026, and randomness that is another for each seed.
    struct Seeded(u64, AtomicU64);

    impl Clock for Seeded {
        fn now(&self) -> UnixMillis {
            UnixMillis(1_795_262_400_000)
        }
    }

    impl Entropy for Seeded {
        fn fill(&self, bytes: &mut [u8]) {
            for chunk in bytes.chunks_mut(32) {
                let drawn = self.1.fetch_add(1, Ordering::Relaxed);
                let mut digest = sha2::Sha256::new();
                digest.update(self.0.to_be_bytes());
                digest.update(drawn.to_be_bytes());
                chunk.copy_from_slice(&digest.finalize()[..chunk.len()]);
            }
        }
    }

    pub(crate) fn seeded(seed: u64) -> Environment {
        let seeded = Arc::new(Seeded(seed, AtomicU64::new(0)));
        Environment::new(seeded.clone(), seeded)
    }

    #[test]
    fn a_key_signs_with_both_digests_and_its_certificate_suits_phones() {
        let environment = seeded(1);
        let key = RsaKey::generate(&environment).unwrap();
        assert_eq!(format!("{key:?}"), "[redacted]");
        let public = key.public_key().unwrap();
        for digest in [
            SignatureDigest::Sha1,
            SignatureDigest::Sha256,
            SignatureDigest::Sha512,
        ] {
            let signature = key.sign(digest, b"list").unwrap();
            assert_eq!(signature.len(), 256);
            assert_eq!(signature, key.sign(digest, b"list").unwrap());
            assert!(verify(&public, digest, b"list", &signature));
            assert!(!verify(&public, digest, b"lisp", &signature));
        }
        let certificate = x509::read(&key.certify(&environment, "trust key").unwrap()).unwrap();
        assert_eq!(
            certificate.subject(),
            "CN=trust key,OU=Self-Provisioning,O=selfprov"
        );
        let expected = PublicKey::Rsa {
            bits: 2_048,
            der: public,
        };
        assert_eq!(*certificate.public_key(), expected);
    }

    #[test]
    fn an_export_opens_with_its_passphrase_only() {
        let environment = seeded(2);
        let key = RsaKey::generate(&environment).unwrap();
        let passphrase = Secret::from("correct horse");
        let der = key.encrypted(&environment, &passphrase).unwrap();
        let opened = RsaKey::from_encrypted(&der, &passphrase).unwrap();
        assert_eq!(opened.pkcs8(), key.pkcs8());
        let wrong = RsaKey::from_encrypted(&der, &Secret::from("correct house"));
        assert_eq!(wrong.unwrap_err(), RsaKeyError::Passphrase);
        for end in (0..der.len()).step_by(7) {
            assert!(RsaKey::from_encrypted(&der[..end], &passphrase).is_err());
        }
    }

    #[test]
    fn a_file_that_asks_for_hours_of_work_is_refused_at_once() {
        let salt = [1; 16];
        let check = |rounds| {
            let scheme =
                pbes2::Parameters::pbkdf2_sha256_aes256cbc(rounds, &salt, &[2; 16]).unwrap();
            check_work(&pkcs5::EncryptionScheme::Pbes2(scheme))
        };
        assert_eq!(check(PASSPHRASE_ROUNDS), Ok(()));
        assert_eq!(
            check(PASSPHRASE_ROUNDS_MAX + 1),
            Err(RsaKeyError::Encryption)
        );
    }
}
