//! Auto-registration: a phone that nobody configured becomes a device with a number of the
//! node's range, a secret of its own, and a restart so that it loads its own file.

mod allocation;
pub mod refused;
pub(in crate::service) mod template;
pub mod watch;

use std::time::Duration;

pub use allocation::Allocation;
pub use allocation::GroupTry;

use crate::domain::auto_registration::AutoRegistrationRefused;
use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::history::CorrelationId;
use crate::domain::history::TimelineEvent;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::phone_restart::PhoneRestart;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::devices::farewell::Ended;
use crate::service::devices::phone_book::KnownPhone;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record::Happening;
use crate::service::history::record::happened;
use crate::service::phone_control::restart_request;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// An unclaimed phone that has not fetched its own file by then is removed: it cannot reach the
/// file doors, or there is no phone. Source: rules, *Auto-registration*.
pub const FILE_FETCHED_WITHIN: Duration = Duration::from_mins(5);

/// Phones that one sweep removes at most, so that it does not hold the database for long.
const SWEEP_MAX: u32 = 200;

/// A phone that registers for the first time.
#[derive(Debug, Clone)]
pub struct NewPhone {
    /// Its registration; names device, model and source.
    pub binding: Binding,
    /// The request that caused it.
    pub correlation: Option<CorrelationId>,
    /// What it asked for before it existed: time and sentence, oldest first.
    pub asked_before: Vec<Happening>,
}

/// What auto-registration made.
#[derive(Debug)]
pub struct AutoRegistered {
    /// The device.
    pub known: KnownPhone,
    /// Its registration.
    pub binding: Binding,
    /// The restart by which it is to load its own file.
    pub restart: PhoneRestart,
}

/// What became of a phone that registers for the first time.
#[derive(Debug)]
pub enum Outcome {
    /// The device exists now.
    AutoRegistered(Box<AutoRegistered>),
    /// The device was not made.
    Refused(AutoRegistrationRefused),
    /// The number that the phone registers with belongs to somebody.
    NumberTaken,
    /// A device with that name exists already, made by another node.
    Exists,
}

/// Makes the device within a group's transaction.
pub(in crate::service) async fn create(
    app: &App,
    connection: &mut Connection,
    allocation: &mut Allocation,
    new: &NewPhone,
) -> Result<Outcome, StoreError> {
    let name = &new.binding.device_name;
    if allocation.has_made(name) || allocation.exists(connection, name).await? {
        return Ok(Outcome::Exists);
    }
    if number_is_taken(connection, allocation, &new.binding).await? {
        return Ok(Outcome::NumberTaken);
    }
    match allocation.admit(app, connection, &new.binding).await? {
        Ok(()) => {}
        Err(refused) => return Ok(Outcome::Refused(refused)),
    }
    let catalogue = app.catalogue.load();
    let Some(templates) = template::Templates::of(&catalogue, allocation.block()) else {
        return Ok(refused(AutoRegistrationRefused::NoTemplate));
    };
    let Some(number) = allocation.next_number(connection).await? else {
        return Ok(refused(AutoRegistrationRefused::RangeExhausted));
    };
    let (mut phone, line) = templates.make(app, &(&new.binding).into(), &number)?;
    store::line::insert(connection, &line).await?;
    store::device::insert(connection, &mut phone).await?;
    store::binding::upsert(connection, &new.binding).await?;
    let action = PhoneAction::Restart;
    let restart = restart_request::request(app, connection, name, action).await?;
    tell(app, connection, new, &number.to_string()).await?;
    allocation.made(name, new.binding.address());
    let pkid = phone.pkid;
    let known = KnownPhone::new(phone, &app.keys).map_err(|_| StoreError::Lost)?;
    allocation.inherits(pkid, line.pkid);
    Ok(Outcome::AutoRegistered(Box::new(AutoRegistered {
        known,
        binding: new.binding.clone(),
        restart,
    })))
}

fn refused(reason: AutoRegistrationRefused) -> Outcome {
    Outcome::Refused(reason)
}

/// An unknown phone registers as the auto-registration name, or as whatever it had before its
/// device was removed; but never as a number that a line has.
async fn number_is_taken(
    connection: &mut Connection,
    allocation: &Allocation,
    binding: &Binding,
) -> Result<bool, StoreError> {
    let registers_as = binding.address_of_record();
    if registers_as.eq_ignore_ascii_case(&allocation.block().name) {
        return Ok(false);
    }
    let Ok(number) = registers_as.parse() else {
        return Ok(false);
    };
    let used = store::auto_registration::numbers_in_use(connection, &number, &number).await?;
    Ok(!used.is_empty())
}

async fn tell(
    app: &App,
    connection: &mut Connection,
    new: &NewPhone,
    number: &str,
) -> Result<(), StoreError> {
    let name = &new.binding.device_name;
    for asked in &new.asked_before {
        let event = TimelineEvent::FileAskedFor;
        happened(app, connection, name, event, asked.clone()).await?;
    }
    for refused in app.auto_registration.refused.of(name) {
        let event = TimelineEvent::AutoRegistrationRefused;
        happened(app, connection, name, event, refused.happening()).await?;
    }
    let happening = Happening {
        detail: format!("directory number {number}"),
        source: Some(new.binding.address()),
        correlation: new.correlation,
        ..Happening::default()
    };
    happened(
        app,
        connection,
        name,
        TimelineEvent::AutoRegistered,
        happening,
    )
    .await
}

/// Removes unclaimed phones that never fetched their own file in time, and those older than the
/// node's time-to-live. Gives the names of those removed.
///
/// # Errors
///
/// [`ServiceError`] when the database fails; the next sweep tries again.
pub async fn sweep(app: &App) -> Result<Vec<DeviceName>, ServiceError> {
    let now = app.environment.now();
    let unfetched_before = now.minus(FILE_FETCHED_WITHIN);
    let expired_before = time_to_live(app).map(|age| now.minus(age));
    let candidates = candidates(app, unfetched_before, expired_before).await?;
    let mut removed = Vec::new();
    for name in candidates {
        let Some(known) = app.phones.find(&name) else {
            continue;
        };
        let phone = &known.phone;
        let why = if expired_before.is_some_and(|before| phone.created_at < before) {
            Reclaimed::TimeToLive
        } else if phone.file_fetched_at.is_none() && phone.created_at < unfetched_before {
            Reclaimed::FileNotFetched
        } else {
            continue;
        };
        if remove_unclaimed(app, phone, why).await? {
            removed.push(name);
        }
    }
    Ok(removed)
}

/// Why an unclaimed phone was removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reclaimed {
    TimeToLive,
    FileNotFetched,
}

impl Reclaimed {
    /// The label of the metric.
    const fn code(self) -> &'static str {
        match self {
            Self::TimeToLive => "time_to_live",
            Self::FileNotFetched => "file_not_fetched",
        }
    }

    const fn in_words(self) -> &'static str {
        match self {
            Self::TimeToLive => "nobody claimed the phone within its time-to-live",
            Self::FileNotFetched => {
                "the phone did not fetch its own file in time; it may register again"
            }
        }
    }
}

/// Age at which an unclaimed phone is removed: the node's, else that of the settings.
fn time_to_live(app: &App) -> Option<Duration> {
    let catalogue = app.catalogue.load();
    let node = catalogue.call_managers.get(&app.node.pkid)?;
    match node.auto_registration.unclaimed_time_to_live_s {
        Some(0) => None,
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => app.settings.auto_registration.unclaimed_time_to_live,
    }
}

async fn candidates(
    app: &App,
    unfetched_before: UnixMillis,
    expired_before: Option<UnixMillis>,
) -> Result<Vec<DeviceName>, StoreError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let mut names =
        store::auto_registration::unfetched_before(connection, unfetched_before, SWEEP_MAX).await?;
    if let Some(before) = expired_before {
        let expired = store::auto_registration::unclaimed_before(connection, before, SWEEP_MAX);
        names.extend(expired.await?);
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// Removes an unclaimed phone, its number, its registration and what it owes; `false` when it was
/// claimed, or fetched its file, in the meantime.
async fn remove_unclaimed(app: &App, seen: &Phone, why: Reclaimed) -> Result<bool, StoreError> {
    let name = &seen.name;
    // So many want to change it that it is no phone that nobody wants; the next round looks again.
    let Ok(turn) = DeviceTurn::take(app, [name]).await else {
        return Ok(false);
    };
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let Some(phone) = store::device::find_for_update(connection, name).await? else {
        return Ok(false);
    };
    let unchanged = phone.pkid == seen.pkid
        && phone.state == DeviceState::AutoRegistered
        && phone.file_fetched_at == seen.file_fetched_at;
    if !unchanged {
        return Ok(false);
    }
    store::device::delete(connection, phone.pkid).await?;
    let lines: Vec<_> = phone.lines.iter().map(|line| line.line).collect();
    store::line::delete_auto_registered(connection, &lines).await?;
    let ended = Ended::write(connection, name).await?;
    let happening = Happening {
        detail: format!("{}; {}", why.in_words(), freed(&phone)),
        ..Happening::default()
    };
    happened(app, connection, name, TimelineEvent::Removed, happening).await?;
    turn.commit(app, transaction).await?;
    app.phones.remove(name);
    ended.publish(app, name);
    metrics::counter!("selfprov_auto_registration_reclaimed_total", "reason" => why.code())
        .increment(1);
    tracing::info!(device = %name, reason = why.in_words(), "unclaimed phone removed");
    Ok(true)
}

/// Which numbers go back to the pool with a phone.
fn freed(phone: &Phone) -> String {
    let numbers: Vec<&str> = phone
        .lines
        .iter()
        .map(|line| line.pattern.as_str())
        .collect();
    match numbers.as_slice() {
        [] => "it had no number".to_owned(),
        numbers => format!("free again: {}", numbers.join(", ")),
    }
}
