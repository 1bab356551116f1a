//! What an add request leaves unsaid: defaults, and what there is no object without.

use super::Content;
use super::Element;
use super::ObjectType;
use super::Places;
use super::Record;
use super::Reference;
use super::SchemaVersion;
use super::Treatment;
use super::Value;

/// Sets every element that the program acts on, that `version` has, and that the request does not
/// say, to its default. What is only kept needs none: it is given back with the default.
pub fn fill(object: &ObjectType, record: &mut Record, version: SchemaVersion) {
    for element in object.elements_in(version, Places::ADD) {
        let is_applied = element.treatment == Treatment::Applied;
        if let (true, Some(default), None) =
            (is_applied, element.default, record.get(element.canonical))
        {
            record.set(element.canonical, default_value(element, default));
        }
    }
}

/// Sets every element of an answer that has a default and is not there, groups included.
pub fn show(table: &'static [Element], record: &mut Record, version: SchemaVersion, place: Places) {
    for element in super::elements_in(table, version, place) {
        if let Content::Group(children) = element.content {
            show_below(element, children, record, version, place);
        } else if let (Some(default), None) = (element.default, record.get(element.canonical)) {
            record.set(element.canonical, default_value(element, default));
        }
    }
}

fn show_below(
    element: &'static Element,
    children: &'static [Element],
    record: &mut Record,
    version: SchemaVersion,
    place: Places,
) {
    let Some(mut value) = record.take(element.canonical) else {
        return;
    };
    match &mut value {
        Value::Group(record) => show(children, record, version, place),
        Value::List(values) => {
            for value in values {
                if let Value::Group(record) = value {
                    show(children, record, version, place);
                }
            }
        }
        _ => {}
    }
    record.set(element.canonical, value);
}

fn default_value(element: &Element, default: &'static str) -> Value {
    match element.content {
        Content::Reference(_) => Value::Reference(Reference {
            name: default.to_owned(),
            pkid: None,
        }),
        _ => Value::Text(default.to_owned()),
    }
}

/// The first element that an object cannot be added without and that is not there; one with a
/// default is never missing.
pub fn missing(
    object: &ObjectType,
    record: &Record,
    version: SchemaVersion,
) -> Option<&'static Element> {
    object
        .elements_in(version, Places::ADD)
        .filter(|element| element.is_required && element.default.is_none())
        .find(|element| matches!(record.get(element.canonical), None | Some(Value::Nothing)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::ObjectKind;

    #[test]
    fn defaults_are_filled_in_and_shown() {
        let object = ObjectType::of(ObjectKind::Line).unwrap();
        let mut record = Record::default();
        fill(object, &mut record, SchemaVersion::NEWEST);
        assert_eq!(record.text("autoAnswer"), Some("Auto Answer Off"));
        assert_eq!(record.text("releaseClause"), None);
        show(
            object.elements,
            &mut record,
            SchemaVersion::NEWEST,
            Places::GET,
        );
        assert_eq!(record.text("releaseClause"), Some("No Error"));
        assert_eq!(
            record.text("presenceGroupName"),
            Some("Standard Presence group")
        );
    }

    #[test]
    fn the_key_is_missing() {
        let object = ObjectType::of(ObjectKind::Line).unwrap();
        let missing = missing(object, &Record::default(), SchemaVersion::NEWEST);
        assert_eq!(missing.map(|element| element.name), Some("pattern"));
    }
}
