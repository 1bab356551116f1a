//! The registrar's door: what phones send on SIP, translated into `service::register` and back,
//! and requests to phones on the flow they registered by.

mod answer;
mod limits;
mod notify;
mod other;
mod read;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use metrics::Counter;
use tokio::net::{TcpListener, UdpSocket};

use crate::domain::registration::Flow;
use crate::server::shutdown::Shutdown;
use crate::service::App;
use crate::service::housekeeping;
use crate::service::phone_control;
use crate::service::register::{self, Decision, RegisterOutcome, Work};

use super::message::{Method, ReplyHead, Request, ResponseBuilder, Status};
use super::proxy::{Proxy, Within};
use super::transport::{
    Connector, Limits, Outbound, Quick, RequestHandler, Stack, serve_outgoing, serve_tcp,
    serve_tls, serve_udp,
};
use answer::{Dates, Registration};
use notify::SipPhoneChannel;
use read::ReadRegister;

/// Connections numbered in a millisecond at most; see [`Outbound::new`].
const CONNECTIONS_A_MILLISECOND: u64 = 1_000;

/// Where SIP is spoken.
#[derive(Debug)]
pub struct SipSockets {
    /// Datagrams.
    pub udp: UdpSocket,
    /// Streams in the clear.
    pub tcp: TcpListener,
    /// Streams under TLS, with what they show; `None`: none.
    pub tls: Option<(TcpListener, Arc<rustls::ServerConfig>)>,
}

/// Serves SIP on these sockets until `shutdown`: the registrar, phone control, and the removal of
/// what ended.
///
/// # Errors
/// When a socket has no address.
pub async fn run(app: Arc<App>, sockets: SipSockets, shutdown: Shutdown) -> io::Result<()> {
    let SipSockets { udp, tcp, tls } = sockets;
    let now = u64::try_from(app.environment.now().0).unwrap_or(0);
    let outbound = Outbound::new(now.saturating_mul(CONNECTIONS_A_MILLISECOND));
    let channel = Arc::new(SipPhoneChannel::new(
        app.environment.clone(),
        outbound.clone(),
    ));
    app.phone_channels.add(channel);
    let (connector, connections) = Connector::new();
    let proxy = Arc::new(Proxy::new(app.clone(), outbound.clone(), connector));
    let handler = Arc::new(SipRegistrar::new(app.clone(), proxy.clone()));
    let limits = Limits {
        requests_per_source_s: app.settings.sip_requests_per_source_s,
        ..Limits::default()
    };
    let stack = Stack::new(handler, outbound, limits);
    let tcp_port = tcp.local_addr()?.port();
    let served = async {
        let (udp, (), (), ()) = tokio::join!(
            serve_udp(udp, stack.clone(), shutdown.clone()),
            serve_tcp(tcp, stack.clone(), shutdown.clone()),
            async {
                if let Some((tls, config)) = tls {
                    serve_tls(tls, config, stack.clone(), shutdown.clone()).await;
                }
            },
            serve_outgoing(connections, tcp_port, stack.clone(), shutdown.clone()),
        );
        udp
    };
    let background = async {
        tokio::join!(
            phone_control::run(app.clone()),
            housekeeping::run(app.clone()),
            proxy.keep_resolved(),
        )
    };
    tokio::select! {
        served = served => served,
        _ = background => Ok(()),
    }
}

/// Answers requests of phones.
pub struct SipRegistrar {
    app: Arc<App>,
    proxy: Arc<Proxy>,
    counters: Counters,
    dates: Dates,
}

/// Looked up once: a lookup for every REGISTER would cost more than reading it.
struct Counters {
    granted: Counter,
    new: Counter,
    kept_alive: Counter,
    unregistered: Counter,
    challenged: Counter,
}

impl Counters {
    fn new() -> Self {
        let registrations =
            |result| metrics::counter!("selfprov_registrations_total", "result" => result);
        Self {
            granted: registrations("granted"),
            new: registrations("new"),
            kept_alive: registrations("kept_alive"),
            unregistered: registrations("unregistered"),
            challenged: registrations("challenged"),
        }
    }

    fn count(&self, outcome: &RegisterOutcome) {
        match outcome {
            RegisterOutcome::Granted { is_new: false, .. } | RegisterOutcome::Bound(_) => {
                self.granted.increment(1);
            }
            RegisterOutcome::Granted { is_new: true, .. } => self.new.increment(1),
            RegisterOutcome::KeptAlive => self.kept_alive.increment(1),
            RegisterOutcome::Unregistered { .. } => self.unregistered.increment(1),
            RegisterOutcome::Challenge { .. } => self.challenged.increment(1),
            RegisterOutcome::Refused(reason) => {
                let code = reason.code();
                metrics::counter!("selfprov_registrations_refused_total", "reason" => code)
                    .increment(1);
            }
        }
    }
}

/// A request whose answer has to be waited for.
pub enum Waiting {
    /// A REGISTER, for the database.
    Register(WaitingRegister),
    /// A request within a call, for the call's other end.
    Within(Box<Within>),
}

/// A REGISTER whose answer waits for the database.
pub struct WaitingRegister {
    head: ReplyHead,
    registration: Registration<'static>,
    work: Work,
}

impl SipRegistrar {
    /// A door to these use cases.
    pub fn new(app: Arc<App>, proxy: Arc<Proxy>) -> Self {
        Self {
            counters: Counters::new(),
            dates: Dates::new(app.environment.now()),
            app,
            proxy,
        }
    }

    fn register(&self, request: &Request<'_>, flow: &Flow) -> Quick<Waiting> {
        let Some(read) = ReadRegister::read(request, flow) else {
            let response = ResponseBuilder::new(request, flow, Status::BAD_REQUEST);
            return Quick::Answer(response.finish());
        };
        match register::decide(&self.app, &read.request()) {
            Decision::Answer(outcome) => {
                self.counters.count(&outcome);
                let response = |status| ResponseBuilder::new(request, flow, status);
                let now = self.dates.date(self.app.environment.now());
                Quick::Answer(answer::write(response, &outcome, read.registration(), &now))
            }
            Decision::Work(work) => Quick::Later(Waiting::Register(WaitingRegister {
                head: ReplyHead::new(request, flow),
                registration: read.registration().to_owned(),
                work,
            })),
        }
    }

    async fn registered(&self, waiting: WaitingRegister) -> Vec<u8> {
        let outcome = register::carry_out(&self.app, waiting.work).await;
        self.counters.count(&outcome);
        let response = |status| ResponseBuilder::from_head(&waiting.head, status);
        let now = self.dates.date(self.app.environment.now());
        answer::write(response, &outcome, &waiting.registration, &now)
    }

    fn cancelled(&self, request: &Request<'_>, flow: &Flow) -> Vec<u8> {
        let status = if self.proxy.cancel(request, flow) {
            Status::OK
        } else {
            Status::NO_SUCH_TRANSACTION
        };
        ResponseBuilder::new(request, flow, status).finish()
    }
}

impl RequestHandler for SipRegistrar {
    type Later = Waiting;

    fn quick(&self, request: &Request<'_>, flow: &Flow) -> Quick<Waiting> {
        match request.method {
            Method::Register => self.register(request, flow),
            Method::Invite => match self.proxy.invite(request, flow) {
                Some(answer) => Quick::Answer(answer),
                None => Quick::Drop,
            },
            Method::Cancel => Quick::Answer(self.cancelled(request, flow)),
            _ if self.proxy.is_passed_on(request) => match self.proxy.within(request, flow) {
                Ok(within) => Quick::Relay(Waiting::Within(Box::new(within))),
                Err(answer) => Quick::Answer(answer),
            },
            _ => Quick::Answer(other::answer(&self.app, request, flow)),
        }
    }

    fn source_factor(&self, source: IpAddr) -> u32 {
        limits::source_factor(&self.app, source)
    }

    fn is_never_refused(&self, request: &Request<'_>, flow: &Flow) -> bool {
        limits::begins_emergency_call(&self.app, request, flow)
            || self.proxy.is_of_emergency_call(request, flow)
    }

    async fn later(&self, work: Waiting) -> Option<Vec<u8>> {
        match work {
            Waiting::Register(register) => Some(self.registered(register).await),
            Waiting::Within(within) => self.proxy.pass_on(*within).await,
        }
    }

    fn acknowledged(&self, request: &Request<'_>, flow: &Flow) {
        self.proxy.acknowledged(request, flow);
    }

    fn is_passed_on(&self, request: &Request<'_>) -> bool {
        self.proxy.is_passed_on(request)
    }

    fn flow_closed(&self, flow: &Flow) {
        self.proxy.flow_closed(flow);
    }
}
