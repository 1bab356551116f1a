//! Tables `access_control_group`, `credential_policy` and `self_provisioning`.

use std::collections::HashMap;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::super::Connection;
use super::super::StoreError;
use super::super::row::Columns;
use super::one_row;
use crate::domain::catalogue::HashedAuthenticationCode;
use crate::domain::catalogue::NamedCredentialPolicy;
use crate::domain::catalogue::SelfProvisioning;
use crate::domain::credential::CredentialPolicy;
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

fn duration_of(row: &AnyRow, column: &'static str) -> Result<Duration, StoreError> {
    row.integer(column).map(Duration::from_secs)
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn credential_policy_of(row: &AnyRow) -> Result<CredentialPolicy, StoreError> {
    let lockout = duration_of(row, "credential_policy.lockout_s")?;
    let expires_after = duration_of(row, "credential_policy.expires_after_s")?;
    Ok(CredentialPolicy {
        failures_max: row.integer("credential_policy.failures_max")?,
        failures_reset_after: duration_of(row, "credential_policy.failures_reset_after_s")?,
        lock_duration: if lockout.is_zero() {
            LockDuration::UntilUnlocked
        } else {
            LockDuration::For(lockout)
        },
        length_min: row.integer("credential_policy.length_min")?,
        history: row.integer("credential_policy.history")?,
        expires_after: (!expires_after.is_zero()).then_some(expires_after),
        check_trivial: row.flag("credential_policy.check_trivial")?,
    })
}

pub(super) async fn credential_policies(
    connection: &mut Connection,
) -> Result<HashMap<Pkid, NamedCredentialPolicy>, StoreError> {
    let named_of = |row: &AnyRow| {
        let named = NamedCredentialPolicy {
            name: row.text("credential_policy.name")?,
            policy: credential_policy_of(row)?,
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

/// The settings of self-provisioning; the defaults where the row is missing.
///
/// # Errors
///
/// [`StoreError`] when the database fails or the row is corrupt.
pub async fn self_provisioning(
    connection: &mut Connection,
) -> Result<SelfProvisioning, StoreError> {
    let row = sqlx::query("SELECT * FROM self_provisioning ORDER BY pkid LIMIT 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(SelfProvisioning::default());
    };
    let mode = row.text("self_provisioning.authentication_mode")?;
    let hash = row.text_or_null("self_provisioning.authentication_code_hash")?;
    let length = row.integer_or_null("self_provisioning.authentication_code_length")?;
    Ok(SelfProvisioning {
        authentication_mode: AuthenticationMode::from_word(&mode).ok_or(StoreError::Corrupt {
            column: "self_provisioning.authentication_mode",
            value: mode,
        })?,
        authentication_code: hash
            .zip(length)
            .map(|(hash, length)| HashedAuthenticationCode {
                hash: hash.into_boxed_str(),
                length,
            }),
        authentication_code_off_at: row
            .time_or_null("self_provisioning.authentication_code_off_at")?,
        cti_route_point: row.text("self_provisioning.cti_route_point")?,
        application_user: row.text("self_provisioning.application_user")?,
        version: row.number("self_provisioning.version")?,
    })
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

/// Replaces the settings of self-provisioning and raises their version.
///
/// # Errors
///
/// [`StoreError::Conflict`] when their version is not the one given.
pub async fn update_self_provisioning(
    connection: &mut Connection,
    settings: &SelfProvisioning,
) -> Result<(), StoreError> {
    let code = settings.authentication_code.as_ref();
    let updated = sqlx::query(
        "UPDATE self_provisioning SET authentication_mode = $1, authentication_code_hash = $2, \
         authentication_code_length = $3, authentication_code_off_at = $4, cti_route_point = $5, \
         application_user = $6, version = version + 1 WHERE version = $7",
    )
    .bind(settings.authentication_mode.as_str())
    .bind(code.map(|code| &*code.hash))
    .bind(code.map(|code| i64::try_from(code.length).unwrap_or(i64::MAX)))
    .bind(settings.authentication_code_off_at.map(|time| time.0))
    .bind(settings.cti_route_point.as_str())
    .bind(settings.application_user.as_str())
    .bind(settings.version)
    .execute(connection)
    .await?;
    one_row(updated.rows_affected(), "self-provisioning page")
}
