//! The phone's side of SIP: REGISTER with Cisco's parameters, digest answers, NOTIFY.
//!
//! Written apart from the server's SIP code, so that a mistake there is not repeated here and
//! hidden by it.

pub mod link;
pub mod message;
pub mod registration;
