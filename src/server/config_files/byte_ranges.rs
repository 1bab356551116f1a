//! Which parts of a file an HTTP client asks for, and how they travel.
//!
//! Source: RFC 9110 clauses 13.1.5 (`If-Range`), 14.1 (ranges), 14.2 (`Range`), 14.6
//! (`multipart/byteranges`).

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::ops::Range;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::header;
use bytes::Bytes;

/// Ranges answered in one request; more, or ranges that overlap, get the whole file, because
/// they only serve to make an answer costly (RFC 9110 clause 14.2 and 17.15).
const RANGES_MAX: usize = 16;

/// What a client asks for of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of it.
    Whole,
    /// One or more parts, none empty, none overlapping, in the order asked for.
    Parts(Vec<Range<u64>>),
    /// Nothing that the file has.
    Beyond,
}

/// Reads `Range` and `If-Range` of a GET for a file of `length` bytes with this entity tag.
///
/// Other units and nonsense mean the whole file, as the clause demands.
pub(super) fn asked(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    // A date never matches, because no `Last-Modified` is sent; nor does a weak tag.
    if text(headers, &header::IF_RANGE).is_some_and(|condition| condition.trim() != tag) {
        return Asked::Whole;
    }
    text(headers, &header::RANGE)
        .and_then(|value| value.split_once('='))
        .filter(|(unit, _)| unit.trim().eq_ignore_ascii_case("bytes"))
        .and_then(|(_, set)| ranges(set, length))
        .unwrap_or(Asked::Whole)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// `None` when the set is not one, or is to be ignored.
fn ranges(set: &str, length: u64) -> Option<Asked> {
    let mut parts: Vec<Range<u64>> = Vec::new();
    for (count, spec) in set.split(',').enumerate() {
        let part = range(spec.trim(), length)?;
        let overlaps = |other: &Range<u64>| part.start < other.end && other.start < part.end;
        if count >= RANGES_MAX || parts.iter().any(overlaps) {
            return None;
        }
        if !part.is_empty() {
            parts.push(part);
        }
    }
    Some(if parts.is_empty() {
        Asked::Beyond
    } else {
        Asked::Parts(parts)
    })
}

/// One range, empty where the file has nothing of it.
fn range(spec: &str, length: u64) -> Option<Range<u64>> {
    let (first, last) = spec.split_once('-')?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // Beyond 64 bits is beyond every file.
        is_number.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => {
            Some(first.min(length)..last.saturating_add(1).min(length))
        }
        (Some(first), None) if last.is_empty() => Some(first.min(length)..length),
        (None, Some(count)) if first.is_empty() => Some(length.saturating_sub(count)..length),
        _ => None,
    }
}

/// `Content-Range` of a part.
pub(super) fn content_range(part: &Range<u64>, length: u64) -> String {
    let last = part.end.saturating_sub(1);
    format!("bytes {}-{last}/{length}", part.start)
}

/// A piece of a body: text of ours, or bytes of the file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Text between the parts.
    Text(Bytes),
    /// These bytes of the file.
    File(Range<u64>),
}

impl Segment {
    /// Length in bytes.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(range) => range.end.saturating_sub(range.start),
        }
    }
}

/// The body of an answer with several parts of a file of `length` bytes.
pub(super) fn multipart(
    parts: &[Range<u64>],
    boundary: &str,
    media_type: &str,
    length: u64,
) -> VecDeque<Segment> {
    let mut segments = VecDeque::with_capacity(parts.len() * 2 + 1);
    let mut before = String::new();
    for part in parts {
        // Writing to a string cannot fail.
        let _ = write!(
            before,
            "--{boundary}\r\nContent-Type: {media_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(part, length)
        );
        segments.push_back(Segment::Text(std::mem::take(&mut before).into()));
        segments.push_back(Segment::File(part.clone()));
        before.push_str("\r\n");
    }
    let _ = write!(before, "--{boundary}--\r\n");
    segments.push_back(Segment::Text(before.into()));
    segments
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(range: &str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        asked(&headers, "\"tag\"", 100)
    }

    #[test]
    fn ranges_are_understood_and_nonsense_means_the_whole() {
        for (range, part) in [
            ("bytes=0-9", 0..10),
            ("Bytes = 0-9", 0..10),
            ("bytes=90-", 90..100),
            ("bytes=-10", 90..100),
            ("bytes=-1000", 0..100),
            ("bytes=90-1000", 90..100),
            ("bytes=90-99999999999999999999999", 90..100),
            ("bytes=200-300,5-5", 5..6),
        ] {
            assert_eq!(of(range), Asked::Parts(vec![part]), "{range}");
        }
        let several = Asked::Parts(vec![50..60, 0..2, 95..100]);
        assert_eq!(of("bytes=50-59, 0-1,-5"), several, "in the order asked for");
        for beyond in ["bytes=100-", "bytes=-0", "bytes=200-300,100-100"] {
            assert_eq!(of(beyond), Asked::Beyond, "{beyond}");
        }
        let many = format!("bytes={}", ["1-1"; 17].join(","));
        for whole in [
            "bytes=1-0",
            "bytes=0-9,5-15",
            "bytes=0-1,x",
            "bytes=0-1,",
            "lines=1-2",
            "bytes=-",
            "bytes=+1-2",
            "bytes=a-b",
            "bytes",
            "",
            &many,
        ] {
            assert_eq!(of(whole), Asked::Whole, "{whole}");
        }
    }

    #[test]
    fn a_range_of_another_version_means_the_whole() {
        for (condition, expected) in [
            ("\"other\"", Asked::Whole),
            ("W/\"tag\"", Asked::Whole),
            ("Sat, 21 Nov 2026 12:00:00 GMT", Asked::Whole),
            ("\"tag\"", Asked::Parts(std::iter::once(0..10).collect())),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RANGE, "bytes=0-9".parse().unwrap());
            headers.insert(header::IF_RANGE, condition.parse().unwrap());
            assert_eq!(asked(&headers, "\"tag\"", 100), expected, "{condition}");
        }
    }
}
