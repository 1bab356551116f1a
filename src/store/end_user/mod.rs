//! Tables `end_user` and `end_user_login`.
//!
//! ```text
//! mod.rs      one user, or several that are known
//! listed.rs   every user, or those that fit
//! write.rs    adding, changing, removing
//! groups.rs   the access control groups of a user
//! ```

mod groups;
mod listed;
mod write;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::end_user::EndUser;
use crate::domain::end_user::Person;
use crate::domain::end_user::PrimaryExtension;
use crate::domain::login_name::FoldedLogin;
use crate::domain::pkid::Pkid;

pub use groups::access_control_groups;
pub use groups::access_control_groups_of_many;
pub use groups::join_access_control_group;
pub use groups::leave_access_control_group;
pub use groups::leave_every_access_control_group;
pub use groups::members_of;
pub use listed::Listed;
pub use listed::SearchField;
pub use listed::listed;
pub use write::delete;
pub(super) use write::delete_what_is_kept;
pub use write::insert;
pub use write::update;

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
        sealed_digest_credentials: row.sealed_or_null("end_user.digest_credentials")?,
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
