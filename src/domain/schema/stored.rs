//! Elements that are kept and given back, without effect on phones: a record's part of them as
//! paths with values, and back.
//!
//! What the program acts on ([`Treatment::Applied`]) has columns of its own and is left out here,
//! so that an element has one place. The rest needs no code of its own.

use std::collections::BTreeMap;

use super::Content;
use super::Element;
use super::ObjectType;
use super::Places;
use super::Record;
use super::Reference;
use super::Treatment;
use super::Value;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;

/// The kept part of an object, as one request sets it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoredElements {
    /// Elements of the object that the request spoke of: what was kept for them goes.
    pub replaced: Vec<&'static str>,
    /// What is kept for them from now on, by path: `busyLampFields/busyLampField[1]/label`.
    pub values: Vec<(String, StoredValue)>,
    /// The elements, kept or acted on, that hold something else than before, for the histories.
    pub touched: Vec<&'static str>,
}

/// What is kept for one element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// Text; empty where there is nothing although the table has a default.
    Text(String),
    /// A secret.
    Secret(Secret),
    /// Another object.
    Reference(Pkid),
}

impl StoredElements {
    /// The kept part of the elements `said` of a record whose references are resolved.
    pub fn of(object: &ObjectType, record: &Record, said: &[&'static str]) -> Self {
        let mut values = Vec::new();
        for (name, value) in record.iter().filter(|(name, _)| said.contains(name)) {
            let at = Place {
                table: object.elements,
                is_shown_anyway: true,
            };
            collect(at, name, value, name, &mut values);
        }
        Self {
            replaced: said.to_vec(),
            values,
            touched: Vec::new(),
        }
    }

    /// These elements, of which the ones named hold something else than before.
    #[must_use]
    pub fn touching(mut self, elements: &[&'static str]) -> Self {
        self.touched = elements.to_vec();
        self
    }
}

type Table = &'static [Element];

/// The table's row that requests have under this stored name, the newest first: earlier versions
/// differ in limits and defaults only.
fn row(table: Table, name: &str) -> Option<&'static Element> {
    let mut rows = table.iter().rev();
    rows.find(|row| row.canonical == name && row.places.has(Places::REQUESTS))
}

/// The default that every version agrees on; only then nothing need be kept for it.
fn agreed_default(table: Table, name: &str) -> Option<&'static str> {
    let mut defaults = table
        .iter()
        .filter(|row| row.canonical == name)
        .map(|row| row.default);
    let first = defaults.next()??;
    defaults.all(|other| other == Some(first)).then_some(first)
}

fn has_default(table: Table, name: &str) -> bool {
    table
        .iter()
        .any(|row| row.canonical == name && row.default.is_some())
}

/// Where an element stands.
#[derive(Clone, Copy)]
struct Place {
    /// The table with its row.
    table: Table,
    /// Whether the elements around it come back even when nothing is kept for them: then its
    /// default need not be kept.
    is_shown_anyway: bool,
}

fn collect(
    at: Place,
    name: &str,
    value: &Value,
    path: &str,
    found: &mut Vec<(String, StoredValue)>,
) {
    let Some(element) = row(at.table, name) else {
        return;
    };
    let is_applied = matches!(
        element.treatment,
        Treatment::Applied | Treatment::Computed(_)
    );
    match value {
        Value::Group(record) => {
            let below = Place {
                table: element.children(),
                is_shown_anyway: is_applied,
            };
            for (name, value) in record.iter() {
                let path = format!("{path}/{name}");
                collect(below, name, value, &path, found);
            }
        }
        Value::List(values) => {
            for (position, value) in values.iter().enumerate() {
                let path = format!("{path}[{}]", entry_number(value, position));
                collect(at, name, value, &path, found);
            }
        }
        _ if is_applied => {}
        Value::Nothing => {
            if has_default(at.table, name) {
                found.push((path.to_owned(), StoredValue::Text(String::new())));
            }
        }
        Value::Text(text) => {
            let is_default = agreed_default(at.table, name) == Some(text);
            if !(at.is_shown_anyway && is_default) {
                found.push((path.to_owned(), StoredValue::Text(text.clone())));
            }
        }
        Value::Verbatim(text) if text.is_empty() => {}
        Value::Verbatim(text) => found.push((path.to_owned(), StoredValue::Text(text.clone()))),
        Value::Secret(secret) => found.push((path.to_owned(), StoredValue::Secret(secret.clone()))),
        Value::Reference(reference) => {
            if let Some(pkid) = reference.pkid {
                found.push((path.to_owned(), StoredValue::Reference(pkid)));
            }
        }
    }
}

/// An entry's own index where it has one: it keeps what belongs to the second line with the second
/// line, whatever becomes of the first. Otherwise its place from 1 up.
fn entry_number(value: &Value, position: usize) -> usize {
    let index = match value {
        Value::Group(record) => record.text("index"),
        _ => None,
    };
    let index = index.and_then(|index| index.parse().ok());
    index.unwrap_or(position.saturating_add(1))
}

/// What stands at one step of the paths.
#[derive(Default)]
struct Node {
    value: Option<StoredValue>,
    entries: BTreeMap<usize, Node>,
    children: BTreeMap<String, Node>,
}

/// Puts what is kept back into a record that has what the program acts on. References get their
/// identity; the caller fills in the names.
pub fn restore(record: &mut Record, object: &ObjectType, kept: Vec<(String, StoredValue)>) {
    let mut root = Node::default();
    for (path, value) in kept {
        let mut node = &mut root;
        for step in path.split('/') {
            let (name, number) = parsed_step(step);
            node = node.children.entry(name.to_owned()).or_default();
            if let Some(number) = number {
                node = node.entries.entry(number).or_default();
            }
        }
        node.value = Some(value);
    }
    overlay(record, object.elements, root);
}

/// `busyLampField[2]` as name and number.
fn parsed_step(step: &str) -> (&str, Option<usize>) {
    let parts = step.strip_suffix(']').and_then(|step| step.split_once('['));
    match parts {
        Some((name, number)) => (name, number.parse().ok()),
        None => (step, None),
    }
}

fn overlay(record: &mut Record, table: Table, node: Node) {
    for (name, node) in node.children {
        // What a table no longer has stays kept and is not shown.
        let Some(element) = row(table, &name) else {
            continue;
        };
        let held = record.take(element.canonical);
        let is_list = element.occurs_max != 1;
        let value = if is_list {
            Some(entries(held, element, node.entries))
        } else {
            single(held, element, node)
        };
        if let Some(value) = value {
            record.set(element.canonical, value);
        }
    }
}

fn entries(held: Option<Value>, element: &'static Element, nodes: BTreeMap<usize, Node>) -> Value {
    let mut values = match held {
        Some(Value::List(values)) => values,
        _ => Vec::new(),
    };
    let is_applied = element.treatment == Treatment::Applied;
    let positions: Vec<usize> = values
        .iter()
        .enumerate()
        .map(|(position, value)| entry_number(value, position))
        .collect();
    for (number, node) in nodes {
        match positions.iter().position(|position| *position == number) {
            Some(position) => {
                if let Some(Value::Group(record)) = values.get_mut(position) {
                    overlay(record, element.children(), node);
                }
            }
            // The line is gone from the phone; what was kept for it waits.
            None if is_applied => {}
            None => values.extend(single(None, element, node)),
        }
    }
    Value::List(values)
}

fn single(held: Option<Value>, element: &'static Element, node: Node) -> Option<Value> {
    if let Content::Group(children) = element.content {
        let mut record = match held {
            Some(Value::Group(record)) => record,
            _ => Record::default(),
        };
        overlay(&mut record, children, node);
        return Some(Value::Group(record));
    }
    Some(match (node.value?, element.content) {
        (StoredValue::Text(text), Content::Any) => Value::Verbatim(text),
        (StoredValue::Text(text), _) if text.is_empty() => Value::Nothing,
        // Sealed, as it is kept.
        (StoredValue::Text(text), Content::Secret(_)) => Value::Secret(Secret::new(text)),
        (StoredValue::Text(text), _) => Value::Text(text),
        (StoredValue::Secret(secret), _) => Value::Secret(secret),
        (StoredValue::Reference(pkid), _) => Value::Reference(Reference {
            name: String::new(),
            pkid: Some(pkid),
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::ObjectKind;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn group(values: &[(&'static str, Value)]) -> Value {
        let mut record = Record::default();
        for (name, value) in values {
            record.set(name, value.clone());
        }
        Value::Group(record)
    }

    fn record(values: &[(&'static str, Value)]) -> Record {
        match group(values) {
            Value::Group(record) => record,
            _ => Record::default(),
        }
    }

    fn phone() -> &'static ObjectType {
        ObjectType::of(ObjectKind::Phone).unwrap()
    }

    #[test]
    fn what_the_program_acts_on_and_defaults_are_left_out() {
        let record = record(&[
            ("description", text("d")),
            ("hotlineDevice", text("false")),
            ("useTrustedRelayPoint", text("On")),
            ("networkLocation", Value::Nothing),
            ("sshUserId", text("admin")),
        ]);
        let said = [
            "description",
            "hotlineDevice",
            "useTrustedRelayPoint",
            "networkLocation",
        ];
        let stored = StoredElements::of(phone(), &record, &said);
        assert_eq!(
            stored.values,
            [
                (
                    "useTrustedRelayPoint".to_owned(),
                    StoredValue::Text("On".to_owned())
                ),
                (
                    "networkLocation".to_owned(),
                    StoredValue::Text(String::new())
                ),
            ]
        );
        assert_eq!(stored.replaced, said);
    }

    #[test]
    fn entries_go_by_their_index_and_come_back_to_the_line_that_is_there() {
        let line =
            |index: &str, ring: &str| group(&[("index", text(index)), ("ringSetting", text(ring))]);
        let lines = Value::List(vec![line("3", "Beep Only"), line("1", "Disable")]);
        let said = record(&[("lines", group(&[("line", lines)]))]);
        let stored = StoredElements::of(phone(), &said, &["lines"]);
        let paths: Vec<&str> = stored
            .values
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        assert_eq!(
            paths,
            ["lines/line[3]/ringSetting", "lines/line[1]/ringSetting"]
        );

        let lines = Value::List(vec![group(&[("index", text("3"))])]);
        let mut now = record(&[("lines", group(&[("line", lines)]))]);
        restore(&mut now, phone(), stored.values);
        let lines = now.group("lines").unwrap().list("line").to_vec();
        assert_eq!(lines, [line("3", "Beep Only")]);
    }

    #[test]
    fn groups_lists_references_and_verbatim_content_come_back() {
        let pkid = Pkid::from_u128(7);
        let reference = Value::Reference(Reference {
            name: String::new(),
            pkid: Some(pkid),
        });
        let field = |number: &str| group(&[("label", text("l")), ("index", text(number))]);
        let said = record(&[
            ("mediaResourceListName", reference),
            ("vendorConfig", Value::Verbatim("<a>1</a>".to_owned())),
            (
                "busyLampFields",
                group(&[(
                    "busyLampField",
                    Value::List((1..12).map(|n| field(&n.to_string())).collect()),
                )]),
            ),
        ]);
        let names = ["mediaResourceListName", "vendorConfig", "busyLampFields"];
        let stored = StoredElements::of(phone(), &said, &names);
        let mut back = Record::default();
        let mut kept = stored.values;
        kept.sort_by(|a, b| a.0.cmp(&b.0));
        restore(&mut back, phone(), kept);
        for name in names {
            assert!(back.get(name).is_some(), "{name}");
        }
        let fields = back
            .group("busyLampFields")
            .unwrap()
            .list("busyLampField")
            .to_vec();
        let numbers: Vec<String> = fields
            .iter()
            .map(|field| match field {
                Value::Group(record) => record.text("index").unwrap().to_owned(),
                _ => String::new(),
            })
            .collect();
        assert_eq!(numbers, (1..12).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!(back.get("vendorConfig"), said.get("vendorConfig"));
    }
}
