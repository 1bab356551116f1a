//! The number by which CTI applications know a device, a line on a device, or a node.

use std::num::NonZeroU32;

/// A number that the database gave once and gives nothing else of its kind.
///
/// Source: AXL, attribute `ctiid` of `phone` (a positive integer), `line` and `callManager`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ctiid(NonZeroU32);

impl Ctiid {
    /// The number; `None` for 0, and for what a 31-bit integer does not hold.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= i32::MAX.unsigned_abs() => Some(Self(number)),
            _ => None,
        }
    }

    /// The number itself.
    pub const fn number(self) -> u32 {
        self.0.get()
    }
}

impl std::fmt::Display for Ctiid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_positive_and_fits_31_bits() {
        assert_eq!(Ctiid::new(0), None);
        assert_eq!(Ctiid::new(0x8000_0000), None);
        let greatest = Ctiid::new(0x7fff_ffff).unwrap();
        assert_eq!(greatest.to_string(), "2147483647");
    }
}
