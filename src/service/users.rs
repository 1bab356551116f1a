//! Use cases: administrators add, change and remove end users.

use super::App;
use super::administration::AdministrationError;
use super::administration::END_USER;
use super::administration::NewSecret;
use super::administration::PreparedCredential;
use super::administration::check_text;
use super::administration::prepare_credential;
use super::administration::store_credential;
use super::digest_user;
use super::login_names::explained;
use super::login_names::refuse_application_user;
use super::record;
use super::record::Actor;
use super::record::Change;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialKind;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::FoldedLogin;
use crate::domain::end_user::SelfServiceUserId;
use crate::domain::end_user::UserId;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::trivial_credential::CredentialOwner;
use crate::domain::user::EndUser;
use crate::domain::user::Person;
use crate::domain::user::PrimaryExtension;
use crate::store;
use crate::store::Connection;

/// Most characters of a name and the like. Source: AXL `XUser`, of which most are shorter.
const PERSON_LENGTH_MAX: usize = 128;

/// A line by its number and the name of its partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// The directory number.
    pub pattern: DirectoryNumber,
    /// Name of the route partition; empty: `< None >`.
    pub route_partition: String,
}

/// An end user to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// User ID.
    pub user_id: UserId,
    /// Names and the like.
    pub person: Person,
    /// Whether the account is enabled.
    pub enabled: bool,
    /// Name of the user profile; `None`: the system default.
    pub user_profile: Option<String>,
    /// Primary extension: a line that exists.
    pub primary_extension: Option<Extension>,
    /// Self-Service User ID; `None`: the number of the primary extension.
    pub self_service_user_id: Option<SelfServiceUserId>,
    /// Names of access control groups.
    pub access_control_groups: Vec<String>,
    /// PIN.
    pub pin: Option<NewSecret>,
    /// Password.
    pub password: Option<NewSecret>,
    /// Digest credentials.
    pub digest_credentials: Option<Secret>,
}

impl NewUser {
    /// An enabled user of this user ID and nothing else.
    pub fn new(user_id: UserId) -> Self {
        Self {
            user_id,
            person: Person::default(),
            enabled: true,
            user_profile: None,
            primary_extension: None,
            self_service_user_id: None,
            access_control_groups: Vec::new(),
            pin: None,
            password: None,
            digest_credentials: None,
        }
    }
}

/// A change of an end user; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// The version that was read; another one in the database refuses the change.
    pub version: Option<i64>,
    /// New user ID.
    pub user_id: Option<UserId>,
    /// Names and the like, as a whole.
    pub person: Option<Person>,
    /// Whether the account is enabled.
    pub enabled: Option<bool>,
    /// Name of the user profile; `Some(None)`: the system default.
    pub user_profile: Option<Option<String>>,
    /// Primary extension; `Some(None)` takes it away.
    pub primary_extension: Option<Option<Extension>>,
    /// Self-Service User ID; `Some(None)` takes it away.
    pub self_service_user_id: Option<Option<SelfServiceUserId>>,
    /// Names of all access control groups.
    pub access_control_groups: Option<Vec<String>>,
}

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

/// Judges and hashes the credentials of a new user.
pub(super) async fn prepare(
    app: &App,
    new: &NewUser,
    pattern: Option<&DirectoryNumber>,
) -> Result<Vec<PreparedCredential>, AdministrationError> {
    check_person(&new.person)?;
    let extension = pattern.map_or("", DirectoryNumber::as_str);
    let self_service = new.self_service_user_id.as_ref();
    let owner = CredentialOwner {
        user_id: new.user_id.as_str(),
        self_service_user_id: self_service.map_or(extension, SelfServiceUserId::as_str),
        extension,
        first_name: &new.person.first_name,
        last_name: &new.person.last_name,
    };
    let mut prepared = Vec::new();
    for (kind, secret) in [
        (CredentialKind::Pin, &new.pin),
        (CredentialKind::Password, &new.password),
    ] {
        if let Some(secret) = secret {
            prepared.push(prepare_credential(app, kind, secret, &owner, None).await?);
        }
    }
    Ok(prepared)
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
    credentials: Vec<PreparedCredential>,
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
    for credential in credentials {
        store_credential(app, connection, user.pkid, credential).await?;
    }
    let change = Change {
        action: "end_user.add",
        object_kind: "end_user",
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: described(&catalogue, user, &new.access_control_groups),
    };
    Ok(record::audit_object(app, connection, actor, user.pkid, change).await?)
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
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let planned = plan(app, connection, login, change).await?;
    let devices = match write(app, connection, actor, &planned, change).await {
        Ok(devices) => devices,
        Err(error) => {
            drop(transaction);
            return Err(explained(app, &planned.after, error).await);
        }
    };
    transaction.commit().await?;
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
    let after = changed(connection, &app.catalogue.load_full(), &before, change).await?;
    Ok(Planned {
        before,
        groups_before,
        after,
    })
}

/// Writes a planned change into the caller's transaction; gives what it does to devices.
pub(super) async fn write(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    planned: &Planned,
    change: &UserChange,
) -> Result<Vec<digest_user::Affected>, AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let Planned {
        before,
        groups_before,
        after,
    } = planned;
    // Devices with this digest user carry the user ID in their files.
    let devices = if after.user_id == before.user_id {
        Vec::new()
    } else {
        digest_user::prepare(app, connection, before.pkid).await?
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
    let row = Change {
        action: "end_user.update",
        object_kind: "end_user",
        object_name: before.user_id.to_string(),
        before: described(&catalogue, before, groups_before),
        after: described(&catalogue, after, groups.unwrap_or(groups_before)),
    };
    record::audit_object(app, connection, actor, after.pkid, row).await?;
    Ok(devices)
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
        object_kind: "end_user",
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
        .find(|profile| profile.name == name)
        .map(|profile| profile.pkid)
        .ok_or_else(|| AdministrationError::not_found("User Profile", name))
}

/// A line that a user may have.
pub(super) async fn line_of(
    connection: &mut Connection,
    catalogue: &Catalogue,
    extension: &Extension,
) -> Result<Line, AdministrationError> {
    let partition = catalogue
        .route_partition(&extension.route_partition)
        .ok_or_else(|| {
            AdministrationError::not_found("Route Partition", &extension.route_partition)
        })?;
    let line = store::line::find(connection, &extension.pattern, partition)
        .await?
        .ok_or_else(|| AdministrationError::not_found("line", extension.pattern.as_str()))?;
    if line.auto_registered {
        let reason = format!(
            "{} is lent to an unclaimed phone by auto-registration; choose a number outside its range",
            extension.pattern
        );
        return Err(AdministrationError::invalid("extension", &reason));
    }
    Ok(line)
}

/// Makes a user a member of groups by their names.
pub(super) async fn join_groups(
    connection: &mut Connection,
    catalogue: &Catalogue,
    member: Pkid,
    groups: &[String],
) -> Result<(), AdministrationError> {
    for name in groups {
        let group = catalogue
            .access_control_group(name)
            .ok_or_else(|| AdministrationError::not_found("Access Control Group", name))?;
        store::end_user::join_access_control_group(connection, group, member).await?;
    }
    Ok(())
}

/// A user in words for the audit log; no secret.
pub(super) fn described(catalogue: &Catalogue, user: &EndUser, groups: &[String]) -> String {
    let profile = user
        .user_profile
        .and_then(|pkid| catalogue.user_profiles.get(&pkid))
        .map_or("system default", |profile| profile.name.as_str());
    let extension = user.primary_extension.as_ref();
    let self_service = user.self_service_user_id.as_ref();
    format!(
        "user ID {}, name {}, {}, user profile {profile}, extension {}, Self-Service User ID {}, \
         groups {}",
        user.user_id,
        user.person.full_name(),
        if user.enabled { "enabled" } else { "disabled" },
        extension.map_or("none", |extension| extension.pattern.as_str()),
        self_service.map_or("none", |id| id.as_str()),
        groups.join(", "),
    )
}
