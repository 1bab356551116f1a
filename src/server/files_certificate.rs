//! The certificate of the HTTPS door for files, where phones want an elliptic curve.
//!
//! The configured certificate serves there too when its key is one. When it is RSA, this door has a
//! self-signed certificate of its own on P-256, beside the database, and keeps it: who was told to
//! trust it is not told again after a restart.
//!
//! Phones know this door's certificate by the role TFTP, which lists of ours have only where
//! configuration files are signed; else TVS vouches for it. Source: published descriptions of the
//! trust list's roles.

use std::path::Path;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::domain::time::UnixMillis;
use crate::server::tls::{self, CertificateFiles, ServerCertificate, TlsError};

/// Which certificate the door shows.
#[derive(Debug)]
pub struct FilesCertificate {
    configured: Arc<ServerCertificate>,
    own: Option<Arc<ServerCertificate>>,
}

impl FilesCertificate {
    /// The files of this door's own certificate in the data directory.
    pub fn files(data_dir: &Path) -> CertificateFiles {
        CertificateFiles {
            certificate: data_dir.join("files-https-certificate.pem"),
            private_key: data_dir.join("files-https-key.pem"),
        }
    }

    /// Takes the configured certificate where its key is elliptic, else this door's own, which is
    /// made for `names` when it is absent.
    ///
    /// # Errors
    ///
    /// A [`TlsError`] when the door's own certificate cannot be made, read, or is not valid at `now`.
    pub fn choose(
        configured: Arc<ServerCertificate>,
        data_dir: &Path,
        names: &[String],
        now: UnixMillis,
    ) -> Result<Arc<Self>, TlsError> {
        let own = if configured.is_elliptic() {
            None
        } else {
            let files = Self::files(data_dir);
            let own = ServerCertificate::load_or_make(files, names, now)?;
            tracing::warn!(
                certificate = %configured.files().certificate.display(),
                own = %own.files().certificate.display(),
                "the configured certificate is RSA; phones want an elliptic curve on the HTTPS door \
                 for files, so that door shows a self-signed certificate of its own"
            );
            Some(own)
        };
        Ok(Arc::new(Self { configured, own }))
    }

    /// The certificate shown now. A configured certificate that was replaced by one with an
    /// elliptic key counts from then on; one that was replaced by RSA is shown until a restart.
    pub fn shown(&self) -> &Arc<ServerCertificate> {
        match &self.own {
            Some(own) if !self.configured.is_elliptic() => own,
            _ => &self.configured,
        }
    }

    /// The rustls configuration of the door's listener.
    ///
    /// # Errors
    ///
    /// [`TlsError::Provider`] when the cryptography library lacks TLS 1.2 and 1.3.
    pub fn server_config(self: &Arc<Self>) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        tls::server_config(Arc::clone(self) as Arc<dyn ResolvesServerCert>)
    }
}

impl ResolvesServerCert for FilesCertificate {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown().resolve(hello)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    #[test]
    fn an_elliptic_certificate_serves_both_doors_and_no_further_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles::in_data_dir(folder.path());
        let names = ["localhost".to_owned()];
        let configured = ServerCertificate::load_or_make(files, &names, NOW).unwrap();
        let configured_der = configured.certificate_der();
        let chosen = FilesCertificate::choose(configured, folder.path(), &names, NOW).unwrap();
        assert_eq!(chosen.shown().certificate_der(), configured_der);
        let own = FilesCertificate::files(folder.path());
        assert!(!own.certificate.exists());
    }
}
