//! `selfprov auto-registration`: its arguments, and its state drawn.

use std::fmt::Write as _;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::CliError;
use super::control;
use super::output::{Output, columns};
use crate::server::control::protocol::{
    Answer, AutoRegistrationChange, AutoRegistrationView, RefusedView, Request,
};
use crate::settings::Settings;

/// Longest time box: a year.
const TIME_BOX_MAX: Duration = Duration::from_hours(365 * 24);

/// Cells of a bar.
const BAR_CELLS: u64 = 40;

/// The commands about auto-registration.
#[derive(Debug, Subcommand)]
pub enum AutoRegistrationCommand {
    /// Draws whether it is open, its range, how long that lasts, and who was refused
    #[command(
        after_help = "Examples:\n  selfprov auto-registration show\n  selfprov auto-registration show --json"
    )]
    Show,
    /// Lets new phones register
    #[command(after_help = "\
Without --for it stays open until it is switched off.

Example:
  selfprov auto-registration on --from 1000 --to 1999 --for 8h --models 7841,8851")]
    On(ChangeArguments),
    /// Changes it without switching it on or off
    #[command(after_help = "\
Examples:
  selfprov auto-registration set --to 2999
  selfprov auto-registration set --unclaimed-max 200 --unclaimed-days 7 --models all")]
    Set(ChangeArguments),
    /// Refuses new phones; those that are there stay
    #[command(after_help = "Example:\n  selfprov auto-registration off")]
    Off,
}

/// What can be changed; what is not given stays as it is.
#[derive(Debug, Default, Args)]
pub struct ChangeArguments {
    /// Starting Directory Number
    #[arg(long, value_name = "NUMBER")]
    from: Option<String>,
    /// Ending Directory Number
    #[arg(long, value_name = "NUMBER")]
    to: Option<String>,
    /// For how long from now: 30m, 8h, 5d
    #[arg(long = "for", value_name = "TIME", value_parser = time_box)]
    time: Option<Duration>,
    /// Models that may, for example 7841,CP-8851; all for every model
    #[arg(long, value_name = "MODELS", value_delimiter = ',')]
    models: Option<Vec<String>>,
    /// Most phones that may wait to be claimed
    #[arg(long, value_name = "COUNT")]
    unclaimed_max: Option<u32>,
    /// Days after which an unclaimed phone is removed and its number freed; 0 for never
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u64).range(0..=3_650))]
    unclaimed_days: Option<u64>,
    /// Universal Device Template of new phones
    #[arg(long, value_name = "NAME")]
    device_template: Option<String>,
    /// Universal Line Template of new phones
    #[arg(long, value_name = "NAME")]
    line_template: Option<String>,
}

impl ChangeArguments {
    fn into_change(self, enabled: Option<bool>) -> AutoRegistrationChange {
        AutoRegistrationChange {
            enabled,
            from: self.from,
            to: self.to,
            for_s: self.time.map(|time| time.as_secs()),
            without_end: enabled == Some(true) && self.time.is_none(),
            models: self.models,
            unclaimed_max: self.unclaimed_max,
            unclaimed_days: self.unclaimed_days,
            universal_device_template: self.device_template,
            universal_line_template: self.line_template,
        }
    }
}

/// Reads `30s`, `10m`, `2h` or `5d`.
fn time_box(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, for example 8h; at most 365d".to_owned();
    let (number, unit) = text
        .split_at_checked(text.len().saturating_sub(1))
        .ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let unit_s = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let time = Duration::from_secs(number.saturating_mul(unit_s));
    if time.is_zero() || time > TIME_BOX_MAX {
        return Err(wrong());
    }
    Ok(time)
}

fn request(command: AutoRegistrationCommand) -> Request {
    let set = |change| Request::AutoRegistrationSet(Box::new(change));
    match command {
        AutoRegistrationCommand::Show => Request::AutoRegistrationShow,
        AutoRegistrationCommand::On(change) => set(change.into_change(Some(true))),
        AutoRegistrationCommand::Set(change) => set(change.into_change(None)),
        AutoRegistrationCommand::Off => set(ChangeArguments::default().into_change(Some(false))),
    }
}

/// Does what the command says and draws what came of it.
///
/// # Errors
///
/// It was refused; the text says why.
pub async fn run(
    settings: &Settings,
    command: AutoRegistrationCommand,
    output: Output,
) -> Result<(), CliError> {
    let answer = control::ask(settings, &request(command)).await?;
    if output.json {
        output.json_document(&answer);
    } else if let Answer::AutoRegistration(view) = answer {
        output.line(drawn(&view, Pen::of(output)));
    }
    Ok(())
}

/// How bars are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pen {
    /// Coloured blocks, for somebody at a terminal.
    Blocks,
    /// Characters that every file and mail bears.
    Plain,
}

impl Pen {
    fn of(output: Output) -> Self {
        let wants_colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        if output.is_terminal() && wants_colour {
            Self::Blocks
        } else {
            Self::Plain
        }
    }

    /// A bar of which `part` of `whole` is full. What is not nothing is at least one cell, and
    /// what is not all leaves one.
    fn bar(self, part: u64, whole: u64, level: &str) -> String {
        let full = if part == 0 || whole == 0 {
            0
        } else if part >= whole {
            BAR_CELLS
        } else {
            let cells = u128::from(part) * u128::from(BAR_CELLS) / u128::from(whole);
            u64::try_from(cells)
                .unwrap_or(BAR_CELLS)
                .clamp(1, BAR_CELLS - 1)
        };
        let full = usize::try_from(full).unwrap_or(0);
        let empty = usize::try_from(BAR_CELLS).unwrap_or(full) - full;
        match self {
            Self::Plain => format!("[{}{}]", "#".repeat(full), ".".repeat(empty)),
            Self::Blocks => {
                let colour = match level {
                    "good" => 32,
                    "low" => 33,
                    _ => 31,
                };
                let (full, empty) = ("█".repeat(full), "░".repeat(empty));
                format!("\u{1b}[{colour}m{full}\u{1b}[0m{empty}")
            }
        }
    }
}

fn drawn(view: &AutoRegistrationView, pen: Pen) -> String {
    let level_of = |limit: &str| {
        if view.stopped_by == limit {
            view.level.as_str()
        } else {
            "good"
        }
    };
    let mut text = format!("Auto-registration of {}: {}\n\n", view.node, state(view));
    let mut row = |name: &str, value: String| _ = writeln!(text, "{name:13} {value}");
    row(
        "Numbers",
        format!(
            "{}  {} to {}: {} of {} used, {} free",
            pen.bar(view.used, view.size, level_of("numbers")),
            view.from,
            view.to,
            view.used,
            view.size,
            view.free
        ),
    );
    row(
        "Unclaimed",
        format!(
            "{}  {} of at most {} phones wait to be claimed",
            pen.bar(
                view.unclaimed.into(),
                view.unclaimed_max.into(),
                level_of("unclaimed")
            ),
            view.unclaimed,
            view.unclaimed_max
        ),
    );
    row("Forecast", forecast(view));
    row(
        "Models",
        match view.models.as_slice() {
            [] => "all".to_owned(),
            models => models.join(", "),
        },
    );
    let template = |name: &Option<String>| name.clone().unwrap_or_else(|| "MISSING".to_owned());
    row(
        "Templates",
        format!(
            "{}; lines: {}",
            template(&view.universal_device_template),
            template(&view.universal_line_template)
        ),
    );
    row(
        "Removed",
        match view.unclaimed_removed_after_s {
            Some(seconds) => format!("{} unclaimed; the number is free again", in_words(seconds)),
            None => "never; an unclaimed phone keeps its number".to_owned(),
        },
    );
    row("Refused", refused(view));
    if !view.refused_phones.is_empty() {
        text.push('\n');
        text.push_str(&refused_phones(&view.refused_phones));
    }
    for warning in &view.warnings {
        let _ = writeln!(text, "\nwarning: {warning}");
    }
    text
}

fn state(view: &AutoRegistrationView) -> String {
    let until = view.enabled_until.as_deref().unwrap_or_default();
    match (view.state.as_str(), view.closes_in_s) {
        ("open", Some(seconds)) => format!("open until {until} ({})", in_words(seconds)),
        ("open", None) => "open".to_owned(),
        ("closed", _) => format!("CLOSED since {until}; new phones are refused"),
        _ => "off; new phones are refused".to_owned(),
    }
}

fn forecast(view: &AutoRegistrationView) -> String {
    let Some(seconds) = view.lasts_s else {
        return "no new phones lately".to_owned();
    };
    let what = match view.stopped_by.as_str() {
        "unclaimed" => "the ceiling on unclaimed phones is reached",
        _ => "the numbers are gone",
    };
    let at = view.runs_out_at.as_deref().unwrap_or_default();
    match seconds {
        0 => format!("{what}: new phones are refused"),
        seconds => format!(
            "at {} a day {what} in {}, at {at}",
            view.per_day,
            in_words(seconds)
        ),
    }
}

fn refused(view: &AutoRegistrationView) -> String {
    if view.refused.is_empty() && view.state != "open" {
        return "nobody since the service started; a phone that gets no file does not even try \
                (selfprov device show NAME)"
            .to_owned();
    }
    if view.refused.is_empty() {
        return "nobody since the service started".to_owned();
    }
    let counts = view.refused.iter();
    let counts: Vec<String> = counts
        .map(|count| format!("{} {}", count.times, count.reason))
        .collect();
    format!("{} since the service started", counts.join(", "))
}

fn refused_phones(phones: &[RefusedView]) -> String {
    let row = |phone: &RefusedView| {
        vec![
            phone.name.clone(),
            phone.model.clone(),
            phone.source.clone(),
            phone.times.to_string(),
            phone.last_at.clone(),
            phone.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = phones.iter().map(row).collect();
    columns(&["REFUSED", "MODEL", "FROM", "TIMES", "LAST", "WHY"], &rows)
}

/// A length of time in its largest unit, of which it has two at least.
fn in_words(seconds: u64) -> String {
    // What was asked for a moment ago as 5 h is 5 hours still.
    let seconds = match seconds {
        0..120 => seconds,
        _ => seconds.div_ceil(60) * 60,
    };
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view() -> AutoRegistrationView {
        AutoRegistrationView {
            node: "CM_node1".into(),
            state: "open".into(),
            enabled_until: Some("2026-11-22T17:00:00Z".into()),
            closes_in_s: Some(11_000),
            from: "1000".into(),
            to: "1999".into(),
            size: 1_000,
            used: 412,
            free: 588,
            unclaimed: 87,
            unclaimed_max: 100,
            per_day: 24,
            lasts_s: Some(46_800),
            runs_out_at: Some("2026-11-23T03:00:00Z".into()),
            stopped_by: "unclaimed".into(),
            level: "critical".into(),
            models: vec!["7841".into(), "8851".into()],
            universal_device_template: Some("Auto".into()),
            universal_line_template: None,
            unclaimed_removed_after_s: Some(2_592_000),
            refused: Vec::new(),
            refused_phones: Vec::new(),
            warnings: vec!["look".into()],
        }
    }

    #[test]
    fn the_range_is_drawn_with_what_is_left_of_it() {
        let text = drawn(&view(), Pen::Plain);
        assert_eq!(
            text,
            "Auto-registration of CM_node1: open until 2026-11-22T17:00:00Z (3 hours)\n\n\
             Numbers       [################........................]  1000 to 1999: 412 of 1000 \
             used, 588 free\n\
             Unclaimed     [##################################......]  87 of at most 100 phones \
             wait to be claimed\n\
             Forecast      at 24 a day the ceiling on unclaimed phones is reached in 13 hours, at \
             2026-11-23T03:00:00Z\n\
             Models        7841, 8851\n\
             Templates     Auto; lines: MISSING\n\
             Removed       30 days unclaimed; the number is free again\n\
             Refused       nobody since the service started\n\n\
             warning: look\n"
        );
    }

    #[test]
    fn a_bar_is_empty_only_at_nothing_and_full_only_at_all() {
        let full = |part, whole| Pen::Plain.bar(part, whole, "good").matches('#').count();
        assert_eq!(
            [
                full(0, 1_000),
                full(1, 1_000),
                full(999, 1_000),
                full(1_000, 1_000),
                full(0, 0)
            ],
            [0, 1, 39, 40, 0]
        );
        assert!(
            Pen::Blocks
                .bar(5, 10, "critical")
                .starts_with("\u{1b}[31m█")
        );
    }

    #[test]
    fn a_time_box_has_a_unit_and_a_limit() {
        assert_eq!(time_box("5d").unwrap().as_secs(), 432_000);
        for bad in ["", "8", "h", "366d", "0s", "1w", "1ü"] {
            assert!(time_box(bad).is_err(), "{bad}");
        }
    }
}
