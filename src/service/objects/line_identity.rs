//! Groups that mean a line by its identity (`<dirn uuid="{…}"/>`): they get its number and partition, as
//! if the request had said them.

use super::ObjectError;
use super::Outcome;
use super::line_of_number::by_pattern;
use super::line_of_number::number;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::domain::schema::Content;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::domain::schema::references;
use crate::domain::schema::references::Identified;
use crate::domain::schema::written_directory_number;
use crate::service::App;
use crate::store;
use crate::store::Connection;

const PARTITION: &str = "routePartitionName";

/// Fills in number and partition of every group that says an identity.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] for an identity that no line has, [`ObjectError::Invalid`] where the
/// group also says the number or partition of another.
pub(super) async fn resolve(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    record: &mut Record,
) -> Outcome<()> {
    let catalogue = app.catalogue.load_full();
    for group in references::identified(object, record) {
        let line = store::line::by_pkid(connection, group.pkid).await?;
        let line = line.ok_or_else(|| ObjectError::Unresolved {
            element: group.element,
            kind: group.kind,
            name: format!("{{{}}}", group.pkid),
        })?;
        mean(group, &line, &catalogue)?;
    }
    Ok(())
}

/// The record with the identity of the line that each number without a partition means: the only
/// one that has it, else the one in none. A number that no line has stays as it is.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn of_numbers(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    mut record: Record,
) -> Outcome<Record> {
    for group in references::unidentified(object, &mut record, ObjectKind::Line) {
        let pattern = group.text("pattern").unwrap_or_default().to_owned();
        if pattern.is_empty() || group.text(PARTITION).is_some() {
            continue;
        }
        if let Some(pkid) = by_pattern(app, connection, &pattern, None).await? {
            group.set_pkid(pkid);
        }
    }
    Ok(record)
}

fn mean(group: Identified<'_>, line: &Line, catalogue: &Catalogue) -> Outcome<()> {
    let Identified {
        element,
        pkid,
        children,
        record,
        ..
    } = group;
    let contradiction = |said: &str, is: &str| {
        let reason = format!(
            "its uuid {{{pkid}}} is that of {is}, not of {said}; send one of the two, or read it again"
        );
        Err(ObjectError::invalid(element, &reason))
    };
    // The number stands first, under one of two names.
    let Some(number_element) = children.first() else {
        return Ok(());
    };
    let said = record.text(number_element.name).unwrap_or_default();
    if !said.is_empty() && !number(said).is_ok_and(|said| said == line.pattern) {
        return contradiction(said, line.pattern.as_str());
    }
    let partition = names::route_partition(catalogue, line.route_partition);
    if let Some(said) = other_partition(record, catalogue, line.route_partition) {
        let is = catalogue.route_partitions.get(&line.route_partition);
        let is = is.filter(|name| !name.is_empty());
        return contradiction(&said, is.map_or("no partition", |name| name));
    }
    let pattern = written_directory_number(line.pattern.as_str());
    record.set(number_element.name, Value::Text(pattern));
    let mut children = children.iter();
    let is_text =
        children.any(|one| one.name == PARTITION && matches!(one.content, Content::Text(_)));
    let partition = match partition {
        Value::Reference(reference) if is_text => Value::text(&reference.name),
        partition => partition,
    };
    record.set(PARTITION, partition);
    Ok(())
}

/// The partition that a group says, when it is another. An empty one says nothing: strict clients
/// must send it.
fn other_partition(record: &Record, catalogue: &Catalogue, partition: Pkid) -> Option<String> {
    let name = catalogue.route_partitions.get(&partition);
    let is_it = |said: &str| name.is_some_and(|name| name.to_lowercase() == said.to_lowercase());
    match record.get(PARTITION)? {
        Value::Reference(said) => match said.pkid {
            Some(pkid) => (pkid != partition).then(|| format!("{{{pkid}}}")),
            None => (!is_it(&said.name)).then(|| said.name.clone()),
        },
        Value::Text(said) => (!is_it(said)).then(|| said.clone()),
        _ => None,
    }
}
