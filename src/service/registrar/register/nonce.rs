//! Digest nonces that any node can check: sealed with the time and the address they were given
//! to. How often each was used is known to the node that saw it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::App;
use crate::service::keys::Purpose;

/// How long a nonce may be used. Source: CUCM's phone security profile, *Nonce Validity Time*.
pub const NONCE_VALIDITY: Duration = Duration::from_mins(10);

/// How far ahead of this node's clock another node's may be, in seconds.
const CLOCK_SKEW_S: u32 = 60;

const TIME_BYTES: usize = 4;
const RANDOM_BYTES: usize = 8;
const TAG_BYTES: usize = 12;
const NONCE_BYTES: usize = TIME_BYTES + RANDOM_BYTES + TAG_BYTES;

/// Parts of the counts, each with its own lock.
const SHARDS: usize = 16;

/// Nonces counted in one part and one validity: a million phones in all. Beyond it the oldest
/// are forgotten early, which costs only the check for repetition.
const COUNTED_MAX: usize = 65_536;

/// What a nonce is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NonceState {
    /// Ours, given to this address, still valid; with what names it.
    Valid(u64),
    /// Not ours, given to another address, or too old: worth a new one.
    Stale,
}

/// A nonce for a challenge to `address`.
pub(in crate::service) fn issue(app: &App, address: IpAddr, now: UnixMillis) -> String {
    let mut nonce = [0; NONCE_BYTES];
    let (head, tag) = nonce.split_at_mut(TIME_BYTES + RANDOM_BYTES);
    let (time, random) = head.split_at_mut(TIME_BYTES);
    time.copy_from_slice(&unix_s(now).to_be_bytes());
    app.environment.fill(random);
    if let Ok(signature) = app.keys.sign(Purpose::Nonce, &signed(head, address)) {
        tag.copy_from_slice(&signature[..TAG_BYTES]);
    }
    URL_SAFE_NO_PAD.encode(nonce)
}

/// Judges a nonce that came from `address`.
pub(super) fn judge(app: &App, nonce: &[u8], address: IpAddr, now: UnixMillis) -> NonceState {
    let mut bytes = [0; NONCE_BYTES];
    if URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) != Ok(NONCE_BYTES) {
        return NonceState::Stale;
    }
    let (head, tag) = bytes.split_at(TIME_BYTES + RANDOM_BYTES);
    if !app.keys.verify(Purpose::Nonce, &signed(head, address), tag) {
        return NonceState::Stale;
    }
    let (time, random) = head.split_at(TIME_BYTES);
    let issued_s = time.try_into().map_or(0, u32::from_be_bytes);
    let now_s = unix_s(now);
    let is_valid = u64::from(now_s.saturating_sub(issued_s)) <= NONCE_VALIDITY.as_secs()
        && issued_s <= now_s.saturating_add(CLOCK_SKEW_S);
    if is_valid {
        NonceState::Valid(random.try_into().map_or(0, u64::from_be_bytes))
    } else {
        NonceState::Stale
    }
}

fn signed(head: &[u8], address: IpAddr) -> [u8; TIME_BYTES + RANDOM_BYTES + 16] {
    let mut bytes = [0; TIME_BYTES + RANDOM_BYTES + 16];
    let address = match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    };
    let (front, back) = bytes.split_at_mut(TIME_BYTES + RANDOM_BYTES);
    front.copy_from_slice(head);
    back.copy_from_slice(&address.octets());
    bytes
}

fn unix_s(now: UnixMillis) -> u32 {
    // Until 2106.
    u32::try_from(now.unix_s()).unwrap_or(0)
}

/// How often each nonce was used.
#[derive(Debug)]
pub(super) struct NonceCounts {
    shards: Vec<Mutex<Generations>>,
}

/// Two generations, each as long as a nonce is valid: forgetting needs no search.
#[derive(Debug, Default)]
struct Generations {
    current: HashMap<u64, u32>,
    previous: HashMap<u64, u32>,
    begun_at: UnixMillis,
}

impl Default for NonceCounts {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }
    }
}

impl NonceCounts {
    /// Whether `count` is higher than every count this nonce was used with, and remembers it.
    ///
    /// Without a count (the form of RFC 2069) a nonce serves once. Source: RFC 7616 clause 3.4.
    pub(super) fn take(&self, nonce: u64, count: Option<u32>, now: UnixMillis) -> bool {
        let index = usize::try_from(nonce % SHARDS as u64).unwrap_or(0);
        let Some(shard) = self.shards.get(index) else {
            return false;
        };
        let mut shard = locks::lock(shard);
        shard.turn(now);
        let Generations {
            current, previous, ..
        } = &mut *shard;
        let before = || previous.get(&nonce).copied().unwrap_or(0);
        let used = current.entry(nonce).or_insert_with(before);
        let is_new = match count {
            Some(count) => count > *used,
            None => *used == 0,
        };
        if is_new {
            *used = count.unwrap_or(u32::MAX);
        }
        is_new
    }
}

impl Generations {
    fn turn(&mut self, now: UnixMillis) {
        if now.since(self.begun_at) > NONCE_VALIDITY || self.current.len() >= COUNTED_MAX {
            self.previous = std::mem::take(&mut self.current);
            self.begun_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_serves_once_and_only_upwards() {
        let counts = NonceCounts::default();
        let now = UnixMillis(1_000_000_000_000);
        assert!(counts.take(7, Some(1), now));
        assert!(!counts.take(7, Some(1), now));
        assert!(counts.take(7, Some(10), now));
        assert!(!counts.take(7, Some(9), now));
        assert!(counts.take(8, Some(1), now));
        assert!(counts.take(9, None, now));
        assert!(!counts.take(9, None, now));
    }

    #[test]
    fn a_count_is_remembered_as_long_as_its_nonce_lives() {
        let counts = NonceCounts::default();
        let now = UnixMillis(1_000_000_000_000);
        assert!(counts.take(16, Some(5), now));
        let later = now.plus(NONCE_VALIDITY);
        assert!(!counts.take(16, Some(5), later));
        let after = later.plus(Duration::from_secs(1));
        assert!(counts.take(32, Some(1), after));
        assert!(!counts.take(16, Some(5), after));
    }
}
