//! What is to be written of an object, as its kind reads it.

use super::ObjectError;
use crate::domain::pkid::Pkid;
use crate::domain::schema;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::SchemaVersion;
use crate::domain::schema::StoredElements;
use crate::domain::schema::Value;
use crate::domain::secret::Secret;
use crate::service::administration::AdministrationError;

/// An object as it is to be: new, or changed. References have name and identity.
#[derive(Debug)]
pub(in crate::service) struct Draft {
    object: &'static ObjectType,
    version: SchemaVersion,
    record: Record,
    said: Vec<&'static str>,
    request: Option<Record>,
    held_version: Option<i64>,
    touched: Vec<&'static str>,
    /// What the touched elements held before, in words.
    before: String,
}

impl Draft {
    pub(super) fn of_new(
        object: &'static ObjectType,
        version: SchemaVersion,
        record: Record,
    ) -> Self {
        let said = record.iter().map(|(name, _)| name).collect();
        Self {
            object,
            version,
            record,
            said,
            request: None,
            held_version: None,
            touched: Vec::new(),
            before: String::new(),
        }
    }

    pub(super) fn of_change(
        object: &'static ObjectType,
        version: SchemaVersion,
        (before, held_version): (&Record, Option<i64>),
        said: &Record,
    ) -> Self {
        let record = schema::merge::merged(object, before, said);
        let touched = schema::touched::between(object, before, &record);
        Self {
            object,
            version,
            before: schema::in_words::named(before, &touched),
            touched,
            record,
            said: schema::merge::spoken_of(object, said),
            request: Some(said.clone()),
            held_version,
        }
    }

    /// The table.
    pub(super) const fn object(&self) -> &'static ObjectType {
        self.object
    }

    /// The version whose elements the request has.
    pub(super) const fn version(&self) -> SchemaVersion {
        self.version
    }

    /// The version of the object that the change is made from; `None` for a new one, and where its
    /// kind has none.
    pub(super) const fn held_version(&self) -> Option<i64> {
        self.held_version
    }

    /// Refuses to go on when the object has another version than the one that was read.
    ///
    /// # Errors
    ///
    /// [`AdministrationError::Changed`] with this label.
    pub(super) fn is_of(&self, version: i64, label: &'static str) -> Result<(), ObjectError> {
        if self.held_version.is_some_and(|held| held != version) {
            return Err(AdministrationError::Changed(label).into());
        }
        Ok(())
    }

    /// The elements of which the request speaks, or a default does for a new object.
    pub(super) fn said(&self) -> &[&'static str] {
        &self.said
    }

    /// What the request says, for a change.
    pub(super) const fn request(&self) -> Option<&Record> {
        self.request.as_ref()
    }

    /// The object as a whole.
    pub(super) const fn record(&self) -> &Record {
        &self.record
    }

    /// Whether the request speaks of this element, or a default does for a new object.
    pub(super) fn says(&self, element: &str) -> bool {
        self.said.contains(&element)
    }

    /// A group as the request says it: what it leaves unsaid is not there.
    pub(super) fn said_group(&self, element: &str) -> Option<&Record> {
        self.request.as_ref().unwrap_or(&self.record).group(element)
    }

    /// The text of an element; empty when there is none.
    pub(super) fn text(&self, element: &str) -> String {
        self.record.text(element).unwrap_or_default().to_owned()
    }

    /// The text of an element of which the request speaks.
    pub(super) fn said_text(&self, element: &str) -> Option<String> {
        self.says(element).then(|| self.text(element))
    }

    /// The object that an element names.
    pub(super) fn pkid(&self, element: &str) -> Option<Pkid> {
        pkid_of(&self.record, element)
    }

    /// The object that an element must name.
    ///
    /// # Errors
    ///
    /// [`ObjectError::Missing`] when it names none.
    pub(super) fn required_pkid(&self, element: &'static str) -> Result<Pkid, ObjectError> {
        self.pkid(element).ok_or(ObjectError::Missing(element))
    }

    /// Whether an element is `true`.
    pub(super) fn flag(&self, element: &str) -> bool {
        self.record.text(element) == Some("true")
    }

    /// The number of an element; `None` when it is empty.
    ///
    /// # Errors
    ///
    /// [`ObjectError::Invalid`] when it does not fit the program's type for it.
    pub(super) fn number<T: TryFrom<i64>>(
        &self,
        element: &'static str,
    ) -> Result<Option<T>, ObjectError> {
        number_of(&self.record, element)
    }

    /// The secret of an element of which the request speaks; `Some(None)`: it is to be none.
    #[expect(clippy::option_option, reason = "not said, none, or a value")]
    pub(super) fn secret(&self, element: &str) -> Option<Option<&Secret>> {
        self.says(element).then(|| match self.record.get(element) {
            Some(Value::Secret(secret)) => Some(secret),
            _ => None,
        })
    }

    /// The elements that hold something else after the change.
    pub(super) fn touched(&self) -> &[&'static str] {
        &self.touched
    }

    /// What the change is from and to, in words: the elements that it touches, or all of a new
    /// object.
    pub(super) fn in_words(&self) -> (String, String) {
        let after = match self.request {
            Some(_) => schema::in_words::named(&self.record, &self.touched),
            None => schema::in_words::all(&self.record),
        };
        (self.before.clone(), after)
    }

    /// What is only kept.
    pub(super) fn stored(&self) -> StoredElements {
        let stored = StoredElements::of(self.object, &self.record, &self.said);
        stored.touching(&self.touched)
    }
}

/// The object that an element of a record names.
pub(super) fn pkid_of(record: &Record, element: &str) -> Option<Pkid> {
    match record.get(element)? {
        Value::Reference(reference) => reference.pkid,
        _ => None,
    }
}

/// The number of an element of a record; `None` when it is empty or absent.
pub(super) fn number_of<T: TryFrom<i64>>(
    record: &Record,
    element: &'static str,
) -> Result<Option<T>, ObjectError> {
    let text = record.text(element).unwrap_or_default();
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse::<i64>().ok().and_then(|n| T::try_from(n).ok());
    let number = number.ok_or_else(|| {
        let reason = format!("{text:?} is too great or too small a number");
        ObjectError::invalid(element, &reason)
    })?;
    Ok(Some(number))
}
