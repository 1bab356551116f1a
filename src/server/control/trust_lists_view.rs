//! Trust lists as commands and the running service tell each other of them.

use serde::{Deserialize, Serialize};

/// Trust lists as commands show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustListsView {
    /// Whether one is served.
    pub served: bool,
    /// Why none is; empty when one is.
    pub reason: String,
    /// The list that is served.
    pub records: Vec<TrustRecordView>,
    /// The keys, also retired ones.
    pub keys: Vec<TrustKeyView>,
    /// The keys beside them.
    pub service_keys: Vec<ServiceKeyView>,
    /// The HTTPS certificates of the nodes.
    pub nodes: Vec<NodeCertificateView>,
    /// The newest key that the list names.
    pub newest_key: Option<u32>,
    /// How many phones are not known to have a list that names it.
    pub phones_behind: u64,
    /// The first of them.
    pub first_phones_behind: Vec<String>,
}

/// A record of a trust list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustRecordView {
    /// What its certificate is trusted for: `SAST`, `APP-SERVER`, `CCM`, `TFTP`, `TVS`.
    pub role: String,
    /// Subject of the certificate.
    pub subject: String,
}

/// A trust key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustKeyView {
    /// Number.
    pub number: u32,
    /// `not exported`, `signs`, `listed` or `retired`.
    pub state: String,
    /// Subject of its certificate.
    pub subject: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// When it came, as RFC 3339 in UTC.
    pub created_at: String,
    /// When it was first exported; empty: not yet.
    pub exported_at: String,
    /// When it was retired; empty: in use.
    pub retired_at: String,
}

/// A key beside the trust keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceKeyView {
    /// What it is for: `TVS`, or `TFTP`, which signs configuration files.
    pub role: String,
    /// `not exported`, `listed` or `not listed`.
    pub state: String,
    /// Subject of its certificate.
    pub subject: String,
    /// SHA-256 of its certificate.
    pub fingerprint: String,
    /// Its certificate, DER in base64.
    pub certificate: String,
    /// When it came, as RFC 3339 in UTC.
    pub created_at: String,
    /// When it was first exported; empty: not yet.
    pub exported_at: String,
}

/// The HTTPS certificate of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCertificateView {
    /// Name of the `CallManager` node.
    pub node: String,
    /// Subject; empty: phones would not take it.
    pub subject: String,
    /// SHA-256 of the certificate; empty: not known.
    pub fingerprint: String,
}
