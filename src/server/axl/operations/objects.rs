//! `add…`, `update…`, `get…` and `remove…` of every kind of object, by its table.

use crate::domain::schema::{ObjectKind, ObjectType, Operation, Places, dialect};
use crate::service::objects::{self, Defaults, ObjectError};

use super::super::decode::{self, Decoded};
use super::super::encode::{Encoding, uuid};
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::tags::Tags;
use super::super::xml::Element;
use super::keys::key_of;
use super::{Caller, arguments};

/// Adds an object; gives its identity.
pub(super) async fn add(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let version = caller.version;
    let around = wrapped(caller, call, object)?;
    let decoded = decode::decode(around, object, version, Places::ADD, &[])?;
    let Decoded { record, ignored } = decoded;
    caller.report(ignored)?;
    let pkid = objects::add(caller.app, caller.actor, object, version, record).await?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}

/// The element around the object to be added. Before 8.0 it has another name; scripts also leave
/// it out.
fn wrapped<'a>(
    caller: &Caller<'_>,
    call: &'a Call,
    object: &ObjectType,
) -> Result<&'a Element, Fault> {
    let old = dialect::wrapper(object.kind);
    let names = if caller.version.is_old_dialect() {
        vec![object.element, &old]
    } else {
        vec![object.element]
    };
    let arguments = call.arguments();
    let mut wrappers = arguments
        .iter()
        .filter(|argument| names.contains(&argument.name.as_str()));
    match (wrappers.next(), wrappers.next()) {
        (Some(wrapper), None) => {
            arguments::check(caller, call, &names)?;
            Ok(wrapper)
        }
        (None, _) if caller.version.is_old_dialect() && arguments.iter().any(is_of(object)) => {
            Ok(call.element())
        }
        _ => Err(not_wrapped(caller, call, object, &old)),
    }
}

fn not_wrapped(caller: &Caller<'_>, call: &Call, object: &ObjectType, old: &str) -> Fault {
    let got = call.arguments().iter();
    let got: Vec<&str> = got.map(|one| one.name.as_str()).collect();
    let hint = if got == [old] {
        format!(
            "; {old} is the form of AXL 7.1: send the element {}, or the SOAPAction \
             \"CUCM:DB ver=7.1 {}\"",
            object.element,
            call.operation()
        )
    } else {
        String::new()
    };
    Fault::not_valid(format!(
        "AXL {} {} takes one element, {}, and got {}{hint}",
        caller.version,
        call.operation(),
        object.element,
        if got.is_empty() {
            "none".to_owned()
        } else {
            got.join(", ")
        },
    ))
}

/// Elements of the object, which may stand without the wrapper.
fn is_of(object: &ObjectType) -> impl Fn(&Element) -> bool {
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
    let (key, names) = key_of(caller, call, object, Operation::Update)?;
    let around = call.element();
    let decoded = decode::decode(around, object, caller.version, Places::UPDATE, &names)?;
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
        ObjectError::NotFound {
            object: missing, ..
        } if missing.kind == object.kind => Fault::not_updated(missing.kind.noun()),
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
    let (key, names) = key_of(caller, call, object, Operation::Remove)?;
    arguments::check(caller, call, &names)?;
    let pkid = objects::remove(caller.app, caller.actor, object, &key).await?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}

/// One object.
pub(super) async fn get(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let (key, mut names) = key_of(caller, call, object, Operation::Get)?;
    names.push("returnedTags");
    arguments::check(caller, call, &names)?;
    let tags = match call.argument("returnedTags") {
        Some(tags) => {
            let (tags, ignored) = Tags::read(tags, object, caller.version, Places::GET)?;
            caller.report(ignored)?;
            tags
        }
        None => Tags::All,
    };
    let encoding = Encoding {
        object,
        version: caller.version,
        place: Places::GET,
        tags: if tags.is_empty() { &Tags::All } else { &tags },
    };
    let (pkid, mut record) = objects::get(caller.app, object, &key).await?;
    let at = (caller.version, Places::GET);
    Defaults::default().show(caller.app, object, at, &mut record);
    let text = encoding.object(pkid, &record);
    Ok(format!("<return>{text}</return>"))
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
            ObjectError::Taken(_) => Self::not_unique(&error.to_string()),
            ObjectError::NotServed(_) => Self::no_operation(&error.to_string()),
            ObjectError::Missing(_) | ObjectError::Invalid { .. } => {
                Self::not_valid(error.to_string())
            }
            ObjectError::Administration(error) => error.into(),
        }
    }
}
