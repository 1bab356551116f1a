//! The commands about auto-registration of this node: its state drawn, its block changed.

use std::time::Duration;

use crate::domain::auto_registration::{AutoRegistrationRefused, Window};
use crate::domain::catalogue::{AutoRegistration, CallManager, Catalogue};
use crate::domain::phone_model::{self, PhoneModel};
use crate::domain::pkid::Pkid;
use crate::domain::range_forecast::Limit;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{
    Answer, AutoRegistrationChange, AutoRegistrationView, Happened, RefusalCount, RefusedView,
};
use crate::server::control::values::timestamp;
use crate::service::App;
use crate::service::registrar::auto_register::refused::RefusedPhone;
use crate::service::registrar::auto_register::watch::{self, Status};
use crate::service::templates::NodeExtras;
use crate::service::templates::save_call_manager;

/// Longest time box of auto-registration: a year. Longer is no time box.
const TIME_BOX_MAX: Duration = Duration::from_hours(365 * 24);

/// Longest time for which an unclaimed phone is kept before it is removed: as in the settings.
const UNCLAIMED_DAYS_MAX: u64 = 3_650;

/// Refused phones that are listed: what a person looks through.
const REFUSED_LISTED: usize = 10;

/// Whether new phones may register now.
pub(super) fn is_open(app: &App) -> bool {
    let catalogue = app.catalogue.load();
    let node = catalogue.call_managers.get(&app.node.pkid);
    node.is_some_and(|node| {
        let window = node.auto_registration.window(app.environment.now());
        matches!(window, Window::Open(_))
    })
}

/// The row of a timeline that says why a phone without a device does not go on.
pub(super) fn why_not(app: &App) -> Happened {
    Happened {
        at: timestamp(app.environment.now()),
        event: "auto_registration_off".to_owned(),
        code: String::new(),
        detail: "now: no new phone may register (selfprov auto-registration show)".to_owned(),
        source: String::new(),
    }
}

/// Shows this node's auto-registration.
///
/// # Errors
///
/// The node's row is gone, or the database is away.
pub async fn show(app: &App) -> Result<Answer, Fault> {
    shown(app, Vec::new()).await
}

/// Changes this node's auto-registration.
///
/// # Errors
///
/// A value is none, a template or model is not known, or somebody else changed the node meanwhile.
pub async fn set(app: &App, change: &AutoRegistrationChange) -> Result<Answer, Fault> {
    let catalogue = app.catalogue.load_full();
    let node = catalogue.call_managers.get(&app.node.pkid);
    let mut node: CallManager = node.cloned().ok_or_else(|| {
        Fault::new("this node's row is gone from the database; restart the service")
    })?;
    apply(app, &catalogue, &mut node.auto_registration, change)?;
    let saved = save_call_manager(app, &actor(app), &node, NodeExtras::default()).await?;
    let mut warnings = saved.warnings;
    let (asked, ceiling) = (
        change.unclaimed_max,
        app.settings.auto_registration.unclaimed_max,
    );
    if let Some(asked) = asked.filter(|asked| *asked > ceiling) {
        warnings.push(format!(
            "the settings allow {ceiling} unclaimed phones, not {asked}: raise \
             auto_registration.unclaimed_max and restart the service"
        ));
    }
    shown(app, warnings).await
}

fn apply(
    app: &App,
    catalogue: &Catalogue,
    block: &mut AutoRegistration,
    change: &AutoRegistrationChange,
) -> Result<(), Fault> {
    block.enabled = change.enabled.unwrap_or(block.enabled);
    if let Some(from) = &change.from {
        block.start_dn = from.parse()?;
    }
    if let Some(to) = &change.to {
        block.end_dn = to.parse()?;
    }
    if change.without_end {
        block.enabled_until = None;
    }
    if let Some(time) = change.for_s.map(Duration::from_secs) {
        if time.is_zero() || time > TIME_BOX_MAX {
            return Err(Fault::new("auto-registration is opened for 1 s to a year"));
        }
        if !block.enabled {
            return Err(Fault::new(
                "auto-registration is off, so there is nothing to end; \
                 run: selfprov auto-registration on --for TIME",
            ));
        }
        block.enabled_until = Some(app.environment.now().plus(time));
    }
    if let Some(names) = &change.models {
        block.models_allowed = models(names)?;
    }
    block.unclaimed_max = change.unclaimed_max.unwrap_or(block.unclaimed_max);
    match change.unclaimed_days {
        Some(days) if days > UNCLAIMED_DAYS_MAX => {
            let text =
                format!("unclaimed phones are kept 0 (for ever) to {UNCLAIMED_DAYS_MAX} days");
            return Err(Fault::new(text));
        }
        Some(days) => block.unclaimed_time_to_live_s = Some(days * 24 * 60 * 60),
        None => {}
    }
    if let Some(name) = &change.universal_device_template {
        let templates = catalogue.universal_device_templates.iter();
        let templates = templates.map(|(pkid, template)| (*pkid, template.identity.name.as_str()));
        block.universal_device_template = Some(named(templates, name)?);
    }
    if let Some(name) = &change.universal_line_template {
        let templates = catalogue.universal_line_templates.iter();
        let templates = templates.map(|(pkid, template)| (*pkid, template.identity.name.as_str()));
        block.universal_line_template = Some(named(templates, name)?);
    }
    Ok(())
}

/// The template of this name; the refusal names those that are there.
fn named<'a>(
    templates: impl Iterator<Item = (Pkid, &'a str)>,
    wanted: &str,
) -> Result<Pkid, Fault> {
    let mut names = Vec::new();
    for (pkid, name) in templates {
        if name == wanted {
            return Ok(pkid);
        }
        names.push(name);
    }
    names.sort_unstable();
    let names = names.join(", ");
    Err(Fault::new(format!(
        "there is no template {wanted:?}; there are: {names}"
    )))
}

/// Model numbers of names as people write them; `all` alone allows every model.
fn models(names: &[String]) -> Result<Vec<u32>, Fault> {
    if let [all] = names
        && all.eq_ignore_ascii_case("all")
    {
        return Ok(Vec::new());
    }
    let mut numbers = Vec::with_capacity(names.len());
    for name in names {
        let model = model(name).ok_or_else(|| {
            let text =
                format!("there is no model {name:?}; write for example 7841, CP-8851 or all");
            Fault::new(text)
        })?;
        numbers.push(model.number);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// `7841`, `CP-7841`, `Cisco 7841`, or CUCM's model number.
pub(super) fn model(name: &str) -> Option<&'static PhoneModel> {
    phone_model::by_product(name)
        .or_else(|| phone_model::from_header(name))
        .or_else(|| phone_model::from_header(&format!("CP-{name}")))
        .or_else(|| phone_model::by_number(name.parse().ok()?))
}

async fn shown(app: &App, warnings: Vec<String>) -> Result<Answer, Fault> {
    let status = watch::status(app).await?;
    let mut view = view(app, &status);
    view.warnings = warnings;
    for notice in watch::notices(&status) {
        view.warnings
            .push(format!("{}; {}", notice.text, notice.advice));
    }
    Ok(Answer::AutoRegistration(Box::new(view)))
}

fn view(app: &App, status: &Status) -> AutoRegistrationView {
    let catalogue = app.catalogue.load();
    let block = &status.block;
    let (in_use, forecast) = (&status.in_use, &status.forecast);
    let (state, until) = match status.window {
        Window::Off => ("off", None),
        Window::Open(until) => ("open", until),
        Window::Closed(until) => ("closed", Some(until)),
    };
    let device_template = block.universal_device_template;
    let device_template =
        device_template.and_then(|pkid| catalogue.universal_device_templates.get(&pkid));
    let line_template = block.universal_line_template;
    let line_template =
        line_template.and_then(|pkid| catalogue.universal_line_templates.get(&pkid));
    let refused = &app.auto_registration.refused;
    AutoRegistrationView {
        node: status.node.clone(),
        state: state.to_owned(),
        enabled_until: until.map(timestamp),
        closes_in_s: until.map(|until| until.since(status.at).as_secs()),
        from: block.start_dn.to_string(),
        to: block.end_dn.to_string(),
        size: in_use.size,
        used: in_use.used,
        free: in_use.free(),
        unclaimed: in_use.unclaimed,
        unclaimed_max: in_use.unclaimed_max,
        per_day: forecast.per_day,
        lasts_s: forecast.lasts.map(|lasts| lasts.as_secs()),
        runs_out_at: status.runs_out_at().map(timestamp),
        stopped_by: match forecast.limit {
            Limit::Numbers => "numbers",
            Limit::Unclaimed => "unclaimed",
        }
        .to_owned(),
        level: forecast.level.as_str().to_owned(),
        models: block
            .models_allowed
            .iter()
            .map(|number| model_name(*number))
            .collect(),
        universal_device_template: device_template.map(|template| template.identity.name.clone()),
        universal_line_template: line_template.map(|template| template.identity.name.clone()),
        unclaimed_removed_after_s: status.time_to_live.map(|time| time.as_secs()),
        refused: refused.totals().into_iter().map(count).collect(),
        refused_phones: refused
            .newest(REFUSED_LISTED)
            .iter()
            .map(refused_view)
            .collect(),
        warnings: Vec::new(),
    }
}

fn count((reason, times): (AutoRegistrationRefused, u64)) -> RefusalCount {
    RefusalCount {
        reason: reason.code().to_owned(),
        times,
    }
}

fn refused_view(phone: &RefusedPhone) -> RefusedView {
    RefusedView {
        name: phone.name.to_string(),
        model: phone.model.map(model_name).unwrap_or_default(),
        source: phone.source.to_string(),
        reason: phone.reason.code().to_owned(),
        times: phone.times,
        last_at: timestamp(phone.last_at),
    }
}

fn model_name(number: u32) -> String {
    phone_model::by_number(number).map_or_else(
        || number.to_string(),
        |model| model.designation().to_owned(),
    )
}
