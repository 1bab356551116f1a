//! A credential as it is kept: never the secret, but what a policy needs to judge it.

use std::fmt;

use crate::domain::credential::CredentialPolicy;
use crate::domain::lockout::Lock;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// Seconds of a day, in which CUCM counts the age of credentials.
const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

/// A credential as it is kept: its hash and what a policy needs to judge it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredCredential {
    /// Identity.
    pub pkid: Pkid,
    /// PHC string of the hash.
    pub hash: Box<str>,
    /// The policy it stands under.
    pub policy: CredentialPolicy,
    /// Identity of that policy.
    pub policy_pkid: Pkid,
    /// When it was set.
    pub changed_at: UnixMillis,
    /// Whether its owner must change it at the next login.
    pub must_change: bool,
    /// Whether the policy's age does not hold for it.
    pub does_not_expire: bool,
    /// Whether only administrators may change it.
    pub cant_change: bool,
    /// Its last lock, which may be over.
    pub lock: Option<Lock>,
    /// Rises with every new secret.
    pub version: i64,
}

impl StoredCredential {
    /// Whether it is locked now.
    pub fn is_locked(&self, now: UnixMillis) -> bool {
        self.lock.is_some_and(|lock| !lock.left(now).is_zero())
    }

    /// When it comes of age; `None` when it never does.
    fn expires_at(&self) -> Option<UnixMillis> {
        let age = self
            .policy
            .expires_after
            .filter(|_| !self.does_not_expire)?;
        Some(self.changed_at.plus(age))
    }

    /// Whole days until it comes of age; `None` when it never does.
    pub fn days_to_expiry(&self, now: UnixMillis) -> Option<u64> {
        let expires_at = self.expires_at()?;
        Some(expires_at.since(now).as_secs() / SECONDS_OF_A_DAY)
    }

    /// Whether its owner is to be warned that it comes of age soon, or did.
    pub fn is_expiry_near(&self, now: UnixMillis) -> bool {
        let warning = self.policy.expiry_warning;
        let is_near = |expires_at: UnixMillis| now >= expires_at.minus(warning);
        !warning.is_zero() && self.expires_at().is_some_and(is_near)
    }

    /// Whether its owner must change it before anything else.
    pub fn must_change(&self, now: UnixMillis) -> bool {
        let expired = !self.does_not_expire && self.policy.is_expired(self.changed_at, now);
        self.must_change || expired
    }
}

impl fmt::Debug for StoredCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCredential")
            .field("pkid", &self.pkid)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}
