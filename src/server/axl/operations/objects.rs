//! `add…`, `update…`, `get…` and `remove…` of every kind of object, by its table.

use crate::domain::schema::{
    Key, ObjectKind, ObjectType, Operation, Places, SchemaVersion, dialect,
};
use crate::service::objects::{self, Defaults, ObjectError, ObjectKey};

use super::super::decode::{self, Decoded};
use super::super::encode::{Encoding, Tags, uuid};
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::xml::Element;
use super::Caller;

/// The operation and the kind of object that an operation's name is made of; `None` when `version`
/// has no such operation.
pub(super) fn parsed(
    operation: &str,
    version: SchemaVersion,
) -> Option<(Operation, &'static ObjectType)> {
    Operation::ALL.into_iter().find_map(|verb| {
        let noun = verb.noun_in(operation)?;
        let object = if version.is_old_dialect() {
            dialect::by_noun(noun)
        } else {
            ObjectType::by_noun(noun)
        }?;
        let since = object.has_since(verb)?;
        (since <= version).then_some((verb, object))
    })
}

/// Adds an object; gives its identity.
pub(super) async fn add(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let version = caller.version;
    let children = wrapped(call, object, version)?;
    let decoded = decode::decode(children, object, version, Places::ADD, &[])?;
    let Decoded { record, ignored } = decoded;
    caller.report(ignored)?;
    let pkid = objects::add(caller.app, caller.actor, object, version, record).await?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}

/// The elements of the object to be added, which stand inside one around them. Before 8.0 that one
/// has another name; scripts also leave it out.
fn wrapped<'a>(
    call: &'a Call,
    object: &ObjectType,
    version: SchemaVersion,
) -> Result<&'a [Element], Fault> {
    let old = dialect::wrapper(object.kind);
    match call.arguments() {
        [only] if only.name == object.element => Ok(&only.children),
        [only] if version.is_old_dialect() && only.name == old => Ok(&only.children),
        arguments if version.is_old_dialect() && arguments.iter().all(is_leaf_or_known(object)) => {
            Ok(arguments)
        }
        arguments => {
            let got: Vec<&str> = arguments.iter().map(|one| one.name.as_str()).collect();
            let hint = if got == [old.as_str()] {
                format!(
                    "; {old} is the form of AXL 7.1: send the element {}, or the SOAPAction \
                     \"CUCM:DB ver=7.1 {}\"",
                    object.element,
                    call.operation()
                )
            } else {
                String::new()
            };
            Err(Fault::not_valid(format!(
                "AXL {version} {} takes one element, {}, and got {}{hint}",
                call.operation(),
                object.element,
                if got.is_empty() {
                    "none".to_owned()
                } else {
                    got.join(", ")
                },
            )))
        }
    }
}

/// Elements that may stand without the wrapper: those of the object.
fn is_leaf_or_known(object: &ObjectType) -> impl Fn(&Element) -> bool {
    let object = *object;
    move |argument| {
        dialect::element(&object, object.elements, &argument.name, Places::ADD).is_some()
    }
}

/// Changes an object; gives its identity.
pub(super) async fn update(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let (key, names) = key_of(call, object, caller.version, Operation::Update)?;
    let arguments = call.arguments();
    let decoded = decode::decode(arguments, object, caller.version, Places::UPDATE, &names)?;
    caller.report(decoded.ignored)?;
    let updated = objects::update(
        caller.app,
        caller.actor,
        object,
        caller.version,
        &key,
        decoded.record,
    )
    .await;
    let pkid = updated.map_err(|error| match error {
        ObjectError::NotFound { object, .. } => Fault::not_updated(object.kind.noun()),
        error => error.into(),
    })?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}

/// Removes an object; gives the identity that it had.
pub(super) async fn remove(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let (key, names) = key_of(call, object, caller.version, Operation::Remove)?;
    no_others(call, &names)?;
    let pkid = objects::remove(caller.app, caller.actor, object, &key).await?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}

/// One object.
pub(super) async fn get(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let (key, mut names) = key_of(call, object, caller.version, Operation::Get)?;
    names.push("returnedTags");
    no_others(call, &names)?;
    let encoding = Encoding {
        object,
        version: caller.version,
        place: Places::GET,
        tags: call
            .argument("returnedTags")
            .filter(|tags| !tags.children.is_empty())
            .map_or(Tags::All, Tags::Below),
    };
    let (pkid, mut record) = objects::get(caller.app, object, &key).await?;
    let at = (caller.version, Places::GET);
    Defaults::default().show(caller.app, object, at, &mut record);
    let text = encoding.object(pkid, &record);
    Ok(format!("<return>{text}</return>"))
}

/// Which object is meant, and the names of the elements that say it.
pub(super) fn key_of(
    call: &Call,
    object: &ObjectType,
    version: SchemaVersion,
    operation: Operation,
) -> Result<(ObjectKey, Vec<&'static str>), Fault> {
    let (name, identity) = if version.is_old_dialect() && operation != Operation::Update {
        dialect::keys(object.kind)
    } else {
        let name = match object.key {
            Key::Name(name) => name,
            Key::Pattern => "pattern",
            Key::Several(_) | Key::Singleton => "",
        };
        (name, "uuid")
    };
    let said = |name: &str| call.argument(name).filter(|argument| !argument.is_empty());
    let mut names = vec![identity];
    let key = match object.key {
        Key::Singleton => Some(ObjectKey::Singleton),
        Key::Several(elements) => {
            names.extend(elements);
            let values: Vec<_> = elements
                .iter()
                .filter_map(|element| Some((*element, said(element)?.value())))
                .collect();
            (values.len() == elements.len()).then_some(ObjectKey::Several(values))
        }
        Key::Name(_) => {
            names.push(name);
            said(name).map(|argument| ObjectKey::Name(argument.value()))
        }
        Key::Pattern => {
            names.extend([name, "routePartitionName"]);
            let route_partition = call.argument("routePartitionName").map(Element::value);
            said(name).map(|argument| ObjectKey::Pattern {
                pattern: argument.value(),
                route_partition,
            })
        }
    };
    if let Some(argument) = said(identity) {
        let pkid = argument.value().trim().parse().map_err(|error| {
            Fault::not_valid(format!("{identity} is {:?}: {error}", argument.value()))
        })?;
        return Ok((ObjectKey::Pkid(pkid), names));
    }
    key.map(|key| (key, names.clone())).ok_or_else(|| {
        Fault::not_valid(format!(
            "{} does not say which {} is meant: send {}",
            call.operation(),
            object.kind.noun(),
            names.join(" or ")
        ))
    })
}

/// Refuses every element that the operation does not have.
pub(super) fn no_others(call: &Call, names: &[&str]) -> Result<(), Fault> {
    let other = call
        .arguments()
        .iter()
        .find(|argument| !names.contains(&argument.name.as_str()));
    match other {
        Some(argument) => Err(Fault::not_valid(format!(
            "{} has no element {}; it has {}",
            call.operation(),
            argument.name,
            names.join(", ")
        ))),
        None => Ok(()),
    }
}

impl From<ObjectError> for Fault {
    fn from(error: ObjectError) -> Self {
        match error {
            // Clients compare the sentences for users and lines letter by letter; for a phone they
            // expect its name.
            ObjectError::NotFound { object, name } if object.kind == ObjectKind::Phone => {
                Self::not_found(&name)
            }
            ObjectError::NotFound { object, .. } => Self::not_found(object.kind.noun()),
            ObjectError::Unresolved {
                element,
                kind,
                name,
            } => Self::unresolved(element, kind.noun(), &name),
            ObjectError::KeepsChanging { .. } => Self::failed(&error.to_string()),
            ObjectError::NotServed(_) => Self::no_operation(&error.to_string()),
            ObjectError::Missing(_) | ObjectError::Invalid { .. } => {
                Self::not_valid(error.to_string())
            }
            ObjectError::Administration(error) => error.into(),
        }
    }
}
