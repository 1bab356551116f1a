//! Front doors: wire in, one service call, wire out.
//!
//! One folder a door; what several doors share lies directly here. Doors never name each other.

pub mod sip;
//! Front doors: wire in, one service call, wire out. What several doors share lies directly here.

pub mod certificate_validity;
pub mod http;
pub mod shutdown;
pub mod tls;
