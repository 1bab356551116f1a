//! Phones that register: one program for every server under test, in a process of its own.
//!
//! It never sleeps while it measures, so that no server pays for waking it; a network would not
//! have to either.

use std::io::{IoSlice, IoSliceMut, Write as _};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};
use nix::sys::socket::{MsgFlags, MultiHeaders, SockaddrIn, recvmmsg, sendmmsg};

use super::processes::{Pinned, SENDER_CORE};
use super::site::{SIP_SECRET, first_number};

/// Requests under way at once: as many as the receive buffer of a server holds where the system
/// grants 208 kB (`net.core.rmem_max`).
const WINDOW: usize = 128;
/// Datagrams sent or taken with one call.
pub(crate) const BATCH: usize = 64;
/// Longest answer that is looked for.
const ANSWER_BYTES: usize = 2_048;
/// Silence after which what is under way is sent again.
const SILENCE: Duration = Duration::from_millis(500);
/// Silences in a row after which the server is taken for dead.
const SILENCES_MAX: u32 = 40;

/// The role of the child process.
pub(crate) const ROLE: &str = "phones";

/// Phones in a process of their own.
pub(crate) struct Phones(Pinned);

/// What some refreshes took.
pub(crate) struct Refreshed {
    pub(crate) elapsed_s: f64,
    /// Requests sent again after silence.
    pub(crate) repeated: u32,
}

impl Phones {
    /// Starts `count` phones that send from `local_port`, and registers each.
    pub(crate) fn start(local_port: u16, server: SocketAddr, count: u32) -> Self {
        let arguments = [
            local_port.to_string(),
            server.to_string(),
            count.to_string(),
        ];
        let arguments = arguments.each_ref().map(String::as_str);
        let mut phones = Self(Pinned::in_role(SENDER_CORE, ROLE, &arguments));
        assert_eq!(phones.0.line(), "registered");
        phones
    }

    /// Refreshes `count` registrations, one phone after the other.
    pub(crate) fn refresh(&mut self, count: u32) -> Refreshed {
        self.0.tell(&count.to_string());
        let line = self.0.line();
        let (elapsed_s, repeated) = line.split_once(' ').unwrap();
        Refreshed {
            elapsed_s: elapsed_s.parse().unwrap(),
            repeated: repeated.parse().unwrap(),
        }
    }
}

/// The child process.
pub(crate) fn run(arguments: &[String]) {
    let [local_port, server, count] = arguments else {
        panic!("{arguments:?}");
    };
    let mut batch = Batch::connected(local_port.parse().unwrap(), server.parse().unwrap());
    let count = count.parse().unwrap();
    let mut load = Load {
        via: format!("127.0.0.1:{local_port}").into_bytes(),
        phones: (0..count).map(Phone::new).collect(),
        next: 0,
        unsent: Vec::new(),
        answered: 0,
        repeated: 0,
        ha2: hex_md5(&[b"REGISTER:sip:127.0.0.1"]),
    };
    load.refresh(count, &mut batch);
    println!("registered");
    for line in std::io::stdin().lines() {
        let started = Instant::now();
        load.repeated = 0;
        load.refresh(line.unwrap().parse().unwrap(), &mut batch);
        println!("{} {}", started.elapsed().as_secs_f64(), load.repeated);
    }
}

struct Load {
    via: Vec<u8>,
    phones: Vec<Phone>,
    /// The phone whose turn it is.
    next: usize,
    /// Phones that must send again.
    unsent: Vec<usize>,
    answered: usize,
    repeated: u32,
    ha2: [u8; 32],
}

impl Load {
    /// Lets `count` phones register, one after the other.
    fn refresh(&mut self, count: u32, batch: &mut Batch) {
        let count = usize::try_from(count).unwrap();
        self.answered = 0;
        let mut begun = 0;
        let mut heard_at = Instant::now();
        let mut silences = 0;
        while self.answered < count {
            let heard = batch.receive(|answer| self.take(answer));
            while begun < count && begun - self.answered < WINDOW {
                let next = self.next;
                // A datagram was lost: without it nothing goes on.
                if self.phones[next].is_waiting {
                    break;
                }
                self.next = (next + 1) % self.phones.len();
                self.phones[next].begin();
                self.unsent.push(next);
                begun += 1;
            }
            self.send(batch);
            if heard {
                (heard_at, silences) = (Instant::now(), 0);
            } else if heard_at.elapsed() > SILENCE {
                silences += 1;
                assert!(
                    silences < SILENCES_MAX,
                    "no answer for {:?}",
                    SILENCE * silences
                );
                let waiting = (0..self.phones.len()).filter(|n| self.phones[*n].is_waiting);
                self.unsent.extend(waiting);
                self.repeated += u32::try_from(self.unsent.len()).unwrap();
                heard_at = Instant::now();
            } else {
                std::hint::spin_loop();
            }
        }
    }

    fn send(&mut self, batch: &mut Batch) {
        while !self.unsent.is_empty() {
            let size = self.unsent.len().min(BATCH);
            for (text, n) in batch.texts.iter_mut().zip(&self.unsent[..size]) {
                self.phones[*n].write(*n, &self.via, &self.ha2, text);
            }
            let sent = batch.send(size);
            self.unsent.drain(..sent);
        }
    }

    /// Reads an answer; requests of the server go unanswered.
    fn take(&mut self, answer: &[u8]) {
        if !answer.starts_with(b"SIP/2.0 ") {
            return;
        }
        let branch = memchr::memmem::find(answer, b"z9hG4bK").unwrap();
        let branch = &answer[branch + 7..];
        let (n, rest) = hex_number(branch);
        let (cseq, _) = hex_number(&rest[1..]);
        let n = usize::try_from(n).unwrap();
        let phone = &mut self.phones[n];
        if !phone.is_waiting || phone.cseq != cseq {
            return;
        }
        match &answer[8..11] {
            b"200" => {
                phone.is_waiting = false;
                self.answered += 1;
            }
            b"401" => {
                let nonce = memchr::memmem::find(answer, b"nonce=\"").unwrap();
                let nonce = &answer[nonce + 7..];
                let length = memchr::memchr(b'"', nonce).unwrap();
                phone.nonce = nonce[..length].into();
                phone.count = 0;
                phone.begin();
                self.unsent.push(n);
            }
            _ => panic!("{}", String::from_utf8_lossy(answer)),
        }
    }
}

struct Phone {
    ha1: [u8; 32],
    nonce: Box<[u8]>,
    count: u32,
    cseq: u32,
    is_waiting: bool,
}

impl Phone {
    fn new(n: u32) -> Self {
        let name = format!("SEP0000AA{n:06X}");
        Self {
            ha1: hex_md5(&[name.as_bytes(), b"ccmsipline", SIP_SECRET.as_bytes()]),
            nonce: Box::default(),
            count: 0,
            cseq: 101,
            is_waiting: false,
        }
    }

    fn begin(&mut self) {
        self.cseq += 1;
        self.count += u32::from(!self.nonce.is_empty());
        self.is_waiting = true;
    }

    /// Writes its REGISTER: that of the binding which the site has for it.
    fn write(&self, n: usize, via: &[u8], ha2: &[u8; 32], text: &mut Vec<u8>) {
        let cseq = self.cseq;
        let number = first_number() + n;
        text.clear();
        text.extend_from_slice(b"REGISTER sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP ");
        text.extend_from_slice(via);
        write!(text, ";branch=z9hG4bK{n:x}.{cseq:x};rport\r\n").unwrap();
        write!(text, "From: <sip:{number}@127.0.0.1>;tag=0011aabb\r\n").unwrap();
        write!(text, "To: <sip:{number}@127.0.0.1>\r\n").unwrap();
        let (high, low) = (n >> 16, n & 0xffff);
        write!(
            text,
            "Call-ID: 0000aa{high:02x}-{low:04x}0002-5dc1a8a7@127.0.0.1\r\n"
        )
        .unwrap();
        text.extend_from_slice(b"Max-Forwards: 70\r\nDate: Sat, 21 Nov 2026 12:00:00 GMT\r\n");
        write!(text, "CSeq: {cseq} REGISTER\r\n").unwrap();
        text.extend_from_slice(b"User-Agent: Cisco-CP7841/12.1.1\r\n");
        write!(text, "Contact: <sip:cccccccc-0000-4000-8000-{n:012x}").unwrap();
        text.extend_from_slice(b"@127.0.0.1:5060;transport=udp>;+sip.instance=\"");
        write!(text, "<urn:uuid:00000000-0000-0000-0000-0000aa{n:06x}>\"").unwrap();
        write!(
            text,
            ";+u.sip!devicename.ccm.cisco.com=\"SEP0000AA{n:06X}\""
        )
        .unwrap();
        text.extend_from_slice(b";+u.sip!model.ccm.cisco.com=\"622\"\r\n");
        if !self.nonce.is_empty() {
            let count = format!("{:08x}", self.count);
            let parts = [
                &self.ha1[..],
                &self.nonce,
                count.as_bytes(),
                b"c1",
                b"auth",
                ha2,
            ];
            write!(text, "Authorization: Digest username=\"SEP0000AA{n:06X}\"").unwrap();
            text.extend_from_slice(b",realm=\"ccmsipline\",uri=\"sip:127.0.0.1\",response=\"");
            text.extend_from_slice(&hex_md5(&parts));
            text.extend_from_slice(b"\",nonce=\"");
            text.extend_from_slice(&self.nonce);
            write!(
                text,
                "\",cnonce=\"c1\",qop=auth,nc={count},algorithm=MD5\r\n"
            )
            .unwrap();
        }
        text.extend_from_slice(
            b"Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,\
              X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
              X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0\r\n\
              Expires: 3600\r\nContent-Length: 0\r\n\r\n",
        );
    }
}

/// The socket, and buffers for several datagrams a call.
pub(crate) struct Batch {
    socket: UdpSocket,
    pub(crate) texts: Vec<Vec<u8>>,
    answers: Vec<u8>,
    headers: MultiHeaders<SockaddrIn>,
}

impl Batch {
    /// A socket on a port of loopback (0: any) that sends to `server`.
    pub(crate) fn connected(local_port: u16, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", local_port)).unwrap();
        socket.connect(server).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket2::SockRef::from(&socket)
            .set_recv_buffer_size(4 << 20)
            .unwrap();
        Self {
            socket,
            texts: (0..BATCH)
                .map(|_| Vec::with_capacity(ANSWER_BYTES))
                .collect(),
            answers: vec![0; BATCH * ANSWER_BYTES],
            headers: MultiHeaders::preallocate(BATCH, None),
        }
    }

    /// Its own address and port.
    pub(crate) fn local(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// Takes what waits; whether there was anything.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(&[u8])) -> bool {
        let mut lengths = [0; BATCH];
        let slots = self.answers.chunks_exact_mut(ANSWER_BYTES);
        let mut slots: Vec<[IoSliceMut<'_>; 1]> =
            slots.map(|slot| [IoSliceMut::new(slot)]).collect();
        let flags = MsgFlags::MSG_DONTWAIT;
        let fd = self.socket.as_raw_fd();
        let Ok(messages) = recvmmsg(fd, &mut self.headers, slots.iter_mut(), flags, None) else {
            return false;
        };
        let mut received = 0;
        for (message, length) in messages.zip(&mut lengths) {
            *length = message.bytes;
            received += 1;
        }
        for (answer, length) in self
            .answers
            .chunks_exact(ANSWER_BYTES)
            .zip(&lengths[..received])
        {
            take(&answer[..*length]);
        }
        received > 0
    }

    /// Sends the first `size` texts; how many were taken.
    pub(crate) fn send(&mut self, size: usize) -> usize {
        let slices: Vec<[IoSlice<'_>; 1]> = self.texts[..size]
            .iter()
            .map(|text| [IoSlice::new(text)])
            .collect();
        let nobody = [None; BATCH];
        let (fd, flags) = (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT);
        let sent = sendmmsg(fd, &mut self.headers, &slices, &nobody[..size], [], flags);
        // Refused: the server has not bound its port yet, or the buffer is full.
        sent.map_or(0, Iterator::count)
    }
}

/// The hexadecimal number that a text begins with, and what follows it.
pub(crate) fn hex_number(text: &[u8]) -> (u32, &[u8]) {
    let digits = text
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (digits, rest) = text.split_at(digits);
    let number = std::str::from_utf8(digits).unwrap();
    (u32::from_str_radix(number, 16).unwrap(), rest)
}

/// The digest of these parts with colons between them, in hexadecimal.
fn hex_md5(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Md5::new();
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            hasher.update(b":");
        }
        hasher.update(part);
    }
    let mut hex = [0; 32];
    for (pair, byte) in hex.chunks_exact_mut(2).zip(hasher.finalize()) {
        let digit = |value: u8| b"0123456789abcdef"[usize::from(value)];
        pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    hex
}
