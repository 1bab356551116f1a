//! One registration with one `CallManager`: REGISTER and its answers over one connection.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::config::{CallManager, Line, Transport};
use super::sip::link::Link;
use super::sip::message::{Message, StartLine};
use super::sip::registration::{Cause, Challenge, Identity, Register, granted_s};
use crate::domain::device::MacAddress;
use crate::domain::phone_model::PhoneModel;

/// First pause before a REGISTER is sent again over UDP (RFC 3261 timer T1).
const T1: Duration = Duration::from_millis(500);

/// Longest pause between two of them (timer T2).
const T2: Duration = Duration::from_secs(4);

/// How long an answer is waited for (64 T1).
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(32);

/// How long a phone that goes down waits for the answer to its last REGISTER.
const UNREGISTER_TIMEOUT: Duration = Duration::from_secs(2);

/// How often a challenge is answered before the phone gives up: once, and once more for a nonce
/// that was too old.
const ANSWERS_MAX: u32 = 2;

/// Most requests kept while an answer is waited for; further ones are lost, as in a phone.
const WAITING_MAX: usize = 16;

/// What became of a REGISTER.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted.
    Registered {
        /// Seconds granted.
        expires_s: u32,
        /// Whether digest credentials were used.
        authenticated: bool,
    },
    /// Refused.
    Rejected {
        /// The SIP status.
        status: u16,
        /// Its words.
        reason: String,
        /// `Retry-After`, in seconds.
        retry_after_s: Option<u64>,
    },
}

/// A connection and the registration on it.
#[derive(Debug)]
pub struct Session {
    link: Link,
    identity: Identity,
    sequence: u32,
    random: fn() -> [u8; 8],
    waiting: VecDeque<Message>,
}

impl Session {
    /// A session on a connection to `node`; nothing is registered yet.
    pub fn new(
        link: Link,
        node: &CallManager,
        mac: MacAddress,
        model: &'static PhoneModel,
        line: Line,
        random: fn() -> [u8; 8],
    ) -> Self {
        let identity = Identity {
            mac,
            model,
            line,
            host: node.host.clone(),
            local: link.local,
            transport: link.transport(),
            call_id: Identity::new_call_id(mac, random(), link.local),
            tag: hex(random()),
        };
        Self {
            link,
            identity,
            sequence: 100,
            random,
            waiting: VecDeque::new(),
        }
    }

    /// The Call-ID of the registration, which a NOTIFY must name.
    pub fn call_id(&self) -> &str {
        &self.identity.call_id
    }

    /// Registers or refreshes, answering one challenge.
    ///
    /// # Errors
    ///
    /// No answer, or the connection is gone.
    pub async fn register(&mut self, expires_s: u32, cause: Option<Cause>) -> io::Result<Outcome> {
        let deadline = Instant::now() + TRANSACTION_TIMEOUT;
        let mut authorization = None;
        for _ in 0..=ANSWERS_MAX {
            let response = self
                .transact(expires_s, cause, authorization.as_deref(), deadline)
                .await?;
            let StartLine::Response { status, reason } = &response.start else {
                continue;
            };
            match status {
                200..300 => {
                    return Ok(Outcome::Registered {
                        expires_s: granted_s(&response, expires_s),
                        authenticated: authorization.is_some(),
                    });
                }
                401 | 407 => match self.answer(&response, authorization.is_some()) {
                    Some(answer) => authorization = Some(answer),
                    None => return Ok(rejected(&response, *status, reason)),
                },
                _ => return Ok(rejected(&response, *status, reason)),
            }
        }
        Err(io::Error::other("the server challenges again and again"))
    }

    /// Unregisters before a restart; waits for the answer only briefly.
    pub async fn unregister(&mut self, cause: Cause) {
        let deadline = Instant::now() + UNREGISTER_TIMEOUT;
        // The phone goes down whatever is answered.
        let _ = self.transact(0, Some(cause), None, deadline).await;
    }

    /// Waits for the next request. Dropping the future loses nothing.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub async fn request(&mut self) -> io::Result<Message> {
        if let Some(message) = self.waiting.pop_front() {
            return Ok(message);
        }
        loop {
            let message = self.link.receive().await?;
            if matches!(message.start, StartLine::Request(_)) {
                return Ok(message);
            }
        }
    }

    /// Answers a request.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub async fn respond(
        &mut self,
        request: &Message,
        status: u16,
        reason: &str,
    ) -> io::Result<()> {
        self.link.send(&request.answer(status, reason)).await
    }

    fn answer(&self, response: &Message, already: bool) -> Option<String> {
        let line = &self.identity.line;
        let challenge = Challenge::of(response)?;
        if line.auth_name.is_empty() || (already && !challenge.stale) {
            return None;
        }
        let cnonce = hex((self.random)());
        let uri = self.identity.registrar_uri();
        Some(challenge.authorize(&line.auth_name, &line.auth_password, &uri, &cnonce))
    }

    /// Sends a REGISTER, again over UDP while nothing comes, and gives its final answer.
    async fn transact(
        &mut self,
        expires_s: u32,
        cause: Option<Cause>,
        authorization: Option<&str>,
        deadline: Instant,
    ) -> io::Result<Message> {
        self.sequence += 1;
        let text = self.identity.register(Register {
            sequence: self.sequence,
            branch: &hex((self.random)()),
            expires_s,
            cause,
            authorization,
        });
        let mut pause = match self.link.transport() {
            Transport::Udp => T1,
            Transport::Tcp | Transport::Tls => TRANSACTION_TIMEOUT,
        };
        loop {
            self.link.send(&text).await?;
            let until = deadline.min(Instant::now() + pause);
            while let Ok(received) = timeout_at(until, self.link.receive()).await {
                if let Some(response) = self.sort(received?) {
                    return Ok(response);
                }
            }
            if Instant::now() >= deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
            pause = T2.min(pause * 2);
        }
    }

    /// Gives back the final answer to the last REGISTER; keeps requests for later; drops the rest.
    fn sort(&mut self, message: Message) -> Option<Message> {
        match &message.start {
            StartLine::Request(_) => {
                if self.waiting.len() < WAITING_MAX {
                    self.waiting.push_back(message);
                }
                None
            }
            StartLine::Response { status, .. } => {
                let ours = message.sequence() == Some((self.sequence, "REGISTER"))
                    && message.header("Call-ID") == Some(self.identity.call_id.as_str());
                (ours && *status >= 200).then_some(message)
            }
        }
    }
}

fn rejected(response: &Message, status: u16, reason: &str) -> Outcome {
    let retry_after = response.header("Retry-After");
    let retry_after = retry_after.and_then(|text| text.split([' ', ';', '(']).next());
    Outcome::Rejected {
        status,
        reason: reason.to_owned(),
        retry_after_s: retry_after.and_then(|text| text.parse().ok()),
    }
}

fn hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}
