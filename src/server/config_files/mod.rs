//! The phones' files: one resolver behind the TFTP door and the HTTP door.

mod device_xml;
#[cfg(test)]
mod golden;
mod system_xml;
mod xml;
