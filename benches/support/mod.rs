//! What the benchmarks share: a TLS client that keeps its connections, the product's door and a
//! server with a fixed answer, a site in SQLite, phones that register at the product or at Kamailio,
//! a TFTP client,
//! figures of a run, and the machine.

#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "each benchmark is a program of its own, uses a part of this, and ends at a fault"
)]

pub(crate) mod client;
pub(crate) mod figures;
pub(crate) mod kamailio;
pub(crate) mod machine;
pub(crate) mod phones;
pub(crate) mod processes;
pub(crate) mod registrar;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod tftp;
