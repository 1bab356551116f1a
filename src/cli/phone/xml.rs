//! XML as a phone reads it: a tree of elements, bounded, without entities of its own.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Largest document in bytes that a phone takes. Source: Cisco's list of display errors.
pub const DOCUMENT_BYTES_MAX: usize = 196_608;

/// Deepest nesting that is followed; a phone's file has eight levels.
const DEPTH_MAX: usize = 32;

/// Most elements of one document; the largest phone file has some hundreds.
const ELEMENTS_MAX: usize = 20_000;

/// One element: its name, attributes, own text and children, in document order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Element {
    /// The name as written; Cisco's are case-sensitive.
    pub name: String,
    /// Attributes with their values unescaped.
    pub attributes: Vec<(String, String)>,
    /// The text directly inside, unescaped.
    pub text: String,
    /// The elements directly inside.
    pub children: Vec<Element>,
}

/// The document is not one a phone would read; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not readable XML: {0}")]
pub struct XmlError(pub String);

impl Element {
    /// Reads a document and gives its root element.
    ///
    /// # Errors
    ///
    /// The document is not UTF-8, not well-formed, too large, too deep, has a document type
    /// definition or uses an entity that XML does not define.
    pub fn parse(document: &[u8]) -> Result<Self, XmlError> {
        if document.len() > DOCUMENT_BYTES_MAX {
            return Err(XmlError(format!("more than {DOCUMENT_BYTES_MAX} bytes")));
        }
        let text = std::str::from_utf8(document).map_err(|error| XmlError(error.to_string()))?;
        let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
        let mut tree = Tree::default();
        loop {
            match reader
                .read_event()
                .map_err(|error| XmlError(error.to_string()))?
            {
                Event::Start(tag) => tree.open(&tag)?,
                Event::Empty(tag) => {
                    tree.open(&tag)?;
                    tree.close()?;
                }
                Event::End(_) => tree.close()?,
                Event::Text(text) => tree.text(&text),
                Event::CData(text) => tree.text(&text),
                Event::GeneralRef(reference) => {
                    let character = reference
                        .resolve_char_ref()
                        .map_err(|error| XmlError(error.to_string()))?;
                    match character {
                        Some(character) => tree.text(character.encode_utf8(&mut [0; 4])),
                        None => tree.text(predefined(&reference)?),
                    }
                }
                Event::DocType(_) => return Err(XmlError("a document type definition".into())),
                Event::Eof => return tree.finish(),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// The first child with this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// All children with this name.
    pub fn children<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The element at the end of a path of child names.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// The trimmed text of the first child with this name, unless it is empty.
    pub fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name)
            .map(|child| child.text.trim())
            .filter(|text| !text.is_empty())
    }

    /// An attribute's value.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn predefined(name: &str) -> Result<&'static str, XmlError> {
    quick_xml::escape::resolve_predefined_entity(name)
        .ok_or_else(|| XmlError(format!("unknown entity &{name};")))
}

/// The document while it is being read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.elements += 1;
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(XmlError("too many elements".into()));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(XmlError("more than one root element".into()));
        }
        let mut element = Element {
            name: tag.name().as_ref().to_owned(),
            ..Element::default()
        };
        for attribute in tag.attributes() {
            let attribute = attribute.map_err(|error| XmlError(error.to_string()))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|error| XmlError(error.to_string()))?;
            element
                .attributes
                .push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self
            .open
            .pop()
            .ok_or_else(|| XmlError("an end without a start".into()))?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn finish(self) -> Result<Element, XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError("it ends in the middle".into()));
        }
        self.root.ok_or_else(|| XmlError("it is empty".into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree_with_text_unescaped() {
        let root = Element::parse(
            b"<?xml version=\"1.0\"?><a x=\"1 &amp; 2\"><b>&lt;&lt; &#x41;</b><b/><c> y </c></a>",
        )
        .unwrap();
        assert_eq!(root.attribute("x"), Some("1 & 2"));
        assert_eq!(root.child("b").unwrap().text, "<< A");
        assert_eq!(root.children("b").count(), 2);
        assert_eq!(root.text_of("c"), Some("y"));
        assert_eq!(root.at(&["c"]).unwrap().name, "c");
    }

    #[test]
    fn what_a_phone_would_not_read_is_refused() {
        let deep = "<a>".repeat(40);
        for bad in [
            "",
            "text",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a>&unknown;</a>",
            "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            deep.as_str(),
        ] {
            assert!(Element::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Element::parse(b"<a>\xff</a>").is_err());
        assert!(Element::parse(&vec![b' '; DOCUMENT_BYTES_MAX + 1]).is_err());
    }
}
