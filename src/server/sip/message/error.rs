//! What is wrong with a message, and the status its sender should get for it.

use super::name::HeaderName;
use super::status::Status;

/// Why a message is refused. The text is also the reason phrase of the answer, as RFC 3261
/// clause 21.4.1 asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Neither a request line nor a status line of SIP: not worth an answer.
    #[error("Not SIP")]
    NotSip,
    /// The start line breaks the grammar: extra white space, a bad method or status code.
    #[error("Malformed start line")]
    StartLine,
    /// The version is not `SIP/2.0`.
    #[error("Version Not Supported")]
    Version,
    /// The message is longer than [`super::MESSAGE_BYTES_MAX`].
    #[error("Message Too Large")]
    TooLarge,
    /// A header field is longer than [`super::HEADER_BYTES_MAX`].
    #[error("Header field too long")]
    HeaderTooLong,
    /// There are more than [`super::HEADERS_MAX`] header fields.
    #[error("Too many header fields")]
    TooManyHeaders,
    /// A header line has no colon, a bad name or a stray carriage return.
    #[error("Malformed header line")]
    HeaderLine,
    /// The empty line after the header fields is missing.
    #[error("Missing end of header fields")]
    Truncated,
    /// A header field that every such message has is missing.
    #[error("Missing {} header field", .0.as_str())]
    Missing(HeaderName),
    /// A header field that may stand once stands more than once.
    #[error("Repeated {} header field", .0.as_str())]
    Repeated(HeaderName),
    /// A header field's value breaks its grammar or range.
    #[error("Malformed {} header field", .0.as_str())]
    Malformed(HeaderName),
    /// The body is shorter than `Content-Length` says, or there is no length on a stream.
    #[error("Content-Length does not match the body")]
    ContentLength,
    /// The method in CSeq is not the request's.
    #[error("CSeq method does not match")]
    CSeqMethod,
    /// A URI breaks its grammar.
    #[error("Malformed URI")]
    Uri,
    /// The Request-URI's scheme is neither `sip` nor `sips`.
    #[error("Unsupported URI Scheme")]
    UriScheme,
    /// An address of record that names nobody: no user part, a control character, another scheme.
    #[error("Malformed address of record")]
    AddressOfRecord,
}

impl MessageError {
    /// Whether the message is over one of our limits, which no phone's is.
    pub const fn is_over_limit(self) -> bool {
        matches!(
            self,
            Self::TooLarge | Self::HeaderTooLong | Self::TooManyHeaders
        )
    }

    /// The status of the answer.
    pub const fn status(self) -> Status {
        match self {
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::TooLarge | Self::HeaderTooLong | Self::TooManyHeaders => {
                Status::MESSAGE_TOO_LARGE
            }
            Self::UriScheme => Status::UNSUPPORTED_URI_SCHEME,
            _ => Status::BAD_REQUEST,
        }
    }
}
