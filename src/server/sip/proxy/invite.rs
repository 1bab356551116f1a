//! INVITE: who may call where. Refusals are answered without keeping anything; a call that is made
//! gets a task of its own.

use std::sync::Arc;

use bytes::Bytes;

use crate::domain::binding::Binding;
use crate::domain::call_route::CallRefused;
use crate::domain::registration::{Flow, Transport};
use crate::server::sip::dialled::dialled;
use crate::server::sip::message::{
    Challenge, Changes, ForwardedRequest, HeaderName, ReplyHead, Request, ResponseBuilder, Scheme,
    Status, Via,
};
use crate::server::sip::own_credentials::OwnCredentials;
use crate::service::devices::phone_book::SIP_REALM;
use crate::service::registrar::route_call::{CallDecision, CallRequest, JudgedCall, route_call};

use super::call::{Call, Destination, Kind};
use super::calls::{CallKey, Event, Holder, Share};
use super::context::Context;
use super::route_token::{End, Party};
use super::within::{NotPassedOn, ToOtherEnd, proxy_require};
use super::{Proxy, has_route_parameter};

/// Most phones that ring for one call: more than share any line.
const BRANCHES_MAX: usize = 32;

/// How widely a request may be forked that does not say it. Source: RFC 5393 clause 5.3.3.
const MAX_BREADTH: u32 = 60;

impl Proxy {
    /// An INVITE: the answer at once (100 when a call is being made), `None` when it is one that
    /// is under way already.
    pub fn invite(self: &Arc<Self>, request: &Request<'_>, flow: &Flow) -> Option<Vec<u8>> {
        let key = self.calls.key_of(request, flow);
        if self.calls.tell(key, Event::Repeat) {
            return None;
        }
        let made = if has_route_parameter(request) {
            self.change_call(request, flow, key)
        } else {
            self.new_call(request, flow, key)
        };
        Some(made.unwrap_or_else(|refusal| refusal))
    }

    /// A re-INVITE: to the other end, by our Record-Route.
    fn change_call(
        self: &Arc<Self>,
        request: &Request<'_>,
        flow: &Flow,
        key: CallKey,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let to_other_end = self
            .to_other_end(request, flow)
            .map_err(|reason| reason.answer(request, flow))?;
        let share = self.share_within(&to_other_end);
        let destination = Destination::Within(to_other_end.other, to_other_end.uri);
        let incoming = Incoming {
            request,
            flow,
            key,
            kind: Kind::Within,
            share,
            caller: to_other_end.sender,
            loop_mark: self.loop_mark(request, ""),
        };
        self.begin(incoming, to_other_end.request, vec![destination])
    }

    fn new_call(
        self: &Arc<Self>,
        request: &Request<'_>,
        flow: &Flow,
        key: CallKey,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let calls = &self.app.settings.calls;
        let dialled = dialled(calls, &request.uri);
        let dialled = dialled.as_deref();
        let is_emergency = dialled.is_some_and(|dialled| calls.is_emergency(dialled));
        self.check(request, flow, is_emergency)?;
        let refuse = |status| Err(ResponseBuilder::new(request, flow, status).finish());
        let Some(dialled) = dialled else {
            return refuse(Status::NOT_FOUND);
        };
        let is_from_pbx = self.is_from_pbx(flow, is_emergency);
        let judged = self.judge(request, flow, dialled, is_from_pbx);
        let (kind, mut destinations) = self
            .destinations(&judged.decision, dialled)
            .ok_or_else(|| self.refusal(request, flow, &judged, dialled))?;
        if request.uri.scheme == Scheme::Sips && kind != Kind::Emergency {
            destinations.retain(is_over_tls);
            if destinations.is_empty() || flow.transport != Transport::Tls {
                return refuse(Status::UNSUPPORTED_URI_SCHEME);
            }
        }
        let loop_mark = self.loop_mark(request, dialled);
        if has_mark(request, loop_mark) {
            return refuse(Status::LOOP_DETECTED);
        }
        let max_breadth = breadth_of_each(request, destinations.len());
        let Some(max_breadth) = max_breadth else {
            return refuse(Status::MAX_BREADTH_EXCEEDED);
        };
        let own_numbers = self.own_numbers(&judged, kind, flow);
        let changes = Changes {
            own_realm: SIP_REALM,
            own_numbers: own_numbers
                .as_ref()
                .map(|numbers| numbers.iter().map(String::as_str).collect()),
            max_breadth: Some(max_breadth),
            ..Changes::default()
        };
        let forwarded = ForwardedRequest::new(request, flow.remote, &changes);
        let party = match judged.device {
            Some(name) => Party::Device(name),
            None if is_from_pbx => Party::Pbx,
            None => Party::Address,
        };
        let incoming = Incoming {
            request,
            flow,
            key,
            kind,
            share: match kind {
                Kind::Emergency => Share::Emergency(self.holder(flow)),
                _ if is_from_pbx => Share::Pbx,
                _ => Share::Source,
            },
            caller: End { party, flow: *flow },
            loop_mark,
        };
        self.begin(incoming, forwarded, destinations)
    }

    /// What holds for every call, whoever makes it.
    fn check(&self, request: &Request<'_>, flow: &Flow, is_emergency: bool) -> Result<(), Vec<u8>> {
        let refuse = |status| Err(ResponseBuilder::new(request, flow, status).finish());
        if request.common.max_forwards() == 0 {
            return refuse(Status::TOO_MANY_HOPS);
        }
        // Source: RFC 4475 clause 3.1.2.12.
        if let Err(fault) = request.common.check_date()
            && !is_emergency
        {
            return Err(ResponseBuilder::for_fault(request, flow, fault).finish());
        }
        // What an emergency call requires is left to its target to know.
        if !is_emergency && !proxy_require(request).is_empty() {
            return Err(NotPassedOn::BadExtension.answer(request, flow));
        }
        // Within a call that did not come by us, or with a way of its own to somewhere else.
        if request.common.to.tag().is_some() {
            return refuse(Status::NO_SUCH_TRANSACTION);
        }
        // No Route is followed, so one that an emergency call has does no harm.
        if !is_emergency && !self.route_ends_here(request, flow) {
            return refuse(Status::FORBIDDEN);
        }
        Ok(())
    }

    /// Whether every Route is our own address, as of a phone that has us as its outbound proxy.
    /// Nobody is taken anywhere else by a Route.
    fn route_ends_here(&self, request: &Request<'_>, flow: &Flow) -> bool {
        request.common.routes().all(|route| {
            let uri = route.and_then(|route| route.uri());
            uri.is_ok_and(|uri| self.is_own(&uri, flow))
        })
    }

    fn judge(
        &self,
        request: &Request<'_>,
        flow: &Flow,
        dialled: &str,
        is_from_pbx: bool,
    ) -> JudgedCall {
        let from = request.common.from.uri();
        let from = from.and_then(|uri| uri.address_of_record());
        // Malformed ones are none.
        let mut all = request.common.proxy_authorizations().flatten();
        let credentials = all.find_map(OwnCredentials::new);
        let method = request.method.as_bytes();
        let credentials = credentials
            .as_ref()
            .map(|credentials| credentials.of_request(method));
        let call = CallRequest {
            flow: *flow,
            dialled,
            from_number: from.as_ref().map_or("", |from| from.user()),
            is_from_pbx,
            credentials,
        };
        route_call(&self.app, &call)
    }

    /// Where a call goes that is made; `None` for one that is not.
    fn destinations(
        &self,
        decision: &CallDecision,
        dialled: &str,
    ) -> Option<(Kind, Vec<Destination>)> {
        match decision {
            CallDecision::Bindings(bindings) => Some((Kind::Line, phones(bindings))),
            CallDecision::Pbx => {
                let uri = self.peers.pbx()?.target().uri(dialled);
                Some((Kind::Pbx, vec![Destination::Pbx(uri)]))
            }
            CallDecision::Emergency => {
                let uri = self.peers.emergency()?.target().uri(dialled);
                Some((Kind::Emergency, vec![Destination::EmergencyTarget(uri)]))
            }
            CallDecision::Challenge { .. }
            | CallDecision::Refused(_)
            | CallDecision::WrongProof
            | CallDecision::ForeignNumber
            | CallDecision::Ivr
            | CallDecision::Redirect => None,
        }
    }

    /// The answer to a call that is not made.
    fn refusal(
        &self,
        request: &Request<'_>,
        flow: &Flow,
        judged: &JudgedCall,
        dialled: &str,
    ) -> Vec<u8> {
        let response = |status| ResponseBuilder::new(request, flow, status);
        let warn = |status, text: &str| {
            let warning = format!("399 selfprov \"{text}\"");
            response(status).header("Warning", warning).finish()
        };
        let (reason, answer) = match &judged.decision {
            CallDecision::Challenge {
                nonce,
                is_stale,
                algorithms,
            } => {
                let mut answer = response(Status::PROXY_AUTHENTICATION_REQUIRED);
                for algorithm in *algorithms {
                    let challenge = Challenge::new(SIP_REALM, nonce, *algorithm, *is_stale);
                    let name = HeaderName::ProxyAuthenticate.as_str();
                    answer = answer.header(name, challenge.to_string());
                }
                ("challenge", answer.finish())
            }
            CallDecision::WrongProof => (
                "wrong_proof",
                warn(Status::FORBIDDEN, "the digest is not this phone's"),
            ),
            CallDecision::ForeignNumber => (
                "foreign_number",
                warn(Status::FORBIDDEN, "From is none of this phone's lines"),
            ),
            CallDecision::Redirect => {
                let target = self.app.settings.calls.pbx.as_ref();
                let uri = target.map_or_else(String::new, |pbx| pbx.uri(dialled));
                let answer = response(Status::MOVED_TEMPORARILY)
                    .header(HeaderName::Contact.as_str(), format!("<{uri}>"));
                ("redirected", answer.finish())
            }
            // The dialogue will be a user agent here: it takes the INVITE in place of this answer,
            // with an `InviteServer` of its own.
            CallDecision::Ivr => (
                "ivr_not_available",
                warn(
                    Status::TEMPORARILY_UNAVAILABLE,
                    "the telephone dialogue is not available",
                ),
            ),
            CallDecision::Refused(refused) => refused_answer(*refused, flow, dialled, &warn),
            CallDecision::Bindings(_) | CallDecision::Emergency | CallDecision::Pbx => {
                ("not_found", response(Status::NOT_FOUND).finish())
            }
        };
        metrics::counter!("selfprov_calls_refused_total", "reason" => reason).increment(1);
        tracing::debug!(source = %flow.remote.ip(), dialled, reason, "call not made");
        answer
    }

    /// The numbers that a phone may assert as its own; `None` for the PBX, which is believed. Who
    /// calls for help need not say who it is, so it may assert the numbers of all phones at its
    /// address. Source: RFC 3325 clause 5.
    fn own_numbers(&self, judged: &JudgedCall, kind: Kind, flow: &Flow) -> Option<Vec<String>> {
        let devices = match &judged.device {
            Some(name) => vec![name.clone()],
            None if kind == Kind::Emergency => self.app.locations.at_address(flow.remote.ip()),
            None => return None,
        };
        let known = devices.iter();
        let known = known.filter_map(|name| self.app.phones.find(name));
        let numbers = known.flat_map(|known| {
            let lines = known.phone.lines.iter();
            let numbers = lines.map(|line| line.pattern.to_string());
            numbers.collect::<Vec<_>>()
        });
        Some(numbers.collect())
    }

    /// Whose limits a change within a call counts against: those that the call itself counted
    /// against.
    fn share_within(&self, change: &ToOtherEnd) -> Share {
        let parties = [&change.sender.party, &change.other.party];
        if parties.contains(&&Party::EmergencyTarget) {
            Share::Emergency(self.holder(&change.sender.flow))
        } else if change.sender.party == Party::Pbx {
            Share::Pbx
        } else {
            Share::Source
        }
    }

    /// Whose part of the reserve an emergency call takes that comes by this flow.
    fn holder(&self, flow: &Flow) -> Holder {
        if self.has_registered_by(flow) {
            Holder::Phone(*flow)
        } else {
            Holder::Address(flow.remote.ip().to_canonical())
        }
    }

    /// Begins a call, and gives the 100 that tells its caller so.
    ///
    /// # Errors
    ///
    /// 500 when there are too many: with a 503 the phone would ask us nothing else either.
    fn begin(
        self: &Arc<Self>,
        incoming: Incoming<'_>,
        forwarded: ForwardedRequest,
        destinations: Vec<Destination>,
    ) -> Result<Vec<u8>, Vec<u8>> {
        let Incoming {
            request,
            flow,
            key,
            kind,
            share,
            caller,
            loop_mark,
        } = incoming;
        let response = |status| ResponseBuilder::new(request, flow, status);
        let Some((admitted, events)) = self.calls.admit(key, flow.remote.ip(), share) else {
            let busy = response(Status::SERVER_INTERNAL_ERROR);
            let warning = "399 selfprov \"too many calls are being set up\"";
            return Err(busy.header("Warning", warning).finish());
        };
        let trying = response(Status::TRYING).finish();
        let now = tokio::time::Instant::now().into_std();
        let common = &request.common;
        let call = Call {
            proxy: Arc::clone(self),
            admitted,
            kind,
            context: Context::new(
                ReplyHead::new(request, flow),
                flow.transport.is_reliable(),
                Bytes::from(trying.clone()),
                now,
            ),
            caller,
            request: forwarded,
            dialog_id: common.call_id.to_vec(),
            from_tag: common.from.tag().unwrap_or_default().to_vec(),
            loop_mark,
            // An emergency call goes out by whatever way there is.
            is_sips: request.uri.scheme == Scheme::Sips && kind != Kind::Emergency,
        };
        tokio::spawn(call.run(destinations, events));
        Ok(trying)
    }
}

/// A call that is being taken on.
struct Incoming<'a> {
    request: &'a Request<'a>,
    flow: &'a Flow,
    key: CallKey,
    kind: Kind,
    share: Share,
    caller: End,
    loop_mark: u64,
}

fn refused_answer(
    refused: CallRefused,
    flow: &Flow,
    dialled: &str,
    warn: &impl Fn(Status, &str) -> Vec<u8>,
) -> (&'static str, Vec<u8>) {
    let text = refused.to_string();
    match refused {
        CallRefused::Unproven => ("unproven", warn(Status::FORBIDDEN, &text)),
        CallRefused::Unclaimed => ("unclaimed", warn(Status::FORBIDDEN, &text)),
        CallRefused::NotFound => ("not_found", warn(Status::NOT_FOUND, &text)),
        CallRefused::NoEmergencyTarget => {
            tracing::error!(source = %flow.remote.ip(), number = dialled,
                "an emergency call could not be sent on: set emergency_target or pbx");
            let status = Status::TEMPORARILY_UNAVAILABLE;
            ("no_emergency_target", warn(status, &text))
        }
    }
}

fn phones(bindings: &[Arc<Binding>]) -> Vec<Destination> {
    if bindings.len() > BRANCHES_MAX {
        tracing::warn!(
            phones = bindings.len(),
            most = BRANCHES_MAX,
            "more phones share a line than can ring at once"
        );
    }
    let bindings = bindings.iter().take(BRANCHES_MAX);
    bindings.cloned().map(Destination::Phone).collect()
}

fn is_over_tls(destination: &Destination) -> bool {
    match destination {
        Destination::Phone(binding) => binding.flow().transport == Transport::Tls,
        Destination::Within(end, _) => end.flow.transport == Transport::Tls,
        Destination::Pbx(_) | Destination::EmergencyTarget(_) => false,
    }
}

/// Whether one of our Vias on the way here has this mark.
fn has_mark(request: &Request<'_>, mark: u64) -> bool {
    let mark = format!(".{mark:016x}");
    let values = request.common.headers.all(HeaderName::Via);
    let mut vias = values.flat_map(Via::parse_all).flatten();
    vias.any(|via| {
        let branch = via.unique_branch();
        branch.is_some_and(|branch| branch.ends_with(mark.as_bytes()))
    })
}

/// What each of so many branches gets of the request's Max-Breadth; `None` when it is not enough
/// for one each. Source: RFC 5393 clause 5.3.3.
fn breadth_of_each(request: &Request<'_>, branches: usize) -> Option<u32> {
    let header = request.common.headers.get_other("Max-Breadth");
    let breadth = header.and_then(|value| std::str::from_utf8(value).ok()?.parse().ok());
    let breadth: u32 = breadth.unwrap_or(MAX_BREADTH);
    let branches = u32::try_from(branches).ok()?;
    breadth.checked_div(branches).filter(|each| *each > 0)
}
