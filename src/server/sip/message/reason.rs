//! The Reason header field, and the alarm that Cisco phones put in it.

use std::borrow::Cow;

use super::text::{Params, number, split_outside, trim};

/// One reason. Source: RFC 3326.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The protocol, for example `SIP`.
    pub protocol: &'a [u8],
    /// The parameters `cause`, `text` and others.
    pub params: Params<'a>,
}

impl<'a> Reason<'a> {
    /// Reads the first reason of a header value; `None` when it is malformed, which is no cause
    /// to refuse a message.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let (first, _) = split_outside(value, b',')?;
        let end = memchr::memchr(b';', first).unwrap_or(first.len());
        let (protocol, params) = first.split_at_checked(end)?;
        Some(Self {
            protocol: trim(protocol),
            params: Params::parse(params)?,
        })
    }

    /// The `cause`.
    pub fn cause(&self) -> Option<u16> {
        let value = number(&self.params.get("cause")?.text(), u64::from(u16::MAX))?;
        u16::try_from(value).ok()
    }

    /// The `text` without quotes; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> Option<String> {
        Some(match self.params.get("text")?.text() {
            Cow::Borrowed(text) => String::from_utf8_lossy(text).into_owned(),
            Cow::Owned(text) => String::from_utf8_lossy(&text).into_owned(),
        })
    }

    /// The alarm in the text of a Cisco phone's REGISTER after a start or a failure.
    pub fn cisco_alarm(&self) -> Option<CiscoAlarm> {
        CiscoAlarm::parse(&self.text()?)
    }
}

/// Why a Cisco phone started or came back: `cisco-alarm:23 Name=SEP… ActiveLoad=… Last=…`.
///
/// Every field is what an unauthenticated phone claims.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CiscoAlarm {
    /// The alarm's number, for example 25 for "initialized".
    pub number: u16,
    /// The device name (`Name=`).
    pub name: Option<String>,
    /// The firmware that runs (`ActiveLoad=`, older phones `Load=`).
    pub active_load: Option<String>,
    /// The firmware in the other half of the memory (`InactiveLoad=`).
    pub inactive_load: Option<String>,
    /// Why the phone went down last (`Last=`), for example `reset-restart`; may hold spaces.
    pub last: Option<String>,
}

impl CiscoAlarm {
    fn parse(text: &str) -> Option<Self> {
        let rest = text.trim().strip_prefix("cisco-alarm:")?;
        let (code, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut alarm = Self {
            number: code.parse().ok()?,
            ..Self::default()
        };
        let (fields, last) = match rest.split_once("Last=") {
            Some((fields, last)) => (fields, Some(last.trim().to_owned())),
            None => (rest, None),
        };
        alarm.last = last;
        for field in fields.split_whitespace() {
            match field.split_once('=') {
                Some(("Name", value)) => alarm.name = Some(value.to_owned()),
                Some(("ActiveLoad" | "Load", value)) => alarm.active_load = Some(value.to_owned()),
                Some(("InactiveLoad", value)) => alarm.inactive_load = Some(value.to_owned()),
                _ => {}
            }
        }
        Some(alarm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cisco_alarm_is_read_from_the_text() {
        let value = b"SIP;cause=200;text=\"cisco-alarm:23 Name=SEP0011AABBCCDD \
            ActiveLoad=sip78xx.12-1-1 InactiveLoad=sip78xx.11-7-1 Last=Load Rejected HC\"";
        let reason = Reason::parse(value).unwrap();
        assert_eq!((reason.protocol, reason.cause()), (&b"SIP"[..], Some(200)));
        let alarm = reason.cisco_alarm().unwrap();
        assert_eq!(alarm.number, 23);
        assert_eq!(alarm.name.as_deref(), Some("SEP0011AABBCCDD"));
        assert_eq!(alarm.active_load.as_deref(), Some("sip78xx.12-1-1"));
        assert_eq!(alarm.inactive_load.as_deref(), Some("sip78xx.11-7-1"));
        assert_eq!(alarm.last.as_deref(), Some("Load Rejected HC"));
    }

    #[test]
    fn other_reasons_hold_no_alarm() {
        let reason = Reason::parse(b"Q.850 ;cause=16 ;text=\"Terminated\"").unwrap();
        assert_eq!(reason.text().as_deref(), Some("Terminated"));
        assert_eq!(reason.cisco_alarm(), None);
        assert_eq!(Reason::parse(b"SIP;;"), None);
        assert_eq!(
            Reason::parse(b"SIP;text=\"cisco-alarm:x\"")
                .unwrap()
                .cisco_alarm(),
            None
        );
    }
}
