//! The servers beside us: the PBX and the emergency target. Their names are resolved off the hot
//! path, and one connection to each is kept.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::{Instant, timeout};

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

/// How often the log says that a name does not resolve.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// How long the system's resolver may take.
const RESOLVE_TIMEOUT: Duration = Duration::from_secs(4);

/// Addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// One server beside us.
#[derive(Debug)]
pub(super) struct Peer {
    /// What administrators call it.
    role: &'static str,
    /// Held by who asks the resolver: calls that want the same wait for the one question.
    resolution: tokio::sync::Mutex<Resolution>,
    target: CallTarget,
    addresses: Mutex<Vec<SocketAddr>>,
    connection: PeerConnection,
}

/// What became of the questions for a name.
#[derive(Debug, Default)]
struct Resolution {
    /// When it did not resolve last; `None`: it did.
    failed_at: Option<Instant>,
    /// When the log said so last.
    told_at: Option<Instant>,
}

impl Peer {
    fn new(role: &'static str, target: CallTarget) -> Self {
        let literal = target.host().parse::<IpAddr>();
        let address = literal.map(|ip| SocketAddr::new(ip.to_canonical(), target.port()));
        Self {
            role,
            resolution: tokio::sync::Mutex::default(),
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
            self.resolve_for_a_call().await;
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

    /// A call before the first answer of the resolver waits for it; one after a failure does not ask
    /// again before its time.
    async fn resolve_for_a_call(&self) {
        let mut resolution = self.resolution.lock().await;
        let failed_at = resolution.failed_at;
        let is_known = failed_at.is_some_and(|at| at.elapsed() < RESOLVE_RETRY);
        if !is_known && self.addresses().is_empty() {
            self.ask(&mut resolution).await;
        }
    }

    /// Asks the system's resolver; gives whether there is an address now. SRV and NAPTR records are
    /// not asked for: the target has a port.
    async fn resolve(&self) -> bool {
        if self.target.host().parse::<IpAddr>().is_ok() {
            return true;
        }
        let mut resolution = self.resolution.lock().await;
        self.ask(&mut resolution).await
    }

    async fn ask(&self, resolution: &mut Resolution) -> bool {
        let name = (self.target.host(), self.target.port());
        let reason = match timeout(RESOLVE_TIMEOUT, tokio::net::lookup_host(name)).await {
            Ok(Ok(found)) => {
                let canonical = |to: SocketAddr| SocketAddr::new(to.ip().to_canonical(), to.port());
                let found: Vec<SocketAddr> = found.take(ADDRESSES_MAX).map(canonical).collect();
                if !found.is_empty() {
                    *self.addresses() = found;
                    *resolution = Resolution::default();
                    return true;
                }
                "no address has this name".to_owned()
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the resolver does not answer".to_owned(),
        };
        let now = Instant::now();
        resolution.failed_at = Some(now);
        let is_told = |at: Instant| now.duration_since(at) < TOLD_EVERY;
        if !resolution.told_at.is_some_and(is_told) {
            resolution.told_at = Some(now);
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
