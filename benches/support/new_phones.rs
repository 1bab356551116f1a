//! Phones that were never seen: a process of its own that lets each register once as a Cisco phone
//! out of the box does, takes its answer, and answers the restart that it is asked for.
//!
//! Like [`phones`](super::phones) it never sleeps while it measures.

use std::collections::VecDeque;
use std::io::Write as _;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::phones::{BATCH, Batch, hex_number};
use super::processes::{Pinned, SENDER_CORE};

/// Requests under way at once: two groups of as many as the product writes together, one that is
/// being written and one that waits.
const WINDOW: usize = 512;
/// A phone that hears nothing for so long sends again. Source: RFC 3261 timer E, T1 = 500 ms; the
/// second time a phone would wait longer.
const RESEND: Duration = Duration::from_millis(500);
/// Times in a row that nothing at all came before the server is taken for dead.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// The role of the child process.
pub(crate) const ROLE: &str = "new-phones";

/// What the phones met.
pub(crate) struct Registered {
    /// From the first REGISTER to the last 200.
    pub(crate) elapsed_s: f64,
    /// Requests sent again.
    pub(crate) repeated: u32,
    /// Restarts that phones were asked for, and said yes to, meanwhile.
    pub(crate) restarts: u32,
}

/// Lets `count` phones that were never seen register at `server`.
pub(crate) fn register(server: SocketAddr, count: u32) -> Registered {
    let arguments = [server.to_string(), count.to_string()];
    let arguments = arguments.each_ref().map(String::as_str);
    let mut phones = Pinned::in_role(SENDER_CORE, ROLE, &arguments);
    let line = phones.line();
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap();
    Registered {
        elapsed_s: word().parse().unwrap(),
        repeated: word().parse().unwrap(),
        restarts: word().parse().unwrap(),
    }
}

/// The child process.
pub(crate) fn run(arguments: &[String]) {
    let [server, count] = arguments else {
        panic!("{arguments:?}");
    };
    let mut batch = Batch::connected(0, server.parse().unwrap());
    let count = count.parse().unwrap();
    let mut storm = Storm {
        own: batch.local().to_string(),
        is_waiting: vec![false; count],
        sent: VecDeque::new(),
        unsent: Vec::new(),
        replies: Vec::new(),
        answered: 0,
        repeated: 0,
        restarts: 0,
    };
    let started = Instant::now();
    storm.run(&mut batch);
    let elapsed_s = started.elapsed().as_secs_f64();
    println!("{elapsed_s} {} {}", storm.repeated, storm.restarts);
}

struct Storm {
    /// Our address and port.
    own: String,
    /// Whether each phone that has begun waits for its answer.
    is_waiting: Vec<bool>,
    /// When who sent, in this order.
    sent: VecDeque<(Instant, usize)>,
    unsent: Vec<usize>,
    /// Answers to what the server asks.
    replies: Vec<Vec<u8>>,
    answered: usize,
    repeated: u32,
    restarts: u32,
}

impl Storm {
    fn run(&mut self, batch: &mut Batch) {
        let count = self.is_waiting.len();
        let mut begun = 0;
        let mut heard_at = Instant::now();
        while self.answered < count {
            if batch.receive(|message| self.take(message)) {
                heard_at = Instant::now();
            }
            assert!(heard_at.elapsed() < SILENCE_MAX, "the server is silent");
            while begun < count && begun - self.answered < WINDOW {
                self.is_waiting[begun] = true;
                self.unsent.push(begun);
                begun += 1;
            }
            self.repeat();
            self.send(batch);
            std::hint::spin_loop();
        }
    }

    /// Lets those send again that have waited for too long.
    fn repeat(&mut self) {
        while let Some(&(at, n)) = self.sent.front()
            && at.elapsed() >= RESEND
        {
            self.sent.pop_front();
            if self.is_waiting[n] {
                self.unsent.push(n);
                self.repeated += 1;
            }
        }
    }

    fn send(&mut self, batch: &mut Batch) {
        while !self.replies.is_empty() {
            let size = self.replies.len().min(BATCH);
            for (text, reply) in batch.texts.iter_mut().zip(&self.replies[..size]) {
                text.clone_from(reply);
            }
            let sent = batch.send(size);
            self.replies.drain(..sent);
        }
        while !self.unsent.is_empty() {
            let size = self.unsent.len().min(BATCH);
            for (text, n) in batch.texts.iter_mut().zip(&self.unsent[..size]) {
                write(*n, &self.own, text);
            }
            let sent = batch.send(size);
            let now = Instant::now();
            self.sent
                .extend(self.unsent.drain(..sent).map(|n| (now, n)));
        }
    }

    fn take(&mut self, message: &[u8]) {
        if message.starts_with(b"NOTIFY ") {
            self.replies.push(yes(message));
            self.restarts += 1;
            return;
        }
        let text = || String::from_utf8_lossy(message);
        assert!(message.starts_with(b"SIP/2.0 "), "{}", text());
        if message[8] == b'1' {
            return;
        }
        let branch = memchr::memmem::find(message, b"z9hG4bK").unwrap();
        let (n, _) = hex_number(&message[branch + 7..]);
        let is_waiting = &mut self.is_waiting[usize::try_from(n).unwrap()];
        if !std::mem::take(is_waiting) {
            return;
        }
        // A phone out of the box is granted its registration, and told that it is a new one.
        let says = |words: &[u8]| memchr::memmem::find(message, words).is_some();
        assert!(
            &message[8..11] == b"200" && says(b";x-cisco-newreg") && says(b"\r\nExpires: "),
            "{}",
            text()
        );
        self.answered += 1;
    }
}

/// The 200 to a request: what identifies it comes back as it was.
fn yes(request: &[u8]) -> Vec<u8> {
    let mut reply = b"SIP/2.0 200 OK\r\n".to_vec();
    for line in String::from_utf8_lossy(request).split("\r\n") {
        let is_copied = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"]
            .iter()
            .any(|name| line.starts_with(name));
        if is_copied {
            let tag = if line.starts_with("To:") {
                ";tag=0011ccdd"
            } else {
                ""
            };
            write!(reply, "{line}{tag}\r\n").unwrap();
        }
    }
    reply.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    reply
}

/// Writes the REGISTER of the n-th phone. Source: capture of a CP-7841 out of the box.
fn write(n: usize, own: &str, text: &mut Vec<u8>) {
    text.clear();
    write!(
        text,
        "REGISTER sip:127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/UDP {own};branch=z9hG4bK{n:x};rport\r\n\
         From: <sip:AUTO-REG@127.0.0.1>;tag=0011aabb{n:06x}\r\n\
         To: <sip:AUTO-REG@127.0.0.1>\r\n\
         Call-ID: 0000cc{n:06x}-0001-2f5a8d13@127.0.0.1\r\n\
         Max-Forwards: 70\r\n\
         Date: Sat, 21 Nov 2026 12:00:00 GMT\r\n\
         CSeq: 101 REGISTER\r\n\
         User-Agent: Cisco-CP7841/12.5.1\r\n\
         Contact: <sip:cccccccc-0000-4000-8000-{n:012x}@{own};transport=udp>\
         ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0000cc{n:06x}>\"\
         ;+u.sip!devicename.ccm.cisco.com=\"SEP0000CC{n:06X}\"\
         ;+u.sip!model.ccm.cisco.com=\"622\"\r\n\
         Supported: replaces,join,sdp-anat,norefersub,resource-priority,extended-refer,\
         X-cisco-callinfo,X-cisco-serviceuri,X-cisco-escapecodes,X-cisco-service-control,\
         X-cisco-srtp-fallback,X-cisco-monrec,X-cisco-config,X-cisco-sis-7.0.0\r\n\
         Reason: SIP;cause=200;text=\"cisco-alarm:25 Name=SEP0000CC{n:06X} \
         ActiveLoad=sip78xx.12-5-1 InactiveLoad=sip78xx.12-1-1 Last=initialized\"\r\n\
         Expires: 3600\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .unwrap();
}
