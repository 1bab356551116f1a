//! One element of an object: its name, what it holds, the versions and answers that have it, and
//! what the program does with it.
//!
//! The constructors are `const`, so that an object's elements are one table in master order.

use super::Change;
use super::Characters;
use super::Content;
use super::ObjectKind;
use super::Places;
use super::SchemaVersion;
use super::Treatment;
use super::choices::Narrowed;
use super::choices::Offer;

/// One row of an object's table.
#[must_use]
#[derive(Debug, Clone, Copy)]
pub struct Element {
    /// The name on the wire.
    pub name: &'static str,
    /// The name in update requests where it is another: `newName` for `name`.
    pub name_in_update: Option<&'static str>,
    /// The name it is stored under when an earlier version called it otherwise, and for
    /// `addLines` and `removeLines` the list that they change.
    pub canonical: &'static str,
    /// What a list in an update request does with the entries that are there.
    pub change: Change,
    /// What it holds.
    pub content: Content,
    /// The characters of a text.
    pub characters: Characters,
    /// The smallest and the greatest whole number allowed.
    pub range: Option<(i64, i64)>,
    /// The first version that has it.
    pub since: SchemaVersion,
    /// The first version that has it no more.
    pub before: Option<SchemaVersion>,
    /// The requests and answers that have it, as far as the element around it stands there.
    pub places: Places,
    /// The value of an object that was added without it.
    pub default: Option<&'static str>,
    /// How often it may stand.
    pub occurs_max: u16,
    /// Neighbours with numbers from 1 up are branches of one choice, of which a request has one;
    /// a branch may have several elements. 0: no choice.
    pub branch: u8,
    /// Attributes beside the identity that every reference has: `ctiid`, `special`, `uuid`.
    pub attributes: &'static [&'static str],
    /// The kind of object that the attribute `uuid` of a group may name in place of its elements.
    pub identified: Option<ObjectKind>,
    /// Which choices `getPhoneOptions` and its like give for it.
    pub offer: Offer,
    /// What those can be narrowed by.
    pub narrowed: Narrowed,
    /// Whether an object cannot be added without it.
    pub is_required: bool,
    /// Whether it is a secret that answers give all the same, to those who may change something.
    pub is_answered_secret: bool,
    /// What becomes of it.
    pub treatment: Treatment,
}

/// How often an element stands that may repeat without end.
pub const MANY: u16 = u16::MAX;

const fn element(name: &'static str, content: Content) -> Element {
    Element {
        name,
        name_in_update: None,
        canonical: name,
        change: Change::Replace,
        content,
        characters: Characters::Printable,
        range: None,
        since: SchemaVersion::OLDEST,
        before: None,
        places: Places::ALL,
        default: None,
        occurs_max: 1,
        branch: 0,
        attributes: &[],
        identified: None,
        offer: Offer::OfContent,
        narrowed: Narrowed::ByNothing,
        is_required: false,
        is_answered_secret: false,
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

    /// It is refused with this sentence, unless it is empty or holds its default.
    pub const fn refused(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::Refused(reason);
        self
    }

    /// It is the system's own: what differs from it is refused with this sentence.
    pub const fn computed(mut self, reason: &'static str) -> Self {
        self.treatment = Treatment::Computed(reason);
        self
    }

    /// An object cannot be added without it.
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// It is the object's key: required, acted on, and of this name in update requests, where
    /// its own name says which object is meant.
    pub const fn key(mut self, name_in_update: &'static str) -> Self {
        self.name_in_update = Some(name_in_update);
        self.required().applied()
    }

    /// In update requests it has this name.
    pub const fn in_update(mut self, name: &'static str) -> Self {
        self.name_in_update = Some(name);
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

    /// It may stand up to `times` times; [`MANY`]: without end.
    pub const fn repeated(mut self, times: u16) -> Self {
        self.occurs_max = times;
        self
    }

    /// It is the element `canonical` under an earlier name.
    pub const fn stored_as(mut self, canonical: &'static str) -> Self {
        self.canonical = canonical;
        self
    }

    /// It adds its entries to the list `canonical`. Update requests only.
    pub const fn adds_to(mut self, canonical: &'static str) -> Self {
        self.change = Change::Add;
        self.only_in(Places::UPDATE).branch(1).stored_as(canonical)
    }

    /// It takes its entries from the list `canonical`. Update requests only.
    pub const fn removes_from(mut self, canonical: &'static str) -> Self {
        self.change = Change::Remove;
        self.only_in(Places::UPDATE).branch(1).stored_as(canonical)
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

    /// List answers do not have it.
    pub const fn unlisted(self) -> Self {
        self.not_in(Places::LIST)
    }

    /// Only answers have it.
    pub const fn only_in_answers(self) -> Self {
        self.only_in(Places::ANSWERS)
    }

    /// Only get answers have it.
    pub const fn only_in_get(self) -> Self {
        self.only_in(Places::GET)
    }

    /// It is a secret that answers give all the same, to those who may change something.
    pub const fn answered_secret(mut self) -> Self {
        self.is_answered_secret = true;
        self.only_in_answers()
    }

    /// It is, or belongs to, this branch of a choice.
    pub const fn branch(mut self, branch: u8) -> Self {
        self.branch = branch;
        self
    }

    /// Its attributes.
    pub const fn attributes(mut self, names: &'static [&'static str]) -> Self {
        self.attributes = names;
        self
    }

    /// Its attribute `uuid` may say in requests which object of `kind` is meant.
    pub const fn identified(mut self, kind: ObjectKind) -> Self {
        self.identified = Some(kind);
        self
    }

    /// `getPhoneOptions` and its like do not have it.
    pub const fn without_choices(mut self) -> Self {
        self.offer = Offer::Nothing;
        self
    }

    /// These words can be chosen, and other text said.
    pub const fn offering(mut self, words: fn() -> Vec<&'static str>) -> Self {
        self.offer = Offer::Words(words);
        self
    }

    /// Its choices can be narrowed by this.
    pub const fn narrowed(mut self, by: Narrowed) -> Self {
        self.narrowed = by;
        self
    }

    /// The characters that it may have.
    pub const fn characters(mut self, characters: Characters) -> Self {
        self.characters = characters;
        self
    }

    /// The numbers that it may hold, both ends included.
    pub const fn within(mut self, smallest: i64, greatest: i64) -> Self {
        self.range = Some((smallest, greatest));
        self
    }

    /// Whether `version` has it.
    pub fn is_in(&self, version: SchemaVersion) -> bool {
        self.since <= version && self.before.is_none_or(|before| version < before)
    }

    /// Its name in one kind of request or answer.
    pub const fn name_in(&self, place: Places) -> &'static str {
        match self.name_in_update {
            Some(name) if place.has(Places::UPDATE) => name,
            _ => self.name,
        }
    }

    /// The elements below it; none when it is no group.
    pub const fn children(&self) -> &'static [Element] {
        match self.content {
            Content::Group(elements) => elements,
            _ => &[],
        }
    }
}

/// The elements of a table that `version` has in `place`, in master order.
pub fn elements_in(
    elements: &'static [Element],
    version: SchemaVersion,
    place: Places,
) -> impl Iterator<Item = &'static Element> {
    elements
        .iter()
        .filter(move |element| element.is_in(version) && element.places.has(place))
}
