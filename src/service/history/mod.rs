//! The histories: each phone's timeline and the audit log.
//!
//! ```text
//! record.rs        writing them, and who did it
//! refusal_rows.rs  refusals that cost no work: not more rows than anybody reads
//! changes.rs       what has changed since a program last asked (AXL `listChange`)
//! ```

pub mod changes;
pub mod record;
pub(in crate::service) mod refusal_rows;
