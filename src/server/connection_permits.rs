//! How many connections a listener holds: altogether, and from one source.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard};

use ipnet::IpNet;

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
    /// Of networks that are named, all their sources together.
    by_site: HashMap<IpNet, usize>,
}

/// One connection; its place is free again when this is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    source: Option<SourceNetwork>,
    site: Option<IpNet>,
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
            None => self.take(None, None, 0),
        }
    }

    /// A place for a connection from `address`, whose source may hold `most` places instead of the usual
    /// number.
    pub fn acquire_up_to(
        self: &Arc<Self>,
        address: IpAddr,
        most: usize,
    ) -> Option<ConnectionPermit> {
        self.take(Some(address), None, most)
    }

    /// The same for an address of a network that is named: all of it together has no more than `most`
    /// either.
    pub fn acquire_in_site(
        self: &Arc<Self>,
        address: IpAddr,
        site: Option<IpNet>,
        most: usize,
    ) -> Option<ConnectionPermit> {
        self.take(Some(address), site, most)
    }

    fn take(
        self: &Arc<Self>,
        address: Option<IpAddr>,
        site: Option<IpNet>,
        most: usize,
    ) -> Option<ConnectionPermit> {
        let mut held = self.held();
        if held.total >= self.total_max {
            return None;
        }
        let source = address.map(SourceNetwork::of);
        let of_source = source.and_then(|source| held.by_source.get(&source));
        let of_site = site.and_then(|site| held.by_site.get(&site));
        let is_full = |count: Option<&usize>| count.is_some_and(|count| *count >= most);
        if is_full(of_source) || is_full(of_site) || (source.is_some() && most == 0) {
            return None;
        }
        if let Some(source) = source {
            *held.by_source.entry(source).or_default() += 1;
        }
        if let Some(site) = site {
            *held.by_site.entry(site).or_default() += 1;
        }
        held.total += 1;
        Some(ConnectionPermit {
            permits: Arc::clone(self),
            source,
            site,
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
        if let Some(source) = self.source {
            give_back(&mut held.by_source, source);
        }
        if let Some(site) = self.site {
            give_back(&mut held.by_site, site);
        }
    }
}

fn give_back<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() = count.get().saturating_sub(1);
        if *count.get() == 0 {
            count.remove();
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
    fn the_addresses_of_a_named_network_have_no_more_than_one_of_them_may() {
        let permits = ConnectionPermits::new(9, 1);
        let site: IpNet = "192.0.2.0/24".parse().unwrap();
        let from = |address: &str| {
            let address = address.parse().unwrap();
            let site = site.contains(&address).then_some(site);
            permits.acquire_in_site(address, site, 2)
        };
        let held = [from("192.0.2.1").unwrap(), from("192.0.2.2").unwrap()];
        assert!(from("192.0.2.3").is_none());
        let _other = from("198.51.100.1").unwrap();
        drop(held);
        assert!(from("192.0.2.3").is_some());
        assert!(permits.held().by_site.is_empty());
    }

    #[test]
    fn a_proxy_may_take_them_all() {
        let permits = ConnectionPermits::new(3, 1);
        let held: Vec<_> = (0..3).filter_map(|_| permits.acquire(None)).collect();
        assert_eq!(held.len(), 3);
        assert!(permits.acquire(None).is_none());
    }
}
