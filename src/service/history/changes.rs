//! Use case: a program asks what has changed since it last asked (AXL `listChange`).
//!
//! The queue is the audit log. It begins with the first question, so that nobody pays for it who
//! never asks; the program that asked then reads everything once and goes on from there.

use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectType;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::ServiceError;
use crate::store::StoreError;
use crate::store::change_queue;
use crate::store::change_queue::ChangeQueue;
use crate::store::change_queue::NumberedChange;

/// Rows of the audit log that one question looks at; the next one goes on after them.
pub const PAGE_MAX: u32 = 1_000;

/// Rows that one transaction numbers: some ten milliseconds, for which other writers wait.
const NUMBERED_AT_ONCE: u32 = 2_000;

/// Transactions of one question that number rows: a million rows that nobody asked for.
const NUMBERINGS_MAX: u32 = 500;

/// How long before the first question the queue begins: a transaction that was open then and
/// commits after it is in the queue.
const BEGINS_BEFORE: std::time::Duration = std::time::Duration::from_mins(1);

/// From where a program wants to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The first number it has not seen.
    pub number: i64,
    /// The queue that it read before.
    pub queue_id: String,
}

/// What was done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Add,
    /// It is another.
    Update,
    /// It is gone.
    Remove,
}

/// A change of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectChange {
    /// Its place in the queue.
    pub number: i64,
    /// What was done.
    pub action: Action,
    /// The object's noun in AXL: `Phone`.
    pub noun: &'static str,
    /// The elements that an update touched, by the names they are kept under; empty where the
    /// history does not say.
    pub elements: Vec<String>,
    /// The object; `None` where the history is older than this program's habit of keeping it.
    pub object: Option<Pkid>,
}

/// The queue and a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Name of the queue.
    pub queue_id: String,
    /// Lowest number that is kept.
    pub first: i64,
    /// Highest number that was given.
    pub last: i64,
    /// The number to go on with.
    pub next: i64,
    /// The changes asked for.
    pub changes: Vec<ObjectChange>,
}

/// Why the changes cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum ChangesError {
    /// The program read another queue, or this one is younger than what it read.
    #[error(
        "the queue of changes is another by now; call listChange without startChangeId, read \
         every object anew and go on with what it answered"
    )]
    AnotherQueue,
    /// What comes first was removed from the history.
    #[error(
        "changes before {first} are no longer kept; read every object anew and go on with \
         startChangeId {next}"
    )]
    Removed {
        /// Lowest number that is kept.
        first: i64,
        /// The number to go on with.
        next: i64,
    },
    /// No such kind of object.
    #[error("objectList: this server has no object {0}; leave it out")]
    NoObject(String),
    /// Not the caller's fault.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl From<StoreError> for ChangesError {
    fn from(error: StoreError) -> Self {
        Self::Service(error.into())
    }
}

/// The changes of objects with these nouns (all where there are none) from `start` on, at most
/// [`PAGE_MAX`]. Without `start` only the queue is told: whoever asks knows nothing yet and has to
/// read everything once.
///
/// # Errors
///
/// [`ChangesError`] says what to do when the program cannot go on from `start`.
pub async fn list(
    app: &App,
    start: Option<&Start>,
    nouns: &[String],
) -> Result<Changes, ChangesError> {
    let unknown = nouns
        .iter()
        .find(|noun| ObjectType::by_noun(noun).is_none());
    if let Some(noun) = unknown {
        return Err(ChangesError::NoObject(noun.chars().take(64).collect()));
    }
    let queue = queue(app).await?;
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let after_last = queue.last_number + 1;
    let first = change_queue::first_number(connection).await?;
    let first = first.unwrap_or(after_last);
    let mut told = Changes {
        first,
        last: queue.last_number,
        next: after_last,
        changes: Vec::new(),
        queue_id: queue.queue_id,
    };
    let Some(start) = start else {
        return Ok(told);
    };
    if start.queue_id != told.queue_id || start.number > after_last {
        return Err(ChangesError::AnotherQueue);
    }
    let from = start.number.max(1);
    if from < first {
        return Err(ChangesError::Removed {
            first,
            next: after_last,
        });
    }
    let rows = change_queue::page(connection, from, PAGE_MAX).await?;
    told.next = rows.last().map_or(from, |row| row.number + 1);
    let is_wanted =
        |change: &ObjectChange| nouns.is_empty() || nouns.iter().any(|noun| noun == change.noun);
    told.changes = rows
        .iter()
        .filter_map(change_of)
        .filter(is_wanted)
        .collect();
    Ok(told)
}

/// The queue with every row numbered that could be seen when it was asked for.
async fn queue(app: &App) -> Result<ChangeQueue, ChangesError> {
    for _ in 0..NUMBERINGS_MAX {
        let mut reader = app.store.read().await?;
        let known = change_queue::find(reader.connection()).await?;
        if let Some(queue) = known
            && !change_queue::has_new(reader.connection(), &queue).await?
        {
            return Ok(queue);
        }
        drop(reader);
        number(app).await?;
    }
    // The rest is numbered by the next questions.
    let mut reader = app.store.read().await?;
    let queue = change_queue::find(reader.connection()).await?;
    queue.ok_or(ChangesError::AnotherQueue)
}

async fn number(app: &App) -> Result<(), StoreError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let begun_after = first_pkid_of(app.environment.now().minus(BEGINS_BEFORE));
    change_queue::begin(connection, &app.new_pkid().to_string(), begun_after).await?;
    if let Some(queue) = change_queue::find_for_update(connection).await? {
        change_queue::number_new(connection, &queue, NUMBERED_AT_ONCE).await?;
    }
    transaction.commit().await
}

/// The lowest identity that a row of this time can have. Source: RFC 9562 clause 5.7.
fn first_pkid_of(at: UnixMillis) -> Pkid {
    let [_, _, millis @ ..] = at.0.to_be_bytes();
    let mut bytes = [0; 16];
    for (byte, milli) in bytes.iter_mut().zip(millis) {
        *byte = milli;
    }
    Pkid::from_bytes(bytes)
}

fn change_of(row: &NumberedChange) -> Option<ObjectChange> {
    let action = action_of(&row.action)?;
    let said = match row.elements.as_str() {
        "" => elements_of(&row.action),
        said => said,
    };
    let said = said.split_whitespace().map(str::to_owned);
    Some(ObjectChange {
        number: row.number,
        elements: said.filter(|_| action == Action::Update).collect(),
        action,
        noun: noun_of(&row.object_kind)?,
        object: row.object,
    })
}

/// What an action of the audit log does to the object; `None`: nothing that AXL shows.
///
/// A phone that is claimed is a new object, and its predecessor was never told of; a phone that is
/// released goes.
fn action_of(action: &str) -> Option<Action> {
    let (_, verb) = action.rsplit_once('.')?;
    match verb {
        "add" | "provision" => Some(Action::Add),
        "remove" | "release" => Some(Action::Remove),
        // A phone that is activated has another name from then on.
        "activate" | "update" | "change_pin" | "change_password" | "reset_password" => {
            Some(Action::Update)
        }
        "unlock" if action == "end_user.unlock" => Some(Action::Update),
        _ if verb == "set" || verb.starts_with("set_") => Some(Action::Update),
        _ => None,
    }
}

/// The elements that an action touches whatever it writes.
fn elements_of(action: &str) -> &'static str {
    let verb = action.rsplit_once('.').map_or(action, |(_, verb)| verb);
    match verb {
        "set_pin" | "change_pin" => "pin pinCredentials",
        "set_password" | "change_password" | "reset_password" => "password passwordCredentials",
        "set_digest_credentials" => "digestCredentials",
        "set_associated_devices" => "associatedDevices",
        "set_mode" => "requireAuthentication allowAuthentication",
        "set_authentication_code" => "authenticationCode",
        "unlock" => "pinCredentials passwordCredentials",
        _ => "",
    }
}

/// The AXL noun of a kind of object of the audit log.
fn noun_of(kind: &str) -> Option<&'static str> {
    let noun = match kind {
        "device" => "Phone",
        "end_user" => "User",
        "application_user" => "AppUser",
        "user_profile" => "UserProfileProvision",
        "calling_search_space" => "Css",
        "access_control_group" => "UserGroup",
        other => return by_words(other),
    };
    ObjectType::by_noun(noun).map(|object| object.kind.noun())
}

/// `route_partition`, `RoutePartition` and `routePartition` are one noun.
fn by_words(kind: &str) -> Option<&'static str> {
    let letters = |text: &str| text.replace('_', "").to_ascii_lowercase();
    let wanted = letters(kind);
    let mut nouns = ObjectType::all().iter().map(|object| object.kind.noun());
    nouns.find(|noun| letters(noun) == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_actions_of_the_audit_log_have_their_words_in_axl() {
        for (kind, noun) in [
            ("device", Some("Phone")),
            ("end_user", Some("User")),
            ("line", Some("Line")),
            ("universal_device_template", Some("UniversalDeviceTemplate")),
            ("call_manager_group", Some("CallManagerGroup")),
            ("RoutePartition", Some("RoutePartition")),
            ("phone_activation_code", Some("PhoneActivationCode")),
            ("trust_key", None),
        ] {
            assert_eq!(noun_of(kind), noun, "{kind}");
        }
        for (action, expected) in [
            ("device.provision", Some(Action::Add)),
            ("device.release", Some(Action::Remove)),
            ("device.activate", Some(Action::Update)),
            ("activation_code.remove", Some(Action::Remove)),
            ("end_user.set_pin", Some(Action::Update)),
            ("attribute.set", Some(Action::Update)),
            ("end_user.unlock", Some(Action::Update)),
            ("device.unlock", None),
            ("device.sheet", None),
            ("device.allow_file", None),
        ] {
            assert_eq!(action_of(action), expected, "{action}");
        }
    }

    #[test]
    fn the_first_pkid_of_a_time_is_not_above_any_other_of_it() {
        let at = UnixMillis(1_732_254_000_000);
        let first = first_pkid_of(at).to_string();
        assert!(first.starts_with("01935262-6380-"), "{first}");
        assert!(first.ends_with("-0000-0000-000000000000"), "{first}");
    }
}
