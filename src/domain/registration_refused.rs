//! Why a registration is refused, in CUCM's words.

use super::auto_registration::AutoRegistrationRefused;

/// Why a registration is refused. Source: CUCM's `EndPointRegistrationFailure` reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RegistrationRefused {
    /// The device is not known and is none that auto-registers.
    NoEntryInDatabase,
    /// The number, name, instance or MAC address is not the device's own.
    DirectoryNumberMismatch,
    /// Several devices share the digest user and the line: which one registers cannot be told.
    AmbiguousDigestUser,
    /// Another phone with that name is registered from another address.
    DeviceAlreadyExists,
    /// The device has no secret to prove itself with.
    AuthenticationError,
    /// The request contradicts itself.
    MalformedRegisterMsg,
    /// The device was to be made and was not.
    AutoRegister(AutoRegistrationRefused),
    /// A later request of the same Call-ID has been carried out already.
    OutOfOrder,
    /// The lifetime asked for is shorter than a phone survives.
    IntervalTooBrief,
    /// The database does not take it now.
    DatabaseError,
    /// Too many registrations wait.
    Busy,
}

impl RegistrationRefused {
    /// The word for log, timeline and the answer's Warning.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoEntryInDatabase => "noEntryInDatabase",
            Self::DirectoryNumberMismatch => "directoryNumberMismatch",
            Self::AmbiguousDigestUser => "ambiguousDigestUser",
            Self::DeviceAlreadyExists => "authenticatedDeviceAlreadyExists",
            Self::AuthenticationError => "authenticationError",
            Self::MalformedRegisterMsg => "malformedRegisterMsg",
            Self::AutoRegister(_) => "autoRegisterDBError",
            Self::OutOfOrder => "outOfOrder",
            Self::IntervalTooBrief => "intervalTooBrief",
            Self::DatabaseError => "dbAccessError",
            Self::Busy => "busy",
        }
    }

    /// The code of the timeline: that of the auto-registration's own reason where there is one.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AutoRegister(reason) => reason.code(),
            other => other.as_str(),
        }
    }
}
