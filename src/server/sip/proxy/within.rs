//! Requests within a call: they go to its other end, by what our Record-Route says.

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::registration::Flow;
use crate::server::sip::message::{
    Address, Changes, ForwardedRequest, HeaderName, ReplyHead, Request, ResponseBuilder, Status,
};
use crate::server::sip::transport::OutboundError;
use crate::service::devices::phone_book::SIP_REALM;

use super::calls::Event;
use super::route_token::{End, Party, RouteToken};
use super::{Proxy, ROUTE_PARAMETER, has_route_parameter, open_token, own_parameter};

/// Why a request within a call is not passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotPassedOn {
    /// The token is not ours, of another call, or the sender is none of its ends.
    Forbidden,
    /// Max-Forwards is used up.
    TooManyHops,
    /// A proxy would have to know something that this one does not.
    BadExtension,
    /// The rest of the Route cannot be read.
    BadRequest,
}

/// A request within a call, ready to go to its other end.
pub(super) struct ToOtherEnd {
    pub(super) sender: End,
    pub(super) other: End,
    pub(super) uri: Vec<u8>,
    pub(super) request: ForwardedRequest,
}

/// A request within a call, other than INVITE and ACK, on its way to the other end.
pub struct Within {
    head: ReplyHead,
    method: Vec<u8>,
    to_other_end: ToOtherEnd,
    loop_mark: u64,
}

impl NotPassedOn {
    /// The answer that says so.
    pub(super) fn answer(self, request: &Request<'_>, flow: &Flow) -> Vec<u8> {
        let status = match self {
            Self::Forbidden => Status::FORBIDDEN,
            Self::TooManyHops => Status::TOO_MANY_HOPS,
            Self::BadExtension => Status::BAD_EXTENSION,
            Self::BadRequest => Status::BAD_REQUEST,
        };
        let mut response = ResponseBuilder::new(request, flow, status);
        if self == Self::BadExtension {
            let unknown = proxy_require(request);
            response = response.header(HeaderName::Unsupported.as_str(), unknown);
        }
        response.finish()
    }
}

/// The options that proxies would have to know. None are known here.
pub(super) fn proxy_require(request: &Request<'_>) -> Vec<u8> {
    let options = request.common.headers.options(HeaderName::ProxyRequire);
    options.collect::<Vec<_>>().join(&b", "[..])
}

impl Proxy {
    /// A request with our Record-Route: the work that passes it on, or the answer at once.
    ///
    /// # Errors
    ///
    /// The answer, when it is not passed on.
    pub fn within(&self, request: &Request<'_>, flow: &Flow) -> Result<Within, Vec<u8>> {
        let to_other_end = self
            .to_other_end(request, flow)
            .map_err(|reason| reason.answer(request, flow))?;
        Ok(Within {
            head: ReplyHead::new(request, flow),
            method: request.method.as_bytes().to_vec(),
            to_other_end,
            loop_mark: self.loop_mark(request, ""),
        })
    }

    /// Passes a request within a call on; `None` when nobody answered: the sender notices by
    /// itself, and a late 408 would only add to what is under way. Source: RFC 4320 clause 4.2.
    pub async fn pass_on(&self, within: Within) -> Option<Vec<u8>> {
        let head = within.head;
        let unreachable = || {
            let warning = "399 selfprov \"the other end of the call cannot be reached\"";
            let response = ResponseBuilder::from_head(&head, Status::TEMPORARILY_UNAVAILABLE);
            Some(response.header("Warning", warning).finish())
        };
        let ToOtherEnd {
            other,
            uri,
            request,
            ..
        } = within.to_other_end;
        let Some(flow) = self.flow_to(&other).await else {
            return unreachable();
        };
        let branch = self.branch(within.loop_mark);
        let Some(via) = self.via(&flow, &branch) else {
            return unreachable();
        };
        let request = request.write(&uri, &via, &[]);
        debug_assert!(request.starts_with(&within.method));
        match self.outbound.request(&flow, &branch, request).await {
            Ok(response) => response.passed_on.map(|bytes| bytes.to_vec()),
            Err(OutboundError::TimedOut) => None,
            Err(error) => {
                tracing::debug!(remote = %flow.remote, %error, "request within a call not sent");
                unreachable()
            }
        }
    }

    /// An ACK: it ends the refusal of a call here, or goes on to whoever answered.
    pub fn acknowledged(self: &Arc<Self>, request: &Request<'_>, flow: &Flow) {
        let key = self.calls.key_of(request, flow);
        if self.calls.absorbs_ack(key) {
            self.calls.tell(key, Event::Acknowledge);
            return;
        }
        if !has_route_parameter(request) {
            return;
        }
        let Ok(ack) = self.to_other_end(request, flow) else {
            return;
        };
        let branch = self.branch(self.loop_mark(request, ""));
        if let Some(flow) = self.flow_now(&ack.other) {
            self.send_ack(&ack, &flow, &branch);
            return;
        }
        let proxy = Arc::clone(self);
        tokio::spawn(async move {
            if let Some(flow) = proxy.flow_to(&ack.other).await {
                proxy.send_ack(&ack, &flow, &branch);
            }
        });
    }

    fn send_ack(&self, ack: &ToOtherEnd, flow: &Flow, branch: &str) {
        let Some(via) = self.via(flow, branch) else {
            return;
        };
        let bytes = Bytes::from(ack.request.write(&ack.uri, &via, &[]));
        if let Err(error) = self.outbound.send_now(flow, bytes) {
            tracing::debug!(remote = %flow.remote, %error, "ACK not sent");
        }
    }

    /// Judges a request that carries our parameter: who sends it, and who gets it.
    pub(super) fn to_other_end(
        &self,
        request: &Request<'_>,
        flow: &Flow,
    ) -> Result<ToOtherEnd, NotPassedOn> {
        if request.common.max_forwards() == 0 {
            return Err(NotPassedOn::TooManyHops);
        }
        let read = self.read_route(request)?;
        if !read.token.is_of_emergency_call() && !proxy_require(request).is_empty() {
            return Err(NotPassedOn::BadExtension);
        }
        let keys = &self.app.keys;
        let from_tag = request.common.from.tag().unwrap_or_default();
        let RouteToken { caller, callee, .. } = &read.token;
        let (sender, other) = if read.token.is_from_caller(keys, from_tag) {
            (caller, callee)
        } else {
            (callee, caller)
        };
        if !self.is_at_end(sender, flow) {
            return Err(NotPassedOn::Forbidden);
        }
        let changes = Changes {
            routes: read.routes,
            own_realm: SIP_REALM,
            ..Changes::default()
        };
        Ok(ToOtherEnd {
            sender: End {
                flow: *flow,
                ..sender.clone()
            },
            other: other.clone(),
            uri: read.uri,
            request: ForwardedRequest::new(request, flow.remote, &changes),
        })
    }

    /// Whether the request is sent by an end of an emergency call that was set up.
    pub(super) fn is_within_emergency_call(&self, request: &Request<'_>, flow: &Flow) -> bool {
        let Ok(ReadRoute { token, .. }) = self.read_route(request) else {
            return false;
        };
        let mut ends = [&token.caller, &token.callee].into_iter();
        token.is_of_emergency_call() && ends.any(|end| self.is_at_end(end, flow))
    }

    /// Whether this flow belongs to an end of a call: it is the one the call began on, or comes
    /// from its address, or its phone has registered by it since.
    fn is_at_end(&self, end: &End, flow: &Flow) -> bool {
        let address = flow.remote.ip().to_canonical();
        if end.flow == *flow || end.flow.remote.ip().to_canonical() == address {
            return true;
        }
        match &end.party {
            Party::Device(name) => {
                let bindings = self.app.locations.of_device(name);
                bindings.iter().any(|binding| binding.address() == address)
            }
            Party::Pbx => self
                .peers
                .pbx()
                .is_some_and(|peer| peer.has_address(address)),
            Party::EmergencyTarget => {
                let peer = self.peers.emergency();
                peer.is_some_and(|peer| peer.has_address(address))
            }
            Party::Address => false,
        }
    }

    /// Takes our values off the Route. Source: RFC 3261 clauses 16.4 and 16.6 step 6.
    fn read_route(&self, request: &Request<'_>) -> Result<ReadRoute, NotPassedOn> {
        let routes: Result<Vec<_>, _> = request.common.routes().collect();
        let mut routes = routes.map_err(|_| NotPassedOn::BadRequest)?;
        let mut uri = request.raw_uri;
        let mut token = None;
        // A strict router before us put our value into the Request-URI and the real one last.
        if let Some(parameter) = request.uri.params.get(ROUTE_PARAMETER) {
            token = open_token(&self.app, request, parameter.value.unwrap_or_default());
            uri = routes.pop().ok_or(NotPassedOn::BadRequest)?.uri;
        }
        // One value of ours for each side where the two reach us differently.
        let mut left = routes.into_iter().peekable();
        while let Some(own) = left.peek().and_then(own_parameter) {
            let opened = open_token(&self.app, request, own);
            let opened = opened.ok_or(NotPassedOn::Forbidden)?;
            token.get_or_insert(opened);
            left.next();
        }
        let token = token.ok_or(NotPassedOn::Forbidden)?;
        let mut routes: Vec<Address<'_>> = left.collect();
        let mut uri = uri.to_vec();
        let mut last = None;
        // A strict router after us wants to see itself in the Request-URI.
        if let Some(first) = routes.first().filter(|route| !is_loose(route)) {
            last = Some([&b"<"[..], &uri, b">"].concat());
            uri = first.uri.to_vec();
            routes.remove(0);
        }
        let routes = routes.iter().map(|route| route.raw.to_vec());
        Ok(ReadRoute {
            token,
            uri,
            routes: routes.chain(last).collect(),
        })
    }
}

/// What Route and Request-URI say once our own values are taken off.
struct ReadRoute {
    token: RouteToken,
    uri: Vec<u8>,
    routes: Vec<Vec<u8>>,
}

/// Whether the router that this names leaves the Request-URI alone, as all do since RFC 3261.
fn is_loose(route: &Address<'_>) -> bool {
    let uri = route.uri();
    uri.is_ok_and(|uri| uri.params.get("lr").is_some())
}
