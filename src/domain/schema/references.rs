//! The references in a record, wherever they stand in it.

use crate::domain::pkid::Pkid;

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

/// A group that says by its `uuid` which object it means.
#[derive(Debug)]
pub struct Identified<'a> {
    /// The name of the element.
    pub element: &'static str,
    /// The kind of object that it means.
    pub kind: ObjectKind,
    /// The identity that it says.
    pub pkid: Pkid,
    /// The table of the elements below it.
    pub children: &'static [Element],
    /// What it says beside that.
    pub record: &'a mut Record,
}

/// Every group of a record that says an identity.
pub fn identified<'a>(object: &ObjectType, record: &'a mut Record) -> Vec<Identified<'a>> {
    let mut found = Vec::new();
    collect_identified(object.elements, record, &mut found);
    found
}

fn collect_identified<'a>(
    table: &'static [Element],
    record: &'a mut Record,
    found: &mut Vec<Identified<'a>>,
) {
    for (name, value) in record.iter_mut() {
        let Some(element) = row(table, name) else {
            continue;
        };
        match value {
            Value::Group(record) => identified_group(element, record, found),
            Value::List(values) => {
                for value in values {
                    if let Value::Group(record) = value {
                        identified_group(element, record, found);
                    }
                }
            }
            _ => {}
        }
    }
}

fn identified_group<'a>(
    element: &'static Element,
    record: &'a mut Record,
    found: &mut Vec<Identified<'a>>,
) {
    match (element.identified, record.pkid()) {
        (Some(kind), Some(pkid)) => found.push(Identified {
            element: element.name,
            kind,
            pkid,
            children: element.children(),
            record,
        }),
        _ => collect_identified(element.children(), record, found),
    }
}

/// Every group of a record that may say by its `uuid` which object of this kind it means, and does
/// not.
pub fn unidentified<'a>(
    object: &ObjectType,
    record: &'a mut Record,
    kind: ObjectKind,
) -> Vec<&'a mut Record> {
    let mut found = Vec::new();
    collect_unidentified(object.elements, record, kind, &mut found);
    found
}

fn collect_unidentified<'a>(
    table: &'static [Element],
    record: &'a mut Record,
    kind: ObjectKind,
    found: &mut Vec<&'a mut Record>,
) {
    for (name, value) in record.iter_mut() {
        let Some(element) = row(table, name) else {
            continue;
        };
        let values = match value {
            Value::List(values) => values.as_mut_slice(),
            value => std::slice::from_mut(value),
        };
        for value in values {
            let Value::Group(record) = value else {
                continue;
            };
            match (element.identified == Some(kind), record.pkid()) {
                (true, None) => found.push(record),
                (true, Some(_)) => {}
                (false, _) => collect_unidentified(element.children(), record, kind, found),
            }
        }
    }
}

fn row(table: &'static [Element], name: &str) -> Option<&'static Element> {
    let mut rows = table.iter();
    rows.find(|element| element.canonical == name || element.name == name)
}

/// Every reference of a record.
pub fn of<'a>(object: &ObjectType, record: &'a mut Record) -> Vec<Found<'a>> {
    let mut found = Vec::new();
    collect(object.elements, record, &mut found);
    found
}

fn collect<'a>(table: &'static [Element], record: &'a mut Record, found: &mut Vec<Found<'a>>) {
    for (name, value) in record.iter_mut() {
        if let Some(element) = row(table, name) {
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
