//! What each kind of write does to the database and, after the commit, to memory.

use super::BindingChange;
use super::BindingRemoval;
use super::CameBack;
use super::RestartAttempt;
use super::Write;
use super::Written;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone_restart::AtRegistration;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::history::record::Happening;
use crate::service::history::record::happened;
use crate::service::phone_control::restart_request;
use crate::service::registrar::auto_register;
use crate::service::registrar::auto_register::Allocation;
use crate::service::registrar::auto_register::Outcome;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Does one write within the group's transaction.
pub(super) async fn apply(
    app: &App,
    connection: &mut Connection,
    allocation: Option<&mut Allocation>,
    write: &Write,
) -> Result<Written, StoreError> {
    match write {
        Write::AutoRegister(new) => {
            let allocation = allocation.ok_or(StoreError::Lost)?;
            let outcome = auto_register::create(app, connection, allocation, new).await?;
            return Ok(Written::NewPhone(outcome));
        }
        Write::PutBinding(change) => put_binding(app, connection, change).await?,
        Write::RemoveBinding(removal) => remove_binding(app, connection, removal).await?,
        Write::Happened(row) => {
            let (name, event, happening) = &**row;
            happened(app, connection, name, *event, happening.clone()).await?;
        }
        Write::RestartAttempted(attempt) => {
            return restart_attempted(app, connection, attempt).await;
        }
        Write::CameBack(came) => return came_back(app, connection, came).await,
    }
    Ok(Written::Done)
}

async fn put_binding(
    app: &App,
    connection: &mut Connection,
    change: &BindingChange,
) -> Result<(), StoreError> {
    let binding = &change.binding;
    let name = &binding.device_name;
    for obsolete in &change.obsolete {
        store::binding::delete(connection, name, obsolete).await?;
    }
    store::binding::upsert(connection, binding).await?;
    if let Some(device) = change.device.filter(|_| change.device_changes) {
        let address = binding.address();
        store::device::set_registered(connection, device, address, binding.model).await?;
    }
    if let Some(happening) = &change.happening {
        let event = TimelineEvent::Registered;
        happened(app, connection, name, event, happening.clone()).await?;
    }
    if let AtRegistration::Done { requested_at } = change.restart {
        let happening = Happening {
            detail: "the phone has registered anew".to_owned(),
            source: Some(binding.address()),
            ..Happening::default()
        };
        restart_done(app, connection, name, requested_at, happening).await?;
    }
    if change.ends_grace {
        store::binding::set_grace(connection, name, None).await?;
    }
    Ok(())
}

async fn remove_binding(
    app: &App,
    connection: &mut Connection,
    removal: &BindingRemoval,
) -> Result<(), StoreError> {
    let name = &removal.device_name;
    let address_of_record = &removal.address_of_record;
    let at = removal.registered_at;
    if store::binding::delete_older(connection, name, address_of_record, at).await? {
        let event = TimelineEvent::Unregistered;
        happened(app, connection, name, event, removal.happening.clone()).await?;
    }
    Ok(())
}

async fn restart_attempted(
    app: &App,
    connection: &mut Connection,
    attempt: &RestartAttempt,
) -> Result<Written, StoreError> {
    let name = &attempt.restart.device_name;
    if !store::phone_restart::attempted(connection, &attempt.restart).await? {
        return Ok(Written::NotOwed);
    }
    if let Some((event, happening)) = attempt.happening.clone() {
        happened(app, connection, name, event, happening).await?;
    }
    if attempt.is_done {
        store::phone_restart::delete(connection, name).await?;
        return Ok(Written::NotOwed);
    }
    Ok(Written::Done)
}

async fn came_back(
    app: &App,
    connection: &mut Connection,
    came: &CameBack,
) -> Result<Written, StoreError> {
    let name = &came.device_name;
    if let Some(requested_at) = came.requested_at {
        let happening = came.happening.clone();
        if !restart_done(app, connection, name, requested_at, happening).await? {
            return Ok(Written::NotOwed);
        }
    }
    store::binding::set_grace(connection, name, None).await?;
    Ok(Written::Done)
}

/// Ends the restart that was asked for at this time; `false` when it is not owed any more: it was
/// asked for anew, for another change, or another node has seen that it is done.
async fn restart_done(
    app: &App,
    connection: &mut Connection,
    name: &DeviceName,
    requested_at: UnixMillis,
    mut happening: Happening,
) -> Result<bool, StoreError> {
    if !store::phone_restart::delete_requested(connection, name, requested_at).await? {
        return Ok(false);
    }
    let owed = app.phone_control.owed_by(name);
    if let Some(restart) = owed.filter(|owed| owed.requested_at == requested_at) {
        let now = app.environment.now();
        happening.detail = restart_request::done_in_words(&restart, &happening.detail, now);
    }
    metrics::counter!("selfprov_restarts_done_total").increment(1);
    happened(app, connection, name, TimelineEvent::RestartDone, happening).await?;
    Ok(true)
}

/// Makes memory true after the commit.
pub(super) fn remember(app: &App, write: Write, written: &Written) {
    match (write, written) {
        (Write::AutoRegister(_), Written::NewPhone(Outcome::AutoRegistered(made))) => {
            app.phones.put(made.known.clone());
            app.locations.put(made.binding.clone());
            app.phone_control.submit(made.restart.clone());
            app.file_requests.forget_unknown(&made.binding.device_name);
            app.auto_registration
                .refused
                .forget(&made.binding.device_name);
        }
        (Write::PutBinding(change), _) => remember_binding(app, *change),
        (Write::RemoveBinding(removal), _) => {
            let (name, address_of_record) = (&removal.device_name, &removal.address_of_record);
            app.locations.remove_if(name, address_of_record, |binding| {
                binding.registered_at <= removal.registered_at
            });
        }
        (Write::CameBack(came), written) => {
            if let Some(requested_at) = came.requested_at {
                app.phone_control
                    .forget_requested(&came.device_name, requested_at);
            }
            if !matches!(written, Written::NotOwed) {
                app.locations.set_grace(&came.device_name, None);
            }
        }
        (Write::RestartAttempted(attempt), Written::NotOwed) => {
            let restart = &attempt.restart;
            app.phone_control
                .forget_requested(&restart.device_name, restart.requested_at);
        }
        _ => {}
    }
}

fn remember_binding(app: &App, change: BindingChange) {
    let binding = change.binding;
    let name = binding.device_name.clone();
    for obsolete in &change.obsolete {
        app.locations.remove(&name, obsolete);
    }
    if change.device_changes {
        app.phones.update(&name, |known| {
            let mut phone = known.phone.clone();
            phone.registered_address = Some(binding.address());
            phone.model = phone.model.or(binding.model);
            let same_row = Some(phone.pkid) == change.device;
            same_row.then(|| KnownPhone {
                phone,
                ha1: known.ha1.clone(),
                ha1_sha256: known.ha1_sha256.clone(),
            })
        });
    }
    app.locations.put(binding);
    match change.restart {
        AtRegistration::Done { requested_at } => {
            app.phone_control.forget_requested(&name, requested_at);
        }
        AtRegistration::Unheard => app.phone_control.nudge(&name, app.environment.now()),
        AtRegistration::NotOwed | AtRegistration::Awaited => {}
    }
    if change.ends_grace {
        app.locations.set_grace(&name, None);
    }
}
