//! Tables `credential`, `credential_history` and `credential_policy`.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use sqlx::any::AnyRow;

use super::Connection;
use super::StoreError;
use super::row::BOUND_AT_ONCE;
use super::row::Columns;
use super::row::places;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialPolicy;
use crate::domain::credential::LockDuration;
use crate::domain::lockout::Lock;
use crate::domain::pkid::Pkid;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;

pub(super) fn policy_of(row: &AnyRow) -> Result<CredentialPolicy, StoreError> {
    let seconds = |column| row.integer(column).map(Duration::from_secs);
    let lockout = seconds("credential_policy.lockout_s")?;
    let expires_after = seconds("credential_policy.expires_after_s")?;
    Ok(CredentialPolicy {
        failures_max: row.integer("credential_policy.failures_max")?,
        failures_reset_after: seconds("credential_policy.failures_reset_after_s")?,
        lock_duration: if lockout.is_zero() {
            LockDuration::UntilUnlocked
        } else {
            LockDuration::For(lockout)
        },
        length_min: row.integer("credential_policy.length_min")?,
        history: row.integer("credential_policy.history")?,
        expires_after: (!expires_after.is_zero()).then_some(expires_after),
        expiry_warning: seconds("credential_policy.expiry_warning_s")?,
        check_trivial: row.flag("credential_policy.check_trivial")?,
    })
}

fn credential_of(row: &AnyRow) -> Result<StoredCredential, StoreError> {
    let locked_at = row.time_or_null("credential.locked_at")?;
    let until = row.time_or_null("credential.locked_until")?;
    Ok(StoredCredential {
        pkid: row.pkid("credential.pkid")?,
        hash: row.text("credential.hash")?.into_boxed_str(),
        policy: policy_of(row)?,
        policy_pkid: row.pkid("credential.credential_policy")?,
        changed_at: row.time("credential.changed_at")?,
        must_change: row.flag("credential.must_change")?,
        does_not_expire: row.flag("credential.does_not_expire")?,
        cant_change: row.flag("credential.cant_change")?,
        lock: locked_at.map(|since| Lock { since, until }),
        version: row.number("credential.version")?,
    })
}

/// Reads the credential of a kind that a user or application user has, with its policy.
///
/// # Errors
///
/// [`StoreError`] when the database fails or a row is corrupt; so for every function here.
pub async fn find(
    connection: &mut Connection,
    owner: Pkid,
    kind: CredentialKind,
) -> Result<Option<StoredCredential>, StoreError> {
    sqlx::query(
        "SELECT credential.pkid, credential.hash, credential.credential_policy, \
         credential.changed_at, credential.must_change, \
         credential.does_not_expire, credential.cant_change, credential.locked_at, credential.locked_until, \
         credential.version, credential_policy.failures_max, \
         credential_policy.failures_reset_after_s, credential_policy.lockout_s, \
         credential_policy.length_min, credential_policy.history, \
         credential_policy.expires_after_s, credential_policy.expiry_warning_s, \
         credential_policy.check_trivial FROM credential \
         JOIN credential_policy ON credential_policy.pkid = credential.credential_policy \
         WHERE credential.owner = $1 AND credential.kind = $2",
    )
    .bind(owner.to_string())
    .bind(kind.as_str())
    .fetch_optional(connection)
    .await?
    .map(|row| credential_of(&row))
    .transpose()
}

/// A credential to be written.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Identity, used where there is none of this kind yet.
    pub pkid: Pkid,
    /// The user or application user.
    pub owner: Pkid,
    /// PIN or password.
    pub kind: CredentialKind,
    /// PHC string.
    pub hash: Box<str>,
    /// The policy it stands under.
    pub policy: Pkid,
    /// When it was set.
    pub changed_at: UnixMillis,
    /// Whether its owner must change it at the next login.
    pub must_change: bool,
}

/// What holds for a credential beside the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The policy it stands under.
    pub policy: Pkid,
    /// Whether its owner must change it at the next login.
    pub must_change: bool,
    /// Whether the policy's age does not hold for it.
    pub does_not_expire: bool,
    /// Whether only administrators may change it.
    pub cant_change: bool,
}

/// Sets what holds for a credential beside the secret.
///
/// # Errors
///
/// [`StoreError::InUse`] when there is no such policy.
pub async fn set_terms(
    connection: &mut Connection,
    credential: Pkid,
    terms: &Terms,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE credential SET credential_policy = $2, must_change = $3, does_not_expire = $4, \
         cant_change = $5 WHERE pkid = $1",
    )
    .bind(credential.to_string())
    .bind(terms.policy.to_string())
    .bind(i64::from(terms.must_change))
    .bind(i64::from(terms.does_not_expire))
    .bind(i64::from(terms.cant_change))
    .execute(connection)
    .await?;
    Ok(())
}

/// How a credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct State {
    /// What holds for it beside the secret.
    pub terms: Terms,
    /// When it was set.
    pub changed_at: UnixMillis,
    /// When an administrator locked it; `None`: none does.
    pub admin_locked_at: Option<UnixMillis>,
}

/// How the credentials of these users stand, without the hashes.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn states_of_many(
    connection: &mut Connection,
    owners: &[Pkid],
) -> Result<HashMap<(Pkid, CredentialKind), State>, StoreError> {
    let mut states = HashMap::new();
    for owners in owners.chunks(BOUND_AT_ONCE) {
        let statement = format!(
            "SELECT owner, kind, credential_policy, changed_at, must_change, does_not_expire, \
             cant_change, admin_locked_at FROM credential WHERE owner IN ({})",
            places(owners.len(), 1)
        );
        // Only numbers of places are put into the text.
        let mut query = sqlx::query(sqlx::AssertSqlSafe(statement));
        for owner in owners {
            query = query.bind(owner.to_string());
        }
        for row in &query.fetch_all(&mut *connection).await? {
            let kind = match row.text("credential.kind")?.as_str() {
                "pin" => CredentialKind::Pin,
                _ => CredentialKind::Password,
            };
            let state = State {
                terms: Terms {
                    policy: row.pkid("credential.credential_policy")?,
                    must_change: row.flag("credential.must_change")?,
                    does_not_expire: row.flag("credential.does_not_expire")?,
                    cant_change: row.flag("credential.cant_change")?,
                },
                changed_at: row.time("credential.changed_at")?,
                admin_locked_at: row.time_or_null("credential.admin_locked_at")?,
            };
            states.insert((row.pkid("credential.owner")?, kind), state);
        }
    }
    Ok(states)
}

/// Adds a credential or replaces the one of the same owner and kind, which then goes into the
/// history. The policy of one that exists stays; its lock ends and its version rises.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn put(connection: &mut Connection, new: &NewCredential) -> Result<(), StoreError> {
    let (owner, kind) = (new.owner.to_string(), new.kind.as_str());
    sqlx::query(
        "INSERT INTO credential_history (credential, changed_at, hash) \
         SELECT pkid, changed_at, hash FROM credential WHERE owner = $1 AND kind = $2 \
         ON CONFLICT DO NOTHING",
    )
    .bind(owner.as_str())
    .bind(kind)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "INSERT INTO credential (pkid, owner, kind, hash, credential_policy, changed_at, \
         must_change) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT (owner, kind) DO UPDATE SET hash = excluded.hash, \
         changed_at = excluded.changed_at, must_change = excluded.must_change, \
         locked_at = NULL, locked_until = NULL, admin_locked_at = NULL, version = credential.version + 1",
    )
    .bind(new.pkid.to_string())
    .bind(owner.as_str())
    .bind(kind)
    .bind(&*new.hash)
    .bind(new.policy.to_string())
    .bind(new.changed_at.0)
    .bind(i64::from(new.must_change))
    .execute(connection)
    .await?;
    Ok(())
}

/// The hashes of earlier credentials, newest first, at most `limit`.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn history(
    connection: &mut Connection,
    credential: Pkid,
    limit: u32,
) -> Result<Vec<Box<str>>, StoreError> {
    sqlx::query(
        "SELECT hash FROM credential_history WHERE credential = $1 \
         ORDER BY changed_at DESC LIMIT $2",
    )
    .bind(credential.to_string())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        row.text("credential_history.hash")
            .map(String::into_boxed_str)
    })
    .collect()
}

/// Locks a credential or ends its lock. The start of an ended lock is kept in `locked_at` until
/// the next lock, so that the failures before it do not count again.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn set_lock(
    connection: &mut Connection,
    credential: Pkid,
    lock: Option<Lock>,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE credential SET locked_at = $2, locked_until = $3, admin_locked_at = NULL \
         WHERE pkid = $1",
    )
    .bind(credential.to_string())
    .bind(lock.map(|lock| lock.since.0))
    .bind(lock.and_then(|lock| lock.until).map(|until| until.0))
    .execute(connection)
    .await?;
    Ok(())
}

/// Locks a credential until an administrator unlocks it.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn lock_by_administrator(
    connection: &mut Connection,
    credential: Pkid,
    since: UnixMillis,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE credential SET locked_at = $2, locked_until = NULL, admin_locked_at = $2 \
         WHERE pkid = $1",
    )
    .bind(credential.to_string())
    .bind(since.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Writes when and from where a credential was last right.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn set_last_login(
    connection: &mut Connection,
    owner: Pkid,
    kind: CredentialKind,
    at: UnixMillis,
    source: IpAddr,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE credential SET last_login_at = $3, last_login_source = $4 \
         WHERE owner = $1 AND kind = $2",
    )
    .bind(owner.to_string())
    .bind(kind.as_str())
    .bind(at.0)
    .bind(source.to_canonical().to_string())
    .execute(connection)
    .await?;
    Ok(())
}

/// When and from where a credential was last right; `None`: not yet.
///
/// # Errors
///
/// [`StoreError`] as [`find`].
pub async fn last_login(
    connection: &mut Connection,
    owner: Pkid,
    kind: CredentialKind,
) -> Result<Option<(UnixMillis, IpAddr)>, StoreError> {
    let row = sqlx::query(
        "SELECT last_login_at, last_login_source FROM credential \
         WHERE owner = $1 AND kind = $2 AND last_login_at IS NOT NULL",
    )
    .bind(owner.to_string())
    .bind(kind.as_str())
    .fetch_optional(connection)
    .await?;
    row.map(|row| {
        let at = row.time("credential.last_login_at")?;
        Ok((at, row.parsed("credential.last_login_source")?))
    })
    .transpose()
}
