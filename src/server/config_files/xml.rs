//! A small XML writer: elements in the order given, everything escaped, two spaces a level.

use bytes::Bytes;
use quick_xml::escape::escape;

/// The spaces before an element of the deepest level that a document of ours has.
const INDENT: [u8; 16] = [b' '; 16];

/// An element's name as it begins and ends: put together when the program is built, because a file
/// has some hundred of them. [`tag!`] makes one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag {
    pub(super) start: &'static str,
    pub(super) end: &'static str,
}

/// The [`Tag`] of a name.
macro_rules! tag {
    ($name:literal) => {
        $crate::server::config_files::xml::Tag {
            start: concat!("<", $name, ">"),
            end: concat!("</", $name, ">\n"),
        }
    };
}
pub(super) use tag;

/// Elements that are the same in every file, written once by the writer itself.
pub(super) struct Fixed {
    bytes: Vec<u8>,
    depth: usize,
}

impl Fixed {
    /// What `write` writes at this depth.
    pub(super) fn at(depth: usize, write: impl FnOnce(&mut Xml)) -> Self {
        let mut xml = Xml {
            out: Vec::new(),
            depth,
        };
        write(&mut xml);
        Self {
            bytes: xml.out,
            depth,
        }
    }
}

/// Writes one document.
pub(super) struct Xml {
    out: Vec<u8>,
    depth: usize,
}

impl Xml {
    /// A document with its declaration. `capacity` is a guess of its length in bytes.
    pub(super) fn document(capacity: usize) -> Self {
        let mut xml = Self {
            out: Vec::with_capacity(capacity),
            depth: 0,
        };
        xml.push("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        xml
    }

    /// The finished document, in UTF-8.
    pub(super) fn finish(self) -> Bytes {
        self.out.into()
    }

    /// Elements that are the same in every file.
    pub(super) fn fixed(&mut self, fixed: &Fixed) {
        debug_assert_eq!(self.depth, fixed.depth, "{}", fixed.bytes.escape_ascii());
        self.out.extend_from_slice(&fixed.bytes);
    }

    /// An element whose content `inside` writes.
    pub(super) fn nest(&mut self, tag: Tag, inside: impl FnOnce(&mut Self)) {
        self.lead();
        self.push(tag.start);
        self.content(tag, inside);
    }

    /// An element with attributes whose content `inside` writes.
    pub(super) fn nest_with(
        &mut self,
        tag: Tag,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.lead();
        self.push(tag.start.trim_end_matches('>'));
        self.attributes(attributes);
        self.push(">");
        self.content(tag, inside);
    }

    fn content(&mut self, tag: Tag, inside: impl FnOnce(&mut Self)) {
        self.push("\n");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.lead();
        self.push(tag.end);
    }

    /// An element with text.
    pub(super) fn text(&mut self, tag: Tag, text: &str) {
        self.lead();
        self.push(tag.start);
        self.escaped(text);
        self.push(tag.end);
    }

    /// An element with attributes and text, and a name that is put together.
    pub(super) fn named_text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.lead();
        self.push("<");
        self.push(name);
        self.attributes(attributes);
        self.push(">");
        self.escaped(text);
        self.push("</");
        self.push(name);
        self.push(">\n");
    }

    /// An element with a number.
    pub(super) fn number(&mut self, tag: Tag, number: impl Into<u64>) {
        self.lead();
        self.push(tag.start);
        self.digits(number.into());
        self.push(tag.end);
    }

    /// An element with `true` or `false`.
    pub(super) fn flag(&mut self, tag: Tag, flag: bool) {
        self.text(tag, if flag { "true" } else { "false" });
    }

    /// An element without content.
    pub(super) fn empty(&mut self, tag: Tag, attributes: &[(&str, &str)]) {
        self.lead();
        self.push(tag.start.trim_end_matches('>'));
        self.attributes(attributes);
        self.push("/>\n");
    }

    fn attributes(&mut self, attributes: &[(&str, &str)]) {
        for (attribute, value) in attributes {
            self.push(" ");
            self.push(attribute);
            self.push("=\"");
            self.escaped(value);
            self.push("\"");
        }
    }

    /// A number, without the machinery of formatting: a file has some thirty of them.
    fn digits(&mut self, number: u64) {
        if number >= 10 {
            self.digits(number / 10);
        }
        let digit = u8::try_from(number % 10).unwrap_or(0);
        self.out.push(b'0' + digit);
    }

    /// The indent of this depth: a copy of known length, of which the rest is taken back.
    fn lead(&mut self) {
        let end = self.out.len() + 2 * self.depth;
        self.out.extend_from_slice(&INDENT);
        self.out.truncate(end);
    }

    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Text with markup escaped; what XML 1.0 cannot hold at all is dropped.
    fn escaped(&mut self, text: &str) {
        if is_plain(text) {
            return self.push(text);
        }
        let allowed = |c: char| {
            matches!(c, '\t' | '\n' | '\r')
                || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        };
        if text.chars().all(allowed) {
            self.push(&escape(text));
        } else {
            let clean: String = text.chars().filter(|c| allowed(*c)).collect();
            self.push(&escape(&clean));
        }
    }
}

/// Whether every character is printable ASCII without markup, as in nearly every text. Every byte is
/// looked at: without an early exit the compiler looks at many at once.
fn is_plain(text: &str) -> bool {
    let is_plain =
        |byte: u8| matches!(byte, b' '..=b'~') & !matches!(byte, b'<' | b'>' | b'&' | b'"' | b'\'');
    text.bytes().fold(true, |all, byte| all & is_plain(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_escaped_and_forbidden_characters_are_dropped() {
        let mut xml = Xml::document(64);
        xml.nest_with(tag!("a"), &[("b", "\"<&>'")], |xml| {
            xml.text(tag!("c"), "1 < 2 & \u{0}\u{8}\"3\"");
            xml.number(tag!("d"), 0_u8);
            xml.number(tag!("d"), u64::MAX);
        });
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&quot;&lt;&amp;&gt;&apos;\">\n  \
             <c>1 &lt; 2 &amp; &quot;3&quot;</c>\n  <d>0</d>\n  \
             <d>18446744073709551615</d>\n</a>\n"
        );
    }
}
