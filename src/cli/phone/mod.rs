//! A Cisco phone in the terminal: it fetches its files, registers, shows XML screens and takes
//! soft keys and digits, speaking the real protocols as a client.
//!
//! ```text
//! handset   boots, registers, restarts, idles: what the phone does
//!   files     which files in which order, over HTTP 6970 or TFTP
//!   config    the phone's file
//!   sip       REGISTER and the answers to NOTIFY
//!   browser   GET and POST of screens with a phone's headers
//!   screen    Cisco's XML objects; `display` is one being filled in, `draw` paints it
//! ```

pub mod browser;
pub mod command;
pub mod config;
pub mod display;
pub mod draw;
pub mod event;
pub mod files;
pub mod handset;
pub mod screen;
pub mod script;
pub mod session;
pub mod sip;
pub mod terminal;
pub mod tftp;
pub mod xml;
