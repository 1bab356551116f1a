//! The service as the outside sees it: the program itself, started as a process, and clients that
//! are not ours (`curl`, `tftp`, `sipp`).

pub(crate) mod clients;
pub(crate) mod service;
pub(crate) mod steps;

use crate::common::Database;

/// A fresh database of each engine.
pub(crate) fn databases() -> [Database; 2] {
    [Database::sqlite(), postgresql()]
}

/// A fresh database on our PostgreSQL server.
pub(crate) fn postgresql() -> Database {
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(Database::postgresql())
}
