//! Who is being served, so that a repeated request is served once, the next request of the same
//! port is not taken for a repetition, and senders of forged requests shut nobody out.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use super::packet;
use super::packet::Packet;
use crate::domain::source_network::SourceNetwork;
use crate::locks;

/// Transfers at once to one source, so that one host cannot take them all.
pub(super) const PER_SOURCE_MAX: usize = 256;

/// The clients being served, by address and port.
pub(super) struct Clients {
    total_max: usize,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    places: HashMap<SocketAddr, Place>,
    by_source: HashMap<SourceNetwork, usize>,
    /// Number of the last place given.
    last: u64,
}

struct Place {
    /// Counts up: tells the places that one client had from each other, and old from new.
    number: u64,
    source: SourceNetwork,
    request: Box<[u8]>,
    next: Option<Box<[u8]>>,
    signals: Arc<Signals>,
}

/// What the door and one transfer tell each other.
#[derive(Default)]
pub(super) struct Signals {
    is_proven: AtomicBool,
    moved_on: Notify,
    given_up: Notify,
}

impl Signals {
    /// Whether the client has acknowledged anything: its address is not forged.
    pub(super) fn is_proven(&self) -> bool {
        self.is_proven.load(Ordering::Relaxed)
    }

    /// Takes note of an acknowledgement.
    pub(super) fn prove(&self) {
        self.is_proven.store(true, Ordering::Relaxed);
    }

    /// Waits until the client asks for something else from the same port.
    pub(super) async fn moved_on(&self) {
        self.moved_on.notified().await;
    }

    /// Waits until another client has taken the place.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }
}

impl Clients {
    /// At most `total_max` clients at once.
    pub(super) fn new(total_max: usize) -> Arc<Self> {
        Arc::new(Self {
            total_max,
            table: Mutex::default(),
        })
    }

    /// Gives a client a seat; `None` when it has one, or when every place it could have is taken by
    /// clients that answer.
    ///
    /// A place whose client has acknowledged nothing yet is given up for it, the oldest first: most
    /// likely its request was forged. A read request of a client that has a seat waits for
    /// [`Seat::next`], unless it repeats one that the client has not acknowledged yet: then our
    /// answer is under way, and it is dropped.
    pub(super) fn enter(clients: &Arc<Self>, client: SocketAddr, request: &[u8]) -> Option<Seat> {
        let mut table = clients.lock();
        if let Some(place) = table.places.get_mut(&client) {
            let is_next = *place.request != *request || place.signals.is_proven();
            if is_next && matches!(packet::parse(request), Ok(Packet::Read(_))) {
                place.next = Some(request.into());
                place.signals.moved_on.notify_one();
            }
            return None;
        }
        let source = SourceNetwork::of(client.ip());
        if !table.make_room(source, clients.total_max) {
            metrics::counter!("selfprov_tftp_requests_dropped_total").increment(1);
            return None;
        }
        let signals = Arc::new(Signals::default());
        table.last += 1;
        let number = table.last;
        let place = Place {
            number,
            source,
            request: request.into(),
            next: None,
            signals: Arc::clone(&signals),
        };
        table.places.insert(client, place);
        *table.by_source.entry(source).or_default() += 1;
        Some(Seat {
            clients: Arc::clone(clients),
            client,
            number,
            signals,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        locks::lock(&self.table)
    }
}

impl Table {
    fn make_room(&mut self, source: SourceNetwork, total_max: usize) -> bool {
        let own = self.by_source.get(&source).copied().unwrap_or(0);
        if own >= PER_SOURCE_MAX && !self.give_up_oldest(|place| place.source == source) {
            return false;
        }
        self.places.len() < total_max || self.give_up_oldest(|_| true)
    }

    /// Gives up the oldest of these places whose client has acknowledged nothing.
    fn give_up_oldest(&mut self, is_one: impl Fn(&Place) -> bool) -> bool {
        let unproven = self.places.iter();
        let unproven = unproven.filter(|(_, place)| !place.signals.is_proven() && is_one(place));
        let oldest = unproven.min_by_key(|(_, place)| place.number);
        let Some(client) = oldest.map(|(client, _)| *client) else {
            return false;
        };
        if let Some(place) = self.leave(client) {
            place.signals.given_up.notify_one();
        }
        true
    }

    fn leave(&mut self, client: SocketAddr) -> Option<Place> {
        let place = self.places.remove(&client)?;
        if let Some(count) = self.by_source.get_mut(&place.source) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_source.remove(&place.source);
            }
        }
        Some(place)
    }
}

/// A client's seat; given up when dropped.
pub(super) struct Seat {
    clients: Arc<Clients>,
    client: SocketAddr,
    number: u64,
    signals: Arc<Signals>,
}

impl Seat {
    /// The client.
    pub(super) fn client(&self) -> SocketAddr {
        self.client
    }

    /// What the transfer of the present request shares with the door.
    pub(super) fn signals(&self) -> &Arc<Signals> {
        &self.signals
    }

    /// What the client has asked for meanwhile; `None` gives up the seat, or says that another
    /// client has it.
    pub(super) fn next(&mut self) -> Option<Box<[u8]>> {
        let clients = Arc::clone(&self.clients);
        let mut table = clients.lock();
        let place = table.places.get_mut(&self.client)?;
        if place.number != self.number {
            return None;
        }
        let Some(next) = place.next.take() else {
            table.leave(self.client);
            return None;
        };
        self.signals = Arc::default();
        place.signals = Arc::clone(&self.signals);
        place.request.clone_from(&next);
        Some(next)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        while self.next().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[u8] = b"\0\x01one\0octet\0";
    const TWO: &[u8] = b"\0\x01two\0octet\0";

    fn client(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn enter(clients: &Arc<Clients>, client: SocketAddr) -> Option<Seat> {
        Clients::enter(clients, client, ONE)
    }

    #[test]
    fn a_repetition_is_dropped_and_the_next_request_waits_its_turn() {
        let clients = Clients::new(512);
        let mut seat = enter(&clients, client(1)).unwrap();
        assert!(enter(&clients, client(1)).is_none());
        assert!(Clients::enter(&clients, client(1), TWO).is_none());
        assert_eq!(seat.next().as_deref(), Some(TWO));
        assert!(Clients::enter(&clients, client(1), b"\0\x04\0\x01").is_none());
        assert_eq!(clients.lock().places.len(), 1, "a stray changes nothing");
        seat.signals().prove();
        assert!(Clients::enter(&clients, client(1), TWO).is_none());
        assert_eq!(seat.next().as_deref(), Some(TWO), "asked for once more");
        assert_eq!(seat.next(), None);
        let _again = enter(&clients, client(1)).unwrap();
        drop(seat);
        assert!(enter(&clients, client(1)).is_none(), "the new seat stays");
    }

    #[test]
    fn a_source_has_its_share_of_seats_and_no_more() {
        let clients = Clients::new(512);
        let host = |last: u16| {
            let address: std::net::Ipv6Addr = [0x2001, 0xdb8, 0, 1, 0, 0, 0, last].into();
            SocketAddr::from((address, 1))
        };
        let seats: Vec<_> = (1..=u16::try_from(PER_SOURCE_MAX).unwrap())
            .map(|last| enter(&clients, host(last)).unwrap())
            .collect();
        for seat in &seats {
            seat.signals().prove();
        }
        assert!(enter(&clients, host(60_000)).is_none(), "one /64");
        assert!(enter(&clients, client(1)).is_some());
        drop(seats);
        assert!(enter(&clients, host(60_000)).is_some());
        let table = clients.lock();
        assert!(table.places.is_empty() && table.by_source.is_empty());
    }

    #[tokio::test]
    async fn the_oldest_client_that_acknowledged_nothing_makes_room() {
        let clients = Clients::new(3);
        let mut seats: Vec<_> = (1..=3)
            .map(|port| enter(&clients, client(port)).unwrap())
            .collect();
        seats[0].signals().prove();
        let newer = enter(&clients, client(4)).unwrap();
        seats[1].signals().given_up().await;
        assert_eq!(seats[1].next(), None);
        let back = enter(&clients, client(2)).unwrap();
        drop(seats);
        assert_eq!(clients.lock().places.len(), 2, "theirs are others' now");
        newer.signals().prove();
        back.signals().prove();
        let _third = enter(&clients, client(5)).inspect(|seat| seat.signals().prove());
        assert!(enter(&clients, client(6)).is_none(), "all of them answer");
    }
}
