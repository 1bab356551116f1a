//! What a change of a line does to the phones that have it.

use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::line::Line;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices::farewell::Farewell;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Happening;
use crate::service::phone_control::restart_request;
use crate::service::phone_files::own_file;
use crate::store;
use crate::store::Connection;

/// A phone that has the line, as memory is to know it after the commit.
pub(in crate::service) struct Affected {
    name: DeviceName,
    /// What its file changes by.
    file: Option<FileChange>,
}

struct FileChange {
    version_stamp: Pkid,
    told: Told,
}

/// How the phone finds out.
enum Told {
    /// The line has another number: over the registration of the old one it is told to restart.
    Farewell(Farewell),
    /// It is told to restart.
    Restart(PhoneRestart),
    /// Somebody types in the new number; the registration of the old one has ended.
    Ended,
    /// Somebody types in what is new.
    Nothing,
}

/// Writes what the change does to the phones that have the line.
pub(super) async fn prepare(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    phones: &[Phone],
    (before, after): (&Line, &Line),
) -> Result<Vec<Affected>, AdministrationError> {
    let in_file = |line: &Line| (line.pattern.clone(), line.settings.auto_answer);
    let is_in_file = in_file(before) != in_file(after);
    let is_known = is_in_file || before.route_partition != after.route_partition;
    let mut affected = Vec::new();
    for phone in phones.iter().filter(|_| is_known) {
        let file = if is_in_file {
            Some(change_file(app, connection, phone, (before, after)).await?)
        } else {
            None
        };
        let happening = Happening {
            detail: format!("by {}: line {} is {}", actor.who, before.pattern, {
                let same = "changed".to_owned();
                if before.pattern == after.pattern {
                    same
                } else {
                    format!("{} now", after.pattern)
                }
            }),
            correlation: actor.correlation,
            ..Happening::default()
        };
        let (name, event) = (phone.name.clone(), TimelineEvent::Changed);
        record::happened(app, connection, &name, event, happening).await?;
        affected.push(Affected { name, file });
    }
    Ok(affected)
}

async fn change_file(
    app: &App,
    connection: &mut Connection,
    phone: &Phone,
    (before, after): (&Line, &Line),
) -> Result<FileChange, AdministrationError> {
    let version_stamp = app.new_pkid();
    store::device::set_version_stamp(connection, phone.pkid, version_stamp).await?;
    let is_renumbered = before.pattern != after.pattern;
    let told = if own_file::loads_by_restart(phone) {
        let (name, action) = (&phone.name, restart_request::action_for(app, phone, phone));
        if is_renumbered {
            Told::Farewell(Farewell::write(app, connection, phone, action).await?)
        } else {
            Told::Restart(restart_request::request(app, connection, name, action).await?)
        }
    } else if is_renumbered {
        store::binding::delete(connection, &phone.name, before.pattern.as_str()).await?;
        Told::Ended
    } else {
        Told::Nothing
    };
    Ok(FileChange {
        version_stamp,
        told,
    })
}

/// Makes memory say what was committed.
pub(super) fn publish(app: &App, before: &Line, after: &Line, affected: Vec<Affected>) {
    for Affected { name, file } in affected {
        app.phones.update(&name, |known| {
            let mut known = known.clone();
            let lines = known.phone.lines.iter_mut();
            for line in lines.filter(|line| line.line == after.pkid) {
                line.pattern = after.pattern.clone();
                line.route_partition = after.route_partition;
                line.answers_automatically = after.settings.auto_answer.is_on();
            }
            if let Some(file) = &file {
                known.phone.version_stamp = file.version_stamp;
                known.phone.file_fetched_at = None;
                known.phone.version += 1;
            }
            Some(known)
        });
        match file.map(|file| file.told) {
            Some(Told::Farewell(farewell)) => farewell.publish(app, &name),
            Some(Told::Restart(restart)) => app.phone_control.submit(restart),
            Some(Told::Ended) => {
                app.locations.remove(&name, before.pattern.as_str());
            }
            Some(Told::Nothing) | None => {}
        }
    }
}
