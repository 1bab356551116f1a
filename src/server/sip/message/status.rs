//! Status codes of responses. Source: RFC 3261 clause 21.

use std::fmt;

/// A status code from 100 to 699.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// 100.
    pub const TRYING: Self = Self(100);
    /// 200.
    pub const OK: Self = Self(200);
    /// 202, the answer to an out-of-dialog REFER (RFC 3515).
    pub const ACCEPTED: Self = Self(202);
    /// 302, with `Contact`.
    pub const MOVED_TEMPORARILY: Self = Self(302);
    /// 400.
    pub const BAD_REQUEST: Self = Self(400);
    /// 401, with a challenge.
    pub const UNAUTHORIZED: Self = Self(401);
    /// 403.
    pub const FORBIDDEN: Self = Self(403);
    /// 404.
    pub const NOT_FOUND: Self = Self(404);
    /// 405, with `Allow`.
    pub const METHOD_NOT_ALLOWED: Self = Self(405);
    /// 407, with a challenge.
    pub const PROXY_AUTHENTICATION_REQUIRED: Self = Self(407);
    /// 408, also what a client transaction reports when nobody answered.
    pub const REQUEST_TIMEOUT: Self = Self(408);
    /// 416.
    pub const UNSUPPORTED_URI_SCHEME: Self = Self(416);
    /// 420, with `Unsupported`.
    pub const BAD_EXTENSION: Self = Self(420);
    /// 423, with `Min-Expires`.
    pub const INTERVAL_TOO_BRIEF: Self = Self(423);
    /// 480.
    pub const TEMPORARILY_UNAVAILABLE: Self = Self(480);
    /// 481.
    pub const NO_SUCH_TRANSACTION: Self = Self(481);
    /// 483.
    pub const TOO_MANY_HOPS: Self = Self(483);
    /// 482.
    pub const LOOP_DETECTED: Self = Self(482);
    /// 487, the end of an INVITE that was cancelled.
    pub const REQUEST_TERMINATED: Self = Self(487);
    /// 440, a request that may not be forked as widely as it must be (RFC 5393).
    pub const MAX_BREADTH_EXCEEDED: Self = Self(440);
    /// 489, the answer to an unknown event package (RFC 6665).
    pub const BAD_EVENT: Self = Self(489);
    /// 500.
    pub const SERVER_INTERNAL_ERROR: Self = Self(500);
    /// 501.
    pub const NOT_IMPLEMENTED: Self = Self(501);
    /// 503, with `Retry-After`.
    pub const SERVICE_UNAVAILABLE: Self = Self(503);
    /// 505.
    pub const VERSION_NOT_SUPPORTED: Self = Self(505);
    /// 513.
    pub const MESSAGE_TOO_LARGE: Self = Self(513);

    /// The status with this code; `None` outside 100 to 699.
    pub fn from_code(code: u16) -> Option<Self> {
        (100..=699).contains(&code).then_some(Self(code))
    }

    /// The code.
    pub const fn code(self) -> u16 {
        self.0
    }

    /// Whether it ends the transaction, i.e. is 200 or above.
    pub const fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// Whether it says that the request succeeded.
    pub const fn is_success(self) -> bool {
        self.0 >= 200 && self.0 < 300
    }

    /// The usual words for it; those of its class for a code without words of its own.
    pub const fn reason_phrase(self) -> &'static str {
        match self.0 {
            100 => "Trying",
            101..=199 => "Session Progress",
            202 => "Accepted",
            200..=299 => "OK",
            300..=399 => "Moved Temporarily",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            415 => "Unsupported Media Type",
            416 => "Unsupported URI Scheme",
            420 => "Bad Extension",
            423 => "Interval Too Brief",
            440 => "Max-Breadth Exceeded",
            480 => "Temporarily Unavailable",
            481 => "Call/Transaction Does Not Exist",
            482 => "Loop Detected",
            483 => "Too Many Hops",
            487 => "Request Terminated",
            489 => "Bad Event",
            400..=499 => "Bad Request",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            505 => "Version Not Supported",
            513 => "Message Too Large",
            500..=599 => "Server Internal Error",
            _ => "Global Failure",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason_phrase())
    }
}
