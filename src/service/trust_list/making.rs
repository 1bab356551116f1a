//! Makes the lists from what stands in the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::NotServed;
use super::Outcome;
use super::Published;
use super::is_wanted;
use super::open_sealed;
use super::service_keys::Vouched;
use super::service_keys::service_keys;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::Contents;
use crate::domain::trust_list::ListName;
use crate::domain::trust_list::Role;
use crate::domain::trust_list::Sha1For;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::TrustList;
use crate::domain::trust_list::certificate::Certificate;
use crate::domain::trust_list::keys;
use crate::domain::trust_list::keys::TrustKey;
use crate::domain::trust_list::service_key;
use crate::domain::trust_list::service_key::ServiceKey;
use crate::domain::trust_list::service_key::TrustService;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::keys::rsa_key::RsaKey;
use crate::service::keys::rsa_key::RsaKeyError;
use crate::service::keys::x509;
use crate::service::keys::x509::X509Error;
use crate::store;
use crate::store::trust_list::NodeCertificate;
use crate::store::trust_list::TrustKeyRow;
use crate::store::trust_service_key::ServiceKeyRow;

/// What was read of the database for the lists that are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    keys: Vec<TrustKeyRow>,
    pub(super) services: Vec<ServiceKeyRow>,
    nodes: Vec<NodeCertificate>,
    /// What the settings last wanted in lists, and since when: [`wants`].
    wants: Option<String>,
    /// Whether the form of lists was known, so that they were written.
    is_written: bool,
}

/// Reads them.
pub(super) async fn rows(app: &App) -> Result<Rows, ServiceError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    Ok(Rows {
        keys: store::trust_list::keys(connection).await?,
        services: store::trust_service_key::all(connection).await?,
        nodes: store::trust_list::node_certificates(connection).await?,
        wants: store::parameter::get(connection, WANTS).await?,
        is_written: app.trust_lists.form.get().is_some(),
    })
}

/// Name of the row that says what the settings want in lists, and since when.
const WANTS: &str = "trust_list_wants";

/// What stands before the time in that row.
fn wants(app: &App) -> String {
    let [tvs, files] = TrustService::ALL.map(|service| is_wanted(app, service));
    format!("tvs={tvs} configuration_files={files} since=")
}

/// Takes note that the settings want something else in lists than before, so that the list that
/// says so is the newer one. Once in a process: nodes with different settings would go on for ever.
/// Whether it was news.
pub(super) async fn note_wants(app: &App, rows: &Rows) -> Result<bool, ServiceError> {
    let is_due = app.settings.trust_list.enabled && rows.is_written;
    if !is_due || app.trust_lists.wants_noted.swap(true, Ordering::Relaxed) {
        return Ok(false);
    }
    let wants = wants(app);
    let is_same = match &rows.wants {
        Some(before) => before.starts_with(&wants),
        None => !TrustService::ALL
            .iter()
            .any(|service| is_wanted(app, *service)),
    };
    if is_same {
        return Ok(false);
    }
    let wants = format!("{wants}{}", app.environment.now().0);
    let mut transaction = app.store.begin().await?;
    store::parameter::set(transaction.connection(), WANTS, &wants).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Takes note of the keys that the list is about to name for the first time; whether there was any.
pub(super) async fn note_listed(app: &App, rows: &Rows) -> Result<bool, ServiceError> {
    let services = service_keys(&rows.services);
    let keys = trust_keys(&rows.keys);
    if !app.settings.trust_list.enabled || !rows.is_written || keys::listed(&keys).is_empty() {
        return Ok(false);
    }
    let named = TrustService::ALL
        .into_iter()
        .filter_map(|service| named(app, &services, service));
    let new: Vec<_> = named.filter(|key| key.listed_at.is_none()).collect();
    if new.is_empty() {
        return Ok(false);
    }
    let mut transaction = app.store.begin().await?;
    for key in new {
        let now = app.environment.now();
        store::trust_service_key::set_listed(transaction.connection(), key.service, now).await?;
    }
    transaction.commit().await?;
    Ok(true)
}

/// The key of a service that the list names: the settings want it, and it was exported.
fn named<'a>(
    app: &App,
    services: &'a [ServiceKey],
    service: TrustService,
) -> Option<&'a ServiceKey> {
    service_key::listable(services, service).filter(|_| is_wanted(app, service))
}

/// Makes the list and its files.
pub(super) async fn make(app: &App, rows: &Rows) -> Outcome {
    if !app.settings.trust_list.enabled {
        return Err(NotServed::Off);
    }
    let keys = trust_keys(&rows.keys);
    let listed = keys::listed(&keys);
    let Some(signer) = listed.first() else {
        let waiting = keys.iter().find(|key| key.retired_at.is_none());
        return Err(match waiting {
            Some(key) => NotServed::NotExported(key.number),
            None => NotServed::NoKey,
        });
    };
    let failed = |reason: &dyn std::fmt::Display| NotServed::Key {
        number: signer.number,
        reason: reason.to_string(),
    };
    let private = rows.keys.iter().find(|row| row.number == signer.number);
    let private = private.ok_or(NotServed::NoKey)?;
    let private = open_sealed(app, &private.sealed_key).map_err(|error| failed(&error))?;
    let services = service_keys(&rows.services);
    let certificate = |service| named(app, &services, service).map(|key| key.certificate.clone());
    let others = listed.iter().skip(1);
    let list = TrustList::new(Contents {
        signer: signer.certificate.clone(),
        others: others.map(|key| key.certificate.clone()).collect(),
        servers: suitable(rows.nodes.iter().map(|node| &node.certificate)),
        file_signer: certificate(TrustService::ConfigurationFiles),
        file_servers: suitable(rows.nodes.iter().map(|node| &node.files_certificate)),
        trust_verification: certificate(TrustService::TrustVerification),
        made_at: changed_at(rows),
    })?;
    let newest_key = listed.iter().map(|key| key.number).max().unwrap_or(0);
    let files = write_all(app, list.clone(), private)
        .await
        .map_err(|error| failed(&error))?;
    Ok(Published {
        list,
        newest_key,
        files,
    })
}

/// The keys of the rows. One whose certificate cannot be read is left out, loudly.
pub(super) fn trust_keys(rows: &[TrustKeyRow]) -> Vec<TrustKey> {
    let read = |row: &TrustKeyRow| match x509::read(&row.certificate) {
        Ok(certificate) => Some(TrustKey {
            number: row.number,
            certificate,
            created_at: row.created_at,
            exported_at: row.exported_at,
            retired_at: row.retired_at,
        }),
        Err(error) => {
            tracing::error!(number = row.number, %error, "a trust key's certificate is damaged");
            None
        }
    };
    rows.iter().filter_map(read).collect()
}

/// The certificates that phones take, each once.
fn suitable<'a>(ders: impl Iterator<Item = &'a Vec<u8>>) -> Vec<Certificate> {
    let mut suitable = Vec::new();
    for der in ders.filter(|der| !der.is_empty()) {
        match x509::read(der) {
            Ok(certificate) if !suitable.contains(&certificate) => suitable.push(certificate),
            // Its own node has said so in the log.
            Ok(_) | Err(X509Error::Unsuitable(_) | X509Error::UnknownKey) => {}
            Err(error) => tracing::error!(%error, "a node's certificate is damaged"),
        }
    }
    suitable
}

/// What TVS vouches for: what every node shows, and the keys that lists name.
pub(super) fn vouched(rows: &Rows) -> Vec<Vouched> {
    let mut vouched: Vec<Vouched> = rows
        .nodes
        .iter()
        .flat_map(|node| vouched_for_node(&node.certificate, &node.files_certificate))
        .collect();
    let mut add = |certificate: &Certificate, role| {
        vouched.push(Vouched {
            certificate: certificate.der().to_vec(),
            roles: vec![role],
        });
    };
    for key in keys::listed(&trust_keys(&rows.keys)) {
        add(&key.certificate, Role::SecurityToken);
    }
    for key in service_keys(&rows.services) {
        if key.exported_at.is_some() {
            add(&key.certificate, key.service.role());
        }
    }
    vouched
}

/// What TVS vouches for of one node, by the certificates in DER of its two HTTPS doors.
pub(super) fn vouched_for_node(https: &[u8], files: &[u8]) -> [Vouched; 2] {
    [
        Vouched {
            certificate: https.to_vec(),
            roles: vec![Role::ApplicationServer, Role::CallManager],
        },
        Vouched {
            certificate: files.to_vec(),
            roles: vec![Role::FileServer],
        },
    ]
}

/// When the content of the list last changed.
fn changed_at(rows: &Rows) -> UnixMillis {
    let keys = rows
        .keys
        .iter()
        .flat_map(|key| [key.exported_at, key.retired_at]);
    let nodes = rows.nodes.iter().map(|node| Some(node.changed_at));
    let services = rows.services.iter().map(|key| key.listed_at);
    let wants = rows.wants.as_ref().and_then(|text| {
        let (_, since) = text.rsplit_once('=')?;
        since.parse().ok().map(UnixMillis)
    });
    let all = keys.chain(nodes).chain(services).chain([wants]);
    all.flatten().max().unwrap_or_default()
}

/// The digests of the lists that phones can be given under a setting.
const fn digests(setting: Sha1For) -> &'static [SignatureDigest] {
    match setting {
        Sha1For::NoPhone => &[SignatureDigest::Sha512],
        Sha1For::Series7900 => &[SignatureDigest::Sha512, SignatureDigest::Sha1],
        Sha1For::EveryPhone => &[SignatureDigest::Sha1],
    }
}

/// Writes every form of the list, off the threads that answer requests.
async fn write_all(
    app: &App,
    list: TrustList,
    key: RsaKey,
) -> Result<HashMap<(ListName, SignatureDigest), Bytes>, RsaKeyError> {
    let Some(form) = app.trust_lists.form.get().map(Arc::clone) else {
        // A command without the service: nobody asks for files.
        return Ok(HashMap::new());
    };
    let setting = app.settings.trust_list.sha1_for;
    let write = move || {
        let sign = |digest, bytes: &[u8]| key.sign(digest, bytes);
        let mut files = HashMap::new();
        for name in [ListName::Ctl, ListName::Itl] {
            for digest in digests(setting) {
                let bytes = form.write(&list, name, *digest, &sign)?;
                files.insert((name, *digest), Bytes::from(bytes));
            }
        }
        Ok(files)
    };
    tokio::task::spawn_blocking(write)
        .await
        .map_err(|error| RsaKeyError::Make(error.to_string()))?
}
