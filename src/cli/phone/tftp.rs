//! A TFTP client as a phone has one: read requests in octet mode with `blksize` and `tsize`.
//!
//! Source: RFC 1350, 2347, 2348, 2349.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// The block size a phone asks for, in bytes.
const BLOCK_SIZE: usize = 1_428;

/// The block size without negotiation, in bytes.
const BLOCK_SIZE_DEFAULT: usize = 512;

/// How long an answer is waited for before the last packet is sent again.
const RETRANSMIT_AFTER: Duration = Duration::from_secs(1);

/// How often the last packet is sent at most before the server counts as away.
const SENDS_MAX: u32 = 5;

/// Largest file in bytes that is taken: configuration, not firmware.
const FILE_BYTES_MAX: usize = 16 << 20;

/// Largest packet in bytes.
const PACKET_BYTES_MAX: usize = 65_536;

const READ_REQUEST: u16 = 1;
const DATA: u16 = 3;
const ACKNOWLEDGEMENT: u16 = 4;
const ERROR: u16 = 5;
const OPTIONS: u16 = 6;

/// Error code 1 of RFC 1350.
const FILE_NOT_FOUND: u16 = 1;

/// Why a file did not come.
#[derive(Debug, thiserror::Error)]
pub enum TftpError {
    /// The server says there is no such file.
    #[error("file not found")]
    NotFound,
    /// The server refused with another code.
    #[error("the server refused with error {code}: {text}")]
    Refused {
        /// RFC 1350's error code.
        code: u16,
        /// The server's words.
        text: String,
    },
    /// Nobody answered.
    #[error("no answer from {0}: is the TFTP door open there?")]
    NoAnswer(SocketAddr),
    /// The answer breaks the protocol.
    #[error("the server broke the protocol: {0}")]
    Protocol(&'static str),
    /// The system's network failed.
    #[error("network: {0}")]
    Network(#[from] std::io::Error),
}

/// Fetches a file.
///
/// # Errors
///
/// The server refused, did not answer, or broke the protocol.
pub async fn fetch(server: SocketAddr, name: &str) -> Result<Vec<u8>, TftpError> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let mut transfer = Transfer {
        socket: UdpSocket::bind(any).await?,
        peer: server,
        // The answer comes from a port of its own, which then stays (RFC 1350 section 4).
        peer_fixed: false,
        last_sent: read_request(name),
        block_size: BLOCK_SIZE_DEFAULT,
        next_block: 1,
        file: Vec::new(),
    };
    transfer.run().await?;
    Ok(transfer.file)
}

fn read_request(name: &str) -> Vec<u8> {
    let mut packet = READ_REQUEST.to_be_bytes().to_vec();
    for text in [
        name,
        "octet",
        "blksize",
        &BLOCK_SIZE.to_string(),
        "tsize",
        "0",
    ] {
        packet.extend_from_slice(text.as_bytes());
        packet.push(0);
    }
    packet
}

struct Transfer {
    socket: UdpSocket,
    peer: SocketAddr,
    peer_fixed: bool,
    last_sent: Vec<u8>,
    block_size: usize,
    next_block: u16,
    file: Vec<u8>,
}

impl Transfer {
    async fn run(&mut self) -> Result<(), TftpError> {
        let mut buffer = vec![0_u8; PACKET_BYTES_MAX];
        loop {
            let length = self.exchange(&mut buffer).await?;
            let packet = buffer.get(..length).unwrap_or_default();
            if self.take(packet)? {
                // The last acknowledgement is not answered.
                self.socket.send_to(&self.last_sent, self.peer).await?;
                return Ok(());
            }
        }
    }

    /// Sends the last packet, again when nothing comes, and gives the length of the answer.
    async fn exchange(&mut self, buffer: &mut [u8]) -> Result<usize, TftpError> {
        for _ in 0..SENDS_MAX {
            self.socket.send_to(&self.last_sent, self.peer).await?;
            let deadline = Instant::now() + RETRANSMIT_AFTER;
            while let Ok(received) = timeout_at(deadline, self.socket.recv_from(buffer)).await {
                let (length, from) = received?;
                if !self.peer_fixed && from.ip() == self.peer.ip() {
                    (self.peer, self.peer_fixed) = (from, true);
                }
                let packet = buffer.get(..length).unwrap_or_default();
                if from == self.peer && !self.is_duplicate(packet) {
                    return Ok(length);
                }
            }
        }
        Err(TftpError::NoAnswer(self.peer))
    }

    /// A data block that was already taken: acknowledging it again would double the traffic.
    fn is_duplicate(&self, packet: &[u8]) -> bool {
        word(packet, 0) == Some(DATA) && word(packet, 2) != Some(self.next_block)
    }

    /// Takes one packet; true when it was the last block.
    fn take(&mut self, packet: &[u8]) -> Result<bool, TftpError> {
        match word(packet, 0) {
            Some(OPTIONS) if self.file.is_empty() => {
                self.block_size = granted_block_size(packet.get(2..).unwrap_or_default())?;
                self.acknowledge(0);
                Ok(false)
            }
            Some(DATA) => {
                let data = packet
                    .get(4..)
                    .ok_or(TftpError::Protocol("a short data packet"))?;
                self.file.extend_from_slice(data);
                if self.file.len() > FILE_BYTES_MAX {
                    return Err(TftpError::Protocol("the file is too large"));
                }
                self.acknowledge(self.next_block);
                self.next_block = self.next_block.wrapping_add(1);
                Ok(data.len() < self.block_size)
            }
            Some(ERROR) => Err(refusal(packet)),
            _ => Err(TftpError::Protocol("an unexpected packet")),
        }
    }

    fn acknowledge(&mut self, block: u16) {
        let mut packet = ACKNOWLEDGEMENT.to_be_bytes().to_vec();
        packet.extend_from_slice(&block.to_be_bytes());
        self.last_sent = packet;
    }
}

fn word(packet: &[u8], at: usize) -> Option<u16> {
    let bytes = packet.get(at..at + 2)?;
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}

fn granted_block_size(options: &[u8]) -> Result<usize, TftpError> {
    let mut words = options.split(|byte| *byte == 0);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        if name.eq_ignore_ascii_case(b"blksize") {
            let size = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok());
            return size
                .filter(|size| (8..=BLOCK_SIZE).contains(size))
                .ok_or(TftpError::Protocol(
                    "it granted a block size that was not asked for",
                ));
        }
    }
    Ok(BLOCK_SIZE_DEFAULT)
}

fn refusal(packet: &[u8]) -> TftpError {
    match word(packet, 2) {
        Some(FILE_NOT_FOUND) => TftpError::NotFound,
        code => {
            let text = packet.get(4..).unwrap_or_default();
            let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
            TftpError::Refused {
                code: code.unwrap_or(0),
                text: String::from_utf8_lossy(text).into_owned(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers one transfer with these packets, one after each packet received.
    async fn server(answers: Vec<Vec<u8>>) -> (SocketAddr, tokio::task::JoinHandle<Vec<Vec<u8>>>) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let mut received = Vec::new();
            let mut buffer = [0; 2048];
            for answer in answers {
                let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
                received.push(buffer[..length].to_vec());
                socket.send_to(&answer, from).await.unwrap();
            }
            received
        });
        (address, task)
    }

    fn data(block: u16, bytes: &[u8]) -> Vec<u8> {
        [&DATA.to_be_bytes()[..], &block.to_be_bytes(), bytes].concat()
    }

    #[tokio::test]
    async fn a_file_is_fetched_with_the_granted_block_size() {
        let options = [
            &OPTIONS.to_be_bytes()[..],
            b"blksize\x008\x00tsize\x0010\x00",
        ]
        .concat();
        let (address, task) = server(vec![options, data(1, b"12345678"), data(2, b"90")]).await;
        assert_eq!(fetch(address, "SEP1.cnf.xml").await.unwrap(), b"1234567890");
        let received = task.await.unwrap();
        assert!(received[0].starts_with(b"\x00\x01SEP1.cnf.xml\x00octet\x00blksize\x00"));
        assert_eq!(received[1], [0, 4, 0, 0]);
        assert_eq!(received[2], [0, 4, 0, 1]);
    }

    #[tokio::test]
    async fn a_repeated_block_is_taken_once_and_errors_are_told_apart() {
        let block = vec![b'x'; 512];
        let (address, _task) = server(vec![data(1, &block), data(2, b"end")]).await;
        assert_eq!(fetch(address, "f").await.unwrap().len(), 515);
        let (address, _task) = server(vec![b"\x00\x05\x00\x01File not found\x00".to_vec()]).await;
        assert!(matches!(
            fetch(address, "f").await,
            Err(TftpError::NotFound)
        ));
        let (address, _task) = server(vec![b"\x00\x05\x00\x02No\x00".to_vec()]).await;
        let error = fetch(address, "f").await.unwrap_err().to_string();
        assert_eq!(error, "the server refused with error 2: No");
    }
}
