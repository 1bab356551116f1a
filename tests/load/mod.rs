//! Many phones on one socket, each sending its next REGISTER as soon as it has the answer to the
//! last. Plain sockets and hand-written SIP: nothing of the program.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use md5::{Digest as _, Md5};

/// REGISTERs of one socket that wait for their answers.
const WINDOW: usize = 32;

/// Silence after which what waits is sent again. Source: RFC 3261, timer T1.
const RETRANSMIT_AFTER: Duration = Duration::from_millis(500);

/// What a phone counts its requests from.
const FIRST_CSEQ: u32 = 100;

/// Longest wait for an answer that must come.
const DEADLINE: Duration = Duration::from_mins(1);

/// A phone.
#[derive(Debug, Clone)]
pub(crate) struct Handset {
    pub(crate) mac: String,
    /// The line it registers.
    pub(crate) number: String,
    /// Digest secret; the user is the device name.
    pub(crate) secret: Option<String>,
    nonce: Option<String>,
    nonce_count: u32,
    /// Counts up; a part of the Call-ID.
    pub(crate) boot: u32,
    cseq: u32,
    /// The Call-ID and Contact of the last REGISTER that was answered 200.
    pub(crate) granted: Option<Registration>,
    /// The same of a REGISTER whose answer did not come: it may or may not stand.
    pub(crate) in_flight: Option<Registration>,
}

/// What a binding is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) call_id: String,
    pub(crate) contact: String,
}

impl Handset {
    /// A phone that nobody has seen.
    pub(crate) fn new(mac: String) -> Self {
        Self {
            mac,
            number: "AUTO-REG".to_owned(),
            secret: None,
            nonce: None,
            nonce_count: 0,
            boot: 1,
            cseq: FIRST_CSEQ,
            granted: None,
            in_flight: None,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("SEP{}", self.mac)
    }

    /// The phone boots, maybe at another address: its next REGISTER has another Call-ID.
    pub(crate) fn boots(&mut self) {
        self.boot += 1;
        self.nonce = None;
    }

    /// How many REGISTERs it has sent, those not counted that were sent again.
    pub(crate) fn sent(&self) -> u64 {
        u64::from(self.cseq - FIRST_CSEQ)
    }

    fn registration(&self, local: SocketAddr) -> Registration {
        let mac = self.mac.to_lowercase();
        let contact = format!(
            "<sip:{mac}@{local};transport=udp>;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-\
             {mac}>\";+u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"622\"",
            self.name()
        );
        Registration {
            call_id: format!("{mac}-{}@{}", self.boot, local.ip()),
            contact,
        }
    }

    /// The text of its next REGISTER.
    fn register(&mut self, local: SocketAddr) -> String {
        let Registration { call_id, contact } = self.registration(local);
        self.cseq += 1;
        let (number, mac, cseq) = (&self.number, &self.mac, self.cseq);
        let mut text = format!(
            "REGISTER sip:127.0.0.1 SIP/2.0\r\n\
             Via: SIP/2.0/UDP {local};branch=z9hG4bK{mac}{cseq}\r\n\
             From: <sip:{number}@127.0.0.1>;tag={mac}\r\nTo: <sip:{number}@127.0.0.1>\r\n\
             Call-ID: {call_id}\r\nMax-Forwards: 70\r\nCSeq: {cseq} REGISTER\r\n\
             User-Agent: Cisco-CP7841/12.5.1\r\nContact: {contact}\r\nExpires: 120\r\n"
        );
        if let Some(authorization) = self.authorization() {
            write!(text, "Authorization: {authorization}\r\n").unwrap();
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        text
    }

    /// Source: RFC 2617 clause 3.2.2, `qop=auth`.
    fn authorization(&mut self) -> Option<String> {
        let (secret, nonce) = (self.secret.as_ref()?, self.nonce.as_ref()?);
        self.nonce_count += 1;
        let (user, count) = (self.name(), self.nonce_count);
        let ha1 = hash(&format!("{user}:ccmsipline:{secret}"));
        let ha2 = hash("REGISTER:sip:127.0.0.1");
        let response = hash(&format!("{ha1}:{nonce}:{count:08x}:c1:auth:{ha2}"));
        Some(format!(
            "Digest username=\"{user}\",realm=\"ccmsipline\",uri=\"sip:127.0.0.1\",\
             response=\"{response}\",nonce=\"{nonce}\",cnonce=\"c1\",qop=auth,nc={count:08x},\
             algorithm=MD5"
        ))
    }

    fn take_challenge(&mut self, answer: &str) {
        let nonce = answer.split_once("nonce=\"").unwrap().1;
        self.nonce = Some(nonce.split('"').next().unwrap().to_owned());
        self.nonce_count = 0;
    }
}

fn hash(text: &str) -> String {
    let digest: [u8; 16] = Md5::digest(text).into();
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// The value of a header field.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> &'a str {
    message
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map_or("", |(_, value)| value.trim())
}

fn status(message: &str) -> Option<u16> {
    message.strip_prefix("SIP/2.0 ")?.get(..3)?.parse().ok()
}

/// What all sockets of a storm share.
#[derive(Debug, Default)]
pub(crate) struct Storm {
    /// How many REGISTERs were answered 200.
    pub(crate) granted: AtomicUsize,
    /// Nothing more is sent; what has arrived is still read.
    pub(crate) is_over: AtomicBool,
}

/// A socket and the phones behind it.
pub(crate) struct Site {
    socket: UdpSocket,
    pub(crate) local: SocketAddr,
    server: SocketAddr,
}

impl Site {
    /// A socket on an address of its own.
    pub(crate) fn new(address: IpAddr, server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.set_read_timeout(Some(RETRANSMIT_AFTER)).unwrap();
        let local = socket.local_addr().unwrap();
        Self {
            socket,
            local,
            server,
        }
    }

    fn send(&self, text: &str) {
        // While the service is away the system may say so: the phone sends again.
        let _ = self.socket.send_to(text.as_bytes(), self.server);
    }

    fn receive(&self) -> Option<String> {
        let mut buffer = [0; 4_096];
        let length = self.socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// Registers phones of `next` until the storm is over; gives every phone that sent something.
    /// A phone that was granted goes to `granted`, which may send it again.
    pub(crate) fn register(
        &self,
        storm: &Storm,
        mut next: impl FnMut() -> Option<Handset>,
        mut granted: impl FnMut(Handset) -> Option<Handset>,
    ) -> Vec<Handset> {
        let mut waiting: HashMap<String, (Handset, String)> = HashMap::new();
        let mut again = VecDeque::new();
        let mut done = Vec::new();
        loop {
            let is_over = storm.is_over.load(Ordering::SeqCst);
            while !is_over && waiting.len() < WINDOW {
                let Some(mut handset) = again.pop_front().or_else(&mut next) else {
                    break;
                };
                let text = handset.register(self.local);
                self.send(&text);
                let registration = handset.registration(self.local);
                handset.in_flight = Some(registration.clone());
                waiting.insert(registration.call_id, (handset, text));
            }
            let Some(message) = self.receive() else {
                if is_over {
                    break;
                }
                for (_, text) in waiting.values() {
                    self.send(text);
                }
                continue;
            };
            let Some(status) = status(&message) else {
                continue; // A restart asked for by NOTIFY; this phone is slow to boot.
            };
            let Some((mut handset, text)) = waiting.remove(header(&message, "Call-ID")) else {
                continue;
            };
            match status {
                200 => {
                    storm.granted.fetch_add(1, Ordering::SeqCst);
                    handset.granted = handset.in_flight.take();
                    done.push(handset.clone());
                    again.extend(granted(handset));
                }
                401 => {
                    handset.take_challenge(&message);
                    again.push_back(handset);
                }
                // Busy, or the fetched file is not noted in memory yet: sent again with what waits.
                403 | 503 => {
                    let call_id = header(&message, "Call-ID").to_owned();
                    waiting.insert(call_id, (handset, text));
                }
                _ => panic!("{message}"),
            }
        }
        done.extend(again);
        done.extend(waiting.into_values().map(|(handset, _)| handset));
        done
    }

    /// Refreshes a phone's registration as it was granted and gives the answer, which is 200.
    pub(crate) fn refresh(&self, handset: &mut Handset) -> String {
        let mut text = handset.register(self.local);
        self.send(&text);
        let deadline = Instant::now() + DEADLINE;
        while Instant::now() < deadline {
            let Some(message) = self.receive() else {
                self.send(&text);
                continue;
            };
            let is_answer = header(&message, "Call-ID") == header(&text, "Call-ID")
                && header(&message, "CSeq") == header(&text, "CSeq");
            match status(&message) {
                Some(401) if is_answer && handset.secret.is_some() => {
                    handset.take_challenge(&message);
                    text = handset.register(self.local);
                    self.send(&text);
                }
                Some(status) if is_answer && status != 503 => return message,
                // Busy, an answer to something earlier, or a restart asked for.
                _ => {}
            }
        }
        panic!("no answer to the refresh of {}", handset.name());
    }
}
