//! The phones' files: one resolver behind the doors for TFTP, HTTP and HTTPS.

mod byte_ranges;
pub mod content;
mod device_xml;
mod file_body;
pub mod firmware;
mod firmware_listings;
mod flat_profile;
#[cfg(test)]
mod golden;
pub mod http;
pub mod resolver;
mod signed_file;
mod system_xml;
pub mod tftp;
mod xml;
