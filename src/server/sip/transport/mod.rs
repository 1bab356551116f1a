//! Endpoints: datagrams and streams in, one question to the [`RequestHandler`], answers out.
//!
//! ```text
//! udp.rs              datagrams; one task a socket
//! listener.rs         who may connect by TCP or TLS, and the handshake
//! stream.rs           one connection, one task
//! batch.rs            several datagrams a system call
//! connect.rs          connections that we open
//! framing.rs          where a message on a stream ends (no I/O)
//! dispatch.rs         parse, absorb retransmissions, ask the handler, run its later work
//! per_source.rs       what one address may hold at once
//! notices.rs          what was refused, told once a minute
//! outbound.rs         flows by number, requests to phones, responses to their waiters
//! ```
//!
//! The caller binds the sockets. TLS is a stream like any other: see [`serve_stream`].

mod batch;
mod connect;
mod dispatch;
mod framing;
mod listener;
mod notices;
mod outbound;
mod per_source;
mod stream;
mod udp;

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::registration::Flow;
use crate::server::sip::message::Request;

pub use connect::{ConnectionRequests, Connector, serve_outgoing};
pub use dispatch::Stack;
pub use framing::{Frame, Framer};
pub use listener::{serve_tcp, serve_tls};
pub use outbound::{Listening, Outbound, OutboundError, ReceivedResponse};
use stream::serve_peer;
pub use stream::serve_stream;
pub use udp::{bind_udp, serve_udp};

/// Answers requests. The wire layer has parsed them, refused the malformed ones and absorbed
/// retransmissions, but not those of INVITE: its transactions are the handler's.
pub trait RequestHandler: Send + Sync + 'static {
    /// What [`RequestHandler::later`] needs to answer. It owns its data (for the answer a
    /// [`super::message::ReplyHead`]), because the message's buffer is used again at once.
    type Later: Send + 'static;

    /// Answers from memory, without waiting, or says that the answer takes longer.
    fn quick(&self, request: &Request<'_>, flow: &Flow) -> Quick<Self::Later>;

    /// Does what needs waiting; `None` sends no answer.
    fn later(&self, work: Self::Later) -> impl Future<Output = Option<Vec<u8>>> + Send;

    /// An ACK came. It gets no answer.
    fn acknowledged(&self, request: &Request<'_>, flow: &Flow) {
        let _ = (request, flow);
    }

    /// Whether the request is not for us but passed on: what it requires is then for others to
    /// know.
    fn is_passed_on(&self, request: &Request<'_>) -> bool {
        let _ = request;
        false
    }

    /// The multiple of the limits for one address that this one has: 1 for a phone, more for a
    /// site behind NAT. Asked for an address's first request in a while, for its connections and
    /// for its requests within calls.
    fn source_factor(&self, source: IpAddr) -> u32 {
        let _ = source;
        1
    }

    /// The network behind NAT that this address is of, whose addresses together leave connections
    /// to others. Asked for each connection.
    fn site_of(&self, source: IpAddr) -> Option<IpNet> {
        let _ = source;
        None
    }

    /// Whether this request is looked at whatever its address has sent and however much waits:
    /// an emergency call. Asked only when it would be refused otherwise.
    fn is_never_refused(&self, request: &Request<'_>, flow: &Flow) -> bool {
        let _ = (request, flow);
        false
    }

    /// Whether a phone is registered at this address: one that may have to call for help. It is
    /// never told to send nothing for a while. Asked only when a request is put off.
    fn has_phone_at(&self, source: IpAddr) -> bool {
        let _ = source;
        false
    }

    /// The option tags that a request may have in Require; any other is answered with 420.
    fn extensions(&self) -> &[&str] {
        &[]
    }

    /// A connection ended: requests on this flow cannot be sent any more.
    fn flow_closed(&self, flow: &Flow) {
        let _ = flow;
    }
}

/// What [`RequestHandler::quick`] says.
#[derive(Debug)]
pub enum Quick<L> {
    /// Send this answer.
    Answer(Vec<u8>),
    /// Run [`RequestHandler::later`] with this. With too much work under way already the sender
    /// gets 503 instead.
    Later(L),
    /// Run [`RequestHandler::later`] with this for a request that is passed on and waits for its
    /// far end, which may be silent: in a room of its own, so that registrations never wait for
    /// calls.
    Relay(L),
    /// Send nothing; the request is forgotten and may come again.
    Drop,
}

impl<L> Quick<L> {
    /// What comes of a request, with `change` made to the work that has to be waited for.
    pub fn map<M>(self, change: impl FnOnce(L) -> M) -> Quick<M> {
        match self {
            Self::Answer(answer) => Quick::Answer(answer),
            Self::Later(work) => Quick::Later(change(work)),
            Self::Relay(work) => Quick::Relay(change(work)),
            Self::Drop => Quick::Drop,
        }
    }
}

/// The part of all streams that one address or site may have: one in so many.
pub const CONNECTIONS_SHARE: usize = 4;

/// What the wire layer grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a second of one address, and ten times as many at once; 0: no limit. Further ones
    /// get 503, and no answer when there are many.
    pub requests_per_source_s: u32,
    /// Requests whose answer needs waiting, at once over all sockets; further ones get 503. Each
    /// keeps about 2 kB.
    pub later_max: usize,
    /// Of these, those of one address. A site behind address translation has one for all phones.
    pub later_per_source_max: usize,
    /// Requests within calls that wait for their far end, at once; further ones get 503. Each waits
    /// up to 32 s and keeps about 4 kB.
    pub relayed_max: usize,
    /// Of these, those of one address; three quarters of them for one that has a multiple of the
    /// limits, as the PBX has.
    pub relayed_per_source_max: usize,
    /// Seconds in the Retry-After of that 503, where no phone is registered at the address.
    pub retry_after_s: u32,
    /// Streams open at once over all listeners; a further one is closed. An idle one takes about
    /// 4 kB, with TLS about 15 kB.
    pub connections_max: usize,
    /// Of these, those of one address; a site behind NAT has a multiple. Neither has more than one
    /// in [`CONNECTIONS_SHARE`], whatever stands here: others need room.
    pub connections_per_source_max: usize,
    /// TLS handshakes at once; further connections wait for their turn. Each takes about 20 kB.
    pub handshakes_max: usize,
    /// Of these and of those that wait, those of one address; a further one is closed.
    pub handshakes_per_source_max: usize,
    /// How long a connection has for its turn and its handshake.
    pub handshake_timeout: Duration,
    /// How long a stream that others opened may stay silent. Above the longest expiry that is
    /// granted: a phone without keep-alives says nothing between two REGISTERs.
    pub idle_timeout: Duration,
    /// How long a stream that we opened, to a PBX or gateway, may stay silent: what runs over it
    /// are calls, which last.
    pub peer_idle_timeout: Duration,
    /// How long a stream has for its first message, and any message to arrive in full once it has
    /// begun.
    pub message_timeout: Duration,
    /// How long a peer may take to read what is written to it.
    pub write_timeout: Duration,
    /// Messages that wait to be written to one stream; with more the peer does not read, and the
    /// newest is lost. The connection to a PBX carries the calls of a whole site, some of which
    /// come together.
    pub write_queue_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_source_s: 0,
            later_max: 2_048,
            later_per_source_max: 1_024,
            relayed_max: 2_048,
            relayed_per_source_max: 512,
            retry_after_s: 10,
            connections_max: 20_000,
            connections_per_source_max: 1_000,
            handshakes_max: 512,
            handshakes_per_source_max: 256,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(5),
            peer_idle_timeout: Duration::from_mins(70),
            message_timeout: Duration::from_secs(15),
            write_timeout: Duration::from_secs(10),
            write_queue_max: 128,
        }
    }
}
