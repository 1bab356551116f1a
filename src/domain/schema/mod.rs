//! The object model: every kind of configured object as one table of elements in master order,
//! with the versions that have each element and what becomes of it.
//!
//! The names are those of the AXL schema, which are the field's own. One table drives parsing,
//! defaults, validation, storage, the answers of every version, and the coverage page.

mod check;
pub mod choices;
pub mod computed;
mod content;
pub mod coverage;
pub mod defaults;
pub mod dialect;
mod element;
pub mod in_words;
pub mod made_from;
pub mod merge;
mod object;
mod record;
pub mod references;
pub mod stored;
mod subject;
mod tables;
pub mod template_line;
pub mod touched;
mod version;

pub use check::{Invalid, Quoted, check, normal_form, written_directory_number};
pub use content::{Change, Characters, Content, Places, Treatment};
pub use element::{
    Element, MANY, any, boolean, elements_in, group, integer, one_of, reference, secret, text,
};
pub use object::{Criterion, Key, ObjectKind, ObjectType, Operation, criterion};
pub use record::{Record, Reference, Value};
pub use stored::{StoredElements, StoredValue};
pub use subject::{Effect, Subject};
pub use version::{SchemaVersion, UnsupportedVersion};

#[cfg(test)]
mod tests;
