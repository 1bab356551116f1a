//! What a row asks for as a use case, and all rows of a statement in one transaction.

use super::line_edit::LineEdit;
use super::user_edit::UserEdit;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices;
use crate::service::devices::DeviceChange;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record::Actor;
use crate::service::lines;
use crate::service::lines::LineChange;
use crate::service::sql::SqlError;
use crate::service::users;
use crate::service::users::Planned;
use crate::service::users::associated_devices;
use crate::service::users::associated_devices::Controller;
use crate::service::users::digest_user;
use crate::service::users::digest_user::Affected;
use crate::store::Connection;

/// What one row asks for.
#[derive(Debug)]
pub(super) enum Step {
    /// A user controls a device from now on, or no longer.
    Associate {
        user: Controller,
        user_id: String,
        device: DeviceName,
        is_on: bool,
    },
    /// A device changes.
    Device {
        device: (Pkid, DeviceName),
        change: Box<DeviceChange>,
    },
    /// A line of a device comes, changes or goes.
    DeviceLine {
        device: (Pkid, DeviceName),
        edit: Box<LineEdit>,
    },
    /// A line changes.
    Line { line: Pkid, change: Box<LineChange> },
    /// An end user changes.
    User {
        user_id: String,
        edit: Box<UserEdit>,
    },
}

/// What is to be told to memory after the commit.
enum Done {
    Nothing,
    Device(Box<devices::update::Updated>),
    User(Box<Planned>, Vec<Affected>),
}

/// Carries all steps out in one transaction.
pub(super) async fn carry_out(app: &App, actor: &Actor, steps: &[Step]) -> Result<(), SqlError> {
    if steps.is_empty() {
        return Ok(());
    }
    let mut names: Vec<DeviceName> = Vec::new();
    for step in steps {
        names.extend(step.changed_devices().cloned());
        if let Step::User { user_id, .. } = step {
            names.extend(digest_user::devices_of(app, user_id).await?);
        }
    }
    let turn = DeviceTurn::take(app, &names).await;
    let turn = turn.map_err(AdministrationError::from)?;
    let mut transaction = app.store.begin().await?;
    let mut done = Vec::with_capacity(steps.len());
    for step in steps {
        done.push(
            step.write(app, transaction.connection(), actor, &turn)
                .await?,
        );
    }
    turn.commit(app, transaction).await?;
    for done in done {
        match done {
            Done::Nothing => {}
            Done::Device(updated) => drop(updated.publish(app)?),
            Done::User(planned, devices) => drop(planned.publish(app, devices)),
        }
    }
    Ok(())
}

impl Step {
    /// The names that a device has before and after the step.
    fn changed_devices(&self) -> impl Iterator<Item = &DeviceName> {
        let (before, after) = match self {
            Self::Device { device, change } => (Some(&device.1), change.name.as_ref()),
            Self::DeviceLine { device, .. } => (Some(&device.1), None),
            Self::Associate { .. } | Self::Line { .. } | Self::User { .. } => (None, None),
        };
        before.into_iter().chain(after)
    }

    async fn write(
        &self,
        app: &App,
        connection: &mut Connection,
        actor: &Actor,
        turn: &DeviceTurn,
    ) -> Result<Done, SqlError> {
        match self {
            Self::Associate {
                user,
                user_id,
                device,
                is_on,
            } => {
                let user = (*user, user_id.as_str());
                associate(app, connection, actor, user, (device, *is_on)).await?;
                Ok(Done::Nothing)
            }
            Self::Line { line, change } => {
                // Phones hear nothing of what SQL changes of a line.
                lines::write(app, connection, actor, (*line, &[]), change).await?;
                Ok(Done::Nothing)
            }
            Self::Device { device, change } => {
                change_device(app, connection, actor, turn, device, change).await
            }
            Self::DeviceLine { device, edit } => {
                let change = edit.change(app, connection, &device.1).await?;
                change_device(app, connection, actor, turn, device, &change).await
            }
            Self::User { user_id, edit } => {
                let change = edit.change(connection, user_id).await?;
                let planned = users::plan(app, connection, user_id, &change).await?;
                let devices = users::write(app, connection, actor, turn, &planned, &change).await?;
                Ok(Done::User(Box::new(planned), devices))
            }
        }
    }
}

async fn associate(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    user: (Controller, &str),
    (device, is_on): (&DeviceName, bool),
) -> Result<(), SqlError> {
    if !is_on {
        associated_devices::remove(app, connection, actor, user, device).await?;
        return Ok(());
    }
    if associated_devices::add(app, connection, actor, user, device).await? {
        return Ok(());
    }
    let reason = format!("{} controls {device} already", user.1);
    Err(SqlError::Duplicate(reason))
}

async fn change_device(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    (pkid, name): &(Pkid, DeviceName),
    change: &DeviceChange,
) -> Result<Done, SqlError> {
    let updated = devices::update::write(app, connection, actor, turn, name, change).await?;
    // Another device of that name by now: provisioned or released since it was looked for.
    if updated.pkid() != *pkid {
        return Err(AdministrationError::Changed("device").into());
    }
    Ok(Done::Device(Box::new(updated)))
}
