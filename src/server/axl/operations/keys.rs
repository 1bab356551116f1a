//! Which object a call means: by its identity, by its key, or by both when they agree.

use crate::domain::schema::{Key, ObjectType, Operation, Places, Reference, Value, dialect};
use crate::service::objects::ObjectKey;

use super::super::decode;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::xml::Element;
use super::{Caller, arguments};

/// The partition of a number; before 8.0 it has further forms.
const PARTITION: &str = "routePartitionName";
const PARTITION_FORMS: [&str; 3] = [PARTITION, "routePartitionId", "routePartition"];

/// Which object is meant, and the names of the elements that say it.
///
/// # Errors
///
/// A [`Fault`] when it is not said, said twice, or said in part.
pub(super) fn key_of(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
    operation: Operation,
) -> Result<(ObjectKey, Vec<&'static str>), Fault> {
    let (name, identity) = if caller.version.is_old_dialect() && operation != Operation::Update {
        dialect::keys(object.kind)
    } else {
        let name = match object.key {
            Key::Name(name) => name,
            Key::Pattern => "pattern",
            Key::Several(_) | Key::Singleton => "",
        };
        (name, "uuid")
    };
    let said = |name: &str| arguments::text(caller, call, name);
    let mut names = vec![identity];
    let key = match object.key {
        Key::Singleton => Some(ObjectKey::Singleton),
        Key::Several(elements) => {
            names.extend(elements);
            several(caller, call, elements)?
        }
        Key::Name(_) => {
            names.push(name);
            said(name)?.map(ObjectKey::Name)
        }
        Key::Pattern => {
            names.push(name);
            names.extend(partition_names(caller));
            let route_partition = route_partition(caller, call, object)?;
            match said(name)? {
                Some(pattern) => Some(ObjectKey::Pattern {
                    pattern,
                    route_partition,
                }),
                None if route_partition.is_some_and(|one| one != Reference::default()) => {
                    return Err(unclear(call, object, identity, &names));
                }
                None => None,
            }
        }
    };
    let Some(text) = said(identity)? else {
        let key = key.ok_or_else(|| unclear(call, object, identity, &names))?;
        return Ok((key, names));
    };
    let pkid = arguments::pkid(identity, &text)?;
    let key = match key {
        None | Some(ObjectKey::Singleton) => ObjectKey::Pkid(pkid),
        Some(key) => ObjectKey::Both(pkid, Box::new(key)),
    };
    Ok((key, names))
}

/// All of several elements, or none of them.
fn several(
    caller: &Caller<'_>,
    call: &Call,
    elements: &'static [&'static str],
) -> Result<Option<ObjectKey>, Fault> {
    let mut values = Vec::new();
    for element in elements {
        if let Some(value) = arguments::text(caller, call, element)? {
            values.push((*element, value));
        }
    }
    match values.len() {
        0 => Ok(None),
        count if count == elements.len() => Ok(Some(ObjectKey::Several(values))),
        _ => Err(Fault::not_valid(format!(
            "{} has only some of {}: send them all, or uuid",
            call.operation(),
            elements.join(", ")
        ))),
    }
}

fn partition_names(caller: &Caller<'_>) -> &'static [&'static str] {
    if caller.version.is_old_dialect() {
        &PARTITION_FORMS
    } else {
        &PARTITION_FORMS[..1]
    }
}

/// The partition that a call says, by name, identity or both; nothing of it is `< None >`.
fn route_partition(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<Option<Reference>, Fault> {
    let mut said: Option<(&str, Reference)> = None;
    for name in partition_names(caller) {
        let Some(argument) = arguments::once(call.element(), name, call.operation())? else {
            continue;
        };
        if let Some((other, _)) = said {
            return Err(Fault::not_valid(format!(
                "{}: {other} and {name} say the same; send one",
                call.operation()
            )));
        }
        said = Some((name, partition_of(caller, call, object, argument)?));
    }
    Ok(said.map(|(_, reference)| reference))
}

fn partition_of(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
    argument: &Element,
) -> Result<Reference, Fault> {
    let path = format!("{}/{}", call.operation(), argument.name);
    decode::check_nil(argument, &path)?;
    let found = dialect::element(object, object.elements, &argument.name, Places::ADD);
    let Some((element, form)) = found else {
        return Ok(Reference::default());
    };
    if form != dialect::Form::Object {
        arguments::check_names(caller, argument, &path, &[])?;
    }
    match decode::reference(argument, element, form)? {
        Value::Reference(reference) => Ok(reference),
        _ => Ok(Reference::default()),
    }
}

/// The fault of a call that does not say which object is meant, or not wholly.
fn unclear(
    call: &Call,
    object: &'static ObjectType,
    identity: &str,
    names: &[&'static str],
) -> Fault {
    let others: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| *name != identity)
        .collect();
    let key = match object.key {
        Key::Pattern => "pattern (with routePartitionName, if it is in a partition)".to_owned(),
        Key::Several(_) => format!("{} together", others.join(" and ")),
        Key::Name(_) | Key::Singleton => others.join(" or "),
    };
    Fault::not_valid(format!(
        "{} does not say which {} is meant: send {identity}, or {key}",
        call.operation(),
        object.kind.noun(),
    ))
}
