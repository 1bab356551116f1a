//! Time, randomness and new identities, passed in so that tests can choose them.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::domain::history::CorrelationId;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::locks;

/// Gives the time. The system's in production, a hand-driven one in tests.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> UnixMillis;
}

/// Gives random bytes fit for keys. The operating system's in production.
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

/// Random bytes of one ordered identity.
const TAIL_BYTES: usize = 8;

/// Identities for which randomness is fetched at once: asking the operating system for each would
/// be a tenth of what the login form costs.
const TAILS: usize = 64;

/// Randomness for identities that are no secrets, fetched ahead.
struct Tails {
    bytes: [[u8; TAIL_BYTES]; TAILS],
    left: usize,
}

impl Tails {
    fn next(&mut self, entropy: &dyn Entropy) -> [u8; TAIL_BYTES] {
        if self.left == 0 {
            entropy.fill(self.bytes.as_flattened_mut());
            self.left = TAILS;
        }
        self.left -= 1;
        self.bytes.get(self.left).copied().unwrap_or_default()
    }
}

/// The clock and the source of randomness of a process.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Time and counter of the last ordered identity: milliseconds, then twelve bits.
    last_ordered: Arc<AtomicU64>,
    tails: Arc<Mutex<Tails>>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Environment {
    /// An environment of these two.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self {
            clock,
            entropy,
            last_ordered: Arc::default(),
            tails: Arc::new(Mutex::new(Tails {
                bytes: [[0; TAIL_BYTES]; TAILS],
                left: 0,
            })),
        }
    }

    /// Now.
    pub fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// Fills `bytes` with randomness.
    pub fn fill(&self, bytes: &mut [u8]) {
        self.entropy.fill(bytes);
    }

    /// `N` random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// A new random identity.
    pub fn new_pkid(&self) -> Pkid {
        Pkid::from_random_bytes(self.random())
    }

    /// A new identity whose text sorts by time (UUID version 7), for rows of histories.
    ///
    /// Those of one millisecond sort in the order in which they were made, so that the rows of one
    /// transaction do. Source: RFC 9562 clause 6.2, method 1 (a counter of twelve bits).
    pub fn new_ordered_pkid(&self, now: UnixMillis) -> Pkid {
        let place = self.next_place(u64::try_from(now.0).unwrap_or(0) << 12);
        let millis = (place >> 12).to_be_bytes();
        let [.., high, low] = (place & 0xfff).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&self.next_tail());
        bytes[..6].copy_from_slice(&millis[2..]);
        bytes[6] = high | 0x70;
        bytes[7] = low;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Pkid::from_bytes(bytes)
    }

    fn next_tail(&self) -> [u8; TAIL_BYTES] {
        let mut tails = locks::lock(&self.tails);
        tails.next(&*self.entropy)
    }

    /// The first place from `wanted` on that comes after every place given before.
    fn next_place(&self, wanted: u64) -> u64 {
        let next = |last: u64| Some(wanted.max(last + 1));
        let last = self
            .last_ordered
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .unwrap_or(wanted);
        wanted.max(last + 1)
    }

    /// A new correlation ID for a request.
    pub fn new_correlation_id(&self) -> CorrelationId {
        CorrelationId(self.new_ordered_pkid(self.now()))
    }
}

/// An environment that stands still, for tests of what is built on one.
#[cfg(test)]
pub(crate) mod fixed {
    use super::*;

    struct Fixed {
        now: UnixMillis,
        byte: u8,
    }

    impl Clock for Fixed {
        fn now(&self) -> UnixMillis {
            self.now
        }
    }

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.byte);
        }
    }

    /// It is always the same moment of November 2026, and randomness is `byte` again and again.
    pub(crate) fn environment(byte: u8) -> Environment {
        let fixed = Arc::new(Fixed {
            now: UnixMillis(1_795_262_400_000),
            byte,
        });
        Environment::new(fixed.clone(), fixed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordered_identities_sort_as_they_were_made_also_within_a_millisecond() {
        let environment = fixed::environment(0xff);
        let now = environment.now();
        let made: Vec<String> = (0..10_000)
            .map(|_| environment.new_ordered_pkid(now).to_string())
            .collect();
        assert!(made.is_sorted());
        assert!(made[0].starts_with("01a1"), "{}", made[0]);
        assert_eq!(made[0].as_bytes()[14], b'7', "version 7: {}", made[0]);
        let later = environment.new_ordered_pkid(now.plus(std::time::Duration::from_mins(1)));
        assert!(later.to_string() > made[9_999]);
    }
}
