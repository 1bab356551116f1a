//! `selfprov device restart` and `selfprov device restarts`.

use clap::{ArgGroup, Args};

use super::output::columns;
use crate::domain::phone_restart::PhoneAction;
use crate::server::control::protocol::{Request, RestartView, RestartsView};

/// Examples at the end of the help.
pub(super) const EXAMPLES: &str = "\
A phone that is busy or off is asked again until it has come back.

Examples:
  selfprov device restart SEP0011AABBCCDD
  selfprov device restart --all --check-version
  selfprov device restart --model 7841 --reset --per-minute 60
  selfprov device restart --cancel          takes back what is left of the last two";

/// Which phones are restarted, and how.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
#[derive(Debug, Args)]
#[group(skip)]
#[command(group = ArgGroup::new("which").required(true).multiple(false))]
pub struct RestartArguments {
    /// Device name or MAC address
    #[arg(group = "which")]
    device: Option<String>,
    /// Every phone that is registered
    #[arg(long, group = "which")]
    all: bool,
    /// Every registered phone of a model, for example 7841
    #[arg(long, value_name = "MODEL", group = "which")]
    model: Option<String>,
    /// Takes back restarts of many phones that have not begun
    #[arg(long, group = "which", conflicts_with_all = ["reset", "check_version"])]
    cancel: bool,
    /// Boots again, with firmware and locale, instead of reading the file again
    #[arg(long, conflicts_with = "check_version")]
    reset: bool,
    /// Reads the file again only when it has changed
    #[arg(long)]
    check_version: bool,
    /// Phones a minute, with --all or --model [default: 600]
    #[arg(long, value_name = "PHONES", conflicts_with_all = ["device", "cancel"], value_parser = clap::value_parser!(u32).range(1..=60_000))]
    per_minute: Option<u32>,
}

impl RestartArguments {
    /// What it asks for.
    pub(super) fn request(self) -> Request {
        let action = match (self.reset, self.check_version) {
            (true, _) => PhoneAction::Reset,
            (false, true) => PhoneAction::CheckVersion,
            (false, false) => PhoneAction::Restart,
        };
        match self.device {
            _ if self.cancel => Request::DeviceRestartCancel,
            Some(name) => Request::DeviceRestart { name, action },
            None => Request::DeviceRestartMany {
                model: self.model,
                action,
                per_minute: self.per_minute,
            },
        }
    }
}

/// One restart in words.
pub(super) fn in_words(restart: Option<&RestartView>) -> String {
    let Some(restart) = restart else {
        return "none owed".to_owned();
    };
    let (action, at, next) = (
        &restart.action,
        &restart.requested_at,
        &restart.next_attempt_at,
    );
    match restart.attempts {
        0 => format!("{action} asked for at {at}, first tried at {next}"),
        attempts => format!(
            "{action} asked for at {at}, {attempts} attempts, next at {next}; last: {}",
            restart.last_result
        ),
    }
}

/// The listing.
pub(super) fn table(view: &RestartsView) -> String {
    let row = |restart: &RestartView| {
        vec![
            restart.device.clone(),
            restart.action.clone(),
            restart.requested_at.clone(),
            restart.attempts.to_string(),
            restart.next_attempt_at.clone(),
            restart.last_result.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = view.restarts.iter().map(row).collect();
    let table = columns(
        &["DEVICE", "WHAT", "ASKED FOR", "ATTEMPTS", "NEXT", "LAST"],
        &rows,
    );
    let shown = rows.len();
    match view.owed {
        0 => "no phone owes a restart".to_owned(),
        owed if owed > shown => format!("{table}{shown} of {owed} phones that owe a restart"),
        _ => table,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        restart: RestartArguments,
    }

    fn asked(line: &str) -> Option<Request> {
        let words = std::iter::once("restart").chain(line.split_whitespace());
        let line = Line::try_parse_from(words).ok()?;
        Some(line.restart.request())
    }

    fn many(model: Option<&str>, action: PhoneAction, per_minute: Option<u32>) -> Request {
        Request::DeviceRestartMany {
            model: model.map(str::to_owned),
            action,
            per_minute,
        }
    }

    #[test]
    fn nothing_restarts_that_was_not_named() {
        for line in [
            "",
            "--reset",
            "--check-version",
            "--per-minute 3",
            "--reset --per-minute 3",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
        for line in [
            "SEP0011AABBCCDD --all",
            "--all --model 7841",
            "--cancel --reset",
        ] {
            assert_eq!(asked(line), None, "{line}");
        }
    }

    #[test]
    fn the_way_and_the_pace_go_with_every_target() {
        let one = |action: PhoneAction| Request::DeviceRestart {
            name: "SEP0011AABBCCDD".to_owned(),
            action,
        };
        assert_eq!(asked("SEP0011AABBCCDD"), Some(one(PhoneAction::Restart)));
        assert_eq!(
            asked("SEP0011AABBCCDD --reset"),
            Some(one(PhoneAction::Reset))
        );
        assert_eq!(
            asked("--check-version SEP0011AABBCCDD"),
            Some(one(PhoneAction::CheckVersion))
        );
        assert_eq!(
            asked("--all --check-version"),
            Some(many(None, PhoneAction::CheckVersion, None))
        );
        let paced = asked("--model 7841 --reset --per-minute 60");
        assert_eq!(
            paced,
            Some(many(Some("7841"), PhoneAction::Reset, Some(60)))
        );
        assert_eq!(asked("--cancel"), Some(Request::DeviceRestartCancel));
    }
}
