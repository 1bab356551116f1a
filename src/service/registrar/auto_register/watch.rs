//! What an operator needs to know of auto-registration: what is in use, how long it lasts, what
//! wants attention. Looked at again and again; commands look by themselves.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::refused::RefusedPhones;
use super::time_to_live;
use crate::domain::auto_registration::AutoRegistrationRefused;
use crate::domain::auto_registration::DirectoryNumberRange;
use crate::domain::auto_registration::Window;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::range_forecast::Forecast;
use crate::domain::range_forecast::Limit;
use crate::domain::range_forecast::RangeLevel;
use crate::domain::range_forecast::RangeUse;
use crate::domain::range_forecast::Taken;
use crate::domain::range_forecast::forecast;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::App;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// The times over which the rate is looked at: an afternoon of unpacking, a day, a week.
const RATES_OVER: [Duration; 3] = [
    Duration::from_hours(6),
    Duration::from_hours(24),
    Duration::from_hours(7 * 24),
];

/// The operator is told that the window closes when it does so within this time.
pub const CLOSES_SOON: Duration = Duration::from_hours(1);

/// Time between two lines of the log about the same thing that goes on.
const TOLD_EVERY: Duration = Duration::from_hours(1);

/// Time between two lines of the log about a window that has closed: as a rule somebody wanted
/// that.
const CLOSED_TOLD_EVERY: Duration = Duration::from_hours(24);

/// Time between two lines of the log that count refused phones.
const REFUSALS_TOLD_EVERY: Duration = Duration::from_mins(10);

/// What is kept in memory of auto-registration beside the devices.
#[derive(Debug, Default)]
pub struct AutoRegistrationWatch {
    /// New phones that were refused.
    pub refused: RefusedPhones,
    latest: ArcSwapOption<Status>,
    told: Mutex<Told>,
}

impl AutoRegistrationWatch {
    /// What was seen last; `None` before the first look.
    pub fn latest(&self) -> Option<Arc<Status>> {
        self.latest.load_full()
    }
}

#[derive(Debug, Default)]
struct Told {
    at: HashMap<&'static str, UnixMillis>,
    refusals: HashMap<AutoRegistrationRefused, u64>,
}

/// Auto-registration of this node at one moment.
#[derive(Debug, Clone)]
pub struct Status {
    /// When this was seen.
    pub at: UnixMillis,
    /// Name of the node.
    pub node: String,
    /// What the node says.
    pub block: AutoRegistration,
    /// Whether new phones may register.
    pub window: Window,
    /// What is in use.
    pub in_use: RangeUse,
    /// How long it lasts.
    pub forecast: Forecast,
    /// Age at which an unclaimed phone is removed; `None`: never.
    pub time_to_live: Option<Duration>,
}

impl Status {
    /// When new phones will be refused, as it goes now; `None`: at no time that can be told.
    pub fn runs_out_at(&self) -> Option<UnixMillis> {
        self.forecast.lasts.map(|lasts| self.at.plus(lasts))
    }
}

/// Something that wants the operator's attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is about; the log repeats one kind only after a while.
    pub kind: &'static str,
    /// What is the matter.
    pub text: String,
    /// What to do.
    pub advice: String,
    every: Duration,
}

/// Looks at auto-registration of this node now.
///
/// # Errors
///
/// [`StoreError`] when the database fails or the node's row is gone.
pub async fn status(app: &App) -> Result<Status, StoreError> {
    let catalogue = app.catalogue.load_full();
    let node = catalogue.call_managers.get(&app.node.pkid);
    let node = node.ok_or(StoreError::Lost)?;
    let block = node.auto_registration.clone();
    let now = app.environment.now();
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let in_use = in_use(app, connection, &block).await?;
    let mut taken = Vec::with_capacity(RATES_OVER.len());
    for within in RATES_OVER {
        let since = now.minus(within);
        let numbers = store::auto_registration::count_unclaimed_since(connection, since).await?;
        let numbers = numbers.into();
        taken.push(Taken { numbers, within });
    }
    Ok(Status {
        at: now,
        node: node.name.clone(),
        window: block.window(now),
        forecast: forecast(&in_use, &taken),
        in_use,
        time_to_live: time_to_live(app),
        block,
    })
}

async fn in_use(
    app: &App,
    connection: &mut Connection,
    block: &AutoRegistration,
) -> Result<RangeUse, StoreError> {
    let range = block.range().filter(|range| !range.is_off());
    let mut used = 0;
    for (first, last) in range.iter().flat_map(DirectoryNumberRange::stretches) {
        used += store::auto_registration::count_in_use(connection, &first, &last).await?;
    }
    let limits = &app.settings.auto_registration;
    Ok(RangeUse {
        size: range.map_or(0, |range| range.size()),
        used,
        unclaimed: store::auto_registration::count_unclaimed(connection).await?,
        unclaimed_max: block.unclaimed_max.min(limits.unclaimed_max),
    })
}

/// Looks, keeps what was seen for the metrics, and tells the log what wants attention.
///
/// # Errors
///
/// [`StoreError`] as [`status`]; what was seen last stays.
pub async fn look(app: &App) -> Result<(), StoreError> {
    let status = status(app).await?;
    for notice in due(app, &status) {
        let (kind, text, advice) = (notice.kind, notice.text, notice.advice);
        tracing::warn!(node = status.node, kind, advice, "{text}");
    }
    app.auto_registration.latest.store(Some(Arc::new(status)));
    Ok(())
}

/// The notices whose time has come, and a count of the refusals since the last.
pub fn due(app: &App, status: &Status) -> Vec<Notice> {
    let mut told = locks::lock(&app.auto_registration.told);
    let mut due = notices(status);
    due.extend(refusals(
        &told.refusals,
        &app.auto_registration.refused.totals(),
    ));
    due.retain(|notice| {
        let last = told.at.get(notice.kind);
        last.is_none_or(|last| status.at.since(*last) >= notice.every)
    });
    for notice in &due {
        told.at.insert(notice.kind, status.at);
        if notice.kind == REFUSALS {
            told.refusals = app.auto_registration.refused.totals().into_iter().collect();
        }
    }
    due
}

/// Kind of the notice that counts refused phones.
const REFUSALS: &str = "refusals";

fn refusals(
    before: &HashMap<AutoRegistrationRefused, u64>,
    now: &[(AutoRegistrationRefused, u64)],
) -> Option<Notice> {
    let more: Vec<String> = now
        .iter()
        .map(|(reason, total)| (reason, total - before.get(reason).copied().unwrap_or(0)))
        .filter(|(_, more)| *more > 0)
        .map(|(reason, more)| format!("{more} {}", reason.code()))
        .collect();
    (!more.is_empty()).then(|| Notice {
        kind: REFUSALS,
        text: format!("new phones were refused: {}", more.join(", ")),
        advice: "run: selfprov auto-registration show".to_owned(),
        every: REFUSALS_TOLD_EVERY,
    })
}

/// What wants attention while auto-registration is on. What is missing altogether (a range, a
/// template) [`crate::service::self_provisioning::readiness`] tells.
pub fn notices(status: &Status) -> Vec<Notice> {
    match status.window {
        Window::Off => Vec::new(),
        Window::Closed(at) => vec![closed(at)],
        Window::Open(until) => {
            let soon = until.filter(|until| until.since(status.at) <= CLOSES_SOON);
            let closes = soon.map(|until| closes_soon(until, status.at));
            closes.into_iter().chain(running_out(status)).collect()
        }
    }
}

fn closed(at: UnixMillis) -> Notice {
    Notice {
        kind: "window_closed",
        text: format!(
            "the auto-registration window is closed since {}: new phones are refused",
            time(at)
        ),
        advice: "run: selfprov auto-registration on --for 8h, or: selfprov auto-registration off"
            .to_owned(),
        every: CLOSED_TOLD_EVERY,
    }
}

fn closes_soon(until: UnixMillis, now: UnixMillis) -> Notice {
    let minutes = until.since(now).as_secs().div_ceil(60);
    Notice {
        kind: "window_closes",
        text: format!(
            "the auto-registration window closes in {minutes} min, at {}",
            time(until)
        ),
        advice: "to keep it open run: selfprov auto-registration set --for 8h".to_owned(),
        every: TOLD_EVERY,
    }
}

fn running_out(status: &Status) -> Option<Notice> {
    let (kind, when) = match status.forecast.level {
        RangeLevel::Good => return None,
        RangeLevel::Low => ("range_low", in_time(status)),
        RangeLevel::Critical => ("range_critical", in_time(status)),
        RangeLevel::Exhausted => ("range_exhausted", "new phones are refused".to_owned()),
    };
    let in_use = &status.in_use;
    let (text, advice) = match status.forecast.limit {
        Limit::Numbers => (
            format!(
                "{} of {} auto-registration numbers are free: {when}",
                in_use.free(),
                in_use.size
            ),
            "widen the range: selfprov auto-registration set --to NUMBER",
        ),
        Limit::Unclaimed => (
            format!(
                "{} phones wait to be claimed and {} may: {when}",
                in_use.unclaimed, in_use.unclaimed_max
            ),
            "let users claim them, or raise the ceiling: selfprov auto-registration set \
             --unclaimed-max COUNT, and auto_registration.unclaimed_max in the settings",
        ),
    };
    Some(Notice {
        kind,
        text,
        advice: advice.to_owned(),
        every: TOLD_EVERY,
    })
}

fn in_time(status: &Status) -> String {
    let Some(lasts) = status.forecast.lasts else {
        return "few are left".to_owned();
    };
    let hours = lasts.as_secs() / 3_600;
    let per_day = status.forecast.per_day;
    match hours {
        0..48 => format!("at {per_day} a day they last {hours} hours"),
        _ => format!("at {per_day} a day they last {} days", hours / 24),
    }
}

fn time(at: UnixMillis) -> jiff::Timestamp {
    jiff::Timestamp::from_second(at.unix_s()).unwrap_or_default()
}
