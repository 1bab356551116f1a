//! What a call is given beside the object itself: arguments that are known, stand once and hold
//! what they are for.

use crate::domain::pkid::Pkid;
use crate::domain::schema::Reference;

use super::super::decode;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::xml::Element;
use super::Caller;

/// A text that forms of a call have where nothing was filled in (`SoapUI`).
pub(super) const NOT_FILLED_IN: &str = "?";

/// Refuses, or in the dialect before 8.0 reports, what the operation does not have: other
/// arguments than `names`, and text between them.
///
/// # Errors
///
/// A [`Fault`] that names the first.
pub(super) fn check(caller: &Caller<'_>, call: &Call, names: &[&str]) -> Result<(), Fault> {
    check_names(caller, call.element(), call.operation(), names)?;
    check_text(caller, call.element(), call.operation())
}

/// Refuses, or in the dialect before 8.0 reports, elements that are none of `names`; each of
/// `names` stands once.
///
/// # Errors
///
/// A [`Fault`] that names the first.
pub(super) fn check_names(
    caller: &Caller<'_>,
    around: &Element,
    path: &str,
    names: &[&str],
) -> Result<(), Fault> {
    let mut ignored = Vec::new();
    for child in &around.children {
        let name = child.name.as_str();
        if names.contains(&name) {
            once(around, name, path)?;
        } else if caller.version.is_old_dialect() {
            ignored.push(format!("{path}/{name}"));
        } else {
            let known = match names {
                [] => "nothing".to_owned(),
                names => names.join(", "),
            };
            return Err(Fault::not_valid(format!(
                "AXL {} {path} has no element {name} here; it has {known}",
                caller.version
            )));
        }
    }
    caller.report(ignored)
}

/// Refuses, or in the dialect before 8.0 reports, text where elements belong.
///
/// # Errors
///
/// A [`Fault`] that names the element.
pub(super) fn check_text(caller: &Caller<'_>, around: &Element, path: &str) -> Result<(), Fault> {
    if around.text.trim().is_empty() {
        return Ok(());
    }
    if caller.version.is_old_dialect() {
        return caller.report(vec![format!("{path}/text()")]);
    }
    Err(Fault::not_valid(format!(
        "{path} holds elements, not text: put the text into the element that it is meant for, or \
         leave it out"
    )))
}

/// The element of this name, which stands once at most.
///
/// # Errors
///
/// A [`Fault`] when there are two: they may say different things.
pub(super) fn once<'a>(
    around: &'a Element,
    name: &str,
    path: &str,
) -> Result<Option<&'a Element>, Fault> {
    let mut found = around.children.iter().filter(|child| child.name == name);
    let first = found.next();
    if found.next().is_some() {
        return Err(Fault::not_valid(format!(
            "{path}: {name} stands twice; send one"
        )));
    }
    Ok(first)
}

/// What an argument says; `None` when it is absent or empty.
///
/// # Errors
///
/// A [`Fault`] when it stands twice or holds elements.
pub(super) fn text(caller: &Caller<'_>, call: &Call, name: &str) -> Result<Option<String>, Fault> {
    match once(call.element(), name, call.operation())? {
        Some(argument) => text_of(caller, argument, &format!("{}/{name}", call.operation())),
        None => Ok(None),
    }
}

/// The text of an element that holds nothing else; `None` when it is empty.
///
/// # Errors
///
/// A [`Fault`] when it holds elements, or an identity beside its text.
pub(super) fn text_of(
    caller: &Caller<'_>,
    element: &Element,
    path: &str,
) -> Result<Option<String>, Fault> {
    decode::check_nil(element, path)?;
    if element
        .attribute("uuid")
        .is_some_and(|uuid| !uuid.trim().is_empty())
    {
        return Err(Fault::not_valid(format!(
            "{path} has an attribute uuid, and only text counts here: send the name instead"
        )));
    }
    check_names(caller, element, path, &[])?;
    Ok(Some(element.value()).filter(|text| !element.is_empty() && !text.is_empty()))
}

/// What an element says that names another object: by name, by identity, or by both.
///
/// # Errors
///
/// A [`Fault`] when it holds elements or its identity is none.
pub(super) fn reference(
    caller: &Caller<'_>,
    element: &Element,
    path: &str,
) -> Result<Reference, Fault> {
    decode::check_nil(element, path)?;
    check_names(caller, element, path, &[])?;
    let uuid = element.attribute("uuid").unwrap_or_default().trim();
    let pkid = Some(uuid).filter(|uuid| !uuid.is_empty());
    Ok(Reference {
        name: element.value(),
        pkid: pkid.map(|uuid| self::pkid(path, uuid)).transpose()?,
    })
}

/// An identity.
///
/// # Errors
///
/// A [`Fault`] when it is none.
pub(super) fn pkid(path: &str, text: &str) -> Result<Pkid, Fault> {
    text.trim()
        .parse()
        .map_err(|error| Fault::not_valid(format!("{path} is {text:?}: {error}")))
}

/// A whole number from 0 up; `None` when the argument is absent, empty or was not filled in.
///
/// # Errors
///
/// A [`Fault`] when it is no number.
pub(super) fn count(caller: &Caller<'_>, call: &Call, name: &str) -> Result<Option<usize>, Fault> {
    let said = text(caller, call, name)?.filter(|text| text != NOT_FILLED_IN);
    said.map(|text| {
        text.parse().map_err(|_| {
            Fault::not_valid(format!(
                "{name} is {text:?}; it is a whole number from 0 up"
            ))
        })
    })
    .transpose()
}
