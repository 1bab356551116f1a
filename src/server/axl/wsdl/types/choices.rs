//! The types of `getPhoneOptions` and its like: `OXPhone` is what its `returnedChoices` hold,
//! `ORPhone` what it answers.

use crate::domain::schema::choices::{self, Choices, Narrowed};
use crate::domain::schema::{Element, ObjectType};

use super::super::operations;
use super::super::simple_types::ours;
use super::Writer;
use super::parts::{attribute, optional, typed};

impl Writer {
    /// The types that every kind of object shares.
    pub(super) fn common_choices(&mut self) {
        let document = &mut self.document;
        for (name, by) in [
            ("OXFkType", &[][..]),
            ("OXFkTypeProduct", &["product"]),
            ("OXFkTypeProduct_Protocol", &["product", "protocol"]),
        ] {
            document.open("xsd:complexType", &[("name", name)]);
            document.open("xsd:sequence", &[]);
            for name in ["skip", "first"] {
                optional(document, name, "xsd:unsignedLong");
            }
            for name in by {
                optional(document, name, "xsd:string");
            }
            document.close_times(2);
        }
        document.open("xsd:complexType", &[("name", "GetOptionType")]);
        document.open("xsd:simpleContent", &[]);
        document.open("xsd:extension", &[("base", "xsd:string")]);
        attribute(document, "uuid");
        document.close_times(3);
        document.open("xsd:complexType", &[("name", "ORFkType")]);
        document.open("xsd:sequence", &[]);
        let attributes = [
            ("name", "choice"),
            ("type", &*ours("GetOptionType")),
            ("minOccurs", "0"),
            ("maxOccurs", "unbounded"),
        ];
        document.empty("xsd:element", &attributes);
        document.close_times(2);
    }

    /// The types of one kind of object.
    pub(super) fn choices(&mut self, object: &'static ObjectType) {
        let noun = operations::noun(object, self.version);
        for letters in [REQUEST, ANSWER] {
            let name = [("name", &*format!("{letters}{noun}"))];
            self.document.open("xsd:complexType", &name);
            self.choice_elements(object.elements, letters);
            if letters == ANSWER {
                attribute(&mut self.document, "uuid");
            }
            self.document.close();
        }
    }

    /// The elements of the request for choices.
    pub(super) fn choices_request(&mut self, noun: &str) {
        self.document.open("xsd:sequence", &[]);
        optional(&mut self.document, "uuid", &ours("XUUID"));
        let wanted = ours(&format!("{REQUEST}{noun}"));
        optional(&mut self.document, "returnedChoices", &wanted);
        self.document.close();
    }

    /// What stands inside `return`.
    pub(super) fn choices_answer(&mut self, object: &'static ObjectType) {
        let noun = operations::noun(object, self.version);
        self.document.open("xsd:sequence", &[]);
        let kind = ours(&format!("{ANSWER}{noun}"));
        typed(&mut self.document, object.element, &kind);
        self.document.close();
    }

    fn choice_elements(&mut self, table: &'static [Element], letters: &str) {
        self.document.open("xsd:sequence", &[]);
        for (element, of) in choices::elements(table, self.version) {
            if of == Choices::Below {
                let attributes = [("name", element.name), ("minOccurs", "0")];
                self.document.open("xsd:element", &attributes);
                self.document.open("xsd:complexType", &[]);
                self.choice_elements(element.children(), letters);
                self.document.close_times(2);
            } else {
                let kind = match element.narrowed {
                    _ if letters == ANSWER => "ORFkType",
                    Narrowed::ByNothing => "OXFkType",
                    Narrowed::ByProduct => "OXFkTypeProduct",
                    Narrowed::ByProductAndProtocol => "OXFkTypeProduct_Protocol",
                };
                optional(&mut self.document, element.name, &ours(kind));
            }
        }
        self.document.close();
    }
}

/// What the names of the types of requests begin with.
const REQUEST: &str = "OX";

/// What those of answers begin with.
const ANSWER: &str = "OR";
