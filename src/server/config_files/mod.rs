//! The phones' files: one resolver behind the TFTP door and the HTTP door.

mod device_xml;
mod system_xml;
mod xml;
