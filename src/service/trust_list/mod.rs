//! Trust lists: made from the keys and certificates in the database when one of them changes, kept
//! in memory as phones read them, never made on a request.
//!
//! Every node makes the same bytes: the content, its time and the signature follow from the rows.

pub mod commands;
mod export_file;
pub mod fetches;
mod making;
mod pem;
mod sealing;
pub mod service_keys;
pub mod signed_files;
pub mod trust_key_error;
pub mod verification;
pub mod view;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use tokio::sync::Mutex;

use making::Rows;
use making::make;
use making::note_listed;
use making::note_wants;
use making::rows;
use making::trust_keys;
use service_keys::Services;
use service_keys::TvsKey;
use signed_files::FileSigner;

use super::App;
use super::ServiceError;
use super::keys::Purpose;
use super::keys::rsa_key::RsaKey;
use super::keys::rsa_key::RsaKeyError;
use super::keys::x509;
use crate::domain::phone_model::PhoneModel;
use crate::domain::trust_list::ListName;
use crate::domain::trust_list::ListRefused;
use crate::domain::trust_list::Role;
use crate::domain::trust_list::Sha1For;
use crate::domain::trust_list::SignatureDigest;
use crate::domain::trust_list::TrustList;
use crate::domain::trust_list::digest_for;
use crate::domain::trust_list::service_key::TrustService;
use crate::store;
use crate::store::trust_list::NodeCertificate;

/// Between two looks at what other nodes have changed, and at the own certificate.
const ROUND: Duration = Duration::from_secs(5);

/// Signs the bytes of a list.
pub type SignList<'a> = &'a dyn Fn(SignatureDigest, &[u8]) -> Result<Vec<u8>, RsaKeyError>;

/// How a list is written for phones: the door that serves it knows the form.
pub trait TrustListForm: Send + Sync {
    /// Writes a list and has it signed.
    ///
    /// # Errors
    ///
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

/// What the doors of this node show, each in DER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnCertificates {
    /// The HTTPS door.
    pub https: Vec<u8>,
    /// The HTTPS door for files.
    pub files: Vec<u8>,
}

/// Gives what the doors of this node show at the moment.
pub type ShownNow = Box<dyn Fn() -> OwnCertificates + Send + Sync>;

type Outcome = Result<Published, NotServed>;

/// The lists that are served, and who has fetched them.
pub struct TrustLists {
    form: OnceLock<Arc<dyn TrustListForm>>,
    outcome: ArcSwap<Outcome>,
    /// One remake at a time; `None` until the first.
    seen: Mutex<Option<Rows>>,
    /// What the doors of this node showed when it was last written down.
    own: ArcSwap<OwnCertificates>,
    shown_now: OnceLock<ShownNow>,
    /// Whether this process has said what its settings want in lists.
    wants_noted: AtomicBool,
    /// What TVS and the doors for files use.
    services: ArcSwap<Services>,
    /// Which list each phone has.
    pub fetches: fetches::Fetches,
}

impl Default for TrustLists {
    fn default() -> Self {
        Self {
            form: OnceLock::new(),
            outcome: ArcSwap::from_pointee(Err(NotServed::Starting)),
            seen: Mutex::default(),
            own: ArcSwap::default(),
            shown_now: OnceLock::new(),
            wants_noted: AtomicBool::new(false),
            services: ArcSwap::default(),
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

    /// Sets how the doors are asked what they show; the first way stays.
    pub fn set_shown_now(&self, shown_now: ShownNow) {
        let _ = self.shown_now.set(shown_now);
    }

    /// The key of TVS; `None` until there is one and it was exported.
    pub fn tvs_key(&self) -> Option<Arc<TvsKey>> {
        self.services.load().tvs.clone()
    }

    /// The key that signs files; `None` until a list has named it.
    pub fn file_signer(&self) -> Option<Arc<FileSigner>> {
        self.services.load().file_signer.clone()
    }

    fn shown_now(&self) -> Option<OwnCertificates> {
        self.shown_now.get().map(|shown_now| shown_now())
    }
}

/// Whether the settings ask for a key's part in lists.
fn is_wanted(app: &App, service: TrustService) -> bool {
    match service {
        TrustService::TrustVerification => app.settings.advertised.tvs_port.is_some(),
        // Lists for phones that know SHA-1 alone never ask for signed files.
        TrustService::ConfigurationFiles => {
            let settings = &app.settings.trust_list;
            settings.signed_configuration && settings.sha1_for != Sha1For::EveryPhone
        }
    }
}

/// What the settings want of a key, and why lists do not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// No list can say that files are signed.
    #[error(
        "signed configuration is on, but every trust list is signed with SHA-1, and phones that \
         get such a list read unsigned files"
    )]
    Sha1Alone,
    /// Lists are off.
    #[error("{0} is on, but trust lists are off, so no new phone learns of it")]
    ListsOff(&'static str),
    /// There is no key.
    #[error("{0} has no key, so no trust list names it")]
    NoKey(&'static str),
    /// The key could be lost.
    #[error("the key of {0} has not been exported yet, so no trust list names it")]
    NotExported(&'static str),
}

impl Lack {
    /// The next step.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Sha1Alone => "set trust_list.sha1_for to 7900 or none, or switch this off",
            Self::ListsOff(_) => "set trust_list.enabled = true, or switch this off as well",
            Self::NoKey(_) => {
                "run: selfprov cert create-service-keys (create-trust-key, where there is no trust \
                 key), then selfprov cert export --out FILE"
            }
            Self::NotExported(_) => "run: selfprov cert export --out FILE",
        }
    }
}

/// What the settings want in lists that is not there.
pub fn lacks(app: &App) -> Vec<Lack> {
    let services = app.trust_lists.services.load();
    let mut lacks = Vec::new();
    let settings = &app.settings.trust_list;
    if settings.signed_configuration && settings.sha1_for == Sha1For::EveryPhone {
        lacks.push(Lack::Sha1Alone);
    }
    for service in TrustService::ALL {
        if !is_wanted(app, service) {
            continue;
        }
        let what = match service {
            TrustService::TrustVerification => "TVS",
            TrustService::ConfigurationFiles => "signed configuration",
        };
        match services.exported.get(&service) {
            None => lacks.push(Lack::NoKey(what)),
            Some(false) => lacks.push(Lack::NotExported(what)),
            Some(true) if !app.settings.trust_list.enabled => lacks.push(Lack::ListsOff(what)),
            Some(true) => {}
        }
    }
    lacks
}

/// Whether anything of trust lists is on here.
fn is_used(app: &App) -> bool {
    app.settings.trust_list.enabled || is_wanted(app, TrustService::TrustVerification)
}

/// Whether phones accept this node's HTTPS door: a list is served that they can read, and names its
/// certificate, or TVS, which vouches for it.
pub fn phones_trust_https(app: &App) -> bool {
    let outcome = app.trust_lists.outcome.load();
    let Ok(published) = outcome.as_ref() else {
        return false;
    };
    let digest = digest_for(app.settings.trust_list.sha1_for, None);
    let list = published.list.for_digest(digest);
    let own = app.trust_lists.own.load();
    list.names_server(&own.https)
        || (list.has_role(Role::TrustVerification) && !own.https.is_empty())
}

/// Takes what this node's doors show into the list, and makes the lists anew if anything has
/// changed. Writes nothing where trust lists and TVS are off.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn set_own_certificates(app: &App, own: OwnCertificates) -> Result<(), ServiceError> {
    app.trust_lists.own.store(Arc::new(own.clone()));
    if is_used(app) {
        put_own_certificates(app, own).await?;
    }
    refresh(app).await
}

async fn put_own_certificates(app: &App, own: OwnCertificates) -> Result<(), ServiceError> {
    if let Err(error) = x509::read(&own.https) {
        tracing::warn!(
            %error,
            "phones would not take the HTTPS certificate, so no trust list names it and they \
             cannot use HTTPS unless they can ask TVS (listen.tvs); else configure another with \
             tls.certificate_file, or none for a self-signed one that suits them"
        );
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let known = store::trust_list::node_certificates(connection).await?;
    let is_known = known.iter().any(|row| {
        row.node == app.node.pkid
            && row.certificate == own.https
            && row.files_certificate == own.files
    });
    if !is_known {
        let row = NodeCertificate {
            node: app.node.pkid,
            certificate: own.https,
            files_certificate: own.files,
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
///
/// [`ServiceError`] when the database fails; the lists in memory stay as they were.
pub async fn refresh(app: &App) -> Result<(), ServiceError> {
    let mut seen = app.trust_lists.seen.lock().await;
    let mut rows = rows(app).await?;
    if seen.as_ref() == Some(&rows) {
        return Ok(());
    }
    let is_newer = note_wants(app, &rows).await?;
    if note_listed(app, &rows).await? || is_newer {
        rows = making::rows(app).await?;
    }
    let outcome = make(app, &rows).await;
    let services = Services::open(app, &rows.services, making::vouched(&rows));
    app.trust_lists.services.store(Arc::new(services));
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

/// Keeps the lists true until it is dropped.
pub async fn run(app: Arc<App>) {
    if !is_used(&app) {
        return;
    }
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        rounds.tick().await;
        let own = app.trust_lists.shown_now();
        let made = match own.filter(|own| *own != **app.trust_lists.own.load()) {
            None => refresh(&app).await,
            Some(own) => set_own_certificates(&app, own).await,
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

/// Opens a key's secret.
fn open_sealed(app: &App, sealed: &str) -> Result<RsaKey, ServiceError> {
    use base64::Engine as _;
    let sealed = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(sealed)
        .map_err(|_| super::keys::KeysError::NotOurs)?;
    let der = zeroize::Zeroizing::new(app.keys.open(Purpose::TrustKey, &sealed)?);
    RsaKey::from_pkcs8(&der).map_err(|_| super::keys::KeysError::NotOurs.into())
}
