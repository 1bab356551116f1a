//! The references in a record, wherever they stand in it.

use super::Content;
use super::Element;
use super::ObjectKind;
use super::ObjectType;
use super::Record;
use super::Reference;
use super::Value;

/// A reference to be resolved.
#[derive(Debug)]
pub struct Found<'a> {
    /// The name of the element that holds it.
    pub element: &'static str,
    /// The kind of object that it names.
    pub kind: ObjectKind,
    /// The reference.
    pub reference: &'a mut Reference,
}

/// Every reference of a record.
pub fn of<'a>(object: &ObjectType, record: &'a mut Record) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    collect(object.elements, record, &mut found);
    found
}

fn collect<'a>(table: &'static [Element], record: &'a mut Record, found: &mut Vec<Found<'a>>) {
    for (name, value) in record.iter_mut() {
        let element = table
            .iter()
            .find(|element| element.canonical == name || element.name == name);
        if let Some(element) = element {
            of_value(element, value, found);
        }
    }
}

fn of_value<'a>(element: &'static Element, value: &'a mut Value, found: &mut Vec<Found<'a>>) {
    match (value, element.content) {
        (Value::Reference(reference), Content::Reference(kind)) => found.push(Found {
            element: element.name,
            kind,
            reference,
        }),
        (Value::Group(record), Content::Group(children)) => collect(children, record, found),
        (Value::List(values), _) => {
            for value in values {
                of_value(element, value, found);
            }
        }
        _ => {}
    }
}
