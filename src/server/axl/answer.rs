//! Answers: envelopes, faults and the pages that stand for an HTTP status.

use std::io;
use std::pin::Pin;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use quick_xml::escape::escape;

use crate::domain::schema::SchemaVersion;

use super::fault::{Fault, Origin};
use super::soap_action;

/// What goes before every envelope.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// What stands around the content of every body.
const ENVELOPE_START: &str = concat!(
    "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">",
    "<soapenv:Body>"
);
const ENVELOPE_END: &str = "</soapenv:Body></soapenv:Envelope>";

/// Longest header that names elements which were not applied, in bytes.
const WARNING_BYTES_MAX: usize = 1_024;

/// The media type of envelopes.
const XML: &str = "text/xml;charset=UTF-8";

/// HTTP status for a version that there is not. Source: recorded answers of CUCM.
const INCORRECT_VERSION: u16 = 599;

/// An answer.
pub type Answer = Response<Body>;

/// What stands inside the response element.
pub enum Content {
    /// All of it.
    Whole(String),
    /// Page by page, while they are read. An error ends the connection: the answer is cut off and
    /// no client takes it for whole.
    Pages(Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>),
}

/// The envelope around what an operation gives.
pub fn success(
    version: SchemaVersion,
    operation: &str,
    sequence: Option<u64>,
    content: Content,
) -> Answer {
    let namespace = soap_action::namespace(version);
    let sequence = sequence.map_or_else(String::new, |number| format!(" sequence=\"{number}\""));
    let operation = escape(operation);
    let start = format!(
        "{DECLARATION}{ENVELOPE_START}\
         <ns:{operation}Response xmlns:ns=\"{namespace}\"{sequence}>"
    );
    let end = format!("</ns:{operation}Response>{ENVELOPE_END}");
    let body = match content {
        Content::Whole(content) => {
            let mut text = start;
            text.reserve_exact(content.len().saturating_add(end.len()));
            text.push_str(&content);
            text.push_str(&end);
            Body::from(text)
        }
        Content::Pages(pages) => {
            let piece = |text: String| stream::iter([Ok(Bytes::from(text))]);
            Body::from_stream(piece(start).chain(pages).chain(piece(end)))
        }
    };
    typed(StatusCode::OK, XML, body)
}

/// The envelope around a fault of an operation that was understood.
pub fn fault_of_operation(fault: &Fault, operation: &str, version: SchemaVersion) -> Answer {
    // Source: recorded answers of CUCM; every other operation leaves the element bare.
    if operation == "listChange" {
        let namespace = soap_action::namespace(version);
        let start = format!("<axl:axlError xmlns:axl=\"{namespace}\">");
        return fault_in(fault, operation, (&start, "</axl:axlError>"));
    }
    self::fault(fault, operation)
}

/// The envelope around a fault.
pub fn fault(fault: &Fault, operation: &str) -> Answer {
    fault_in(fault, operation, ("<axlError>", "</axlError>"))
}

fn fault_in(fault: &Fault, operation: &str, (start, end): (&str, &str)) -> Answer {
    let origin = match fault.origin {
        Origin::Server => "Server",
        Origin::Client => "Client",
    };
    let message = escape(fault.message.as_str());
    let (code, operation) = (fault.code, escape(operation));
    envelope(
        StatusCode::INTERNAL_SERVER_ERROR,
        &format!(
            "<soapenv:Fault><faultcode>soapenv:{origin}</faultcode>\
             <faultstring>{message}</faultstring><detail>{start}<axlcode>{code}</axlcode>\
             <axlmessage>{message}</axlmessage><request>{operation}</request>{end}</detail>\
             </soapenv:Fault>"
        ),
    )
}

fn envelope(status: StatusCode, content: &str) -> Answer {
    let text = format!("{DECLARATION}{ENVELOPE_START}{content}{ENVELOPE_END}");
    typed(status, XML, Body::from(text))
}

/// 599 with the versions that there are, in the words that clients look for.
pub fn incorrect_version() -> Answer {
    let versions: Vec<&str> = SchemaVersion::ALL
        .iter()
        .map(|known| known.as_str())
        .collect();
    let (last, others) = versions.split_last().unwrap_or((&"", &[]));
    let reason = format!(
        "Incorrect axl version. Supported axl versions are {} and {last}",
        others.join(", ")
    );
    let status = StatusCode::from_u16(INCORRECT_VERSION).unwrap_or(StatusCode::BAD_REQUEST);
    page(
        status,
        &format!("HTTP Status {INCORRECT_VERSION} - {reason}"),
    )
}

/// Tells the client which of its elements were not applied.
pub fn warn_of(answer: &mut Answer, ignored: &[String]) {
    let mut text = String::from("299 - \"not applied, for AXL 7.1 does not have it:");
    for path in ignored {
        if text.len().saturating_add(path.len()) > WARNING_BYTES_MAX {
            text.push_str(" and others");
            break;
        }
        text.push(' ');
        text.extend(path.chars().filter(|c| c.is_ascii_graphic() && *c != '"'));
    }
    text.push('"');
    if let (false, Ok(value)) = (ignored.is_empty(), HeaderValue::from_str(&text)) {
        answer.headers_mut().insert(header::WARNING, value);
    }
}

/// 401 with the challenge without which many clients never send their credentials.
pub fn unauthorized() -> Answer {
    let mut answer = page(
        StatusCode::UNAUTHORIZED,
        "HTTP Status 401 - User ID and password are needed",
    );
    let challenge = HeaderValue::from_static("Basic realm=\"Cisco Web Services Realm\"");
    answer
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    answer
}

/// 403 with the reason.
pub fn forbidden(reason: &str) -> Answer {
    page(
        StatusCode::FORBIDDEN,
        &format!("HTTP Status 403 - {reason}"),
    )
}

/// 503 with the seconds after which to try again.
pub fn unavailable(retry_after_s: u32) -> Answer {
    let mut answer = page(
        StatusCode::SERVICE_UNAVAILABLE,
        "HTTP Status 503 - Too much to do; try again in a moment",
    );
    answer
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
    answer
}

/// A small HTML page whose title and only heading is `text`.
pub fn page(status: StatusCode, text: &str) -> Answer {
    let text = escape(text);
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{text}</title></head>\
             <body><h1>{text}</h1></body></html>"
    );
    typed(status, "text/html;charset=UTF-8", Body::from(page))
}

fn typed(status: StatusCode, media_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}
