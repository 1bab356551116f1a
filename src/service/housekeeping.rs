//! What has to be done again and again: registrations that ended, unclaimed phones that stay,
//! activation codes that nobody used.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::configuration;
use super::devices::reread;
use super::group_commit;
use super::group_commit::Write;
use super::registrar::auto_register;
use super::registrar::register;
use super::self_provisioning::activation_codes;
use crate::store;
use crate::store::StoreError;

/// Between two rounds: a phone that is gone is seen as gone within a second of
/// [`register::LATE_REFRESH`].
const ROUND: Duration = Duration::from_secs(1);

/// Rounds between two readings of what was written by commits that were not confirmed.
const ROUNDS_A_READING: u32 = 5;

/// Rounds between two searches for unclaimed phones that are to go.
const ROUNDS_A_SWEEP: u32 = 30;

/// Rounds between two removals of what is too old to keep: an hour.
const ROUNDS_A_REMOVAL: u32 = 3_600;

/// How long a phone's timeline is kept: a quarter, in which a complaint is made and looked into.
pub const TIMELINE_KEPT: Duration = Duration::from_hours(90 * 24);

/// Registrations removed at once; further ones follow in the same round.
const EXPIRED_MAX: usize = 1_000;

/// Goes round until it is dropped.
pub async fn run(app: Arc<App>) {
    let mut rounds = tokio::time::interval(ROUND);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut round = 0_u32;
    loop {
        rounds.tick().await;
        while remove_expired(&app).await >= EXPIRED_MAX {}
        if round.is_multiple_of(ROUNDS_A_READING) {
            configuration::reread_doubtful(&app).await;
            reread::doubtful(&app).await;
        }
        if round.is_multiple_of(ROUNDS_A_SWEEP)
            && let Err(error) = auto_register::sweep(&app).await
        {
            tracing::error!(%error, "unclaimed phones could not be looked through");
        }
        if round.is_multiple_of(ROUNDS_A_SWEEP)
            && let Err(error) = auto_register::watch::look(&app).await
        {
            tracing::error!(%error, "auto-registration could not be looked at");
        }
        if round.is_multiple_of(ROUNDS_A_SWEEP) {
            remove_ended_codes(&app).await;
        }
        if round.is_multiple_of(ROUNDS_A_REMOVAL)
            && let Err(error) = remove_old(&app).await
        {
            tracing::error!(%error, "old rows could not be removed; it is tried again in an hour");
        }
        round = round.wrapping_add(1);
    }
}

/// Removes registrations that ended, about `EXPIRED_MAX` at most; gives how many there were.
pub async fn remove_expired(app: &App) -> usize {
    let ended_before = app.environment.now().minus(register::LATE_REFRESH);
    let expired = app.locations.expired(ended_before, EXPIRED_MAX);
    let mut count = 0;
    let mut writes = Vec::new();
    for binding in expired {
        let (name, number) = (&binding.device_name, binding.address_of_record());
        // From here on a late refresh is a new registration; it is written after this removal.
        let removed = app
            .locations
            .remove_if(name, number, |binding| binding.expires_at < ended_before);
        let Some(removed) = removed else { continue };
        count += 1;
        // Another node's binding is that node's to remove; here it is only forgotten.
        if removed.node == app.node.pkid {
            let removal = register::removal(app, &removed, "no refresh came in time");
            writes.push(Write::RemoveBinding(Box::new(removal)));
        }
    }
    // A row that stays is loaded and ends again after the next start.
    group_commit::commit_all(app, writes).await;
    count
}

/// Removes activation codes that nobody used in time; gives how many there were.
pub async fn remove_ended_codes(app: &App) -> usize {
    let removed = activation_codes::remove_expired(app).await;
    removed.unwrap_or_else(|error| {
        tracing::error!(%error, "activation codes that have ended could not be removed");
        0
    })
}

/// Removes timeline rows older than [`TIMELINE_KEPT`] and wipes the secrets of ended graces.
///
/// # Errors
///
/// [`StoreError`] when the database fails; nothing is removed then.
pub async fn remove_old(app: &App) -> Result<(), StoreError> {
    let now = app.environment.now();
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let before = now.minus(TIMELINE_KEPT);
    let rows = store::history::delete_timeline_before(connection, before).await?;
    let graces = store::binding::wipe_ended_graces(connection, now).await?;
    transaction.commit().await?;
    tracing::debug!(
        rows,
        graces,
        "old timeline rows removed, ended graces wiped"
    );
    Ok(())
}
