//! Restarting many phones at a bounded pace: a change of a template reaches phones only when they
//! load their files, and a site that boots at once is a site without telephones.

use std::time::Duration;

use crate::domain::device::DeviceName;
use crate::domain::history::AuditKind;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::FIRST_ATTEMPT_AFTER;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::phone_restart::paced;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;

/// Phones a minute when nothing else is said: 50,000 in 84 minutes.
pub const PER_MINUTE: u32 = 600;

/// Most phones a minute.
pub const PER_MINUTE_MAX: u32 = 60_000;

/// Rows written in one transaction: registrations wait for no longer than that takes.
const ROWS_A_TRANSACTION: usize = 1_000;

/// Which phones are restarted, how, and how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartMany {
    /// Those of this model; `None`: all.
    pub model: Option<u32>,
    /// What they are to do.
    pub action: PhoneAction,
    /// How many a minute.
    pub per_minute: u32,
}

/// What was asked of many phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedMany {
    /// Phones that will be told.
    pub asked: usize,
    /// Phones that owe a restart already; they keep that.
    pub owing: usize,
    /// Phones that are not registered: they load their files when they boot.
    pub not_registered: usize,
    /// Time until the last one is told.
    pub lasts: Duration,
}

/// Asks many phones to restart, one after the other at the pace given.
///
/// Each phone's restart stands by itself: when the database fails midway, those before it are
/// asked for and the rest are not.
///
/// # Errors
///
/// [`ServiceError`] when the database fails.
pub async fn restart_many(
    app: &App,
    actor: &Actor,
    many: &RestartMany,
) -> Result<AskedMany, ServiceError> {
    let model = many.model.map_or_else(
        || "every model".to_owned(),
        |number| format!("model {number}"),
    );
    let is_wanted = |phone: &Phone| many.model.is_none() || phone.model == many.model;
    let selected = select(app, is_wanted);
    ask(app, actor, many, &model, selected).await
}

/// Asks the phones that `is_concerned` chooses, one after the other at the usual pace; `which`
/// says in the audit log which ones those are.
///
/// # Errors
///
/// As [`restart_many`].
pub async fn restart_concerned(
    app: &App,
    actor: &Actor,
    action: PhoneAction,
    which: &str,
    is_concerned: impl Fn(&Phone) -> bool,
) -> Result<AskedMany, ServiceError> {
    let many = RestartMany {
        model: None,
        action,
        per_minute: PER_MINUTE,
    };
    let selected = select(app, is_concerned);
    ask(app, actor, &many, which, selected).await
}

async fn ask(
    app: &App,
    actor: &Actor,
    many: &RestartMany,
    which: &str,
    (names, mut result): (Vec<DeviceName>, AskedMany),
) -> Result<AskedMany, ServiceError> {
    let now = app.environment.now();
    let restarts = names.into_iter().zip(0_u64..).map(|(name, index)| {
        let first_attempt_at = paced(index, many.per_minute, now);
        PhoneRestart::new(name, many.action, now, first_attempt_at)
    });
    let restarts: Vec<PhoneRestart> = restarts.collect();
    let described = format!(
        "{} of {} phones, {which}, {} a minute",
        many.action.as_str(),
        restarts.len(),
        many.per_minute
    );
    audit(app, actor, "device.restart_many", described).await?;
    for chunk in restarts.chunks(ROWS_A_TRANSACTION) {
        let mut transaction = app.store.begin().await?;
        let mut written = Vec::with_capacity(chunk.len());
        for restart in chunk {
            if store::phone_restart::insert(transaction.connection(), restart).await? {
                written.push(restart.clone());
            }
        }
        transaction.commit().await?;
        result.asked += written.len();
        // Asked for by somebody else, or on another node, since the selection.
        result.owing += chunk.len() - written.len();
        for restart in written {
            result.lasts = restart.next_attempt_at.since(now);
            app.phone_control.submit(restart);
        }
    }
    Ok(result)
}

fn select(app: &App, is_wanted: impl Fn(&Phone) -> bool) -> (Vec<DeviceName>, AskedMany) {
    let mut result = AskedMany {
        asked: 0,
        owing: 0,
        not_registered: 0,
        lasts: Duration::ZERO,
    };
    let mut wanted = Vec::new();
    app.phones.for_each(|known| {
        if is_wanted(&known.phone) {
            wanted.push(known.phone.name.clone());
        }
    });
    wanted.sort_unstable();
    wanted.retain(|name| {
        if app.phone_control.is_owed_by(name) {
            result.owing += 1;
            return false;
        }
        let is_registered = !app.locations.of_device(name).is_empty();
        result.not_registered += usize::from(!is_registered);
        is_registered
    });
    (wanted, result)
}

/// Takes back the restarts that were never tried and are not due yet: what is left of a batch.
/// Gives how many. A restart that provisioning asked for is tried at once and so is not among them.
///
/// # Errors
///
/// [`ServiceError`] when the database fails; then nothing is taken back for good.
pub async fn cancel_untried(app: &App, actor: &Actor) -> Result<usize, ServiceError> {
    let after = app.environment.now().plus(FIRST_ATTEMPT_AFTER);
    let count = app.phone_control.forget_untried(after);
    audit(
        app,
        actor,
        "device.restart_cancel",
        format!("{count} restarts that were never tried are taken back"),
    )
    .await?;
    let mut transaction = app.store.begin().await?;
    store::phone_restart::delete_untried(transaction.connection(), after).await?;
    transaction.commit().await?;
    Ok(count)
}

async fn audit(
    app: &App,
    actor: &Actor,
    action: &'static str,
    after: String,
) -> Result<(), ServiceError> {
    let change = Change {
        action,
        object_kind: AuditKind::Device,
        object_name: String::new(),
        before: String::new(),
        after,
    };
    let mut transaction = app.store.begin().await?;
    record::audit(app, transaction.connection(), actor, change).await?;
    transaction.commit().await?;
    Ok(())
}
