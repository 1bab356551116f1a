//! An XML document written from the outside in, indented for people. Pure.

use quick_xml::escape::escape;

/// A document under way: elements that were opened must be closed.
pub(super) struct Document {
    text: String,
    open: Vec<&'static str>,
}

/// Names and values of attributes.
pub(super) type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Document {
    /// An empty document.
    pub(super) fn new() -> Self {
        Self {
            text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(),
            open: Vec::new(),
        }
    }

    /// An element whose content follows.
    pub(super) fn open(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes, ">\n");
        self.open.push(name);
    }

    /// An element without content.
    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.tag(name, attributes, "/>\n");
    }

    /// Ends the element that was opened last.
    pub(super) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.indent();
            self.text.extend(["</", name, ">\n"]);
        }
    }

    /// Ends the elements that were opened last, as many as this.
    pub(super) fn close_times(&mut self, times: usize) {
        for _ in 0..times {
            self.close();
        }
    }

    /// The document, with every element ended.
    pub(super) fn finish(mut self) -> String {
        self.close_times(self.open.len());
        self.text
    }

    fn tag(&mut self, name: &str, attributes: Attributes<'_>, end: &str) {
        self.indent();
        self.text.extend(["<", name]);
        for (name, value) in attributes {
            self.text.extend([" ", name, "=\"", &escape(*value), "\""]);
        }
        self.text.push_str(end);
    }

    fn indent(&mut self) {
        self.text.extend(self.open.iter().map(|_| " "));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_stand_in_each_other_and_every_character_is_safe() {
        let mut document = Document::new();
        document.open("a", &[("b", "\"<&")]);
        document.empty("c", &[]);
        assert_eq!(
            document.finish(),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b=\"&quot;&lt;&amp;\">\n <c/>\n\
             </a>\n"
        );
    }
}
