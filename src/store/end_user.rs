//! Tables `end_user`, `end_user_login` and the groups of a user.

use std::collections::HashMap;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::end_user::FoldedLogin;
use crate::domain::end_user::SelfServiceUserId;
use crate::domain::pkid::Pkid;
use crate::domain::user::EndUser;
use crate::domain::user::Person;
use crate::domain::user::PrimaryExtension;

/// One static text a statement: the columns of [`end_user_of`] and what follows them.
macro_rules! select_end_user {
    ($tail:literal) => {
        concat!(
            "SELECT end_user.*, line.pattern AS extension_pattern, \
             line.route_partition AS extension_partition FROM end_user \
             LEFT JOIN line ON line.pkid = end_user.primary_extension ",
            $tail
        )
    };
}

fn person_of(row: &AnyRow) -> Result<Person, StoreError> {
    Ok(Person {
        first_name: row.text("end_user.first_name")?,
        middle_name: row.text("end_user.middle_name")?,
        last_name: row.text("end_user.last_name")?,
        mail: row.text("end_user.mail")?,
        department: row.text("end_user.department")?,
        title: row.text("end_user.title")?,
        telephone_number: row.text("end_user.telephone_number")?,
        user_locale: row.text("end_user.user_locale")?,
    })
}

pub(super) fn end_user_of(row: &AnyRow) -> Result<EndUser, StoreError> {
    let primary_extension = row
        .pkid_or_null("end_user.primary_extension")?
        .map(|line| {
            Ok::<_, StoreError>(PrimaryExtension {
                line,
                pattern: row.parsed("line.extension_pattern")?,
                route_partition: row.pkid("line.extension_partition")?,
            })
        })
        .transpose()?;
    Ok(EndUser {
        pkid: row.pkid("end_user.pkid")?,
        user_id: row.parsed("end_user.user_id")?,
        person: person_of(row)?,
        enabled: row.flag("end_user.enabled")?,
        user_profile: row.pkid_or_null("end_user.user_profile")?,
        primary_extension,
        self_service_user_id: row.parsed_or_null("end_user.self_service_user_id")?,
        sealed_digest_credentials: row
            .text_or_null("end_user.digest_credentials")?
            .map(String::into_boxed_str),
        version: row.number("end_user.version")?,
    })
}

/// Finds the user whom a login names, be it the user ID or the Self-Service User ID.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn by_login(
    connection: &mut Connection,
    login: &FoldedLogin,
) -> Result<Option<EndUser>, StoreError> {
    sqlx::query(select_end_user!(
        "JOIN end_user_login ON end_user_login.end_user = end_user.pkid \
         WHERE end_user_login.folded = $1"
    ))
    .bind(login.as_str())
    .fetch_optional(connection)
    .await?
    .map(|row| end_user_of(&row))
    .transpose()
}

/// Reads a user by identity.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn by_pkid(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<EndUser>, StoreError> {
    sqlx::query(select_end_user!("WHERE end_user.pkid = $1"))
        .bind(pkid.to_string())
        .fetch_optional(connection)
        .await?
        .map(|row| end_user_of(&row))
        .transpose()
}

/// Reads the users of these identities, in no order.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn of_many(
    connection: &mut Connection,
    pkids: &[Pkid],
) -> Result<Vec<EndUser>, StoreError> {
    let mut users = Vec::with_capacity(pkids.len());
    for pkids in pkids.chunks(BOUND_AT_ONCE) {
        // Only numbers of places are put into the text.
        let statement = format!(
            select_end_user!("WHERE end_user.pkid IN ({})"),
            places(pkids.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for pkid in pkids {
            query = query.bind(pkid.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            users.push(end_user_of(row)?);
        }
    }
    Ok(users)
}

/// What users are searched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Identity.
    pub pkid: Pkid,
    /// User ID.
    pub user_id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Department.
    pub department: String,
}

/// Every user with what users are searched by, in no order.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn listed(connection: &mut Connection) -> Result<Vec<Listed>, StoreError> {
    sqlx::query("SELECT pkid, user_id, first_name, last_name, department FROM end_user")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            Ok(Listed {
                pkid: row.pkid("end_user.pkid")?,
                user_id: row.text("end_user.user_id")?,
                first_name: row.text("end_user.first_name")?,
                last_name: row.text("end_user.last_name")?,
                department: row.text("end_user.department")?,
            })
        })
        .collect()
}

/// Names of the access control groups of each of these users or application users.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
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

/// Locks the row until the caller's transaction ends, then reads the user.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn by_pkid_for_update(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<Option<EndUser>, StoreError> {
    sqlx::query("UPDATE end_user SET user_id = user_id WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(&mut *connection)
        .await?;
    by_pkid(connection, pkid).await
}

/// The users in order of their user ID after `after`, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
pub async fn page(
    connection: &mut Connection,
    after: &str,
    limit: u32,
) -> Result<Vec<EndUser>, StoreError> {
    sqlx::query(select_end_user!(
        "WHERE end_user.user_id > $1 ORDER BY end_user.user_id LIMIT $2"
    ))
    .bind(after)
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(end_user_of)
    .collect()
}

/// Adds a user with its login names.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another user has one of the login names.
pub async fn insert(
    connection: &mut Connection,
    user: &EndUser,
    created_at: crate::domain::time::UnixMillis,
) -> Result<(), StoreError> {
    let person = &user.person;
    sqlx::query(
        "INSERT INTO end_user (pkid, user_id, first_name, middle_name, last_name, mail, \
         department, title, telephone_number, user_locale, enabled, user_profile, \
         primary_extension, self_service_user_id, digest_credentials, created_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind(user.pkid.to_string())
    .bind(user.user_id.as_str())
    .bind(person.first_name.as_str())
    .bind(person.middle_name.as_str())
    .bind(person.last_name.as_str())
    .bind(person.mail.as_str())
    .bind(person.department.as_str())
    .bind(person.title.as_str())
    .bind(person.telephone_number.as_str())
    .bind(person.user_locale.as_str())
    .bind(i64::from(user.enabled))
    .bind(user.user_profile.map(|pkid| pkid.to_string()))
    .bind(
        user.primary_extension
            .as_ref()
            .map(|extension| extension.line.to_string()),
    )
    .bind(
        user.self_service_user_id
            .as_ref()
            .map(|id| id.as_str().to_owned()),
    )
    .bind(user.sealed_digest_credentials.as_deref())
    .bind(created_at.0)
    .bind(user.version)
    .execute(&mut *connection)
    .await?;
    insert_logins(connection, user).await
}

async fn insert_logins(connection: &mut Connection, user: &EndUser) -> Result<(), StoreError> {
    let mut logins = vec![user.user_id.folded()];
    logins.extend(
        user.self_service_user_id
            .as_ref()
            .map(SelfServiceUserId::folded),
    );
    logins.dedup();
    for login in logins {
        sqlx::query("INSERT INTO end_user_login (folded, end_user) VALUES ($1, $2)")
            .bind(login.as_str())
            .bind(user.pkid.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Replaces a user with the login names and raises the version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when the version is not the one given, [`StoreError::Duplicate`] when
/// another user has one of the login names.
pub async fn update(connection: &mut Connection, user: &EndUser) -> Result<(), StoreError> {
    let person = &user.person;
    let extension = user.primary_extension.as_ref();
    let self_service = user.self_service_user_id.as_ref();
    let updated = sqlx::query(
        "UPDATE end_user SET user_id = $2, first_name = $3, middle_name = $4, last_name = $5, \
         mail = $6, department = $7, title = $8, telephone_number = $9, user_locale = $10, \
         enabled = $11, user_profile = $12, primary_extension = $13, self_service_user_id = $14, \
         digest_credentials = $15, version = version + 1 WHERE pkid = $1 AND version = $16",
    )
    .bind(user.pkid.to_string())
    .bind(user.user_id.as_str())
    .bind(person.first_name.as_str())
    .bind(person.middle_name.as_str())
    .bind(person.last_name.as_str())
    .bind(person.mail.as_str())
    .bind(person.department.as_str())
    .bind(person.title.as_str())
    .bind(person.telephone_number.as_str())
    .bind(person.user_locale.as_str())
    .bind(i64::from(user.enabled))
    .bind(user.user_profile.map(|pkid| pkid.to_string()))
    .bind(extension.map(|extension| extension.line.to_string()))
    .bind(self_service.map(|id| id.as_str().to_owned()))
    .bind(user.sealed_digest_credentials.as_deref())
    .bind(user.version)
    .execute(&mut *connection)
    .await?;
    if updated.rows_affected() != 1 {
        return Err(StoreError::Conflict("End User"));
    }
    sqlx::query("DELETE FROM end_user_login WHERE end_user = $1")
        .bind(user.pkid.to_string())
        .execute(&mut *connection)
        .await?;
    insert_logins(connection, user).await
}

/// Removes a user with login names, groups, credentials and everything kept under the identity.
///
/// # Errors
///
/// [`StoreError::InUse`] when the user owns a device or is its digest user.
pub async fn delete(connection: &mut Connection, pkid: Pkid) -> Result<(), StoreError> {
    delete_what_is_kept(connection, pkid).await?;
    sqlx::query("DELETE FROM end_user_login WHERE end_user = $1")
        .bind(pkid.to_string())
        .execute(&mut *connection)
        .await?;
    sqlx::query("DELETE FROM end_user WHERE pkid = $1")
        .bind(pkid.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes credentials, groups and attributes of a user or application user.
pub(super) async fn delete_what_is_kept(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM credential_history WHERE credential IN \
         (SELECT pkid FROM credential WHERE owner = $1)",
        "DELETE FROM authentication_failure WHERE credential IN \
         (SELECT pkid FROM credential WHERE owner = $1)",
        "DELETE FROM credential WHERE owner = $1",
    ] {
        sqlx::query(statement)
            .bind(pkid.to_string())
            .execute(&mut *connection)
            .await?;
    }
    super::attribute::delete_of(connection, pkid).await?;
    leave_every_access_control_group(connection, pkid).await
}

/// Names of the access control groups of a user or application user.
///
/// # Errors
///
/// [`StoreError`] as [`by_login`].
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
/// [`StoreError`] as [`by_login`].
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
/// [`StoreError`] as [`by_login`].
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
/// [`StoreError`] as [`by_login`].
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
