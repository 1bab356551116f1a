//! The public resources of UDS over real sockets, fetched by `curl` and read by a parser that is
//! not ours (Python's expat).

mod attacks;
mod change;
mod client;
mod credentials;
mod directory;
mod own;
