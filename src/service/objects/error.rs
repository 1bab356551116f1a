//! Why an operation on an object was not carried out.

use super::ObjectKey;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::merge::TakenIndex;
use crate::service::ServiceError;
use crate::service::administration::AdministrationError;
use crate::store::StoreError;

/// Why an operation on an object was not carried out. Nothing was changed then, unless
/// [`ServiceError::is_unconfirmed`] says that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("there is no {} {name:?}", object.kind.noun())]
    NotFound {
        /// Its kind.
        object: &'static ObjectType,
        /// What it was looked for by.
        name: String,
    },
    /// An element names an object that does not exist.
    #[error("{element} names {} {name:?}, which does not exist; add it first", kind.noun())]
    Unresolved {
        /// The element.
        element: &'static str,
        /// The kind of object that it names.
        kind: ObjectKind,
        /// The name or identity that it has.
        name: String,
    },
    /// An element that there is no object without is not there.
    #[error("{0} is missing; it needs a value")]
    Missing(&'static str),
    /// An element's value does not fit the others, or cannot be carried out.
    #[error("{element}: {reason}")]
    Invalid {
        /// The element.
        element: &'static str,
        /// A sentence that says what to do.
        reason: String,
    },
    /// An entry is added where another stands.
    #[error(
        "{}: index {} is {:?}'s; give another index, or take that away first",
        .0.element, .0.index, .0.holder
    )]
    Taken(TakenIndex),
    /// Others changed it again and again while the request was carried out.
    #[error(
        "others keep changing {} {name:?} at the same time, and this change was not made; repeat \
         it in a moment",
        object.kind.noun()
    )]
    KeepsChanging {
        /// Its kind.
        object: &'static ObjectType,
        /// What it was looked for by.
        name: String,
    },
    /// This system does not carry out operations on objects of this kind.
    #[error("this system has no operations on {}", .0.kind.noun())]
    NotServed(&'static ObjectType),
    /// The kind's own use case refused it.
    #[error(transparent)]
    Administration(#[from] AdministrationError),
}

impl ObjectError {
    pub(super) fn not_found(object: &'static ObjectType, key: &ObjectKey) -> Self {
        Self::NotFound {
            object,
            name: key.to_string(),
        }
    }

    pub(super) fn invalid(element: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self::Invalid {
            element,
            reason: reason.to_string(),
        }
    }
}

impl From<ServiceError> for ObjectError {
    fn from(error: ServiceError) -> Self {
        Self::Administration(error.into())
    }
}

impl From<StoreError> for ObjectError {
    fn from(error: StoreError) -> Self {
        Self::Administration(error.into())
    }
}
