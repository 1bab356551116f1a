//! The one connection that is kept to a server beside us. Calls that need it while it is being
//! opened wait for the same attempt, so that none queues behind another.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, select_ok};
use tokio::time::{Instant, sleep};

use crate::domain::registration::Flow;
use crate::locks;
use crate::server::sip::transport::{Connector, Outbound};

/// How long a failed attempt speaks for the calls that come next: a peer that is down is not asked
/// once for each of them.
const FAILURE_HOLDS: Duration = Duration::from_secs(1);

/// How long one address of the peer has before the next is tried beside it. Source: RFC 8305.
const NEXT_ADDRESS_AFTER: Duration = Duration::from_millis(250);

/// How much depends on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    /// A call like any other.
    Ordinary,
    /// An emergency call: it takes nobody else's failure for its own.
    Emergency,
}

type Attempt = Shared<BoxFuture<'static, Attempted>>;

/// What became of an attempt.
#[derive(Debug, Clone, Copy)]
struct Attempted {
    flow: Option<Flow>,
    at: Instant,
}

impl Attempted {
    /// Whether the next call may take it for its own.
    fn holds(self, outbound: &Outbound, urgency: Urgency) -> bool {
        match self.flow {
            Some(flow) => outbound.is_open(&flow),
            None => urgency == Urgency::Ordinary && self.at.elapsed() < FAILURE_HOLDS,
        }
    }
}

/// An attempt that a call waits for, by who began it.
enum Joined {
    /// This call.
    Own(Attempt),
    /// Another one, before.
    Others(Attempt),
}

/// The connection, or the last attempt to open it.
#[derive(Debug, Default)]
pub(super) struct PeerConnection(Mutex<Option<Attempt>>);

impl PeerConnection {
    /// The open connection; otherwise what the attempt under way comes to, or a new one. Whatever is
    /// urgent takes the failure of an attempt that was under way already for no answer, and makes one
    /// more. `None` when no address accepts.
    pub(super) async fn flow(
        &self,
        addresses: Vec<SocketAddr>,
        urgency: Urgency,
        outbound: &Outbound,
        connector: &Connector,
    ) -> Option<Flow> {
        let begin = || {
            attempt(addresses.clone(), connector.clone())
                .boxed()
                .shared()
        };
        let joined = match self.attempt(urgency, outbound, begin) {
            Joined::Own(attempt) => return attempt.await.flow,
            Joined::Others(attempt) => attempt.await.flow,
        };
        if joined.is_some() || urgency == Urgency::Ordinary {
            return joined;
        }
        // What was joined may have been nearly over. What is joined now has begun since.
        let (Joined::Own(attempt) | Joined::Others(attempt)) =
            self.attempt(urgency, outbound, begin);
        attempt.await.flow
    }

    /// The last attempt, where it can be used, or the one that `begin` gives.
    fn attempt(
        &self,
        urgency: Urgency,
        outbound: &Outbound,
        begin: impl FnOnce() -> Attempt,
    ) -> Joined {
        let mut last = locks::lock(&self.0);
        let usable = last.as_ref().filter(|last| {
            let ended = last.peek();
            ended.is_none_or(|ended| ended.holds(outbound, urgency))
        });
        if let Some(attempt) = usable {
            return Joined::Others(attempt.clone());
        }
        Joined::Own(last.insert(begin()).clone())
    }
}

/// Tries the addresses, each a moment after the one before. Ends within the time that one takes to
/// accept, and a second.
async fn attempt(addresses: Vec<SocketAddr>, connector: Connector) -> Attempted {
    let mut tries = Vec::with_capacity(addresses.len());
    let mut wait = Duration::ZERO;
    for address in addresses {
        tries.push(try_address(address, wait, connector.clone()).boxed());
        wait += NEXT_ADDRESS_AFTER;
    }
    let flow = match tries.len() {
        0 => None,
        _ => select_ok(tries).await.ok().map(|(flow, _)| flow),
    };
    Attempted {
        flow,
        at: Instant::now(),
    }
}

async fn try_address(
    address: SocketAddr,
    wait: Duration,
    connector: Connector,
) -> std::io::Result<Flow> {
    sleep(wait).await;
    let connected = connector.connect(address).await;
    connected.inspect_err(|error| {
        tracing::warn!(%address, %error, "no connection to the PBX or gateway");
    })
}
