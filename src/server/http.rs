//! The accept loop that every HTTP door shares: permits, TLS, time limits and a graceful end.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Request, Response, header};
use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use crate::server::connection_permits::{ConnectionPermit, ConnectionPermits};
use crate::server::original_address::{
    self, PROXY_FIXED_BYTES, PROXY_SIGNATURE, forwarded_client, is_trusted,
};
use crate::server::shutdown::Shutdown;
use crate::server::watched_stream::Progress;
use crate::server::watched_stream::WatchedStream;

/// What one listener grants its clients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections open at once; a further one is closed before it costs a handshake.
    pub connections_max: usize,
    /// Of these, how many one address may hold; trusted proxies are exempt.
    pub connections_per_address_max: usize,
    /// Time a client has for the TLS handshake.
    pub handshake_timeout: Duration,
    /// Time a client has to send a request's head, which is also how long an idle connection
    /// is kept.
    pub header_read_timeout: Duration,
    /// Age at which a connection is ended after its current request, however long the answer
    /// takes, so that the places are given anew.
    pub connection_lifetime_max: Duration,
    /// Time in which a client must take something of an answer that waits for it; one that takes
    /// nothing is cut off after once to twice this. From the connection's age on it holds for
    /// requests as well.
    pub stall_timeout: Duration,
    /// Time that requests under way have to finish when the listener closes.
    pub drain_timeout: Duration,
    /// Largest request head in bytes; phones send under 1 KiB.
    pub head_bytes_max: usize,
    /// Proxies whose word about the client's address is taken, by the PROXY protocol of version 2
    /// or the header `Forwarded`.
    pub trusted_proxies: Arc<[IpNet]>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // At 10.8 KiB an idle TLS connection this is 44 MB.
            connections_max: 4_096,
            // A site of phones behind one NAT address, restarted together; never all places.
            connections_per_address_max: 1_024,
            handshake_timeout: Duration::from_secs(10),
            header_read_timeout: Duration::from_secs(10),
            connection_lifetime_max: Duration::from_mins(10),
            // 128 KiB in this time, 4.4 kB/s, are surely seen: see UNSENT_BYTES_MAX.
            stall_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
            head_bytes_max: 16 * 1024,
            trusted_proxies: Arc::default(),
        }
    }
}

/// Who a request came from; those that a [`Router`] answers carry one as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// The client, an IPv4 address inside IPv6 unwrapped; what a trusted proxy says it is.
    pub address: SocketAddr,
    /// The address and port that the client reached.
    pub local: SocketAddr,
    /// Whether the connection is TLS.
    pub encrypted: bool,
    /// Running number of the connection in this process, for logs.
    pub connection: u64,
}

/// What answers the requests that come to a listener.
pub trait Answers: Clone + Send + 'static {
    /// The body of its answers.
    type Body: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static;

    /// Answers one request.
    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Self::Body>> + Send + use<Self>;
}

impl Answers for Router {
    type Body = axum::body::Body;

    fn answer(
        &self,
        mut request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Self::Body>> + Send + use<> {
        request.extensions_mut().insert(peer);
        let answer = self.clone().call(request);
        async move { answer.await.unwrap_or_else(|never| match never {}) }
    }
}

/// Numbers connections over all listeners of the process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// Most bytes of an answer that lie in the system unsent. The system takes more when half of them
/// have gone, so that is what a client must take to be seen taking anything; unbounded, Linux
/// would swallow megabytes and a slow phone look like one that takes nothing.
/// Source: tcp(7), `TCP_NOTSENT_LOWAT`.
const UNSENT_BYTES_MAX: u32 = 128 * 1024;

/// Pause after an accept that failed for want of descriptors or memory.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Pause before a PROXY header that came in pieces is looked at again.
const PEEK_AGAIN: Duration = Duration::from_millis(5);

/// Serves `door` on `listener` until `shutdown`, over TLS when `tls` is given.
///
/// Returns when the listener is closed and every connection has
/// ended or the drain time is over.
pub async fn serve<D: Answers>(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    door: D,
    limits: Limits,
    mut shutdown: Shutdown,
) {
    let per_address_max = limits.connections_per_address_max;
    let permits = ConnectionPermits::new(limits.connections_max, per_address_max);
    let acceptor = tls.map(TlsAcceptor::from);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, address)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY).await;
            continue;
        };
        // Not inherited from the listener: connections may have come before it had it. It fails on
        // none that still lives.
        let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES_MAX);
        let client = unmapped(address).ip();
        let client = (!is_trusted(client, &limits.trusted_proxies)).then_some(client);
        let Some(permit) = permits.acquire(client) else {
            metrics::counter!("selfprov_http_connections_refused_total").increment(1);
            continue;
        };
        let connection = Connection {
            acceptor: acceptor.clone(),
            door: door.clone(),
            limits: limits.clone(),
            shutdown: shutdown.clone(),
            permit,
        };
        connections.spawn(connection.run(stream, address));
    }
    drop(listener);
    let drained = timeout(limits.drain_timeout, async {
        while connections.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        tracing::warn!("closing HTTP connections that did not finish in time");
        connections.shutdown().await;
    }
}

/// One accepted connection and what it needs to be served.
struct Connection<D> {
    acceptor: Option<TlsAcceptor>,
    door: D,
    limits: Limits,
    shutdown: Shutdown,
    permit: ConnectionPermit,
}

impl<D: Answers> Connection<D> {
    async fn run(self, mut stream: TcpStream, address: SocketAddr) {
        let Ok(local) = stream.local_addr() else {
            return;
        };
        // Answers are one small write each; waiting to fill a segment only adds delay.
        let _ = stream.set_nodelay(true);
        let mut peer = Peer {
            address: unmapped(address),
            local: unmapped(local),
            encrypted: self.acceptor.is_some(),
            connection: CONNECTIONS.fetch_add(1, Ordering::Relaxed),
        };
        if is_trusted(peer.address.ip(), &self.limits.trusted_proxies) {
            let said = timeout(self.limits.handshake_timeout, proxied_client(&mut stream));
            match said.await {
                Ok(Ok(Some(client))) => peer.address = unmapped(client),
                Ok(Ok(None)) => {}
                Ok(Err(_)) | Err(_) => {
                    tracing::warn!(proxy = %address, "the proxy's PROXY header cannot be read");
                    return;
                }
            }
        }
        match self.acceptor.clone() {
            None => self.answer(stream, peer).await,
            Some(acceptor) => self.answer_over_tls(acceptor, stream, peer).await,
        }
    }

    async fn answer_over_tls(self, acceptor: TlsAcceptor, stream: TcpStream, peer: Peer) {
        match timeout(self.limits.handshake_timeout, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.answer(stream, peer).await,
            Ok(Err(error)) => {
                metrics::counter!("selfprov_tls_handshakes_failed_total").increment(1);
                tracing::debug!(client = %peer.address, %error, "TLS handshake failed");
            }
            Err(_) => {
                metrics::counter!("selfprov_tls_handshakes_failed_total").increment(1);
                tracing::debug!(client = %peer.address, "TLS handshake took too long");
            }
        }
    }

    async fn answer<S>(self, stream: S, peer: Peer)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            door,
            limits,
            mut shutdown,
            permit,
            ..
        } = self;
        // Only what the proxy itself says is believed, not what a client sends through it.
        let proxies = is_trusted(peer.address.ip(), &limits.trusted_proxies)
            .then(|| Arc::clone(&limits.trusted_proxies));
        let service = service_fn(move |request: Request<Incoming>| {
            let mut peer = peer;
            if let Some(client) = proxies
                .as_deref()
                .and_then(|p| forwarded(request.headers(), p))
            {
                peer.address = SocketAddr::new(client, 0);
            }
            let answer = door.answer(request, peer);
            async move { Ok::<_, Infallible>(answer.await) }
        });
        let stall_timeout = limits.stall_timeout;
        let progress = Arc::new(Progress::default());
        let stream = WatchedStream::new(stream, Arc::clone(&progress));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.header_read_timeout)
            .max_buf_size(limits.head_bytes_max)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = std::pin::pin!(connection);
        let end_of_life = Instant::now() + limits.connection_lifetime_max;
        tokio::select! {
            _ = connection.as_mut() => return,
            () = progress.stalled(stall_timeout) => return cut_off(peer),
            () = shutdown.requested() => {}
            () = sleep_until(end_of_life) => {
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    _ = connection.as_mut() => return,
                    () = progress.at_rest(stall_timeout) => return cut_off(peer),
                    () = shutdown.requested() => {}
                }
            }
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(limits.drain_timeout, connection).await;
        drop(permit);
    }
}

/// Says that a client was cut off because it took nothing.
fn cut_off(peer: Peer) {
    metrics::counter!("selfprov_http_connections_stalled_total").increment(1);
    tracing::debug!(client = %peer.address, "an HTTP client took nothing and was cut off");
}

/// The client that a `Forwarded` header names; the last header field counts.
fn forwarded(headers: &HeaderMap, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    let value = headers.get_all(header::FORWARDED).iter().next_back()?;
    forwarded_client(value.to_str().ok()?, trusted_proxies)
}

/// Reads a PROXY header if the connection begins with one; nothing is taken from it otherwise.
async fn proxied_client(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut fixed = [0; PROXY_FIXED_BYTES];
    loop {
        let seen = stream.peek(&mut fixed).await?;
        let begun = PROXY_SIGNATURE
            .iter()
            .zip(fixed.iter().take(seen))
            .all(|(a, b)| a == b);
        if seen == 0 || !begun {
            return Ok(None);
        }
        if seen == PROXY_FIXED_BYTES {
            break;
        }
        // A proxy writes the header at once; peeking cannot wait for the rest of it.
        tokio::time::sleep(PEEK_AGAIN).await;
    }
    stream.read_exact(&mut fixed).await?;
    let length = original_address::proxy_rest_bytes(&fixed).map_err(io::Error::other)?;
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    original_address::proxied_client(&fixed, &rest).map_err(io::Error::other)
}

/// The address with an IPv4 address inside IPv6 unwrapped.
fn unmapped(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use axum::routing::get;
    use tokio::io::AsyncWriteExt as _;
    use tokio::sync::Semaphore;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::server::shutdown::{self, ShutdownTrigger};

    async fn start(
        limits: Limits,
        router: Router,
    ) -> (SocketAddr, ShutdownTrigger, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (trigger, shutdown) = shutdown::channel();
        let served = tokio::spawn(serve(listener, None, router, limits, shutdown));
        (address, trigger, served)
    }

    async fn exchange(stream: &mut TcpStream, end: &str) -> String {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        read_until(stream, end).await
    }

    async fn read_until(stream: &mut TcpStream, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let mut bytes = [0; 1024];
            let read = stream.read(&mut bytes).await.unwrap();
            assert_ne!(read, 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
        text
    }

    fn peer_router() -> Router {
        let answer = |Extension(peer): Extension<Peer>| async move {
            format!("{} {}.", peer.address.ip(), peer.encrypted)
        };
        Router::new().route("/", get(answer))
    }

    #[tokio::test]
    async fn a_handler_knows_its_peer_and_a_connection_is_kept() {
        let (address, _trigger, _) = start(Limits::default(), peer_router()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..2 {
            let answer = exchange(&mut stream, ".").await;
            assert!(answer.ends_with("127.0.0.1 false."), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_trusted_proxy_names_the_client_by_either_way_and_nobody_else_does() {
        let trusted = Limits {
            trusted_proxies: Arc::from(["127.0.0.1/32".parse().unwrap()]),
            ..Limits::default()
        };
        let mut proxied = PROXY_SIGNATURE.to_vec();
        proxied.extend([
            0x21, 0x11, 0, 12, 192, 0, 2, 7, 127, 0, 0, 1, 0xC3, 0x50, 0, 80,
        ]);
        let forwarded = b"GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=192.0.2.8\r\n\r\n";
        proxied.extend(forwarded);
        for (limits, sent, client) in [
            (trusted.clone(), &proxied[..], "192.0.2.7"),
            (trusted, &forwarded[..], "192.0.2.8"),
            (Limits::default(), &forwarded[..], "127.0.0.1"),
        ] {
            let (address, _trigger, _) = start(limits, peer_router()).await;
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(sent).await.unwrap();
            let answer = read_until(&mut stream, ".").await;
            assert!(answer.ends_with(&format!("{client} false.")), "{answer}");
        }
    }

    #[tokio::test]
    async fn a_connection_over_the_limit_is_closed_and_a_freed_permit_is_used_again() {
        let limits = Limits {
            connections_max: 1,
            ..Limits::default()
        };
        let (address, _trigger, _) = start(limits, peer_router()).await;
        let mut first = TcpStream::connect(address).await.unwrap();
        exchange(&mut first, ".").await;
        let mut second = TcpStream::connect(address).await.unwrap();
        assert_eq!(second.read(&mut [0; 1]).await.unwrap_or(0), 0);
        drop(first);
        let again = async {
            loop {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
                if stream.read(&mut [0; 1]).await.unwrap_or(0) == 1 {
                    break;
                }
            }
        };
        timeout(Duration::from_secs(10), again).await.unwrap();
    }

    #[tokio::test]
    async fn a_client_that_sends_half_a_head_is_cut_off() {
        let limits = Limits {
            header_read_timeout: Duration::from_millis(50),
            ..Limits::default()
        };
        let (address, _trigger, _) = start(limits, peer_router()).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let mut rest = Vec::new();
        let closed = timeout(Duration::from_secs(10), stream.read_to_end(&mut rest)).await;
        assert!(closed.is_ok());
    }

    #[tokio::test]
    async fn shutdown_lets_the_request_under_way_finish_and_then_returns() {
        let (entered_tx, mut entered) = tokio::sync::mpsc::channel(1);
        let release = Arc::new(Semaphore::new(0));
        let held = Arc::clone(&release);
        let router = Router::new().route(
            "/",
            get(move || async move {
                entered_tx.send(()).await.unwrap();
                let _permit = held.acquire().await.unwrap();
                "done."
            }),
        );
        let (address, trigger, served) = start(Limits::default(), router).await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        entered.recv().await.unwrap();
        trigger.request();
        while TcpStream::connect(address).await.is_ok() {}
        release.add_permits(1);
        let answer = read_until(&mut stream, "done.").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        timeout(Duration::from_secs(10), served)
            .await
            .unwrap()
            .unwrap();
    }
}
