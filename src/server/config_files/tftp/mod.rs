//! The TFTP door: read requests only, each transfer on a port of its own.

pub mod packet;
mod transfer;
mod window;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::collections::HashSet;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use packet::ErrorCode;
use packet::Packet;
use packet::ReadRequest;
use transfer::End;
use transfer::Limits;
use transfer::Transfer;

use super::content::Content;
use super::content::FileSource;
use super::content::Resolved;
use crate::server::shutdown::Shutdown;
use crate::service::render_config::FetchReceipt;
use crate::service::render_config::FileDoor;

/// Transfers at once. Each holds a socket and up to 64 KiB; a further request is dropped, and its
/// client asks again. Half of the 1,024 open files that systems grant a process by default.
const TRANSFERS_MAX: usize = 512;

/// Transfers at once to one address, so that one host cannot take them all.
const TRANSFERS_PER_ADDRESS_MAX: usize = 64;

/// Largest request. Source: RFC 2347 ("should be 512 octets at most").
const REQUEST_BYTES_MAX: usize = 1_024;

/// Time that transfers have to finish at shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Serves read requests on `socket` until `shutdown`.
///
/// `blksize_max` bounds the block size that is granted, in bytes. Returns when every transfer has
/// ended or the drain time is over.
pub async fn run<S: FileSource>(
    socket: UdpSocket,
    files: Arc<S>,
    blksize_max: u16,
    shutdown: Shutdown,
) {
    let door = Door {
        files,
        limits: Limits::of_blksize(blksize_max),
        clients: Mutex::default(),
    };
    serve(socket, Arc::new(door), shutdown).await;
}

async fn serve<S: FileSource>(socket: UdpSocket, door: Arc<Door<S>>, mut shutdown: Shutdown) {
    let permits = Arc::new(Semaphore::new(TRANSFERS_MAX));
    let mut transfers = JoinSet::new();
    let mut bytes = [0; REQUEST_BYTES_MAX];
    loop {
        let received = tokio::select! {
            () = shutdown.requested() => break,
            Some(_) = transfers.join_next() => continue,
            received = socket.recv_from(&mut bytes) => received,
        };
        // An error here is that of an earlier answer (ICMP) and says nothing of the socket.
        let Ok((length, client)) = received else {
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else {
            metrics::counter!("selfprov_tftp_requests_dropped_total").increment(1);
            continue;
        };
        let Some(entry) = Door::enter(&door, client) else {
            continue;
        };
        let datagram = bytes.get(..length).unwrap_or_default().to_vec();
        let local = socket.local_addr();
        transfers.spawn(async move {
            if let Ok(local) = local {
                entry.serve(&datagram, local, permit).await;
            }
        });
    }
    drop(socket);
    let drained = timeout(DRAIN_TIMEOUT, async {
        while transfers.join_next().await.is_some() {}
    });
    if drained.await.is_err() {
        transfers.shutdown().await;
    }
}

/// What every transfer of the door shares.
struct Door<S> {
    files: Arc<S>,
    limits: Limits,
    /// Ports of the clients being served, by address: a repeated request of one is not served
    /// twice.
    clients: Mutex<HashMap<IpAddr, HashSet<u16>>>,
}

impl<S: FileSource> Door<S> {
    /// Lets a client in unless it is being served already or its address has its share.
    fn enter(door: &Arc<Self>, client: SocketAddr) -> Option<Entry<S>> {
        let mut clients = door.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let ports = clients.entry(client.ip()).or_default();
        let is_admitted = ports.len() < TRANSFERS_PER_ADDRESS_MAX && ports.insert(client.port());
        is_admitted.then(|| Entry {
            door: Arc::clone(door),
            client,
        })
    }

    fn leave(&self, client: SocketAddr) {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ports) = clients.get_mut(&client.ip()) {
            ports.remove(&client.port());
            if ports.is_empty() {
                clients.remove(&client.ip());
            }
        }
    }
}

/// A client being served; leaves the door's list when dropped.
struct Entry<S: FileSource> {
    door: Arc<Door<S>>,
    client: SocketAddr,
}

impl<S: FileSource> Drop for Entry<S> {
    fn drop(&mut self) {
        self.door.leave(self.client);
    }
}

impl<S: FileSource> Entry<S> {
    /// Answers one datagram from a fresh port.
    async fn serve(self, datagram: &[u8], local: SocketAddr, _permit: OwnedSemaphorePermit) {
        let answer = match packet::parse(datagram) {
            Ok(Packet::Read(request)) => self.send_file(local, &request).await,
            Ok(Packet::Write) => Err(Refusal::new(
                ErrorCode::AccessViolation,
                "This server takes no files",
            )),
            Err(malformed) => Err(Refusal::new(ErrorCode::IllegalOperation, malformed)),
            // Strays of a transfer that ended, and answers to answers: silence ends the loop.
            Ok(Packet::Error { .. } | Packet::Ack(_) | Packet::NotForServers) => Ok(()),
        };
        let Err(refusal) = answer else {
            return;
        };
        if let Some(socket) = fresh_port(local).await {
            let error = packet::error(refusal.code, &refusal.message);
            let _ = socket.send_to(&error, self.client).await;
        }
    }

    async fn send_file(&self, local: SocketAddr, request: &ReadRequest<'_>) -> Result<(), Refusal> {
        let source = self.client.ip().to_canonical();
        let files = &self.door.files;
        let resolved = files.resolve(request.name, source, FileDoor::Tftp).await;
        let (content, receipt) = found(resolved)?;
        let content = transfer::prepare(content, request.mode)
            .await
            .ok_or_else(|| Refusal::new(ErrorCode::NotDefined, "Too large for netascii"))?;
        let Some(socket) = fresh_port(local).await else {
            return Ok(());
        };
        let limits = self.door.limits;
        let transfer = Transfer::new(socket, self.client, content, &request.options, limits);
        let end = transfer.run().await;
        metrics::counter!("selfprov_tftp_transfers_total", "end" => end.as_str()).increment(1);
        tracing::debug!(client = %self.client, file = %request.name.escape_ascii(), ?end, "TFTP");
        if let (End::Complete, Some(receipt)) = (end, receipt) {
            files.fetched(receipt);
        }
        Ok(())
    }
}

/// Why a client gets no file.
struct Refusal {
    code: ErrorCode,
    message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: impl std::fmt::Display) -> Self {
        Self {
            code,
            message: message.to_string(),
        }
    }
}

fn found(resolved: Resolved) -> Result<(Content, Option<FetchReceipt>), Refusal> {
    match resolved {
        Resolved::Found(content, receipt) => Ok((content, receipt)),
        Resolved::NotFound => Err(Refusal::new(ErrorCode::FileNotFound, "File not found")),
        Resolved::Refused(why) => Err(Refusal::new(ErrorCode::AccessViolation, why)),
        Resolved::Throttled => Err(Refusal::new(
            ErrorCode::NotDefined,
            "Too many unknown files asked for; try again in a minute",
        )),
        Resolved::Unavailable => Err(Refusal::new(
            ErrorCode::NotDefined,
            "Not available now; try again",
        )),
    }
}

/// A socket of its own on the address that was asked. Source: RFC 1350 clause 4 (TIDs).
async fn fresh_port(local: SocketAddr) -> Option<UdpSocket> {
    match UdpSocket::bind(SocketAddr::new(local.ip(), 0)).await {
        Ok(socket) => Some(socket),
        Err(error) => {
            tracing::warn!(%error, "no port for a TFTP transfer");
            None
        }
    }
}
