//! UDP endpoints: one socket, one loop.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use crate::domain::registration::{Flow, Transport};
use crate::server::shutdown::Shutdown;

use super::batch::{Inbox, Outbox};
use super::dispatch::{SharedTransactions, Verdict};
use super::{RequestHandler, Stack};

/// The receive buffer asked of the system, in bytes: with the usual 208 kB a few hundred phones
/// that start together already lose datagrams. The system may grant less (`net.core.rmem_max`).
const RECEIVE_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Pause after a receive that failed, so that a lasting fault does not keep a core busy.
const RECEIVE_RETRY: Duration = Duration::from_millis(20);

/// Binds a socket with a receive buffer fit for a site that starts at once.
///
/// With `is_shared` several sockets can be bound to one address, each with a loop of its own; the
/// system gives the datagrams of one phone always to the same.
///
/// # Errors
///
/// What the system says.
pub fn bind_udp(address: SocketAddr, is_shared: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    if is_shared {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Serves one socket until `shutdown`.
///
/// # Errors
///
/// When the socket has no address.
pub async fn serve_udp<H: RequestHandler>(
    socket: UdpSocket,
    stack: Stack<H>,
    mut shutdown: Shutdown,
) -> io::Result<()> {
    let local = socket.local_addr()?;
    let endpoint = Endpoint {
        datagrams: Arc::new(Datagrams {
            socket,
            is_ipv6: local.is_ipv6(),
        }),
        local: canonical(local),
        stack,
        transactions: SharedTransactions::default(),
    };
    let datagrams = &endpoint.datagrams;
    let outbound = &endpoint.stack.0.outbound;
    outbound.add_socket(endpoint.local, datagrams);
    let (mut inbox, mut outbox) = (Inbox::new(), Outbox::default());
    loop {
        let received = tokio::select! {
            biased;
            () = shutdown.requested() => break,
            received = datagrams.receive(&mut inbox) => received,
        };
        if let Err(error) = received {
            tracing::debug!(%local, %error, "cannot receive SIP datagrams");
            tokio::time::sleep(RECEIVE_RETRY).await;
        }
        for (bytes, source) in inbox.datagrams() {
            endpoint.receive(bytes, source, &mut outbox);
        }
        datagrams.flush(&mut outbox).await;
    }
    outbound.remove_socket(datagrams);
    Ok(())
}

struct Endpoint<H> {
    datagrams: Arc<Datagrams>,
    local: SocketAddr,
    stack: Stack<H>,
    transactions: SharedTransactions,
}

impl<H: RequestHandler> Endpoint<H> {
    /// Judges one datagram; an answer that needs no waiting goes to `outbox`.
    fn receive(&self, bytes: &[u8], source: SocketAddr, outbox: &mut Outbox) {
        // Keep-alives: empty lines, or the zero bytes of some phones.
        if bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | 0)) {
            return;
        }
        let flow = Flow {
            transport: Transport::Udp,
            local: self.local,
            remote: canonical(source),
            connection: 0,
        };
        match self.stack.receive(bytes, flow, Some(&self.transactions)) {
            Verdict::Nothing => {}
            Verdict::Send(answer, to) => outbox.push(&answer, self.datagrams.of_its_family(to)),
            Verdict::Work(work) => {
                let (stack, datagrams) = (self.stack.clone(), Arc::clone(&self.datagrams));
                tokio::spawn(async move {
                    let to = work.flow.remote;
                    if let Some(answer) = stack.run(work).await {
                        drop(datagrams.send(&answer, to).await);
                    }
                });
            }
        }
    }
}

/// A socket to send from.
#[derive(Debug)]
pub(super) struct Datagrams {
    socket: UdpSocket,
    /// Asked of the system once, not for every datagram.
    is_ipv6: bool,
}

impl Datagrams {
    /// Waits for datagrams and takes those that have come.
    async fn receive(&self, inbox: &mut Inbox) -> io::Result<()> {
        self.socket.readable().await?;
        let taken = self
            .socket
            .try_io(Interest::READABLE, || inbox.fill(&self.socket));
        match taken {
            // Nothing is left: the runtime waits for the next one.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            taken => taken,
        }
    }

    /// Sends what is in the outbox. What the system refuses is lost, as datagrams are; the phone
    /// asks again.
    async fn flush(&self, outbox: &mut Outbox) {
        while !outbox.is_empty() {
            let flush = || outbox.flush(&self.socket);
            let flushed = self.socket.try_io(Interest::WRITABLE, flush);
            if flushed.is_err() && self.socket.writable().await.is_err() {
                *outbox = Outbox::default();
            }
        }
    }

    /// Sends one datagram, waiting only when the system's buffer is full.
    pub(super) async fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = self.of_its_family(to);
        match self.socket.try_send_to(bytes, to) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.socket.send_to(bytes, to).await.map(drop)
            }
            sent => sent.map(drop),
        }
    }

    /// Sends one datagram without waiting.
    pub(super) fn send_now(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = self.of_its_family(to);
        self.socket.try_send_to(bytes, to).map(drop)
    }

    /// A socket of the other family takes IPv4 addresses inside IPv6 only.
    fn of_its_family(&self, to: SocketAddr) -> SocketAddr {
        match to {
            SocketAddr::V4(v4) if self.is_ipv6 => {
                SocketAddr::new(IpAddr::V6(v4.ip().to_ipv6_mapped()), v4.port())
            }
            _ => to,
        }
    }
}

/// The address with an IPv4 address inside IPv6 unwrapped, so that one phone has one address.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        IpAddr::V4(v4) => SocketAddr::new(IpAddr::V4(v4), address.port()),
        // As it is: a link-local address is nothing without its scope.
        IpAddr::V6(_) => address,
    }
}
