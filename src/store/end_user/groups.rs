//! The access control groups of end users and application users.

use std::collections::HashMap;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::BOUND_AT_ONCE;
use super::super::row::Columns;
use super::super::row::places;
use crate::domain::pkid::Pkid;

/// Names of the access control groups of each of these users or application users.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn access_control_groups_of_many(
    connection: &mut Connection,
    members: &[Pkid],
) -> Result<HashMap<Pkid, Vec<String>>, StoreError> {
    let mut groups: HashMap<Pkid, Vec<String>> = HashMap::with_capacity(members.len());
    for members in members.chunks(BOUND_AT_ONCE) {
        // Only numbers of places are put into the text.
        let statement = format!(
            "SELECT access_control_group_member.member, access_control_group.name \
             FROM access_control_group_member JOIN access_control_group \
             ON access_control_group.pkid = access_control_group_member.access_control_group \
             WHERE access_control_group_member.member IN ({}) \
             ORDER BY access_control_group.name",
            places(members.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for member in members {
            query = query.bind(member.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let member = row.pkid("access_control_group_member.member")?;
            let name = row.text("access_control_group.name")?;
            groups.entry(member).or_default().push(name);
        }
    }
    Ok(groups)
}

/// Names of the access control groups of a user or application user.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn access_control_groups(
    connection: &mut Connection,
    member: Pkid,
) -> Result<Vec<String>, StoreError> {
    sqlx::query(
        "SELECT access_control_group.name FROM access_control_group_member \
         JOIN access_control_group \
         ON access_control_group.pkid = access_control_group_member.access_control_group \
         WHERE access_control_group_member.member = $1 ORDER BY access_control_group.name",
    )
    .bind(member.to_string())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| row.text("access_control_group.name"))
    .collect()
}

/// Makes a user or application user a member of a group; does nothing for a member.
///
/// # Errors
///
/// [`StoreError::InUse`] when there is no such group.
pub async fn join_access_control_group(
    connection: &mut Connection,
    group: Pkid,
    member: Pkid,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO access_control_group_member (access_control_group, member) VALUES ($1, $2) \
         ON CONFLICT (access_control_group, member) DO NOTHING",
    )
    .bind(group.to_string())
    .bind(member.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// The end users and application users in a group with their user IDs, in order of those.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn members_of(
    connection: &mut Connection,
    group: Pkid,
) -> Result<Vec<(Pkid, String)>, StoreError> {
    let mut members = sqlx::query(
        "SELECT users.pkid, users.user_id FROM access_control_group_member JOIN ( \
         SELECT pkid, user_id FROM end_user UNION ALL SELECT pkid, user_id FROM application_user \
         ) AS users ON users.pkid = access_control_group_member.member \
         WHERE access_control_group_member.access_control_group = $1",
    )
    .bind(group.to_string())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((row.pkid("users.pkid")?, row.text("users.user_id")?)))
    .collect::<Result<Vec<_>, StoreError>>()?;
    members.sort_by_cached_key(|(_, user_id)| user_id.to_lowercase());
    Ok(members)
}

/// Ends the membership of a user or application user in a group.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn leave_access_control_group(
    connection: &mut Connection,
    group: Pkid,
    member: Pkid,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM access_control_group_member WHERE access_control_group = $1 AND member = $2",
    )
    .bind(group.to_string())
    .bind(member.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// Ends every membership of a user or application user.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn leave_every_access_control_group(
    connection: &mut Connection,
    member: Pkid,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM access_control_group_member WHERE member = $1")
        .bind(member.to_string())
        .execute(connection)
        .await?;
    Ok(())
}
