//! What the benchmarks share: a TLS client that keeps its connections, a server with a fixed
//! answer, figures of a run, and the machine they were measured on.

#![expect(
    dead_code,
    reason = "each benchmark is a program of its own and uses a part of this"
)]

pub mod client;
pub mod figures;
pub mod machine;
pub mod server;
