//! A small XML writer: elements in the order given, everything escaped, two spaces a level.

use quick_xml::escape::escape;

/// Two spaces for every level that a document of ours can have, and what begins an element.
const LEAD: &str = "                                <";

/// Elements that are the same in every file, written once by the writer itself.
pub(super) struct Fixed {
    text: String,
    depth: usize,
}

impl Fixed {
    /// What `write` writes at this depth.
    pub(super) fn at(depth: usize, write: impl FnOnce(&mut Xml)) -> Self {
        let mut xml = Xml {
            out: String::new(),
            depth,
        };
        write(&mut xml);
        Self {
            text: xml.out,
            depth,
        }
    }
}

/// Writes one document.
pub(super) struct Xml {
    out: String,
    depth: usize,
}

impl Xml {
    /// A document with its declaration. `capacity` is a guess of its length in bytes.
    pub(super) fn document(capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        Self { out, depth: 0 }
    }

    /// The finished document.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Elements that are the same in every file.
    pub(super) fn fixed(&mut self, fixed: &Fixed) {
        debug_assert_eq!(self.depth, fixed.depth, "{}", fixed.text);
        self.out.push_str(&fixed.text);
    }

    /// An element whose content `inside` writes.
    pub(super) fn nest(&mut self, name: &str, inside: impl FnOnce(&mut Self)) {
        self.nest_with(name, &[], inside);
    }

    /// An element with attributes whose content `inside` writes.
    pub(super) fn nest_with(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        inside: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        self.out.push_str(">\n");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.lead();
        self.out.push('/');
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    /// An element with text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.text_with(name, &[], text);
    }

    /// An element with attributes and text.
    pub(super) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.out.push('>');
        self.escaped(text);
        self.end(name);
    }

    /// An element with a number.
    pub(super) fn number(&mut self, name: &str, number: impl Into<u64>) {
        self.start(name, &[]);
        self.out.push('>');
        self.digits(number.into());
        self.end(name);
    }

    /// An element with `true` or `false`.
    pub(super) fn flag(&mut self, name: &str, flag: bool) {
        self.start(name, &[]);
        self.out.push_str(if flag { ">true" } else { ">false" });
        self.end(name);
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.out.push_str("/>\n");
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.lead();
        self.out.push_str(name);
        for (attribute, value) in attributes {
            self.out.push(' ');
            self.out.push_str(attribute);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
    }

    /// A number, without the machinery of formatting: a file has some thirty of them.
    fn digits(&mut self, number: u64) {
        if number >= 10 {
            self.digits(number / 10);
        }
        let digit = u8::try_from(number % 10).unwrap_or(0);
        self.out.push(char::from(b'0' + digit));
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    /// The indent of this depth, and `<`.
    fn lead(&mut self) {
        let begin = LEAD.len().saturating_sub(1 + self.depth * 2);
        self.out.push_str(LEAD.get(begin..).unwrap_or(LEAD));
    }

    /// Text with markup escaped; what XML 1.0 cannot hold at all is dropped.
    fn escaped(&mut self, text: &str) {
        if is_plain(text) {
            return self.out.push_str(text);
        }
        let allowed = |c: char| {
            matches!(c, '\t' | '\n' | '\r')
                || (!c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}'))
        };
        if text.chars().all(allowed) {
            self.out.push_str(&escape(text));
        } else {
            let clean: String = text.chars().filter(|c| allowed(*c)).collect();
            self.out.push_str(&escape(&clean));
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
        xml.nest_with("a", &[("b", "\"<&>'")], |xml| {
            xml.text("c", "1 < 2 & \u{0}\u{8}\"3\"");
            xml.number("d", 0_u8);
            xml.number("d", u64::MAX);
        });
        assert_eq!(
            xml.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&quot;&lt;&amp;&gt;&apos;\">\n  \
             <c>1 &lt; 2 &amp; &quot;3&quot;</c>\n  <d>0</d>\n  \
             <d>18446744073709551615</d>\n</a>\n"
        );
    }
}
