//! The registrar: which phone is where, and where a call goes.
//!
//! ```text
//! register/        a REGISTER: judged from memory, written where it changes something
//! auto_register/   a phone that nobody configured becomes a device with a number
//! location.rs      live bindings in memory (RFC 3261 clause 10)
//! expiry_wheel.rs  which of them may end in which second
//! route_call.rs    where a call goes
//! ```

pub mod auto_register;
mod expiry_wheel;
pub mod location;
pub mod register;
pub mod route_call;
