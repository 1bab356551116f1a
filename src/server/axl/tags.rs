//! `returnedTags`: which elements an answer has. Pure.
//!
//! A tag selects by standing there; its text says nothing (`?`, `true`), and below it stand the
//! tags of what is wanted of it, if not all.

use crate::domain::schema::{self, Content, ObjectType, Places, SchemaVersion, dialect};

use super::fault::Fault;
use super::xml::Element;

/// Which elements an answer has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tags {
    /// All that the version has.
    All,
    /// These, by their names in the table, and of each what is wanted of it.
    Only(Vec<(&'static str, Tags)>),
}

type Table = &'static [schema::Element];

impl Tags {
    /// Reads the tags of one kind of answer. Gives as well the paths of those that the dialect
    /// before 8.0 does not have.
    ///
    /// # Errors
    ///
    /// A [`Fault`] that names the first tag that such an answer does not have.
    pub fn read(
        tags: &Element,
        object: &'static ObjectType,
        version: SchemaVersion,
        place: Places,
    ) -> Result<(Self, Vec<String>), Fault> {
        let mut reader = Reader {
            object,
            version,
            place,
            ignored: Vec::new(),
        };
        let text = tags.text.trim();
        if !WITHOUT_MEANING
            .iter()
            .any(|known| known.eq_ignore_ascii_case(text))
        {
            reader.refuse_or_ignore(&tags.name, || {
                format!(
                    "{} holds elements, not text: send an empty element for each that is wanted, \
                     for example <description/>",
                    tags.name
                )
            })?;
        }
        let wanted = reader.below(tags, object.elements, &tags.name)?;
        Ok((Self::Only(wanted), reader.ignored))
    }

    /// What is wanted of the element of this name in the table; `None`: nothing.
    pub fn of(&self, name: &str) -> Option<&Self> {
        match self {
            Self::All => Some(self),
            Self::Only(wanted) => wanted
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, below)| below),
        }
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Only(wanted) if wanted.is_empty())
    }

    /// What either wants.
    fn and(self, other: Self) -> Self {
        let (Self::Only(mut wanted), Self::Only(more)) = (self, other) else {
            return Self::All;
        };
        for (name, below) in more {
            add(&mut wanted, name, below);
        }
        Self::Only(wanted)
    }
}

/// What clients write into tags where they need not write anything. Source: suds and `SoapUI`.
const WITHOUT_MEANING: [&str; 3] = ["", "?", "true"];

/// Tags that the schema of a later release of a version has, while answers of its first release
/// have no such element: they are taken, and answers stay those that every client of the version
/// can read. By version, kind and name.
///
/// Source: the schemas of these versions in two client packages, compared.
pub const OF_LATER_RELEASES: [(SchemaVersion, &str, &str); 9] = [
    (SchemaVersion::V9_1, "phone", "userlocale"),
    (SchemaVersion::V11_5, "user", "associatedHeadsets"),
    (
        SchemaVersion::V11_5,
        "userProfileProvision",
        "allowPhoneReassign",
    ),
    (
        SchemaVersion::V12_0,
        "universalDeviceTemplate",
        "blfDirectedCallParks",
    ),
    (
        SchemaVersion::V12_0,
        "universalDeviceTemplate",
        "busyLampFields",
    ),
    (SchemaVersion::V12_0, "universalDeviceTemplate", "lines"),
    (SchemaVersion::V12_5, "user", "associatedHeadsets"),
    (SchemaVersion::V12_5, "user", "customerName"),
    (
        SchemaVersion::V12_5,
        "userProfileProvision",
        "allowPhoneReassign",
    ),
];

fn add(wanted: &mut Vec<(&'static str, Tags)>, name: &'static str, below: Tags) {
    match wanted.iter_mut().find(|(known, _)| *known == name) {
        Some((_, held)) => *held = std::mem::replace(held, Tags::All).and(below),
        None => wanted.push((name, below)),
    }
}

struct Reader {
    object: &'static ObjectType,
    version: SchemaVersion,
    place: Places,
    ignored: Vec<String>,
}

impl Reader {
    fn below(
        &mut self,
        tags: &Element,
        table: Table,
        path: &str,
    ) -> Result<Vec<(&'static str, Tags)>, Fault> {
        let mut wanted = Vec::new();
        for tag in &tags.children {
            let path = format!("{path}/{}", tag.name);
            let Some(element) = self.known(&tag.name, table) else {
                let taken = (self.version, self.object.element, tag.name.as_str());
                if OF_LATER_RELEASES.contains(&taken) {
                    continue;
                }
                let reason = self.unknown(&tag.name, table, &path);
                self.refuse_or_ignore(&path, || reason)?;
                continue;
            };
            let below = match element.content {
                // It is answered whole.
                Content::Any => Tags::All,
                _ if tag.children.is_empty() => Tags::All,
                _ => Tags::Only(self.below(tag, element.children(), &path)?),
            };
            add(&mut wanted, element.name, below);
        }
        Ok(wanted)
    }

    fn known(&self, name: &str, table: Table) -> Option<&'static schema::Element> {
        let is_old = self.version.is_old_dialect();
        schema::elements_in(table, self.version, self.place).find(|element| {
            let old = || dialect::element_name(self.object, element.name);
            element.name == name
                || is_old
                    && (old().eq_ignore_ascii_case(name) || element.name.eq_ignore_ascii_case(name))
        })
    }

    fn refuse_or_ignore(
        &mut self,
        path: &str,
        reason: impl FnOnce() -> String,
    ) -> Result<(), Fault> {
        if self.version.is_old_dialect() {
            self.ignored.push(path.to_owned());
            return Ok(());
        }
        Err(Fault::not_valid(reason()))
    }

    /// The sentence says where the element does exist, if anywhere.
    fn unknown(&self, name: &str, table: Table, path: &str) -> String {
        let version = self.version;
        let known = || table.iter().filter(|element| element.name == name);
        let hint = if known().any(|element| element.is_in(version)) {
            "answers of this operation do not have it; ask for it with another".to_owned()
        } else if let Some(element) = known().find(|element| version < element.since) {
            format!("it exists since AXL {}", element.since)
        } else if let Some(before) = known().find_map(|element| element.before) {
            format!("it ended with AXL {before}")
        } else {
            "check its spelling, or leave it out".to_owned()
        };
        format!("AXL {version} has no tag {path} here: {hint}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(version: SchemaVersion, tags: &str) -> Result<(Tags, Vec<String>), Fault> {
        let tags = Element::parse(tags.as_bytes()).unwrap();
        let phone = ObjectType::by_noun("Phone").unwrap();
        Tags::read(&tags, phone, version, Places::GET)
    }

    #[test]
    fn what_two_tags_of_one_name_want_is_wanted() {
        let tags = "<returnedTags uuid='True'>?<name>x</name><lines><line><index/></line></lines>\
                    <lines><line><label>true</label></line></lines></returnedTags>";
        let (tags, ignored) = read(SchemaVersion::V12_5, tags).unwrap();
        assert_eq!(ignored, Vec::<String>::new());
        let line = tags.of("lines").and_then(|lines| lines.of("line")).unwrap();
        assert!(line.of("index").is_some() && line.of("label").is_some());
        assert!(line.of("display").is_none() && tags.of("description").is_none());
        assert_eq!(tags.of("name"), Some(&Tags::All));
        let (tags, _) = read(
            SchemaVersion::V12_5,
            "<t><lines/><lines><line/></lines></t>",
        )
        .unwrap();
        assert_eq!(tags.of("lines"), Some(&Tags::All));
    }

    #[test]
    fn a_tag_that_answers_do_not_have_is_refused_or_reported() {
        for (version, tags, hint) in [
            (
                SchemaVersion::V12_5,
                "<t><nmae/></t>",
                "t/nmae here: check its spelling",
            ),
            (SchemaVersion::V8_5, "<t><msisdn/></t>", "since AXL 10.0"),
            (SchemaVersion::V12_5, "<t><name><a/></name></t>", "t/name/a"),
            (SchemaVersion::V12_5, "<t><newName/></t>", "t/newName"),
            (SchemaVersion::V12_5, "<t>name</t>", "t holds elements"),
        ] {
            let fault = read(version, tags).unwrap_err();
            assert!(fault.message.contains(hint), "{}", fault.message);
        }
        let (tags, ignored) = read(SchemaVersion::V7_1, "<t>x<nmae/><idleURL/></t>").unwrap();
        assert_eq!(ignored, ["t", "t/nmae"]);
        assert_eq!(tags.of("idleUrl"), Some(&Tags::All));
    }
}
