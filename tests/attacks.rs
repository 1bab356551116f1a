//! What attackers do to such systems, tried from outside: each gets its documented answer, changes
//! nothing and learns nothing. docs/security.md names the rows.

mod files;
mod handset;
mod locks;
mod methods;
mod secrecy;
mod sip;
mod site;
mod thief;
