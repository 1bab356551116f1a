//! Changing an object: what is there is read, what the request says is merged into it, and the
//! kind's use case writes it, unless the object has another version by now. Then all of it is done
//! again, so that of two requests that add to one list at the same time neither is lost.

use super::Draft;
use super::ObjectError;
use super::ObjectKey;
use super::Outcome;
use super::find;
use super::kind_of;
use super::line_identity;
use super::names;
use super::read;
use super::refuse_contradiction;
use crate::domain::pkid::Pkid;
use crate::domain::schema;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::SchemaVersion;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::administration::AdministrationError;
use crate::service::history::record::Actor;

/// Requests that wait for their turn at one object: more than a client has connections, and what the
/// last one waits for is a few seconds.
pub const CHANGES_WAITING_MAX: usize = 1_000;

/// Times that one object is added or changed. Requests through this function take turns, so that only another
/// door (a phone that is claimed, a page, SQL) can be faster, and hardly twice.
pub(super) const TRIES_MAX: usize = 8;

/// Changes an object: what `said` does not name stays. `version` is the one whose elements it has.
/// Gives the object's identity.
///
/// # Errors
///
/// As [`add`](super::add); [`ObjectError::NotFound`] when there is no such object,
/// [`ObjectError::KeepsChanging`] when others were faster again and again.
pub async fn update(
    app: &App,
    actor: &Actor,
    object: &'static ObjectType,
    version: SchemaVersion,
    key: &ObjectKey,
    mut said: Record,
) -> Outcome<Pkid> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let pkid = find(app, connection, object, key).await?;
    line_identity::resolve(app, connection, object, &mut said).await?;
    names::resolve(app, connection, object, &mut said).await?;
    drop(reader);
    let turn = app.object_changes.enter_alone(&pkid).await;
    let _turn = turn.map_err(ServiceError::from)?;
    for _ in 0..TRIES_MAX {
        let draft = merged(app, (object, pkid, key), version, &said).await?;
        match kind_of(object.kind).update(app, actor, pkid, &draft).await {
            Err(ObjectError::Administration(AdministrationError::Changed(_))) => {}
            outcome => return outcome.map(|()| pkid),
        }
        kind_of(object.kind).read_again(app, pkid).await?;
    }
    Err(ObjectError::KeepsChanging {
        object,
        name: key.to_string(),
    })
}

/// The object as it is now, with what the request says.
async fn merged(
    app: &App,
    (object, pkid, key): (&'static ObjectType, Pkid, &ObjectKey),
    version: SchemaVersion,
    said: &Record,
) -> Outcome<Draft> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    // First the version: what is read after it may be newer, and is then read again.
    let held_version = kind_of(object.kind)
        .version(app, connection, object, pkid)
        .await?;
    let before = read(app, connection, object, &[pkid]).await?;
    let identified = line_identity::of_numbers(app, connection, object, said.clone()).await?;
    drop(reader);
    let (_, before) = before
        .into_iter()
        .next()
        .ok_or_else(|| ObjectError::not_found(object, key))?;
    if let Some(element) = schema::merge::takes_what_is_not_there(object, &before, said) {
        let reason = "it names an entry that is not there; read the object again";
        return Err(ObjectError::invalid(element, &reason));
    }
    if let Some(taken) = schema::merge::adds_where_another_is(object, &before, &identified) {
        return Err(ObjectError::Taken(taken));
    }
    refuse_contradiction(object, &before, said)?;
    Ok(Draft::of_change(
        object,
        version,
        (&before, held_version),
        said,
    ))
}
