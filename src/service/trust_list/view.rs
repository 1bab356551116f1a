//! Trust keys, certificates and phones as an administrator sees them.

use std::collections::HashSet;

use super::Outcome;
use super::fetches;
use super::service_keys::service_keys;
use super::trust_keys;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_model::FileFormat;
use crate::domain::phone_model::ModelFamily;
use crate::domain::time::UnixMillis;
use crate::domain::trust_list::Record;
use crate::domain::trust_list::keys;
use crate::domain::trust_list::keys::TrustKey;
use crate::domain::trust_list::service_key::ServiceKey;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::keys::x509;
use crate::service::phone_files::own_file::format_of;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What a trust key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// It was never exported, so no list names it.
    NotExported,
    /// It signs the lists.
    Signs,
    /// Lists name it; it signs when the other is retired.
    Listed,
    /// It is of no use any more.
    Retired,
}

/// A trust key.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// Number.
    pub number: u32,
    /// What it does.
    pub state: KeyState,
    /// Subject of its certificate.
    pub subject: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// When it came.
    pub created_at: UnixMillis,
    /// When it was first exported.
    pub exported_at: Option<UnixMillis>,
    /// When it was retired.
    pub retired_at: Option<UnixMillis>,
}

/// What a key beside the trust keys does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceKeyState {
    /// It was never exported, so no list names it.
    NotExported,
    /// The list that is served names it.
    Listed,
    /// It does not, because the settings do not want it or no list is served.
    NotListed,
}

/// A key beside the trust keys.
#[derive(Debug, Clone)]
pub struct ServiceKeyView {
    /// The role of its certificate: `TVS` or `TFTP`.
    pub role: &'static str,
    /// What it does.
    pub state: ServiceKeyState,
    /// Subject of its certificate.
    pub subject: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Its certificate in DER.
    pub certificate: Vec<u8>,
    /// When it came.
    pub created_at: UnixMillis,
    /// When it was first exported.
    pub exported_at: Option<UnixMillis>,
}

/// The certificate of a node.
#[derive(Debug, Clone)]
pub struct NodeView {
    /// Name of the `CallManager` node.
    pub node: String,
    /// Subject; empty: phones would not take it.
    pub subject: String,
    /// SHA-256 of the certificate; empty: not known.
    pub fingerprint: String,
}

/// Everything about trust lists.
#[derive(Debug, Clone)]
pub struct TrustView {
    /// Why no list is served; `None`: one is.
    pub not_served: Option<String>,
    /// Roles and subjects of the list that is served.
    pub records: Vec<(&'static str, String)>,
    /// The keys.
    pub keys: Vec<KeyView>,
    /// The keys beside them.
    pub service_keys: Vec<ServiceKeyView>,
    /// The certificates of the nodes.
    pub nodes: Vec<NodeView>,
    /// The newest key that lists name.
    pub newest_key: Option<u32>,
    /// Phones that are not known to have a list which names it.
    pub phones_behind: Vec<DeviceName>,
}

/// Shows keys, certificates and phones.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn view(app: &App) -> Result<TrustView, ServiceError> {
    fetches::write(app).await?;
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let keys = trust_keys(&store::trust_list::keys(connection).await?);
    let services = service_keys(&store::trust_service_key::all(connection).await?);
    let nodes = store::trust_list::node_certificates(connection).await?;
    let listed: Vec<u32> = keys::listed(&keys).iter().map(|key| key.number).collect();
    let newest_key = listed.iter().max().copied();
    let phones_behind = match newest_key {
        Some(newest) => phones_behind(app, connection, newest).await?,
        None => Vec::new(),
    };
    let outcome = app.trust_lists.outcome();
    let service_keys = services.iter().map(|key| service_key_view(key, &outcome));
    let service_keys = service_keys.collect();
    let (not_served, records) = match outcome.as_ref() {
        Ok(published) => (
            None,
            published
                .list
                .records()
                .iter()
                .map(|record| {
                    (
                        record.role.as_str(),
                        record.certificate.subject().to_owned(),
                    )
                })
                .collect(),
        ),
        Err(reason) => (Some(reason.to_string()), Vec::new()),
    };
    let keys = keys.iter().map(|key| key_view(key, listed.first()));
    let catalogue = app.catalogue.load();
    let nodes = nodes.iter().map(|row| {
        let name = catalogue.call_managers.get(&row.node);
        let read = x509::read(&row.certificate).ok();
        NodeView {
            node: name.map_or_else(|| row.node.to_string(), |node| node.name.clone()),
            subject: read
                .map(|read| read.subject().to_owned())
                .unwrap_or_default(),
            fingerprint: match row.certificate.as_slice() {
                [] => String::new(),
                der => x509::fingerprint(der),
            },
        }
    });
    Ok(TrustView {
        not_served,
        records,
        keys: keys.collect(),
        service_keys,
        nodes: nodes.collect(),
        newest_key,
        phones_behind,
    })
}

fn key_view(key: &TrustKey, signer: Option<&u32>) -> KeyView {
    let state = match (key.retired_at, signer) {
        (Some(_), _) => KeyState::Retired,
        (None, _) if key.exported_at.is_none() => KeyState::NotExported,
        (None, Some(signer)) if *signer == key.number => KeyState::Signs,
        (None, _) => KeyState::Listed,
    };
    KeyView {
        number: key.number,
        state,
        subject: key.certificate.subject().to_owned(),
        fingerprint: x509::fingerprint(key.certificate.der()),
        created_at: key.created_at,
        exported_at: key.exported_at,
        retired_at: key.retired_at,
    }
}

fn service_key_view(key: &ServiceKey, outcome: &Outcome) -> ServiceKeyView {
    let is_named = |records: &[Record]| {
        let mut records = records.iter();
        records.any(|record| record.certificate == key.certificate)
    };
    let published = outcome.as_ref().ok();
    ServiceKeyView {
        role: key.service.as_str(),
        state: if key.exported_at.is_none() {
            ServiceKeyState::NotExported
        } else if published.is_some_and(|published| is_named(published.list.records())) {
            ServiceKeyState::Listed
        } else {
            ServiceKeyState::NotListed
        },
        subject: key.certificate.subject().to_owned(),
        fingerprint: x509::fingerprint(key.certificate.der()),
        certificate: key.certificate.der().to_vec(),
        created_at: key.created_at,
        exported_at: key.exported_at,
    }
}

/// The phones that are not known to have a list which names this key or a newer one.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn phones_behind(
    app: &App,
    connection: &mut Connection,
    key: u32,
) -> Result<Vec<DeviceName>, StoreError> {
    let known = store::trust_list::phones_that_know(connection, key).await?;
    let known: HashSet<DeviceName> = known.into_iter().collect();
    let mut behind = Vec::new();
    app.phones.for_each(|one| {
        if takes_lists(&one.phone) && !known.contains(&one.phone.name) {
            behind.push(one.phone.name.clone());
        }
    });
    behind.sort();
    Ok(behind)
}

/// Whether a device is a phone that asks for trust lists: one that reads its settings from the file
/// of Cisco's phones. Multiplatform phones and others never ask.
fn takes_lists(phone: &Phone) -> bool {
    let model = phone.known_model();
    let is_other_kind = model
        .is_some_and(|model| matches!(model.family, ModelFamily::Analog | ModelFamily::NotAPhone));
    phone.name.mac().is_some() && !is_other_kind && format_of(phone) == FileFormat::CiscoXml
}
