//! The service as the outside sees it: the program itself, started as a process, and clients that
//! are not ours (`curl`, `tftp`, `sipp`).

#![expect(dead_code, reason = "each test file uses its own part of this module")]

pub mod clients;
pub mod service;
pub mod steps;
