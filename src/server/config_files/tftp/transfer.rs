//! One transfer: its own port, its window, its retransmissions, its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::time::Instant;
use tokio::time::timeout_at;

use super::clients::Seat;
use super::clients::Signals;
use super::packet;
use super::packet::ErrorCode;
use super::packet::Malformed;
use super::packet::Mode;
use super::packet::Options;
use super::packet::Packet;
use super::window::Progress;
use super::window::Window;
use crate::server::config_files::content::Content;
use crate::server::config_files::content::FirmwareFile;

/// What a transfer may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Largest block that is granted, in bytes.
    pub(super) blksize_max: u16,
    /// Time until the first retransmission when the client names none.
    pub(super) first_wait: Duration,
    /// Longest time between two retransmissions that back-off leads to.
    pub(super) longest_wait: Duration,
}

impl Limits {
    /// The usual limits with this largest block.
    pub(super) const fn of_blksize(blksize_max: u16) -> Self {
        Self {
            blksize_max,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(8),
        }
    }
}

/// Longest `timeout` that is granted, in seconds: our own longest wait. A client that asks for more
/// is served without the option, as RFC 2349 allows; it could hold a place for minutes with one
/// packet.
const TIMEOUT_S_MAX: u8 = 8;

/// Retransmissions in a row before the client counts as gone.
const RETRANSMISSIONS_MAX: u32 = 5;

/// Retransmissions in a row before the client has acknowledged anything: its address may be forged,
/// and whoever owns it shall not be flooded.
const RETRANSMISSIONS_UNPROVEN_MAX: u32 = 2;

/// Most blocks in flight that are granted (RFC 7440); beyond it loss costs more than waiting.
const WINDOWSIZE_MAX: u16 = 16;

/// Packets from a wrong port that are answered in one transfer. A client that has mistaken us learns it
/// from the first; more would let two servers answer each other (CVE-2024-2169).
const WRONG_PORT_ANSWERS_MAX: u32 = 3;

/// Largest firmware file that is converted to netascii in memory.
const NETASCII_BYTES_MAX: u64 = 1024 * 1024;

/// Largest packet that a client has reason to send in a transfer.
const CLIENT_PACKET_BYTES_MAX: usize = 512;

/// How a transfer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Every block arrived.
    Complete,
    /// The client sent an error.
    ClientError(u16),
    /// The client stopped answering.
    Gone,
    /// Our side failed: socket or file.
    Failed,
    /// The client had acknowledged nothing yet, and another one needed the place.
    GivenUp,
    /// The file has become another address's before this one was proven.
    Overtaken,
}

impl End {
    /// The word in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientError(_) => "client_error",
            Self::Gone => "gone",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
            Self::Overtaken => "overtaken",
        }
    }
}

/// The options that are granted of those asked for.
///
/// Only asked-for options are answered, a block size never larger than asked for.
pub(super) fn grant(asked: &Options, length: u64, blksize_max: u16) -> Options {
    Options {
        blksize: asked.blksize.map(|size| size.min(blksize_max)),
        tsize: asked.tsize.map(|_| length),
        timeout_s: asked.timeout_s.filter(|seconds| *seconds <= TIMEOUT_S_MAX),
        windowsize: asked.windowsize.map(|blocks| blocks.min(WINDOWSIZE_MAX)),
    }
}

/// The bytes of a transfer as they travel in the mode asked for.
pub(super) async fn prepare(content: Content, mode: Mode) -> Option<Content> {
    match (content, mode) {
        (content, Mode::Octet) => Some(content),
        (Content::Generated(bytes), Mode::Netascii) => {
            Some(Content::Generated(packet::netascii(&bytes).into()))
        }
        (Content::Firmware(file), Mode::Netascii) => {
            if file.length > NETASCII_BYTES_MAX {
                return None;
            }
            let mut bytes = Vec::new();
            while (bytes.len() as u64) < file.length {
                bytes.extend_from_slice(&file.piece(bytes.len() as u64).await.ok()?);
            }
            Some(Content::Generated(packet::netascii(&bytes).into()))
        }
    }
}

/// A transfer under way.
pub(super) struct Transfer {
    socket: UdpSocket,
    client: SocketAddr,
    granted: Options,
    limits: Limits,
    window: Window,
    blocks: Blocks,
    /// Whether the option acknowledgement still waits for its own.
    options_pending: bool,
    signals: Arc<Signals>,
    /// Asked once the client is proven: whether it may have the rest.
    may_go_on: Option<Box<dyn FnOnce() -> bool + Send + Sync>>,
    /// Packets from a wrong port that were answered.
    wrong_port_answers: u32,
    packet: Vec<u8>,
}

impl Transfer {
    /// A transfer of `content` to the client of `seat` from `socket`, which is this transfer's alone.
    pub(super) fn new(
        socket: UdpSocket,
        seat: &Seat,
        content: Content,
        asked: &Options,
        limits: Limits,
    ) -> Self {
        let length = content.length();
        let granted = grant(asked, length, limits.blksize_max);
        let blksize = granted.blksize.unwrap_or(packet::BLKSIZE_DEFAULT);
        Self {
            socket,
            client: seat.client(),
            window: Window::new(length, blksize, granted.windowsize.unwrap_or(1)),
            blocks: Blocks::new(content, blksize),
            options_pending: !granted.is_empty(),
            granted,
            limits,
            signals: Arc::clone(seat.signals()),
            may_go_on: None,
            wrong_port_answers: 0,
            packet: Vec::with_capacity(usize::from(blksize) + 4),
        }
    }

    /// Lets `may_go_on` say, with the client's first acknowledgement, whether it gets the rest.
    pub(super) fn ask_when_proven(
        &mut self,
        may_go_on: impl FnOnce() -> bool + Send + Sync + 'static,
    ) {
        self.may_go_on = Some(Box::new(may_go_on));
    }

    /// Runs it to its end.
    pub(super) async fn run(mut self) -> End {
        let first = self
            .granted
            .timeout_s
            .map_or(self.limits.first_wait, |seconds| {
                Duration::from_secs(seconds.into())
            });
        let mut wait = first;
        let mut retransmissions = 0;
        loop {
            if self.send().await.is_err() {
                let changed = "The file changed while it was sent; ask again";
                let changed = packet::error(ErrorCode::NotDefined, changed);
                self.send_packet(&changed).await;
                return End::Failed;
            }
            match self.await_progress(Instant::now() + wait).await {
                Step::Forward => {
                    retransmissions = 0;
                    wait = first;
                }
                Step::End(end) => {
                    if end == End::Overtaken {
                        let overtaken = "This file is another phone's by now";
                        let overtaken = packet::error(ErrorCode::AccessViolation, overtaken);
                        self.send_packet(&overtaken).await;
                    }
                    return end;
                }
                Step::TimedOut => {
                    let most = if self.signals.is_proven() {
                        RETRANSMISSIONS_MAX
                    } else {
                        RETRANSMISSIONS_UNPROVEN_MAX
                    };
                    if retransmissions == most {
                        return End::Gone;
                    }
                    retransmissions += 1;
                    wait = (wait * 2).min(self.limits.longest_wait.max(first));
                    self.window.timed_out();
                }
            }
        }
    }

    /// Sends what is due: the options, or the window's blocks.
    async fn send(&mut self) -> std::io::Result<()> {
        if self.options_pending {
            let options = packet::option_acknowledgement(&self.granted);
            self.send_packet(&options).await;
            return Ok(());
        }
        for block in self.window.blocks() {
            let mut data = std::mem::take(&mut self.packet);
            packet::begin_data(&mut data, Window::wire_number(block));
            self.blocks.append(block, &mut data).await?;
            self.send_packet(&data).await;
            self.packet = data;
        }
        Ok(())
    }

    /// Sends one packet. A full buffer or an unreachable client is left to retransmission.
    async fn send_packet(&self, bytes: &[u8]) {
        let _ = self.socket.send_to(bytes, self.client).await;
    }

    /// Waits until the client's packets lead to something or time is up.
    async fn await_progress(&mut self, deadline: Instant) -> Step {
        let mut bytes = [0; CLIENT_PACKET_BYTES_MAX];
        loop {
            let received = timeout_at(deadline, self.socket.recv_from(&mut bytes)).await;
            let (length, sender) = match received {
                Err(_) => return Step::TimedOut,
                // An ICMP error of an earlier packet; time will tell.
                Ok(Err(_)) => continue,
                Ok(Ok(received)) => received,
            };
            let packet = packet::parse(bytes.get(..length).unwrap_or_default());
            if sender != self.client {
                self.answer_wrong_port(packet, sender).await;
                continue;
            }
            match packet {
                Ok(Packet::Ack(number)) => {
                    if let Some(step) = self.acknowledged(number) {
                        return step;
                    }
                }
                Ok(Packet::Error { code }) => return Step::End(End::ClientError(code)),
                // The request again: our first answer is under way or lost, and time will tell.
                Ok(Packet::Read(_)) => {}
                Ok(Packet::Write | Packet::NotForServers) | Err(_) => {
                    let illegal = packet::error(ErrorCode::IllegalOperation, "Illegal operation");
                    self.send_packet(&illegal).await;
                    return Step::End(End::ClientError(ErrorCode::IllegalOperation as u16));
                }
            }
        }
    }

    /// Answers what belongs to a transfer of somebody else's; nobody answers an error.
    ///
    /// Source: RFC 1350 clauses 4 and 7.
    async fn answer_wrong_port(
        &mut self,
        packet: Result<Packet<'_>, Malformed>,
        sender: SocketAddr,
    ) {
        let is_of_a_transfer = matches!(packet, Ok(Packet::Ack(_) | Packet::NotForServers));
        if is_of_a_transfer && self.wrong_port_answers < WRONG_PORT_ANSWERS_MAX {
            self.wrong_port_answers += 1;
            let wrong = packet::error(ErrorCode::UnknownTransferId, "Unknown transfer ID");
            let _ = self.socket.send_to(&wrong, sender).await;
        }
    }

    fn acknowledged(&mut self, number: u16) -> Option<Step> {
        if self.options_pending {
            if number != 0 {
                return None;
            }
            self.options_pending = false;
            return Some(self.proven(Step::Forward));
        }
        match self.window.acknowledge(number) {
            Progress::Ignore => None,
            Progress::Send => Some(self.proven(Step::Forward)),
            Progress::Done => Some(self.proven(Step::End(End::Complete))),
        }
    }

    /// The client has acknowledged something: its address is not forged.
    fn proven(&mut self, next: Step) -> Step {
        self.signals.prove();
        if self.may_go_on.take().is_none_or(|may_go_on| may_go_on()) {
            next
        } else {
            Step::End(End::Overtaken)
        }
    }
}

enum Step {
    Forward,
    TimedOut,
    End(End),
}

/// The content cut into blocks; of a firmware file one piece is kept.
struct Blocks {
    content: Content,
    blksize: u16,
    piece: Bytes,
    piece_start: u64,
}

impl Blocks {
    fn new(content: Content, blksize: u16) -> Self {
        Self {
            content,
            blksize,
            piece: Bytes::new(),
            piece_start: 0,
        }
    }

    /// Appends the bytes of a block, counted from 1; none beyond the end.
    async fn append(&mut self, block: u64, packet: &mut Vec<u8>) -> std::io::Result<()> {
        let start = block.saturating_sub(1) * u64::from(self.blksize);
        let end = (start + u64::from(self.blksize)).min(self.content.length());
        match self.content.clone() {
            Content::Generated(bytes) => append_range(&bytes, 0, start, end, packet),
            Content::Firmware(file) => self.append_of_file(&file, start, end, packet).await?,
        }
        Ok(())
    }

    async fn append_of_file(
        &mut self,
        file: &FirmwareFile,
        mut start: u64,
        end: u64,
        packet: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        while start < end {
            let piece_end = self.piece_start + self.piece.len() as u64;
            if start < self.piece_start || start >= piece_end {
                self.piece = file.piece(start).await?;
                self.piece_start = start;
                if self.piece.is_empty() {
                    return Err(std::io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            let until = end.min(piece_end);
            append_range(&self.piece, self.piece_start, start, until, packet);
            start = until;
        }
        Ok(())
    }
}

/// Appends `start..end` of bytes that begin at `origin`.
fn append_range(bytes: &Bytes, origin: u64, start: u64, end: u64, packet: &mut Vec<u8>) {
    let index = |at: u64| usize::try_from(at.saturating_sub(origin)).unwrap_or(usize::MAX);
    if let Some(range) = bytes.get(index(start)..index(end)) {
        packet.extend_from_slice(range);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_asked_for_options_are_granted_and_never_more_than_asked() {
        let asked = Options {
            blksize: Some(65_464),
            tsize: Some(0),
            timeout_s: None,
            windowsize: Some(100),
        };
        let granted = Options {
            blksize: Some(1_428),
            tsize: Some(5_000),
            timeout_s: None,
            windowsize: Some(16),
        };
        assert_eq!(grant(&asked, 5_000, 1_428), granted);
        let small = Options {
            blksize: Some(100),
            ..Options::default()
        };
        assert_eq!(grant(&small, 5_000, 1_428), small);
        assert!(grant(&Options::default(), 5_000, 1_428).is_empty());
        let patient = |timeout_s| Options {
            timeout_s: Some(timeout_s),
            ..Options::default()
        };
        assert_eq!(grant(&patient(8), 5_000, 1_428), patient(8));
        assert!(grant(&patient(9), 5_000, 1_428).is_empty(), "too long");
    }
}
