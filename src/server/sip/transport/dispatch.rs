//! What happens to one message, whatever it came by.

use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard};

use metrics::Counter;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::domain::registration::{Flow, Transport};
use crate::locks;
use crate::server::connection_permits::ConnectionPermits;
use crate::server::sip::message::{
    self, HeaderName, Message, Method, Rejected, Request, ResponseBuilder, Status,
};
use crate::server::sip::transaction::{Arrival, ServerTransactions, TransactionKey};
use crate::server::source_rates::{Admission, SourceRates};

use super::notices::{Notices, Reason};
use super::per_source::{PerSource, Share};
use super::{Limits, Outbound, Quick, RequestHandler};

/// What all endpoints share: the handler, the way to phones and the limits. Cheap to clone.
pub struct Stack<H>(pub(super) Arc<Shared<H>>);

pub(super) struct Shared<H> {
    pub(super) handler: Arc<H>,
    pub(super) outbound: Outbound,
    pub(super) limits: Limits,
    later: Room,
    relayed: Room,
    /// Streams, of all listeners together.
    pub(super) connections: Arc<ConnectionPermits>,
    /// TLS handshakes under way.
    pub(super) handshakes: Semaphore,
    pub(super) handshakes_per_source: PerSource,
    rates: SourceRates,
    pub(super) notices: Notices,
    counters: Counters,
}

impl<H> Clone for Stack<H> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Counters are looked up once: a lookup for every message would cost more than parsing it.
struct Counters {
    requests: Counter,
    responses: Counter,
    retransmissions: Counter,
    rejected: Counter,
    busy: Counter,
    limited: Counter,
    ignored: Counter,
}

impl Counters {
    fn new() -> Self {
        let messages = |kind| metrics::counter!("selfprov_sip_messages_total", "kind" => kind);
        let limited =
            |answer| metrics::counter!("selfprov_sip_requests_over_rate_total", "answer" => answer);
        Self {
            requests: messages("request"),
            responses: messages("response"),
            retransmissions: messages("retransmission"),
            rejected: messages("rejected"),
            busy: metrics::counter!("selfprov_sip_busy_total"),
            limited: limited("503"),
            ignored: limited("none"),
        }
    }
}

/// The answers remembered on one UDP socket; shared with the work that answers later.
#[derive(Clone, Default)]
pub(super) struct SharedTransactions(Arc<Mutex<ServerTransactions>>);

impl SharedTransactions {
    pub(super) fn lock(&self) -> MutexGuard<'_, ServerTransactions> {
        locks::lock(&self.0)
    }
}

/// What an endpoint does with a message.
pub(super) enum Verdict<L> {
    /// Send this to the flow's far end.
    Send(Vec<u8>, SocketAddr),
    /// Nothing.
    Nothing,
    /// Run this and send what it gives.
    Work(Work<L>),
}

/// Work that answers later, with the permit it runs under.
pub(super) struct Work<L> {
    pub(super) flow: Flow,
    later: L,
    answered: Answered,
    /// `None` for what is never refused.
    permit: Option<Permit>,
}

/// Room for work of one sort, of which no address takes all.
struct Room {
    places: Arc<Semaphore>,
    per_source: PerSource,
    /// What one address may hold that speaks for many, where that is more: not all, so that it locks
    /// nobody out.
    per_site: Option<usize>,
}

impl Room {
    fn new(places: usize, per_source: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            per_source: PerSource::new(per_source),
            per_site: None,
        }
    }

    /// The same with three quarters of the places for one address that speaks for many.
    fn with_sites(places: usize, per_source: usize) -> Self {
        Self {
            per_site: Some((places / 4 * 3).max(per_source)),
            ..Self::new(places, per_source)
        }
    }

    fn try_take(&self, source: IpAddr, is_site: impl FnOnce() -> bool) -> Option<Permit> {
        let share = match self.per_site.filter(|_| is_site()) {
            Some(limit) => self.per_source.try_take_of(source, limit)?,
            None => self.per_source.try_take(source)?,
        };
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some((share, place))
    }
}

/// A place in a [`Room`]; given back when dropped.
type Permit = (Share, OwnedSemaphorePermit);

/// Where the answer to a request is remembered: nowhere for a stream.
type Answered = Option<(SharedTransactions, TransactionKey)>;

impl<H: RequestHandler> Stack<H> {
    /// A stack that asks `handler` and sends requests by `outbound`.
    pub fn new(handler: Arc<H>, outbound: Outbound, limits: Limits) -> Self {
        Self(Arc::new(Shared {
            handler,
            outbound,
            limits,
            later: Room::new(limits.later_max, limits.later_per_source_max),
            // A PBX hangs up the calls of everybody.
            relayed: Room::with_sites(limits.relayed_max, limits.relayed_per_source_max),
            connections: ConnectionPermits::new(
                limits.connections_max,
                limits.connections_per_source_max,
            ),
            handshakes: Semaphore::new(limits.handshakes_max),
            handshakes_per_source: PerSource::new(limits.handshakes_per_source_max),
            rates: SourceRates::new(limits.requests_per_source_s, now()),
            notices: Notices::default(),
            counters: Counters::new(),
        }))
    }

    /// Judges one message that came on `flow`; over UDP `flow.remote` is still the source address.
    pub(super) fn receive(
        &self,
        bytes: &[u8],
        flow: Flow,
        transactions: Option<&SharedTransactions>,
    ) -> Verdict<H::Later> {
        let admission = self.admission(bytes, &flow);
        if admission == Admission::Ignore && !may_be_of_a_call(bytes) {
            return self.ignore(&flow);
        }
        match message::parse(bytes) {
            Ok(Message::Request(request)) if admission != Admission::Pass => {
                self.limit(admission, (&request, bytes), flow, transactions)
            }
            Err(_) if admission != Admission::Pass => self.ignore(&flow),
            Ok(Message::Request(request)) => {
                self.receive_request((&request, bytes), flow, transactions)
            }
            Ok(Message::Response(response)) => {
                self.0.counters.responses.increment(1);
                self.0.outbound.deliver(&response, flow.remote.ip());
                Verdict::Nothing
            }
            Err(rejected) => self.refuse(&rejected, &flow),
        }
    }

    /// Whether the sender has requests left. Responses are not counted: they get no answer, and
    /// only those that somebody waits for do anything.
    fn admission(&self, bytes: &[u8], flow: &Flow) -> Admission {
        if message::is_response(bytes) {
            return Admission::Pass;
        }
        let source = flow.remote.ip();
        let factor = || self.0.handler.source_factor(source);
        self.0.rates.admit(source, now(), factor)
    }

    /// A request over its sender's rate: 503 or silence, but not for an emergency call.
    fn limit(
        &self,
        admission: Admission,
        (request, bytes): (&Request<'_>, &[u8]),
        source: Flow,
        transactions: Option<&SharedTransactions>,
    ) -> Verdict<H::Later> {
        let flow = answer_flow(request, source);
        if self.0.handler.is_never_refused(request, &flow) {
            return self.receive_request((request, bytes), source, transactions);
        }
        if admission == Admission::Ignore || request.method == Method::Ack {
            return self.ignore(&source);
        }
        self.0.counters.limited.increment(1);
        self.note(Reason::Rate, &source);
        Verdict::Send(self.unavailable(request, &flow), flow.remote)
    }

    fn ignore(&self, flow: &Flow) -> Verdict<H::Later> {
        self.0.counters.ignored.increment(1);
        self.note(Reason::Rate, flow);
        Verdict::Nothing
    }

    /// Tells the administrator of a refusal, once a minute.
    pub(super) fn note(&self, reason: Reason, flow: &Flow) {
        self.0.notices.add(reason, flow.remote.ip(), now());
    }

    /// The refusal of what is too much. With Retry-After, a phone that obeys it would send us nothing
    /// at all for that time, no call for help either. Source: RFC 3261 clause 21.5.4.
    fn unavailable(&self, request: &Request<'_>, flow: &Flow) -> Vec<u8> {
        let response = ResponseBuilder::new(request, flow, Status::SERVICE_UNAVAILABLE);
        if self.0.handler.has_phone_at(flow.remote.ip()) {
            return response.finish();
        }
        let retry_after_s = self.0.limits.retry_after_s.to_string();
        response
            .header(HeaderName::RetryAfter.as_str(), retry_after_s)
            .finish()
    }

    /// The answer to a message that is not acted on.
    pub(super) fn refuse(&self, rejected: &Rejected<'_>, flow: &Flow) -> Verdict<H::Later> {
        self.0.counters.rejected.increment(1);
        if rejected.error.is_over_limit() {
            self.note(Reason::MessageSize, flow);
        }
        tracing::debug!(remote = %flow.remote, error = %rejected.error, "SIP message refused");
        let to = match rejected.top_via() {
            Some(via) if flow.transport == Transport::Udp => via.answer_address(flow.remote),
            _ => flow.remote,
        };
        let answer = ResponseBuilder::for_rejected(rejected, flow.remote);
        answer.map_or(Verdict::Nothing, |answer| {
            Verdict::Send(answer.finish(), to)
        })
    }

    /// A request, and the same as it came.
    fn receive_request(
        &self,
        (request, bytes): (&Request<'_>, &[u8]),
        source: Flow,
        transactions: Option<&SharedTransactions>,
    ) -> Verdict<H::Later> {
        let flow = answer_flow(request, source);
        if request.method == Method::Ack {
            self.acknowledged(request, &flow);
            return Verdict::Nothing;
        }
        let mut answered = None;
        // The transactions of INVITE are the handler's: they have answers before the last one.
        let transactions = transactions.filter(|_| request.method != Method::Invite);
        if let Some(transactions) = transactions {
            let arrival = transactions.lock().arrive(request, bytes, &flow, now());
            match arrival {
                Arrival::New(key) => answered = Some((transactions.clone(), key)),
                Arrival::InWork => {
                    self.0.counters.retransmissions.increment(1);
                    return Verdict::Nothing;
                }
                Arrival::Answered(answer) => {
                    self.0.counters.retransmissions.increment(1);
                    return Verdict::Send(answer, flow.remote);
                }
            }
        }
        self.0.counters.requests.increment(1);
        match self.ask(request, &flow) {
            Quick::Answer(answer) => {
                remember(bytes, &answer, answered.as_ref());
                Verdict::Send(answer, flow.remote)
            }
            Quick::Later(later) => self.admit(request, flow, &self.0.later, later, answered),
            Quick::Relay(later) => self.admit(request, flow, &self.0.relayed, later, answered),
            Quick::Drop => {
                forget(answered.as_ref());
                Verdict::Nothing
            }
        }
    }

    fn acknowledged(&self, request: &Request<'_>, flow: &Flow) {
        let told = catch_unwind(AssertUnwindSafe(|| {
            self.0.handler.acknowledged(request, flow);
        }));
        if told.is_err() {
            tracing::error!(remote = %flow.remote, "an ACK could not be handled: fault in the program, please report it");
        }
    }

    /// Asks the handler. A fault in it costs one request, not the socket's loop.
    fn ask(&self, request: &Request<'_>, flow: &Flow) -> Quick<H::Later> {
        if let Some(answer) = self.refuse_extensions(request, flow) {
            return Quick::Answer(answer);
        }
        let asked = catch_unwind(AssertUnwindSafe(|| self.0.handler.quick(request, flow)));
        asked.unwrap_or_else(|_| {
            tracing::error!(remote = %flow.remote, "a SIP request could not be handled: fault in the program, please report it");
            let status = Status::SERVER_INTERNAL_ERROR;
            Quick::Answer(ResponseBuilder::new(request, flow, status).finish())
        })
    }

    /// 420 for a request that requires what nobody here knows. Source: RFC 3261 clause 8.2.2.3.
    fn refuse_extensions(&self, request: &Request<'_>, flow: &Flow) -> Option<Vec<u8>> {
        if request.method == Method::Cancel || self.0.handler.is_passed_on(request) {
            return None;
        }
        let known = self.0.handler.extensions();
        let unknown = request
            .common
            .headers
            .options(HeaderName::Require)
            .filter(|option| {
                !known
                    .iter()
                    .any(|name| name.as_bytes().eq_ignore_ascii_case(option))
            });
        let unknown: Vec<&[u8]> = unknown.collect();
        (!unknown.is_empty()).then(|| {
            ResponseBuilder::new(request, flow, Status::BAD_EXTENSION)
                .header(HeaderName::Unsupported.as_str(), unknown.join(&b", "[..]))
                .finish()
        })
    }

    fn admit(
        &self,
        request: &Request<'_>,
        flow: Flow,
        room: &Room,
        later: H::Later,
        answered: Answered,
    ) -> Verdict<H::Later> {
        let source = flow.remote.ip();
        let is_site = || self.0.handler.source_factor(source) > 1;
        let permit = room.try_take(source, is_site);
        if permit.is_some() || self.0.handler.is_never_refused(request, &flow) {
            return Verdict::Work(Work {
                flow,
                later,
                answered,
                permit,
            });
        }
        self.0.counters.busy.increment(1);
        self.note(Reason::Busy, &flow);
        // Not remembered: a retransmission may find room.
        forget(answered.as_ref());
        Verdict::Send(self.unavailable(request, &flow), flow.remote)
    }

    /// Runs work to its end and gives the answer, which is remembered if it must be.
    pub(super) async fn run(&self, work: Work<H::Later>) -> Option<Vec<u8>> {
        let Work {
            later,
            answered,
            permit,
            ..
        } = work;
        let answer = self.0.handler.later(later).await;
        drop(permit);
        if let Some(answer) = answer {
            remember(&[], &answer, answered.as_ref());
            return Some(answer);
        }
        forget(answered.as_ref());
        None
    }
}

fn now() -> std::time::Instant {
    tokio::time::Instant::now().into_std()
}

/// The flow with the address that answers go to.
fn answer_flow(request: &Request<'_>, source: Flow) -> Flow {
    match source.transport {
        Transport::Udp => Flow {
            remote: request.common.via.answer_address(source.remote),
            ..source
        },
        Transport::Tcp | Transport::Tls => source,
    }
}

/// Whether a message may belong to a call, by its first word: only those can be of an emergency.
/// Empty lines may stand before it. Source: RFC 3261 clause 7.5.
fn may_be_of_a_call(bytes: &[u8]) -> bool {
    let bytes = message::skip_line_ends(bytes);
    let methods: [&[u8]; 7] = [
        b"INVITE ", b"ACK ", b"CANCEL ", b"BYE ", b"PRACK ", b"UPDATE ", b"INFO ",
    ];
    methods.iter().any(|method| bytes.starts_with(method))
}

/// `request` as it came; empty when it is not at hand any more.
fn remember(
    request: &[u8],
    answer: &[u8],
    answered: Option<&(SharedTransactions, TransactionKey)>,
) {
    if let Some((transactions, key)) = answered {
        transactions.lock().answer(*key, request, answer);
    }
}

fn forget(answered: Option<&(SharedTransactions, TransactionKey)>) {
    if let Some((transactions, key)) = answered {
        transactions.lock().forget(*key);
    }
}
