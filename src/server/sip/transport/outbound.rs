//! Requests to phones, each on the flow its registration came by.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::domain::registration::{Flow, Transport};
use crate::locks;
use crate::server::sip::message::{
    HeaderName, RequestBuilder, Response, Status, response_without_top_via,
};
use crate::server::sip::transaction::{ClientStep, ClientTransaction};

use super::udp::Datagrams;

/// Most requests to phones under way at once: one for each phone of a large site.
const REQUESTS_MAX: usize = 20_000;

/// Answers to one request that wait to be looked at: provisional ones and the final one.
const RESPONSES_MAX: usize = 4;

/// A response to a request of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedResponse {
    /// Which of the requests whose responses go to one place: what [`Outbound::listen`] was given.
    pub index: usize,
    /// The status.
    pub status: Status,
    /// The value of To, for an ACK.
    pub to: Bytes,
    /// The response without our Via, to be passed on; `None` when there is no other Via.
    pub passed_on: Option<Bytes>,
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
    waiters: Mutex<HashMap<WaiterKey, Waiter>>,
    next_connection: AtomicU64,
}

/// Branch and method: a CANCEL has the branch of its INVITE.
type WaiterKey = (Box<[u8]>, Box<[u8]>);

/// Who waits for the answer to a request.
#[derive(Debug)]
struct Waiter {
    remote: IpAddr,
    index: usize,
    responses: mpsc::Sender<ReceivedResponse>,
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

    /// Our address as the phone behind `flow` sees it. A socket that listens on every address does
    /// not say which one it is, so the system is asked for the route.
    ///
    /// # Errors
    ///
    /// No local address leads to the phone.
    pub fn local_address_towards(&self, flow: &Flow) -> std::io::Result<SocketAddr> {
        local_address_towards(flow)
    }

    /// Begins a request whose Via names our end of `flow`. `branch` is unique, of token
    /// characters; the magic cookie is put before it.
    ///
    /// # Errors
    ///
    /// [`OutboundError::Send`] when no local address leads to the phone.
    pub fn start(
        &self,
        flow: &Flow,
        method: &str,
        uri: impl AsRef<[u8]>,
        branch: &str,
    ) -> Result<RequestBuilder, OutboundError> {
        let sent_by = self.local_address_towards(flow)?.to_string();
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
    ///
    /// [`OutboundError`] when it could not be sent or nobody answered.
    pub async fn request(
        &self,
        flow: &Flow,
        branch: &str,
        request: Vec<u8>,
    ) -> Result<ReceivedResponse, OutboundError> {
        let request = Bytes::from(request);
        let method = request.split(|byte| *byte == b' ').next();
        let (sender, mut responses) = mpsc::channel(RESPONSES_MAX);
        let method = method.unwrap_or_default();
        let _listening = self.listen(flow, branch, method, 0, sender)?;
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

    /// Hands every response to the request with this branch and method, from the address behind
    /// `flow`, to `responses`, marked with `index`, until what it gives is dropped.
    ///
    /// # Errors
    ///
    /// [`OutboundError::Busy`] with too many requests under way, or one with the same branch.
    pub fn listen(
        &self,
        flow: &Flow,
        branch: &str,
        method: &[u8],
        index: usize,
        responses: mpsc::Sender<ReceivedResponse>,
    ) -> Result<Listening, OutboundError> {
        let key = (
            format!("z9hG4bK{branch}").into_bytes().into(),
            method.into(),
        );
        let waiter = Waiter {
            remote: flow.remote.ip().to_canonical(),
            index,
            responses,
        };
        let mut waiters = locks::lock(&self.0.waiters);
        if waiters.len() >= REQUESTS_MAX || waiters.contains_key(&key) {
            return Err(OutboundError::Busy);
        }
        waiters.insert(key.clone(), waiter);
        Ok(Listening {
            outbound: self.clone(),
            key,
        })
    }

    /// Sends bytes on a flow, once.
    ///
    /// # Errors
    ///
    /// [`OutboundError`] when the flow is gone or stuck or the system refuses.
    pub async fn send(&self, flow: &Flow, bytes: Bytes) -> Result<(), OutboundError> {
        if flow.transport == Transport::Udp {
            let socket = self.socket_for(flow).ok_or(OutboundError::FlowGone)?;
            return Ok(socket.send(&bytes, flow.remote).await?);
        }
        self.send_on_stream(flow, bytes)
    }

    /// Sends bytes on a flow, once and at once: where the system's buffer is full a datagram is
    /// lost, as any may be.
    ///
    /// # Errors
    ///
    /// [`OutboundError`] when the flow is gone or stuck or the system refuses.
    pub fn send_now(&self, flow: &Flow, bytes: Bytes) -> Result<(), OutboundError> {
        if flow.transport == Transport::Udp {
            let socket = self.socket_for(flow).ok_or(OutboundError::FlowGone)?;
            return Ok(socket.send_now(&bytes, flow.remote)?);
        }
        self.send_on_stream(flow, bytes)
    }

    fn send_on_stream(&self, flow: &Flow, bytes: Bytes) -> Result<(), OutboundError> {
        let stream = locks::lock(&self.0.streams).get(&flow.connection).cloned();
        let stream = stream.ok_or(OutboundError::FlowGone)?;
        stream.try_send(bytes).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => OutboundError::FlowStuck,
            mpsc::error::TrySendError::Closed(_) => OutboundError::FlowGone,
        })
    }

    /// Whether something can be sent on this flow: over UDP there is a socket, a connection lives.
    pub fn is_open(&self, flow: &Flow) -> bool {
        match flow.transport {
            Transport::Udp => self.socket_for(flow).is_some(),
            Transport::Tcp | Transport::Tls => {
                locks::lock(&self.0.streams).contains_key(&flow.connection)
            }
        }
    }

    /// The flow from one of our UDP sockets to this address.
    pub fn datagram_flow(&self, remote: SocketAddr) -> Option<Flow> {
        let sockets = locks::lock(&self.0.sockets);
        let suits = |local: &SocketAddr| local.is_ipv6() || remote.is_ipv4();
        let (local, _) = sockets.iter().find(|(local, _)| suits(local))?;
        Some(Flow {
            transport: Transport::Udp,
            local: *local,
            remote,
            connection: 0,
        })
    }

    /// Our address as the peer behind `flow` sees it: what stands in our Via and Record-Route.
    ///
    /// # Errors
    ///
    /// [`OutboundError::Send`] when no local address leads to the peer.
    pub fn own_address(&self, flow: &Flow) -> Result<SocketAddr, OutboundError> {
        Ok(local_address_towards(flow)?)
    }

    /// How many streams are open.
    pub fn connections(&self) -> usize {
        locks::lock(&self.0.streams).len()
    }

    /// Hands a response to whoever waits for it. It must come from the address the request went
    /// to; the port may differ, as old phones answer from another one.
    pub(super) fn deliver(&self, response: &Response<'_>, remote: IpAddr) {
        let common = &response.common;
        let Some(branch) = common.via.unique_branch() else {
            return;
        };
        let key = (branch.into(), common.cseq_method.as_bytes().into());
        let waiters = locks::lock(&self.0.waiters);
        let waiter = waiters.get(&key);
        if let Some(waiter) = waiter.filter(|waiter| waiter.remote == remote.to_canonical()) {
            let to = common.headers.get(HeaderName::To).unwrap_or_default();
            // With a full queue the response is lost, as any datagram may be.
            let _ = waiter.responses.try_send(ReceivedResponse {
                index: waiter.index,
                status: response.status,
                to: Bytes::copy_from_slice(to),
                passed_on: response_without_top_via(response).map(Bytes::from),
            });
        }
    }

    /// Makes a socket known, so that requests can be sent from it.
    pub(super) fn add_socket(&self, local: SocketAddr, socket: &Arc<Datagrams>) {
        locks::lock(&self.0.sockets).push((local, Arc::clone(socket)));
    }

    /// Forgets a socket.
    pub(super) fn remove_socket(&self, socket: &Arc<Datagrams>) {
        locks::lock(&self.0.sockets).retain(|(_, other)| !Arc::ptr_eq(other, socket));
    }

    /// A number for a new connection.
    pub(super) fn new_connection(&self) -> u64 {
        self.0.next_connection.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes a connection known, so that requests can be sent on it.
    pub(super) fn add_stream(&self, connection: u64, writer: mpsc::Sender<Bytes>) {
        locks::lock(&self.0.streams).insert(connection, writer);
    }

    /// Forgets a connection.
    pub(super) fn remove_stream(&self, connection: u64) {
        locks::lock(&self.0.streams).remove(&connection);
    }

    /// The socket a flow came by; after a restart with other addresses, one of its family.
    fn socket_for(&self, flow: &Flow) -> Option<Arc<Datagrams>> {
        let sockets = locks::lock(&self.0.sockets);
        let same = sockets.iter().find(|(local, _)| *local == flow.local);
        let suits = |local: &SocketAddr| local.is_ipv6() || flow.remote.is_ipv4();
        let found = same.or_else(|| sockets.iter().find(|(local, _)| suits(local)));
        found.map(|(_, socket)| Arc::clone(socket))
    }
}

/// Responses to one request are taken while this lives.
#[derive(Debug)]
pub struct Listening {
    outbound: Outbound,
    key: WaiterKey,
}

impl Drop for Listening {
    fn drop(&mut self) {
        locks::lock(&self.outbound.0.waiters).remove(&self.key);
    }
}

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
