//! A binding: where a phone that registered can be reached.

use std::net::IpAddr;

use super::device::DeviceName;
use super::pkid::Pkid;
use super::registration::Flow;
use super::time::UnixMillis;

/// One registration of one device for one address of record.
///
/// It outlives the device row it belonged to, so that a phone whose configuration was replaced can
/// still be told to restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The device that registered.
    pub device_name: DeviceName,
    /// User part of the To header: a directory number, or the auto-registration name.
    pub address_of_record: Box<str>,
    /// The Contact as the phone sent it, URI and parameters, without `expires`.
    pub contact: Box<str>,
    /// The flow it came by; requests to the phone go out on the same one.
    pub flow: Flow,
    /// The CallManager node that holds it.
    pub node: Pkid,
    /// Call-ID of the REGISTER: the `RegisterCallId` of service-control.
    pub call_id: Box<str>,
    /// `CSeq` of the last REGISTER.
    pub cseq: u32,
    /// Granted lifetime in seconds.
    pub expires_s: u32,
    /// When it was made or last changed.
    pub registered_at: UnixMillis,
    /// When it ends unless refreshed. Kept in memory; after a start, one full lifetime from then.
    pub expires_at: UnixMillis,
    /// Model number as the phone gave it.
    pub model: Option<u32>,
    /// `User-Agent` of the phone.
    pub user_agent: Box<str>,
    /// What the phone may still use after its device was provisioned or released.
    pub grace: Option<Grace>,
}

impl Binding {
    /// The address the phone registered from.
    pub fn address(&self) -> IpAddr {
        self.flow.remote.ip().to_canonical()
    }
}

/// For a while after provisioning or release the old secret still refreshes the old binding, so
/// that nobody is stranded between two files.
#[derive(Clone, PartialEq, Eq)]
pub struct Grace {
    /// The old secret, sealed with the key file.
    pub sealed_secret: Box<str>,
    /// The end of it; earlier when the new file is fetched.
    pub until: UnixMillis,
}

impl std::fmt::Debug for Grace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grace")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
