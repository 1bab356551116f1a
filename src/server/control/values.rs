//! Names and times as commands say them and answers show them.

use crate::domain::device::{DeviceName, MacAddress};
use crate::domain::time::UnixMillis;
use crate::server::control::fault::Fault;
use crate::service::administration::AdministrationError;
use crate::service::devices;

/// A device name; a MAC address is that of its phone.
pub(super) fn device_name(text: &str) -> Result<DeviceName, Fault> {
    if let Ok(mac) = text.parse::<MacAddress>() {
        return Ok(DeviceName::of_phone(mac));
    }
    Ok(text.parse::<DeviceName>()?)
}

/// Why something was not done to a device, with the next step.
pub(super) fn device_fault(error: AdministrationError) -> Fault {
    match error {
        AdministrationError::NotFound {
            kind: devices::KIND,
            name,
        } => Fault::new(format!(
            "there is no device {name}; `selfprov device list` shows those that are known"
        )),
        AdministrationError::NotFound { kind: "line", name } => Fault::new(format!(
            "there is no line {name}; with its user it is made by: selfprov user add USER \
             --extension {name}"
        )),
        error => error.into(),
    }
}

/// A time as RFC 3339 in UTC, to the second.
pub(super) fn timestamp(at: UnixMillis) -> String {
    jiff::Timestamp::from_second(at.unix_s()).map_or_else(|_| String::new(), |at| at.to_string())
}
