//! Tables `access_control_group`, `credential_policy` and `self_provisioning`.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::credential::policy_of;
use super::super::row::Columns;
use super::super::row::one_row;
use crate::domain::catalogue::CredentialPolicyDefault;
use crate::domain::catalogue::NamedCredentialPolicy;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::credential::LockDuration;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::self_provisioning::AuthenticationMode;

pub(super) async fn access_control_groups(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, String>, StoreError> {
    sqlx::query("SELECT pkid, name FROM access_control_group")
        .fetch_all(connection)
        .await?
        .iter()
        .map(|row| {
            let name = row.text("access_control_group.name")?;
            Ok((row.pkid("access_control_group.pkid")?, name))
        })
        .collect()
}

/// Adds an access control group.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists.
pub async fn insert_access_control_group(
    connection: &mut Connection,
    pkid: Pkid,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO access_control_group (pkid, name) VALUES ($1, $2)")
        .bind(pkid.to_string())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Locks an access control group until the caller's transaction ends.
///
/// # Errors
///
/// [`StoreError::Conflict`] when it is gone.
pub async fn lock_access_control_group(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<(), StoreError> {
    let locked =
        sqlx::query("UPDATE access_control_group SET version = version + 1 WHERE pkid = $1")
            .bind(pkid.to_string())
            .execute(connection)
            .await?;
    one_row(&locked, "Access Control Group")
}

/// Gives an access control group another name.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when another has it.
pub async fn rename_access_control_group(
    connection: &mut Connection,
    pkid: Pkid,
    name: &str,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE access_control_group SET name = $2, version = version + 1 WHERE pkid = $1")
        .bind(pkid.to_string())
        .bind(name)
        .execute(connection)
        .await?;
    Ok(())
}

/// Removes an access control group with its memberships and what is kept for it.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn delete_access_control_group(
    connection: &mut Connection,
    pkid: Pkid,
) -> Result<(), StoreError> {
    super::super::attribute::delete_of(connection, pkid).await?;
    for statement in [
        "DELETE FROM access_control_group_member WHERE access_control_group = $1",
        "DELETE FROM access_control_group WHERE pkid = $1",
    ] {
        sqlx::query(statement)
            .bind(pkid.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

pub(super) async fn credential_policies(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, NamedCredentialPolicy>, StoreError> {
    let named_of = |row: &AnyRow| {
        let named = NamedCredentialPolicy {
            name: row.text("credential_policy.name")?,
            policy: policy_of(row)?,
            version: row.number("credential_policy.version")?,
        };
        Ok((row.pkid("credential_policy.pkid")?, named))
    };
    sqlx::query("SELECT * FROM credential_policy")
        .fetch_all(connection)
        .await?
        .iter()
        .map(named_of)
        .collect()
}

/// Adds a credential policy.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when the name exists.
pub async fn insert_credential_policy(
    connection: &mut Connection,
    pkid: Pkid,
    named: &NamedCredentialPolicy,
) -> Result<(), StoreError> {
    let policy = &named.policy;
    let lockout_s = match policy.lock_duration {
        LockDuration::For(duration) => seconds(duration),
        LockDuration::UntilUnlocked => 0,
    };
    sqlx::query(
        "INSERT INTO credential_policy (pkid, name, failures_max, failures_reset_after_s, \
         lockout_s, length_min, history, expires_after_s, check_trivial, version, \
         expiry_warning_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(pkid.to_string())
    .bind(named.name.as_str())
    .bind(i64::from(policy.failures_max))
    .bind(seconds(policy.failures_reset_after))
    .bind(lockout_s)
    .bind(i64::try_from(policy.length_min).unwrap_or(i64::MAX))
    .bind(i64::from(policy.history))
    .bind(policy.expires_after.map_or(0, seconds))
    .bind(i64::from(policy.check_trivial))
    .bind(named.version)
    .bind(seconds(policy.expiry_warning))
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn credential_policy_defaults(
    connection: &mut Connection,
) -> Result<HashMap<(CredentialUser, CredentialKind), CredentialPolicyDefault>, StoreError> {
    let default_of = |row: &AnyRow| {
        let user = row.text("credential_policy_default.credential_user")?;
        let user = match user.as_str() {
            "end_user" => CredentialUser::EndUser,
            "application_user" => CredentialUser::ApplicationUser,
            _ => return Err(corrupt("credential_policy_default.credential_user", user)),
        };
        let kind = row.text("credential_policy_default.credential_type")?;
        let kind = match kind.as_str() {
            "pin" => CredentialKind::Pin,
            "password" => CredentialKind::Password,
            _ => return Err(corrupt("credential_policy_default.credential_type", kind)),
        };
        let default = CredentialPolicyDefault {
            policy: row.pkid("credential_policy_default.credential_policy")?,
            hash: row
                .text_or_null("credential_policy_default.hash")?
                .map(Secret::new),
            must_change: row.flag("credential_policy_default.must_change")?,
            does_not_expire: row.flag("credential_policy_default.does_not_expire")?,
            cant_change: row.flag("credential_policy_default.cant_change")?,
            version: row.number("credential_policy_default.version")?,
        };
        Ok(((user, kind), default))
    };
    sqlx::query("SELECT * FROM credential_policy_default")
        .fetch_all(connection)
        .await?
        .iter()
        .map(default_of)
        .collect()
}

const fn corrupt(column: &'static str, value: String) -> StoreError {
    StoreError::Corrupt { column, value }
}

/// Says what new credentials of one kind begin with, and raises the version, which is the one that
/// was read.
///
/// # Errors
///
/// [`StoreError::InUse`] when there is no such policy, [`StoreError::Conflict`] when the row has
/// another version by now.
pub async fn put_credential_policy_default(
    connection: &mut Connection,
    (user, kind): (CredentialUser, CredentialKind),
    default: &CredentialPolicyDefault,
) -> Result<(), StoreError> {
    let put = sqlx::query(
        "INSERT INTO credential_policy_default (credential_user, credential_type, \
         credential_policy, hash, must_change, does_not_expire, cant_change, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8 + 1) \
         ON CONFLICT (credential_user, credential_type) DO UPDATE SET \
         credential_policy = excluded.credential_policy, hash = excluded.hash, \
         must_change = excluded.must_change, does_not_expire = excluded.does_not_expire, \
         cant_change = excluded.cant_change, version = excluded.version \
         WHERE credential_policy_default.version = $8",
    )
    .bind(user.as_str())
    .bind(kind.as_str())
    .bind(default.policy.to_string())
    .bind(default.hash.as_ref().map(Secret::reveal))
    .bind(i64::from(default.must_change))
    .bind(i64::from(default.does_not_expire))
    .bind(i64::from(default.cant_change))
    .bind(default.version)
    .execute(connection)
    .await?;
    one_row(&put, "Credential Policy Default")
}

/// Adds the one row of self-provisioning with its defaults.
///
/// # Errors
///
/// [`StoreError::Duplicate`] when it exists.
pub async fn insert_self_provisioning(
    connection: &mut Connection,
    pkid: Pkid,
    mode: AuthenticationMode,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO self_provisioning (pkid, authentication_mode) VALUES ($1, $2)")
        .bind(pkid.to_string())
        .bind(mode.as_str())
        .execute(connection)
        .await?;
    Ok(())
}
