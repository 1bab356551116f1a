//! Listeners for streams: who may connect, and the TLS handshake.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics::Gauge;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::domain::registration::{Flow, Transport};
use crate::server::connection_permits::ConnectionPermit;
use crate::server::shutdown::Shutdown;

use super::notices::Reason;
use super::stream::serve_stream;
use super::udp::canonical;
use super::{CONNECTIONS_SHARE, RequestHandler, Stack};

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Accepts TCP connections until `shutdown`, then closes them all.
pub async fn serve_tcp<H: RequestHandler>(
    listener: TcpListener,
    stack: Stack<H>,
    shutdown: Shutdown,
) {
    accept(listener, None, stack, shutdown).await;
}

/// Accepts TLS connections until `shutdown`, then closes them all. A certificate that `config`
/// resolves anew serves the connections that come after it.
pub async fn serve_tls<H: RequestHandler>(
    listener: TcpListener,
    config: Arc<ServerConfig>,
    stack: Stack<H>,
    shutdown: Shutdown,
) {
    accept(listener, Some(config.into()), stack, shutdown).await;
}

async fn accept<H: RequestHandler>(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    stack: Stack<H>,
    mut shutdown: Shutdown,
) {
    let transport = match tls {
        Some(_) => Transport::Tls,
        None => Transport::Tcp,
    };
    let open = metrics::gauge!("selfprov_sip_connections", "transport" => transport.as_str());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, remote)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        let remote = canonical(remote);
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        // Messages are one write each; waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let flow = Flow {
            transport,
            local: canonical(local),
            remote,
            connection: stack.0.outbound.new_connection(),
        };
        let Some(permit) = permit(&stack, &flow) else {
            metrics::counter!("selfprov_sip_connections_refused_total").increment(1);
            stack.note(Reason::Connections, &flow);
            continue;
        };
        let place = Place::take(permit, open.clone());
        let (tls, stack) = (tls.clone(), stack.clone());
        connections.spawn(async move {
            match tls {
                None => serve_stream(stream, flow, stack).await,
                Some(tls) => serve_after_handshake(tls, stream, flow, stack).await,
            }
            drop(place);
        });
    }
    connections.shutdown().await;
}

/// A place for one more connection of this address, a site behind NAT having more of them.
fn permit<H: RequestHandler>(stack: &Stack<H>, flow: &Flow) -> Option<ConnectionPermit> {
    let shared = &stack.0;
    let source = flow.remote.ip();
    let factor = usize::try_from(shared.handler.source_factor(source)).unwrap_or(1);
    let limits = &shared.limits;
    let most = limits.connections_per_source_max.saturating_mul(factor);
    let share = (limits.connections_max / CONNECTIONS_SHARE).max(1);
    let site = shared.handler.site_of(source);
    let connections = &shared.connections;
    connections.acquire_in_site(source, site, most.min(share))
}

/// A connection's place among those allowed, and in the gauge of those open.
struct Place {
    _permit: ConnectionPermit,
    open: Gauge,
}

impl Place {
    fn take(permit: ConnectionPermit, open: Gauge) -> Self {
        open.increment(1.0);
        Self {
            _permit: permit,
            open,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.decrement(1.0);
    }
}

async fn serve_after_handshake<H: RequestHandler>(
    tls: TlsAcceptor,
    stream: TcpStream,
    flow: Flow,
    stack: Stack<H>,
) {
    // Boxed: the handshake's state would stay with the connection for its whole life.
    let secured = Box::pin(handshake(tls, stream, flow.remote, &stack)).await;
    match secured {
        Ok(stream) => serve_stream(stream, flow, stack).await,
        Err(reason) => {
            metrics::counter!("selfprov_tls_handshakes_failed_total").increment(1);
            tracing::debug!(remote = %flow.remote, reason, "SIP over TLS: no connection");
            stack.note(Reason::Handshake, &flow);
        }
    }
}

/// Shakes hands when it is this connection's turn. One address has its share of the places, so
/// that silent connections from one cannot keep the others waiting; the time runs from the start.
async fn handshake<H: RequestHandler>(
    tls: TlsAcceptor,
    stream: TcpStream,
    remote: SocketAddr,
    stack: &Stack<H>,
) -> Result<TlsStream<TcpStream>, String> {
    let shared = &stack.0;
    let share = shared.handshakes_per_source.try_take(remote.ip());
    let _share = share.ok_or("its address has too many handshakes under way")?;
    let secured = timeout(shared.limits.handshake_timeout, async {
        let _turn = shared.handshakes.acquire().await;
        tls.accept(stream).await
    });
    match secured.await {
        Ok(secured) => secured.map_err(|error| error.to_string()),
        Err(_) => Err("the handshake took too long".to_owned()),
    }
}
