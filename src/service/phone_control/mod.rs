//! Phone control: a phone that is asked to restart is asked until it has come back.
//!
//! The request (`restart_request`) survives the service. The loop [`run`] sends it by whatever
//! [`channel`] reaches the phone; it is done when the phone fetches its new file or registers anew,
//! and given up when there is neither a device nor a registration of its name any more.
//!
//! ```text
//! restart_request.rs  what the use case that changes a phone writes
//! channel.rs          the one interface to phones, and the ways that doors add
//! pending.rs          restarts that are not answered yet
//! many.rs             restarting many phones, not all at once
//! ```

pub mod channel;
mod many;
mod pending;
pub(in crate::service) mod restart_request;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::App;
use super::group_commit;
use super::group_commit::CameBack;
use super::group_commit::RestartAttempt;
use super::group_commit::Write;
use super::group_commit::WriteError;
use super::history::record::Happening;
use crate::domain::device::DeviceName;
use crate::domain::history::TimelineEvent;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use channel::Delivery;
use channel::PhoneRequest;

pub use many::AskedMany;
pub use many::PER_MINUTE;
pub use many::PER_MINUTE_MAX;
pub use many::RestartMany;
pub use many::cancel_untried;
pub use many::restart_concerned;
pub use many::restart_many;
use pending::Attempted;
pub use pending::PhoneControl;

/// Attempts at once: a burst of requests must not drown the registrar, and phones that are gone,
/// which hold theirs for 32 s, must not keep it from the others.
const ATTEMPTS_AT_ONCE: usize = 512;

/// Longest sleep of the loop: bounds how late it sees a clock that was set.
const SLEEP_MAX: Duration = Duration::from_secs(1);

/// What the timeline says after the last attempt of a restart that nobody is left for.
const GIVEN_UP: &str = "; there is no device of this name any more: it is not tried again";

/// The phone has fetched its new file (or otherwise shown that it runs on it): its restart is
/// done and the grace of its old binding over. Cheap when it owes nothing.
///
/// `requested_at` is the restart that it owed before it was known to have its file; one that was
/// asked for since is for a later change and stays owed.
///
/// # Errors
///
/// [`WriteError`] when the database did not take it; the restart is then sent once more.
pub async fn came_back(
    app: &App,
    name: &DeviceName,
    requested_at: Option<UnixMillis>,
    happening: Happening,
) -> Result<(), WriteError> {
    if let Some(write) = came_back_write(app, name, requested_at, happening) {
        group_commit::commit(app, write).await?;
    }
    Ok(())
}

/// What [`came_back`] writes, for who writes it for many phones together; `None` when the phone owes
/// nothing.
pub(in crate::service) fn came_back_write(
    app: &App,
    name: &DeviceName,
    requested_at: Option<UnixMillis>,
    happening: Happening,
) -> Option<Write> {
    let graced = app
        .locations
        .of_device(name)
        .iter()
        .any(|binding| binding.grace.is_some());
    if requested_at.is_none() && !graced {
        return None;
    }
    Some(Write::CameBack(Box::new(CameBack {
        device_name: name.clone(),
        requested_at,
        happening,
    })))
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
            _ => app.phone_control.sleep(now, SLEEP_MAX),
        };
        tokio::select! {
            Some(_) = attempts.join_next() => {}
            () = app.phone_control.changed() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// Makes the attempts that are due now, and waits for their outcomes. Gives how many there were.
/// [`run`] does the same without waiting.
pub async fn send_due(app: &App) -> usize {
    let due = app
        .phone_control
        .take_due(app.environment.now(), ATTEMPTS_AT_ONCE);
    let count = due.len();
    for restart in due {
        attempt(app, restart).await;
    }
    count
}

/// One attempt, and its outcome in database, timeline, metrics and memory.
async fn attempt(app: &App, mut restart: PhoneRestart) {
    let bindings = app.locations.of_device(&restart.device_name);
    let call_ids = bindings.iter().map(|binding| binding.call_id().into());
    let call_ids: Vec<Box<str>> = call_ids.collect();
    let (delivery, channel) = app.phone_channels.send(&request(app, &restart)).await;
    let (word, result) = in_words(&delivery, channel);
    metrics::counter!("selfprov_restart_attempts_total", "result" => word).increment(1);
    let now = app.environment.now();
    let is_accepted = delivery == Delivery::Accepted;
    let result_before = restart.last_result.clone();
    let is_given_up = !is_accepted && is_nobodys(app, &restart.device_name);
    let is_done = restart.attempted(is_accepted, result, now) || is_given_up;
    let accepted_in = is_accepted.then_some(call_ids);
    let control = &app.phone_control;
    let Some(attempted) = control.attempted(&restart, &result_before, accepted_in, now) else {
        return;
    };
    tracing::info!(device = %restart.device_name, action = restart.action.as_str(),
        attempt = restart.attempts, result = %restart.last_result, "restart sent");
    let happening = (attempted.is_told || is_given_up).then(|| {
        let event = if is_accepted {
            TimelineEvent::RestartSent
        } else {
            TimelineEvent::RestartFailed
        };
        let mut detail = told(&restart, attempted, &result_before);
        if is_given_up {
            detail.push_str(GIVEN_UP);
        }
        let happening = Happening {
            detail,
            ..Happening::default()
        };
        (event, happening)
    });
    let attempt = RestartAttempt {
        restart,
        happening,
        is_done,
    };
    // A lost row costs one attempt more after a restart of the service; the log has the cause.
    let _ = group_commit::commit(app, Write::RestartAttempted(Box::new(attempt))).await;
}

/// Whether there is neither a device of this name nor a phone that is registered by it: nobody
/// can be told, and a phone that comes later is a new one.
fn is_nobodys(app: &App, name: &DeviceName) -> bool {
    app.phones.find(name).is_none() && app.locations.of_device(name).is_empty()
}

/// What a channel needs to know.
fn request(app: &App, restart: &PhoneRestart) -> PhoneRequest {
    let name = &restart.device_name;
    let bindings = app.locations.of_device(name).into_iter();
    let binding = bindings.max_by_key(|binding| binding.registered_at);
    let known = app.phones.find(name);
    let phone = known.as_ref().map(|known| &known.phone);
    let registered_address = phone.and_then(|phone| phone.registered_address);
    let lines = phone.map_or_else(Vec::new, |phone| {
        phone
            .lines
            .iter()
            .map(|line| line.pattern.clone())
            .collect()
    });
    // A device of another maker tells none.
    let model = phone.and_then(|phone| phone.model);
    PhoneRequest {
        device_name: name.clone(),
        model: model.or_else(|| binding.as_ref()?.model),
        action: restart.action,
        // A device that is gone has no file; zeros say "everything you hold is stale".
        version_stamp: phone.map_or(Pkid::from_u128(0), |phone| phone.version_stamp),
        address: binding
            .as_ref()
            .map(|binding| binding.address())
            .or(registered_address),
        binding,
        lines,
    }
}

/// The word for the metric, and the words for people.
fn in_words(delivery: &Delivery, channel: &str) -> (&'static str, String) {
    match delivery {
        Delivery::Accepted => ("accepted", format!("the phone accepted it by {channel}")),
        Delivery::Refused { answer } => (
            "refused",
            format!("the phone answered {answer} by {channel}"),
        ),
        Delivery::NoAnswer => ("no_answer", format!("no answer by {channel}")),
        Delivery::NoWay { why } => ("no_way", (*why).to_owned()),
    }
}

/// The row of the timeline, which stands for attempts that had the same result as well.
fn told(restart: &PhoneRestart, attempted: Attempted, result_before: &str) -> String {
    let (action, result) = (restart.action.as_str(), &restart.last_result);
    let attempt = restart.attempts;
    match attempted.untold {
        0 => format!("{action}: {result} (attempt {attempt})"),
        untold if result == result_before => {
            format!(
                "{action}: still {result} ({} more attempts, {attempt} in all)",
                untold + 1
            )
        }
        untold => format!(
            "{action}: {result} (attempt {attempt}; {untold} more before it: {result_before})"
        ),
    }
}
