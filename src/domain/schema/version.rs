//! The versions of the object model, as AXL numbers them.

use std::fmt;
use std::str::FromStr;

/// One AXL schema version; later ones are greater.
///
/// Source: the AXL Developer Guide's list of schemas; there is no 13.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaVersion {
    /// 7.1, the last of the old dialect.
    V7_1,
    /// 8.0, the first whose elements have one order.
    V8_0,
    /// 8.5.
    V8_5,
    /// 9.0.
    V9_0,
    /// 9.1.
    V9_1,
    /// 10.0, the first with self-provisioning.
    V10_0,
    /// 10.5.
    V10_5,
    /// 11.0.
    V11_0,
    /// 11.5.
    V11_5,
    /// 12.0.
    V12_0,
    /// 12.5.
    V12_5,
    /// 14.0.
    V14_0,
    /// 15.0.
    V15_0,
}

impl SchemaVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 13] = [
        Self::V7_1,
        Self::V8_0,
        Self::V8_5,
        Self::V9_0,
        Self::V9_1,
        Self::V10_0,
        Self::V10_5,
        Self::V11_0,
        Self::V11_5,
        Self::V12_0,
        Self::V12_5,
        Self::V14_0,
        Self::V15_0,
    ];

    /// The oldest version: what a client without a version gets.
    pub const OLDEST: Self = Self::V7_1;

    /// The newest version: what doors without versions of their own show.
    pub const NEWEST: Self = Self::V15_0;

    /// The number as clients write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V7_1 => "7.1",
            Self::V8_0 => "8.0",
            Self::V8_5 => "8.5",
            Self::V9_0 => "9.0",
            Self::V9_1 => "9.1",
            Self::V10_0 => "10.0",
            Self::V10_5 => "10.5",
            Self::V11_0 => "11.0",
            Self::V11_5 => "11.5",
            Self::V12_0 => "12.0",
            Self::V12_5 => "12.5",
            Self::V14_0 => "14.0",
            Self::V15_0 => "15.0",
        }
    }

    /// Whether it is of the dialect before 8.0: other wrappers and names, free order, unknown
    /// elements ignored by CUCM.
    pub const fn is_old_dialect(self) -> bool {
        matches!(self, Self::V7_1)
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// No schema of this number is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a supported AXL version")]
pub struct UnsupportedVersion;

impl FromStr for SchemaVersion {
    type Err = UnsupportedVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|version| version.as_str() == text)
            .ok_or(UnsupportedVersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_and_read_back_from_their_number() {
        assert!(SchemaVersion::ALL.is_sorted());
        for version in SchemaVersion::ALL {
            assert_eq!(version.as_str().parse(), Ok(version));
        }
        assert_eq!("13.0".parse::<SchemaVersion>(), Err(UnsupportedVersion));
        assert!(SchemaVersion::V9_1 < SchemaVersion::V10_0);
    }
}
