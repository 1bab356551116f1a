//! What a user is put together from: line, groups, and the words of the audit log.

use super::Extension;
use crate::domain::catalogue::Catalogue;
use crate::domain::end_user::EndUser;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;
use crate::store;
use crate::store::Connection;

/// A line that a user may have.
pub(in crate::service) async fn line_of(
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
pub(in crate::service) async fn join_groups(
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
pub(in crate::service) fn described(
    catalogue: &Catalogue,
    user: &EndUser,
    groups: &[String],
) -> String {
    let profile = user
        .user_profile
        .and_then(|pkid| catalogue.user_profiles.get(&pkid))
        .map_or("system default", |profile| profile.identity.name.as_str());
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
