//! What an element may hold, where it may stand, and what becomes of it.

use super::Element;
use super::ObjectKind;

/// What an element holds.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// Text of at most this many characters.
    Text(u16),
    /// `true` or `false`.
    Boolean,
    /// A whole number; may be empty.
    Integer,
    /// One of these words.
    Enumeration(&'static [&'static str]),
    /// The name, and as attribute the identity, of another object; empty: none.
    Reference(ObjectKind),
    /// Text that answers never give back.
    Secret(u16),
    /// Further elements.
    Group(&'static [Element]),
    /// Any elements in any order, kept as they are (`vendorConfig`).
    Any,
}

/// The characters that a text may have.
///
/// Source: the messages of CUCM's database for each of these fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Characters {
    /// All but control characters.
    Printable,
    /// Letters, digits, `.`, `_` and `-`: a device name.
    DeviceName,
    /// Letters, digits, blanks, `.`, `_` and `-`: the name of a partition, profile or template.
    ObjectName,
    /// None of `" % \ & < >`: a description.
    Description,
    /// No `"`: the label of a line.
    Label,
    /// None of `] " % < > [ & | { }`: a display name.
    Display,
    /// `0-9 * # X +`: an external phone number mask.
    Mask,
    /// A directory number; a leading plus may be written `\+`.
    DirectoryNumber,
    /// Digits, six to twenty of them.
    NumericUserId,
    /// A user ID.
    UserId,
    /// A Self-Service User ID.
    SelfServiceUserId,
    /// Text with tags such as `#FirstName#`.
    Tagged,
    /// A name that the system set may have any character; a new one is an [`Self::ObjectName`]
    /// with parentheses, which the names of models bring along.
    ModelName,
}

/// The requests and answers that have an element.
#[must_use]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places(u8);

impl Places {
    /// Add requests.
    pub const ADD: Self = Self(1);
    /// Update requests.
    pub const UPDATE: Self = Self(2);
    /// Get answers.
    pub const GET: Self = Self(4);
    /// List answers.
    pub const LIST: Self = Self(8);
    /// Add and update requests.
    pub const REQUESTS: Self = Self(3);
    /// Get and list answers.
    pub const ANSWERS: Self = Self(12);
    /// All four.
    pub const ALL: Self = Self(15);

    /// Whether `place` is one of them.
    pub const fn has(self, place: Self) -> bool {
        self.0 & place.0 != 0
    }

    /// These without `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those that are also among `other`.
    pub const fn within(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// These and `other`.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What a list in an update request does with the entries that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It replaces them all.
    Replace,
    /// It adds its entries (`addMembers`).
    Add,
    /// It takes its entries away (`removeMembers`).
    Remove,
}

/// What becomes of an element. Nothing is ever dropped silently, so there is no other case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The program acts on it.
    Applied,
    /// Kept and given back, without effect on phones.
    Stored,
    /// Refused with this sentence, unless it is empty or holds its default.
    Refused(&'static str),
    /// The system's own, and answered. A change may send back what was read; anything else is
    /// refused with this sentence.
    Computed(&'static str),
}
