//! Directory numbers (DN) and the range from which auto-registration takes them.

use std::fmt;
use std::str::FromStr;

use super::short_text::ShortText;

/// A directory number: 1 to 24 of the characters a CUCM pattern of a phone's line may have.
///
/// Source: AXL `addLine` `pattern`; wildcards belong to route patterns and are refused here.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DirectoryNumber(ShortText);

impl DirectoryNumber {
    /// Longest directory number, in characters: the phone's own limit for a line name is 30,
    /// CUCM's for a dialled pattern 24.
    pub const LENGTH_MAX: usize = 24;

    /// The number as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for DirectoryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for DirectoryNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a directory number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a directory number has 1 to 24 of the characters 0-9 * # and may begin with +")]
pub struct InvalidDirectoryNumber;

impl FromStr for DirectoryNumber {
    type Err = InvalidDirectoryNumber;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let allowed = |b: u8| b.is_ascii_digit() || matches!(b, b'*' | b'#');
        let fits = !digits.is_empty() && text.len() <= Self::LENGTH_MAX;
        (fits && digits.bytes().all(allowed))
            .then(|| Self(ShortText::new(text)))
            .ok_or(InvalidDirectoryNumber)
    }
}
