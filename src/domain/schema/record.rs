//! An object as a tree of named values: what a request said, what an answer says.

use crate::domain::ctiid::Ctiid;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;

/// Named values in master order. A name stands once; what repeats is a [`Value::List`]. Beside them
/// stands what is said by attributes of the element around them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    values: Vec<(&'static str, Value)>,
    pkid: Option<Pkid>,
    ctiid: Option<Ctiid>,
}

/// What one element holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An empty element: none, nothing, not set.
    Nothing,
    /// Text, a number or a truth value, as the schema writes it.
    Text(String),
    /// Text that does not print itself.
    Secret(Secret),
    /// Another object.
    Reference(Reference),
    /// Further elements.
    Group(Record),
    /// An element that may repeat, each time it stands.
    List(Vec<Value>),
    /// Content that is kept as it is: XML without the element around it.
    Verbatim(String),
}

/// Another object, by name, by identity, or by both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// Its name; empty when only the identity was said.
    pub name: String,
    /// Its identity.
    pub pkid: Option<Pkid>,
}

impl Reference {
    /// By name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            pkid: None,
        }
    }
}

impl Value {
    /// Text; nothing when it is empty.
    pub fn text(text: &str) -> Self {
        if text.is_empty() {
            Self::Nothing
        } else {
            Self::Text(text.to_owned())
        }
    }

    /// A truth value.
    pub fn flag(is_true: bool) -> Self {
        Self::Text(is_true.to_string())
    }

    /// A number.
    pub fn number(number: impl Into<i64>) -> Self {
        Self::Text(number.into().to_string())
    }
}

impl Record {
    /// The value of an element; `None` when it is absent, which is not [`Value::Nothing`].
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Every element in the order in which it was set, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut Value)> {
        self.values.iter_mut().map(|(name, value)| (*name, value))
    }

    /// Sets an element.
    pub fn set(&mut self, name: &'static str, value: Value) {
        match self.values.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => *held = value,
            None => self.values.push((name, value)),
        }
    }

    /// Sets the identity of a group (`uuid`); that of an object stands beside its record.
    pub const fn set_pkid(&mut self, pkid: Pkid) {
        self.pkid = Some(pkid);
    }

    /// The identity of a group (`uuid`).
    pub const fn pkid(&self) -> Option<Pkid> {
        self.pkid
    }

    /// Sets the number by which CTI knows the object or group (`ctiid`).
    pub const fn set_ctiid(&mut self, ctiid: Option<Ctiid>) {
        self.ctiid = ctiid;
    }

    /// The number by which CTI knows the object or group (`ctiid`).
    pub const fn ctiid(&self) -> Option<Ctiid> {
        self.ctiid
    }

    /// Takes an element out.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        let index = self.values.iter().position(|(known, _)| *known == name)?;
        Some(self.values.remove(index).1)
    }

    /// Every element in the order in which it was set.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The text of an element; empty for [`Value::Nothing`], `None` when absent or no text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Nothing => Some(""),
            Value::Text(text) => Some(text),
            Value::Reference(reference) => Some(&reference.name),
            Value::Secret(_) | Value::Group(_) | Value::List(_) | Value::Verbatim(_) => None,
        }
    }

    /// The group of this name.
    pub fn group(&self, name: &str) -> Option<&Record> {
        match self.get(name)? {
            Value::Group(record) => Some(record),
            _ => None,
        }
    }

    /// The values of a repeated element; none when it is absent.
    pub fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }
}
