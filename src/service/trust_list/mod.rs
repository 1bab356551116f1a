//! Trust lists: made from the keys and certificates in the database when one of them changes, kept
//! in memory as phones read them, never made on a request.
//!
//! Every node makes the same bytes: the content, its time and the signature follow from the rows.

pub mod commands;
pub mod fetches;
mod pem;
pub mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::Mutex;

use super::App;
use super::ServiceError;
use super::keys::Purpose;
use super::rsa_key::RsaKey;
use super::rsa_key::RsaKeyError;
use super::x509;
use crate::domain::phone_model::PhoneModel;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::ListName;
use crate::domain::trust_list::ListRefused;
use crate::domain::trust_list::Sha1For;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::TrustList;
use crate::domain::trust_list::digest_for;
use crate::domain::trust_list::keys;
use crate::domain::trust_list::keys::TrustKey;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::trust_list::NodeCertificate;
use crate::store::trust_list::TrustKeyRow;

/// Between two looks at what other nodes have changed, and at the own certificate.
const ROUND: Duration = Duration::from_secs(5);

/// Signs the bytes of a list.
pub type SignList<'a> = &'a dyn Fn(SignatureDigest, &[u8]) -> Result<Vec<u8>, RsaKeyError>;

/// How a list is written for phones: the door that serves it knows the form.
pub trait TrustListForm: Send + Sync {
    /// Writes a list and has it signed.
    ///
    /// # Errors
    /// The signature could not be made.
    fn write(
        &self,
        list: &TrustList,
        name: ListName,
        digest: SignatureDigest,
        sign: SignList<'_>,
    ) -> Result<Vec<u8>, RsaKeyError>;
}

/// Why no list is served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotServed {
    /// Not looked yet.
    #[error("trust lists are not made yet; the service is starting")]
    Starting,
    /// Switched off.
    #[error("trust lists are off; switch them on: trust_list.enabled = true")]
    Off,
    /// There is no key.
    #[error("there is no trust key; make one: selfprov cert create-trust-key")]
    NoKey,
    /// The key could be lost.
    #[error(
        "trust key {0} has not been exported yet; a list is served only when the key cannot be \
         lost: selfprov cert export --out FILE"
    )]
    NotExported(u32),
    /// Phones would not take it.
    #[error(transparent)]
    Refused(#[from] ListRefused),
    /// The key does not open or sign.
    #[error("trust key {number} cannot be used: {reason}")]
    Key {
        /// Its number.
        number: u32,
        /// Why.
        reason: String,
    },
}

/// A list that is served.
#[derive(Debug)]
pub struct Published {
    /// What it says.
    pub list: TrustList,
    /// The newest key it names: what a phone that has it knows.
    pub newest_key: u32,
    files: HashMap<(ListName, SignatureDigest), Bytes>,
}

/// A list for a phone.
#[derive(Debug, Clone)]
pub struct ListFile {
    /// Its bytes.
    pub bytes: Bytes,
    /// The newest key it names.
    pub newest_key: u32,
}

/// What was read of the database for the lists that are served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Rows {
    keys: Vec<TrustKeyRow>,
    nodes: Vec<NodeCertificate>,
    /// Whether the form of lists was known, so that they were written.
    is_written: bool,
}

type Outcome = Result<Published, NotServed>;

/// The lists that are served, and who has fetched them.
pub struct TrustLists {
    form: OnceLock<Arc<dyn TrustListForm>>,
    outcome: ArcSwap<Outcome>,
    /// One remake at a time; `None` until the first.
    seen: Mutex<Option<Rows>>,
    /// The certificate of this node's HTTPS door, in DER.
    own_certificate: ArcSwap<Vec<u8>>,
    /// Which list each phone has.
    pub fetches: fetches::Fetches,
}

impl Default for TrustLists {
    fn default() -> Self {
        Self {
            form: OnceLock::new(),
            outcome: ArcSwap::from_pointee(Err(NotServed::Starting)),
            seen: Mutex::default(),
            own_certificate: ArcSwap::default(),
            fetches: fetches::Fetches::default(),
        }
    }
}

impl TrustLists {
    /// Sets how lists are written; the first form stays.
    pub fn set_form(&self, form: Arc<dyn TrustListForm>) {
        let _ = self.form.set(form);
    }

    /// The list for a phone of this model; `None`: its model is not known.
    pub fn file(
        &self,
        name: ListName,
        setting: Sha1For,
        model: Option<&PhoneModel>,
    ) -> Option<ListFile> {
        let outcome = self.outcome.load();
        let published = outcome.as_ref().as_ref().ok()?;
        let bytes = published.files.get(&(name, digest_for(setting, model)))?;
        Some(ListFile {
            bytes: bytes.clone(),
            newest_key: published.newest_key,
        })
    }

    /// What is served now, or why nothing is.
    pub fn outcome(&self) -> Arc<Outcome> {
        self.outcome.load_full()
    }

    /// The certificate of this node's HTTPS door, in DER, as it was told last.
    fn own_certificate(&self) -> Arc<Vec<u8>> {
        self.own_certificate.load_full()
    }
}

/// Whether phones accept this node's HTTPS door: a list is served, names its certificate, and is
/// one that they can read.
pub fn phones_trust_https(app: &App) -> bool {
    let outcome = app.trust_lists.outcome.load();
    let Ok(published) = outcome.as_ref() else {
        return false;
    };
    let digest = digest_for(app.settings.trust_list.sha1_for, None);
    let own = app.trust_lists.own_certificate();
    published.list.for_digest(digest).names_server(&own)
}

/// Takes this node's HTTPS certificate (DER) into the list, and makes the lists anew if anything
/// has changed. Does nothing where trust lists are off.
///
/// # Errors
/// [`ServiceError`] when the database fails.
pub async fn set_own_certificate(app: &App, der: &[u8]) -> Result<(), ServiceError> {
    app.trust_lists
        .own_certificate
        .store(Arc::new(der.to_vec()));
    if app.settings.trust_list.enabled {
        put_own_certificate(app, der).await?;
    }
    refresh(app).await
}

async fn put_own_certificate(app: &App, der: &[u8]) -> Result<(), ServiceError> {
    let certificate = match x509::read(der) {
        Ok(_) => der.to_vec(),
        Err(error) => {
            tracing::warn!(
                %error,
                "phones would not take the HTTPS certificate, so no trust list names it and they \
                 cannot use HTTPS; configure another with tls.certificate_file, or none for a \
                 self-signed one that suits them"
            );
            Vec::new()
        }
    };
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = store::trust_list::node_certificates(connection).await?;
    let is_known = known
        .iter()
        .any(|row| row.node == app.node.pkid && row.certificate == certificate);
    if !is_known {
        let row = NodeCertificate {
            node: app.node.pkid,
            certificate,
            changed_at: app.environment.now(),
        };
        store::trust_list::put_node_certificate(connection, &row).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Makes the lists anew when keys or certificates have changed, here or on another node.
///
/// # Errors
/// [`ServiceError`] when the database fails; the lists in memory stay as they were.
pub async fn refresh(app: &App) -> Result<(), ServiceError> {
    let mut seen = app.trust_lists.seen.lock().await;
    let mut rows = {
        let mut reader = app.store.read().await?;
        rows(reader.connection()).await?
    };
    rows.is_written = app.trust_lists.form.get().is_some();
    if seen.as_ref() == Some(&rows) {
        return Ok(());
    }
    let outcome = make(app, &rows).await;
    match &outcome {
        Ok(published) => tracing::info!(
            newest_key = published.newest_key,
            records = published.list.records().len(),
            "a new trust list is served; phones fetch it when they restart"
        ),
        Err(NotServed::Off) => {}
        Err(reason) => tracing::warn!(%reason, "no trust list is served"),
    }
    app.trust_lists.outcome.store(Arc::new(outcome));
    *seen = Some(rows);
    Ok(())
}

/// Keeps the lists true until it is dropped: `own_certificate` gives what the HTTPS door shows now.
pub async fn run(app: Arc<App>, own_certificate: impl Fn() -> Vec<u8> + Send) {
    if !app.settings.trust_list.enabled {
        return;
    }
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let own = own_certificate();
        let made = if own == *app.trust_lists.own_certificate() {
            refresh(&app).await
        } else {
            set_own_certificate(&app, &own).await
        };
        let written = match made {
            Ok(()) => fetches::write(&app).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            tracing::warn!(%error, "trust lists could not be looked after; it is tried again");
        }
    }
}

async fn rows(connection: &mut Connection) -> Result<Rows, StoreError> {
    Ok(Rows {
        keys: store::trust_list::keys(connection).await?,
        nodes: store::trust_list::node_certificates(connection).await?,
        is_written: false,
    })
}

async fn make(app: &App, rows: &Rows) -> Outcome {
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
    let private = open(app, private).map_err(|error| failed(&error))?;
    let list = TrustList::new(
        signer.certificate.clone(),
        listed
            .iter()
            .skip(1)
            .map(|key| key.certificate.clone())
            .collect(),
        servers(&rows.nodes),
        changed_at(rows),
    )?;
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
fn trust_keys(rows: &[TrustKeyRow]) -> Vec<TrustKey> {
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

/// The nodes' certificates, each once.
fn servers(nodes: &[NodeCertificate]) -> Vec<crate::domain::trust_list::certificate::Certificate> {
    let mut servers = Vec::new();
    for node in nodes.iter().filter(|node| !node.certificate.is_empty()) {
        match x509::read(&node.certificate) {
            Ok(certificate) if !servers.contains(&certificate) => servers.push(certificate),
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a node's certificate is damaged"),
        }
    }
    servers
}

/// When the content of the list last changed.
fn changed_at(rows: &Rows) -> UnixMillis {
    let keys = rows
        .keys
        .iter()
        .flat_map(|key| [key.exported_at, key.retired_at]);
    let nodes = rows.nodes.iter().map(|node| Some(node.changed_at));
    keys.chain(nodes).flatten().max().unwrap_or_default()
}

/// Opens a key's secret.
fn open(app: &App, row: &TrustKeyRow) -> Result<RsaKey, ServiceError> {
    let sealed = sealed_bytes(&row.sealed_key)?;
    let der = zeroize::Zeroizing::new(app.keys.open(Purpose::TrustKey, &sealed)?);
    RsaKey::from_pkcs8(&der).map_err(|_| super::keys::KeysError::NotOurs.into())
}

fn sealed_bytes(text: &str) -> Result<Vec<u8>, ServiceError> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| super::keys::KeysError::NotOurs.into())
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
