//! Cuts a message into start line, header fields and body, without judging what they say.

use super::error::MessageError;
use super::name::HeaderName;
use super::text::{is_token, split_around, trim};
use super::{HEADER_BYTES_MAX, HEADERS_MAX};

/// Room for the header fields of a usual REGISTER, so that its list is allocated once.
const HEADERS_USUAL: usize = 24;

/// One header field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The name, when the program knows it.
    pub name: HeaderName,
    /// The name as written.
    pub raw_name: &'a [u8],
    /// The value without white space around it; folds are kept as they are.
    pub value: &'a [u8],
}

/// The header fields in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers<'a>(Vec<Header<'a>>);

impl<'a> Headers<'a> {
    /// Every header field.
    pub fn iter(&self) -> impl Iterator<Item = &Header<'a>> {
        self.0.iter()
    }

    /// The values of every header field of this name.
    pub fn all(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |header| header.name == name)
            .map(|header| header.value)
    }

    /// The value of the first header field of this name.
    pub fn get(&self, name: HeaderName) -> Option<&'a [u8]> {
        self.all(name).next()
    }

    /// The value of the first header field of this name.
    ///
    /// # Errors
    ///
    /// [`MessageError::Missing`] when there is none.
    pub fn require(&self, name: HeaderName) -> Result<&'a [u8], MessageError> {
        self.get(name).ok_or(MessageError::Missing(name))
    }

    /// The value of the first header field of a name the program has no [`HeaderName`] for.
    pub fn get_other(&self, name: &str) -> Option<&'a [u8]> {
        let header = self
            .0
            .iter()
            .find(|header| header.raw_name.eq_ignore_ascii_case(name.as_bytes()));
        header.map(|header| header.value)
    }

    /// The option tags in every header field of this name, empty ones left out.
    pub fn options(&self, name: HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| value.split(|byte| *byte == b','))
            .map(trim)
            .filter(|option| !option.is_empty())
    }

    /// Refuses a second header field of a name that stands once.
    pub(super) fn check_single(&self) -> Result<(), MessageError> {
        let mut seen = 0_u64;
        for header in self.0.iter().filter(|header| header.name.is_single()) {
            if seen & header.name.bit() != 0 {
                return Err(MessageError::Repeated(header.name));
            }
            seen |= header.name.bit();
        }
        Ok(())
    }
}

/// A message cut into its parts.
#[derive(Debug, Clone)]
pub(super) struct Parts<'a> {
    /// The first line, without its line end.
    pub(super) start_line: &'a [u8],
    /// The header fields that could be read.
    pub(super) headers: Headers<'a>,
    /// What follows the empty line.
    pub(super) rest: &'a [u8],
    /// The first thing wrong with the header fields; reading goes on after it, so that the
    /// message can still be answered.
    pub(super) fault: Option<MessageError>,
}

impl<'a> Parts<'a> {
    /// Cuts a message. Lines may end in CR LF or in LF alone.
    pub(super) fn split(bytes: &'a [u8]) -> Self {
        let (start_line, mut rest) = split_line(bytes);
        let mut headers = Vec::with_capacity(HEADERS_USUAL);
        let mut fault = None;
        loop {
            if rest.is_empty() {
                fault = fault.or(Some(MessageError::Truncated));
                break;
            }
            let (line, after) = split_folded_line(rest);
            rest = after;
            if line.is_empty() {
                break;
            }
            if headers.len() == HEADERS_MAX {
                fault = fault.or(Some(MessageError::TooManyHeaders));
                break;
            }
            match read_header(line) {
                Ok(header) => headers.push(header),
                Err(error) => fault = fault.or(Some(error)),
            }
        }
        Self {
            start_line,
            headers: Headers(headers),
            rest,
            fault,
        }
    }
}

/// Splits one line off; its line end belongs to neither part.
fn split_line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let (line, rest) = split_around(text, end);
    (line.strip_suffix(b"\r").unwrap_or(line), rest)
}

/// Splits one line and the lines that continue it off. Source: RFC 3261 clause 7.3.1.
fn split_folded_line(text: &[u8]) -> (&[u8], &[u8]) {
    let (line, mut rest) = split_line(text);
    if line.is_empty() {
        return (line, rest);
    }
    while let [b' ' | b'\t', ..] = rest {
        (_, rest) = split_line(rest);
    }
    let whole = text.get(..text.len() - rest.len()).unwrap_or(text);
    let whole = whole.strip_suffix(b"\n").unwrap_or(whole);
    (whole.strip_suffix(b"\r").unwrap_or(whole), rest)
}

fn read_header(line: &[u8]) -> Result<Header<'_>, MessageError> {
    if line.len() > HEADER_BYTES_MAX {
        return Err(MessageError::HeaderTooLong);
    }
    let colon = memchr::memchr(b':', line).ok_or(MessageError::HeaderLine)?;
    let (raw_name, value) = split_around(line, colon);
    // White space may stand before the colon, not before the name: that would be a fold.
    let raw_name = raw_name.trim_ascii_end();
    if !is_token(raw_name) || has_stray_return(value) {
        return Err(MessageError::HeaderLine);
    }
    Ok(Header {
        name: HeaderName::find(raw_name),
        raw_name,
        value: trim(value),
    })
}

/// Whether a carriage return stands alone: some readers take it for a line end, so a value with
/// one could smuggle a header field past this reader.
fn has_stray_return(value: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', value).any(|index| value.get(index + 1) != Some(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_line_ends_and_compact_names_are_understood() {
        let parts = Parts::split(b"X\nTO :\r\n sip:a@h ;\n\ttag=1\nv: y\n\nbody");
        assert_eq!(parts.start_line, b"X");
        assert_eq!(parts.fault, None);
        assert_eq!(
            parts.headers.get(HeaderName::To),
            Some(&b"sip:a@h ;\n\ttag=1"[..])
        );
        assert_eq!(parts.headers.get(HeaderName::Via), Some(&b"y"[..]));
        assert_eq!(parts.rest, b"body");
    }

    #[test]
    fn a_fault_is_reported_and_the_other_fields_are_still_read() {
        let fault = |text: &[u8]| Parts::split(text).fault;
        assert_eq!(
            fault(b"X\r\nno colon\r\nVia: y\r\n\r\n"),
            Some(MessageError::HeaderLine)
        );
        assert_eq!(
            fault(b"X\r\n a: folded first\r\n\r\n"),
            Some(MessageError::HeaderLine)
        );
        assert_eq!(
            fault(b"X\r\na: b\rc: d\r\n\r\n"),
            Some(MessageError::HeaderLine)
        );
        assert_eq!(fault(b"X\r\na: b\r\n"), Some(MessageError::Truncated));
        let parts = Parts::split(b"X\r\nno colon\r\nVia: y\r\n\r\n");
        assert!(parts.headers.get(HeaderName::Via).is_some());
    }

    #[test]
    fn limits_are_kept() {
        let many = format!("X\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert_eq!(
            Parts::split(many.as_bytes()).fault,
            Some(MessageError::TooManyHeaders)
        );
        let long = format!("X\r\na: {}\r\n\r\n", "b".repeat(HEADER_BYTES_MAX));
        assert_eq!(
            Parts::split(long.as_bytes()).fault,
            Some(MessageError::HeaderTooLong)
        );
    }

    #[test]
    fn option_tags_are_gathered_from_every_field() {
        let parts = Parts::split(b"X\r\nk: replaces, join,\r\nSupported:X-cisco-sis-7.0.0\r\n\r\n");
        let options: Vec<_> = parts.headers.options(HeaderName::Supported).collect();
        assert_eq!(options, [&b"replaces"[..], b"join", b"X-cisco-sis-7.0.0"]);
    }
}
