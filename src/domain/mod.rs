//! Pure values and rules: no async, no I/O, no clock, no randomness, no wire format.
//!
//! The names are those of CUCM's administration pages and AXL schema.

pub mod binding;
pub mod catalogue;
pub mod device;
pub mod directory_number;
pub mod end_user;
pub mod history;
pub mod line;
pub mod phone;
pub mod phone_model;
pub mod pkid;
pub mod refusal;
pub mod registration;
pub mod secret;
pub mod time;
pub mod user;
