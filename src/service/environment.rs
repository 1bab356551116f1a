//! Time, randomness and new identities, passed in so that tests can choose them.

use std::fmt;
use std::sync::Arc;

use crate::domain::history::CorrelationId;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

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

/// The clock and the source of randomness of a process.
#[derive(Clone)]
pub struct Environment {
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

impl Environment {
    /// An environment of these two.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
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
    pub fn new_ordered_pkid(&self, now: UnixMillis) -> Pkid {
        let mut bytes: [u8; 16] = self.random();
        let millis = u64::try_from(now.0).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&millis[2..]);
        bytes[6] = (bytes[6] & 0x0f) | 0x70;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Pkid::from_bytes(bytes)
    }

    /// A new correlation ID for a request.
    pub fn new_correlation_id(&self) -> CorrelationId {
        CorrelationId(self.new_ordered_pkid(self.now()))
    }
}
