//! Writing the histories: each phone's timeline and the audit log.

use std::fmt;
use std::net::IpAddr;

use crate::domain::device::DeviceName;
use crate::domain::history::AuditEntry;
use crate::domain::history::AuditKind;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEntry;
use crate::domain::history::TimelineEvent;
use crate::domain::login_name::UserId;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What a row of a timeline says beside phone, event and time.
#[derive(Debug, Clone, Default)]
pub struct Happening {
    /// The code of a refusal; empty otherwise.
    pub code: &'static str,
    /// A sentence for the administrator; never a secret.
    pub detail: String,
    /// The address it came from.
    pub source: Option<IpAddr>,
    /// User ID of the user concerned; empty when there is none.
    pub end_user: String,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

/// Writes a row of a phone's timeline within the caller's transaction.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn happened(
    app: &App,
    connection: &mut Connection,
    device_name: &DeviceName,
    event: TimelineEvent,
    happening: Happening,
) -> Result<(), StoreError> {
    let at = app.environment.now();
    let entry = TimelineEntry {
        pkid: app.environment.new_ordered_pkid(at),
        at,
        device_name: device_name.clone(),
        event,
        code: happening.code.to_owned(),
        detail: happening.detail,
        source: happening.source,
        end_user: happening.end_user,
        correlation: happening.correlation,
    };
    store::history::insert_timeline(connection, &entry).await
}

/// Whoever changes something. It is shown as audit log and timelines have it, the same by every door:
/// `user:aksethi`, `application:provisioner`, `device:SEP0011AABBCCDD`, `system`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// An end user, at a phone or over an API.
    User(UserId),
    /// An application user.
    Application(UserId),
    /// A phone at which nobody has said who they are.
    Device(DeviceName),
    /// The service itself, or whoever may command it on its machine.
    System,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user_id) => write!(f, "user:{user_id}"),
            Self::Application(user_id) => write!(f, "application:{user_id}"),
            Self::Device(name) => write!(f, "device:{name}"),
            Self::System => f.write_str("system"),
        }
    }
}

/// Who does something and from where, for the audit log.
#[derive(Debug, Clone)]
pub struct Actor {
    /// Who.
    pub who: Who,
    /// An address or a door (`command line`).
    pub source: String,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
}

impl Actor {
    /// Somebody at an address.
    pub fn at_address(who: Who, source: IpAddr, correlation: CorrelationId) -> Self {
        Self {
            who,
            source: source.to_canonical().to_string(),
            correlation: Some(correlation),
        }
    }

    /// The service itself; `source` is what made it act: `command line`, `housekeeping`.
    pub fn system(source: &str, correlation: Option<CorrelationId>) -> Self {
        Self {
            who: Who::System,
            source: source.to_owned(),
            correlation,
        }
    }
}

/// A change, for the audit log.
#[derive(Debug, Clone)]
pub struct Change {
    /// What was done, as `object.verb`: `device.provision`.
    pub action: &'static str,
    /// Kind of object.
    pub object_kind: AuditKind,
    /// Its name.
    pub object_name: String,
    /// What it was before, in words; never a secret.
    pub before: String,
    /// What it is after, in words; never a secret.
    pub after: String,
}

/// Writes a row of the audit log within the caller's transaction, about something that has no
/// identity of its own.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn audit(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    change: Change,
) -> Result<(), StoreError> {
    write_audit(app, connection, actor, (None, &[]), change).await
}

/// Writes a row of the audit log about an object within the caller's transaction: `listChange` then
/// says which one.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn audit_object(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    object: Pkid,
    change: Change,
) -> Result<(), StoreError> {
    write_audit(app, connection, actor, (Some(object), &[]), change).await
}

/// Writes a row of the audit log about a change of these elements of an object, by their names in
/// AXL, within the caller's transaction: `listChange` then says which.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn audit_elements(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (object, elements): (Pkid, &[&'static str]),
    change: Change,
) -> Result<(), StoreError> {
    write_audit(app, connection, actor, (Some(object), elements), change).await
}

async fn write_audit(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (object, elements): (Option<Pkid>, &[&'static str]),
    change: Change,
) -> Result<(), StoreError> {
    let at = app.environment.now();
    let entry = AuditEntry {
        pkid: app.environment.new_ordered_pkid(at),
        at,
        actor: actor.who.to_string(),
        source: actor.source.clone(),
        action: change.action,
        object_kind: change.object_kind,
        object_name: change.object_name,
        object,
        before: change.before,
        after: change.after,
        elements: elements.to_vec(),
        correlation: actor.correlation,
    };
    store::history::insert_audit(connection, &entry).await
}
