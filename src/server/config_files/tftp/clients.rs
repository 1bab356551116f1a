//! Who is being served, so that a repeated request is served once and the next request of the
//! same port is not taken for a repetition.

use std::collections::HashMap;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::sync::Notify;

use super::packet;
use super::packet::Packet;

/// Transfers at once to one address, so that one host cannot take them all.
pub(super) const PER_ADDRESS_MAX: usize = 256;

/// The clients being served, by address and port.
#[derive(Default)]
pub(super) struct Clients(Mutex<HashMap<IpAddr, HashMap<u16, Place>>>);

struct Place {
    request: Box<[u8]>,
    next: Option<Box<[u8]>>,
    signals: Arc<Signals>,
}

/// What the door and one transfer tell each other.
#[derive(Default)]
pub(super) struct Signals {
    is_proven: AtomicBool,
    moved_on: Notify,
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
}

impl Clients {
    /// Gives a client a seat; `None` when it has one or its address has its share.
    ///
    /// A read request of a client that has a seat waits for [`Seat::next`], unless it repeats one that
    /// the client has not acknowledged yet: then our answer is under way, and it is dropped.
    pub(super) fn enter(clients: &Arc<Self>, client: SocketAddr, request: &[u8]) -> Option<Seat> {
        let mut places = clients.lock();
        let places = places.entry(client.ip()).or_default();
        if let Some(place) = places.get_mut(&client.port()) {
            let is_next = *place.request != *request || place.signals.is_proven();
            if is_next && matches!(packet::parse(request), Ok(Packet::Read(_))) {
                place.next = Some(request.into());
                place.signals.moved_on.notify_one();
            }
            return None;
        }
        if places.len() >= PER_ADDRESS_MAX {
            return None;
        }
        let signals = Arc::new(Signals::default());
        let place = Place {
            request: request.into(),
            next: None,
            signals: Arc::clone(&signals),
        };
        places.insert(client.port(), place);
        Some(Seat {
            clients: Arc::clone(clients),
            client,
            signals,
            has_left: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, HashMap<u16, Place>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A client's seat; given up when dropped.
pub(super) struct Seat {
    clients: Arc<Clients>,
    client: SocketAddr,
    signals: Arc<Signals>,
    has_left: bool,
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

    /// What the client has asked for meanwhile; `None` gives up the seat.
    pub(super) fn next(&mut self) -> Option<Box<[u8]>> {
        let clients = Arc::clone(&self.clients);
        let mut places = clients.lock();
        let ports = places.get_mut(&self.client.ip())?;
        let place = ports.get_mut(&self.client.port())?;
        let Some(next) = place.next.take() else {
            self.has_left = true;
            ports.remove(&self.client.port());
            if ports.is_empty() {
                places.remove(&self.client.ip());
            }
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
        while !self.has_left && self.next().is_some() {}
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

    #[test]
    fn a_repetition_is_dropped_and_the_next_request_waits_its_turn() {
        let clients = Arc::new(Clients::default());
        let mut seat = Clients::enter(&clients, client(1), ONE).unwrap();
        assert!(Clients::enter(&clients, client(1), ONE).is_none());
        assert!(Clients::enter(&clients, client(1), TWO).is_none());
        assert_eq!(seat.next().as_deref(), Some(TWO));
        assert!(Clients::enter(&clients, client(1), b"\0\x04\0\x01").is_none());
        assert_eq!(seat.clients.lock().len(), 1, "a stray changes nothing");
        seat.signals().prove();
        assert!(Clients::enter(&clients, client(1), TWO).is_none());
        assert_eq!(seat.next().as_deref(), Some(TWO), "asked for once more");
        assert_eq!(seat.next(), None);
        let _again = Clients::enter(&clients, client(1), ONE).unwrap();
        drop(seat);
        assert!(
            Clients::enter(&clients, client(1), ONE).is_none(),
            "the new seat stays"
        );
    }

    #[test]
    fn an_address_has_its_share_of_seats_and_no_more() {
        let clients = Arc::new(Clients::default());
        let ports = 1..=u16::try_from(PER_ADDRESS_MAX).unwrap();
        let seats: Vec<_> = ports
            .map(|port| Clients::enter(&clients, client(port), b"f").unwrap())
            .collect();
        assert!(Clients::enter(&clients, client(60_000), b"f").is_none());
        let other = SocketAddr::from(([192, 0, 2, 2], 1));
        assert!(Clients::enter(&clients, other, b"f").is_some());
        drop(seats);
        assert!(Clients::enter(&clients, client(60_000), b"f").is_some());
        assert!(clients.lock().is_empty());
    }
}
