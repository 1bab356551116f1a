//! The HTTP doors for files (ports 6970 and, over TLS, 6971): GET and HEAD, validators, ranges of firmware files.
//!
//! Source: RFC 9110 clauses 8.8 (validators), 13 (conditions), 14 (ranges). There is no listing of
//! any kind: a path is a file name and nothing else.

use std::ops::Range;
use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::HeaderName;
use axum::http::HeaderValue;
use axum::http::Method;
use axum::http::StatusCode;
use axum::http::Uri;
use axum::http::header;
use axum::response::Response;
use bytes::Bytes;
use sha2::Digest as _;
use sha2::Sha256;

use super::content::Content;
use super::content::FileSource;
use super::content::Resolved;
use super::file_body::FileBody;
use crate::server::http::Peer;
use crate::service::render_config::FileDoor;

/// Seconds after which a throttled client may ask again; the throttle's window.
const RETRY_THROTTLED_S: &str = "60";

/// Seconds after which a client may ask again for a file that could not be made.
const RETRY_UNAVAILABLE_S: &str = "10";

/// The door over a source of files. Requests must carry a [`Peer`].
pub fn router<S: FileSource>(files: Arc<S>) -> Router {
    Router::new().fallback(serve::<S>).with_state(files)
}

async fn serve<S: FileSource>(
    State(files): State<Arc<S>>,
    Extension(peer): Extension<Peer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return plain(StatusCode::METHOD_NOT_ALLOWED, &allow, "Only GET and HEAD");
    }
    let name: Vec<u8> = percent_encoding::percent_decode_str(uri.path()).collect();
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
    if method == Method::HEAD {
        return found(content, &headers, Amount::HeadersOnly);
    }
    if let Some(receipt) = receipt {
        files.fetched(receipt);
    }
    found(content, &headers, Amount::All)
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
    let mut response = Response::new(Body::from(format!("{text}\n")));
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
fn found(content: Content, headers: &HeaderMap, amount: Amount) -> Response {
    let length = content.length();
    let tag = format!("\"{}\"", entity_tag(&content));
    let mut response = Response::new(Body::empty());
    describe(&mut response, &content, &tag);
    if is_known(headers, &tag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let asked = match &content {
        Content::Firmware(_) => asked_range(headers, &tag, length),
        Content::Generated(_) => Asked::Whole,
    };
    let range = match asked {
        Asked::Whole => 0..length,
        Asked::Part(range) => {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let last = range.end.saturating_sub(1);
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes {}-{last}/{length}", range.start),
            );
            range
        }
        Asked::Beyond => {
            *response.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{length}"),
            );
            return response;
        }
    };
    set(
        &mut response,
        header::CONTENT_LENGTH,
        &(range.end - range.start).to_string(),
    );
    if amount == Amount::All {
        *response.body_mut() = match content {
            Content::Generated(bytes) => Body::from(bytes),
            Content::Firmware(file) => Body::new(FileBody::new(file, range)),
        };
    }
    response
}

fn describe(response: &mut Response, content: &Content, tag: &str) {
    set(response, header::ETAG, tag);
    match content {
        Content::Generated(_) => {
            set(response, header::CONTENT_TYPE, "text/xml; charset=UTF-8");
            // It may hold the phone's secret: nothing between us and the phone shall keep it.
            set(response, header::CACHE_CONTROL, "no-store");
        }
        Content::Firmware(file) => {
            set(response, header::CONTENT_TYPE, file.media_type);
            set(response, header::ACCEPT_RANGES, "bytes");
        }
    }
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

/// The first half of the SHA-256 of a generated file: 32 hexadecimal digits.
fn digest_of(bytes: &Bytes) -> String {
    let digest = Sha256::digest(bytes);
    let half = digest.first_chunk::<16>().copied().unwrap_or_default();
    format!("{:032x}", u128::from_be_bytes(half))
}

/// Whether `If-None-Match` names the present file.
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|known| known.trim().trim_start_matches("W/"))
        .any(|known| known == "*" || known == tag)
}

/// What part of a file a client asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    Beyond,
}

/// Reads `Range`. Several ranges, other units and nonsense mean the whole file, as RFC 9110 allows.
fn asked_range(headers: &HeaderMap, tag: &str, length: u64) -> Asked {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    if text(header::IF_RANGE).is_some_and(|condition| condition.trim() != tag) {
        return Asked::Whole;
    }
    let Some(range) = text(header::RANGE).and_then(|range| range.strip_prefix("bytes=")) else {
        return Asked::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Asked::Whole;
    };
    let number = |text: &str| text.trim().parse::<u64>();
    let part = match (number(first), number(last)) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.trim().is_empty() => first..length,
        (Err(_), Ok(count)) if first.trim().is_empty() => length.saturating_sub(count)..length,
        _ => return Asked::Whole,
    };
    if part.start >= part.end {
        return Asked::Beyond;
    }
    Asked::Part(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, range.parse().unwrap());
        asked_range(&headers, "\"tag\"", 100)
    }

    #[test]
    fn one_range_of_bytes_is_understood_and_the_rest_means_the_whole() {
        assert_eq!(asked("bytes=0-9"), Asked::Part(0..10));
        assert_eq!(asked("bytes=90-"), Asked::Part(90..100));
        assert_eq!(asked("bytes=-10"), Asked::Part(90..100));
        assert_eq!(asked("bytes=90-1000"), Asked::Part(90..100));
        assert_eq!(asked("bytes=100-"), Asked::Beyond);
        assert_eq!(asked("bytes=-0"), Asked::Beyond);
        for whole in [
            "bytes=1-0",
            "bytes=0-1,5-6",
            "lines=1-2",
            "bytes=-",
            "bytes=a-b",
            "",
        ] {
            assert_eq!(asked(whole), Asked::Whole, "{whole}");
        }
    }

    #[test]
    fn a_range_of_another_version_means_the_whole() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, "bytes=0-9".parse().unwrap());
        headers.insert(header::IF_RANGE, "\"other\"".parse().unwrap());
        assert_eq!(asked_range(&headers, "\"tag\"", 100), Asked::Whole);
        headers.insert(header::IF_RANGE, "\"tag\"".parse().unwrap());
        assert_eq!(asked_range(&headers, "\"tag\"", 100), Asked::Part(0..10));
    }
}
