//! SIP: what arrives on ports 5060 and 5061.
//!
//! Three layers, each testable alone:
//! - [`message`]: bytes to values and back, without I/O;
//! - [`transaction`]: retransmissions, without I/O, the time passed in;
//! - [`transport`]: UDP and stream endpoints, and requests to phones on their own flow.
//!
//! - [`proxy`]: calls between phones here, to them and from them;
//! - [`registrar`]: the door itself, what phones ask and what they are told.
//!
//! Whoever answers requests implements [`transport::RequestHandler`].

pub mod message;
mod own_credentials;
pub mod proxy;
pub mod registrar;
pub mod transaction;
pub mod transport;
