//! The SIP door: the sockets, and to whom each request goes: the registrar, the proxy, or an
//! answer at once.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::net::{TcpListener, UdpSocket};

use crate::domain::registration::Flow;
use crate::server::shutdown::Shutdown;
use crate::service::App;

use super::message::{Method, Request, ResponseBuilder, Status};
use super::notify::SipPhoneChannel;
use super::proxy::{Proxy, Within};
use super::registrar::{Registrar, WaitingRegister};
use super::transport::{
    Connector, Outbound, Quick, RequestHandler, Stack, serve_outgoing, serve_tcp, serve_tls,
    serve_udp,
};
use super::{limits, other};

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

/// Serves SIP on these sockets until `shutdown`. From the call on, before the future is awaited,
/// the door is one of the ways to reach phones.
///
/// # Errors
///
/// When a socket has no address.
pub fn run(
    app: Arc<App>,
    sockets: SipSockets,
    shutdown: Shutdown,
) -> impl Future<Output = io::Result<()>> + Send {
    let now = u64::try_from(app.environment.now().0).unwrap_or(0);
    let outbound = Outbound::new(now.saturating_mul(CONNECTIONS_A_MILLISECOND));
    let channel = SipPhoneChannel::new(app.environment.clone(), outbound.clone());
    app.phone_channels.add(Arc::new(channel));
    serve(app, sockets, outbound, shutdown)
}

async fn serve(
    app: Arc<App>,
    sockets: SipSockets,
    outbound: Outbound,
    shutdown: Shutdown,
) -> io::Result<()> {
    let SipSockets { udp, tcp, tls } = sockets;
    let (connector, connections) = Connector::new();
    let proxy = Arc::new(Proxy::new(app.clone(), outbound.clone(), connector));
    let limits = limits::of(&app.settings);
    let handler = Arc::new(SipDoor::new(app, proxy.clone()));
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
    tokio::select! {
        served = served => served,
        () = proxy.keep_resolved() => Ok(()),
    }
}

/// Gives each request to the one who answers it.
pub struct SipDoor {
    app: Arc<App>,
    registrar: Registrar,
    proxy: Arc<Proxy>,
}

/// A request whose answer has to be waited for.
pub enum Waiting {
    /// A REGISTER, for the database.
    Register(WaitingRegister),
    /// A request within a call, for the call's other end.
    Within(Box<Within>),
}

impl SipDoor {
    /// A door to these use cases.
    pub fn new(app: Arc<App>, proxy: Arc<Proxy>) -> Self {
        Self {
            registrar: Registrar::new(app.clone()),
            app,
            proxy,
        }
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

impl RequestHandler for SipDoor {
    type Later = Waiting;

    fn quick(&self, request: &Request<'_>, flow: &Flow) -> Quick<Waiting> {
        match request.method {
            Method::Register => self
                .registrar
                .register(request, flow)
                .map(Waiting::Register),
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
        limits::source_factor(&self.app, &self.proxy, source)
    }

    fn site_of(&self, source: IpAddr) -> Option<IpNet> {
        limits::site_of(&self.app, source)
    }

    fn is_never_refused(&self, request: &Request<'_>, flow: &Flow) -> bool {
        limits::begins_emergency_call(&self.app, request, flow)
            || self.proxy.is_of_emergency_call(request, flow)
    }

    fn has_phone_at(&self, source: IpAddr) -> bool {
        self.app.locations.is_at_address(source)
    }

    async fn later(&self, work: Waiting) -> Option<Vec<u8>> {
        match work {
            Waiting::Register(register) => Some(self.registrar.registered(register).await),
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
