//! The elements of an AXL object that the program keeps and does not act on. They are written in
//! the transaction of the object they belong to.

use std::collections::HashMap;

use super::App;
use super::ServiceError;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::StoredElements;
use crate::domain::schema::StoredValue;
use crate::domain::schema::made_from;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::attribute::Kept;

/// Keeps what was said of an object; what was kept for the same elements before goes.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub(super) async fn write(
    app: &App,
    connection: &mut Connection,
    owner: Pkid,
    elements: &StoredElements,
) -> Result<(), ServiceError> {
    if elements.replaced.is_empty() {
        return Ok(());
    }
    let mut held = store::attribute::of_many(connection, &[owner]).await?;
    let gone: Vec<String> = held
        .remove(&owner)
        .unwrap_or_default()
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| elements.replaced.contains(&first_step(path)))
        .collect();
    if !gone.is_empty() {
        store::attribute::delete(connection, owner, &gone).await?;
    }
    let mut rows = Vec::with_capacity(elements.values.len());
    for (path, value) in &elements.values {
        let kept = match value {
            StoredValue::Text(text) => Kept::Text(text.clone()),
            StoredValue::Secret(secret) => {
                Kept::Text(store::sealed_text(&app.keys.seal_secret(secret)?))
            }
            StoredValue::Reference(pkid) => Kept::Reference(*pkid),
        };
        rows.push((path.clone(), kept));
    }
    Ok(store::attribute::insert(connection, owner, &rows).await?)
}

/// `busyLampFields` of `busyLampFields/busyLampField[1]/label`.
fn first_step(path: &str) -> &str {
    path.split(['/', '[']).next().unwrap_or(path)
}

/// Gives what is kept for a template to what is made from it, under the names there. What that keeps
/// already stays.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(super) async fn inherit(
    connection: &mut Connection,
    (kind, template): (ObjectKind, Pkid),
    made: Pkid,
) -> Result<(), StoreError> {
    let mut held = store::attribute::of_many(connection, &[template, made]).await?;
    let Some(theirs) = held.remove(&template) else {
        return Ok(());
    };
    let own = held.remove(&made).unwrap_or_default();
    let inherited: Vec<(String, Kept)> = theirs
        .into_iter()
        .filter_map(|(path, kept)| Some((made_from::path_on(kind, &path)?, kept)))
        .filter(|(path, _)| !own.iter().any(|(held, _)| held == path))
        .collect();
    store::attribute::insert(connection, made, &inherited).await
}

/// A template and the new objects that are made from it, which keep nothing yet.
pub(super) type Made<'a> = (ObjectKind, Pkid, &'a [Pkid]);

/// [`inherit`] for many new objects at once.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(super) async fn inherit_many(
    connection: &mut Connection,
    made: &[Made<'_>],
) -> Result<(), StoreError> {
    let templates: Vec<Pkid> = made.iter().map(|(_, template, _)| *template).collect();
    let held = store::attribute::of_many(connection, &templates).await?;
    let mut rows = Vec::new();
    for (kind, template, made) in made {
        let theirs = held.get(template).into_iter().flatten();
        let inherited =
            theirs.filter_map(|(path, kept)| Some((made_from::path_on(*kind, path)?, kept)));
        for (path, kept) in inherited {
            rows.extend(made.iter().map(|made| (*made, path.clone(), kept)));
        }
    }
    let rows: Vec<_> = rows
        .iter()
        .map(|(made, path, kept)| (*made, path.as_str(), *kept))
        .collect();
    store::attribute::insert_of_many(connection, &rows).await
}

/// What is kept for each of these objects. Secrets stay sealed: nobody is told them.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub(super) async fn of_many(
    connection: &mut Connection,
    owners: &[Pkid],
) -> Result<HashMap<Pkid, Vec<(String, StoredValue)>>, ServiceError> {
    let kept = store::attribute::of_many(connection, owners).await?;
    let value = |kept: Kept| match kept {
        Kept::Text(text) => StoredValue::Text(text),
        Kept::Reference(pkid) => StoredValue::Reference(pkid),
    };
    Ok(kept
        .into_iter()
        .map(|(owner, elements)| {
            let elements = elements.into_iter();
            (
                owner,
                elements.map(|(path, kept)| (path, value(kept))).collect(),
            )
        })
        .collect())
}
