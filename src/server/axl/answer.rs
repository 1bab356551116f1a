//! Answers: envelopes, faults and the pages that stand for an HTTP status.

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use quick_xml::escape::escape;

use crate::domain::schema::SchemaVersion;

use super::envelope::SOAP;
use super::fault::{Fault, Origin};
use super::soap_action;

/// What goes before every envelope.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// HTTP status for a version that there is not. Source: recorded answers of CUCM.
const INCORRECT_VERSION: u16 = 599;

/// An answer.
pub type Answer = Response<Body>;

/// The envelope around what an operation gives: `content` stands inside the response element.
pub fn success(
    version: SchemaVersion,
    operation: &str,
    sequence: Option<u64>,
    content: &str,
) -> Answer {
    let namespace = soap_action::namespace(version);
    let sequence = sequence.map_or_else(String::new, |number| format!(" sequence=\"{number}\""));
    let operation = escape(operation);
    envelope(
        StatusCode::OK,
        &format!(
            "<ns:{operation}Response xmlns:ns=\"{namespace}\"{sequence}>{content}\
             </ns:{operation}Response>"
        ),
    )
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
    let text = format!(
        "{DECLARATION}<soapenv:Envelope xmlns:soapenv=\"{SOAP}\"><soapenv:Body>{content}\
         </soapenv:Body></soapenv:Envelope>"
    );
    typed(status, "text/xml;charset=UTF-8", text)
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
    typed(
        status,
        "text/html;charset=UTF-8",
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>{text}</title></head>\
             <body><h1>{text}</h1></body></html>"
        ),
    )
}

fn typed(status: StatusCode, media_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Body::from(text));
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer
}
