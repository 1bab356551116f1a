//! The commands of the program.

pub mod output;
pub mod phone;
pub mod secret_input;
