//! selfprov: self-provisioning for Cisco IP phones without Cisco Unified Communications Manager.
//!
//! The layers, from the outside in; nothing points back (`tests/architecture.rs` enforces it):
//!
//! ```text
//! main, cli → server → service → store → domain
//! ```

pub mod cli;
pub mod domain;
mod locks;
pub mod server;
pub mod service;
pub mod settings;
pub mod store;
