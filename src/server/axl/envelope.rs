//! A SOAP 1.1 envelope around one call. Pure.
//!
//! Source: SOAP 1.1 clause 4.

use super::xml::{Element, XmlError};

/// The namespace of SOAP 1.1.
pub const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The namespace of SOAP 1.2, which AXL does not speak.
const SOAP_1_2: &str = "http://www.w3.org/2003/05/soap-envelope";

/// One call: the element of the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call(Element);

/// Why a body holds no call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not readable at all.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// The wrong root.
    #[error("the request is no SOAP 1.1 envelope: its root is <{0}>")]
    NoEnvelope(String),
    /// The wrong version of SOAP.
    #[error("the request is in SOAP 1.2; AXL is SOAP 1.1 ({SOAP})")]
    WrongSoap,
    /// A header that must be understood.
    #[error("the header <{0}> must be understood, and it is not")]
    MustUnderstand(String),
    /// No body.
    #[error("the envelope has no Body")]
    NoBody,
    /// Not exactly one operation.
    #[error("the Body holds {0} elements; it must hold one, the operation")]
    NotOneOperation(usize),
}

/// Reads a request's body.
///
/// # Errors
///
/// [`EnvelopeError`] says why it holds no call.
pub fn read(body: &[u8]) -> Result<Call, EnvelopeError> {
    let root = Element::parse(body)?;
    if root.namespace == SOAP_1_2 {
        return Err(EnvelopeError::WrongSoap);
    }
    if root.name != "Envelope" || root.namespace != SOAP {
        return Err(EnvelopeError::NoEnvelope(root.name));
    }
    let mut bodies = Vec::new();
    for part in root.children {
        match part.name.as_str() {
            "Header" if bodies.is_empty() => check_headers(&part)?,
            "Body" => bodies.push(part),
            _ => return Err(EnvelopeError::NoEnvelope(part.name)),
        }
    }
    let count: usize = bodies.iter().map(|body| body.children.len()).sum();
    match (bodies.len(), count) {
        (0, _) => Err(EnvelopeError::NoBody),
        (1, 1) => {
            let operation = bodies.into_iter().flat_map(|body| body.children).next();
            operation.map(Call).ok_or(EnvelopeError::NoBody)
        }
        (_, count) => Err(EnvelopeError::NotOneOperation(count)),
    }
}

fn check_headers(headers: &Element) -> Result<(), EnvelopeError> {
    let demanded = headers
        .children
        .iter()
        .find(|header| header.attribute("mustUnderstand") == Some("1"));
    demanded.map_or(Ok(()), |header| {
        Err(EnvelopeError::MustUnderstand(header.name.clone()))
    })
}

impl Call {
    /// The name of the operation: `addPhone`.
    pub fn operation(&self) -> &str {
        &self.0.name
    }

    /// The namespace of the operation's element.
    pub fn namespace(&self) -> &str {
        &self.0.namespace
    }

    /// The element of the operation.
    pub fn element(&self) -> &Element {
        &self.0
    }

    /// What the operation is given.
    pub fn arguments(&self) -> &[Element] {
        &self.0.children
    }

    /// The argument of this name.
    pub fn argument(&self, name: &str) -> Option<&Element> {
        self.0.child(name)
    }

    /// The number that the answer must carry as well.
    pub fn sequence(&self) -> Option<u64> {
        self.0.attribute("sequence")?.parse().ok()
    }

    /// Whether the object is wrapped as only the dialect before 8.0 does: `newPhone`.
    pub fn is_old_dialect(&self) -> bool {
        let Some(noun) = self.operation().strip_prefix("add") else {
            return false;
        };
        let is_wrapper = |child: &Element| child.name.strip_prefix("new") == Some(noun);
        self.arguments().iter().any(is_wrapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(inner: &str) -> String {
        format!(r#"<e:Envelope xmlns:e="{SOAP}">{inner}</e:Envelope>"#)
    }

    #[test]
    fn the_operation_is_found_with_or_without_a_header() {
        for inner in [
            "<e:Body><getUser sequence='7'><userid>a</userid></getUser></e:Body>",
            "<e:Header/><e:Body>\n<x:getUser xmlns:x='urn:x' sequence='7'/></e:Body>",
        ] {
            let call = read(envelope(inner).as_bytes()).unwrap();
            assert_eq!(call.operation(), "getUser");
            assert_eq!(call.sequence(), Some(7));
        }
        let unusable = "<e:Body><getUser sequence='?'/></e:Body>";
        let call = read(envelope(unusable).as_bytes()).unwrap();
        assert_eq!(call.sequence(), None);
    }

    #[test]
    fn what_is_no_call_is_refused_with_its_reason() {
        let cases = [
            ("", "no Body"),
            ("<e:Body/>", "0 elements"),
            ("<e:Body><a/><b/></e:Body>", "2 elements"),
            ("<e:Body><a/></e:Body><e:Body/>", "1 elements"),
            (
                "<e:Header><t e:mustUnderstand='1'/></e:Header><e:Body><a/></e:Body>",
                "must be understood",
            ),
            ("<e:Foot/><e:Body><a/></e:Body>", "Foot"),
        ];
        for (inner, expected) in cases {
            let error = read(envelope(inner).as_bytes()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let other = "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>";
        assert_eq!(read(other.as_bytes()), Err(EnvelopeError::WrongSoap));
        assert!(read(b"<html/>").unwrap_err().to_string().contains("html"));
    }
}
