//! Use cases over every kind of configured object by its table (`domain::schema`): add, update,
//! get, list, remove.
//!
//! ```text
//! mod.rs          add, remove, get and list, in terms of a kind
//! update.rs       changing one: read, merge, write; again when somebody was faster
//! kind.rs         what differs between kinds, and which type is which
//! draft.rs        what is to be written, as a kind reads it
//! names.rs        which object a name or an identity means
//! said_twice.rs   references that say both
//! line_of_number.rs  which line a number means
//! line_identity.rs   which line a group means by its identity
//! keyed.rs        the same of those that go by several elements
//! criteria.rs     which objects a list wants
//! choices.rs      what can be chosen for an element
//! defaults.rs     what answers show for what nobody has said
//! restart.rs      which phones are told
//! <kind>.rs       what the program acts on of one kind: record to use case and back
//! ```
//!
//! What the program acts on ([`Treatment::Applied`](crate::domain::schema::Treatment)) goes through
//! the kind's own use case, the same that pages and REST call; everything else is kept in
//! the same transaction and given back.

mod app_user;
mod call_manager;
mod choices;
mod credential_policy_default;
mod credentials;
mod criteria;
mod defaults;
mod device_defaults;
mod draft;
mod error;
mod feature_group_template;
mod keyed;
mod kind;
mod line;
mod line_identity;
mod line_of_number;
mod names;
mod people;
mod phone;
mod phone_activation_code;
mod process_node;
mod restart;
mod rows;
mod said_twice;
mod self_provisioning;
mod templates;
mod universal_device_template;
mod universal_line_template;
mod update;
mod user;
mod user_group;
mod user_phone_association;
mod user_profile;

use std::collections::HashMap;

use super::App;
use super::administration::AdministrationError;
use super::attributes;
use super::history::record::Actor;
use crate::domain::pkid::Pkid;
use crate::domain::schema;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::SchemaVersion;
use crate::store::Connection;

pub use choices::Choice;
pub use choices::ChoiceRequest;
pub use choices::choices;
pub use criteria::Criteria;
pub use defaults::Defaults;
pub(in crate::service) use draft::Draft;
pub use error::ObjectError;
use kind::Kind;
use kind::kind_of;
pub use restart::restart;
pub use update::CHANGES_WAITING_MAX;
use update::TRIES_MAX;
pub use update::update;

/// Which object is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ObjectKey {
    /// By identity.
    Pkid(Pkid),
    /// By its name, its user ID, or whatever its kind is addressed by. Case does not count.
    Name(String),
    /// A directory number, in a partition or in the only one that has it.
    Pattern {
        /// The number.
        pattern: String,
        /// The partition by name, identity or both; without either: `< None >`; `None`: not said.
        route_partition: Option<Reference>,
    },
    /// By identity, and by what must mean the same object.
    Both(Pkid, Box<ObjectKey>),
    /// By several elements.
    Several(Vec<(&'static str, String)>),
    /// There is one.
    Singleton,
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Pkid(pkid) | Self::Both(pkid, _) => pkid.fmt(f),
            Self::Name(name) => f.write_str(name),
            Self::Pattern { pattern, .. } => f.write_str(pattern),
            Self::Several(values) => {
                let values: Vec<&str> = values.iter().map(|(_, value)| value.as_str()).collect();
                f.write_str(&values.join(" "))
            }
            Self::Singleton => Ok(()),
        }
    }
}

type Outcome<T> = Result<T, ObjectError>;

/// Adds an object of which `record` says what `version` lets one say.
///
/// # Errors
///
/// [`ObjectError`] names the element that is missing, does not fit or names nothing.
pub async fn add(
    app: &App,
    actor: &Actor,
    object: &'static ObjectType,
    version: SchemaVersion,
    mut record: Record,
) -> Outcome<Pkid> {
    kind_of(object.kind).begin(app, &mut record);
    if let Some(element) = schema::defaults::missing(object, &record, version) {
        return Err(ObjectError::Missing(element.name));
    }
    refuse_contradiction(object, &Record::default(), &record)?;
    schema::defaults::fill(object, &mut record, version);
    let mut reader = app.store.read().await?;
    line_identity::resolve(app, reader.connection(), object, &mut record).await?;
    names::resolve(app, reader.connection(), object, &mut record).await?;
    drop(reader);
    let name = record.text("name").unwrap_or_default().to_owned();
    let draft = Draft::of_new(object, version, record);
    for _ in 0..TRIES_MAX {
        match kind_of(object.kind).add(app, actor, &draft).await {
            // What it refers to, or makes on the way, has another made or changed meanwhile.
            Err(ObjectError::Administration(AdministrationError::Changed(_))) => {}
            outcome => return outcome,
        }
    }
    Err(ObjectError::KeepsChanging { object, name })
}

/// Refuses a request that says otherwise what the system keeps itself.
fn refuse_contradiction(object: &'static ObjectType, held: &Record, said: &Record) -> Outcome<()> {
    match schema::computed::contradicted(object, held, said) {
        Some((element, reason)) => Err(ObjectError::invalid(element, &reason)),
        None => Ok(()),
    }
}

/// Removes an object that nothing refers to. Gives the identity that it had.
///
/// # Errors
///
/// [`ObjectError::NotFound`] when there is no such object; what refers to it is named.
pub async fn remove(
    app: &App,
    actor: &Actor,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Pkid> {
    let mut reader = app.store.read().await?;
    let pkid = find(app, reader.connection(), object, key).await?;
    drop(reader);
    kind_of(object.kind)
        .remove(app, actor, object, pkid)
        .await?;
    Ok(pkid)
}

/// The object that a key means, with everything that is known of it but secrets.
///
/// # Errors
///
/// [`ObjectError::NotFound`] when there is no such object.
pub async fn get(
    app: &App,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<(Pkid, Record)> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let pkid = find(app, connection, object, key).await?;
    let found = read(app, connection, object, &[pkid]).await?;
    found
        .into_iter()
        .next()
        .ok_or_else(|| ObjectError::not_found(object, key))
}

/// The identities of all objects of a kind that match, in an order that stays the same, so that a
/// caller can take them page by page ([`records`]).
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub async fn list(
    app: &App,
    object: &'static ObjectType,
    criteria: &Criteria,
) -> Outcome<Vec<Pkid>> {
    let mut reader = app.store.read().await?;
    kind_of(object.kind)
        .list(app, reader.connection(), object, criteria)
        .await
}

/// These objects with everything that is known of them but secrets; one that is gone is left out.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub async fn records(
    app: &App,
    object: &'static ObjectType,
    pkids: &[Pkid],
) -> Outcome<Vec<(Pkid, Record)>> {
    let mut reader = app.store.read().await?;
    read(app, reader.connection(), object, pkids).await
}

/// Which object a key means.
async fn find(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Pkid> {
    names::find(app, connection, object, key)
        .await?
        .ok_or_else(|| ObjectError::not_found(object, key))
}

async fn read(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    pkids: &[Pkid],
) -> Outcome<Vec<(Pkid, Record)>> {
    let mut records = kind_of(object.kind)
        .read(app, connection, object, pkids)
        .await?;
    let mut kept = attributes::of_many(connection, pkids).await?;
    // The same few names stand in most objects of a list.
    let mut known = HashMap::new();
    for (pkid, record) in &mut records {
        if let Some(kept) = kept.remove(pkid) {
            schema::stored::restore(record, object, kept);
            names::fill_in(app, connection, object, record, &mut known).await?;
        }
        kind_of(object.kind).complete(record);
    }
    Ok(records)
}

/// The objects of a kind in the catalogue that match, by name.
async fn list_of_catalogue(
    kind: &dyn Kind,
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    criteria: &Criteria,
) -> Outcome<Vec<Pkid>> {
    let catalogue = app.catalogue.load_full();
    let mut named: Vec<(String, Pkid)> = kind
        .in_catalogue(&catalogue, object.kind)
        // The partition without a name is no object of its own.
        .filter(|(_, name)| !name.is_empty())
        .map(|(pkid, name)| (name.to_lowercase(), pkid))
        .collect();
    named.sort();
    let pkids: Vec<Pkid> = named.into_iter().map(|(_, pkid)| pkid).collect();
    if criteria.elements().next().is_none() {
        return Ok(pkids);
    }
    let records = kind.read(app, connection, object, &pkids).await?;
    Ok(records
        .into_iter()
        .filter(|(_, record)| criteria.fit(record))
        .map(|(pkid, _)| pkid)
        .collect())
}
