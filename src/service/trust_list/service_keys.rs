//! The keys beside the trust keys: made with the first trust key, exported and imported with it,
//! opened for the doors that use them.

use std::collections::HashMap;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::open_sealed;
use super::sealing::blocking;
use super::sealing::seal;
use super::signed_files::FileSigner;
use super::trust_key_error::TrustKeyError;
use crate::domain::history::AuditKind;
use crate::domain::trust_list::Role;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::keys::KeyRefused;
use crate::domain::trust_list::service_key;
use crate::domain::trust_list::service_key::Import;
use crate::domain::trust_list::service_key::ServiceKey;
use crate::domain::trust_list::service_key::TrustService;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::keys::rsa_key::CertificateUse;
use crate::service::keys::rsa_key::RsaKey;
use crate::service::keys::x509;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::trust_service_key::ServiceKeyRow;

/// A key with its certificate in DER.
pub(super) struct Pair {
    pub(super) service: TrustService,
    pub(super) key: RsaKey,
    pub(super) certificate: Certificate,
}

/// The key of TVS as its door needs it. Prints nothing of it.
pub struct TvsKey {
    /// Its certificate, in DER.
    pub certificate: Vec<u8>,
    /// The private key as PKCS#8. Every use is a place to review: nothing may print or log it.
    pub private_key: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for TvsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A certificate that is ours, and what phones may trust it for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Vouched {
    pub(super) certificate: Vec<u8>,
    pub(super) roles: Vec<Role>,
}

/// What the doors use.
#[derive(Debug, Default)]
pub(super) struct Services {
    /// Whether each key that is here was exported.
    pub(super) exported: HashMap<TrustService, bool>,
    /// The key of TVS, once it was exported.
    pub(super) tvs: Option<Arc<TvsKey>>,
    /// The key that signs files, once a list has named it: phones that have that list go on asking
    /// for signed files, whatever the settings say now.
    pub(super) file_signer: Option<Arc<FileSigner>>,
    /// What TVS vouches for.
    pub(super) vouched: Vec<Vouched>,
}

impl Services {
    pub(super) fn open(app: &App, rows: &[ServiceKeyRow], vouched: Vec<Vouched>) -> Self {
        let signer = opened(app, rows, TrustService::ConfigurationFiles);
        let signer = signer.filter(|(row, _)| row.listed_at.is_some());
        let file_signer = signer.and_then(|(row, key)| {
            let certificate = x509::read(&row.certificate).ok()?;
            Some(Arc::new(FileSigner::new(certificate, key.signer().ok()?)))
        });
        let tvs = opened(app, rows, TrustService::TrustVerification);
        let tvs = tvs.filter(|(row, _)| row.exported_at.is_some());
        let exported = rows
            .iter()
            .map(|row| (row.service, row.exported_at.is_some()));
        Self {
            exported: exported.collect(),
            tvs: tvs.map(|(row, key)| {
                Arc::new(TvsKey {
                    certificate: row.certificate.clone(),
                    private_key: Zeroizing::new(key.pkcs8().to_vec()),
                })
            }),
            file_signer,
            vouched,
        }
    }
}

fn opened<'a>(
    app: &App,
    rows: &'a [ServiceKeyRow],
    service: TrustService,
) -> Option<(&'a ServiceKeyRow, RsaKey)> {
    let row = rows.iter().find(|row| row.service == service)?;
    match open_sealed(app, &row.sealed_key) {
        Ok(key) => Some((row, key)),
        Err(error) => {
            let service = service.as_str();
            tracing::error!(service, %error, "a key beside the trust key cannot be used");
            None
        }
    }
}

/// The keys of the rows. One whose certificate cannot be read is left out, loudly.
pub(super) fn service_keys(rows: &[ServiceKeyRow]) -> Vec<ServiceKey> {
    let read = |row: &ServiceKeyRow| match x509::read(&row.certificate) {
        Ok(certificate) => Some(ServiceKey {
            service: row.service,
            certificate,
            created_at: row.created_at,
            exported_at: row.exported_at,
            listed_at: row.listed_at,
        }),
        Err(error) => {
            let service = row.service.as_str();
            tracing::error!(service, %error, "the certificate of a key is damaged");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}

/// Makes the keys that are missing beside a trust key which an earlier version made; gives which.
///
/// # Errors
///
/// [`KeyRefused::None`] without a trust key, whose export they go into; [`KeyRefused::NoneMissing`].
pub async fn create(app: &App, actor: &Actor) -> Result<Vec<TrustService>, TrustKeyError> {
    let missing = {
        let mut reader = app.store.read().await?;
        let keys = store::trust_list::keys(reader.connection()).await?;
        if keys.iter().all(|key| key.retired_at.is_some()) {
            return Err(KeyRefused::None.into());
        }
        missing(reader.connection()).await?
    };
    let made = make(app, &missing).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    store::trust_list::lock_keys(connection).await?;
    let added = insert_missing(app, connection, actor, made).await?;
    transaction.commit().await?;
    super::refresh(app).await?;
    if added.is_empty() {
        return Err(KeyRefused::NoneMissing.into());
    }
    Ok(added)
}

/// The services that have no key yet.
pub(super) async fn missing(connection: &mut Connection) -> Result<Vec<TrustService>, StoreError> {
    let rows = store::trust_service_key::all(connection).await?;
    let has = |service: &TrustService| rows.iter().any(|row| row.service == *service);
    let missing = TrustService::ALL.into_iter();
    Ok(missing.filter(|service| !has(service)).collect())
}

/// Makes keys. Takes a second or two for each, on a thread of its own.
pub(super) async fn make(app: &App, services: &[TrustService]) -> Result<Vec<Pair>, TrustKeyError> {
    let (environment, services) = (app.environment.clone(), services.to_vec());
    let made = move || {
        let mut made = Vec::new();
        for service in services {
            let key = RsaKey::generate(&environment)?;
            let tail: [u8; 4] = environment.random();
            let common_name = format!("{} {}", service.common_name(), x509::hex(&tail));
            let good_for = match service {
                TrustService::TrustVerification => CertificateUse::TlsServer,
                TrustService::ConfigurationFiles => CertificateUse::Files,
            };
            let certificate = key.certify_for(&environment, &common_name, good_for)?;
            made.push((service, key, certificate));
        }
        Ok(made)
    };
    let made = blocking(made).await?.into_iter();
    made.map(|(service, key, certificate)| {
        Ok(Pair {
            service,
            key,
            certificate: x509::read(&certificate)?,
        })
    })
    .collect()
}

/// Adds the keys whose services have none by now; gives which. The keys are locked.
pub(super) async fn insert_missing(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    made: Vec<Pair>,
) -> Result<Vec<TrustService>, TrustKeyError> {
    let missing = missing(connection).await?;
    let mut added = Vec::new();
    for pair in made.iter().filter(|pair| missing.contains(&pair.service)) {
        put(app, connection, actor, pair, Origin::Made).await?;
        added.push(pair.service);
    }
    Ok(added)
}

/// What was taken of the keys beside a trust key in a file.
pub(super) struct Taken {
    /// How many.
    pub(super) taken: usize,
    /// Those that were left out, because phones know others.
    pub(super) left_out: Vec<TrustService>,
}

/// Takes the keys of an imported file. The keys are locked.
pub(super) async fn import(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    pairs: &[Pair],
) -> Result<Taken, TrustKeyError> {
    let known = service_keys(&store::trust_service_key::all(connection).await?);
    let (mut taken, mut left_out) = (0, Vec::new());
    for pair in pairs {
        let here = known.iter().find(|key| key.service == pair.service);
        match service_key::judge_import(here, &pair.certificate) {
            Import::Add | Import::Replace => {
                put(app, connection, actor, pair, Origin::Imported).await?;
                taken += 1;
            }
            Import::Known => {}
            Import::Keep => left_out.push(pair.service),
        }
    }
    Ok(Taken { taken, left_out })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Made,
    Imported,
}

async fn put(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    pair: &Pair,
    origin: Origin,
) -> Result<(), TrustKeyError> {
    let now = app.environment.now();
    // What comes from a file is safe there, and phones of the system it came from may know it.
    let since = (origin == Origin::Imported).then_some(now);
    let row = ServiceKeyRow {
        service: pair.service,
        certificate: pair.certificate.der().to_vec(),
        sealed_key: seal(app, &pair.key)?,
        created_at: now,
        exported_at: since,
        listed_at: since,
    };
    store::trust_service_key::put(connection, &row).await?;
    let action = match origin {
        Origin::Made => "trust_key.create",
        Origin::Imported => "trust_key.import",
    };
    record::audit(app, connection, actor, change(action, &row)).await?;
    Ok(())
}

/// Takes note that the exports of the keys with these fingerprints are safe. The keys are locked.
pub(super) async fn exported(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    fingerprints: &[String],
) -> Result<(), StoreError> {
    let rows = store::trust_service_key::all(connection).await?;
    let now = app.environment.now();
    let waiting = rows.iter().filter(|row| row.exported_at.is_none());
    for row in waiting {
        if fingerprints.contains(&x509::fingerprint(&row.certificate)) {
            store::trust_service_key::set_exported(connection, row.service, now).await?;
            let change = change("trust_key.exported", row);
            record::audit(app, connection, actor, change).await?;
        }
    }
    Ok(())
}

/// The keys of the rows with their secrets, for an export.
pub(super) fn for_export(
    app: &App,
    rows: &[ServiceKeyRow],
) -> Result<Vec<(Vec<u8>, RsaKey)>, ServiceError> {
    let open = |row: &ServiceKeyRow| {
        let key = open_sealed(app, &row.sealed_key)?;
        Ok((row.certificate.clone(), key))
    };
    rows.iter().map(open).collect()
}

fn change(action: &'static str, row: &ServiceKeyRow) -> Change {
    Change {
        action,
        object_kind: AuditKind::TrustKey,
        object_name: row.service.as_str().to_owned(),
        before: String::new(),
        after: format!("SHA-256 {}", x509::fingerprint(&row.certificate)),
    }
}
