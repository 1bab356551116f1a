//! How much one source has under way, so that it cannot take everybody's share.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::domain::source_network::SourceNetwork;
use crate::locks;

/// Counts what each source holds, up to a limit. Cheap to clone; sources that hold nothing
/// take no memory.
#[derive(Debug, Clone)]
pub(super) struct PerSource {
    held: Arc<Mutex<HashMap<SourceNetwork, usize>>>,
    limit: usize,
}

/// One share of a source; given back when dropped.
#[derive(Debug)]
pub(super) struct Share {
    source: SourceNetwork,
    of: PerSource,
}

impl PerSource {
    /// At most `limit` shares a source.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            held: Arc::default(),
            limit,
        }
    }

    /// A share for the source of this address; `None` when it holds all it may.
    pub(super) fn try_take(&self, address: IpAddr) -> Option<Share> {
        self.try_take_of(address, self.limit)
    }

    /// The same for a source that may hold `limit`.
    pub(super) fn try_take_of(&self, address: IpAddr, limit: usize) -> Option<Share> {
        let source = SourceNetwork::of(address);
        let mut held = self.lock();
        let count = held.entry(source).or_default();
        if *count >= limit {
            return None;
        }
        *count += 1;
        Some(Share {
            source,
            of: self.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SourceNetwork, usize>> {
        locks::lock(&self.held)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.of.lock();
        if let Some(count) = held.get_mut(&self.source) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_its_limit_and_gives_shares_back() {
        let shares = PerSource::new(2);
        let (one, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = shares.try_take(one).unwrap();
        let _second = shares.try_take(one).unwrap();
        assert!(shares.try_take(one).is_none());
        assert!(shares.try_take(other).is_some());
        drop(first);
        assert!(shares.try_take(one).is_some());
        assert_eq!(shares.lock().len(), 1);
        let host = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, last]);
        let _held = [
            shares.try_take(host(1)).unwrap(),
            shares.try_take(host(2)).unwrap(),
        ];
        assert!(shares.try_take(host(3)).is_none(), "one /64");
    }
}
