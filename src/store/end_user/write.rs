//! Adding, changing and removing users.

use super::super::Connection;
use super::super::StoreError;
use super::super::attribute;
use super::super::row::Query;
use super::super::row::one_row;
use super::super::row::sealed_text;
use super::groups::leave_every_access_control_group;
use crate::domain::end_user::EndUser;
use crate::domain::login_name::SelfServiceUserId;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;

/// Adds a user with its login names.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another user has one of the login names.
pub async fn insert(
    connection: &mut Connection,
    user: &EndUser,
    created_at: UnixMillis,
) -> Result<(), StoreError> {
    let query = sqlx::query(
        "INSERT INTO end_user (pkid, user_id, first_name, middle_name, last_name, mail, \
         department, title, telephone_number, user_locale, enabled, user_profile, \
         primary_extension, self_service_user_id, digest_credentials, created_at, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    );
    bind(query, user)
        .bind(created_at.0)
        .bind(user.version)
        .execute(&mut *connection)
        .await?;
    insert_logins(connection, user).await
}

/// Binds what both statements write, from `$1` to `$15`: the identity, then `user_id` to
/// `digest_credentials` in the order of the columns.
fn bind<'a>(query: Query<'a>, user: &'a EndUser) -> Query<'a> {
    let person = &user.person;
    let extension = user.primary_extension.as_ref();
    let self_service = user.self_service_user_id.as_ref();
    query
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
        .bind(self_service.map(SelfServiceUserId::as_str))
        .bind(user.sealed_digest_credentials.as_ref().map(sealed_text))
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
    let query = sqlx::query(
        "UPDATE end_user SET user_id = $2, first_name = $3, middle_name = $4, last_name = $5, \
         mail = $6, department = $7, title = $8, telephone_number = $9, user_locale = $10, \
         enabled = $11, user_profile = $12, primary_extension = $13, self_service_user_id = $14, \
         digest_credentials = $15, version = version + 1 WHERE pkid = $1 AND version = $16",
    );
    let updated = bind(query, user)
        .bind(user.version)
        .execute(&mut *connection)
        .await?;
    one_row(&updated, "End User")?;
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
pub(in crate::store) async fn delete_what_is_kept(
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
    attribute::delete_of(connection, pkid).await?;
    leave_every_access_control_group(connection, pkid).await
}
