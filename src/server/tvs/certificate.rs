//! What TVS shows under TLS: the certificate of its own key, as soon as that was exported.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::server::ClientHello;
use rustls::server::ResolvesServerCert;
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::PrivatePkcs8KeyDer;

use crate::server::tls;
use crate::server::tls::TlsError;
use crate::service::App;
use crate::service::trust_list::service_keys::TvsKey;

/// Gives the certificate that phones know from their list. Without a key there is none, and
/// handshakes fail.
pub(super) struct TvsCertificate {
    app: Arc<App>,
    loaded: ArcSwapOption<Loaded>,
}

/// A key and what was made of it.
struct Loaded {
    key: Arc<TvsKey>,
    shown: Arc<CertifiedKey>,
}

impl std::fmt::Debug for TvsCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TvsCertificate")
    }
}

impl TvsCertificate {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self {
            app,
            loaded: ArcSwapOption::empty(),
        }
    }

    /// The rustls configuration of the listener: no application protocol, which phones do not name.
    pub(super) fn server_config(self) -> Result<Arc<rustls::ServerConfig>, TlsError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::new(self);
        let mut config = rustls::ServerConfig::clone(&*tls::server_config(resolver)?);
        config.alpn_protocols.clear();
        Ok(Arc::new(config))
    }

    fn shown(&self) -> Option<Arc<CertifiedKey>> {
        let key = self.app.trust_lists.tvs_key()?;
        if let Some(loaded) = self.loaded.load().as_ref()
            && Arc::ptr_eq(&loaded.key, &key)
        {
            return Some(Arc::clone(&loaded.shown));
        }
        let private_key = PrivatePkcs8KeyDer::from(key.private_key.to_vec());
        let provider = rustls::crypto::ring::default_provider();
        let signing_key = provider.key_provider.load_private_key(private_key.into());
        let signing_key = match signing_key {
            Ok(signing_key) => signing_key,
            Err(error) => {
                tracing::error!(%error, "the key of TVS cannot be used");
                return None;
            }
        };
        let chain = vec![CertificateDer::from(key.certificate.clone())];
        let shown = Arc::new(CertifiedKey::new(chain, signing_key));
        let loaded = Loaded {
            key,
            shown: Arc::clone(&shown),
        };
        self.loaded.store(Some(Arc::new(loaded)));
        Some(shown)
    }
}

impl ResolvesServerCert for TvsCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.shown()
    }
}
