//! The public resources of UDS over real sockets, fetched by `curl` and read by a parser that is
//! not ours (Python's expat).

#![cfg(test)]

#[path = "uds_resources/attacks.rs"]
mod attacks;
#[path = "uds_resources/client.rs"]
mod client;
mod common;
#[path = "uds_resources/credentials.rs"]
mod credentials;
#[path = "uds_resources/directory.rs"]
mod directory;
#[path = "uds_resources/own.rs"]
mod own;
