//! What a user profile says about provisioning.

use std::fmt;

/// A user profile's *Limit Provisioning once End User has this many phones*, in phones.
///
/// Source: CUCM System Configuration Guide, "Configure a User Profile"; AXL `limitProvision`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhoneLimit(u8);

impl PhoneLimit {
    /// Highest limit CUCM accepts, in phones.
    pub const MAX: u8 = 20;

    /// Reads a limit. Zero is one: it admits nobody.
    ///
    /// # Errors
    ///
    /// [`InvalidPhoneLimit`] above [`PhoneLimit::MAX`] or below zero.
    pub fn new(phones: i64) -> Result<Self, InvalidPhoneLimit> {
        u8::try_from(phones)
            .ok()
            .filter(|phones| *phones <= Self::MAX)
            .map(Self)
            .ok_or(InvalidPhoneLimit)
    }

    /// The limit, in phones.
    pub const fn phones(self) -> u8 {
        self.0
    }

    /// Whether the owner of this many phones may have one more. The owner may have more than the
    /// limit: an administrator may have lowered it.
    pub fn admits_one_more(self, owned: u32) -> bool {
        owned < u32::from(self.0)
    }
}

impl Default for PhoneLimit {
    /// CUCM's default, 10 phones.
    fn default() -> Self {
        Self(10)
    }
}

impl fmt::Display for PhoneLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The number is not a phone limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the phone limit of a user profile is 0 to 20; 0 lets nobody provision")]
pub struct InvalidPhoneLimit;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_zero_to_twenty_and_ten_by_default() {
        assert_eq!(PhoneLimit::new(0).unwrap().phones(), 0);
        assert_eq!(PhoneLimit::new(20).unwrap().phones(), 20);
        assert!(PhoneLimit::new(21).is_err());
        assert!(PhoneLimit::new(-1).is_err());
        assert!(PhoneLimit::new(266).is_err());
        assert_eq!(PhoneLimit::default().phones(), 10);
    }

    #[test]
    fn the_limit_is_the_count_at_which_provisioning_stops() {
        let limit = PhoneLimit::new(10).unwrap();
        assert!(limit.admits_one_more(9));
        assert!(!limit.admits_one_more(10));
        assert!(!limit.admits_one_more(11));
        assert!(!PhoneLimit::new(0).unwrap().admits_one_more(0));
    }
}
