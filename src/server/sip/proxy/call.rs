//! One call, driven: the response context with its clock, its branches and its caller.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::domain::binding::Binding;
use crate::domain::registration::Flow;
use crate::server::sip::message::{Address, ForwardedRequest, HeaderName, Status, follow_up};
use crate::server::sip::transport::{Listening, ReceivedResponse};

use super::Proxy;
use super::calls::{Admitted, Event};
use super::context::{Action, BranchFailure, Context};
use super::route_token::{End, Party, RouteToken};

/// Responses that wait for one call: a few of each of its branches.
const RESPONSES_MAX: usize = 128;

/// Where a branch goes.
#[derive(Debug)]
pub(super) enum Destination {
    /// To a phone, on the flow it registered by.
    Phone(Arc<Binding>),
    /// To the PBX, asking for this URI.
    Pbx(String),
    /// To the emergency target, asking for this URI.
    EmergencyTarget(String),
    /// Within a call, to its other end, with the Request-URI as it came.
    Within(End, Vec<u8>),
}

/// What kind of call it is, for log and metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To phones here.
    Line,
    /// To the PBX.
    Pbx,
    /// To the emergency target.
    Emergency,
    /// A change within a call.
    Within,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Pbx => "pbx",
            Self::Emergency => "emergency",
            Self::Within => "within",
        }
    }
}

/// A call to be made.
pub(super) struct Call {
    pub(super) proxy: Arc<Proxy>,
    pub(super) admitted: Admitted,
    pub(super) kind: Kind,
    pub(super) context: Context,
    pub(super) caller: End,
    pub(super) request: ForwardedRequest,
    /// Its Call-ID.
    pub(super) dialog_id: Vec<u8>,
    pub(super) from_tag: Vec<u8>,
    /// Tells a call that came back to us from one that did not.
    pub(super) loop_mark: u64,
    /// Whether `sips` was asked for, so that every hop of the call is over TLS.
    pub(super) is_sips: bool,
}

/// One INVITE that went out.
struct Leg {
    flow: Flow,
    branch: String,
    request: Bytes,
    _listening: Listening,
}

impl Call {
    /// Makes the call and follows it to the end of its transactions.
    pub(super) async fn run(
        mut self,
        destinations: Vec<Destination>,
        mut events: mpsc::Receiver<Event>,
    ) {
        let (sender, mut responses) = mpsc::channel(RESPONSES_MAX);
        self.admitted.uses(&self.caller.flow);
        let mut legs = Vec::with_capacity(destinations.len());
        for destination in destinations {
            self.start_leg(destination, &mut legs, &sender).await;
        }
        self.context.all_started(now());
        loop {
            self.carry_out(&legs).await;
            if self.context.is_over() {
                return;
            }
            let wake_at = self.context.wake_at().map(tokio::time::Instant::from_std);
            let woken = async {
                match wake_at {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(response) = responses.recv() => self.context.receive(response, now()),
                Some(event) = events.recv() => self.take(event, &legs),
                () = woken => self.context.wake(now()),
            }
        }
    }

    fn take(&mut self, event: Event, legs: &[Leg]) {
        match event {
            Event::Repeat => self.context.repeat(),
            Event::Cancel(reason) => self.context.cancel(reason.as_ref(), now()),
            Event::Acknowledge => drop(self.context.acknowledge(now())),
            Event::ConnectionClosed(connection) => {
                // Nobody is there any more to hear an answer.
                if self.caller.flow.connection == connection {
                    self.context.cancel(None, now());
                }
                for (index, leg) in legs.iter().enumerate() {
                    if leg.flow.connection == connection {
                        let failure = self.unreachable();
                        self.context.fail(index, failure, now());
                    }
                }
            }
        }
    }

    /// What it means that a branch cannot be sent to.
    const fn unreachable(&self) -> BranchFailure {
        match self.kind {
            Kind::Line | Kind::Within => BranchFailure::PhoneUnreachable,
            Kind::Pbx | Kind::Emergency => BranchFailure::PbxDown,
        }
    }

    const fn silence(&self) -> BranchFailure {
        match self.kind {
            Kind::Line | Kind::Within => BranchFailure::NoAnswer,
            Kind::Pbx | Kind::Emergency => BranchFailure::PbxDown,
        }
    }

    async fn start_leg(
        &mut self,
        destination: Destination,
        legs: &mut Vec<Leg>,
        responses: &mpsc::Sender<ReceivedResponse>,
    ) {
        let Some(leg) = self.open_leg(destination, legs.len(), responses).await else {
            return self.context.fail_unstarted(self.unreachable());
        };
        let outbound = &self.proxy.outbound;
        let index =
            self.context
                .add_branch(leg.flow.transport.is_reliable(), self.silence(), now());
        self.admitted.uses(&leg.flow);
        let sent = outbound.send(&leg.flow, leg.request.clone()).await;
        if let Err(error) = sent {
            tracing::debug!(remote = %leg.flow.remote, %error, "INVITE not sent");
            self.context.fail(index, self.unreachable(), now());
        }
        legs.push(leg);
    }

    async fn open_leg(
        &self,
        destination: Destination,
        index: usize,
        responses: &mpsc::Sender<ReceivedResponse>,
    ) -> Option<Leg> {
        let proxy = &self.proxy;
        let (callee, uri) = match destination {
            Destination::Phone(binding) => phone_end(&binding),
            Destination::Pbx(uri) => self.peer_end(Party::Pbx, uri).await?,
            Destination::EmergencyTarget(uri) => self.peer_end(Party::EmergencyTarget, uri).await?,
            Destination::Within(end, uri) => {
                let flow = proxy.flow_to(&end).await?;
                (End { flow, ..end }, uri)
            }
        };
        let flow = callee.flow;
        let branch = proxy.branch(self.loop_mark);
        let via = proxy.via(&flow, &branch)?;
        let record_routes = match self.kind {
            // The route of a call is set by its first INVITE.
            Kind::Within => Vec::new(),
            Kind::Line | Kind::Pbx | Kind::Emergency => self.record_routes(callee)?,
        };
        let request = self.request.write(&uri, &via, &record_routes);
        let sender = responses.clone();
        let listening = proxy
            .outbound
            .listen(&flow, &branch, b"INVITE", index, sender)
            .ok()?;
        Some(Leg {
            flow,
            branch,
            request: request.into(),
            _listening: listening,
        })
    }

    async fn peer_end(&self, party: Party, uri: String) -> Option<(End, Vec<u8>)> {
        let flow = self.proxy.flow_to_peer(&party).await?;
        Some((End { party, flow }, uri.into_bytes()))
    }

    /// Our Record-Route values, that of the callee's side first: one where both sides reach us in
    /// the same way, else one for each. Source: RFC 5658.
    fn record_routes(&self, callee: End) -> Option<Vec<String>> {
        let proxy = &self.proxy;
        let (caller_flow, callee_flow) = (self.caller.flow, callee.flow);
        let keys = &proxy.app.keys;
        let token = RouteToken::new(keys, &self.from_tag, self.caller.clone(), callee);
        let token = token.seal(keys, &self.dialog_id);
        let towards_callee = proxy.record_route(&callee_flow, &token, self.is_sips)?;
        let towards_caller = proxy.record_route(&caller_flow, &token, self.is_sips)?;
        Some(if towards_callee == towards_caller {
            vec![towards_callee]
        } else {
            vec![towards_callee, towards_caller]
        })
    }

    async fn carry_out(&mut self, legs: &[Leg]) {
        for action in self.context.take_actions() {
            match action {
                Action::Answer(bytes) => {
                    let sent = self.proxy.outbound.send(&self.caller.flow, bytes).await;
                    if let Err(error) = sent {
                        tracing::debug!(remote = %self.caller.flow.remote, %error, "response not sent");
                    }
                }
                Action::Answered(status, failure) => self.answered(status, failure),
                Action::Repeat(index) => {
                    if let Some(leg) = legs.get(index) {
                        let _ = self
                            .proxy
                            .outbound
                            .send(&leg.flow, leg.request.clone())
                            .await;
                    }
                }
                Action::Acknowledge(index, to) => {
                    if let Some(leg) = legs.get(index)
                        && let Some(ack) = follow_up(&leg.request, "ACK", Some(&to), None)
                    {
                        let _ = self.proxy.outbound.send(&leg.flow, ack.into()).await;
                    }
                }
                Action::Cancel(index, reason) => self.cancel(legs.get(index), reason.as_ref()),
            }
        }
    }

    /// A CANCEL is a transaction of its own. How it is answered changes nothing.
    fn cancel(&self, leg: Option<&Leg>, reason: Option<&Bytes>) {
        let cancel = leg.and_then(|leg| {
            let reason = reason.map(|reason| &reason[..]);
            let cancel = follow_up(&leg.request, "CANCEL", None, reason)?;
            Some((leg.flow, leg.branch.clone(), cancel))
        });
        let Some((flow, branch, cancel)) = cancel else {
            return;
        };
        let outbound = self.proxy.outbound.clone();
        tokio::spawn(async move {
            if let Err(error) = outbound.request(&flow, &branch, cancel).await {
                tracing::debug!(remote = %flow.remote, %error, "CANCEL not answered");
            }
        });
    }

    fn answered(&self, status: Status, failure: Option<BranchFailure>) {
        if status.is_success() {
            self.admitted.accepted();
        }
        let result = match status.code() {
            _ if failure == Some(BranchFailure::PbxDown) => "unreachable",
            200..300 => "answered",
            408 | 480 => "unanswered",
            486 | 600 => "busy",
            487 => "cancelled",
            _ => "refused",
        };
        let kind = self.kind.as_str();
        metrics::counter!("selfprov_calls_total", "kind" => kind, "result" => result).increment(1);
        if self.kind != Kind::Emergency {
            return;
        }
        let source = self.caller.flow.remote.ip();
        match result {
            "answered" => tracing::info!(%source, "an emergency call was answered"),
            "cancelled" => tracing::warn!(%source, "an emergency call was given up by its caller"),
            _ => tracing::error!(%source, status = status.code(),
                "an emergency call failed; check calls.emergency_target and calls.pbx"),
        }
    }
}

/// A phone as the end of a call, and the URI by which it wants to be asked.
fn phone_end(binding: &Binding) -> (End, Vec<u8>) {
    let contact = Address::parse(binding.contact().as_bytes(), HeaderName::Contact);
    let uri = contact.map_or_else(
        |_| {
            format!(
                "sip:{}@{}",
                binding.address_of_record(),
                binding.flow().remote
            )
            .into_bytes()
        },
        |contact| contact.uri.to_vec(),
    );
    let end = End {
        party: Party::Device(binding.device_name.clone()),
        flow: binding.flow(),
    };
    (end, uri)
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
