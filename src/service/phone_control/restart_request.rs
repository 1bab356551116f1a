//! That a phone is to be restarted: what the use case that changes it writes. [`phone_control`]
//! then asks the phone until it has come back.
//!
//! [`phone_control`]: super

use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::FIRST_ATTEMPT_AFTER;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::settings::RestartAction;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Writes into the caller's transaction that a phone is to be restarted. What it owes already is
/// not weakened by it.
///
/// After the commit the caller hands what this gives to
/// [`PhoneControl::submit`](super::PhoneControl::submit).
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub(in crate::service) async fn request(
    app: &App,
    connection: &mut Connection,
    name: &DeviceName,
    action: PhoneAction,
) -> Result<PhoneRestart, StoreError> {
    let owed = app.phone_control.owed_by(name);
    let action = owed.map_or(action, |owed| action.stronger(owed.action));
    let now = app.environment.now();
    let restart = PhoneRestart::new(name.clone(), action, now, now.plus(FIRST_ATTEMPT_AFTER));
    store::phone_restart::upsert(connection, &restart).await?;
    Ok(restart)
}

/// How a phone is made to take its new file: by `reset` when what only a full boot loads differs
/// (template, locale, firmware), else by `restart`; the setting `restart_action` overrules it.
pub(in crate::service) fn action_for(app: &App, before: &Phone, after: &Phone) -> PhoneAction {
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

/// What stands in the timeline when the phone has come back.
pub(in crate::service) fn done_in_words(
    restart: &PhoneRestart,
    detail: &str,
    now: UnixMillis,
) -> String {
    let (attempts, seconds) = (restart.attempts, now.since(restart.requested_at).as_secs());
    format!(
        "{detail}; {seconds} s after the {}, {attempts} attempts",
        restart.action.as_str()
    )
}
