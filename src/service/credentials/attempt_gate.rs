//! Lets few attempts on one thing run at once, so that guesses sent side by side are counted like
//! guesses sent one after another.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::Semaphore;

use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::locks;

/// Attempts on one device or credential that may run side by side while nothing has failed: fewer
/// than the failures that lock, and enough to keep a hashing thread busy.
const SIDE_BY_SIDE: u32 = 2;

/// Attempts on one device or credential that may wait; more are told to try again. A phone waits
/// for one answer at a time, so more are no phone.
const WAITING_MAX: usize = 16;

/// The line at the gate is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many attempts at once; try again in a few seconds")]
pub struct GateFull;

/// What logins, and changes of one's own credentials, wait for each other at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttemptKey {
    /// The device on which somebody logs in.
    Device(DeviceName),
    /// The address from which somebody logs in without a device.
    Source(IpAddr),
    /// The credential that is shown, or what stands for one that does not exist.
    Credential(Box<str>),
    /// The user who changes PIN or password.
    OwnCredentials(Pkid),
}

type Gates<K> = HashMap<K, Arc<Semaphore>>;

/// One gate a key, as long as somebody is at it.
#[derive(Debug)]
pub struct AttemptGate<K> {
    gates: Arc<Mutex<Gates<K>>>,
    waiting_max: usize,
}

impl<K: Clone + Eq + Hash> Default for AttemptGate<K> {
    fn default() -> Self {
        Self::with_line_of(WAITING_MAX)
    }
}

/// Leave to go on, until it is dropped.
#[derive(Debug)]
pub struct Pass<K: Eq + Hash> {
    gates: Arc<Mutex<Gates<K>>>,
    key: K,
    permit: Option<OwnedSemaphorePermit>,
}

impl<K: Clone + Eq + Hash> AttemptGate<K> {
    /// Gates at which no more than this many are or wait.
    pub fn with_line_of(waiting_max: usize) -> Self {
        Self {
            gates: Arc::default(),
            waiting_max,
        }
    }

    /// Waits until no more than `SIDE_BY_SIDE` others are at this key.
    ///
    /// # Errors
    ///
    /// [`GateFull`] at once when too many wait already.
    pub async fn enter(&self, key: &K) -> Result<Pass<K>, GateFull> {
        self.enter_with(key, 1).await
    }

    /// Waits until nobody else is at this key.
    ///
    /// # Errors
    ///
    /// [`GateFull`] at once when too many wait already.
    pub async fn enter_alone(&self, key: &K) -> Result<Pass<K>, GateFull> {
        self.enter_with(key, SIDE_BY_SIDE).await
    }

    async fn enter_with(&self, key: &K, permits: u32) -> Result<Pass<K>, GateFull> {
        let gate = {
            let mut gates = locks::lock(&self.gates);
            let gate = gates
                .entry(key.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(SIDE_BY_SIDE as usize)));
            // One count is the table's own; the others are of those who hold or wait.
            if Arc::strong_count(gate) > self.waiting_max {
                return Err(GateFull);
            }
            Arc::clone(gate)
        };
        // Made first, so that a caller who goes away while waiting leaves nothing behind.
        let mut pass = Pass {
            gates: Arc::clone(&self.gates),
            key: key.clone(),
            permit: None,
        };
        let permit = gate.acquire_many_owned(permits).await;
        pass.permit = Some(permit.map_err(|_| GateFull)?);
        Ok(pass)
    }

    /// How many keys somebody is at.
    #[cfg(test)]
    fn len(&self) -> usize {
        locks::lock(&self.gates).len()
    }
}

impl<K: Eq + Hash> Drop for Pass<K> {
    fn drop(&mut self) {
        self.permit = None;
        let mut gates = locks::lock(&self.gates);
        let is_last = gates
            .get(&self.key)
            .is_some_and(|gate| Arc::strong_count(gate) == 1);
        if is_last {
            gates.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn is_waiting<F: Future + Unpin>(future: &mut F) -> bool {
        std::future::poll_fn(|context| {
            let polled = std::pin::Pin::new(&mut *future).poll(context);
            std::task::Poll::Ready(polled.is_pending())
        })
        .await
    }

    #[tokio::test]
    async fn two_may_be_side_by_side_and_one_alone() {
        let gate = AttemptGate::default();
        let first = gate.enter(&"a").await.unwrap();
        let second = gate.enter(&"a").await.unwrap();
        let mut third = Box::pin(gate.enter(&"a"));
        assert!(is_waiting(&mut third).await);
        let _other = gate.enter(&"b").await.unwrap();
        drop(first);
        let third = third.await.unwrap();
        let mut alone = Box::pin(gate.enter_alone(&"a"));
        assert!(is_waiting(&mut alone).await);
        drop(second);
        assert!(is_waiting(&mut alone).await);
        drop(third);
        drop(alone.await.unwrap());
        assert_eq!(gate.len(), 1);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_refused_and_one_that_is_left_leaves_nothing() {
        let gate = AttemptGate::default();
        let alone = gate.enter_alone(&"a").await.unwrap();
        let mut waiting = Vec::new();
        for _ in 1..WAITING_MAX {
            let mut entered = Box::pin(gate.enter(&"a"));
            assert!(is_waiting(&mut entered).await);
            waiting.push(entered);
        }
        assert_eq!(gate.enter(&"a").await.unwrap_err(), GateFull);
        waiting.clear();
        drop(alone);
        assert_eq!(gate.len(), 0);
    }
}
