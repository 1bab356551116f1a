//! End users and application users. Here: administrators add, change and remove end users.
//!
//! ```text
//! request.rs                what they say of one
//! prepare_credentials.rs    ... its PIN and password, hashed before the transaction
//! parts.rs                  ... its line and groups
//! credentials.rs            PIN, password and digest credentials of one are set, and unlocked
//! digest_user.rs            what a change of these does to its devices
//! associated_devices.rs     the devices that a user controls
//! login_names.rs            whose a user ID is already
//! quick_add.rs              *Quick User/Phone Add*: a user ready to provision phones
//! search.rs                 looking for users, as a directory does
//! self_care/                what end users see of themselves, and change
//! application_users/        administrators and programs
//! access_control_groups.rs  what the members of a group may do
//! ```

pub(in crate::service) mod access_control_groups;
pub mod application_users;
pub mod associated_devices;
pub mod credentials;
pub(in crate::service) mod digest_user;
mod login_names;
mod parts;
mod prepare_credentials;
pub mod quick_add;
mod request;
pub mod search;
pub mod self_care;

use std::collections::BTreeSet;

use super::App;
use super::administration::AdministrationError;
use super::administration::END_USER;
use super::administration::check_text;
use super::attributes;
use super::credentials::change;
use super::credentials::change::CredentialTerms;
use super::credentials::change::PreparedChange;
use super::devices::turn::DeviceTurn;
use super::history::record;
use super::history::record::Actor;
use super::history::record::Change;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialUser;
use crate::domain::end_user::EndUser;
use crate::domain::end_user::Person;
use crate::domain::end_user::PrimaryExtension;
use crate::domain::history::AuditKind;
use crate::domain::line::Line;
use crate::domain::login_name::FoldedLogin;
use crate::domain::pkid::Pkid;
use crate::domain::schema::touched;
use crate::store;
use crate::store::Connection;
use associated_devices::Controller;
use login_names::explained;
use login_names::refuse_application_user;

use parts::described;
pub(super) use parts::join_groups;
pub(super) use parts::line_of;
pub(super) use prepare_credentials::prepare;
use prepare_credentials::prepare_change;
pub use request::Extension;
pub use request::NewUser;
pub use request::UserChange;

/// Most characters of a name and the like. Source: AXL `XUser`, of which most are shorter.
const PERSON_LENGTH_MAX: usize = 128;

/// Adds an end user.
///
/// # Errors
///
/// [`AdministrationError::Taken`] names the user who has one of the login names already.
pub async fn add(app: &App, actor: &Actor, new: &NewUser) -> Result<EndUser, AdministrationError> {
    let pattern = new
        .primary_extension
        .as_ref()
        .map(|extension| &extension.pattern);
    let credentials = prepare(app, new, pattern).await?;
    let catalogue = app.catalogue.load_full();
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let line = match &new.primary_extension {
        Some(extension) => Some(line_of(connection, &catalogue, extension).await?),
        None => None,
    };
    let user = make(app, &catalogue, new, line.as_ref())?;
    let written = insert(app, connection, actor, new, &user, credentials).await;
    if let Err(error) = written {
        drop(transaction);
        return Err(explained(app, &user, error).await);
    }
    transaction.commit().await?;
    Ok(user)
}

fn check_person(person: &Person) -> Result<(), AdministrationError> {
    for (field, text) in [
        ("First Name", &person.first_name),
        ("Middle Name", &person.middle_name),
        ("Last Name", &person.last_name),
        ("Mail ID", &person.mail),
        ("Department", &person.department),
        ("Title", &person.title),
        ("Telephone Number", &person.telephone_number),
        ("User Locale", &person.user_locale),
    ] {
        check_text(field, text, PERSON_LENGTH_MAX)?;
    }
    Ok(())
}

/// The user as the program keeps it.
pub(super) fn make(
    app: &App,
    catalogue: &Catalogue,
    new: &NewUser,
    line: Option<&Line>,
) -> Result<EndUser, AdministrationError> {
    let self_service_user_id = match (&new.self_service_user_id, line) {
        (Some(id), _) => Some(id.clone()),
        (None, Some(line)) => {
            let parsed = line.pattern.as_str().parse();
            let parsed = parsed
                .map_err(|error| AdministrationError::invalid("Self-Service User ID", &error))?;
            Some(parsed)
        }
        (None, None) => None,
    };
    let user_profile = new.user_profile.as_deref();
    let sealed = new.digest_credentials.as_ref();
    Ok(EndUser {
        pkid: app.new_pkid(),
        user_id: new.user_id.clone(),
        person: new.person.clone(),
        enabled: new.enabled,
        user_profile: user_profile
            .map(|name| user_profile_named(catalogue, name))
            .transpose()?,
        primary_extension: line.map(primary_extension),
        self_service_user_id,
        sealed_digest_credentials: sealed
            .map(|secret| app.keys.seal_secret(secret))
            .transpose()?,
        version: 1,
    })
}

/// Writes a new user with groups, credentials and audit row.
pub(super) async fn insert(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    new: &NewUser,
    user: &EndUser,
    credentials: Vec<PreparedChange>,
) -> Result<(), AdministrationError> {
    refuse_application_user(connection, &user.user_id).await?;
    store::end_user::insert(connection, user, app.environment.now()).await?;
    let catalogue = app.catalogue.load_full();
    join_groups(
        connection,
        &catalogue,
        user.pkid,
        &new.access_control_groups,
    )
    .await?;
    let owner = (CredentialUser::EndUser, user.pkid);
    for credential in credentials {
        change::write(app, connection, owner, credential).await?;
    }
    let change = Change {
        action: "end_user.add",
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: described(&catalogue, user, &new.access_control_groups),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    if !new.associated_devices.is_empty() {
        let controller = (Controller::EndUser(user.pkid), user.user_id.as_str());
        let devices = &new.associated_devices;
        associated_devices::replace(app, connection, actor, controller, devices).await?;
    }
    Ok(attributes::write(app, connection, user.pkid, &new.elements).await?)
}

/// Changes an end user, whom `login` names by user ID or Self-Service User ID.
///
/// # Errors
///
/// [`AdministrationError::Taken`] names the user who has a new login name already,
/// [`AdministrationError::Changed`] when the version is not the one given.
pub async fn update(
    app: &App,
    actor: &Actor,
    login: &str,
    change: &UserChange,
) -> Result<EndUser, AdministrationError> {
    let credentials = prepare_change(app, login, change).await?;
    let devices = if change.is_in_files() {
        digest_user::devices_of(app, login).await?
    } else {
        Vec::new()
    };
    let turn = DeviceTurn::take(app, &devices).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let planned = plan(app, connection, login, change).await?;
    let new = (change, credentials);
    let devices = match write_planned(app, connection, actor, &turn, &planned, new).await {
        Ok(devices) => devices,
        Err(error) => {
            drop(transaction);
            return Err(explained(app, &planned.after, error).await);
        }
    };
    turn.commit(app, transaction).await?;
    Ok(planned.publish(app, devices))
}

/// A change of a user before it is written.
pub(super) struct Planned {
    before: EndUser,
    groups_before: Vec<String>,
    after: EndUser,
}

impl Planned {
    /// Makes memory say what was committed; gives the user as written.
    pub(super) fn publish(self, app: &App, devices: Vec<digest_user::Affected>) -> EndUser {
        digest_user::publish(app, &self.after, devices);
        EndUser {
            version: self.after.version + 1,
            ..self.after
        }
    }
}

/// Locks the user whom `login` names and makes the change, without writing it.
pub(super) async fn plan(
    app: &App,
    connection: &mut Connection,
    login: &str,
    change: &UserChange,
) -> Result<Planned, AdministrationError> {
    if let Some(person) = &change.person {
        check_person(person)?;
    }
    let before = find_for_update(connection, login).await?;
    if change
        .version
        .is_some_and(|version| version != before.version)
    {
        return Err(AdministrationError::Changed(END_USER));
    }
    let groups_before = store::end_user::access_control_groups(connection, before.pkid).await?;
    let mut after = changed(connection, &app.catalogue.load_full(), &before, change).await?;
    if let Some(secret) = &change.digest_credentials {
        after.sealed_digest_credentials = Some(app.keys.seal_secret(secret)?);
    }
    Ok(Planned {
        before,
        groups_before,
        after,
    })
}

/// Writes a planned change into the caller's transaction; gives what it does to devices. A new PIN
/// or password is none of it: those are hashed before a transaction ([`update`]).
pub(super) async fn write(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    planned: &Planned,
    change: &UserChange,
) -> Result<Vec<digest_user::Affected>, AdministrationError> {
    write_planned(app, connection, actor, turn, planned, (change, Vec::new())).await
}

async fn write_planned(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    turn: &DeviceTurn,
    planned: &Planned,
    (change, credentials): (&UserChange, Vec<PreparedChange>),
) -> Result<Vec<digest_user::Affected>, AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let Planned {
        before,
        groups_before,
        after,
    } = planned;
    // Devices with this digest user carry user ID and secret in their files.
    let is_same = after.user_id == before.user_id && change.digest_credentials.is_none();
    let devices = if is_same {
        Vec::new()
    } else {
        digest_user::prepare(app, connection, turn, before.pkid).await?
    };
    if after.user_id.folded() != before.user_id.folded() {
        refuse_application_user(connection, &after.user_id).await?;
    }
    store::end_user::update(connection, after).await?;
    if let Some(groups) = &change.access_control_groups {
        store::end_user::leave_every_access_control_group(connection, after.pkid).await?;
        join_groups(connection, &catalogue, after.pkid, groups).await?;
    }
    let groups = change.access_control_groups.as_ref();
    let mut words = vec![described(
        &catalogue,
        after,
        groups.unwrap_or(groups_before),
    )];
    let owner = (CredentialUser::EndUser, after.pkid);
    for credential in credentials {
        words.extend(change::write(app, connection, owner, credential).await?);
    }
    if change.digest_credentials.is_some() {
        words.push("digest credentials set".to_owned());
    }
    let row = Change {
        action: "end_user.update",
        object_kind: AuditKind::EndUser,
        object_name: before.user_id.to_string(),
        before: described(&catalogue, before, groups_before),
        after: words.join(", "),
    };
    let touched = touched::joined(
        touched::of_user(before, after),
        &said_beside(change, groups_before),
    );
    let touched = touched::joined(touched, &change.elements.touched);
    let touched = (after.pkid, touched.as_slice());
    record::audit_elements(app, connection, actor, touched, row).await?;
    if let Some(devices) = &change.associated_devices {
        let controller = (Controller::EndUser(after.pkid), after.user_id.as_str());
        associated_devices::replace(app, connection, actor, controller, devices).await?;
    }
    attributes::write(app, connection, after.pkid, &change.elements).await?;
    Ok(devices)
}

/// The elements that a change touches and that are not of the user's own row.
fn said_beside(change: &UserChange, groups_before: &[String]) -> Vec<&'static str> {
    let silent = CredentialTerms::default();
    let set = |groups: &[String]| groups.iter().cloned().collect::<BTreeSet<_>>();
    let groups = change.access_control_groups.as_deref();
    let changes_groups = groups.is_some_and(|groups| set(groups) != set(groups_before));
    let said = [
        ("pin", change.pin.is_some()),
        ("pinCredentials", change.pin_terms != silent),
        ("password", change.password.is_some()),
        ("passwordCredentials", change.password_terms != silent),
        ("digestCredentials", change.digest_credentials.is_some()),
        ("associatedGroups", changes_groups),
    ];
    let said = said.into_iter().filter(|(_, is_said)| *is_said);
    said.map(|(name, _)| name).collect()
}

/// Removes an end user who owns no phone.
///
/// # Errors
///
/// [`AdministrationError::InUse`] names the phones: release them first.
pub async fn remove(app: &App, actor: &Actor, login: &str) -> Result<(), AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = find_for_update(connection, login).await?;
    let users = store::catalogue::users_of(connection, user.pkid).await?;
    if !users.is_empty() {
        return Err(AdministrationError::InUse {
            kind: END_USER,
            name: user.user_id.to_string(),
            users,
        });
    }
    let groups = store::end_user::access_control_groups(connection, user.pkid).await?;
    store::end_user::delete(connection, user.pkid).await?;
    let change = Change {
        action: "end_user.remove",
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: described(&app.catalogue.load(), &user, &groups),
        after: String::new(),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(())
}

/// The user whom a login names, with the row locked until the transaction ends.
pub(super) async fn find_for_update(
    connection: &mut Connection,
    login: &str,
) -> Result<EndUser, AdministrationError> {
    let not_found = || AdministrationError::not_found(END_USER, login);
    let found = store::end_user::by_login(connection, &FoldedLogin::of(login)).await?;
    let pkid = found.ok_or_else(not_found)?.pkid;
    store::end_user::by_pkid_for_update(connection, pkid)
        .await?
        .ok_or_else(not_found)
}

/// The user after a change.
async fn changed(
    connection: &mut Connection,
    catalogue: &Catalogue,
    before: &EndUser,
    change: &UserChange,
) -> Result<EndUser, AdministrationError> {
    let mut after = before.clone();
    if let Some(user_id) = &change.user_id {
        after.user_id = user_id.clone();
    }
    if let Some(person) = &change.person {
        after.person = person.clone();
    }
    if let Some(enabled) = change.enabled {
        after.enabled = enabled;
    }
    if let Some(profile) = &change.user_profile {
        let profile = profile.as_deref();
        after.user_profile = profile
            .map(|name| user_profile_named(catalogue, name))
            .transpose()?;
    }
    if let Some(extension) = &change.primary_extension {
        after.primary_extension = match extension {
            Some(extension) => {
                let line = line_of(connection, catalogue, extension).await?;
                Some(primary_extension(&line))
            }
            None => None,
        };
    }
    if let Some(id) = &change.self_service_user_id {
        after.self_service_user_id.clone_from(id);
    }
    Ok(after)
}

fn primary_extension(line: &Line) -> PrimaryExtension {
    PrimaryExtension {
        line: line.pkid,
        pattern: line.pattern.clone(),
        route_partition: line.route_partition,
    }
}

fn user_profile_named(catalogue: &Catalogue, name: &str) -> Result<Pkid, AdministrationError> {
    catalogue
        .user_profiles
        .values()
        .find(|profile| profile.identity.name == name)
        .map(|profile| profile.identity.pkid)
        .ok_or_else(|| AdministrationError::not_found("User Profile", name))
}
