//! What attackers do to such systems, tried from outside: each gets its documented answer, changes
//! nothing and learns nothing. docs/security.md names the rows.

#![cfg(test)]

mod common;

#[path = "attacks/files.rs"]
mod files;
#[path = "attacks/handset.rs"]
mod handset;
#[path = "attacks/locks.rs"]
mod locks;
#[path = "attacks/methods.rs"]
mod methods;
#[path = "attacks/secrecy.rs"]
mod secrecy;
#[path = "attacks/sip.rs"]
mod sip;
#[path = "attacks/site.rs"]
mod site;
#[path = "attacks/thief.rs"]
mod thief;
