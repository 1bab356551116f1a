//! Tables `access_control_group`, `credential_policy` and `self_provisioning`.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::credential::policy_of;
use super::super::row::Columns;
use crate::domain::catalogue::NamedCredentialPolicy;
use crate::domain::credential::LockDuration;
use crate::domain::pkid::Pkid;
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
         lockout_s, length_min, history, expires_after_s, check_trivial, version) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
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
    .execute(connection)
    .await?;
    Ok(())
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
