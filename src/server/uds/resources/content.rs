//! Bodies of PUT requests.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, header};
use tokio::time::timeout;

use super::answer::Problem;
use crate::domain::secret::Secret;
use crate::server::request_xml::Element;
use crate::service::credentials::own_credentials::OwnCredentials;

/// Largest body in bytes: two secrets of 128 characters, each written as a reference, fit.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// How long a client has to send its body.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads a body into its root element.
pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Element, Problem> {
    if !is_xml(headers) {
        return Err(Problem::NotXml);
    }
    let bytes = receive(body, BODY_TIMEOUT).await?;
    Element::parse(&bytes).map_err(|error| Problem::BadRequest(error.to_string()))
}

async fn receive(body: Body, time_max: Duration) -> Result<Bytes, Problem> {
    let received = timeout(time_max, to_bytes(body, BODY_BYTES_MAX)).await;
    received
        .map_err(|_| Problem::TooSlow)?
        .map_err(|_| Problem::TooLarge(BODY_BYTES_MAX))
}

/// Whether the body is XML by the client's word, or the client says nothing.
fn is_xml(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return true;
    };
    let value = value.to_str().unwrap_or_default();
    let media_type = value.split(';').next().unwrap_or_default().trim();
    ["application/xml", "text/xml"]
        .iter()
        .any(|known| media_type.eq_ignore_ascii_case(known))
}

/// Reads `<credentials><credential type="password|pin">…`.
///
/// Blanks count: a password may begin with one.
pub(super) fn credentials(root: &Element) -> Result<OwnCredentials, Problem> {
    expect_root(root, "credentials")?;
    let mut read = OwnCredentials::default();
    for child in &root.children {
        if child.name != "credential" || !child.children.is_empty() {
            return Err(unknown(&child.name, "credential"));
        }
        let place = match child.attribute("type") {
            Some("password") => &mut read.password,
            Some("pin") => &mut read.pin,
            _ => return Err(bad("the type of a credential is password or pin")),
        };
        if place.is_some() {
            return Err(bad("a credential is there twice"));
        }
        *place = Some(Secret::from(child.text.as_str()));
    }
    if read.password.is_none() && read.pin.is_none() {
        return Err(bad("send a credential of the type password or pin"));
    }
    Ok(read)
}

/// Reads `<root><known>…`, the one element of a resource that can be changed; `None`: it is to stay,
/// and an empty text: it is to be as it was before anybody changed it.
pub(super) fn text(root: &Element, name: &str, known: &str) -> Result<Option<String>, Problem> {
    expect_root(root, name)?;
    let mut read = None;
    for child in &root.children {
        if child.name != known || !child.children.is_empty() {
            return Err(unknown(&child.name, known));
        }
        if read.is_some() {
            return Err(bad(&format!("the {known} is there twice")));
        }
        read = Some(child.text.trim().to_owned());
    }
    Ok(read)
}

fn expect_root(root: &Element, name: &str) -> Result<(), Problem> {
    if root.name != name || !root.text.trim().is_empty() {
        return Err(bad(&format!("the body is an element {name} with elements")));
    }
    Ok(())
}

/// An element that cannot be changed here; nothing is ignored.
fn unknown(name: &str, known: &str) -> Problem {
    bad(&format!(
        "the element {name} cannot be changed here, {known} can; nothing was changed"
    ))
}

fn bad(reason: &str) -> Problem {
    Problem::BadRequest(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_body_that_never_ends_is_cut_off_and_one_that_is_too_large_not_read() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let received = receive(endless, Duration::from_millis(20)).await;
        assert!(matches!(received, Err(Problem::TooSlow)));
        let largest = Body::from(vec![b'x'; BODY_BYTES_MAX]);
        assert!(receive(largest, BODY_TIMEOUT).await.is_ok());
        let too_large = Body::from(vec![b'x'; BODY_BYTES_MAX + 1]);
        let received = receive(too_large, BODY_TIMEOUT).await;
        assert!(matches!(received, Err(Problem::TooLarge(BODY_BYTES_MAX))));
    }

    fn parse(text: &str) -> Element {
        Element::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn credentials_are_read_to_the_letter() {
        let read = credentials(&parse(
            "<credentials> <credential type='password'> a&amp;b</credential>\n\
             <credential type='pin'>4321</credential></credentials>",
        ))
        .unwrap();
        assert_eq!(read.password.unwrap().reveal(), " a&b");
        assert_eq!(read.pin.unwrap().reveal(), "4321");
    }

    fn text_of(body: &str) -> Result<Option<String>, Problem> {
        text(&parse(body), "device", "description")
    }

    #[test]
    fn bodies_of_another_shape_change_nothing() {
        for text in [
            "<credentials/>",
            "<credential type='pin'>1</credential>",
            "<credentials>1<credential type='pin'>1</credential></credentials>",
            "<credentials><credential>1</credential></credentials>",
            "<credentials><credential type='PIN'>1</credential></credentials>",
            "<credentials><credential type='pin'><a/></credential></credentials>",
            "<credentials><pin>1</pin></credentials>",
            "<credentials><credential type='pin'>1</credential><credential type='pin'>1\
             </credential></credentials>",
        ] {
            assert!(credentials(&parse(text)).is_err(), "{text}");
        }
        for text in [
            "<user/>",
            "<device><description>a</description><description>b</description></device>",
            "<device><description>a</description><name>b</name></device>",
        ] {
            assert!(text_of(text).is_err(), "{text}");
        }
        assert!(matches!(text_of("<device/>"), Ok(None)));
    }

    #[test]
    fn a_body_is_xml_unless_it_says_otherwise() {
        let with =
            |value: &str| HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
        assert!(is_xml(&HeaderMap::new()));
        assert!(is_xml(&with("application/xml; charset=UTF-8")) && is_xml(&with("Text/XML")));
        assert!(!is_xml(&with("application/json")));
        assert!(!is_xml(&with("application/x-www-form-urlencoded")));
    }
}
