//! The elements of every request and answer of one version, written as `AXLSoap.xsd`. Pure.
//!
//! For an object `Phone`: `XPhone` is what an add request holds, `RPhone` what a get answer and
//! its `returnedTags` hold, `LPhone` those of a list.

use crate::domain::schema::coverage::{OtherAnswer, OtherOperation};
use crate::domain::schema::{
    self, Content, Element, Key, MANY, ObjectType, Operation, Places, SchemaVersion, Subject,
    dialect,
};
use crate::server::axl::soap_action;

mod choices;
mod parts;

use super::document::Document;
use super::operations::{self, Served};
use super::simple_types::{SimpleTypes, ours};
use super::{PREFIX, XSD};
use parts::{INDEX, anything, attribute, optional, sequence_number, typed};

/// The two documents of the types of one version.
pub(super) struct Types {
    /// `AXLSoap.xsd`.
    pub(super) soap: String,
    /// `AXLEnums.xsd`.
    pub(super) enumerations: String,
}

/// Writes both.
pub(super) fn write(version: SchemaVersion) -> Types {
    let mut writer = Writer {
        document: Document::new(),
        simple: SimpleTypes::default(),
        version,
    };
    let namespace = soap_action::namespace(version);
    writer.document.open(
        "xsd:schema",
        &[
            ("targetNamespace", &namespace),
            (&format!("xmlns:{PREFIX}"), &namespace),
            ("xmlns:xsd", XSD),
            ("version", version.as_str()),
        ],
    );
    let enumerations = [("schemaLocation", super::ENUMERATIONS)];
    writer.document.empty("xsd:include", &enumerations);
    writer.common();
    for object in ObjectType::all() {
        writer.object(object);
    }
    for served in operations::of_version(version) {
        writer.operation(&served);
    }
    Types {
        soap: writer.document.finish(),
        enumerations: writer.simple.document(version),
    }
}

/// What is being written.
struct Writer {
    document: Document,
    simple: SimpleTypes,
    version: SchemaVersion,
}

/// The elements of one request or answer: of which object, and where.
#[derive(Clone, Copy)]
struct Within {
    object: Option<&'static ObjectType>,
    place: Places,
}

impl Writer {
    /// The types that every version has.
    fn common(&mut self) {
        let document = &mut self.document;
        document.open("xsd:complexType", &[("name", "XFkType")]);
        document.open("xsd:simpleContent", &[]);
        document.open("xsd:extension", &[("base", "xsd:string")]);
        attribute(document, "uuid");
        document.close_times(3);
        document.open("xsd:complexType", &[("name", "StandardResponse")]);
        document.open("xsd:sequence", &[]);
        typed(document, "return", "xsd:string");
        document.close();
        sequence_number(document);
        document.close();
        if Operation::Options.since() <= self.version {
            self.common_choices();
        }
    }

    /// The types of one kind of object, as far as this version has it and its operations.
    fn object(&mut self, object: &'static ObjectType) {
        let noun = operations::noun(object, self.version);
        for (operation, letter, place) in [
            (Operation::Add, "X", Places::ADD),
            (Operation::Get, "R", Places::GET),
            (Operation::List, "L", Places::LIST),
        ] {
            let since = object.has_since(operation);
            if since.is_none_or(|since| self.version < since) {
                continue;
            }
            let name = [("name", &*format!("{letter}{noun}"))];
            self.document.open("xsd:complexType", &name);
            let within = Within {
                object: Some(object),
                place,
            };
            self.sequence(object.elements, within, &[]);
            if place != Places::ADD {
                for name in object.attributes {
                    attribute(&mut self.document, name);
                }
                attribute(&mut self.document, "uuid");
            }
            self.document.close();
        }
        let has_choices = object.has_since(Operation::Options);
        if has_choices.is_some_and(|since| since <= self.version) {
            self.choices(object);
        }
    }

    /// Request and answer of one operation.
    fn operation(&mut self, served: &Served) {
        let request = format!("{}Req", served.type_name());
        self.document.open("xsd:complexType", &[("name", &request)]);
        match served.subject {
            Subject::Object(operation, object) => self.request(operation, object),
            Subject::Other(other) => self.sequence(other.arguments, OTHER_REQUEST, &[]),
        }
        sequence_number(&mut self.document);
        self.document.close();
        let answer = match served.subject {
            Subject::Object(
                operation @ (Operation::Get | Operation::List | Operation::Options),
                object,
            ) => Some(Answer::Objects(operation, object)),
            Subject::Other(other) => other_answer(other),
            Subject::Object(..) => None,
        };
        let answer_type = answer.map_or_else(
            || "StandardResponse".to_owned(),
            |answer| {
                let name = format!("{}Res", served.type_name());
                self.answer(&name, answer);
                name
            },
        );
        for (name, kind) in [(&served.name, &request), (&served.response(), &answer_type)] {
            let attributes = [("name", name.as_str()), ("type", &ours(kind))];
            self.document.empty("xsd:element", &attributes);
        }
    }

    fn request(&mut self, operation: Operation, object: &'static ObjectType) {
        let noun = operations::noun(object, self.version);
        let is_old = self.version.is_old_dialect();
        match operation {
            Operation::Add => {
                let element = if is_old {
                    dialect::wrapper(object.kind)
                } else {
                    object.element.to_owned()
                };
                self.document.open("xsd:sequence", &[]);
                typed(&mut self.document, &element, &ours(&format!("X{noun}")));
                self.document.close();
            }
            Operation::Update => {
                let within = Within {
                    object: Some(object),
                    place: Places::UPDATE,
                };
                self.sequence(object.elements, within, keys(object, false));
            }
            Operation::Options => self.choices_request(noun),
            Operation::List => {
                self.document.open("xsd:sequence", &[]);
                self.search(object);
                let tags = ours(&format!("L{noun}"));
                typed(&mut self.document, "returnedTags", &tags);
                for name in ["skip", "first"] {
                    optional(&mut self.document, name, "xsd:unsignedLong");
                }
                self.document.close();
            }
            _ => {
                self.document.open("xsd:sequence", &[]);
                self.key(object, is_old);
                if operation == Operation::Get && !is_old {
                    let tags = ours(&format!("R{noun}"));
                    optional(&mut self.document, "returnedTags", &tags);
                }
                self.document.close();
            }
        }
    }

    fn search(&mut self, object: &'static ObjectType) {
        self.document
            .open("xsd:element", &[("name", "searchCriteria")]);
        self.document.open("xsd:complexType", &[]);
        self.document.open("xsd:sequence", &[]);
        for criterion in object.search {
            let name = criterion.name;
            let is_known = |element: &Element| element.name == name && element.is_in(self.version);
            if criterion.since <= self.version && object.elements.iter().any(is_known) {
                optional(&mut self.document, name, "xsd:string");
            }
        }
        self.document.close_times(3);
    }

    /// Which object is meant: by its key or its identity.
    fn key(&mut self, object: &'static ObjectType, is_old: bool) {
        let keys = keys(object, is_old);
        if keys.is_empty() {
            return;
        }
        let identity = if is_old {
            dialect::keys(object.kind).1
        } else {
            "uuid"
        };
        self.document.open("xsd:choice", &[]);
        if let [name] = keys {
            typed(&mut self.document, name, "xsd:string");
        } else {
            self.document.open("xsd:sequence", &[]);
            for name in keys {
                if *name == PARTITION {
                    let attributes = [
                        ("name", *name),
                        ("type", &*ours("XFkType")),
                        ("minOccurs", "0"),
                        ("nillable", "true"),
                    ];
                    self.document.empty("xsd:element", &attributes);
                } else {
                    typed(&mut self.document, name, "xsd:string");
                }
            }
            self.document.close();
        }
        typed(&mut self.document, identity, &ours("XUUID"));
        self.document.close();
    }

    fn answer(&mut self, name: &str, answer: Answer) {
        self.document.open("xsd:complexType", &[("name", name)]);
        if let Answer::Bare(elements) = answer {
            self.sequence(elements, OTHER_ANSWER, &[]);
        } else {
            self.document.open("xsd:sequence", &[]);
            self.document.open("xsd:element", &[("name", "return")]);
            self.document.open("xsd:complexType", &[]);
            self.answered(answer);
            self.document.close_times(3);
        }
        sequence_number(&mut self.document);
        self.document.close();
    }

    /// What stands inside `return`.
    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Bare(_) => {}
            Answer::Elements(elements) => self.sequence(elements, OTHER_ANSWER, &[]),
            Answer::Objects(Operation::Options, object) => self.choices_answer(object),
            Answer::Objects(operation, object) => {
                let noun = operations::noun(object, self.version);
                let is_old = self.version.is_old_dialect();
                let (letter, times) = match operation {
                    Operation::List if !is_old => ("L", "unbounded"),
                    Operation::List => ("R", "unbounded"),
                    _ => ("R", "1"),
                };
                let element = if is_old && operation == Operation::Get {
                    dialect::answer_element(object)
                } else {
                    object.element
                };
                self.document.open("xsd:sequence", &[]);
                let attributes = [
                    ("name", element),
                    ("type", &*ours(&format!("{letter}{noun}"))),
                    ("minOccurs", "0"),
                    ("maxOccurs", times),
                ];
                self.document.empty("xsd:element", &attributes);
                self.document.close();
            }
        }
    }

    /// The elements that this version has here, after those of `keys`, which say which object an
    /// update means.
    fn sequence(&mut self, elements: &'static [Element], within: Within, keys: &[&str]) {
        self.document.open("xsd:sequence", &[]);
        if let Some(object) = within.object
            && !keys.is_empty()
        {
            self.key(object, false);
        }
        let here: Vec<&'static Element> = schema::elements_in(elements, self.version, within.place)
            .filter(|element| !keys.contains(&element.name_in(within.place)))
            .collect();
        let mut rest = here.as_slice();
        while let [first, ..] = rest {
            // Answers hold what there is; only requests must choose.
            let is_choice =
                first.branch != 0 && within.place.within(Places::REQUESTS) == within.place;
            let length = if is_choice {
                rest.iter().take_while(|next| next.branch != 0).count()
            } else {
                1
            };
            let (run, after) = rest.split_at(length);
            if is_choice {
                self.choice(run, within);
            } else {
                self.element(first, within);
            }
            rest = after;
        }
        self.document.close();
    }

    fn choice(&mut self, run: &[&'static Element], within: Within) {
        self.document.open("xsd:choice", &[("minOccurs", "0")]);
        for branch in run.chunk_by(|one, next| one.branch == next.branch) {
            let is_several = branch.len() > 1;
            if is_several {
                self.document.open("xsd:sequence", &[]);
            }
            for element in branch {
                self.element(element, within);
            }
            if is_several {
                self.document.close();
            }
        }
        self.document.close();
    }

    fn element(&mut self, element: &'static Element, within: Within) {
        let name = self.name(element, within);
        let is_request = within.place.within(Places::REQUESTS) == within.place;
        let is_needed =
            element.is_required && within.place == Places::ADD && !self.version.is_old_dialect();
        let times = match element.occurs_max {
            MANY => "unbounded".to_owned(),
            times => times.to_string(),
        };
        let kind = self.simple.of(element);
        let mut attributes = vec![("name", name)];
        if element.attributes.is_empty()
            && let Some(kind) = &kind
        {
            attributes.push(("type", kind));
        }
        if !is_needed {
            attributes.push(("minOccurs", "0"));
        }
        if times != "1" {
            attributes.push(("maxOccurs", &times));
        }
        if is_request && !is_needed && kind.is_some() {
            attributes.push(("nillable", "true"));
        }
        match (&kind, element.attributes) {
            (Some(_), []) => self.document.empty("xsd:element", &attributes),
            (Some(kind), names) => {
                self.document.open("xsd:element", &attributes);
                self.document.open("xsd:complexType", &[]);
                self.document.open("xsd:simpleContent", &[]);
                self.document.open("xsd:extension", &[("base", kind)]);
                for name in names {
                    attribute(&mut self.document, name);
                }
                self.document.close_times(4);
            }
            (None, names) => {
                self.document.open("xsd:element", &attributes);
                self.document.open("xsd:complexType", &[]);
                match element.content {
                    Content::Group(children) => self.sequence(children, within, &[]),
                    _ => anything(&mut self.document),
                }
                for name in names {
                    attribute(&mut self.document, name);
                }
                if self.has_index_attribute(element) {
                    attribute(&mut self.document, INDEX);
                }
                self.document.close_times(2);
            }
        }
    }

    fn has_index_attribute(&self, element: &Element) -> bool {
        self.version.is_old_dialect() && dialect::index_is_attribute(element)
    }

    fn name(&self, element: &'static Element, within: Within) -> &'static str {
        let name = element.name_in(within.place);
        match within.object {
            Some(object) if self.version.is_old_dialect() => dialect::element_name(object, name),
            _ => name,
        }
    }
}

fn other_answer(other: &'static OtherOperation) -> Option<Answer> {
    match other.answer {
        OtherAnswer::Done => None,
        OtherAnswer::Elements(elements) => Some(Answer::Elements(elements)),
        OtherAnswer::Bare(elements) => Some(Answer::Bare(elements)),
        OtherAnswer::Objects(kind) => {
            ObjectType::of(kind).map(|object| Answer::Objects(Operation::List, object))
        }
    }
}

/// What an answer holds that is more than an identity.
#[derive(Clone, Copy)]
enum Answer {
    Bare(&'static [Element]),
    Elements(&'static [Element]),
    Objects(Operation, &'static ObjectType),
}

const OTHER_REQUEST: Within = Within {
    object: None,
    place: Places::ADD,
};

const OTHER_ANSWER: Within = Within {
    object: None,
    place: Places::GET,
};

/// The second half of the key of a directory number, which may be left out.
const PARTITION: &str = "routePartitionName";

/// The elements of an object's key.
fn keys(object: &'static ObjectType, is_old: bool) -> &'static [&'static str] {
    match &object.key {
        Key::Name(_) if is_old => old_key(object),
        Key::Name(name) => std::slice::from_ref(name),
        Key::Pattern => &["pattern", PARTITION],
        Key::Several(names) => names,
        Key::Singleton => &[],
    }
}

fn old_key(object: &'static ObjectType) -> &'static [&'static str] {
    match dialect::keys(object.kind).0 {
        "phoneName" => &["phoneName"],
        "userid" => &["userid"],
        _ => &["name"],
    }
}
