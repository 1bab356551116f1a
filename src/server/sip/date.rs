//! The `Date` that phones set their clock by.

use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::domain::time::UnixMillis;
use crate::locks;

/// A time, and as phones set their clock by it. Source: RFC 3261 clause 20.17.
#[derive(Debug, Clone, Copy)]
pub(super) struct Date {
    pub(super) at: UnixMillis,
    pub(super) text: [u8; DATE_BYTES],
}

/// Length of the one form that SIP allows.
const DATE_BYTES: usize = 29;

/// Writes dates, each second once.
#[derive(Debug)]
pub(super) struct Dates(Mutex<Date>);

impl Dates {
    pub(super) fn new(at: UnixMillis) -> Self {
        let text = date_text(at);
        Self(Mutex::new(Date { at, text }))
    }

    /// The date of this moment.
    pub(super) fn date(&self, at: UnixMillis) -> Date {
        let mut last = locks::lock(&self.0);
        if last.at.unix_s() != at.unix_s() {
            last.text = date_text(at);
        }
        last.at = at;
        *last
    }
}

/// The date of this time.
pub(super) fn date_text(at: UnixMillis) -> [u8; DATE_BYTES] {
    let since_epoch = Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
    let time: SystemTime = UNIX_EPOCH + since_epoch;
    let text = httpdate::fmt_http_date(time);
    text.as_bytes().try_into().unwrap_or([b' '; DATE_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_that_of_its_second() {
        let dates = Dates::new(UnixMillis(0));
        let text = |at| String::from_utf8(dates.date(UnixMillis(at)).text.to_vec()).unwrap();
        assert_eq!(text(999), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(text(1_000), "Thu, 01 Jan 1970 00:00:01 GMT");
        assert_eq!(text(1_600_000_000_000), "Sun, 13 Sep 2020 12:26:40 GMT");
        assert_eq!(text(1_999), "Thu, 01 Jan 1970 00:00:01 GMT");
    }
}
