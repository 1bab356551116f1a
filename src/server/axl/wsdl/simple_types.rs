//! The simple types that the elements of one version need, written as `AXLEnums.xsd`. Pure.

use std::collections::BTreeSet;

use crate::domain::schema::{Content, Element, SchemaVersion};
use crate::server::axl::soap_action;

use super::document::Document;
use super::operations::capitalised;
use super::{PREFIX, XSD};

/// The words of one element.
type Words = &'static [&'static str];

/// The simple types asked for so far.
#[derive(Default)]
pub(super) struct SimpleTypes {
    lengths: BTreeSet<u16>,
    enumerations: Vec<(String, Words)>,
}

impl SimpleTypes {
    /// The name of the type of an element; a group and free content have none.
    pub(super) fn of(&mut self, element: &Element) -> Option<String> {
        Some(match element.content {
            Content::Text(u16::MAX) => "xsd:string".to_owned(),
            Content::Text(length) | Content::Secret(length) => {
                self.lengths.insert(length);
                ours(&text_name(length))
            }
            Content::Boolean => "xsd:boolean".to_owned(),
            Content::Integer => ours("XInteger"),
            Content::Enumeration(words) => ours(&self.enumeration(element.name, words)),
            Content::Reference(_) => ours("XFkType"),
            Content::Group(_) | Content::Any => return None,
        })
    }

    /// Elements with the same words share a type, which the first of them names.
    fn enumeration(&mut self, element: &str, words: Words) -> String {
        if let Some((name, _)) = self.enumerations.iter().find(|(_, known)| *known == words) {
            return name.clone();
        }
        let base = format!("X{}", capitalised(element));
        let is_taken = |name: &String| self.enumerations.iter().any(|(known, _)| known == name);
        // Of one name more than there are enumerations, one is free.
        let numbers = 2..self.enumerations.len().saturating_add(3);
        let name = std::iter::once(base.clone())
            .chain(numbers.map(|number| format!("{base}{number}")))
            .find(|name| !is_taken(name))
            .unwrap_or(base);
        self.enumerations.push((name.clone(), words));
        name
    }

    /// The document that declares them.
    pub(super) fn document(&self, version: SchemaVersion) -> String {
        let namespace = soap_action::namespace(version);
        let mut document = Document::new();
        document.open(
            "xsd:schema",
            &[
                ("targetNamespace", &namespace),
                ("xmlns:xsd", XSD),
                ("version", version.as_str()),
            ],
        );
        // A whole number may be empty: none.
        document.open("xsd:simpleType", &[("name", "XInteger")]);
        document.open("xsd:union", &[("memberTypes", "xsd:long")]);
        document.open("xsd:simpleType", &[]);
        document.open("xsd:restriction", &[("base", "xsd:string")]);
        document.empty("xsd:length", &[("value", "0")]);
        document.close_times(4);
        document.open("xsd:simpleType", &[("name", "XUUID")]);
        document.open("xsd:restriction", &[("base", "xsd:string")]);
        document.empty("xsd:pattern", &[("value", UUID)]);
        document.close_times(2);
        for length in &self.lengths {
            document.open("xsd:simpleType", &[("name", &text_name(*length))]);
            document.open("xsd:restriction", &[("base", "xsd:string")]);
            document.empty("xsd:maxLength", &[("value", &length.to_string())]);
            document.close_times(2);
        }
        for (name, words) in &self.enumerations {
            document.open("xsd:simpleType", &[("name", name)]);
            document.open("xsd:restriction", &[("base", "xsd:string")]);
            for word in *words {
                document.empty("xsd:enumeration", &[("value", word)]);
            }
            document.close_times(2);
        }
        document.finish()
    }
}

/// An identity in any case, with or without braces, or nothing.
const UUID: &str =
    r"(\{?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\}?)?";

fn text_name(length: u16) -> String {
    format!("String{length}")
}

/// A type of this schema, with its prefix.
pub(super) fn ours(name: &str) -> String {
    format!("{PREFIX}:{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::{one_of, text};

    const FEW: Words = &["Off", "On & off"];
    const MORE: Words = &["Off", "On", "Default"];

    #[test]
    fn elements_with_the_same_words_share_a_type() {
        let mut types = SimpleTypes::default();
        let of = |types: &mut SimpleTypes, element| types.of(&element).unwrap();
        assert_eq!(of(&mut types, one_of("state", FEW)), "axlapi:XState");
        assert_eq!(of(&mut types, one_of("other", FEW)), "axlapi:XState");
        assert_eq!(of(&mut types, one_of("state", MORE)), "axlapi:XState2");
        assert_eq!(of(&mut types, text("name", 50)), "axlapi:String50");
        let text = types.document(SchemaVersion::V14_0);
        assert_eq!(text.matches("<xsd:enumeration").count(), 5);
        assert!(text.contains("value=\"On &amp; off\""), "{text}");
        assert!(
            text.contains("<xsd:simpleType name=\"String50\">"),
            "{text}"
        );
    }
}
