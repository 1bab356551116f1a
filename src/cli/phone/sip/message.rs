//! SIP messages as a phone reads and answers them. Source: RFC 3261 sections 7, 8.2.6, 20.

use std::fmt::Write as _;

/// Largest message in bytes that is taken.
pub const MESSAGE_BYTES_MAX: usize = 65_536;

/// What the message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartLine {
    /// A request, by its method.
    Request(String),
    /// A response.
    Response {
        /// The status code.
        status: u16,
        /// The server's words.
        reason: String,
    },
}

/// A received message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Request or response.
    pub start: StartLine,
    headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// The bytes are no SIP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SIP message")]
pub struct NotSip;

impl Message {
    /// Reads one message.
    ///
    /// # Errors
    ///
    /// The head is not UTF-8 or its first line is neither a request's nor a response's.
    pub fn parse(bytes: &[u8]) -> Result<Self, NotSip> {
        let head_end = head_end(bytes).ok_or(NotSip)?;
        let head = std::str::from_utf8(bytes.get(..head_end).unwrap_or_default());
        let head = head.map_err(|_| NotSip)?;
        let mut lines = head.split("\r\n");
        let start = start_line(lines.next().unwrap_or_default()).ok_or(NotSip)?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            let folded = line.strip_prefix([' ', '\t']);
            if let (Some(rest), Some((_, value))) = (folded, headers.last_mut()) {
                let _ = write!(value, " {}", rest.trim());
            } else {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                headers.push((full_name(name.trim()), value.trim().to_owned()));
            }
        }
        let body = bytes.get(head_end + 4..).unwrap_or_default().to_vec();
        Ok(Self {
            start,
            headers,
            body,
        })
    }

    /// The first header with this name (full form), without regard to case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(same)
            .map(|(_, value)| value.as_str())
    }

    /// Every header with this name.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let same = move |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .filter(same)
            .map(|(_, value)| value.as_str())
    }

    /// The number and method of `CSeq`.
    pub fn sequence(&self) -> Option<(u32, &str)> {
        let (number, method) = self.header("CSeq")?.split_once(' ')?;
        Some((number.parse().ok()?, method.trim()))
    }

    /// The answer to this request, with no body.
    pub fn answer(&self, status: u16, reason: &str) -> String {
        let mut text = format!("SIP/2.0 {status} {reason}\r\n");
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            for value in self.headers(name) {
                let tag = if name == "To" && !value.contains(";tag=") {
                    ";tag=phone"
                } else {
                    ""
                };
                let _ = write!(text, "{name}: {value}{tag}\r\n");
            }
        }
        text + "Content-Length: 0\r\n\r\n"
    }
}

/// Where the head of the first message in a stream ends: the place of the blank line.
fn head_end(bytes: &[u8]) -> Option<usize> {
    memchr::memmem::find(bytes, b"\r\n\r\n")
}

/// How long the first message in a stream is; `None` while it is not complete.
///
/// # Errors
///
/// It is longer than a phone takes.
pub fn framed_length(stream: &[u8]) -> Result<Option<usize>, NotSip> {
    let Some(end) = head_end(stream) else {
        return if stream.len() > MESSAGE_BYTES_MAX {
            Err(NotSip)
        } else {
            Ok(None)
        };
    };
    let head = Message::parse(stream.get(..end + 4).unwrap_or_default())?;
    let body: usize = head
        .header("Content-Length")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let length = end.saturating_add(4).saturating_add(body);
    if length > MESSAGE_BYTES_MAX {
        return Err(NotSip);
    }
    Ok((stream.len() >= length).then_some(length))
}

fn start_line(line: &str) -> Option<StartLine> {
    if let Some(rest) = line.strip_prefix("SIP/2.0 ") {
        let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
        return Some(StartLine::Response {
            status: status.parse().ok()?,
            reason: reason.to_owned(),
        });
    }
    let (rest, version) = line.rsplit_once(' ')?;
    let (method, _uri) = rest.split_once(' ')?;
    (version == "SIP/2.0").then(|| StartLine::Request(method.to_owned()))
}

/// The full name of a header in compact form. Source: RFC 3261 section 20, RFC 6665.
fn full_name(name: &str) -> String {
    let full = match name {
        "v" | "V" => "Via",
        "f" | "F" => "From",
        "t" | "T" => "To",
        "i" | "I" => "Call-ID",
        "m" | "M" => "Contact",
        "l" | "L" => "Content-Length",
        "c" | "C" => "Content-Type",
        "k" | "K" => "Supported",
        "o" | "O" => "Event",
        other => other,
    };
    full.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTIFY: &[u8] = b"NOTIFY sip:x@1.2.3.4 SIP/2.0\r\nVia: SIP/2.0/TCP a;branch=1\r\n\
        v: SIP/2.0/TCP b\r\nf: <sip:a>;tag=1\r\nTo: <sip:x>\r\ni: c1\r\nCSeq: 7 NOTIFY\r\n\
        o: service-control\r\nl: 14\r\n\r\naction=restart";

    #[test]
    fn a_request_is_read_with_compact_names_and_answered() {
        let message = Message::parse(NOTIFY).unwrap();
        assert_eq!(message.start, StartLine::Request("NOTIFY".into()));
        assert_eq!(message.header("event"), Some("service-control"));
        assert_eq!(message.sequence(), Some((7, "NOTIFY")));
        assert_eq!(message.body, b"action=restart");
        let answer = message.answer(200, "OK");
        assert!(answer.starts_with(
            "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP a;branch=1\r\nVia: SIP/2.0/TCP b\r\n"
        ));
        assert!(answer.contains("To: <sip:x>;tag=phone\r\n"));
    }

    #[test]
    fn messages_are_cut_from_a_stream_by_content_length() {
        let two = [NOTIFY, NOTIFY].concat();
        assert_eq!(framed_length(&two), Ok(Some(NOTIFY.len())));
        assert_eq!(framed_length(&NOTIFY[..NOTIFY.len() - 1]), Ok(None));
        assert_eq!(framed_length(b"NOTIFY sip:x"), Ok(None));
        assert_eq!(
            framed_length(&vec![b'x'; MESSAGE_BYTES_MAX + 1]),
            Err(NotSip)
        );
        assert!(Message::parse(b"GET / HTTP/1.1\r\n\r\n").is_err());
    }
}
