//! The HTTP doors for files (ports 6970 and, over TLS, 6971): GET and HEAD, validators, ranges of firmware files.
//!
//! Source: RFC 9110 clauses 8.8 (validators), 13 (conditions), 14 (ranges). There is no listing of
//! any kind: a path is a file name and nothing else.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::future::Future;
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::Request;
use axum::http::StatusCode;
use axum::http::Version;
use axum::http::header;
use foldhash::quality::FixedState;
use hyper::body::Incoming;

use super::byte_ranges;
use super::byte_ranges::Asked;
use super::byte_ranges::Segment;
use super::content::Content;
use super::content::FileSource;
use super::content::FirmwareFile;
use super::content::Resolved;
use super::file_body::AnswerBody;
use super::file_body::FileBody;
use crate::server::http::Answers;
use crate::server::http::Peer;
use crate::service::phone_files::file_requests::FileDoor;

/// Seconds after which a throttled client may ask again; the throttle's window.
const RETRY_THROTTLED_S: &str = "60";

/// Seconds after which a client may ask again for a file that could not be made.
const RETRY_UNAVAILABLE_S: &str = "10";

/// The door over a source of files.
///
/// It has no router: there are no routes to choose from, and every layer of one moves the request
/// and allocates, which counts where a request takes some 20 microseconds.
pub struct FilesDoor<S>(Arc<S>);

impl<S> FilesDoor<S> {
    /// A door to these files.
    pub const fn new(files: Arc<S>) -> Self {
        Self(files)
    }
}

impl<S> Clone for FilesDoor<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: FileSource> Answers for FilesDoor<S> {
    type Body = AnswerBody;

    fn answer(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response> + Send + use<S> {
        let files = Arc::clone(&self.0);
        async move { answer(&*files, &request, peer).await }
    }
}

type Response = axum::http::Response<AnswerBody>;

async fn answer<S: FileSource>(files: &S, request: &Request<Incoming>, peer: Peer) -> Response {
    let (method, headers) = (request.method(), request.headers());
    if method != Method::GET && method != Method::HEAD {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return plain(StatusCode::METHOD_NOT_ALLOWED, &allow, "Only GET and HEAD");
    }
    if let Some(why) = wrong_in_head(request) {
        return plain(StatusCode::BAD_REQUEST, &[], why);
    }
    let name = Cow::from(percent_encoding::percent_decode_str(request.uri().path()));
    let source = peer.address.ip().to_canonical();
    let door = if peer.encrypted {
        FileDoor::Https
    } else {
        FileDoor::Http
    };
    let (content, receipt) = match files.resolve(&name, source, door).await {
        Resolved::Found(content, receipt) => (content, receipt),
        failed => return refused(&failed),
    };
    let tag = format!("\"{}\"", entity_tag(&content));
    if !matches(headers, &tag) {
        return plain(
            StatusCode::PRECONDITION_FAILED,
            &[],
            "The file is another one now",
        );
    }
    if method == Method::HEAD {
        return found(content, headers, &tag, Amount::HeadersOnly);
    }
    if let Some(receipt) = receipt {
        // Whoever has a connection has not forged its address.
        if !files.begins(&receipt) {
            return refused(&Resolved::Unavailable);
        }
        files.fetched(receipt);
    }
    found(content, headers, &tag, Amount::All)
}

/// What makes a request one that must not be answered.
///
/// Source: RFC 9112 clauses 3.2 (exactly one Host with a valid value; HTTP/1.0 may leave it out)
/// and 3.2.1 (a target begins with a slash).
fn wrong_in_head(request: &Request<Incoming>) -> Option<&'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => {}
        (Some(_), None) => return Some("The header field Host names no host"),
        (Some(_), Some(_)) => return Some("There is more than one header field Host"),
        (None, _) if request.version() == Version::HTTP_11 => {
            return Some("The header field Host is missing");
        }
        (None, _) => {}
    }
    let begins_well = request.uri().path().starts_with('/');
    (!begins_well).then_some("The request target must begin with a slash")
}

/// Whether a header field Host may hold this: a name or address with a port, or nothing.
fn is_host(value: &[u8]) -> bool {
    let is_of_one = |byte: &u8| byte.is_ascii_graphic() && !b"/?#@\\\"<>,".contains(byte);
    value.iter().all(is_of_one)
}

fn refused(resolved: &Resolved) -> Response {
    let retry = |seconds| [(header::RETRY_AFTER, seconds)];
    match resolved {
        Resolved::Refused(why) => plain(StatusCode::BAD_REQUEST, &[], &why.to_string()),
        Resolved::Throttled => plain(
            StatusCode::TOO_MANY_REQUESTS,
            &retry(RETRY_THROTTLED_S),
            "Too many unknown files asked for",
        ),
        Resolved::Unavailable => plain(
            StatusCode::SERVICE_UNAVAILABLE,
            &retry(RETRY_UNAVAILABLE_S),
            "Not available now",
        ),
        Resolved::NotFound | Resolved::Found(..) => {
            plain(StatusCode::NOT_FOUND, &[], "File not found")
        }
    }
}

fn plain(status: StatusCode, headers: &[(HeaderName, &'static str)], text: &str) -> Response {
    let mut response = Response::new(AnswerBody::of_text(format!("{text}\n")));
    *response.status_mut() = status;
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    let media_type = HeaderValue::from_static("text/plain; charset=UTF-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    response
}

/// How much of an answer is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Amount {
    All,
    HeadersOnly,
}

/// The answer with a file, a part of it, or word that the client has it already.
fn found(content: Content, headers: &HeaderMap, tag: &str, amount: Amount) -> Response {
    let length = content.length();
    let mut response = Response::new(AnswerBody::empty());
    describe(&mut response, &content, tag);
    if is_known(headers, tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let asked = match (&content, amount) {
        // GET alone has ranges (RFC 9110 clause 14.2).
        (Content::Firmware(_), Amount::All) => byte_ranges::asked(headers, tag, length),
        _ => Asked::Whole,
    };
    let parts = match asked {
        Asked::Whole => Vec::new(),
        Asked::Parts(parts) => parts,
        Asked::Beyond => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            let range = format!("bytes */{length}");
            set(&mut response, header::CONTENT_RANGE, &range);
            return response;
        }
    };
    match content {
        Content::Generated(bytes) => {
            set_length(&mut response, length);
            if amount == Amount::All {
                *response.body_mut() = AnswerBody::Whole(bytes);
            }
        }
        Content::Firmware(file) => {
            let segments = segments(&mut response, &file, &parts);
            let length: u64 = segments.iter().map(Segment::length).sum();
            set_length(&mut response, length);
            if amount == Amount::All {
                *response.body_mut() = AnswerBody::File(FileBody::new(file, segments));
            }
        }
    }
    response
}

/// What the body consists of, with the status and the header fields that go with it.
fn segments(
    response: &mut Response,
    file: &FirmwareFile,
    parts: &[Range<u64>],
) -> VecDeque<Segment> {
    if !parts.is_empty() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    match parts {
        [] => [Segment::File(0..file.length)].into(),
        [part] => {
            let range = byte_ranges::content_range(part, file.length);
            set(response, header::CONTENT_RANGE, &range);
            [Segment::File(part.clone())].into()
        }
        parts => {
            // As good as random for whoever did not make the file.
            let boundary = digest_of(file.entity_tag.as_bytes());
            let multipart = format!("multipart/byteranges; boundary={boundary}");
            set(response, header::CONTENT_TYPE, &multipart);
            byte_ranges::multipart(parts, &boundary, file.media_type, file.length)
        }
    }
}

fn describe(response: &mut Response, content: &Content, tag: &str) {
    let mut fixed = |name, value| {
        let value = HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    };
    match content {
        Content::Generated(_) => {
            fixed(header::CONTENT_TYPE, "text/xml; charset=UTF-8");
            // It may hold the phone's secret: nothing between us and the phone shall keep it.
            fixed(header::CACHE_CONTROL, "no-store");
        }
        Content::Firmware(file) => {
            fixed(header::CONTENT_TYPE, file.media_type);
            fixed(header::ACCEPT_RANGES, "bytes");
        }
    }
    set(response, header::ETAG, tag);
}

fn set_length(response: &mut Response, length: u64) {
    let length = HeaderValue::from(length);
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length);
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

fn entity_tag(content: &Content) -> String {
    match content {
        Content::Generated(bytes) => digest_of(bytes),
        Content::Firmware(file) => file.entity_tag.clone(),
    }
}

/// A digest of these bytes: 16 hexadecimal digits, the same on every node of one version.
///
/// It only tells versions of a file apart and vouches for nothing, so it need not resist anybody;
/// SHA-256 was an eighth of a whole request for a configuration file.
fn digest_of(bytes: &[u8]) -> String {
    format!("{:016x}", FixedState::with_seed(0).hash_one(bytes))
}

/// Whether `If-None-Match` names the present file.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    tags(headers, header::IF_NONE_MATCH)
        .map(|known| known.trim_start_matches("W/"))
        .any(|known| known == "*" || known == tag)
}

/// Whether the present file is one that `If-Match` asks for; without the field it is.
///
/// Source: RFC 9110 clause 13.1.1; a weak tag never matches.
fn matches(headers: &HeaderMap, tag: &str) -> bool {
    !headers.contains_key(header::IF_MATCH)
        || tags(headers, header::IF_MATCH).any(|asked| asked == "*" || asked == tag)
}

/// The entity tags of a condition.
fn tags(headers: &HeaderMap, condition: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(condition)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
