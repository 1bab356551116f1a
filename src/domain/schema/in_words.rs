//! Elements of an object in words, for the audit log: `minCredLength 8, trivialCredCheck true`.

use super::Record;
use super::Value;

/// The elements of these names, as the record has them.
pub fn named(record: &Record, names: &[&'static str]) -> String {
    let words = names.iter().map(|name| {
        let value = record.get(name).unwrap_or(&Value::Nothing);
        format!("{name} {}", of(value))
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The elements that hold something.
pub fn all(record: &Record) -> String {
    let said = record.iter().filter(|(_, value)| !is_empty(value));
    let words = said.map(|(name, value)| format!("{name} {}", of(value)));
    words.collect::<Vec<_>>().join(", ")
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Nothing => true,
        Value::Text(text) | Value::Verbatim(text) => text.is_empty(),
        Value::Reference(reference) => reference.name.is_empty() && reference.pkid.is_none(),
        Value::Group(record) => record.iter().all(|(_, value)| is_empty(value)),
        Value::List(entries) => entries.iter().all(is_empty),
        Value::Secret(_) => false,
    }
}

fn of(value: &Value) -> String {
    if is_empty(value) {
        return "none".to_owned();
    }
    match value {
        Value::Nothing => String::new(),
        Value::Secret(_) => "[redacted]".to_owned(),
        Value::Text(text) | Value::Verbatim(text) => text.clone(),
        Value::Reference(reference) => match reference.pkid {
            Some(pkid) if reference.name.is_empty() => format!("{{{pkid}}}"),
            _ => reference.name.clone(),
        },
        Value::Group(record) => format!("({})", all(record)),
        Value::List(entries) => entries.iter().map(of).collect::<Vec<_>>().join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::schema::Reference;
    use crate::domain::secret::Secret;

    #[test]
    fn elements_are_named_with_what_they_hold_and_no_secret_is() {
        let mut member = Record::default();
        member.set("index", Value::text("1"));
        let partition = Reference::named("PT_One");
        member.set("routePartitionName", Value::Reference(partition));
        let mut members = Record::default();
        members.set("member", Value::List(vec![Value::Group(member)]));
        let mut record = Record::default();
        record.set("members", Value::Group(members));
        record.set("description", Value::Nothing);
        record.set("password", Value::Secret(Secret::from("geheim")));
        let words = "members (member (index 1, routePartitionName PT_One)), password [redacted]";
        assert_eq!(all(&record), words);
        let names = ["description", "clause"];
        assert_eq!(named(&record, &names), "description none, clause none");
    }
}
