//! SIP: what arrives on ports 5060 and 5061.
pub mod message;
