//! References that say both an identity and a name.

use super::ObjectError;
use crate::domain::schema::Reference;

/// Whether what a reference says beside an identity is the name of that object.
pub(super) fn is_called(reference: &Reference, name: &str) -> bool {
    let said = &reference.name;
    said.is_empty() || said.to_lowercase() == name.to_lowercase()
}

/// The refusal of a reference by the identity of one object and the name of another.
pub(super) fn two_objects(element: &'static str, known: &str, said: &Reference) -> ObjectError {
    let reason = format!(
        "its uuid is that of {known:?}, and its text is {:?}: send one of the two",
        said.name
    );
    ObjectError::invalid(element, &reason)
}
