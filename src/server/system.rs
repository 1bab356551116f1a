//! The clock and the randomness of the operating system.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::domain::time::UnixMillis;
use crate::service::environment::{Clock, Entropy, Environment};

/// The environment of a real process.
pub fn environment() -> Environment {
    Environment::new(Arc::new(SystemClock), Arc::new(SystemEntropy))
}

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        // A clock before 1970 reads as 1970: certificates are refused then, which says why.
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The system's source of randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if let Err(error) = getrandom::fill(bytes) {
            // Keys and secrets made without randomness would be worse than no service.
            tracing::error!(%error, "the system gives no randomness; ending");
            std::process::abort();
        }
    }
}
