//! Whose the first file of a device is that never registered, in memory until its row says so.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::domain::pkid::Pkid;
use crate::locks;

/// The claims that are not written yet, or could not be: at most one for each device that an
/// administrator made.
#[derive(Default)]
pub struct FirstFetches(Mutex<HashMap<Pkid, IpAddr>>);

/// What a claim led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// The address has the device's first file from now on.
    Made,
    /// This address has it since before.
    Held(IpAddr),
}

impl FirstFetches {
    /// The address that has claimed the device, by its row.
    pub fn of(&self, pkid: Pkid) -> Option<IpAddr> {
        self.lock().get(&pkid).copied()
    }

    /// Claims the device for an address that is known not to be forged.
    pub fn claim(&self, pkid: Pkid, address: IpAddr) -> Claim {
        let mut claims = self.lock();
        if let Some(holder) = claims.get(&pkid) {
            return Claim::Held(*holder);
        }
        claims.insert(pkid, address);
        Claim::Made
    }

    /// The row says it now, or there is no such device any more.
    pub fn forget(&self, pkid: Pkid) {
        self.lock().remove(&pkid);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Pkid, IpAddr>> {
        locks::lock(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_claim_holds_until_the_row_says_so() {
        let claims = FirstFetches::default();
        let (one, two) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let pkid = Pkid::from_u128(1);
        assert_eq!(claims.claim(pkid, one), Claim::Made);
        assert_eq!(claims.claim(pkid, two), Claim::Held(one));
        assert_eq!(claims.of(pkid), Some(one));
        claims.forget(pkid);
        assert_eq!(claims.of(pkid), None);
    }
}
