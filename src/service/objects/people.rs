//! What end users and application users have in common: groups and controlled devices.

use super::Draft;
use super::ObjectError;
use super::Outcome;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::fresh_system;
use crate::domain::login_name::UserId;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::domain::secret::Secret;
use crate::store;
use crate::store::Connection;

/// The user ID.
///
/// # Errors
///
/// [`ObjectError::Invalid`] when it is none.
pub(super) fn user_id(draft: &Draft) -> Result<UserId, ObjectError> {
    draft
        .text("userid")
        .parse()
        .map_err(|error| ObjectError::invalid("userid", &error))
}

/// A secret of which the request speaks and that is not empty.
pub(super) fn said_secret(draft: &Draft, element: &str) -> Option<Secret> {
    draft.secret(element).flatten().cloned()
}

/// The names of the access control groups that a request gives a user. Roles that it names must be
/// those that the group has: answers fill them in, and scripts send back what they read.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] names a group that does not exist.
pub(super) fn said_groups(
    catalogue: &Catalogue,
    draft: &Draft,
) -> Result<Option<Vec<String>>, ObjectError> {
    let Some(said) = draft.said_group("associatedGroups") else {
        return Ok(draft.says("associatedGroups").then(Vec::new));
    };
    let mut names = Vec::new();
    for entry in said.list("userGroup") {
        let Value::Group(entry) = entry else { continue };
        let wanted = entry.text("name").unwrap_or_default();
        let mut known = catalogue.access_control_groups.values();
        let name = known
            .find(|name| name.to_lowercase() == wanted.trim().to_lowercase())
            .ok_or_else(|| ObjectError::Unresolved {
                element: "associatedGroups",
                kind: ObjectKind::UserGroup,
                name: wanted.to_owned(),
            })?;
        let roles = fresh_system::function_roles(name);
        let said_roles = entry.group("userRoles");
        for role in said_roles.map_or(&[][..], |roles| roles.list("userRole")) {
            let Value::Text(role) = role else { continue };
            if !roles.contains(&role.as_str()) {
                let reason = format!(
                    "{name} has no role {role:?}; roles belong to groups: name a group that has it"
                );
                return Err(ObjectError::invalid("userRole", &reason));
            }
        }
        names.push(name.clone());
    }
    Ok(Some(names))
}

/// The groups of a user with their roles.
pub(super) fn groups_of(names: &[String]) -> Value {
    let entries = names.iter().map(|name| {
        let roles = fresh_system::function_roles(name).into_iter();
        let mut user_roles = Record::default();
        user_roles.set("userRole", Value::List(roles.map(Value::text).collect()));
        let mut entry = Record::default();
        entry.set("name", Value::text(name));
        entry.set("userRoles", Value::Group(user_roles));
        Value::Group(entry)
    });
    let mut groups = Record::default();
    groups.set("userGroup", Value::List(entries.collect()));
    Value::Group(groups)
}

/// The devices that a request lets a user control.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] names a device that does not exist.
pub(super) async fn said_devices(
    connection: &mut Connection,
    draft: &Draft,
) -> Outcome<Option<Vec<DeviceName>>> {
    let Some(said) = draft.said_group("associatedDevices") else {
        return Ok(draft.says("associatedDevices").then(Vec::new));
    };
    let mut names = Vec::new();
    for device in said.list("device") {
        let Value::Text(text) = device else { continue };
        let name: DeviceName = text
            .parse()
            .map_err(|error| ObjectError::invalid("associatedDevices", &error))?;
        if store::device::pkid_of(connection, &name).await?.is_none() {
            return Err(ObjectError::Unresolved {
                element: "associatedDevices",
                kind: ObjectKind::Phone,
                name: name.to_string(),
            });
        }
        names.push(name);
    }
    Ok(Some(names))
}

/// The devices that a user controls.
pub(super) fn devices_of(names: &[DeviceName]) -> Value {
    let names = names.iter().map(|name| Value::text(name.as_str()));
    let mut devices = Record::default();
    devices.set("device", Value::List(names.collect()));
    Value::Group(devices)
}

/// Objects in the order asked for; one that is gone is left out.
pub(super) fn in_order<T>(
    pkids: &[Pkid],
    mut found: std::collections::HashMap<Pkid, T>,
) -> Vec<(Pkid, T)> {
    pkids
        .iter()
        .filter_map(|pkid| Some((*pkid, found.remove(pkid)?)))
        .collect()
}
