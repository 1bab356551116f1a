//! Which object a name or an identity means, and the name of an object.

use std::collections::HashMap;

use super::ObjectError;
use super::ObjectKey;
use super::Outcome;
use super::keyed;
use super::kind::Named;
use super::kind_of;
use super::line_of_number;
use super::said_twice::is_called;
use super::said_twice::two_objects;
use crate::domain::catalogue::Catalogue;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::domain::schema::references;
use crate::service::App;
use crate::store::Connection;

/// The object of this kind that a key means.
///
/// # Errors
///
/// [`ObjectError`] when the key means two objects, or the database fails.
pub(super) async fn find(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Option<Pkid>> {
    let ObjectKey::Both(pkid, key) = key else {
        return find_by_one(app, connection, object, key).await;
    };
    let by_pkid = ObjectKey::Pkid(*pkid);
    let Some(pkid) = find_by_one(app, connection, object, &by_pkid).await? else {
        return Ok(None);
    };
    let is_same = match key.as_ref() {
        // Any partition will do.
        ObjectKey::Pattern {
            pattern,
            route_partition: None,
        } => {
            let lines = line_of_number::lines_of(connection, pattern).await?;
            lines.iter().any(|line| line.pkid == pkid)
        }
        key => find_by_one(app, connection, object, key).await? == Some(pkid),
    };
    if is_same {
        return Ok(Some(pkid));
    }
    let reason = format!("it is not the identity of {key}: send one of the two");
    Err(ObjectError::invalid("uuid", &reason))
}

async fn find_by_one(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Option<Pkid>> {
    let kind = kind_of(object.kind);
    match key {
        ObjectKey::Pkid(pkid) => {
            let name = kind.name_of(app, connection, object.kind, *pkid).await?;
            // The partition without a name is no object of its own.
            Ok(name.filter(|name| !name.is_empty()).map(|_| *pkid))
        }
        ObjectKey::Name(name) => kind.find(app, connection, object.kind, name).await,
        ObjectKey::Pattern {
            pattern,
            route_partition,
        } => line_of_number::by_pattern(app, connection, pattern, route_partition.as_ref()).await,
        ObjectKey::Several(values) => {
            let keys = kind.keys(&app.catalogue.load());
            Ok(keyed::find(keys, values))
        }
        ObjectKey::Singleton => match kind.singleton() {
            Some(pkid) => Ok(Some(pkid)),
            None => Err(ObjectError::NotServed(object)),
        },
        ObjectKey::Both(..) => Err(ObjectError::NotServed(object)),
    }
}

/// The name of an object; `None` when there is no such object.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn name_of(
    app: &App,
    connection: &mut Connection,
    kind: ObjectKind,
    pkid: Pkid,
) -> Outcome<Option<String>> {
    kind_of(kind).name_of(app, connection, kind, pkid).await
}

/// Identity and name of every object of a kind that the catalogue has.
pub(super) fn in_catalogue(catalogue: &Catalogue, kind: ObjectKind) -> Named<'_> {
    kind_of(kind).in_catalogue(catalogue, kind)
}

/// Gives every reference of a record both its name and its identity. Who says both must mean one
/// object.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] names the first that names nothing.
pub(super) async fn resolve(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    record: &mut Record,
) -> Outcome<()> {
    for found in references::of(object, record) {
        let (kind, reference) = (found.kind, found.reference);
        let resolved = identified(app, connection, found.element, kind, reference).await?;
        let Some((pkid, name)) = resolved else {
            let name = match reference.pkid {
                Some(pkid) => format!("{{{pkid}}}"),
                None => reference.name.clone(),
            };
            return Err(ObjectError::Unresolved {
                element: found.element,
                kind,
                name,
            });
        };
        *reference = Reference {
            name,
            pkid: Some(pkid),
        };
    }
    Ok(())
}

/// The object that a reference means, with its name as the system has it; `None` when there is
/// none.
async fn identified(
    app: &App,
    connection: &mut Connection,
    element: &'static str,
    kind: ObjectKind,
    reference: &Reference,
) -> Outcome<Option<(Pkid, String)>> {
    let of = kind_of(kind);
    let pkid = match reference.pkid {
        Some(pkid) => pkid,
        None => match of.find(app, connection, kind, &reference.name).await? {
            Some(pkid) => pkid,
            None => return Ok(None),
        },
    };
    let Some(name) = of.name_of(app, connection, kind, pkid).await? else {
        return Ok(None);
    };
    if !is_called(reference, &name)
        && of.find(app, connection, kind, &reference.name).await? != Some(pkid)
    {
        return Err(two_objects(element, &name, reference));
    }
    Ok(Some((pkid, name)))
}

/// Gives the references of a record that have an identity their names. `known` spares asking twice.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn fill_in(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    record: &mut Record,
    known: &mut HashMap<Pkid, String>,
) -> Outcome<()> {
    for found in references::of(object, record) {
        let Some(pkid) = found
            .reference
            .pkid
            .filter(|_| found.reference.name.is_empty())
        else {
            continue;
        };
        if let Some(name) = known.get(&pkid) {
            found.reference.name.clone_from(name);
            continue;
        }
        let name = name_of(app, connection, found.kind, pkid)
            .await?
            .unwrap_or_default();
        found.reference.name.clone_from(&name);
        known.insert(pkid, name);
    }
    Ok(())
}

/// A reference to an object of the catalogue; nothing for none.
pub(super) fn reference(catalogue: &Catalogue, kind: ObjectKind, pkid: Option<Pkid>) -> Value {
    let Some(pkid) = pkid else {
        return Value::Nothing;
    };
    let name = in_catalogue(catalogue, kind).find(|(known, _)| *known == pkid);
    Value::Reference(Reference {
        name: name.map_or_else(String::new, |(_, name)| name.to_owned()),
        pkid: Some(pkid),
    })
}

/// The route partition of an object; nothing for `< None >`.
pub(super) fn route_partition(catalogue: &Catalogue, pkid: Pkid) -> Value {
    let has_name = |name: &String| !name.is_empty();
    let named = catalogue.route_partitions.get(&pkid).is_some_and(has_name);
    reference(catalogue, ObjectKind::RoutePartition, named.then_some(pkid))
}
