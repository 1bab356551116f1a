//! What an attempt leaves behind: failures, locks, rows of the phone's timeline.

use std::time::Duration;

use super::Admitted;
use super::Attempt;
use super::AuthenticateError;
use super::Entry;
use super::Reason;
use super::known::Known;
use super::known::history;
use super::known::lockout_rule;
use crate::domain::account::Account;
use crate::domain::credential::AuthenticationCode;
use crate::domain::history::AuditKind;
use crate::domain::history::TimelineEvent;
use crate::domain::lockout;
use crate::domain::lockout::Failure;
use crate::domain::lockout::Lock;
use crate::domain::refusal::Refusal;
use crate::domain::self_provisioning::Proof;
use crate::service::App;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::history::record::Happening;
use crate::service::history::record::Who;
use crate::service::history::refusal_rows;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::authentication_failure::OF_CODE;

/// Writes to the phone's timeline that an attempt was not looked at, but not each of a flood.
pub(super) async fn tell_wait(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    wait: Duration,
) -> Result<(), AuthenticateError> {
    let Some(device) = attempt.device else {
        return Ok(());
    };
    let happening = Happening {
        code: Refusal::TooManyAttempts { wait }.code(),
        detail: match wait {
            Duration::MAX => "locked until an administrator unlocks the phone".to_owned(),
            wait => format!("not looked at; {} s left", wait.as_millis().div_ceil(1000)),
        },
        source: Some(attempt.source),
        end_user: user_id_of(known.account.as_ref()),
        correlation: Some(attempt.correlation),
    };
    refusal_rows::refused_without_work(app, device, happening).await?;
    Ok(())
}

/// A right login: forgets the failures of this credential and this device. It counts only if no
/// lock came in between from another node.
pub(super) async fn record_right(
    app: &App,
    attempt: &Attempt<'_>,
    known: Known,
    proof: Proof,
) -> Result<Admitted, AuthenticateError> {
    forget_failures(app, attempt, &known, proof).await?;
    let account = known.account.ok_or(AuthenticateError::Failed)?;
    Ok(Admitted {
        account,
        credential: known.credential,
        proof,
        mode: known.settings.mode,
    })
}

/// Forgets the failures of what was shown and of this device, unless a lock came in between from
/// another node: then what was shown does not count.
pub(super) async fn forget_failures(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    proof: Proof,
) -> Result<(), AuthenticateError> {
    if known.has_failures() {
        let mut transaction = app.store.begin().await?;
        let connection = transaction.connection();
        if is_locked_meanwhile(app, connection, attempt, known, proof).await? {
            return Err(AuthenticateError::Failed);
        }
        store::authentication_failure::clear(connection, &known.key, attempt.device).await?;
        transaction.commit().await?;
    }
    Ok(())
}

/// Whether another node locked the credential or the device while this one looked at it.
async fn is_locked_meanwhile(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
    proof: Proof,
) -> Result<bool, StoreError> {
    let now = app.environment.now();
    let device_lock = match attempt.device {
        Some(device) => store::authentication_failure::device_lock(connection, device).await?,
        None => None,
    };
    let stored = match (&known.account, proof) {
        (Some(account), Proof::Pin { .. }) => {
            store::credential::find(connection, account.pkid(), known.kind).await?
        }
        _ => None,
    };
    let device_is_locked = device_lock.is_some_and(|lock| !lock.left(now).is_zero());
    Ok(device_is_locked || stored.is_some_and(|stored| stored.is_locked(now)))
}

/// A wrong login: counts it, locks what it locks and writes the true reason. What a lock kept from
/// being looked at is not counted, and told only once in a while.
pub(super) async fn record_wrong(
    app: &App,
    attempt: &Attempt<'_>,
    known: &Known,
    reason: Reason,
    entry: Entry,
) -> Result<(), AuthenticateError> {
    let is_locked = known.is_locked(app.environment.now());
    let happening = |consequences: &[&str]| Happening {
        code: Refusal::AuthenticationFailed.code(),
        detail: sentence(&reason.as_sentence(known.kind), consequences),
        source: Some(attempt.source),
        end_user: user_id_of(known.account.as_ref()),
        correlation: Some(attempt.correlation),
    };
    if is_locked && entry == Entry::OfUser {
        if let Some(device) = attempt.device {
            refusal_rows::refused_without_work(app, device, happening(&[])).await?;
        }
        return Ok(());
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let key = if is_locked { OF_CODE } else { &known.key };
    insert_failure(app, connection, attempt, (known, key), entry).await?;
    let mut consequences = lock_what_failed(app, connection, attempt, known, is_locked).await?;
    if entry == Entry::AuthenticationCode && switch_code_off(app, connection, attempt).await? {
        consequences.push("the authentication code is off until an administrator acts");
    }
    if let Some(device) = attempt.device {
        let event = TimelineEvent::LoginRefused;
        record::happened(app, connection, device, event, happening(&consequences)).await?;
    }
    transaction.commit().await?;
    if attempt.device.is_none() {
        tell_log(attempt, known, reason, &consequences);
    }
    Ok(())
}

/// Where no phone's timeline can take it, the log does. What was typed is not in it: it may be a
/// password in the wrong field.
fn tell_log(attempt: &Attempt<'_>, known: &Known, reason: Reason, consequences: &[&str]) {
    let reason = sentence(&reason.as_sentence(known.kind), consequences);
    let user_id = user_id_of(known.account.as_ref());
    tracing::warn!(source = %attempt.source, user_id, reason, "a login was refused");
}

fn user_id_of(account: Option<&Account>) -> String {
    account.map_or_else(String::new, |account| account.user_id().to_string())
}

fn sentence(reason: &str, consequences: &[&str]) -> String {
    let mut parts = vec![reason];
    parts.extend(consequences);
    parts.join("; ")
}

async fn insert_failure(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    (known, key): (&Known, &str),
    entry: Entry,
) -> Result<(), StoreError> {
    let now = app.environment.now();
    let failure = Failure {
        at: now,
        device: attempt.device.cloned(),
        source: attempt.source,
    };
    let new = store::authentication_failure::NewFailure {
        pkid: app.environment.new_ordered_pkid(now),
        credential: key,
        failure: &failure,
        of_code: entry == Entry::AuthenticationCode,
    };
    store::authentication_failure::insert(connection, &new).await?;
    let kept = lockout::remembered(&known.policy).max(AuthenticationCode::FAILURES_WITHIN);
    store::authentication_failure::delete_before(connection, now.minus(kept)).await?;
    Ok(())
}

/// Locks the credential and the device when this failure was one too many for them.
async fn lock_what_failed(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
    known: &Known,
    is_locked: bool,
) -> Result<Vec<&'static str>, StoreError> {
    let now = app.environment.now();
    let history = history(app, connection, attempt, known).await?;
    let lock = Lock::begin(&known.policy, now);
    let mut consequences = Vec::new();
    if let Some(stored) = &known.credential
        && !is_locked
        && history.locks_credential(&known.policy, lockout_rule(app), now)
    {
        store::credential::set_lock(connection, stored.pkid, Some(lock)).await?;
        consequences.push("the credential is locked now");
    }
    if let Some(device) = attempt.device
        && history.locks_device(device, &known.policy, now)
    {
        store::authentication_failure::set_device_lock(connection, device, Some(lock)).await?;
        consequences.push("logins on this phone are locked now");
    }
    Ok(consequences)
}

/// Switches the authentication code off when it failed too often; gives whether it did.
async fn switch_code_off(
    app: &App,
    connection: &mut Connection,
    attempt: &Attempt<'_>,
) -> Result<bool, StoreError> {
    let now = app.environment.now();
    let since = now.minus(AuthenticationCode::FAILURES_WITHIN);
    let failures = store::authentication_failure::count_of_code(connection, since).await?;
    let switched = failures >= AuthenticationCode::FAILURES_MAX
        && store::self_provisioning::switch_code_off(connection, now).await?;
    if switched {
        tracing::error!(
            failures,
            "the authentication code failed too often within an hour and is off; set it anew"
        );
        let actor = Actor::at_address(Who::System, attempt.source, attempt.correlation);
        let change = Change {
            action: "authentication_code.switch_off",
            object_kind: AuditKind::SelfProvisioning,
            object_name: "authentication code".to_owned(),
            before: "on".to_owned(),
            after: format!("off after {failures} failures within an hour"),
        };
        record::audit(app, connection, &actor, change).await?;
    }
    Ok(switched)
}
