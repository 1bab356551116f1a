//! Elements as the requests have them, and as a reader of its own finds them in answers.

use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;

/// An element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    /// Its name in answers.
    pub(crate) answer_name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) text: String,
    pub(crate) children: Vec<Tree>,
    /// Whether answers give its value back.
    pub(crate) is_answered: bool,
}

impl Tree {
    /// An element that answers give back under its own name.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            answer_name: name.to_owned(),
            is_answered: true,
            ..Self::default()
        }
    }

    /// Reads a document; the outermost element has no name.
    pub(crate) fn read(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => open.push(started(&start)),
                Event::Empty(start) => {
                    let tree = started(&start);
                    open.last_mut().unwrap().children.push(tree);
                }
                Event::End(_) => {
                    let tree = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(tree);
                }
                Event::Text(text) => {
                    open.last_mut().unwrap().text += &text.xml10_content();
                }
                Event::GeneralRef(reference) => {
                    let name = reference.xml10_content().into_owned();
                    let text = quick_xml::escape::unescape(&format!("&{name};"))
                        .unwrap()
                        .into_owned();
                    open.last_mut().unwrap().text += &text;
                }
                Event::Eof => break,
                _ => {}
            }
        }
        open.pop().unwrap()
    }

    /// The first element of this name, wherever it stands.
    pub(crate) fn find(&self, name: &str) -> Option<Self> {
        if self.name == name {
            return Some(self.clone());
        }
        self.children.iter().find_map(|child| child.find(name))
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        let found = attributes.find(|(known, _)| known == name)?;
        Some(&found.1)
    }

    /// The child of this name in answers.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.answer_name == name)
    }

    /// As a request has it.
    pub(crate) fn written(&self) -> String {
        format!("<{0}>{1}</{0}>", self.name, self.written_inside())
    }

    pub(crate) fn written_inside(&self) -> String {
        if self.children.is_empty() {
            return escape(self.text.as_str()).into_owned();
        }
        self.children.iter().map(Self::written).collect()
    }

    /// What this one says and `got` does not have; entries may have changed places.
    pub(crate) fn missing_in(&self, got: &Self) -> Option<String> {
        let says_nothing = self.children.is_empty() && self.text.is_empty();
        if !self.is_answered || says_nothing {
            return None;
        }
        if self.children.is_empty() {
            let is_same = self.text.trim() == got.text.trim() && got.children.is_empty();
            return (!is_same).then(|| {
                format!(
                    "{} was {:?} and is {:?}",
                    self.answer_name, self.text, got.text
                )
            });
        }
        let mut left: Vec<&Self> = got.children.iter().collect();
        for child in self.children.iter().filter(|child| child.is_answered) {
            let candidates = || {
                let left = left.iter().enumerate();
                left.filter(|(_, got)| got.name == child.answer_name)
            };
            let found = candidates().find(|(_, got)| child.missing_in(got).is_none());
            if let Some((position, _)) = found {
                left.remove(position);
            } else {
                let why = candidates().find_map(|(_, got)| child.missing_in(got));
                let why = why.unwrap_or_else(|| format!("{} is not there", child.answer_name));
                return Some(format!("{}/{why}", self.answer_name));
            }
        }
        None
    }
}

fn started(start: &quick_xml::events::BytesStart<'_>) -> Tree {
    let name = start.local_name().as_ref().to_owned();
    let attributes = start.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let name = attribute.key.local_name().as_ref().to_owned();
        let value = attribute.value.into_owned();
        (name, value)
    });
    Tree {
        attributes: attributes.collect(),
        ..Tree::new(&name)
    }
}
