//! Why a phone was not provisioned: the codes on the handset, in logs, audit, timeline and APIs.

use std::fmt;
use std::time::Duration;

/// A refusal of a self-provisioning request. The first check that fails decides.
///
/// The four codes of Cisco's guide, the misspelling included, are part of the interface.
/// Source: Cisco document 214228, "Troubleshoot".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Row 1: no such device.
    DeviceNotFound,
    /// Row 1: the device is not waiting to be provisioned.
    DeviceNotAutoRegistered,
    /// Row 2: the request does not come from where the device registered.
    DeviceAddressMismatch,
    /// Row 3: too many failures on this device, credential or address; wait this long.
    TooManyAttempts {
        /// Time until an attempt is looked at again; [`Duration::MAX`] when an administrator must
        /// unlock the phone first.
        wait: Duration,
    },
    /// Row 4: unknown user, wrong PIN, disabled or locked: one answer for all.
    AuthenticationFailed,
    /// Row 4b: the PIN is right but must be changed first.
    CredentialExpired,
    /// Row 5: role, primary extension or Self-Service User ID is missing.
    UserNotReady,
    /// Row 6: the user profile does not allow it.
    SelfprovNotAllowed,
    /// Row 7: the user owns as many phones as the profile allows.
    SelfprovDeviceLimit,
    /// Row 8: the model is not a phone we know.
    InvalidDeviceModel,
    /// Row 9: the profile has no template for this model.
    ModelPhoneTemplateNotFound,
    /// Activation: the phone is of another model than the device that the code is for.
    DeviceModelMismatch,
    /// Activation: a phone is registered as the device that the code is for.
    DeviceInUse,
    /// Activation: the device that the code is for has no line.
    DeviceNotReady,
}

impl Refusal {
    /// The code as it is shown and logged.
    pub const fn code(self) -> &'static str {
        match self {
            Self::DeviceNotFound => "DEVICE_NOT_FOUND",
            Self::DeviceNotAutoRegistered => "DEVICE_NOT_AUTOREGISTERED",
            Self::DeviceAddressMismatch => "DEVICE_ADDRESS_MISMATCH",
            Self::TooManyAttempts { .. } => "TOO_MANY_ATTEMPTS",
            Self::AuthenticationFailed => "AUTHENTICATION_FAILED",
            Self::CredentialExpired => "CREDENTIAL_EXPIRED",
            Self::UserNotReady => "USER_NOT_READY",
            Self::SelfprovNotAllowed => "SELFPROV_NOT_ALLOWED",
            Self::SelfprovDeviceLimit => "SELFPROV_DEVICE_LIMIT",
            Self::InvalidDeviceModel => "INVALID_DEVICE_MODEL",
            Self::ModelPhoneTemplateNotFound => "MODEL_PHONETEMPELATE_NOT_FOUND",
            Self::DeviceModelMismatch => "DEVICE_MODEL_MISMATCH",
            Self::DeviceInUse => "DEVICE_IN_USE",
            Self::DeviceNotReady => "DEVICE_NOT_READY",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
