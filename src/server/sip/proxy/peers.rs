//! The servers beside us: the PBX and the emergency target. Their names are resolved off the hot
//! path, and one connection to each is kept.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::timeout;

use crate::domain::call_target::CallTarget;
use crate::domain::registration::{Flow, Transport};
use crate::locks;
use crate::server::sip::transport::{Connector, Outbound};
use crate::service::settings::CallSettings;

use super::peer_connection::{PeerConnection, Urgency};

/// How often names are resolved again.
const RESOLVE_INTERVAL: Duration = Duration::from_mins(1);

/// How often a name that does not resolve is tried again.
const RESOLVE_RETRY: Duration = Duration::from_secs(5);

/// Of the failures, one after the other, which are told: one a minute.
const FAILURES_PER_LINE: u32 = 12;

/// How long the system's resolver may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// One server beside us.
#[derive(Debug)]
pub(super) struct Peer {
    /// What administrators call it.
    role: &'static str,
    /// How often its name did not resolve, one time after the other.
    failures: AtomicU32,
    target: CallTarget,
    addresses: Mutex<Vec<SocketAddr>>,
    connection: PeerConnection,
}

impl Peer {
    fn new(role: &'static str, target: CallTarget) -> Self {
        let literal = target.host().parse::<IpAddr>();
        let address = literal.map(|ip| SocketAddr::new(ip.to_canonical(), target.port()));
        Self {
            role,
            failures: AtomicU32::new(0),
            target,
            addresses: Mutex::new(address.into_iter().collect()),
            connection: PeerConnection::default(),
        }
    }

    /// Where it is.
    pub(super) const fn target(&self) -> &CallTarget {
        &self.target
    }

    /// Whether it has this address.
    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let addresses = self.addresses();
        addresses.iter().any(|own| own.ip() == address)
    }

    /// Whether this is the very address and port that it takes requests on.
    pub(super) fn is_at(&self, address: SocketAddr) -> bool {
        self.addresses().contains(&address)
    }

    /// The flow to it; over TCP a connection is opened unless one lives. `None` when it cannot be
    /// reached.
    pub(super) async fn flow(
        &self,
        urgency: Urgency,
        outbound: &Outbound,
        connector: &Connector,
    ) -> Option<Flow> {
        if self.addresses().is_empty() {
            self.resolve().await;
        }
        let addresses = self.addresses().clone();
        if self.target.transport() == Transport::Udp {
            let mut flows = addresses.iter().map(|to| outbound.datagram_flow(*to));
            return flows.find_map(|flow| flow);
        }
        let connection = &self.connection;
        let opened = connection.flow(addresses, urgency, outbound, connector);
        opened.await
    }

    /// Asks the system's resolver; gives whether there is an address now. SRV and NAPTR records are
    /// not asked for: the target has a port.
    async fn resolve(&self) -> bool {
        if self.target.host().parse::<IpAddr>().is_ok() {
            return true;
        }
        let name = (self.target.host(), self.target.port());
        let reason = match timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(name)).await {
            Ok(Ok(found)) => {
                let canonical = |to: SocketAddr| SocketAddr::new(to.ip().to_canonical(), to.port());
                let found: Vec<SocketAddr> = found.take(ADDRESSES_MAX).map(canonical).collect();
                if !found.is_empty() {
                    *self.addresses() = found;
                    self.failures.store(0, Ordering::Relaxed);
                    return true;
                }
                "no address has this name".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the resolver does not answer".to_owned(),
        };
        let failures = self.failures.fetch_add(1, Ordering::Relaxed);
        if failures.is_multiple_of(FAILURES_PER_LINE) {
            let (role, target) = (self.role, &self.target);
            tracing::warn!(%target, reason, "the name of the {role} does not resolve");
        }
        // What was found before stays good when the resolver fails.
        !self.addresses().is_empty()
    }

    fn addresses(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        locks::lock(&self.addresses)
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Peers {
    pbx: Option<Peer>,
    emergency: Option<Peer>,
}

impl Peers {
    pub(super) fn new(calls: &CallSettings) -> Self {
        Self {
            pbx: calls.pbx.clone().map(|to| Peer::new("PBX", to)),
            emergency: calls
                .emergency_target
                .clone()
                .map(|to| Peer::new("emergency target", to)),
        }
    }

    /// The PBX.
    pub(super) const fn pbx(&self) -> Option<&Peer> {
        self.pbx.as_ref()
    }

    /// Where emergency calls go.
    pub(super) fn emergency(&self) -> Option<&Peer> {
        self.emergency.as_ref().or(self.pbx.as_ref())
    }

    /// Keeps their addresses fresh. Ends only with the task it runs in.
    pub(super) async fn keep_resolved(&self) {
        loop {
            let mut is_complete = true;
            for peer in [&self.pbx, &self.emergency].into_iter().flatten() {
                is_complete &= peer.resolve().await;
            }
            let pause = if is_complete {
                RESOLVE_INTERVAL
            } else {
                RESOLVE_RETRY
            };
            tokio::time::sleep(pause).await;
        }
    }
}
