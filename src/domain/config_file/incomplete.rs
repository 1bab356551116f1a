//! Why a file cannot be made.

/// The catalogue lacks what the phone refers to; the file cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the configuration has no {0} for this phone; look at its device pool")]
pub struct Incomplete(pub &'static str);
