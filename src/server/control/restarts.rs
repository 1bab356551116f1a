//! The commands that restart phones.

use std::fmt::Write as _;

use crate::domain::phone_restart::{PhoneAction, PhoneRestart};
use crate::server::control::auto_registration::model;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{Answer, RestartView, RestartsView};
use crate::server::control::values::{device_fault, device_name, timestamp};
use crate::service::App;
use crate::service::devices;
use crate::service::phone_control::{self, PER_MINUTE, PER_MINUTE_MAX, RestartMany};

/// Restarts that are listed: what a person looks through.
const LISTED: usize = 100;

/// Tells a phone to restart.
///
/// # Errors
///
/// There is no such device.
pub async fn restart(app: &App, name: &str, action: PhoneAction) -> Result<Answer, Fault> {
    let name = device_name(name)?;
    let asked = devices::restart(app, &actor(app), &name, action).await;
    asked.map_err(device_fault)?;
    let until = if action.is_answered_by_coming_back() {
        "until it has come back"
    } else {
        "until it has heard it"
    };
    let action = action.as_str();
    Ok(Answer::Done(format!(
        "{name} will be told to {action}, {until}"
    )))
}

/// Tells many phones to restart, one after the other.
///
/// # Errors
///
/// The model is not known, the pace is none, or the database is away.
pub async fn restart_many(
    app: &App,
    model_name: Option<&str>,
    action: PhoneAction,
    per_minute: Option<u32>,
) -> Result<Answer, Fault> {
    let known = |name: &str| {
        let found = model(name).map(|model| model.number);
        found.ok_or_else(|| {
            Fault::new(format!(
                "there is no model {name:?}; write for example 7841"
            ))
        })
    };
    let per_minute = per_minute.unwrap_or(PER_MINUTE);
    if !(1..=PER_MINUTE_MAX).contains(&per_minute) {
        return Err(Fault::new(format!(
            "the pace is 1 to {PER_MINUTE_MAX} phones a minute"
        )));
    }
    let many = RestartMany {
        model: model_name.map(known).transpose()?,
        action,
        per_minute,
    };
    let done = phone_control::restart_many(app, &actor(app), &many).await?;
    let (asked, seconds) = (done.asked, done.lasts.as_secs());
    let mut text = format!(
        "{asked} phones will be told to {}, {per_minute} a minute: the last in {} min",
        many.action.as_str(),
        seconds.div_ceil(60)
    );
    for (count, why) in [
        (done.owing, "owe a restart already and keep that"),
        (
            done.not_registered,
            "are not registered and load their files when they boot",
        ),
    ] {
        if count > 0 {
            let _ = write!(text, "\n{count} {why}");
        }
    }
    Ok(Answer::Done(text))
}

/// Takes back the restarts that were never tried and are not due yet.
///
/// # Errors
///
/// The database is away.
pub async fn cancel(app: &App) -> Result<Answer, Fault> {
    let count = phone_control::cancel_untried(app, &actor(app)).await?;
    Ok(Answer::Done(format!(
        "{count} restarts that were never tried are taken back; what was sent was sent"
    )))
}

/// Lists the restarts that phones owe, those tried most often first.
pub fn list(app: &App) -> Answer {
    let restarts = app.phone_control.most_tried(LISTED);
    Answer::Restarts(RestartsView {
        owed: app.phone_control.len(),
        restarts: restarts.iter().map(view).collect(),
    })
}

pub(super) fn view(restart: &PhoneRestart) -> RestartView {
    RestartView {
        device: restart.device_name.to_string(),
        action: restart.action.as_str().to_owned(),
        requested_at: timestamp(restart.requested_at),
        attempts: restart.attempts,
        next_attempt_at: timestamp(restart.next_attempt_at),
        last_result: restart.last_result.clone(),
    }
}
