//! A request's XML as a bounded tree, for the doors that speak XML. Pure: bytes in, a tree or the
//! reason why not out.
//!
//! Names are matched without their prefixes, because clients qualify them in every possible way;
//! the namespace of each element is kept for the few places where it decides.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Prefix, QName, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

/// Deepest nesting; AXL's deepest element stands at level 12.
const DEPTH_MAX: usize = 32;

/// Most elements of one request; a phone with every element and all its buttons has some 600.
const ELEMENTS_MAX: usize = 20_000;

/// Most attributes of one element, declarations of namespaces included; clients send up to 9.
const ATTRIBUTES_MAX: usize = 16;

/// Longest name of a namespace, in bytes: it is kept with every element that is in it, so that a
/// long one would multiply a request.
const NAMESPACE_BYTES_MAX: usize = 256;

/// One element in document order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The name without its prefix.
    pub name: String,
    /// The namespace it is in; empty when in none or when the prefix is declared nowhere.
    pub namespace: String,
    /// Attributes without prefixes, declarations of namespaces left out.
    pub attributes: Vec<(String, String)>,
    /// The text directly inside, with references resolved.
    pub text: String,
    /// The elements directly inside.
    pub children: Vec<Element>,
}

/// Why bytes are no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Not UTF-8.
    #[error("the request is not UTF-8 text: byte {0} cannot be read; send it as UTF-8")]
    NotUtf8(usize),
    /// Another encoding is declared.
    #[error("the request declares the encoding {0:?}; send it as UTF-8")]
    Encoding(String),
    /// A document type definition, which could define entities.
    #[error("a document type definition (DOCTYPE) is not allowed in a request")]
    DocumentType,
    /// A processing instruction.
    #[error("processing instructions are not allowed in a request")]
    ProcessingInstruction,
    /// An entity that XML does not define itself.
    #[error("the entity &{0}; is not defined; write the character itself")]
    Entity(String),
    /// Too deep.
    #[error("elements are nested deeper than {DEPTH_MAX} levels")]
    TooDeep,
    /// Too many elements.
    #[error("the request has more than {ELEMENTS_MAX} elements")]
    TooManyElements,
    /// Too many attributes.
    #[error("the element <{0}> has more than {ATTRIBUTES_MAX} attributes")]
    TooManyAttributes(String),
    /// A namespace too long to be kept with each of its elements.
    #[error("a namespace is longer than {NAMESPACE_BYTES_MAX} bytes")]
    NamespaceTooLong,
    /// Something that is no name where the name of an element or attribute stands.
    #[error("{0:?} is no name of an element or attribute")]
    Name(String),
    /// A character that XML 1.0 does not have.
    #[error("the request holds a control character that XML does not allow")]
    ControlCharacter,
    /// Text around the root element, or two of them.
    #[error("there is something before or after the root element")]
    OutsideRoot,
    /// No element at all.
    #[error("the request is empty")]
    Empty,
    /// Not well-formed.
    #[error("the request is not well-formed XML at byte {position}: {reason}")]
    Malformed {
        /// Where.
        position: u64,
        /// What the parser says.
        reason: String,
    },
}

impl Element {
    /// Reads a document and gives its root.
    ///
    /// # Errors
    ///
    /// [`XmlError`] says what is wrong with it.
    pub fn parse(document: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(document)
            .map_err(|error| XmlError::NotUtf8(error.valid_up_to()))?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        if text.chars().any(is_forbidden) {
            return Err(XmlError::ControlCharacter);
        }
        let mut reader = NsReader::from_str(text);
        let mut tree = Tree::default();
        loop {
            let (namespace, event) = match reader.read_resolved_event() {
                Ok((ResolveResult::Bound(namespace), event)) => (namespace.0, event),
                Ok((_, event)) => ("", event),
                Err(error) => {
                    return Err(XmlError::Malformed {
                        position: reader.error_position(),
                        reason: error.to_string(),
                    });
                }
            };
            if matches!(event, Event::Eof) {
                return tree.finish();
            }
            tree.take(event, namespace)?;
        }
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The value of an attribute, by its name without prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it says to be nil or holds nothing at all.
    pub fn is_empty(&self) -> bool {
        let is_nil = matches!(self.attribute("nil"), Some("true" | "1"));
        is_nil || (self.children.is_empty() && self.text.trim().is_empty())
    }

    /// What it says, without blanks around it. Text that a client encoded as base64 because it is
    /// not ASCII (`xsi:type="xsd:base64Binary"`, as Perl's `SOAP::Lite` does) is decoded.
    pub fn value(&self) -> String {
        let text = self.text.trim();
        let kind = self.attribute("type").unwrap_or_default();
        let is_base64 = matches!(kind.rsplit(':').next(), Some("base64Binary" | "base64"));
        let decoded = is_base64.then(|| from_base64(text)).flatten();
        decoded.unwrap_or_else(|| text.to_owned())
    }
}

/// Text that was encoded as base64; `None` when it is none. Perl keeps text whose letters all stand
/// in Latin-1 as such, and encodes it so.
fn from_base64(text: &str) -> Option<String> {
    let bytes = STANDARD
        .decode(text.replace(char::is_whitespace, ""))
        .ok()?;
    let decoded = match String::from_utf8(bytes) {
        Ok(text) => text,
        // Control characters stand there: it is no text.
        Err(error)
            if error
                .as_bytes()
                .iter()
                .any(|byte| (0x80..0xa0).contains(byte)) =>
        {
            return None;
        }
        Err(error) => error.as_bytes().iter().copied().map(char::from).collect(),
    };
    (!decoded.chars().any(is_forbidden)).then_some(decoded)
}

/// Source: XML 1.0, production 2 (Char).
const fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

/// The document while it is being read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn take(&mut self, event: Event<'_>, namespace: &str) -> Result<(), XmlError> {
        match event {
            Event::Start(tag) => self.open(&tag, namespace)?,
            Event::Empty(tag) => {
                self.open(&tag, namespace)?;
                self.close();
            }
            Event::End(_) => self.close(),
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let character = reference
                    .resolve_char_ref()
                    .map_err(|_| XmlError::Entity(name.to_string()))?;
                match character {
                    Some(character) if is_forbidden(character) => {
                        return Err(XmlError::ControlCharacter);
                    }
                    Some(character) => self.text(character.encode_utf8(&mut [0; 4]))?,
                    None => self.text(predefined(&name)?)?,
                }
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !is_utf8(&name) => {
                    return Err(XmlError::Encoding(name.into_owned()));
                }
                _ => {}
            },
            Event::DocType(_) => return Err(XmlError::DocumentType),
            Event::PI(_) => return Err(XmlError::ProcessingInstruction),
            Event::Comment(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn open(&mut self, tag: &BytesStart<'_>, namespace: &str) -> Result<(), XmlError> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX {
            return Err(XmlError::TooManyElements);
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(XmlError::TooDeep);
        }
        if self.root.is_some() {
            return Err(XmlError::OutsideRoot);
        }
        if namespace.len() > NAMESPACE_BYTES_MAX {
            return Err(XmlError::NamespaceTooLong);
        }
        let name = local_name(tag.name())?;
        let attributes = attributes(tag, &name)?;
        self.open.push(Element {
            name,
            namespace: namespace.to_owned(),
            attributes,
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) {
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::OutsideRoot),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, XmlError> {
        match (self.root, self.open.last()) {
            (Some(root), None) => Ok(root),
            (_, Some(open)) => Err(XmlError::Malformed {
                position: 0,
                reason: format!("the element <{}> has no end", open.name),
            }),
            (None, None) => Err(XmlError::Empty),
        }
    }
}

fn attributes(tag: &BytesStart<'_>, element: &str) -> Result<Vec<(String, String)>, XmlError> {
    let mut kept = Vec::new();
    for (count, attribute) in tag.attributes().enumerate() {
        let malformed = |reason: String| XmlError::Malformed {
            position: 0,
            reason: format!("in an attribute of <{element}>: {reason}"),
        };
        if count >= ATTRIBUTES_MAX {
            return Err(XmlError::TooManyAttributes(element.to_owned()));
        }
        let attribute = attribute.map_err(|error| malformed(error.to_string()))?;
        if attribute.key.as_namespace_binding().is_some() {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| malformed(error.to_string()))?;
        kept.push((local_name(attribute.key)?, value.into_owned()));
    }
    Ok(kept)
}

/// A name without its prefix, when both are names. Source: Namespaces in XML 1.0, production 7.
fn local_name(name: QName<'_>) -> Result<String, XmlError> {
    let (local, prefix) = name.decompose();
    let prefix = prefix.map_or("x", Prefix::into_inner);
    if [prefix, local.into_inner()].into_iter().all(is_name) {
        return Ok(local.into_inner().to_owned());
    }
    // The answer and the log say the beginning of it.
    let start = name.into_inner().chars().take(40).collect();
    Err(XmlError::Name(start))
}

/// Whether this is a name without colon. Source: XML 1.0, productions 4 and 5.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(is_name_start) && characters.all(is_in_name)
}

const fn is_name_start(character: char) -> bool {
    matches!(character, 'A'..='Z' | '_' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}'
        | '\u{370}'..='\u{37d}' | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}'
        | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}'
        | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

const fn is_in_name(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{b7}'
            | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}

fn predefined(name: &str) -> Result<&'static str, XmlError> {
    quick_xml::escape::resolve_predefined_entity(name)
        .ok_or_else(|| XmlError::Entity(name.to_owned()))
}

fn is_utf8(encoding: &str) -> bool {
    ["utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| encoding.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_prefix_and_keep_their_namespace() {
        let root = Element::parse(
            br#"<?xml version="1.0" encoding="UTF-8"?><a:x xmlns:a="urn:a" xmlns="urn:d" a:uuid="{1}"><y>1 &lt; 2<![CDATA[ & 3]]>&#x41;</y><z xmlns=""/></a:x>"#,
        )
        .unwrap();
        assert_eq!(
            (root.name.as_str(), root.namespace.as_str()),
            ("x", "urn:a")
        );
        assert_eq!(root.attribute("uuid"), Some("{1}"));
        assert_eq!(root.attributes.len(), 1);
        let child = root.child("y").unwrap();
        assert_eq!(child.namespace, "urn:d");
        assert_eq!(child.value(), "1 < 2 & 3A");
        assert_eq!(root.child("z").unwrap().namespace, "");
    }

    #[test]
    fn base64_of_a_client_that_fears_other_letters_is_read() {
        let root = Element::parse(
            br#"<a xmlns:i="urn:i"><b i:type="xsd:base64Binary">SsO8cmdlbg==</b><c i:nil="true"/><d> x </d></a>"#,
        )
        .unwrap();
        assert_eq!(root.child("b").unwrap().value(), "Jürgen");
        let typed = |text: &str| {
            let text = format!("<a type='xsd:base64Binary'>{text}</a>");
            Element::parse(text.as_bytes()).unwrap().value()
        };
        assert_eq!(typed("S/ZsbiA="), "Köln ");
        assert_eq!(typed("AAAA"), "AAAA");
        assert_eq!(typed("no base64"), "no base64");
        assert!(root.child("c").unwrap().is_empty());
        assert_eq!(root.child("d").unwrap().value(), "x");
    }

    #[test]
    fn what_no_request_needs_is_refused_with_its_reason() {
        let deep = "<a>".repeat(DEPTH_MAX + 1);
        let many = format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX));
        let attributes: Vec<String> = (0..=ATTRIBUTES_MAX).map(|n| format!(" n{n}=''")).collect();
        let cases: [(&[u8], &str); 19] = [
            (b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "DOCTYPE"),
            (b"<a>&nbsp;</a>", "&nbsp;"),
            (b"<a><?php x?></a>", "processing"),
            (b"<a>\x01</a>", "control"),
            (b"<a>&#0;</a>", "&#0;"),
            (b"<a>&#1;</a>", "control"),
            (b"<a>\xff</a>", "UTF-8"),
            (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "UTF-16"),
            (b"<a/><b/>", "before or after"),
            (b"<a/>x", "before or after"),
            (b"<a><b></a>", "well-formed"),
            (b"<a>", "has no end"),
            (b"  ", "empty"),
            (b"<a x='1' x='2'/>", "attribute"),
            (b"<a><1b>x</1b></a>", "\"1b\" is no name"),
            (b"<a><x:y:z/></a>", "is no name"),
            (b"<a><b&c/></a>", "is no name"),
            (b"<a 1='x'/>", "is no name"),
            (b"<:a/>", "is no name"),
        ];
        for (document, expected) in cases {
            let error = Element::parse(document).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = Element::parse(deep.as_bytes()).unwrap_err();
        assert_eq!(error, XmlError::TooDeep);
        let error = Element::parse(many.as_bytes()).unwrap_err();
        assert_eq!(error, XmlError::TooManyElements);
        let long = format!("<a xmlns='{}'/>", "u".repeat(NAMESPACE_BYTES_MAX + 1));
        let error = Element::parse(long.as_bytes()).unwrap_err();
        assert_eq!(error, XmlError::NamespaceTooLong);
        let flood = format!("<a{}/>", attributes.concat());
        let error = Element::parse(flood.as_bytes()).unwrap_err();
        assert_eq!(error, XmlError::TooManyAttributes("a".to_owned()));
    }
}
