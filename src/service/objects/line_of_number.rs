//! Which line a number means.

use super::ObjectError;
use super::Outcome;
use super::said_twice::is_called;
use super::said_twice::two_objects;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::domain::schema::Reference;
use crate::service::App;
use crate::store;
use crate::store::Connection;

/// A directory number as requests write it: a leading plus has a backslash before it.
pub(super) fn number(text: &str) -> Result<DirectoryNumber, ObjectError> {
    without_escape(text)
        .parse()
        .map_err(|error| ObjectError::invalid("pattern", &error))
}

/// The number without that backslash.
pub(super) fn without_escape(text: &str) -> &str {
    text.strip_prefix('\\').unwrap_or(text)
}

/// The lines of a number, in every partition.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn lines_of(connection: &mut Connection, pattern: &str) -> Outcome<Vec<Line>> {
    match without_escape(pattern).parse::<DirectoryNumber>() {
        Ok(number) => Ok(store::line::by_pattern(connection, &number).await?),
        Err(_) => Ok(Vec::new()),
    }
}

/// The line of a number: in the partition that is said, else in the only one that has it, else in
/// none.
///
/// # Errors
///
/// [`ObjectError`] when a partition is said by the identity of one and the name of another.
pub(super) async fn by_pattern(
    app: &App,
    connection: &mut Connection,
    pattern: &str,
    route_partition: Option<&Reference>,
) -> Outcome<Option<Pkid>> {
    let lines = lines_of(connection, pattern).await?;
    let nowhere = Reference::default();
    let wanted = match (route_partition, lines.as_slice()) {
        (None, [only]) => return Ok(Some(only.pkid)),
        (wanted, _) => wanted.unwrap_or(&nowhere),
    };
    let catalogue = app.catalogue.load();
    let known = |pkid: Pkid| catalogue.route_partitions.get(&pkid);
    if let Some(known) = wanted.pkid.and_then(known)
        && !is_called(wanted, known)
    {
        return Err(two_objects("routePartitionName", known, wanted));
    }
    let is_wanted = |partition: Pkid| {
        if let Some(pkid) = wanted.pkid {
            return pkid == partition;
        }
        let name = known(partition);
        name.is_some_and(|name| name.to_lowercase() == wanted.name.to_lowercase())
    };
    let mut lines = lines.iter();
    let line = lines.find(|line| is_wanted(line.route_partition));
    Ok(line.map(|line| line.pkid))
}
