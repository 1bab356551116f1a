//! Server transactions: a request that comes again gets the answer it got before.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher, RandomState};
use std::time::Instant;

use crate::domain::registration::Flow;
use crate::server::sip::message::{HeaderName, Request};

use super::TRANSACTION_TIMEOUT;
use super::answers::{Answers, Place};
use super::difference;

/// Most bytes that remembered answers take, with their keys; the oldest go first. At 250 bytes for
/// what an answer adds to its request this is 27,000 of them: at 860 requests a second, twice what
/// 50,000 phones send that refresh a lifetime of 120 s, all are kept for the whole 32 s; above that
/// at least every answer of the last moments, which is when retransmissions come.
const ANSWERS_BYTES_MAX: usize = 10 * 1024 * 1024;

/// What an entry takes beside its answer: key, map slot and place in the queue.
const ENTRY_BYTES: usize = 128;

/// Names a transaction on one endpoint.
///
/// A keyed hash: nobody outside can make two requests share one, and no key has to be allocated.
/// Of 64 bits: among the 40,000 that are remembered a new request meets the key of another once in
/// 4 x 10^14.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionKey(u64);

/// What to do with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Not seen before: handle it and hand its answer to [`ServerTransactions::answer`].
    New(TransactionKey),
    /// Seen and still in work: drop it.
    InWork,
    /// Seen and answered: send this again.
    Answered(Vec<u8>),
}

/// The answers of the last 32 seconds over UDP. A stream repeats nothing and needs none.
#[derive(Debug)]
pub struct ServerTransactions {
    entries: HashMap<TransactionKey, Option<Place>, BuildHasherDefault<KeyHasher>>,
    /// Every entry with the time it ends, oldest first.
    order: VecDeque<(Instant, TransactionKey)>,
    answers: Answers,
    /// Where a difference is written before it is put among the answers.
    difference: Vec<u8>,
    bytes: usize,
    bytes_max: usize,
    hasher: RandomState,
}

impl Default for ServerTransactions {
    fn default() -> Self {
        Self::with_limit(ANSWERS_BYTES_MAX)
    }
}

impl ServerTransactions {
    /// An empty table that holds at most this many bytes.
    pub fn with_limit(bytes_max: usize) -> Self {
        Self {
            entries: HashMap::default(),
            order: VecDeque::new(),
            answers: Answers::default(),
            difference: Vec::new(),
            bytes: 0,
            bytes_max,
            hasher: RandomState::new(),
        }
    }

    /// Looks a request up and, when it is new, marks it as being in work. `bytes` is the request
    /// as it came.
    pub fn arrive(
        &mut self,
        request: &Request<'_>,
        bytes: &[u8],
        flow: &Flow,
        now: Instant,
    ) -> Arrival {
        self.sweep(now);
        let key = self.key_of(request, flow);
        match self.entries.get_mut(&key) {
            Some(None) => Arrival::InWork,
            Some(answered @ Some(_)) => {
                let difference = answered.map(|place| self.answers.get(place));
                let answer = difference.and_then(|difference| difference::read(bytes, difference));
                answer.map_or_else(
                    || {
                        // Not the request that was answered, though it claims to be.
                        let place = answered.take();
                        self.bytes -= place.map_or(0, |place| self.answers.free(place));
                        Arrival::New(key)
                    },
                    Arrival::Answered,
                )
            }
            None => {
                self.entries.insert(key, None);
                self.order.push_back((now + TRANSACTION_TIMEOUT, key));
                self.bytes += ENTRY_BYTES;
                self.shrink();
                Arrival::New(key)
            }
        }
    }

    /// Remembers the answer to a request that is in work. `request` is the request as it came,
    /// empty when it is not at hand any more: then all of the answer is remembered.
    pub fn answer(&mut self, key: TransactionKey, request: &[u8], answer: &[u8]) {
        if let Some(entry) = self.entries.get_mut(&key) {
            self.difference.clear();
            difference::write(request, answer, &mut self.difference);
            self.bytes += self.difference.len();
            if let Some(previous) = entry.replace(self.answers.put(&self.difference)) {
                self.bytes -= self.answers.free(previous);
            }
        }
        self.shrink();
    }

    /// Forgets a request that gets no answer, so that it is handled anew when it comes again.
    pub fn forget(&mut self, key: TransactionKey) {
        // Nearly always it is the newest; another one's place in the queue ends by itself.
        if self.order.back().is_some_and(|(_, newest)| *newest == key) {
            self.order.pop_back();
        }
        self.remove(key);
    }

    /// How many requests are remembered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no request is remembered.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn sweep(&mut self, now: Instant) {
        while self
            .order
            .front()
            .is_some_and(|(ends_at, _)| *ends_at <= now)
        {
            self.drop_oldest();
        }
    }

    fn shrink(&mut self) {
        while self.bytes > self.bytes_max && self.drop_oldest() {}
    }

    fn drop_oldest(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_front() else {
            return false;
        };
        self.remove(key);
        true
    }

    fn remove(&mut self, key: TransactionKey) {
        if let Some(answer) = self.entries.remove(&key) {
            let answer_bytes = answer.map_or(0, |place| self.answers.free(place));
            self.bytes -= ENTRY_BYTES + answer_bytes;
        }
    }

    /// The key of RFC 3261 clause 17.2.3: branch, sent-by and method, or for a branch that is not
    /// unique (RFC 2543) what else names the request. The sender's address is part of it, so that
    /// nobody is given another's answer; so is the `CSeq` number, because some phones use a branch
    /// again for the next request.
    fn key_of(&self, request: &Request<'_>, flow: &Flow) -> TransactionKey {
        let common = &request.common;
        let via = &common.via;
        let always = (flow.remote, request.method, via.host, via.port, common.cseq);
        if let Some(branch) = via.unique_branch() {
            return TransactionKey(self.hasher.hash_one((always, branch)));
        }
        let to = common.headers.get(HeaderName::To);
        let from = common.from.tag();
        let older = (always, request.raw_uri, to, from, common.call_id, via.raw);
        TransactionKey(self.hasher.hash_one(older))
    }
}

/// Takes a key, which is a hash already, as it is.
#[derive(Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }

    fn write(&mut self, bytes: &[u8]) {
        // Keys come by the other way; this keeps the trait's promise for anything else.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::registration::Transport;
    use crate::server::sip::message::{Message, parse};

    const REGISTER: &str = "REGISTER sip:cm SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bKa\r\nFrom: <sip:1@cm>;tag=f\r\n\
        To: <sip:1@cm>\r\nCall-ID: c\r\nCSeq: 7 REGISTER\r\nContent-Length: 0\r\n\r\n";

    fn flow() -> Flow {
        Flow {
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "10.0.0.9:5070".parse().unwrap(),
            connection: 0,
        }
    }

    fn arrive(table: &mut ServerTransactions, text: &str, flow: &Flow, now: Instant) -> Arrival {
        let Ok(Message::Request(request)) = parse(text.as_bytes()) else {
            panic!("{text}");
        };
        table.arrive(&request, text.as_bytes(), flow, now)
    }

    #[test]
    fn a_retransmission_is_absorbed_and_then_answered_alike() {
        let (mut table, now) = (ServerTransactions::default(), Instant::now());
        let Arrival::New(key) = arrive(&mut table, REGISTER, &flow(), now) else {
            panic!("not new");
        };
        assert_eq!(arrive(&mut table, REGISTER, &flow(), now), Arrival::InWork);
        table.answer(key, REGISTER.as_bytes(), b"200");
        let later = now + Duration::from_secs(31);
        let again = arrive(&mut table, REGISTER, &flow(), later);
        assert_eq!(again, Arrival::Answered(b"200".to_vec()));
        let changed = REGISTER.replace("tag=f", "tag=g");
        let changed = arrive(&mut table, &changed, &flow(), later);
        assert_eq!(changed, Arrival::New(key));
        let after = now + TRANSACTION_TIMEOUT;
        assert!(matches!(
            arrive(&mut table, REGISTER, &flow(), after),
            Arrival::New(_)
        ));
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn another_request_is_another_transaction() {
        let (mut table, now) = (ServerTransactions::default(), Instant::now());
        arrive(&mut table, REGISTER, &flow(), now);
        let elsewhere = Flow {
            remote: "10.0.0.8:5070".parse().unwrap(),
            ..flow()
        };
        assert!(matches!(
            arrive(&mut table, REGISTER, &elsewhere, now),
            Arrival::New(_)
        ));
        for (old, new) in [("bKa", "bKb"), (":5070", ":5071"), ("CSeq: 7", "CSeq: 8")] {
            let text = REGISTER.replace(old, new);
            assert!(
                matches!(arrive(&mut table, &text, &flow(), now), Arrival::New(_)),
                "{new}"
            );
        }
        let other = REGISTER.replace("REGISTER", "OPTIONS");
        assert!(matches!(
            arrive(&mut table, &other, &flow(), now),
            Arrival::New(_)
        ));
    }

    #[test]
    fn without_a_unique_branch_the_older_rules_apply() {
        let (mut table, now) = (ServerTransactions::default(), Instant::now());
        for branch in [";branch=z9hG4bK", ";branch=1", ""] {
            let text = REGISTER.replace(";branch=z9hG4bKa", branch);
            assert!(matches!(
                arrive(&mut table, &text, &flow(), now),
                Arrival::New(_)
            ));
            assert_eq!(arrive(&mut table, &text, &flow(), now), Arrival::InWork);
            let other = text.replace("Call-ID: c", "Call-ID: d");
            assert!(matches!(
                arrive(&mut table, &other, &flow(), now),
                Arrival::New(_)
            ));
        }
    }

    #[test]
    fn memory_is_bounded_and_a_forgotten_request_is_handled_anew() {
        let (mut table, now) = (ServerTransactions::with_limit(10_000), Instant::now());
        for number in 0..1_000 {
            let text = REGISTER.replace("bKa", &format!("bK{number}"));
            let Arrival::New(key) = arrive(&mut table, &text, &flow(), now) else {
                panic!("not new");
            };
            table.answer(key, &[], &[0; 862]);
        }
        assert_eq!(table.len(), 10);
        let Arrival::New(key) = arrive(&mut table, REGISTER, &flow(), now) else {
            panic!("not new");
        };
        table.forget(key);
        assert!(matches!(
            arrive(&mut table, REGISTER, &flow(), now),
            Arrival::New(_)
        ));
    }
}
