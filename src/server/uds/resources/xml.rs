//! Writing answers: what cannot stand in XML is escaped or replaced, whatever it came from.

/// What goes before every document.
const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";

/// Names and values of attributes.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

/// A document while it is written.
#[derive(Debug)]
pub(super) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    /// A document with this root, which is open.
    pub(super) fn with_root(name: &'static str, attributes: Attributes<'_>) -> Self {
        let mut xml = Self {
            text: String::from(DECLARATION),
            open: Vec::new(),
        };
        xml.open(name, attributes);
        xml
    }

    /// Opens an element.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.start(name, attributes);
        self.text.push('>');
        self.open.push(name);
    }

    /// Closes the element opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.end(name);
        }
    }

    /// An element with a text; an empty one when there is none.
    pub(super) fn text(&mut self, name: &'static str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// An element with attributes and a text.
    pub(super) fn text_with(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.start(name, attributes);
        if text.is_empty() {
            self.text.push_str("/>");
            return;
        }
        self.text.push('>');
        self.escaped(text);
        self.end(name);
    }

    /// The document, with whatever is open closed.
    pub(super) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn start(&mut self, name: &str, attributes: Attributes<'_>) {
        self.text.push('<');
        self.text.push_str(name);
        for (name, value) in attributes {
            self.text.push(' ');
            self.text.push_str(name);
            self.text.push_str("=\"");
            self.escaped(value);
            self.text.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push('>');
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&apos;"),
                // As they are they would become blanks in an attribute.
                '\t' => self.text.push_str("&#9;"),
                '\n' => self.text.push_str("&#10;"),
                '\r' => self.text.push_str("&#13;"),
                // Source: XML 1.0, production 2 (Char).
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.text.push('\u{fffd}'),
                other => self.text.push(other),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::server::request_xml::Element;

    #[test]
    fn elements_nest_and_end() {
        let mut xml = Xml::with_root("a", &[("b", "1 \"2\" & <3>")]);
        xml.open("c", &[]);
        xml.text("d", "e < f");
        xml.text_with("g", &[("h", "i")], "");
        xml.close();
        xml.open("j", &[]);
        let expected = format!(
            "{DECLARATION}<a b=\"1 &quot;2&quot; &amp; &lt;3&gt;\"><c><d>e &lt; f</d>\
             <g h=\"i\"/></c><j></j></a>"
        );
        assert_eq!(xml.finish(), expected);
    }

    proptest! {
        #[test]
        fn any_text_comes_back_as_it_was(text in "[^\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f\u{fffe}\u{ffff}]{0,40}") {
            let mut xml = Xml::with_root("a", &[("b", &text)]);
            xml.text("c", &text);
            let read = Element::parse(xml.finish().as_bytes()).unwrap();
            prop_assert_eq!(read.attribute("b"), Some(text.as_str()));
            prop_assert_eq!(&read.child("c").unwrap().text, &text);
        }

        #[test]
        fn whatever_it_is_given_can_be_read(text in any::<String>()) {
            let mut xml = Xml::with_root("a", &[("b", &text)]);
            xml.text("c", &text);
            prop_assert!(Element::parse(xml.finish().as_bytes()).is_ok());
        }
    }
}
