//! Parts of the document of types.

use super::super::document::Document;
use super::super::simple_types::ours;

/// The place of an entry, an attribute before 8.0.
pub(super) const INDEX: &str = "index";

/// An element of a type.
pub(super) fn typed(document: &mut Document, name: &str, kind: &str) {
    document.empty("xsd:element", &[("name", name), ("type", kind)]);
}

/// An element of a type that may be left out.
pub(super) fn optional(document: &mut Document, name: &str, kind: &str) {
    document.empty(
        "xsd:element",
        &[("name", name), ("type", kind), ("minOccurs", "0")],
    );
}

/// An attribute, whose type follows from its name.
pub(super) fn attribute(document: &mut Document, name: &str) {
    let kind = match name {
        "uuid" => ours("XUUID"),
        "special" => "xsd:boolean".to_owned(),
        "ctiid" | INDEX => ours("XInteger"),
        _ => "xsd:string".to_owned(),
    };
    document.empty("xsd:attribute", &[("name", name), ("type", &kind)]);
}

/// The number that an answer carries again.
pub(super) fn sequence_number(document: &mut Document) {
    let attributes = [("name", "sequence"), ("type", "xsd:unsignedLong")];
    document.empty("xsd:attribute", &attributes);
}

/// Elements of any name.
pub(super) fn anything(document: &mut Document) {
    document.open("xsd:sequence", &[]);
    document.empty(
        "xsd:any",
        &[
            ("minOccurs", "0"),
            ("maxOccurs", "unbounded"),
            ("namespace", "##any"),
            ("processContents", "lax"),
        ],
    );
    document.close();
}
