//! Several datagrams a system call: what waits is taken with one, what it led to is sent with one.
//!
//! At a full window the calls cost more than the registrar; with one datagram under way nothing is
//! held back for another.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::ops::Range;
use std::os::fd::AsRawFd;

use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrStorage, recvmmsg, sendmmsg};

use crate::server::sip::message::MESSAGE_BYTES_MAX;

/// Datagrams taken with one call, before other tasks of the thread get a turn.
pub(super) const BATCH_MAX: usize = 64;

/// Datagrams asked for when the last call found few: preparing for more costs time as well.
const BATCH_MIN: usize = 4;

/// Bytes from one buffer to the next. Not a power of two: the starts of all messages would share
/// a few lines of the processor's caches.
const SLOT_BYTES: usize = MESSAGE_BYTES_MAX + 17 * 64;

/// Bytes kept for the next batch's answers; one large answer is not kept for ever.
const KEPT_BYTES: usize = 256 * 1024;

/// Datagrams that were received and are to be looked at.
pub(super) struct Inbox {
    /// One slot a datagram; memory that no datagram ever reached is not resident.
    bytes: Vec<u8>,
    received: Vec<(usize, SocketAddr)>,
    asked: usize,
}

impl Inbox {
    /// Room for [`BATCH_MAX`] datagrams of any size.
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; BATCH_MAX * SLOT_BYTES],
            received: Vec::with_capacity(BATCH_MAX),
            asked: BATCH_MIN,
        }
    }

    /// Takes the datagrams that wait on `socket`, which must not block, in place of the last ones.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::WouldBlock`] when none is left: what was received
    /// stands in the inbox even then.
    pub(super) fn fill(&mut self, socket: &impl AsRawFd) -> io::Result<()> {
        self.asked = (self.received.len() * 2).clamp(BATCH_MIN, BATCH_MAX);
        self.received.clear();
        let slots = self.bytes.chunks_exact_mut(SLOT_BYTES).take(self.asked);
        let mut slots: Vec<[IoSliceMut<'_>; 1]> = slots
            .map(|slot| [IoSliceMut::new(&mut slot[..MESSAGE_BYTES_MAX])])
            .collect();
        let mut headers = MultiHeaders::<SockaddrStorage>::preallocate(self.asked, None);
        let messages = recvmmsg(
            socket.as_raw_fd(),
            &mut headers,
            slots.iter_mut(),
            MsgFlags::MSG_DONTWAIT,
            None,
        )?;
        for message in messages {
            // A datagram without a sender cannot be answered; its place is kept with no bytes.
            let source = message.address.as_ref().and_then(socket_address);
            let source = source.map(|source| (message.bytes, source));
            self.received
                .push(source.unwrap_or((0, SocketAddr::from(([0; 4], 0)))));
        }
        if self.received.len() < self.asked {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(())
    }

    /// The datagrams with their senders.
    pub(super) fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let slots = self.bytes.chunks_exact(SLOT_BYTES);
        slots
            .zip(&self.received)
            .map(|(slot, (length, source))| (slot.get(..*length).unwrap_or_default(), *source))
    }
}

fn socket_address(address: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(SocketAddrV4::from(*v4).into());
    }
    let v6 = address.as_sockaddr_in6()?;
    Some(SocketAddrV6::from(*v6).into())
}

/// Datagrams that wait to be sent with one call.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    datagrams: Vec<(Range<usize>, Option<SockaddrStorage>)>,
}

impl Outbox {
    /// Adds a datagram to `to`.
    pub(super) fn push(&mut self, bytes: &[u8], to: SocketAddr) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.datagrams
            .push((start..self.bytes.len(), Some(to.into())));
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.datagrams.is_empty()
    }

    /// Sends what waits, as many as the system takes at once; the rest stays.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] when the system's buffer is full. Another error is that of
    /// the first datagram, which is dropped as any datagram may be lost.
    pub(super) fn flush(&mut self, socket: &impl AsRawFd) -> io::Result<()> {
        while !self.datagrams.is_empty() {
            match self.send_some(socket) {
                Ok(sent) => drop(self.datagrams.drain(..sent)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                Err(error) => {
                    self.datagrams.remove(0);
                    tracing::debug!(%error, "cannot send a SIP datagram");
                }
            }
        }
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        Ok(())
    }

    fn send_some(&self, socket: &impl AsRawFd) -> io::Result<usize> {
        let addresses: Vec<_> = self.datagrams.iter().map(|(_, to)| *to).collect();
        let slices: Vec<[IoSlice<'_>; 1]> = self
            .datagrams
            .iter()
            .map(|(range, _)| {
                [IoSlice::new(
                    self.bytes.get(range.clone()).unwrap_or_default(),
                )]
            })
            .collect();
        let mut headers = MultiHeaders::preallocate(slices.len(), None);
        let flags = MsgFlags::MSG_DONTWAIT;
        let sent = sendmmsg(
            socket.as_raw_fd(),
            &mut headers,
            &slices,
            &addresses,
            [],
            flags,
        )?;
        Ok(sent.count())
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    fn pair(address: &str) -> (UdpSocket, UdpSocket) {
        let sockets = (
            UdpSocket::bind(address).unwrap(),
            UdpSocket::bind(address).unwrap(),
        );
        sockets.0.set_nonblocking(true).unwrap();
        sockets
    }

    #[test]
    fn datagrams_of_every_size_are_taken_in_order_with_their_sender() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (ours, theirs) = pair(address);
            let sizes = [0, 1, 1_200, 65_000, 7, 40_000];
            for size in sizes {
                theirs
                    .send_to(&vec![b'x'; size], ours.local_addr().unwrap())
                    .unwrap();
            }
            let mut inbox = Inbox::new();
            let mut seen = Vec::new();
            loop {
                let filled = inbox.fill(&ours);
                seen.extend(inbox.datagrams().map(|(bytes, source)| {
                    assert!(bytes.iter().all(|byte| *byte == b'x'));
                    assert_eq!(source, theirs.local_addr().unwrap());
                    bytes.len()
                }));
                if let Err(error) = filled {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    break;
                }
            }
            assert_eq!(seen, sizes);
            assert!(inbox.fill(&ours).is_err() && inbox.datagrams().count() == 0);
        }
    }

    #[test]
    fn the_next_call_asks_for_more_when_many_wait() {
        let (ours, theirs) = pair("127.0.0.1:0");
        for _ in 0..40 {
            theirs.send_to(b"x", ours.local_addr().unwrap()).unwrap();
        }
        let mut inbox = Inbox::new();
        let mut counts = Vec::new();
        while inbox.fill(&ours).is_ok() {
            counts.push(inbox.datagrams().count());
        }
        counts.push(inbox.datagrams().count());
        assert_eq!(counts, [4, 8, 16, 12]);
    }

    #[test]
    fn what_cannot_be_sent_does_not_hold_back_what_follows() {
        let (ours, theirs) = pair("127.0.0.1:0");
        let to = theirs.local_addr().unwrap();
        let mut outbox = Outbox::default();
        // Longer than any datagram, and to nowhere: the system refuses both.
        outbox.push(&vec![0; 70_000], to);
        outbox.push(b"a", to);
        outbox.push(b"b", "127.0.0.1:0".parse().unwrap());
        outbox.push(b"c", to);
        outbox.flush(&ours).unwrap();
        assert!(outbox.is_empty());
        let mut buffer = [0; 8];
        for expected in [b"a", b"c"] {
            let (length, _) = theirs.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected);
        }
    }
}
