//! The phones' files: one resolver behind the TFTP door and the HTTP door.

pub mod content;
mod device_xml;
mod file_body;
pub mod firmware;
#[cfg(test)]
mod golden;
pub mod http;
pub mod resolver;
mod system_xml;
pub mod tftp;
mod xml;
