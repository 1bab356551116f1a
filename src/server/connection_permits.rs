//! How many connections a listener holds: altogether, and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Counts the connections of one listener.
#[derive(Debug)]
pub struct ConnectionPermits {
    total_max: usize,
    per_address_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection; its place is free again when this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    address: Option<IpAddr>,
}

impl ConnectionPermits {
    /// At most `total_max` connections, and `per_address_max` from one address.
    pub fn new(total_max: usize, per_address_max: usize) -> Arc<Self> {
        Arc::new(Self {
            total_max,
            per_address_max,
            held: Mutex::default(),
        })
    }

    /// A place for a connection from `address`, or nothing when there is none. A proxy speaks for
    /// many clients, so it gives no address and only the total counts.
    pub fn acquire(self: &Arc<Self>, address: Option<IpAddr>) -> Option<ConnectionPermit> {
        match address {
            Some(address) => self.acquire_up_to(address, self.per_address_max),
            None => self.take(None, 0),
        }
    }

    /// A place for a connection from `address`, which may hold `most` places instead of the usual
    /// number.
    pub fn acquire_up_to(
        self: &Arc<Self>,
        address: IpAddr,
        most: usize,
    ) -> Option<ConnectionPermit> {
        self.take(Some(address), most)
    }

    fn take(self: &Arc<Self>, address: Option<IpAddr>, most: usize) -> Option<ConnectionPermit> {
        let mut held = self.held();
        if held.total >= self.total_max {
            return None;
        }
        if let Some(address) = address {
            let count = held.by_address.get(&address).copied().unwrap_or(0);
            if count >= most {
                return None;
            }
            held.by_address.insert(address, count + 1);
        }
        held.total += 1;
        Some(ConnectionPermit {
            permits: Arc::clone(self),
            address,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut held = self.permits.held();
        held.total = held.total.saturating_sub(1);
        let Some(address) = self.address else {
            return;
        };
        if let Some(count) = held.by_address.get_mut(&address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_every_place_and_places_come_back() {
        let permits = ConnectionPermits::new(3, 2);
        let greedy = Some("192.0.2.1".parse().unwrap());
        let other = Some("192.0.2.2".parse().unwrap());
        let first = permits.acquire(greedy).unwrap();
        let second = permits.acquire(greedy).unwrap();
        assert!(permits.acquire(greedy).is_none());
        let third = permits.acquire(other).unwrap();
        assert!(permits.acquire(other).is_none(), "the listener is full");
        drop((first, third));
        assert!(permits.acquire(greedy).is_some());
        drop(second);
        assert!(permits.held().by_address.is_empty());
        assert_eq!(permits.held().total, 0);
    }

    #[test]
    fn a_proxy_may_take_them_all() {
        let permits = ConnectionPermits::new(3, 1);
        let held: Vec<_> = (0..3).filter_map(|_| permits.acquire(None)).collect();
        assert_eq!(held.len(), 3);
        assert!(permits.acquire(None).is_none());
    }
}
