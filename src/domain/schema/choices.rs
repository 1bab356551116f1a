//! What can be chosen for an element (`getPhoneOptions`): words, or objects that exist.
//!
//! It follows from what the element holds; the few elements that AXL treats otherwise say so in
//! their table.

use super::Content;
use super::Element;
use super::ObjectKind;
use super::Places;
use super::SchemaVersion;
use super::Treatment;
use super::elements_in;

/// Which choices AXL has of an element.
#[derive(Debug, Clone, Copy)]
pub enum Offer {
    /// Those that follow from what it holds.
    OfContent,
    /// None: AXL's options do not have the element.
    Nothing,
    /// These words, although it takes other text as well.
    Words(fn() -> Vec<&'static str>),
}

/// What a request may narrow the choices of an element by.
///
/// Source: AXL, types `OXFkTypeProduct` and `OXFkTypeProduct_Protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Narrowed {
    /// By nothing.
    ByNothing,
    /// By the model.
    ByProduct,
    /// By model and protocol.
    ByProductAndProtocol,
}

/// What can be chosen for an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choices {
    /// One of these words.
    Words(Vec<&'static str>),
    /// One of the objects of this kind.
    Objects(ObjectKind),
    /// Choices of the elements below it.
    Below,
}

/// The choices of an element that `version` has in its add request; `None` when there are none to
/// be had.
pub fn of(element: &Element, version: SchemaVersion) -> Option<Choices> {
    if let Offer::Nothing = element.offer {
        return None;
    }
    if let Offer::Words(words) = element.offer {
        return Some(Choices::Words(words()));
    }
    match (element.content, element.treatment) {
        (Content::Group(children), _) => {
            let mut below = elements(children, version);
            below.next().map(|_| Choices::Below)
        }
        // What is refused otherwise has its default alone.
        (Content::Enumeration(_) | Content::Text(_), Treatment::Refused(_)) => {
            element.default.map(|only| Choices::Words(vec![only]))
        }
        (Content::Enumeration(words), _) => Some(Choices::Words(words.to_vec())),
        (Content::Reference(kind), _) => Some(Choices::Objects(kind)),
        _ => None,
    }
}

/// The elements of a table that have choices in `version`, in master order.
pub fn elements(
    table: &'static [Element],
    version: SchemaVersion,
) -> impl Iterator<Item = (&'static Element, Choices)> {
    elements_in(table, version, Places::ADD)
        .filter_map(move |element| Some((element, of(element, version)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::ObjectType;

    fn phone(name: &str, version: SchemaVersion) -> Option<Choices> {
        let phone = ObjectType::of(ObjectKind::Phone).unwrap();
        let found = elements(phone.elements, version).find(|(element, _)| element.name == name);
        found.map(|(_, choices)| choices)
    }

    #[test]
    fn they_follow_from_what_an_element_holds_and_takes() {
        let version = SchemaVersion::V10_0;
        let objects = phone("callingSearchSpaceName", version);
        assert_eq!(objects, Some(Choices::Objects(ObjectKind::Css)));
        let words = |name| match phone(name, version) {
            Some(Choices::Words(words)) => words,
            other => panic!("{name}: {other:?}"),
        };
        assert!(words("dndOption").contains(&"Call Reject"));
        assert_eq!(words("packetCaptureMode"), ["None"]);
        assert_eq!(words("class"), ["Phone"]);
        assert_eq!(words("protocol"), ["SIP"]);
        assert!(words("product").contains(&"Cisco 8851"));
        assert_eq!(phone("lines", version), Some(Choices::Below));
        for none in [
            "description",
            "speeddials",
            "busyLampFields",
            "hlogStatus",
            "keyOrder",
        ] {
            assert_eq!(phone(none, version), None, "{none}");
        }
        assert_ne!(phone("keyOrder", SchemaVersion::V11_0), None);
    }
}
