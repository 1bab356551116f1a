//! One element of an object: its name, what it holds, the versions and answers that have it, and
//! what the program does with it.
//!
//! The constructors are `const`, so that an object's elements are one table in master order.

use super::SchemaVersion;
use super::object::ObjectKind;

/// One row of an object's table.
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// The name on the wire.
    pub name: &'static str,
    /// The name it is stored under when an earlier version called it otherwise.
    pub canonical: &'static str,
    /// What it holds.
    pub content: Content,
    /// The first version that has it.
    pub since: SchemaVersion,
    /// The first version that has it no more.
    pub before: Option<SchemaVersion>,
    /// The requests and answers that have it.
    pub places: Places,
    /// The value of an object that was added without it.
    pub default: Option<&'static str>,
    /// Whether it may stand more than once, and how often at most.
    pub occurs_max: u16,
    /// Whether an object cannot be added without it.
    pub is_required: bool,
    /// What becomes of it.
    pub treatment: Treatment,
}

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

/// The requests and answers that have an element.
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

    /// These and `other`.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// What becomes of an element. Nothing is ever dropped silently, so there is no fourth case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// The program acts on it.
    Applied,
    /// Kept and given back, without effect on phones.
    Stored,
    /// Refused with this sentence, unless it holds its default.
    Refused(&'static str),
}

const fn element(name: &'static str, content: Content) -> Element {
    Element {
        name,
        canonical: name,
        content,
        since: SchemaVersion::OLDEST,
        before: None,
        places: Places::ALL,
        default: None,
        occurs_max: 1,
        is_required: false,
        treatment: Treatment::Stored,
    }
}

/// Text of at most `characters_max` characters.
pub const fn text(name: &'static str, characters_max: u16) -> Element {
    element(name, Content::Text(characters_max))
}

/// A truth value.
pub const fn boolean(name: &'static str) -> Element {
    element(name, Content::Boolean)
}

/// A whole number.
pub const fn integer(name: &'static str) -> Element {
    element(name, Content::Integer)
}

/// One of `words`.
pub const fn one_of(name: &'static str, words: &'static [&'static str]) -> Element {
    element(name, Content::Enumeration(words))
}

/// A reference to an object of `kind`.
pub const fn reference(name: &'static str, kind: ObjectKind) -> Element {
    element(name, Content::Reference(kind))
}

/// Text that answers never give back.
pub const fn secret(name: &'static str, characters_max: u16) -> Element {
    element(name, Content::Secret(characters_max))
}

/// Further elements.
pub const fn group(name: &'static str, elements: &'static [Element]) -> Element {
    element(name, Content::Group(elements))
}

/// Anything.
pub const fn any(name: &'static str) -> Element {
    element(name, Content::Any)
}

impl Element {
    /// The program acts on it.
    pub const fn applied(mut self) -> Self {
        self.treatment = Treatment::Applied;
        self
    }

    /// It is refused with this sentence, unless it holds its default.
    pub const fn refused(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::Refused(reason);
        self
    }

    /// An object cannot be added without it.
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The first version that has it.
    pub const fn since(mut self, version: SchemaVersion) -> Self {
        self.since = version;
        self
    }

    /// The first version that has it no more.
    pub const fn before(mut self, version: SchemaVersion) -> Self {
        self.before = Some(version);
        self
    }

    /// The value of an object that was added without it.
    pub const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    /// It may stand up to `times` times.
    pub const fn repeated(mut self, times: u16) -> Self {
        self.occurs_max = times;
        self
    }

    /// It is the element `canonical` under an earlier name.
    pub const fn stored_as(mut self, canonical: &'static str) -> Self {
        self.canonical = canonical;
        self
    }

    /// Only these have it.
    pub const fn only_in(mut self, places: Places) -> Self {
        self.places = places;
        self
    }

    /// These do not have it.
    pub const fn not_in(mut self, places: Places) -> Self {
        self.places = self.places.without(places);
        self
    }

    /// Whether `version` has it.
    pub fn is_in(&self, version: SchemaVersion) -> bool {
        self.since <= version && self.before.is_none_or(|before| version < before)
    }

    /// The elements below it; none when it is no group.
    pub const fn children(&self) -> &'static [Element] {
        match self.content {
            Content::Group(elements) => elements,
            _ => &[],
        }
    }
}
