//! The primary key of every configured object, as CUCM has one (`pkid`).

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// Identity of one row: a UUID, printed in lower case with hyphens.
///
/// New ones come from the caller (see `service::environment`), never from this layer.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pkid(Uuid);

impl Pkid {
    /// Makes a random (version 4) identity from 16 random bytes.
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// The identity of a seeded object: the same on every installation.
    pub const fn from_u128(value: u128) -> Self {
        Self(Uuid::from_u128(value))
    }

    /// The 16 bytes, as a sealed token carries them.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Reads the 16 bytes that [`Pkid::as_bytes`] gave.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The text in braces, as phones' files and AXL have it. Without the machinery of formatting:
    /// every file has two.
    pub fn in_braces(&self) -> String {
        self.0
            .as_braced()
            .encode_lower(&mut Uuid::encode_buffer())
            .to_owned()
    }
}

impl fmt::Display for Pkid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}

impl fmt::Debug for Pkid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a pkid is a UUID such as 5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11, with or without braces")]
pub struct InvalidPkid;

impl FromStr for Pkid {
    type Err = InvalidPkid;

    /// Accepts the forms clients send: with or without braces, in either case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidPkid)
    }
}
