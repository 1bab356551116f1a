//! Writers of responses and requests.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;
use std::net::SocketAddr;

use crate::domain::registration::{Flow, Transport};

use super::error::MessageError;
use super::headers::Headers;
use super::name::HeaderName;
use super::status::Status;
use super::via::Via;
use super::{Rejected, Request};

/// What answers and requests name as their maker; without a version, which would only tell an
/// attacker what to try.
const SERVER: &str = "selfprov";

/// Max-Forwards of a new request. Source: RFC 3261 clause 8.1.1.6.
const MAX_FORWARDS: &str = "70";

/// Room for a usual message, so that it is allocated once.
const MESSAGE_USUAL_BYTES: usize = 1_024;

/// The header fields that every answer copies from its request, ready to be written.
///
/// It owns its bytes: work that needs the database keeps it while the datagram's buffer is reused.
#[derive(Debug, Clone)]
pub struct ReplyHead(Vec<u8>);

impl ReplyHead {
    /// Copies Via, From, To, Call-ID and CSeq: every Via in full, the topmost with `received` and
    /// `rport` filled in, and To with a tag. Source: RFC 3261 clauses 8.2.6.2 and 18.2.1, RFC 3581.
    pub fn new(request: &Request<'_>, flow: &Flow) -> Self {
        let mut bytes = Vec::with_capacity(MESSAGE_USUAL_BYTES);
        write_reply_head(&mut bytes, &request.common.headers, flow.remote);
        Self(bytes)
    }
}

/// A response in the making.
#[derive(Debug, Clone)]
pub struct ResponseBuilder(Vec<u8>);

impl ResponseBuilder {
    /// The answer with this status to `request`, which came on `flow`.
    pub fn new(request: &Request<'_>, flow: &Flow, status: Status) -> Self {
        let mut bytes = status_line(status, status.reason_phrase());
        write_reply_head(&mut bytes, &request.common.headers, flow.remote);
        Self(bytes).header(HeaderName::Server.as_str(), SERVER)
    }

    /// The answer with this status, from header fields copied earlier.
    pub fn from_head(head: &ReplyHead, status: Status) -> Self {
        let mut bytes = status_line(status, status.reason_phrase());
        bytes.extend_from_slice(&head.0);
        Self(bytes).header(HeaderName::Server.as_str(), SERVER)
    }

    /// The answer to a message that is not acted on; `None` when it gets none.
    pub fn for_rejected(rejected: &Rejected<'_>, remote: SocketAddr) -> Option<Self> {
        let headers = rejected.answerable()?;
        let mut bytes = status_line(rejected.error.status(), &rejected.error.to_string());
        write_reply_head(&mut bytes, headers, remote);
        Some(Self(bytes).header(HeaderName::Server.as_str(), SERVER))
    }

    /// The answer to a request that is refused for this fault. Source: RFC 3261 clause 21.4.1 (the
    /// reason phrase says what is wrong).
    pub fn for_fault(request: &Request<'_>, flow: &Flow, fault: MessageError) -> Self {
        let mut bytes = status_line(fault.status(), &fault.to_string());
        write_reply_head(&mut bytes, &request.common.headers, flow.remote);
        Self(bytes).header(HeaderName::Server.as_str(), SERVER)
    }

    /// Adds a header field. Line ends and other control characters in the value become spaces,
    /// so that no value can add a header field of its own.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        write_header(&mut self.0, name, value.as_ref());
        self
    }

    /// Adds a header field whose value stands in parts; see [`ResponseBuilder::header`].
    #[must_use]
    pub fn header_of_parts(mut self, name: &str, parts: &[&[u8]]) -> Self {
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b": ");
        for part in parts {
            write_value(&mut self.0, part);
        }
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The response without a body.
    pub fn finish(self) -> Vec<u8> {
        finish(self.0, &[])
    }

    /// The response with a body.
    pub fn finish_with_body(self, content_type: &str, body: &[u8]) -> Vec<u8> {
        finish(
            self.header(HeaderName::ContentType.as_str(), content_type)
                .0,
            body,
        )
    }
}

/// A request in the making. Used by the registrar for NOTIFY and by the handset for REGISTER.
#[derive(Debug, Clone)]
pub struct RequestBuilder(Vec<u8>);

impl RequestBuilder {
    /// A request with its Via and Max-Forwards.
    ///
    /// `sent_by` is our host and port as the peer sees them, `branch` what follows the magic
    /// cookie: unique for this request, of token characters.
    pub fn new(
        method: &str,
        uri: impl AsRef<[u8]>,
        transport: Transport,
        sent_by: &str,
        branch: &str,
    ) -> Self {
        let mut bytes = Vec::with_capacity(MESSAGE_USUAL_BYTES);
        write_value(&mut bytes, method.as_bytes());
        bytes.push(b' ');
        write_value(&mut bytes, uri.as_ref());
        bytes.extend_from_slice(b" SIP/2.0\r\n");
        let transport = transport.as_str().to_ascii_uppercase();
        let via = format!("SIP/2.0/{transport} {sent_by};branch=z9hG4bK{branch};rport");
        Self(bytes)
            .header(HeaderName::Via.as_str(), via)
            .header(HeaderName::MaxForwards.as_str(), MAX_FORWARDS)
    }

    /// Adds a header field; see [`ResponseBuilder::header`].
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        write_header(&mut self.0, name, value.as_ref());
        self
    }

    /// The request without a body.
    pub fn finish(self) -> Vec<u8> {
        finish(self.0, &[])
    }

    /// The request with a body.
    pub fn finish_with_body(self, content_type: &str, body: &[u8]) -> Vec<u8> {
        finish(
            self.header(HeaderName::ContentType.as_str(), content_type)
                .0,
            body,
        )
    }
}

fn status_line(status: Status, reason: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(MESSAGE_USUAL_BYTES);
    bytes.extend_from_slice(b"SIP/2.0 ");
    write_number(&mut bytes, usize::from(status.code()));
    bytes.push(b' ');
    bytes.extend_from_slice(reason.as_bytes());
    bytes.extend_from_slice(b"\r\n");
    bytes
}

pub(super) fn write_header(bytes: &mut Vec<u8>, name: &str, value: &[u8]) {
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend_from_slice(b": ");
    write_value(bytes, value);
    bytes.extend_from_slice(b"\r\n");
}

/// Writes a value on one line: folds and whatever could end a line become spaces.
fn write_value(bytes: &mut Vec<u8>, value: &[u8]) {
    if memchr::memchr3(b'\r', b'\n', 0, value).is_none() {
        bytes.extend_from_slice(value);
    } else {
        bytes.extend(value.iter().map(|byte| match byte {
            b'\r' | b'\n' => b' ',
            other => *other,
        }));
    }
}

pub(super) fn write_number(bytes: &mut Vec<u8>, number: usize) {
    let mut digits = [0_u8; 20];
    let mut rest = number;
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789".get(rest % 10).copied().unwrap_or(b'0');
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

pub(super) fn finish(mut bytes: Vec<u8>, body: &[u8]) -> Vec<u8> {
    bytes.extend_from_slice(b"Content-Length: ");
    write_number(&mut bytes, body.len());
    bytes.extend_from_slice(b"\r\n\r\n");
    bytes.extend_from_slice(body);
    bytes
}

fn write_reply_head(bytes: &mut Vec<u8>, headers: &Headers<'_>, remote: SocketAddr) {
    for (index, via) in headers.all(HeaderName::Via).enumerate() {
        if index == 0 {
            write_top_via(bytes, via, remote);
        } else {
            write_header(bytes, HeaderName::Via.as_str(), via);
        }
    }
    for name in [HeaderName::From, HeaderName::CallId, HeaderName::CSeq] {
        if let Some(value) = headers.get(name) {
            write_header(bytes, name.as_str(), value);
        }
    }
    if let Some(to) = headers.get(HeaderName::To) {
        write_to(bytes, to, headers);
    }
}

/// Writes the topmost Via with where the request really came from.
pub(super) fn write_top_via(bytes: &mut Vec<u8>, value: &[u8], remote: SocketAddr) {
    let Ok((via, rest)) = Via::parse_first(value) else {
        return write_header(bytes, HeaderName::Via.as_str(), value);
    };
    bytes.extend_from_slice(b"Via: SIP/2.0/");
    bytes.extend_from_slice(via.transport);
    bytes.push(b' ');
    bytes.extend_from_slice(via.host);
    if let Some(port) = via.port {
        bytes.push(b':');
        write_number(bytes, usize::from(port));
    }
    for param in via.params.iter().filter(|param| !param.is("received")) {
        bytes.push(b';');
        bytes.extend_from_slice(param.name);
        if param.is("rport") {
            bytes.push(b'=');
            write_number(bytes, usize::from(remote.port()));
        } else if let Some(value) = param.value {
            bytes.push(b'=');
            write_value(bytes, value);
        }
    }
    if via.wants_rport() || !via.is_from(remote.ip()) {
        bytes.extend_from_slice(b";received=");
        // Writing to a Vec cannot fail.
        let _ = write!(bytes, "{}", remote.ip());
    }
    bytes.extend_from_slice(b"\r\n");
    if let Some(rest) = rest {
        write_header(bytes, HeaderName::Via.as_str(), super::text::trim(rest));
    }
}

/// Writes To, with a tag if it has none. The tag is a hash of what names the request, so a
/// retransmission that is answered anew gets the same one.
fn write_to(bytes: &mut Vec<u8>, to: &[u8], headers: &Headers<'_>) {
    bytes.extend_from_slice(b"To: ");
    write_value(bytes, to);
    let parsed = super::Address::parse(to, HeaderName::To);
    if parsed.is_ok_and(|address| address.tag().is_none()) {
        let mut hasher = DefaultHasher::new();
        for name in [HeaderName::CallId, HeaderName::CSeq, HeaderName::From] {
            headers.get(name).hash(&mut hasher);
        }
        bytes.extend_from_slice(b";tag=");
        let mut hash = hasher.finish();
        for _ in 0..13 {
            let digit = usize::try_from(hash & 31).unwrap_or(0);
            bytes.push(
                b"abcdefghijklmnopqrstuvwxyz234567"
                    .get(digit)
                    .copied()
                    .unwrap_or(b'a'),
            );
            hash >>= 5;
        }
    }
    bytes.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::{Message, parse};
    use super::*;

    const REGISTER: &[u8] = b"REGISTER sip:cm SIP/2.0\r\n\
        Via: SIP/2.0/UDP 10.0.0.9:5070;rport;branch=z9hG4bKa ,\r\n SIP/2.0/TCP p;branch=z9hG4bKb\r\n\
        v: SIP/2.0/UDP q\r\nFrom: <sip:1@cm>;tag=f\r\nTo: <sip:1@cm>\r\nCall-ID: c\r\n\
        CSeq: 7 REGISTER\r\nContent-Length: 0\r\n\r\n";

    fn flow() -> Flow {
        Flow {
            transport: Transport::Udp,
            local: "127.0.0.1:5060".parse().unwrap(),
            remote: "198.51.100.7:49152".parse().unwrap(),
            connection: 0,
        }
    }

    fn request(bytes: &[u8]) -> Request<'_> {
        match parse(bytes) {
            Ok(Message::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_answer_copies_every_via_and_says_where_the_request_came_from() {
        let request = request(REGISTER);
        let answer = ResponseBuilder::new(&request, &flow(), Status::OK)
            .header("Expires", "120")
            .finish_with_body("text/plain", b"hi");
        let Ok(Message::Response(response)) = parse(&answer) else {
            panic!("{}", String::from_utf8_lossy(&answer));
        };
        assert_eq!(response.status, Status::OK);
        let vias: Vec<_> = response.common.headers.all(HeaderName::Via).collect();
        assert_eq!(
            vias,
            [
                &b"SIP/2.0/UDP 10.0.0.9:5070;rport=49152;branch=z9hG4bKa;received=198.51.100.7"[..],
                b"SIP/2.0/TCP p;branch=z9hG4bKb",
                b"SIP/2.0/UDP q"
            ]
        );
        assert_eq!(response.common.to.tag().unwrap().len(), 13);
        assert_eq!(
            (response.common.cseq, response.common.call_id),
            (7, &b"c"[..])
        );
        assert_eq!(response.common.expires_s(), Ok(Some(120)));
        assert_eq!(response.common.body, b"hi");
    }

    #[test]
    fn an_answer_made_later_is_the_same() {
        let request = request(REGISTER);
        let head = ReplyHead::new(&request, &flow());
        let now = ResponseBuilder::new(&request, &flow(), Status::OK).finish();
        assert_eq!(ResponseBuilder::from_head(&head, Status::OK).finish(), now);
    }

    #[test]
    fn a_sender_cannot_claim_another_address_with_received() {
        let forged = String::from_utf8_lossy(REGISTER).replace(";rport", ";received=192.0.2.1");
        let request = request(forged.as_bytes());
        let answer = ResponseBuilder::new(&request, &flow(), Status::OK).finish();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.contains(";received=198.51.100.7") && !answer.contains("192.0.2.1"));
    }

    #[test]
    fn no_value_can_add_a_header_field() {
        let request = RequestBuilder::new("NOTIFY", "sip:a@h", Transport::Udp, "h:5060", "b")
            .header("From", "<sip:a@h>;tag=1")
            .header("To", "<sip:a@h>")
            .header("Call-ID", "x")
            .header("CSeq", "1 NOTIFY")
            .header("Event", "service-control\r\nEvil: yes")
            .finish();
        let Ok(Message::Request(parsed)) = parse(&request) else {
            panic!("{}", String::from_utf8_lossy(&request));
        };
        assert_eq!(parsed.common.headers.get_other("Evil"), None);
        assert_eq!(parsed.common.max_forwards(), 70);
        assert_eq!(parsed.common.via.unique_branch(), Some(&b"z9hG4bKb"[..]));
    }

    #[test]
    fn a_rejected_request_is_answered_with_the_reason() {
        let text = String::from_utf8_lossy(REGISTER).replace("From: <sip:1@cm>;tag=f\r\n", "");
        let rejected = parse(text.as_bytes()).unwrap_err();
        let answer = ResponseBuilder::for_rejected(&rejected, flow().remote)
            .unwrap()
            .finish();
        assert!(answer.starts_with(b"SIP/2.0 400 Missing From header field\r\n"));
        let ack = text.replace("REGISTER", "ACK");
        let rejected = parse(ack.as_bytes()).unwrap_err();
        assert!(ResponseBuilder::for_rejected(&rejected, flow().remote).is_none());
    }
}
