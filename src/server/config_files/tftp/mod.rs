//! The TFTP door: read requests only, each transfer on a port of its own.

mod clients;
pub mod packet;
mod transfer;
mod window;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use clients::Clients;
use clients::Seat;
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
use crate::service::phone_files::file_answer::FetchReceipt;
use crate::service::phone_files::file_requests::FileDoor;

/// Time that a transfer has left when its client asks for something else from the same port: the
/// last acknowledgement lies before us already, or the client has given up.
const MOVED_ON_TIMEOUT: Duration = Duration::from_millis(100);

/// Largest request. Source: RFC 2347 ("should be 512 octets at most").
const REQUEST_BYTES_MAX: usize = 1_024;

/// Transfers at once. Each holds a socket, and of a firmware file one piece of 64 KiB: 32 MiB for
/// all of them, however large the files are. Half of the 1,024 open files that systems grant a
/// process by default.
const TRANSFERS_MAX: usize = 512;

/// Transfers beyond them that have lost their place and are about to end.
const LEAVING_MAX: usize = 64;

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
        clients: Clients::new(TRANSFERS_MAX),
    };
    serve(socket, Arc::new(door), shutdown).await;
}

async fn serve<S: FileSource>(socket: UdpSocket, door: Arc<Door<S>>, mut shutdown: Shutdown) {
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
        if transfers.len() >= TRANSFERS_MAX + LEAVING_MAX {
            metrics::counter!("selfprov_tftp_requests_dropped_total").increment(1);
            continue;
        }
        let request = bytes.get(..length).unwrap_or_default();
        let Some(seat) = Clients::enter(&door.clients, client, request) else {
            continue;
        };
        let (door, request, local) = (Arc::clone(&door), request.to_vec(), socket.local_addr());
        transfers.spawn(async move {
            if let Ok(local) = local {
                door.attend(seat, request, local).await;
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
    clients: Arc<Clients>,
}

impl<S: FileSource> Door<S> {
    /// Serves a client until it has asked for nothing more.
    async fn attend(&self, mut seat: Seat, request: Vec<u8>, local: SocketAddr) {
        let mut request = request.into_boxed_slice();
        loop {
            self.answer(&seat, &request, local).await;
            match seat.next() {
                Some(next) => request = next,
                None => return,
            }
        }
    }

    /// Answers one datagram from a fresh port.
    async fn answer(&self, seat: &Seat, datagram: &[u8], local: SocketAddr) {
        let answer = match packet::parse(datagram) {
            Ok(Packet::Read(request)) => self.send_file(seat, local, &request).await,
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
            let _ = socket.send_to(&error, seat.client()).await;
        }
    }

    async fn send_file(
        &self,
        seat: &Seat,
        local: SocketAddr,
        request: &ReadRequest<'_>,
    ) -> Result<(), Refusal> {
        let source = seat.client().ip().to_canonical();
        let files = &self.files;
        let resolved = files.resolve(request.name, source, FileDoor::Tftp).await;
        let (content, receipt) = found(resolved)?;
        let content = transfer::prepare(content, request.mode)
            .await
            .ok_or_else(|| Refusal::new(ErrorCode::NotDefined, "Too large for netascii"))?;
        let Some(socket) = fresh_port(local).await else {
            return Ok(());
        };
        let mut transfer = Transfer::new(socket, seat, content, &request.options, self.limits);
        if let Some(receipt) = receipt.clone() {
            let files = Arc::clone(files);
            transfer.ask_when_proven(move || files.begins(&receipt));
        }
        let end = until_the_client_moves_on(transfer, seat).await;
        metrics::counter!("selfprov_tftp_transfers_total", "end" => end.as_str()).increment(1);
        tracing::debug!(client = %seat.client(), file = %request.name.escape_ascii(), ?end, "TFTP");
        if let (End::Complete, Some(receipt)) = (end, receipt) {
            files.fetched(receipt);
        }
        Ok(())
    }
}

/// Runs a transfer to its end, or a little longer than its client stays with it.
async fn until_the_client_moves_on(transfer: Transfer, seat: &Seat) -> End {
    let mut run = std::pin::pin!(transfer.run());
    tokio::select! {
        biased;
        end = &mut run => end,
        () = seat.signals().given_up() => End::GivenUp,
        () = seat.signals().moved_on() => {
            timeout(MOVED_ON_TIMEOUT, run).await.unwrap_or(End::Gone)
        }
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
