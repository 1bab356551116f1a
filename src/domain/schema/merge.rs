//! An object before a change, and what an update request says, as the object after it.

use super::Change;
use super::Element;
use super::ObjectType;
use super::Places;
use super::Record;
use super::Reference;
use super::Value;

/// The object after the change: what the request does not name stays; a list is replaced as a
/// whole, unless the request adds to it or takes from it; a group is changed element by element.
pub fn merged(object: &ObjectType, before: &Record, said: &Record) -> Record {
    merged_group(object.elements, before, said)
}

/// The elements of the object that an update request speaks of, under the names they are kept by.
pub fn spoken_of(object: &ObjectType, said: &Record) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, _) in said.iter() {
        let canonical = changes(object.elements, name).map_or(name, |element| element.canonical);
        if !names.contains(&canonical) {
            names.push(canonical);
        }
    }
    names
}

/// The first element of an update request that takes an entry from a list that has no such entry
/// (`removeMembers`).
pub fn takes_what_is_not_there(
    object: &ObjectType,
    before: &Record,
    said: &Record,
) -> Option<&'static str> {
    said.iter().find_map(|(name, value)| {
        let element = changes(object.elements, name)?;
        let (Change::Remove, Value::Group(said)) = (element.change, value) else {
            return None;
        };
        let empty = Record::default();
        let held = before.group(element.canonical).unwrap_or(&empty);
        let is_missing = said.iter().any(|(name, entries)| {
            let (name, entries) = as_lines(name, entries);
            let is_held = |said: &Value| held.list(name).iter().any(|entry| fits(said, entry));
            !entries.iter().all(is_held)
        });
        is_missing.then_some(element.name)
    })
}

/// The entries of a list; a `lineIdentifier` is a short way to write a `line`.
fn as_lines(name: &'static str, entries: &Value) -> (&'static str, Vec<Value>) {
    let entries = match entries {
        Value::List(entries) => entries.clone(),
        _ => Vec::new(),
    };
    if name != "lineIdentifier" {
        return (name, entries);
    }
    let as_line = |identifier: Value| {
        let Value::Group(identifier) = identifier else {
            return identifier;
        };
        let mut dirn = Record::default();
        for (short, long) in [
            ("directoryNumber", "pattern"),
            ("routePartitionName", "routePartitionName"),
        ] {
            let value = identifier.text(short).unwrap_or_default();
            let value = match (long, value) {
                (_, "") => Value::Nothing,
                ("pattern", number) => Value::text(number),
                (_, name) => Value::Reference(Reference {
                    name: name.to_owned(),
                    pkid: None,
                }),
            };
            if identifier.get(short).is_some() {
                dirn.set(long, value);
            }
        }
        if let Some(pkid) = identifier.pkid() {
            dirn.set_pkid(pkid);
        }
        let mut line = Record::default();
        line.set("dirn", Value::Group(dirn));
        Value::Group(line)
    };
    ("line", entries.into_iter().map(as_line).collect())
}

fn merged_group(table: &'static [Element], before: &Record, said: &Record) -> Record {
    let mut after = before.clone();
    for (name, value) in said.iter() {
        if let Some(element) = changes(table, name) {
            let held = after.take(element.canonical);
            after.set(element.canonical, changed(element, held, value));
            continue;
        }
        let element = table.iter().find(|element| element.canonical == name);
        let value = match (element, before.get(name), value) {
            (Some(element), Some(Value::Group(before)), Value::Group(said)) => {
                Value::Group(merged_below(element, before, said))
            }
            _ => value.clone(),
        };
        after.set(name, value);
    }
    after
}

/// `addMembers` and `removeMembers`.
fn changes(table: &'static [Element], name: &str) -> Option<&'static Element> {
    let mut rows = table.iter();
    rows.find(|row| {
        row.name == name && row.change != Change::Replace && row.places.has(Places::UPDATE)
    })
}

/// Inside a group that the request names, a list that it does not name is meant to be empty:
/// `<lines/>` takes every line away.
fn merged_below(element: &'static Element, before: &Record, said: &Record) -> Record {
    let table = element.children();
    let mut kept = before.clone();
    for row in table.iter().filter(|row| row.occurs_max != 1) {
        kept.take(row.canonical);
    }
    merged_group(table, &kept, said)
}

fn changed(element: &'static Element, held: Option<Value>, said: &Value) -> Value {
    let mut container = match held {
        Some(Value::Group(record)) => record,
        _ => Record::default(),
    };
    let Value::Group(said) = said else {
        return Value::Group(container);
    };
    for (name, entries) in said.iter() {
        let (name, entries) = as_lines(name, entries);
        let mut held = match container.take(name) {
            Some(Value::List(held)) => held,
            _ => Vec::new(),
        };
        match element.change {
            Change::Remove => held.retain(|entry| !entries.iter().any(|said| fits(said, entry))),
            Change::Add | Change::Replace => {
                held.retain(|entry| !entries.iter().any(|said| same_index(said, entry)));
                held.extend(entries);
            }
        }
        container.set(name, Value::List(held));
    }
    Value::Group(container)
}

/// Whether all that the request says of an entry holds for this one.
fn fits(said: &Value, entry: &Value) -> bool {
    match (said, entry) {
        (Value::Nothing, _) => true,
        (Value::Group(said), Value::Group(entry)) => {
            let of_another = said.pkid().is_some_and(|pkid| entry.pkid() != Some(pkid));
            let mut values = said.iter();
            !of_another
                && values.all(|(name, said)| {
                    let entry = entry.get(name).unwrap_or(&Value::Nothing);
                    fits(said, entry)
                })
        }
        (Value::Reference(said), Value::Reference(entry)) => match (said.pkid, entry.pkid) {
            (Some(said), Some(entry)) => said == entry,
            _ => said.name.eq_ignore_ascii_case(&entry.name),
        },
        // A number with a plus is written with a backslash before it, and kept without.
        (Value::Text(said), Value::Text(entry)) => {
            let plain = |text: &str| text.trim_start_matches('\\').to_lowercase();
            plain(said) == plain(entry)
        }
        (said, entry) => said == entry,
    }
}

fn same_index(one: &Value, other: &Value) -> bool {
    let index = |value: &Value| match value {
        Value::Group(record) => record.text("index").map(str::to_owned),
        _ => None,
    };
    index(one).is_some_and(|one| Some(one) == index(other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::ObjectKind;

    fn record(values: &[(&'static str, Value)]) -> Record {
        let mut record = Record::default();
        for (name, value) in values {
            record.set(name, value.clone());
        }
        record
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn member(index: &str, partition: &str) -> Value {
        Value::Group(record(&[
            ("routePartitionName", text(partition)),
            ("index", text(index)),
        ]))
    }

    fn members(name: &'static str, entries: Vec<Value>) -> Record {
        let list = Value::Group(record(&[("member", Value::List(entries))]));
        record(&[(name, list)])
    }

    fn after(said: &Record) -> Vec<Value> {
        let css = ObjectType::of(ObjectKind::Css).unwrap();
        let before = members("members", vec![member("1", "A"), member("2", "B")]);
        let after = merged(css, &before, said);
        after.group("members").unwrap().list("member").to_vec()
    }

    #[test]
    fn lists_are_replaced_added_to_and_taken_from() {
        let said = members("members", vec![member("1", "C")]);
        assert_eq!(after(&said), [member("1", "C")]);
        let said = members("addMembers", vec![member("2", "C")]);
        assert_eq!(after(&said), [member("1", "A"), member("2", "C")]);
        let gone = Value::Group(record(&[("routePartitionName", text("a"))]));
        let said = members("removeMembers", vec![gone]);
        assert_eq!(after(&said), [member("2", "B")]);
        let said = record(&[("members", Value::Group(Record::default()))]);
        assert_eq!(after(&said), []);
    }

    #[test]
    fn a_group_changes_element_by_element() {
        let line = ObjectType::of(ObjectKind::Line).unwrap();
        let forward = |values: &[(&'static str, Value)]| {
            record(&[("callForwardAll", Value::Group(record(values)))])
        };
        let before = forward(&[
            ("destination", text("1")),
            ("forwardToVoiceMail", text("true")),
        ]);
        let said = forward(&[("destination", text("2"))]);
        let after = merged(line, &before, &said);
        let group = after.group("callForwardAll").unwrap();
        assert_eq!(group.text("destination"), Some("2"));
        assert_eq!(group.text("forwardToVoiceMail"), Some("true"));
        assert_eq!(spoken_of(line, &said), ["callForwardAll"]);
    }
}
