//! The names of the header fields that the program reads or writes.

/// A header field name; [`HeaderName::Other`] for every name the program does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the header field of that name")]
pub enum HeaderName {
    Accept,
    Allow,
    AllowEvents,
    Authorization,
    CallId,
    Contact,
    ContentLength,
    ContentType,
    CSeq,
    Date,
    Event,
    Expires,
    From,
    MaxForwards,
    MinExpires,
    Path,
    ProxyAuthenticate,
    ProxyAuthorization,
    ProxyRequire,
    Reason,
    RecordRoute,
    ReferTo,
    Require,
    RetryAfter,
    Route,
    Server,
    SubscriptionState,
    Supported,
    To,
    Unsupported,
    UserAgent,
    Via,
    Warning,
    WwwAuthenticate,
    Other,
}

impl HeaderName {
    /// Finds a name, full or compact, in any case. Source: RFC 3261 clauses 7.3.1 and 7.3.3.
    pub fn find(name: &[u8]) -> Self {
        if let [letter] = name {
            return Self::find_compact(*letter);
        }
        candidates(name.len())
            .iter()
            .copied()
            .find(|candidate| candidate.as_str().as_bytes().eq_ignore_ascii_case(name))
            .unwrap_or(Self::Other)
    }

    /// The compact forms. Source: IANA "SIP Parameters", "Header Fields".
    const fn find_compact(letter: u8) -> Self {
        match letter.to_ascii_lowercase() {
            b'c' => Self::ContentType,
            b'f' => Self::From,
            b'i' => Self::CallId,
            b'k' => Self::Supported,
            b'l' => Self::ContentLength,
            b'm' => Self::Contact,
            b'o' => Self::Event,
            b'r' => Self::ReferTo,
            b't' => Self::To,
            b'u' => Self::AllowEvents,
            b'v' => Self::Via,
            _ => Self::Other,
        }
    }

    /// The name as it is written in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "Accept",
            Self::Allow => "Allow",
            Self::AllowEvents => "Allow-Events",
            Self::Authorization => "Authorization",
            Self::CallId => "Call-ID",
            Self::Contact => "Contact",
            Self::ContentLength => "Content-Length",
            Self::ContentType => "Content-Type",
            Self::CSeq => "CSeq",
            Self::Date => "Date",
            Self::Event => "Event",
            Self::Expires => "Expires",
            Self::From => "From",
            Self::MaxForwards => "Max-Forwards",
            Self::MinExpires => "Min-Expires",
            Self::Path => "Path",
            Self::ProxyAuthenticate => "Proxy-Authenticate",
            Self::ProxyAuthorization => "Proxy-Authorization",
            Self::ProxyRequire => "Proxy-Require",
            Self::Reason => "Reason",
            Self::RecordRoute => "Record-Route",
            Self::ReferTo => "Refer-To",
            Self::Require => "Require",
            Self::RetryAfter => "Retry-After",
            Self::Route => "Route",
            Self::Server => "Server",
            Self::SubscriptionState => "Subscription-State",
            Self::Supported => "Supported",
            Self::To => "To",
            Self::Unsupported => "Unsupported",
            Self::UserAgent => "User-Agent",
            Self::Via => "Via",
            Self::Warning => "Warning",
            Self::WwwAuthenticate => "WWW-Authenticate",
            Self::Other => "unknown",
        }
    }

    /// Whether a message may carry the field once only. A second one is refused rather than
    /// ignored: two readers that choose differently are a way past a check.
    pub(super) const fn is_single(self) -> bool {
        matches!(
            self,
            Self::CallId
                | Self::ContentLength
                | Self::ContentType
                | Self::CSeq
                | Self::Date
                | Self::Event
                | Self::Expires
                | Self::From
                | Self::MaxForwards
                | Self::MinExpires
                | Self::ReferTo
                | Self::To
        )
    }

    /// The bit of this name in a set of names.
    pub(super) const fn bit(self) -> u64 {
        1 << (self as u8)
    }
}

/// The known names of one length, so that a name is compared with two or three only.
const fn candidates(length: usize) -> &'static [HeaderName] {
    use HeaderName as Name;
    match length {
        2 => &[Name::To],
        3 => &[Name::Via],
        4 => &[Name::CSeq, Name::Date, Name::From, Name::Path],
        5 => &[Name::Allow, Name::Event, Name::Route],
        6 => &[Name::Accept, Name::Reason, Name::Server],
        7 => &[
            Name::CallId,
            Name::Contact,
            Name::Expires,
            Name::Require,
            Name::Warning,
        ],
        8 => &[Name::ReferTo],
        9 => &[Name::Supported],
        10 => &[Name::UserAgent],
        11 => &[Name::MinExpires, Name::RetryAfter, Name::Unsupported],
        12 => &[
            Name::AllowEvents,
            Name::ContentType,
            Name::MaxForwards,
            Name::RecordRoute,
        ],
        13 => &[Name::Authorization, Name::ProxyRequire],
        14 => &[Name::ContentLength],
        16 => &[Name::WwwAuthenticate],
        18 => &[Name::ProxyAuthenticate, Name::SubscriptionState],
        19 => &[Name::ProxyAuthorization],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case_and_in_its_compact_form() {
        assert_eq!(HeaderName::find(b"cAlL-iD"), HeaderName::CallId);
        assert_eq!(HeaderName::find(b"I"), HeaderName::CallId);
        assert_eq!(HeaderName::find(b"v"), HeaderName::Via);
        assert_eq!(
            HeaderName::find(b"WWW-authenticate"),
            HeaderName::WwwAuthenticate
        );
        assert_eq!(HeaderName::find(b"C%6Fntact"), HeaderName::Other);
        assert_eq!(HeaderName::find(b"z"), HeaderName::Other);
    }

    #[test]
    fn every_name_stands_among_the_candidates_of_its_length() {
        let all = (0..64).flat_map(candidates).copied();
        let mut count = 0_u8;
        for name in all {
            count += 1;
            assert_eq!(HeaderName::find(name.as_str().as_bytes()), name);
        }
        assert_eq!(count, HeaderName::Other as u8);
    }
}
