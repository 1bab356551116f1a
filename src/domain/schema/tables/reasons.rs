//! Why some values are refused: what keeping them silently would hide, and what to do instead.

/// `class` of a phone.
pub(super) const ONLY_PHONES: &str = "only devices of class Phone are kept here; send Phone";

/// `protocol` of a phone or of its security profile.
pub(super) const ONLY_SIP: &str =
    "only SIP phones can register here; send SIP and load SIP firmware on the phone";

/// `versionStamp`.
pub(super) const STAMP_IS_KEPT: &str =
    "the system gives every change of a phone its version stamp; leave it out";

/// When a credential was changed or locked.
pub(super) const TIME_IS_KEPT: &str = "the system keeps this time itself; leave it out";

/// `usage` of a line.
pub(super) const ONLY_DEVICE_USAGE: &str =
    "the lines of this system are directory numbers; send Device";

/// `packetCaptureMode`.
pub(super) const NO_PACKET_CAPTURE: &str =
    "phones are not told to capture packets here; send None and capture on the network";

/// `certificateOperation`.
pub(super) const NO_CERTIFICATE_OPERATION: &str =
    "this system has no CAPF, which would change certificates on phones; send No Pending Operation";

/// `lineIdentifier` of a template.
pub(super) const ONE_LINE: &str =
    "a template describes the line of new phones and names no line that exists; send line";

/// `tftpEncryptedConfig`.
pub(super) const NO_ENCRYPTED_FILES: &str =
    "configuration files are not encrypted here; send false and fetch them over HTTPS 6971";
