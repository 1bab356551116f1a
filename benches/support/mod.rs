//! What the benchmarks share: a TLS client that keeps its connections, the product's door and a
//! server with a fixed answer, the program itself, a site in SQLite, phones that register at the product
//! or at Kamailio, phones that were never seen, clients that fetch files, figures of a run, and the machine.

#![expect(
    dead_code,
    clippy::unwrap_used,
    reason = "each benchmark is a program of its own, uses a part of this, and ends at a fault"
)]

pub(crate) mod bare_rows;
pub(crate) mod client;
pub(crate) mod figures;
pub(crate) mod kamailio;
pub(crate) mod kept_http;
pub(crate) mod machine;
pub(crate) mod new_phones;
pub(crate) mod noted_files;
pub(crate) mod phones;
pub(crate) mod processes;
pub(crate) mod program;
pub(crate) mod registrar;
pub(crate) mod server;
pub(crate) mod site;
pub(crate) mod tftp;
