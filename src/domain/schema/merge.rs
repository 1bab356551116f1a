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

/// An entry that an update request adds where another stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenIndex {
    /// The element that adds.
    pub element: &'static str,
    /// The index that both have.
    pub index: String,
    /// What stands there: a number or a name.
    pub holder: String,
}

/// The first entry that an update request adds (`addLines`, `addMembers`) at an index where
/// something else stands, which would be lost. The same line or object may be said again.
pub fn adds_where_another_is(
    object: &ObjectType,
    before: &Record,
    all_said: &Record,
) -> Option<TakenIndex> {
    all_said.iter().find_map(|(name, value)| {
        let element = changes(object.elements, name)?;
        let (Change::Add, Value::Group(said)) = (element.change, value) else {
            return None;
        };
        let held = left_in(object, before, all_said, element.canonical)?;
        said.iter().find_map(|(name, entries)| {
            let (name, entries) = as_lines(name, entries);
            let pairs = entries.iter().flat_map(|said| {
                let there = held.list(name).iter();
                there.map(move |held| (said, held))
            });
            let mut taken =
                pairs.filter(|(said, held)| same_index(said, held) && !same_target(said, held));
            taken.next().map(|(_, held)| TakenIndex {
                element: element.name,
                index: index_of(held).unwrap_or_default().to_owned(),
                holder: target_of(held).map_or_else(String::new, name_of),
            })
        })
    })
}

/// A group of lists without what the same request takes from it.
fn left_in(
    object: &ObjectType,
    before: &Record,
    said: &Record,
    canonical: &'static str,
) -> Option<Record> {
    let mut left = before.get(canonical)?.clone();
    for (name, value) in said.iter() {
        let takes = changes(object.elements, name)
            .filter(|element| element.change == Change::Remove && element.canonical == canonical);
        if let Some(element) = takes {
            left = changed(element, Some(left), value);
        }
    }
    match left {
        Value::Group(left) => Some(left),
        _ => None,
    }
}

/// What an entry of a list is about: the line, or the object that it names.
fn target_of(entry: &Value) -> Option<&Value> {
    let Value::Group(entry) = entry else {
        return None;
    };
    entry.get("dirn").or_else(|| {
        let mut values = entry.iter().map(|(_, value)| value);
        values.find(|value| matches!(value, Value::Reference(_)))
    })
}

fn name_of(target: &Value) -> String {
    match target {
        Value::Group(dirn) => dirn.text("pattern").unwrap_or_default().to_owned(),
        Value::Reference(object) => object.name.clone(),
        _ => String::new(),
    }
}

fn same_target(one: &Value, other: &Value) -> bool {
    match (target_of(one), target_of(other)) {
        (Some(Value::Group(one)), Some(Value::Group(other))) => {
            match (one.pkid(), other.pkid()) {
                (Some(one), Some(other)) => one == other,
                // Without a partition a number is in `< None >`.
                _ => ["pattern", "routePartitionName"].iter().all(|name| {
                    let [one, other] =
                        [one, other].map(|dirn| dirn.get(name).filter(|value| is_said(value)));
                    match (one, other) {
                        (Some(one), Some(other)) => fits(one, other),
                        (one, other) => one.is_none() && other.is_none(),
                    }
                }),
            }
        }
        (Some(one), Some(other)) => fits(one, other),
        // Nothing tells them apart but the index.
        _ => true,
    }
}

fn is_said(value: &Value) -> bool {
    match value {
        Value::Nothing => false,
        Value::Text(text) => !text.is_empty(),
        Value::Reference(object) => !object.name.is_empty() || object.pkid.is_some(),
        _ => true,
    }
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
    // `02` is the second place as well.
    let number = |text: &str| text.trim().trim_start_matches('0').to_owned();
    let [one, other] = [one, other].map(|entry| index_of(entry).map(number));
    one.is_some() && one == other
}

fn index_of(entry: &Value) -> Option<&str> {
    match entry {
        Value::Group(record) => record.text("index"),
        _ => None,
    }
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
            (
                "routePartitionName",
                Value::Reference(Reference::named(partition)),
            ),
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
        let said = members("addMembers", vec![member("3", "C")]);
        let all = [member("1", "A"), member("2", "B"), member("3", "C")];
        assert_eq!(after(&said), all);
        let partition = Value::Reference(Reference::named("a"));
        let gone = Value::Group(record(&[("routePartitionName", partition)]));
        let said = members("removeMembers", vec![gone]);
        assert_eq!(after(&said), [member("2", "B")]);
        let said = record(&[("members", Value::Group(Record::default()))]);
        assert_eq!(after(&said), []);
    }

    #[test]
    fn an_entry_is_added_where_nothing_else_stands() {
        let css = ObjectType::of(ObjectKind::Css).unwrap();
        let before = members("members", vec![member("1", "A"), member("2", "B")]);
        let taken = |index, partition| {
            let said = members("addMembers", vec![member(index, partition)]);
            adds_where_another_is(css, &before, &said).map(|taken| taken.holder)
        };
        assert_eq!(taken("2", "C").as_deref(), Some("B"));
        assert_eq!(taken("02", "C").as_deref(), Some("B"));
        assert_eq!(taken("2", "b"), None, "the same partition");
        assert_eq!(taken("3", "C"), None);
        let replaced = members("members", vec![member("1", "C")]);
        assert_eq!(adds_where_another_is(css, &before, &replaced), None);
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
