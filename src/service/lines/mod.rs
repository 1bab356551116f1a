//! Use cases: administrators add, change and remove lines. Every door that makes one comes here.

mod phones;
mod request;

use super::App;
use super::administration::AdministrationError;
use super::administration::check_text;
use super::administration::check_text_by;
use super::attributes;
use super::devices::turn::DeviceTurn;
use super::history::record;
use super::history::record::Actor;
use super::history::record::Change;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::line::Line;
use crate::domain::line::LineSettings;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::schema::touched;
use crate::domain::text_rule::TextRule;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

pub(super) use phones::Affected;
use phones::prepare;
use phones::publish;
pub use request::LineChange;
pub use request::NewLine;

/// What pages call the object.
pub(super) const KIND: &str = "Line";

/// Most characters of a description. Source: AXL `XLine`, `description`.
const DESCRIPTION_LENGTH_MAX: usize = 200;

/// Most characters of an alerting name. Source: AXL `XLine`, `alertingName`.
const ALERTING_NAME_LENGTH_MAX: usize = 50;

/// Adds a line.
///
/// # Errors
///
/// [`AdministrationError::Taken`] when the number stands in that partition already,
/// [`AdministrationError::Invalid`] for a text that does not fit.
pub async fn add(app: &App, actor: &Actor, new: &NewLine) -> Result<Line, AdministrationError> {
    check_said(
        Some(&new.settings.description),
        Some(&new.settings.alerting_name),
    )?;
    let catalogue = app.catalogue.load_full();
    let mut transaction = app.store.begin().await?;
    let line = insert(app, transaction.connection(), actor, &catalogue, new).await?;
    transaction.commit().await?;
    Ok(line)
}

/// Writes a line with its audit row into the caller's transaction.
pub(super) async fn insert(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    catalogue: &Catalogue,
    new: &NewLine,
) -> Result<Line, AdministrationError> {
    let line = Line {
        pkid: app.new_pkid(),
        pattern: new.pattern.clone(),
        route_partition: new.route_partition,
        settings: new.settings.clone(),
        auto_registered: false,
        version: 1,
    };
    check(&line)?;
    refuse_taken(connection, &line).await?;
    written(&line, store::line::insert(connection, &line).await)?;
    if !new.elements.values.is_empty() {
        attributes::write(app, connection, line.pkid, &new.elements).await?;
    }
    let change = Change {
        action: "line.add",
        object_kind: AuditKind::Line,
        object_name: line.pattern.to_string(),
        before: String::new(),
        after: described(catalogue, &line),
    };
    record::audit_object(app, connection, actor, line.pkid, change).await?;
    Ok(line)
}

/// Changes a line. A new number or automatic answer reaches the phones that have the line: their
/// files have a new version, and those that load one by a restart restart. Until then the old number
/// keeps its registration; on a device that loads no file it ends at once.
///
/// # Errors
///
/// As [`add`]; [`AdministrationError::Changed`] when the version is not the one given,
/// [`AdministrationError::Invalid`] for a number that auto-registration has lent to a phone.
pub async fn update(
    app: &App,
    actor: &Actor,
    pkid: Pkid,
    change: &LineChange,
) -> Result<Line, AdministrationError> {
    let names = phones_of(app, pkid).await?;
    let turn = DeviceTurn::take(app, &names).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    // First the devices, then the line: as when a phone is provisioned.
    let mut phones = Vec::with_capacity(names.len());
    for name in turn.names() {
        phones.extend(store::device::find_for_update(connection, name).await?);
    }
    let written = write(app, connection, actor, (pkid, &phones), change).await?;
    let (before, after, affected) = written;
    // A phone that was given the line in the meantime would not hear of it.
    let names = store::device_lists::of_lines(connection, &[pkid]).await?;
    if !names.values().flatten().all(|name| turn.is_of(name)) {
        return Err(AdministrationError::Changed(KIND));
    }
    turn.commit(app, transaction).await?;
    let after = Line {
        version: after.version + 1,
        ..after
    };
    publish(app, &before, &after, affected);
    Ok(after)
}

/// Writes a change into the caller's transaction, in which the phones that have the line are
/// locked. They need not be when neither number nor automatic answer changes: then there is nothing
/// to tell them or memory.
pub(super) async fn write(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    (pkid, phones): (Pkid, &[Phone]),
    change: &LineChange,
) -> Result<(Line, Line, Vec<Affected>), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let before = find_for_update(connection, pkid, change.version).await?;
    // What it has stays, though it was made from a template by other rules.
    let description = change.description.as_ref();
    let alerting_name = change.alerting_name.as_ref();
    check_said(
        description.filter(|text| **text != before.settings.description),
        alerting_name.filter(|text| **text != before.settings.alerting_name),
    )?;
    let after = changed(&before, change);
    check(&after)?;
    if (&before.pattern, before.route_partition) != (&after.pattern, after.route_partition) {
        refuse_taken(connection, &after).await?;
    }
    written(&after, store::line::replace(connection, &after).await)?;
    attributes::write(app, connection, pkid, &change.elements).await?;
    let affected = prepare(app, connection, actor, phones, (&before, &after)).await?;
    let row = Change {
        action: "line.update",
        object_kind: AuditKind::Line,
        object_name: before.pattern.to_string(),
        before: described(&catalogue, &before),
        after: described(&catalogue, &after),
    };
    let touched = touched::of_line(&before, &after);
    let touched = touched::joined(touched, &change.elements.touched);
    record::audit_elements(app, connection, actor, (pkid, &touched), row).await?;
    Ok((before, after, affected))
}

/// Removes a line that no phone and no user has.
///
/// # Errors
///
/// [`AdministrationError::InUse`] names who has it.
pub async fn remove(app: &App, actor: &Actor, pkid: Pkid) -> Result<(), AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let line = store::line::by_pkid_for_update(connection, pkid)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, &pkid.to_string()))?;
    let users = store::catalogue::users_of(connection, pkid).await?;
    if !users.is_empty() {
        return Err(AdministrationError::InUse {
            kind: KIND,
            name: line.pattern.to_string(),
            users,
        });
    }
    match store::line::delete(connection, pkid).await {
        // Somebody began to use it in the meantime.
        Err(StoreError::InUse) => return Err(AdministrationError::Changed(KIND)),
        other => other?,
    }
    let change = Change {
        action: "line.remove",
        object_kind: AuditKind::Line,
        object_name: line.pattern.to_string(),
        before: described(&app.catalogue.load(), &line),
        after: String::new(),
    };
    record::audit_object(app, connection, actor, pkid, change).await?;
    Ok(transaction.commit().await?)
}

async fn phones_of(app: &App, line: Pkid) -> Result<Vec<DeviceName>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let mut names = store::device_lists::of_lines(reader.connection(), &[line]).await?;
    Ok(names.remove(&line).unwrap_or_default())
}

async fn find_for_update(
    connection: &mut Connection,
    pkid: Pkid,
    version: Option<i64>,
) -> Result<Line, AdministrationError> {
    let before = store::line::by_pkid_for_update(connection, pkid)
        .await?
        .ok_or_else(|| AdministrationError::not_found(KIND, &pkid.to_string()))?;
    if version.is_some_and(|version| version != before.version) {
        return Err(AdministrationError::Changed(KIND));
    }
    if before.auto_registered {
        let reason = format!(
            "{} is lent to an unclaimed phone by auto-registration and goes back with it; remove \
             that phone first",
            before.pattern
        );
        return Err(AdministrationError::invalid("pattern", &reason));
    }
    Ok(before)
}

fn changed(before: &Line, change: &LineChange) -> Line {
    let text = |set: &Option<String>, old: &str| set.clone().unwrap_or_else(|| old.to_owned());
    let (new, held) = (change, &before.settings);
    Line {
        pkid: before.pkid,
        pattern: new.pattern.clone().unwrap_or(before.pattern.clone()),
        route_partition: new.route_partition.unwrap_or(before.route_partition),
        settings: LineSettings {
            description: text(&new.description, &held.description),
            alerting_name: text(&new.alerting_name, &held.alerting_name),
            calling_search_space: new
                .calling_search_space
                .unwrap_or(held.calling_search_space),
            voice_mail_profile: new.voice_mail_profile.unwrap_or(held.voice_mail_profile),
            external_call_control_profile: new
                .external_call_control_profile
                .unwrap_or(held.external_call_control_profile),
            urgent_priority: new.urgent_priority.unwrap_or(held.urgent_priority),
            auto_answer: new.auto_answer.unwrap_or(held.auto_answer),
        },
        auto_registered: before.auto_registered,
        version: before.version,
    }
}

/// Texts that somebody says; those that are made from templates have what the names of users have.
fn check_said(
    description: Option<&String>,
    alerting_name: Option<&String>,
) -> Result<(), AdministrationError> {
    if let Some(text) = description {
        let length_max = DESCRIPTION_LENGTH_MAX;
        check_text_by("description", text, length_max, TextRule::Description)?;
    }
    if let Some(text) = alerting_name {
        let length_max = ALERTING_NAME_LENGTH_MAX;
        check_text_by("alertingName", text, length_max, TextRule::Display)?;
    }
    Ok(())
}

fn check(line: &Line) -> Result<(), AdministrationError> {
    check_text(
        "description",
        &line.settings.description,
        DESCRIPTION_LENGTH_MAX,
    )?;
    let name = &line.settings.alerting_name;
    check_text("alertingName", name, ALERTING_NAME_LENGTH_MAX)
}

/// Refuses a number that stands in that partition already, and says who has it.
async fn refuse_taken(connection: &mut Connection, line: &Line) -> Result<(), AdministrationError> {
    let holder = store::line::find(connection, &line.pattern, line.route_partition).await?;
    match holder.filter(|holder| holder.pkid != line.pkid) {
        Some(holder) => Err(taken(line, holder.auto_registered)),
        None => Ok(()),
    }
}

fn taken(line: &Line, is_lent: bool) -> AdministrationError {
    let holder = if is_lent {
        "an unclaimed phone, to which auto-registration has lent it (choose a number outside its \
         range)"
    } else {
        "a line that exists already"
    };
    AdministrationError::Taken {
        field: "the number",
        value: line.pattern.to_string(),
        wanted_by: "the line".to_owned(),
        holder: holder.to_owned(),
    }
}

/// Puts words to what the database says.
fn written(line: &Line, written: Result<(), StoreError>) -> Result<(), AdministrationError> {
    match written {
        Err(StoreError::Duplicate) => Err(taken(line, false)),
        Err(StoreError::InUse) => Err(AdministrationError::invalid(
            "line",
            &"it refers to something that does not exist any more; read the lists again",
        )),
        other => Ok(other?),
    }
}

/// A line in words, for the audit log.
fn described(catalogue: &Catalogue, line: &Line) -> String {
    let partition = catalogue.route_partitions.get(&line.route_partition);
    format!(
        "{} in partition {:?}, description {}, alerting name {}, {}",
        line.pattern,
        partition.map_or("", String::as_str),
        line.settings.description,
        line.settings.alerting_name,
        line.settings.auto_answer
    )
}
