//! SIP: what arrives on ports 5060 and 5061.
//!
//! Three layers, each testable alone:
//! - [`message`]: bytes to values and back, without I/O;
//! - [`transaction`]: retransmissions, without I/O, the time passed in;
//! - [`transport`]: UDP and stream endpoints, and requests to phones on their own flow.
//!
//! - [`proxy`]: calls between phones here, to them and from them;
//! - `registrar`: REGISTER;
//! - [`door`]: the sockets, and which of the two a request goes to.
//!
//! Whoever answers requests implements [`transport::RequestHandler`].

mod date;
mod dialled;
pub mod door;
mod limits;
pub mod message;
mod notify;
mod other;
mod own_credentials;
pub mod proxy;
mod registrar;
pub mod transaction;
pub mod transport;
