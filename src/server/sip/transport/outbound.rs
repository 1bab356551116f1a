//! Requests to phones, each on the flow its registration came by.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::domain::registration::{Flow, Transport};
use crate::server::sip::message::{RequestBuilder, Response, Status};
use crate::server::sip::transaction::{ClientStep, ClientTransaction};

use super::udp::Datagrams;

/// Most requests to phones under way at once: one for each phone of a large site.
const REQUESTS_MAX: usize = 20_000;

/// Answers to one request that wait to be looked at: provisional ones and the final one.
const RESPONSES_MAX: usize = 4;

/// The final answer to a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FinalResponse {
    /// The status, 200 or above.
    pub status: Status,
    /// The reason phrase; bytes that are not UTF-8 are replaced.
    pub reason: String,
}

/// Why a request to a phone got no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// The connection the phone registered on has ended, or was another node's or an earlier
    /// process's.
    #[error("the phone's connection is gone; it can be reached after its next registration")]
    FlowGone,
    /// The phone does not read what is sent to it.
    #[error("the phone's connection is stuck; it can be reached after its next registration")]
    FlowStuck,
    /// The system refused to send.
    #[error("cannot send to the phone: {0}")]
    Send(#[from] std::io::Error),
    /// No final answer came in time.
    #[error("the phone did not answer in 32 seconds")]
    TimedOut,
    /// Too many requests are under way, or one with the same branch is.
    #[error("too many requests to phones are under way; try again in a minute")]
    Busy,
}

/// Sends requests on flows and takes their answers. Cheap to clone; one for the process.
#[derive(Debug, Clone)]
pub struct Outbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sockets: Mutex<Vec<(SocketAddr, Arc<Datagrams>)>>,
    streams: Mutex<HashMap<u64, mpsc::Sender<Bytes>>>,
    waiters: Mutex<HashMap<Box<[u8]>, Waiter>>,
    next_connection: AtomicU64,
}

/// Who waits for the answer to a request.
#[derive(Debug)]
struct Waiter {
    remote: IpAddr,
    method: Box<[u8]>,
    responses: mpsc::Sender<FinalResponse>,
}

impl Outbound {
    /// Without sockets or connections yet.
    ///
    /// `first_connection` numbers the first connection. Bindings outlive the process, so it must
    /// be above every number an earlier process gave: milliseconds since 1970 times 1,000 is.
    pub fn new(first_connection: u64) -> Self {
        Self(Arc::new(Inner {
            sockets: Mutex::default(),
            streams: Mutex::default(),
            waiters: Mutex::default(),
            next_connection: AtomicU64::new(first_connection.max(1)),
        }))
    }

    /// Begins a request whose Via names our end of `flow`. `branch` is unique, of token
    /// characters; the magic cookie is put before it.
    ///
    /// # Errors
    /// [`OutboundError::Send`] when no local address leads to the phone.
    pub fn start(
        &self,
        flow: &Flow,
        method: &str,
        uri: impl AsRef<[u8]>,
        branch: &str,
    ) -> Result<RequestBuilder, OutboundError> {
        let sent_by = local_address_towards(flow)?.to_string();
        Ok(RequestBuilder::new(
            method,
            uri,
            flow.transport,
            &sent_by,
            branch,
        ))
    }

    /// Sends a request that [`Outbound::start`] began and waits for its final answer. Over UDP it
    /// is repeated as RFC 3261 clause 17.1.2 says. Dropping the future ends the transaction.
    ///
    /// # Errors
    /// [`OutboundError`] when it could not be sent or nobody answered.
    pub async fn request(
        &self,
        flow: &Flow,
        branch: &str,
        request: Vec<u8>,
    ) -> Result<FinalResponse, OutboundError> {
        let request = Bytes::from(request);
        let (_waiting, mut responses) = self.wait_for(flow, branch, &request)?;
        let mut transaction =
            ClientTransaction::start(flow.transport.is_reliable(), Instant::now().into_std());
        self.send(flow, request.clone()).await?;
        loop {
            tokio::select! {
                biased;
                Some(response) = responses.recv() => {
                    if response.status.is_final() {
                        return Ok(response);
                    }
                    transaction.proceed();
                }
                () = sleep_until(Instant::from_std(transaction.wake_at())) => {
                    match transaction.wake(Instant::now().into_std()) {
                        ClientStep::Wait => {}
                        ClientStep::Retransmit => self.send(flow, request.clone()).await?,
                        ClientStep::TimedOut => return Err(OutboundError::TimedOut),
                    }
                }
            }
        }
    }

    /// Sends bytes on a flow, once.
    ///
    /// # Errors
    /// [`OutboundError`] when the flow is gone or stuck or the system refuses.
    pub async fn send(&self, flow: &Flow, bytes: Bytes) -> Result<(), OutboundError> {
        if flow.transport == Transport::Udp {
            let socket = self.socket_for(flow).ok_or(OutboundError::FlowGone)?;
            return Ok(socket.send(&bytes, flow.remote).await?);
        }
        let stream = lock(&self.0.streams).get(&flow.connection).cloned();
        let stream = stream.ok_or(OutboundError::FlowGone)?;
        stream.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => OutboundError::FlowStuck,
            mpsc::error::TrySendError::Closed(_) => OutboundError::FlowGone,
        })
    }

    /// How many streams are open.
    pub fn connections(&self) -> usize {
        lock(&self.0.streams).len()
    }

    /// Hands a response to whoever waits for it. It must come from the address the request went
    /// to; the port may differ, as old phones answer from another one.
    pub(super) fn deliver(&self, response: &Response<'_>, remote: IpAddr) {
        let common = &response.common;
        let Some(branch) = common.via.unique_branch() else {
            return;
        };
        let waiters = lock(&self.0.waiters);
        let waiter = waiters.get(branch).filter(|waiter| {
            waiter.remote == remote.to_canonical()
                && *waiter.method == *common.cseq_method.as_bytes()
        });
        if let Some(waiter) = waiter {
            let reason = String::from_utf8_lossy(response.reason).into_owned();
            // With a full queue the response is lost, as any datagram may be.
            let _ = waiter.responses.try_send(FinalResponse {
                status: response.status,
                reason,
            });
        }
    }

    /// Makes a socket known, so that requests can be sent from it.
    pub(super) fn add_socket(&self, local: SocketAddr, socket: &Arc<Datagrams>) {
        lock(&self.0.sockets).push((local, Arc::clone(socket)));
    }

    /// Forgets a socket.
    pub(super) fn remove_socket(&self, socket: &Arc<Datagrams>) {
        lock(&self.0.sockets).retain(|(_, other)| !Arc::ptr_eq(other, socket));
    }

    /// A number for a new connection.
    pub(super) fn new_connection(&self) -> u64 {
        self.0.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a connection known, so that requests can be sent on it.
    pub(super) fn add_stream(&self, connection: u64, writer: mpsc::Sender<Bytes>) {
        lock(&self.0.streams).insert(connection, writer);
    }

    /// Forgets a connection.
    pub(super) fn remove_stream(&self, connection: u64) {
        lock(&self.0.streams).remove(&connection);
    }

    /// The socket a flow came by; after a restart with other addresses, one of its family.
    fn socket_for(&self, flow: &Flow) -> Option<Arc<Datagrams>> {
        let sockets = lock(&self.0.sockets);
        let same = sockets.iter().find(|(local, _)| *local == flow.local);
        let suits = |local: &SocketAddr| local.is_ipv6() || flow.remote.is_ipv4();
        let found = same.or_else(|| sockets.iter().find(|(local, _)| suits(local)));
        found.map(|(_, socket)| Arc::clone(socket))
    }

    fn wait_for(
        &self,
        flow: &Flow,
        branch: &str,
        request: &[u8],
    ) -> Result<(Waiting, mpsc::Receiver<FinalResponse>), OutboundError> {
        let (sender, receiver) = mpsc::channel(RESPONSES_MAX);
        let branch: Box<[u8]> = format!("z9hG4bK{branch}").into_bytes().into_boxed_slice();
        let method = request
            .split(|byte| *byte == b' ')
            .next()
            .unwrap_or_default();
        let waiter = Waiter {
            remote: flow.remote.ip().to_canonical(),
            method: method.into(),
            responses: sender,
        };
        let mut waiters = lock(&self.0.waiters);
        if waiters.len() >= REQUESTS_MAX || waiters.contains_key(&branch) {
            return Err(OutboundError::Busy);
        }
        waiters.insert(branch.clone(), waiter);
        Ok((
            Waiting {
                outbound: self.clone(),
                branch,
            },
            receiver,
        ))
    }
}

/// Ends the wait when the request's future is done or dropped.
struct Waiting {
    outbound: Outbound,
    branch: Box<[u8]>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        lock(&self.outbound.0.waiters).remove(&self.branch);
    }
}

/// Our address as the phone behind `flow` sees it. A socket that listens on every address does
/// not say which one it is, so the system is asked for the route.
fn local_address_towards(flow: &Flow) -> std::io::Result<SocketAddr> {
    if !flow.local.ip().is_unspecified() {
        return Ok(flow.local);
    }
    let any: IpAddr = match flow.remote {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // Connecting a UDP socket sends nothing.
    let probe = std::net::UdpSocket::bind((any, 0))?;
    probe.connect(flow.remote)?;
    Ok(SocketAddr::new(probe.local_addr()?.ip(), flow.local.port()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_on_all_addresses_names_the_one_that_leads_to_the_phone() {
        let mut flow = Flow {
            transport: Transport::Udp,
            local: "0.0.0.0:5060".parse().unwrap(),
            remote: "127.0.0.1:49152".parse().unwrap(),
            connection: 0,
        };
        let towards = |flow: &Flow| local_address_towards(flow).unwrap().to_string();
        assert_eq!(towards(&flow), "127.0.0.1:5060");
        flow.local = "[::]:5060".parse().unwrap();
        assert_eq!(towards(&flow), "127.0.0.1:5060");
        flow.local = "192.0.2.1:5070".parse().unwrap();
        assert_eq!(towards(&flow), "192.0.2.1:5070");
    }
}
