//! What a client is told when a call is not carried out. Pure.

use crate::service::ServiceError;
use crate::service::administration::AdministrationError;

use super::envelope::EnvelopeError;

/// Who must do something, as SOAP 1.1 clause 4.4.1 says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// AXL's own errors, whoever's fault they are: that is how CUCM words them.
    Server,
    /// What the database refused.
    Client,
}

/// A fault: number, sentence, origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The number that clients choose by.
    pub code: i32,
    /// The sentence that people read.
    pub message: String,
    /// The first word of the fault.
    pub origin: Origin,
}

/// Something named does not exist.
const NOT_FOUND: i32 = 5007;
/// What was to be updated does not exist, or may not be changed by this user.
const NOT_UPDATED: i32 = 5003;
/// The operation does not exist in this version.
const NO_OPERATION: i32 = 5001;
/// A value is not valid.
const NOT_VALID: i32 = 5000;
/// The request is no AXL request.
const NOT_READABLE: i32 = 5002;
/// A unique value is another's.
const NOT_UNIQUE: i32 = -239;
/// Others refer to it.
const IN_USE: i32 = -692;
/// Anything that is not the caller's fault.
const FAILED: i32 = -1;

impl Fault {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            origin: Origin::Server,
        }
    }

    /// `what` does not exist: the object's noun, or a device's name. Clients compare the sentence
    /// letter by letter.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            NOT_FOUND,
            format!("Item not valid: The specified {what} was not found"),
        )
    }

    /// An element names an object that does not exist.
    pub fn unresolved(element: &str, noun: &str, name: &str) -> Self {
        Self::new(
            NOT_FOUND,
            format!(
                "Item not valid: The specified {noun} was not found ({element} is {name:?}; add \
                 that first, or name another)"
            ),
        )
    }

    /// More than an answer may hold; clients parse the two numbers and ask again for fewer.
    pub fn too_large(matched: usize, fitting: usize) -> Self {
        Self::failed(&format!(
            "Query request too large. Total rows matched: {matched} rows. Suggestive Row Fetch: \
             less than {fitting} rows"
        ))
    }

    /// What was to be updated does not exist.
    pub fn not_updated(noun: &str) -> Self {
        Self::new(NOT_UPDATED, format!("{noun} not found"))
    }

    /// The account may read, and this would change something.
    pub fn read_only(operation: &str) -> Self {
        Self::new(
            NOT_UPDATED,
            format!("{operation} changes something, and this account may only read over AXL"),
        )
    }

    /// The account may read, and this would tell it secrets.
    pub fn no_secrets(operation: &str) -> Self {
        Self::new(
            NOT_UPDATED,
            format!("{operation} gives secrets, and this account may only read over AXL"),
        )
    }

    /// The operation does not exist in this version; the sentence says what to do instead.
    pub fn no_operation(hint: &str) -> Self {
        Self::new(
            NO_OPERATION,
            format!("No method found for processing request: {hint}"),
        )
    }

    /// A value or element is not valid.
    pub fn not_valid(reason: impl Into<String>) -> Self {
        Self::new(NOT_VALID, reason)
    }

    /// What the database says, with Informix's number.
    pub fn of_database(code: i32, message: String) -> Self {
        Self {
            code,
            message,
            origin: Origin::Client,
        }
    }

    /// Another has a value that only one can have.
    pub(super) fn not_unique(reason: &str) -> Self {
        Self {
            code: NOT_UNIQUE,
            message: format!(
                "Could not insert new row - duplicate value in a UNIQUE INDEX column \
                 (Unique Index:). {reason}"
            ),
            origin: Origin::Client,
        }
    }

    /// It could not be carried out now.
    pub(super) fn failed(message: &str) -> Self {
        Self::new(FAILED, message)
    }
}

impl From<EnvelopeError> for Fault {
    fn from(error: EnvelopeError) -> Self {
        Self {
            origin: Origin::Client,
            ..Self::new(NOT_READABLE, error.to_string())
        }
    }
}

impl From<AdministrationError> for Fault {
    fn from(error: AdministrationError) -> Self {
        match error {
            AdministrationError::NotFound { kind, .. } => Self::not_found(kind),
            AdministrationError::Invalid { .. } | AdministrationError::Credential { .. } => {
                Self::not_valid(error.to_string())
            }
            AdministrationError::Taken { .. } => Self::not_unique(&error.to_string()),
            AdministrationError::InUse { .. } => Self {
                origin: Origin::Client,
                ..Self::new(IN_USE, error.to_string())
            },
            AdministrationError::Changed(_) => Self::failed(&error.to_string()),
            AdministrationError::Service(error) => error.into(),
        }
    }
}

impl From<ServiceError> for Fault {
    /// The sentence tells nothing of the inside; the log does.
    fn from(error: ServiceError) -> Self {
        if matches!(error, ServiceError::Busy) {
            return Self::failed(
                "Maximum AXL Memory Allocation Consumed. \
                 Please retry once requests in progress have completed",
            );
        }
        tracing::error!(%error, "an AXL call could not be carried out");
        if error.is_unconfirmed() {
            return Self::failed(
                "the database did not confirm the change: it may have been made or not; look before \
                 you repeat it",
            );
        }
        Self::failed("the call could not be carried out; the service's log says why; try again")
    }
}
