//! What a change of a line does to the phones that have it.

use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::line::Line;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::phone_files::own_file;
use crate::service::record;
use crate::service::record::Actor;
use crate::service::record::Happening;
use crate::service::register;
use crate::service::restart_request;
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
    grace: Option<Grace>,
    restart: Option<PhoneRestart>,
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
            detail: format!("by {}: line {} is {}", actor.name, before.pattern, {
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
    let mut change = FileChange {
        version_stamp,
        grace: None,
        restart: None,
    };
    let is_renumbered = before.pattern != after.pattern;
    if own_file::loads_by_restart(phone) {
        // The old number's binding is how the phone is told.
        if is_renumbered {
            let grace = register::grace_after_replacement(phone, app.environment.now());
            let stored = (&*grace.sealed_secret, grace.until);
            store::binding::set_grace(connection, &phone.name, Some(stored)).await?;
            change.grace = Some(grace);
        }
        let action = restart_request::action_for(app, phone, phone);
        let restart = restart_request::request(app, connection, &phone.name, action).await?;
        change.restart = Some(restart);
    } else if is_renumbered {
        store::binding::delete(connection, &phone.name, before.pattern.as_str()).await?;
    }
    Ok(change)
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
        let Some(file) = file else { continue };
        if file.grace.is_some() {
            app.locations.set_grace(&name, file.grace.as_ref());
        } else if file.restart.is_none() && before.pattern != after.pattern {
            app.locations.remove(&name, before.pattern.as_str());
        }
        if let Some(restart) = file.restart {
            app.phone_control.submit(restart);
        }
    }
}
