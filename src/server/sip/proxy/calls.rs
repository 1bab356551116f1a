//! The calls being set up: who drives each, and how many there may be.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use metrics::Gauge;
use tokio::sync::mpsc;

use crate::domain::registration::Flow;
use crate::domain::source_network::SourceNetwork;
use crate::locks;
use crate::server::sip::message::Request;

/// Calls being set up at once, and for 32 s after; each takes about 10 kB. Beyond it: 500.
const CALLS_MAX: usize = 8_192;

/// Of these, those of one source: a site behind address translation has one for all phones.
const CALLS_PER_SOURCE_MAX: usize = 1_024;

/// Emergency calls beyond all limits but this one, which keeps memory finite.
const EMERGENCY_CALLS_MAX: usize = 2_048;

/// Emergency calls that each holder of the reserve may begin even then, so that one that takes all
/// the room keeps nobody else from help. Holders are phones with live bindings and their addresses,
/// so memory stays finite.
const EMERGENCY_CALLS_PER_HOLDER: usize = 8;

/// Messages that wait for one call.
const EVENTS_MAX: usize = 32;

/// Names an INVITE, with the CANCEL and the ACK that belong to it: a keyed hash, so that nobody
/// outside can make two calls share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallKey(u128);

/// What happens to a call that is being set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// The INVITE came again.
    Repeat,
    /// The caller gave up, with the value of Reason.
    Cancel(Option<Bytes>),
    /// The refusal was acknowledged.
    Acknowledge,
    /// This connection ended.
    ConnectionClosed(u64),
}

/// Who holds a part of the reserve for emergency calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Holder {
    /// A phone, by the flow it registered by: behind address translation many share an address.
    Phone(Flow),
    /// All others at an address.
    Address(IpAddr),
}

/// Whose limits a call counts against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Those of its source network.
    Source,
    /// Only those of all calls: the PBX has everybody's.
    Pbx,
    /// None but that of memory; beyond it those of its holder.
    Emergency(Holder),
}

/// The table.
pub(super) struct Calls {
    table: Mutex<Table>,
    hashers: [RandomState; 2],
    gauge: Gauge,
}

#[derive(Default)]
struct Table {
    entries: HashMap<CallKey, Entry>,
    per_source: HashMap<SourceNetwork, usize>,
    emergencies_per_holder: HashMap<Holder, usize>,
    connections: HashMap<u64, Vec<CallKey>>,
    emergencies: usize,
}

struct Entry {
    events: mpsc::Sender<Event>,
    is_accepted: Arc<AtomicBool>,
    source: IpAddr,
    share: Share,
    connections: Vec<u64>,
}

/// The place of one call in the table; given back when dropped.
pub(super) struct Admitted {
    calls: Arc<Calls>,
    key: CallKey,
    is_accepted: Arc<AtomicBool>,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self {
            table: Mutex::default(),
            hashers: [RandomState::new(), RandomState::new()],
            gauge: metrics::gauge!("selfprov_call_transactions"),
        }
    }

    /// The key of an INVITE, or of the INVITE that a CANCEL or ACK is for. Source: RFC 3261 clauses
    /// 9.2 and 17.2.3.
    pub(super) fn key_of(&self, request: &Request<'_>, flow: &Flow) -> CallKey {
        let common = &request.common;
        let via = &common.via;
        let always = (flow.remote.ip(), via.host, via.port, common.cseq);
        let hash = |hasher: &RandomState| match via.unique_branch() {
            Some(branch) => hasher.hash_one((always, branch)),
            None => hasher.hash_one((always, common.from.tag(), common.call_id, via.raw)),
        };
        let [first, second] = &self.hashers;
        CallKey(u128::from(hash(first)) << 64 | u128::from(hash(second)))
    }

    /// Adds a call; `None` when there are too many.
    pub(super) fn admit(
        self: &Arc<Self>,
        key: CallKey,
        source: IpAddr,
        share: Share,
    ) -> Option<(Admitted, mpsc::Receiver<Event>)> {
        let mut table = self.lock();
        if !table.has_room(source, share) || table.entries.contains_key(&key) {
            metrics::counter!("selfprov_calls_busy_total").increment(1);
            return None;
        }
        match share {
            Share::Emergency(holder) => {
                table.emergencies += 1;
                *table.emergencies_per_holder.entry(holder).or_default() += 1;
            }
            Share::Source => {
                *table
                    .per_source
                    .entry(SourceNetwork::of(source))
                    .or_default() += 1;
            }
            Share::Pbx => {}
        }
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let is_accepted = Arc::new(AtomicBool::new(false));
        let entry = Entry {
            events,
            is_accepted: Arc::clone(&is_accepted),
            source,
            share,
            connections: Vec::new(),
        };
        table.entries.insert(key, entry);
        self.show(&table);
        let admitted = Admitted {
            calls: Arc::clone(self),
            key,
            is_accepted,
        };
        Some((admitted, receiver))
    }

    /// Tells a call of an event; `false` when there is no such call.
    pub(super) fn tell(&self, key: CallKey, event: Event) -> bool {
        let table = self.lock();
        let Some(entry) = table.entries.get(&key) else {
            return false;
        };
        // With a full queue the message is lost, as any datagram may be.
        let _ = entry.events.try_send(event);
        true
    }

    /// Whether this is an emergency call that is being set up.
    pub(super) fn is_emergency(&self, key: CallKey) -> bool {
        let table = self.lock();
        let entry = table.entries.get(&key);
        entry.is_some_and(|entry| matches!(entry.share, Share::Emergency(_)))
    }

    /// Whether this is a call that has not been answered with 2xx: its ACK goes no further.
    pub(super) fn absorbs_ack(&self, key: CallKey) -> bool {
        let table = self.lock();
        let entry = table.entries.get(&key);
        entry.is_some_and(|entry| !entry.is_accepted.load(Ordering::Relaxed))
    }

    /// Tells every call that uses this connection that it has ended.
    pub(super) fn connection_closed(&self, connection: u64) {
        let mut table = self.lock();
        let keys = table.connections.remove(&connection);
        for key in keys.into_iter().flatten() {
            if let Some(entry) = table.entries.get(&key) {
                let _ = entry.events.try_send(Event::ConnectionClosed(connection));
            }
        }
    }

    fn show(&self, table: &Table) {
        let calls = u32::try_from(table.entries.len()).unwrap_or(u32::MAX);
        self.gauge.set(f64::from(calls));
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        locks::lock(&self.table)
    }
}

impl Table {
    fn has_room(&self, source: IpAddr, share: Share) -> bool {
        if let Share::Emergency(holder) = share {
            return self.emergencies < EMERGENCY_CALLS_MAX
                || held(&self.emergencies_per_holder, &holder) < EMERGENCY_CALLS_PER_HOLDER;
        }
        let ordinary = self.entries.len().saturating_sub(self.emergencies);
        let own = held(&self.per_source, &SourceNetwork::of(source));
        ordinary < CALLS_MAX && (share == Share::Pbx || own < CALLS_PER_SOURCE_MAX)
    }
}

fn held<K: Eq + Hash>(per_source: &HashMap<K, usize>, source: &K) -> usize {
    per_source.get(source).copied().unwrap_or_default()
}

fn give_back<K: Eq + Hash>(per_source: &mut HashMap<K, usize>, source: &K) {
    if let Some(count) = per_source.get_mut(source) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            per_source.remove(source);
        }
    }
}

impl Admitted {
    /// Notes that the call uses a connection, to be told when it ends. Nothing for UDP.
    pub(super) fn uses(&self, flow: &Flow) {
        if !flow.transport.is_reliable() {
            return;
        }
        let mut table = self.calls.lock();
        if let Some(entry) = table.entries.get_mut(&self.key) {
            entry.connections.push(flow.connection);
        }
        let keys = table.connections.entry(flow.connection).or_default();
        keys.push(self.key);
    }

    /// Notes that a 2xx went to the caller.
    pub(super) fn accepted(&self) {
        self.is_accepted.store(true, Ordering::Relaxed);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut table = self.calls.lock();
        let Some(entry) = table.entries.remove(&self.key) else {
            return;
        };
        match entry.share {
            Share::Emergency(holder) => {
                table.emergencies = table.emergencies.saturating_sub(1);
                give_back(&mut table.emergencies_per_holder, &holder);
            }
            Share::Pbx => {}
            Share::Source => {
                give_back(&mut table.per_source, &SourceNetwork::of(entry.source));
            }
        }
        for connection in entry.connections {
            if let Some(keys) = table.connections.get_mut(&connection) {
                keys.retain(|key| *key != self.key);
                if keys.is_empty() {
                    table.connections.remove(&connection);
                }
            }
        }
        self.calls.show(&table);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::registration::Transport;

    fn admit(
        calls: &Arc<Calls>,
        number: usize,
        source: &str,
        share: Share,
    ) -> Option<(Admitted, mpsc::Receiver<Event>)> {
        calls.admit(CallKey(number as u128), source.parse().unwrap(), share)
    }

    fn emergency(address: &str) -> Share {
        Share::Emergency(Holder::Address(address.parse().unwrap()))
    }

    #[test]
    fn a_full_table_still_takes_emergency_calls_and_forgets_what_ends() {
        let calls = Arc::new(Calls::new());
        let mut held = Vec::new();
        for number in 0..CALLS_PER_SOURCE_MAX {
            held.push(admit(&calls, number, "10.0.0.1", Share::Source).unwrap());
        }
        let next = CALLS_PER_SOURCE_MAX;
        assert!(admit(&calls, next, "10.0.0.1", Share::Source).is_none());
        assert!(admit(&calls, next, "10.0.0.1", emergency("10.0.0.1")).is_some());
        for number in next..CALLS_MAX {
            held.push(admit(&calls, number, "10.0.0.2", Share::Pbx).unwrap());
        }
        assert!(admit(&calls, CALLS_MAX, "10.0.0.3", Share::Source).is_none());
        for number in 0..EMERGENCY_CALLS_MAX {
            let number = CALLS_MAX + number;
            held.push(admit(&calls, number, "10.0.0.1", emergency("10.0.0.1")).unwrap());
        }
        assert!(admit(&calls, usize::MAX, "10.0.0.1", emergency("10.0.0.1")).is_none());
        for number in 0..EMERGENCY_CALLS_PER_HOLDER {
            let number = usize::MAX - number;
            held.push(admit(&calls, number, "10.0.0.2", emergency("10.0.0.2")).unwrap());
        }
        let more = usize::MAX - EMERGENCY_CALLS_PER_HOLDER;
        assert!(admit(&calls, more, "10.0.0.2", emergency("10.0.0.2")).is_none());
        drop(held);
        let table = calls.lock();
        assert!(table.entries.is_empty() && table.per_source.is_empty());
        assert!(table.emergencies_per_holder.is_empty());
        assert_eq!(table.emergencies, 0);
    }

    #[test]
    fn the_end_of_a_connection_is_told_to_the_calls_that_use_it() {
        let calls = Arc::new(Calls::new());
        let (call, mut events) = admit(&calls, 1, "10.0.0.1", Share::Source).unwrap();
        let flow = Flow {
            transport: Transport::Tcp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "127.0.0.1:40000".parse().unwrap(),
            connection: 7,
        };
        call.uses(&flow);
        calls.connection_closed(6);
        assert!(events.try_recv().is_err());
        calls.connection_closed(7);
        assert_eq!(events.try_recv(), Ok(Event::ConnectionClosed(7)));
        drop(call);
        assert!(calls.lock().connections.is_empty());
        assert!(!calls.tell(CallKey(1), Event::Repeat));
    }
}
