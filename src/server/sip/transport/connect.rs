//! Connections that we open, to a PBX or gateway. Once open they are served like any other.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::domain::registration::{Flow, Transport};
use crate::server::shutdown::Shutdown;

use super::udp::canonical;
use super::{RequestHandler, Stack, serve_peer};

/// How long a peer may take to accept a connection: two retransmissions of its SYN.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// How long what is sent may stay unacknowledged by the peer's machine, whatever its program does.
/// A connection that a firewall has forgotten ends by it, and the next call opens another.
const UNACKNOWLEDGED_MAX: Duration = Duration::from_secs(5);

/// Silence after which the peer's machine is asked whether it is there, and how often: one that
/// is gone is known within half a minute, mostly before somebody calls.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(15))
    .with_interval(Duration::from_secs(5))
    .with_retries(3);

/// Connections asked for that wait to be begun.
const REQUESTS_MAX: usize = 64;

type Request = (SocketAddr, oneshot::Sender<io::Result<Flow>>);

/// Asks for connections. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Connector(mpsc::Sender<Request>);

/// Takes what a [`Connector`] asks for; see [`serve_outgoing`].
#[derive(Debug)]
pub struct ConnectionRequests(mpsc::Receiver<Request>);

impl Connector {
    /// A connector and what [`serve_outgoing`] needs to serve it.
    pub fn new() -> (Self, ConnectionRequests) {
        let (sender, receiver) = mpsc::channel(REQUESTS_MAX);
        (Self(sender), ConnectionRequests(receiver))
    }

    /// Opens a TCP connection; when this returns, requests can be sent on its flow.
    ///
    /// # Errors
    ///
    /// What the system says, or that the service ends.
    pub async fn connect(&self, remote: SocketAddr) -> io::Result<Flow> {
        let (sender, receiver) = oneshot::channel();
        let ended = || io::Error::from(io::ErrorKind::NotConnected);
        let asked = self.0.send((remote, sender)).await;
        asked.map_err(|_| ended())?;
        receiver.await.map_err(|_| ended())?
    }
}

/// Opens the connections that are asked for and serves them until `shutdown`.
///
/// `own_port` is the TCP port that we listen on: what we say of ourselves in a Via on these
/// connections, so that the peer can reach us when one has ended. Source: RFC 3261 clause 18.1.1.
pub async fn serve_outgoing<H: RequestHandler>(
    mut requests: ConnectionRequests,
    own_port: u16,
    stack: Stack<H>,
    mut shutdown: Shutdown,
) {
    let mut connections = JoinSet::new();
    loop {
        let (remote, reply) = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            Some(request) = requests.0.recv() => request,
            else => break,
        };
        let stack = stack.clone();
        connections.spawn(async move {
            match open(remote, own_port, &stack).await {
                Ok((stream, flow)) => {
                    let served = serve_peer(stream, flow, stack);
                    // Whoever asked may have given up; the next call will use the connection.
                    let _ = reply.send(Ok(flow));
                    served.await;
                }
                Err(error) => drop(reply.send(Err(error))),
            }
        });
    }
    connections.shutdown().await;
}

async fn open<H: RequestHandler>(
    remote: SocketAddr,
    own_port: u16,
    stack: &Stack<H>,
) -> io::Result<(TcpStream, Flow)> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(remote)).await??;
    // Messages are one write each; waiting to fill a segment only adds delay.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(&stream);
    socket.set_tcp_keepalive(&KEEPALIVE)?;
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED_MAX))?;
    let local = canonical(stream.local_addr()?);
    let flow = Flow {
        transport: Transport::Tcp,
        local: SocketAddr::new(local.ip(), own_port),
        remote: canonical(remote),
        connection: stack.0.outbound.new_connection(),
    };
    Ok((stream, flow))
}
