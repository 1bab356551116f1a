//! The proxy: calls between phones here, to them and from them.
//!
//! Stateful and forking (RFC 3261 clause 16), for INVITE and what follows within a call. It touches
//! no media and knows no features: it is not a PBX.
//!
//! ```text
//! invite.rs        who may call where; the answer at once, or a call to be made
//! context.rs       one call: branches, best response, timers (no I/O, no clock)
//! call.rs          its driver: one task a call
//! calls.rs         the calls being set up: keys, limits, ended connections
//! within.rs        requests within a call, by our Record-Route
//! route_token.rs   what our Record-Route carries
//! peers.rs         the PBX and the emergency target: names, addresses
//! peer_connection.rs   the connection that is kept to each
//! ```

mod call;
mod calls;
mod context;
mod invite;
mod peer_connection;
mod peers;
mod route_token;
mod within;

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::binding::Binding;
use crate::domain::registration::{Flow, Transport};
use crate::service::App;

use super::message::{Address, Method, Request, Uri};
use super::transport::{Connector, Outbound};
use calls::{Calls, Event};
use peer_connection::Urgency;
use peers::Peers;
use route_token::{End, Party, RouteToken};

pub use within::Within;

/// The parameter of our Record-Route that holds the two ends of the call.
const ROUTE_PARAMETER: &str = "selfprov";

/// Random bytes of a branch.
const BRANCH_BYTES: usize = 9;

/// The proxy. One for the process.
pub struct Proxy {
    app: Arc<App>,
    outbound: Outbound,
    connector: Connector,
    peers: Peers,
    calls: Arc<Calls>,
    loop_hasher: RandomState,
}

impl Proxy {
    /// A proxy that sends by `outbound` and opens connections by `connector`.
    pub fn new(app: Arc<App>, outbound: Outbound, connector: Connector) -> Self {
        let peers = Peers::new(&app.settings.calls);
        Self {
            app,
            outbound,
            connector,
            peers,
            calls: Arc::new(Calls::new()),
            loop_hasher: RandomState::new(),
        }
    }

    /// Whether this is an address of the PBX or the emergency target, as far as their names are
    /// resolved.
    pub fn is_peer(&self, address: IpAddr) -> bool {
        let mut peers = [self.peers.pbx(), self.peers.emergency()].into_iter();
        peers.any(|peer| peer.is_some_and(|peer| peer.has_address(address)))
    }

    /// Keeps the addresses of PBX and emergency target fresh. Ends only with the task it runs in.
    pub async fn keep_resolved(&self) {
        self.peers.keep_resolved().await;
    }

    /// Whether this request is passed on rather than answered here.
    pub fn is_passed_on(&self, request: &Request<'_>) -> bool {
        request.method == Method::Invite || has_route_parameter(request)
    }

    /// A caller gave up; whether there is such a call. Source: RFC 3261 clause 9.2.
    pub fn cancel(&self, request: &Request<'_>, flow: &Flow) -> bool {
        let key = self.calls.key_of(request, flow);
        let reason = request
            .common
            .headers
            .get(super::message::HeaderName::Reason);
        let reason = reason.map(bytes::Bytes::copy_from_slice);
        self.calls.tell(key, Event::Cancel(reason))
    }

    /// Whether this belongs to an emergency call: one that is being set up, or one that our
    /// Record-Route says was set up, from an end of it.
    pub fn is_of_emergency_call(&self, request: &Request<'_>, flow: &Flow) -> bool {
        let is_being_set_up = || self.calls.is_emergency(self.calls.key_of(request, flow));
        match request.method {
            Method::Register | Method::Options => false,
            Method::Cancel => is_being_set_up(),
            Method::Ack if !has_route_parameter(request) => is_being_set_up(),
            _ => has_route_parameter(request) && self.is_within_emergency_call(request, flow),
        }
    }

    /// A connection ended.
    pub fn flow_closed(&self, flow: &Flow) {
        self.calls.connection_closed(flow.connection);
    }

    /// Whether this came from the PBX: from the address and port that it is asked at, on the
    /// connection to it, or from its address unless it can be a phone's. An emergency call can be of
    /// any phone there that has a binding.
    fn is_from_pbx(&self, flow: &Flow, is_emergency: bool) -> bool {
        let address = flow.remote.ip();
        let locations = &self.app.locations;
        let is_phones = || {
            if is_emergency {
                locations.is_at_address(address)
            } else {
                self.is_of_phone(flow)
            }
        };
        self.peers
            .pbx()
            .is_some_and(|pbx| pbx.has_address(address) && (pbx.is_at(flow.remote) || !is_phones()))
    }

    /// Whether this flow counts as a phone's beside a PBX at the same address: it is the one that a
    /// phone registered by, or some phone has proven there by digest who it is. A REGISTER that
    /// proves nothing can come from anybody who forges an address, and shuts nobody out.
    fn is_of_phone(&self, flow: &Flow) -> bool {
        self.any_binding_at(flow.remote.ip(), |binding| {
            binding.grace.is_none() || binding.flow().is_same_flow(flow)
        })
    }

    /// Whether a phone has registered by this very flow.
    fn has_registered_by(&self, flow: &Flow) -> bool {
        self.any_binding_at(flow.remote.ip(), |binding| {
            binding.flow().is_same_flow(flow)
        })
    }

    /// Whether `condition` holds for a binding at this address.
    fn any_binding_at(&self, address: IpAddr, condition: impl Fn(&Binding) -> bool) -> bool {
        let address = address.to_canonical();
        let devices = self.app.locations.at_address(address);
        let mut bindings = devices
            .iter()
            .flat_map(|name| self.app.locations.of_device(name));
        bindings.any(|binding| binding.address() == address && condition(&binding))
    }

    /// The flow to one end of a call: the one it began on, or the one its phone has registered by
    /// since. `None` when it cannot be reached.
    async fn flow_to(&self, end: &End) -> Option<Flow> {
        if let Some(flow) = self.flow_now(end) {
            return Some(flow);
        }
        self.flow_to_peer(&end.party).await
    }

    /// The flow to a server beside us. `None` when it cannot be reached, or is none.
    async fn flow_to_peer(&self, party: &Party) -> Option<Flow> {
        let (peer, urgency) = match party {
            Party::Pbx => (self.peers.pbx(), Urgency::Ordinary),
            Party::EmergencyTarget => (self.peers.emergency(), Urgency::Emergency),
            Party::Device(_) | Party::Address => return None,
        };
        let flow = peer?.flow(urgency, &self.outbound, &self.connector);
        flow.await
    }

    /// The flow to one end of a call, where none has to be opened.
    fn flow_now(&self, end: &End) -> Option<Flow> {
        let bindings = match &end.party {
            Party::Device(name) => self.app.locations.of_device(name),
            Party::Address | Party::Pbx | Party::EmergencyTarget => Vec::new(),
        };
        let is_bound = bindings.iter().any(|binding| binding.flow() == end.flow);
        let moved = bindings.iter().map(|binding| binding.flow());
        let mut moved = moved.filter(|flow| self.outbound.is_open(flow));
        if is_bound || !end.flow.transport.is_reliable() {
            let own = Some(end.flow).filter(|flow| self.outbound.is_open(flow));
            return own
                .filter(|_| is_bound || bindings.is_empty())
                .or_else(|| moved.next());
        }
        let own = Some(end.flow).filter(|flow| self.outbound.is_open(flow));
        own.or_else(|| moved.next())
    }

    /// A new branch that carries the mark of its call.
    fn branch(&self, loop_mark: u64) -> String {
        let random = self.app.environment.random::<BRANCH_BYTES>();
        format!("{}.{loop_mark:016x}", URL_SAFE_NO_PAD.encode(random))
    }

    /// The value of our Via on this flow.
    fn via(&self, flow: &Flow, branch: &str) -> Option<String> {
        let own = self.outbound.own_address(flow).ok()?;
        let transport = flow.transport.as_str().to_ascii_uppercase();
        Some(format!(
            "SIP/2.0/{transport} {own};branch=z9hG4bK{branch};rport"
        ))
    }

    /// The value of our Record-Route for the side behind this flow. Source: RFC 3261 clause 16.6
    /// step 4; `transport=tls` is not for `sips` (RFC 5630 clause 3.1.4).
    fn record_route(&self, flow: &Flow, token: &str, is_sips: bool) -> Option<String> {
        let own = self.outbound.own_address(flow).ok()?;
        let (scheme, transport) = match flow.transport {
            _ if is_sips => ("sips", ""),
            Transport::Udp => ("sip", ""),
            Transport::Tcp => ("sip", ";transport=tcp"),
            Transport::Tls => ("sip", ";transport=tls"),
        };
        Some(format!(
            "<{scheme}:{own}{transport};lr;{ROUTE_PARAMETER}={token}>"
        ))
    }

    /// Whether a Route without our parameter means us: a phone that has us as its outbound proxy.
    fn is_own(&self, uri: &Uri<'_>, flow: &Flow) -> bool {
        let advertised = &self.app.settings.advertised;
        let Ok(host) = std::str::from_utf8(uri.host) else {
            return false;
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let own = self.outbound.own_address(flow).ok();
        let is_host = bare.eq_ignore_ascii_case(&advertised.host)
            || bare.parse().ok() == own.map(|own: SocketAddr| own.ip());
        // Source: RFC 3261 clause 18.1.1 (default ports).
        let (default, reached_by) = match flow.transport {
            Transport::Tls => (5061, advertised.sip_secure_port),
            Transport::Udp | Transport::Tcp => (5060, advertised.sip_port),
        };
        let port = uri.port.unwrap_or(default);
        is_host && (port == flow.local.port() || port == reached_by)
    }

    /// A mark that a call keeps on its way and no two calls share: what would be forwarded in the
    /// same way has the same. Source: RFC 3261 clause 16.3 step 4, RFC 5393 clause 4.
    fn loop_mark(&self, request: &Request<'_>, dialled: &str) -> u64 {
        let common = &request.common;
        let tags = (common.from.tag(), common.to.tag());
        self.loop_hasher
            .hash_one((common.call_id, tags, common.cseq, dialled))
    }
}

/// Whether the topmost Route, or a Request-URI that a strict router wrote, is one of ours.
fn has_route_parameter(request: &Request<'_>) -> bool {
    if request.uri.params.get(ROUTE_PARAMETER).is_some() {
        return true;
    }
    let Some(Ok(route)) = request.common.routes().next() else {
        return false;
    };
    own_parameter(&route).is_some()
}

fn own_parameter<'a>(route: &Address<'a>) -> Option<&'a [u8]> {
    route.uri().ok()?.params.get(ROUTE_PARAMETER)?.value
}

/// What our Record-Route says in this request, when it is ours and of this very call.
fn open_token(app: &App, request: &Request<'_>, text: &[u8]) -> Option<RouteToken> {
    RouteToken::open(&app.keys, request.common.call_id, text)
}
