//! Phone control: a phone that is asked to restart is asked until it has come back.
//!
//! The request is a row of the caller's transaction, so it survives the service. The loop
//! [`run`] sends it by whatever channel reaches the phone; it is done when the phone fetches its
//! new file or registers anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::App;
use super::group_commit;
use super::group_commit::RestartAttempt;
use super::group_commit::Write;
use super::group_commit::WriteError;
use super::phone_channel::Delivery;
use super::record::Happening;
use super::settings::RestartAction;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// From the commit to the first attempt: the phone is to have the answer to its own request
/// first (the 200 to its REGISTER, the screen to its Continue).
const FIRST_ATTEMPT_AFTER: Duration = Duration::from_millis(500);

/// From an attempt that the phone accepted to the next: longer than a full boot takes.
const AFTER_ACCEPTED: Duration = Duration::from_mins(3);

/// From the n-th failed attempt to the next; the last holds from then on.
const AFTER_FAILED: [Duration; 6] = [
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(5),
];

/// Attempts at once: a burst of requests must not drown the registrar, and phones that are gone,
/// which hold theirs for 32 s, must not keep it from the others.
const ATTEMPTS_AT_ONCE: usize = 512;

/// Longest sleep of the loop: bounds how late it sees a clock that was set.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// Restarts that phones owe, in memory as in the table `phone_restart`.
#[derive(Debug, Default)]
pub struct PhoneControl {
    pending: Mutex<HashMap<DeviceName, Pending>>,
    changed: Notify,
}

#[derive(Debug)]
struct Pending {
    restart: PhoneRestart,
    in_flight: bool,
    /// Whether the phone showed during an attempt that it still runs on its old file.
    nudged: bool,
}

impl PhoneControl {
    fn pending(&self) -> MutexGuard<'_, HashMap<DeviceName, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the attempts of a restart whose row is committed.
    pub fn submit(&self, restart: PhoneRestart) {
        let name = restart.device_name.clone();
        let pending = Pending {
            restart,
            in_flight: false,
            nudged: false,
        };
        self.pending().insert(name, pending);
        self.changed.notify_one();
    }

    /// The restart that this phone still owes.
    pub fn owed_by(&self, name: &DeviceName) -> Option<PhoneRestart> {
        self.pending()
            .get(name)
            .map(|pending| pending.restart.clone())
    }

    /// Whether this phone still owes a restart.
    pub fn is_owed_by(&self, name: &DeviceName) -> bool {
        self.pending().contains_key(name)
    }

    /// How many phones owe a restart.
    pub fn len(&self) -> usize {
        self.pending().len()
    }

    /// Whether no phone owes a restart.
    pub fn is_empty(&self) -> bool {
        self.pending().is_empty()
    }

    /// Tries again now: the phone has just shown that it still runs on its old file.
    pub fn nudge(&self, name: &DeviceName, now: UnixMillis) {
        if let Some(pending) = self.pending().get_mut(name) {
            pending.nudged = pending.in_flight;
            let soon = now.plus(FIRST_ATTEMPT_AFTER);
            pending.restart.next_attempt_at = pending.restart.next_attempt_at.min(soon);
            self.changed.notify_one();
        }
    }

    pub(super) fn forget(&self, name: &DeviceName) {
        self.pending().remove(name);
    }

    /// Reads the restarts that are still owed after a start. Gives how many there are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or a row is corrupt.
    pub async fn load(&self, store: &store::Store) -> Result<usize, StoreError> {
        let restarts = store::phone_restart::all(store.read().await?.connection()).await?;
        let count = restarts.len();
        for restart in restarts {
            self.submit(restart);
        }
        Ok(count)
    }

    fn take_due(&self, now: UnixMillis, limit: usize) -> Vec<PhoneRestart> {
        let mut due = Vec::new();
        for pending in self.pending().values_mut() {
            if due.len() == limit {
                break;
            }
            if !pending.in_flight && pending.restart.next_attempt_at <= now {
                pending.in_flight = true;
                due.push(pending.restart.clone());
            }
        }
        due
    }

    fn sleep(&self, now: UnixMillis) -> Duration {
        self.pending()
            .values()
            .filter(|pending| !pending.in_flight)
            .map(|pending| pending.restart.next_attempt_at.since(now))
            .min()
            .map_or(SLEEP_MAX, |sleep| sleep.min(SLEEP_MAX))
    }

    /// Takes an attempt's outcome, unless the restart was asked for anew or is done meanwhile.
    fn attempted(&self, restart: &PhoneRestart) -> bool {
        let mut pending = self.pending();
        let Some(entry) = pending.get_mut(&restart.device_name) else {
            return false;
        };
        entry.in_flight = false;
        let same = entry.restart.requested_at == restart.requested_at;
        if same {
            let nudged_at = entry.restart.next_attempt_at;
            entry.restart = restart.clone();
            if std::mem::take(&mut entry.nudged) {
                entry.restart.next_attempt_at = restart.next_attempt_at.min(nudged_at);
            }
        }
        same
    }
}

/// Writes into the caller's transaction that a phone is to be restarted.
///
/// After the commit the caller hands what this gives to [`PhoneControl::submit`].
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn request_restart(
    app: &App,
    connection: &mut Connection,
    name: &DeviceName,
    action: PhoneAction,
) -> Result<PhoneRestart, StoreError> {
    let now = app.environment.now();
    let restart = PhoneRestart {
        device_name: name.clone(),
        action,
        requested_at: now,
        attempts: 0,
        next_attempt_at: now.plus(FIRST_ATTEMPT_AFTER),
        last_result: String::new(),
    };
    store::phone_restart::upsert(connection, &restart).await?;
    Ok(restart)
}

/// How a phone is made to take its new file: by `reset` when what only a full boot loads differs
/// (template, locale, firmware), else by `restart`; the setting `restart_action` overrules it.
pub fn action_for(app: &App, before: &Phone, after: &Phone) -> PhoneAction {
    let boot_only = |phone: &Phone| {
        let configuration = &phone.configuration;
        (
            configuration.phone_button_template,
            configuration.user_locale.clone(),
            configuration.network_locale.clone(),
            configuration.load_information.clone(),
        )
    };
    match app.settings.phones.restart_action {
        RestartAction::Restart => PhoneAction::Restart,
        RestartAction::Auto if boot_only(before) == boot_only(after) => PhoneAction::Restart,
        RestartAction::Auto | RestartAction::Reset => PhoneAction::Reset,
    }
}

/// The phone has fetched its new file (or otherwise shown that it runs on it): its restart is
/// done and the grace of its old binding over. Cheap when it owes nothing.
///
/// # Errors
///
/// [`WriteError`] when the database did not take it; the restart is then sent once more.
pub async fn came_back(
    app: &App,
    name: &DeviceName,
    happening: Happening,
) -> Result<(), WriteError> {
    let graced = app
        .locations
        .of_device(name)
        .iter()
        .any(|binding| binding.grace.is_some());
    if !app.phone_control.is_owed_by(name) && !graced {
        return Ok(());
    }
    let write = Write::CameBack(Box::new((name.clone(), happening)));
    group_commit::commit(app, write).await?;
    Ok(())
}

/// Sends what is due, again and again. Runs until it is dropped.
pub async fn run(app: Arc<App>) {
    let mut attempts = JoinSet::new();
    loop {
        let now = app.environment.now();
        let free = ATTEMPTS_AT_ONCE - attempts.len().min(ATTEMPTS_AT_ONCE);
        for restart in app.phone_control.take_due(now, free) {
            let app = app.clone();
            attempts.spawn(async move { attempt(&app, restart).await });
        }
        let sleep = match free {
            0 => SLEEP_MAX,
            _ => app.phone_control.sleep(now),
        };
        tokio::select! {
            Some(_) = attempts.join_next() => {}
            () = app.phone_control.changed.notified() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// One attempt, and its outcome in database, timeline and memory.
async fn attempt(app: &App, mut restart: PhoneRestart) {
    let delivery = deliver(app, &restart).await;
    let now = app.environment.now();
    let result = match delivery {
        Delivery::Accepted => "the phone accepted it".to_owned(),
        Delivery::Refused { status } => format!("the phone answered {status}"),
        Delivery::Unreachable => "no registration or no answer".to_owned(),
    };
    let wait = match delivery {
        Delivery::Accepted => AFTER_ACCEPTED,
        _ => after_failed(restart.attempts),
    };
    let repeats = result == restart.last_result;
    restart.attempts = restart.attempts.saturating_add(1);
    restart.next_attempt_at = now.plus(wait);
    restart.last_result = result;
    if !app.phone_control.attempted(&restart) {
        return;
    }
    let accepted = delivery == Delivery::Accepted;
    let event = if accepted {
        TimelineEvent::RestartSent
    } else {
        TimelineEvent::RestartFailed
    };
    tracing::info!(device = %restart.device_name, action = restart.action.as_str(),
        attempt = restart.attempts, result = %restart.last_result, "restart sent");
    let happening = Happening {
        detail: format!("{}: {}", restart.action.as_str(), restart.last_result),
        ..Happening::default()
    };
    let attempt = RestartAttempt {
        restart,
        happening: (accepted || !repeats).then_some((event, happening)),
    };
    // A lost row costs one attempt more after a restart of the service; the log has the cause.
    let _ = group_commit::commit(app, Write::RestartAttempted(Box::new(attempt))).await;
}

fn after_failed(attempts: u32) -> Duration {
    let index = usize::try_from(attempts).unwrap_or(usize::MAX);
    let [.., longest] = AFTER_FAILED;
    AFTER_FAILED.get(index).copied().unwrap_or(longest)
}

async fn deliver(app: &App, restart: &PhoneRestart) -> Delivery {
    let name = &restart.device_name;
    let newest = app
        .locations
        .of_device(name)
        .into_iter()
        .max_by_key(|binding| binding.registered_at);
    let (Some(binding), Some(channel)) = (newest, app.phone_channel.get()) else {
        return Delivery::Unreachable;
    };
    // A device that is gone has no file; the all-zero stamp says "everything you hold is stale".
    let stale = Pkid::from_u128(0);
    let version_stamp = app
        .phones
        .find(name)
        .map_or(stale, |known| known.phone.version_stamp);
    channel.send(binding, restart.action, version_stamp).await
}
