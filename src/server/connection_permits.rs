//! How many connections a listener holds: altogether, and from one source.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::domain::source_network::SourceNetwork;
use crate::locks;

/// Counts the connections of one listener.
#[derive(Debug)]
pub struct ConnectionPermits {
    total_max: usize,
    per_source_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    total: usize,
    by_source: HashMap<SourceNetwork, usize>,
}

/// One connection; its place is free again when this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    source: Option<SourceNetwork>,
}

impl ConnectionPermits {
    /// At most `total_max` connections, and `per_source_max` from one source.
    pub fn new(total_max: usize, per_source_max: usize) -> Arc<Self> {
        Arc::new(Self {
            total_max,
            per_source_max,
            held: Mutex::default(),
        })
    }

    /// A place for a connection from `address`, or nothing when there is none. A proxy speaks for
    /// many clients, so it gives no address and only the total counts.
    pub fn acquire(self: &Arc<Self>, address: Option<IpAddr>) -> Option<ConnectionPermit> {
        match address {
            Some(address) => self.acquire_up_to(address, self.per_source_max),
            None => self.take(None, 0),
        }
    }

    /// A place for a connection from `address`, whose source may hold `most` places instead of the usual
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
        let source = address.map(SourceNetwork::of);
        if let Some(source) = source {
            let count = held.by_source.get(&source).copied().unwrap_or(0);
            if count >= most {
                return None;
            }
            held.by_source.insert(source, count + 1);
        }
        held.total += 1;
        Some(ConnectionPermit {
            permits: Arc::clone(self),
            source,
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        locks::lock(&self.held)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut held = self.permits.held();
        held.total = held.total.saturating_sub(1);
        let Some(source) = self.source else {
            return;
        };
        if let Some(count) = held.by_source.get_mut(&source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                held.by_source.remove(&source);
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
        assert!(permits.held().by_source.is_empty());
        assert_eq!(permits.held().total, 0);
    }

    #[test]
    fn the_addresses_of_one_ipv6_network_are_one_source() {
        let permits = ConnectionPermits::new(9, 2);
        let from = |address: &str| permits.acquire(Some(address.parse().unwrap()));
        let _held = [from("2001:db8::1").unwrap(), from("2001:db8::2").unwrap()];
        assert!(from("2001:db8::3").is_none());
        assert!(from("2001:db8:0:1::3").is_some());
    }

    #[test]
    fn a_proxy_may_take_them_all() {
        let permits = ConnectionPermits::new(3, 1);
        let held: Vec<_> = (0..3).filter_map(|_| permits.acquire(None)).collect();
        assert_eq!(held.len(), 3);
        assert!(permits.acquire(None).is_none());
    }
}
