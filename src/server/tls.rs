//! The server's certificate: made on first start or read from files, and changed without restart.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::domain::time::UnixMillis;
use crate::server::certificate_validity;
use crate::server::shutdown::Shutdown;

/// How often the files are looked at for a change.
pub const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// Lifetime of a certificate we make: longer than the phones it serves, since every renewal
/// means that phones must learn to trust it again.
const SELF_SIGNED_DAYS: i64 = 3_650;

/// Where a certificate chain and its private key stand, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The server's certificate first, then the intermediate ones.
    pub certificate: PathBuf,
    /// The private key (PKCS#8, SEC1 or PKCS#1).
    pub private_key: PathBuf,
}

impl CertificateFiles {
    /// The files that a certificate of our own has in the data directory.
    pub fn in_data_dir(data_dir: &Path) -> Self {
        Self {
            certificate: data_dir.join("https-certificate.pem"),
            private_key: data_dir.join("https-key.pem"),
        }
    }
}

/// Why there is no certificate to serve with.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{path}: {source}; check that it exists and that the service's user may read it")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The certificate file holds no certificate.
    #[error("{0}: no certificate in this PEM file; it must begin with the server's own one")]
    NoCertificate(PathBuf),
    /// The key file holds no private key that we can use.
    #[error("{0}: no usable private key in this PEM file (RSA, or EC on P-256 or P-384)")]
    NoPrivateKey(PathBuf),
    /// Key and certificate are not a pair.
    #[error("{private_key} is not the key of {certificate}; configure files of the same pair")]
    Mismatch {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        private_key: PathBuf,
    },
    /// The certificate is not valid now.
    #[error(
        "{path}: the certificate is valid from {not_before} to {not_after}, not now; replace it, \
         or delete a self-signed one and start again"
    )]
    NotValidNow {
        /// The certificate file.
        path: PathBuf,
        /// Begin of validity.
        not_before: String,
        /// End of validity.
        not_after: String,
    },
    /// A certificate could not be made.
    #[error("cannot make a self-signed certificate: {0}; check the configured names")]
    Make(#[from] rcgen::Error),
    /// The cryptography library offers neither TLS 1.2 nor TLS 1.3.
    #[error("TLS cannot be set up: {0}; this is a fault of the build, please report it")]
    Provider(#[from] rustls::Error),
}

/// A certificate in use. New connections see a reloaded one, old ones keep theirs.
#[derive(Debug)]
pub struct ServerCertificate {
    files: CertificateFiles,
    current: ArcSwap<CertifiedKey>,
}

impl ServerCertificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// A [`TlsError`] that names the file at fault; a certificate that is not valid at `now` is
    /// one.
    pub fn load(files: CertificateFiles, now: UnixMillis) -> Result<Arc<Self>, TlsError> {
        let current = ArcSwap::from_pointee(read(&files, now)?);
        Ok(Arc::new(Self { files, current }))
    }

    /// Reads the files; makes them first, self-signed for `names`, unless both exist.
    ///
    /// # Errors
    ///
    /// As [`ServerCertificate::load`], or when the certificate cannot be made or written.
    pub fn load_or_make(
        files: CertificateFiles,
        names: &[String],
        now: UnixMillis,
    ) -> Result<Arc<Self>, TlsError> {
        if !files.certificate.exists() || !files.private_key.exists() {
            make_self_signed(&files, names, now)?;
        }
        Self::load(files, now)
    }

    /// Reads the files again and serves the new pair; true when it differs. On an error the old
    /// certificate stays in use.
    ///
    /// # Errors
    ///
    /// As [`ServerCertificate::load`].
    pub fn reload(&self, now: UnixMillis) -> Result<bool, TlsError> {
        let new = read(&self.files, now)?;
        let changed = new.cert != self.current.load().cert;
        if changed {
            self.current.store(Arc::new(new));
        }
        Ok(changed)
    }

    /// The files it is read from.
    pub fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// The DER of the certificate served now, for trust lists and fingerprints.
    pub fn certificate_der(&self) -> Vec<u8> {
        let current = self.current.load();
        current
            .cert
            .first()
            .map(|der| der.to_vec())
            .unwrap_or_default()
    }

    /// The rustls configuration of an HTTP listener: TLS 1.2 and 1.3, HTTP/1.1, this certificate.
    ///
    /// # Errors
    ///
    /// [`TlsError::Provider`] when the cryptography library lacks these versions.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        server_config(Arc::clone(self) as Arc<dyn ResolvesServerCert>)
    }

    /// The rustls configuration of a SIP listener: the same without an application protocol, which
    /// phones do not name.
    ///
    /// # Errors
    ///
    /// [`TlsError::Provider`] when the cryptography library lacks these versions.
    pub fn sip_config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        let mut config = rustls::ServerConfig::clone(&*self.server_config()?);
        config.alpn_protocols.clear();
        Ok(Arc::new(config))
    }

    /// Whether its key is on an elliptic curve.
    pub fn is_elliptic(&self) -> bool {
        self.current.load().key.algorithm() == rustls::SignatureAlgorithm::ECDSA
    }

    /// Looks at the files every [`POLL_INTERVAL`] until `shutdown` and serves what changed.
    pub async fn watch(
        self: Arc<Self>,
        now: impl Fn() -> UnixMillis + Send,
        mut shutdown: Shutdown,
    ) {
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.requested() => return,
                _ = ticks.tick() => self.reload_and_tell(now()),
            }
        }
    }

    /// Reloads and says in the log what came of it; for SIGHUP and the poll.
    pub fn reload_and_tell(&self, now: UnixMillis) {
        let certificate = self.files.certificate.display();
        match self.reload(now) {
            Ok(true) => tracing::info!(%certificate, "serving the new certificate"),
            Ok(false) => tracing::debug!(%certificate, "certificate unchanged"),
            Err(error) => tracing::error!(%error, "keeping the old certificate"),
        }
    }
}

impl ResolvesServerCert for ServerCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

/// The rustls configuration of a listener: TLS 1.2 and 1.3, HTTP/1.1, the certificate that
/// `resolver` gives.
///
/// # Errors
///
/// [`TlsError::Provider`] when the cryptography library lacks these versions.
pub fn server_config(
    resolver: Arc<dyn ResolvesServerCert>,
) -> Result<Arc<rustls::ServerConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(files: &CertificateFiles, now: UnixMillis) -> Result<CertifiedKey, TlsError> {
    let certificate_pem = read_file(&files.certificate)?;
    let chain = CertificateDer::pem_slice_iter(&certificate_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| TlsError::NoCertificate(files.certificate.clone()))?;
    let first = chain
        .first()
        .ok_or_else(|| TlsError::NoCertificate(files.certificate.clone()))?;
    check_validity(&files.certificate, first, now)?;
    let key_pem = zeroize::Zeroizing::new(read_file(&files.private_key)?);
    let key = PrivateKeyDer::from_pem_slice(&key_pem)
        .map_err(|_| TlsError::NoPrivateKey(files.private_key.clone()))?;
    let provider = rustls::crypto::ring::default_provider();
    let signing_key = provider
        .key_provider
        .load_private_key(key)
        .map_err(|_| TlsError::NoPrivateKey(files.private_key.clone()))?;
    let pair = CertifiedKey::new(chain, signing_key);
    pair.keys_match().map_err(|_| TlsError::Mismatch {
        certificate: files.certificate.clone(),
        private_key: files.private_key.clone(),
    })?;
    Ok(pair)
}

fn check_validity(path: &Path, der: &[u8], now: UnixMillis) -> Result<(), TlsError> {
    let validity = certificate_validity::of_certificate(der)
        .ok_or_else(|| TlsError::NoCertificate(path.to_owned()))?;
    if (validity.not_before..=validity.not_after).contains(&now) {
        return Ok(());
    }
    Err(TlsError::NotValidNow {
        path: path.to_owned(),
        not_before: date(validity.not_before),
        not_after: date(validity.not_after),
    })
}

fn date(at: UnixMillis) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| "?".to_owned(), |at| at.to_string())
}

/// Makes a key on P-256 and a certificate with CN, O, OU and every name and address as SAN.
///
/// Source: phones want all three name parts and RFC 5280 4.2.1.6 the SANs.
fn make_self_signed(
    files: &CertificateFiles,
    names: &[String],
    now: UnixMillis,
) -> Result<(), TlsError> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(names.to_vec())?;
    let mut subject = DistinguishedName::new();
    let common_name = names.first().map_or("selfprov", String::as_str);
    subject.push(DnType::CommonName, common_name);
    subject.push(DnType::OrganizationName, "selfprov");
    subject.push(DnType::OrganizationalUnitName, "Self-Provisioning");
    params.distinguished_name = subject;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A day back, so that a phone whose clock is behind accepts it.
    let (year, month, first_day) = day(now, -1);
    params.not_before = rcgen::date_time_ymd(year, month, first_day);
    let (year, month, last_day) = day(now, SELF_SIGNED_DAYS);
    params.not_after = rcgen::date_time_ymd(year, month, last_day);
    let certificate = params.self_signed(&key)?;
    let key_pem = zeroize::Zeroizing::new(key.serialize_pem());
    write_file(&files.private_key, key_pem.as_bytes(), 0o600)?;
    write_file(&files.certificate, certificate.pem().as_bytes(), 0o644)
}

/// Year, month and day, `days` after `now`.
fn day(now: UnixMillis, days: i64) -> (i32, u8, u8) {
    let at = UnixMillis(now.0.saturating_add(days.saturating_mul(86_400_000)));
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = jiff::tz::TimeZone::UTC.to_datetime(at).date();
    let month = u8::try_from(date.month()).unwrap_or(1);
    let day = u8::try_from(date.day()).unwrap_or(1);
    (i32::from(date.year()), month, day)
}

fn read_file(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

/// Writes beside the file and renames, so that nobody ever reads half of one.
fn write_file(path: &Path, contents: &[u8], mode: u32) -> Result<(), TlsError> {
    let part = path.with_extension("part");
    let written = (|| {
        let _ = fs::remove_file(&part);
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&part)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&part, path)
    })();
    written.map_err(|source| TlsError::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn names() -> Vec<String> {
        ["phones.example", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec()
    }

    #[test]
    fn the_first_start_makes_a_pair_that_the_second_start_reads() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles::in_data_dir(folder.path());
        let first = ServerCertificate::load_or_make(files.clone(), &names(), NOW).unwrap();
        let second = ServerCertificate::load_or_make(files.clone(), &[], NOW).unwrap();
        assert_eq!(first.certificate_der(), second.certificate_der());
        let mode = fs::metadata(&files.private_key)
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "the key is for the service alone");
        let der = first.certificate_der();
        for text in ["phones.example", "selfprov", "Self-Provisioning"] {
            let found = der
                .windows(text.len())
                .any(|window| window == text.as_bytes());
            assert!(found, "{text}");
        }
        assert!(
            der.windows(6)
                .any(|window| window == [0x87, 4, 127, 0, 0, 1]),
            "address SAN"
        );
    }

    #[test]
    fn a_certificate_is_read_with_its_validity() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles::in_data_dir(folder.path());
        let made = ServerCertificate::load_or_make(files.clone(), &names(), NOW).unwrap();
        let validity = certificate_validity::of_certificate(&made.certificate_der()).unwrap();
        assert_eq!(date(validity.not_before), "2023-11-13T00:00:00Z");
        assert_eq!(date(validity.not_after), "2033-11-11T00:00:00Z");
        let later = UnixMillis(validity.not_after.0 + 1000);
        let error = ServerCertificate::load(files, later).unwrap_err();
        assert!(
            error.to_string().contains("2033-11-11T00:00:00Z"),
            "{error}"
        );
    }

    #[test]
    fn cut_or_changed_bytes_are_never_a_validity_panic() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles::in_data_dir(folder.path());
        let der = ServerCertificate::load_or_make(files, &names(), NOW)
            .unwrap()
            .certificate_der();
        for end in 0..der.len() {
            let _ = certificate_validity::of_certificate(&der[..end]);
        }
        for at in 0..der.len() {
            let mut changed = der.clone();
            changed[at] ^= 0xFF;
            let _ = certificate_validity::of_certificate(&changed);
        }
    }

    #[test]
    fn a_new_pair_is_served_after_reload_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles::in_data_dir(folder.path());
        let served = ServerCertificate::load_or_make(files.clone(), &names(), NOW).unwrap();
        assert!(!served.reload(NOW).unwrap());
        let old = served.certificate_der();

        let old_key = fs::read(&files.private_key).unwrap();
        make_self_signed(&files, &names(), NOW).unwrap();
        assert!(served.reload(NOW).unwrap());
        let new = served.certificate_der();
        assert_ne!(old, new);

        fs::write(&files.private_key, old_key).unwrap();
        let error = served.reload(NOW).unwrap_err();
        assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
        fs::write(&files.private_key, "no key").unwrap();
        assert!(matches!(served.reload(NOW), Err(TlsError::NoPrivateKey(_))));
        fs::write(&files.certificate, "nothing").unwrap();
        assert!(matches!(
            served.reload(NOW),
            Err(TlsError::NoCertificate(_))
        ));
        fs::remove_file(&files.certificate).unwrap();
        assert!(matches!(served.reload(NOW), Err(TlsError::File { .. })));
        assert_eq!(served.certificate_der(), new);
    }
}
