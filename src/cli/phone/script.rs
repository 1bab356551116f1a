//! Scripts for a handset: one step a line.
//!
//! ```text
//! wait registered [NUMBER]     until the phone is registered (as this number)
//! wait screen TITLE            until this screen is shown
//! wait restart                 until it restarted since the last soft key
//! wait idle                    until no screen is open
//! type FIELD TEXT              fills a field by its label
//! press SOFTKEY                presses a soft key
//! select NUMBER                chooses a menu item
//! patience SECONDS             how long later waits last (60 at first)
//! ```
//!
//! Words with blanks stand in double quotes; `${user}` and `${pin}` stand for what the command
//! line gave; `#` begins a comment.

use std::time::Duration;

use super::handset::{Handset, HandsetError};
use crate::domain::secret::Secret;

/// How long a wait lasts until the script says otherwise, in seconds.
const PATIENCE_S: u64 = 60;

/// Most steps of a script.
const STEPS_MAX: usize = 10_000;

/// The whole journey: log in, confirm, come back as the user's phone.
pub const JOURNEY: &str = "\
wait screen Login
type UserID ${user}
type PIN ${pin}
press Submit
patience 10
wait screen \"Login Success\"
patience 60
press Continue
wait restart
wait registered
";

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Until registered, as this number when one is given.
    WaitRegistered(Option<String>),
    /// Until a screen with this title is shown.
    WaitScreen(String),
    /// Until the phone restarted since the last soft key.
    WaitRestart,
    /// Until no screen is open.
    WaitIdle,
    /// Fills a field.
    Type {
        /// The field's label.
        field: String,
        /// The text; prints as `[redacted]`, since it may be a PIN.
        text: Secret,
    },
    /// Presses a soft key.
    Press(String),
    /// Chooses a menu item.
    Select(usize),
    /// How long later waits last.
    Patience(Duration),
}

/// Why a script does not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// A line is no step.
    #[error("line {line}: {reason}")]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The screen has no such field, or the field does not take these characters.
    #[error("no open screen has a field {0} that takes this text")]
    Field(String),
    /// The screen has no such soft key or menu item.
    #[error("no open screen has {0}")]
    Key(String),
    /// The phone failed, or did not get where the script waits for it.
    #[error(transparent)]
    Handset(#[from] HandsetError),
}

/// Reads a script; `user` and `pin` replace their placeholders.
///
/// # Errors
///
/// A line is no step, or uses a placeholder for which nothing was given.
pub fn parse(
    text: &str,
    user: Option<&str>,
    pin: Option<&Secret>,
) -> Result<Vec<Step>, ScriptError> {
    let mut steps = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let syntax = |reason: &str| ScriptError::Syntax {
            line: index + 1,
            reason: reason.to_owned(),
        };
        let words = words(line).ok_or_else(|| syntax("a quotation mark without its partner"))?;
        let words: Option<Vec<String>> = words
            .into_iter()
            .map(|word| expand(&word, user, pin))
            .collect();
        let words = words.ok_or_else(|| syntax("${user} or ${pin} without --user or --pin"))?;
        if words.is_empty() {
            continue;
        }
        if steps.len() >= STEPS_MAX {
            return Err(syntax("too many steps"));
        }
        steps.push(
            step(&words)
                .ok_or_else(|| syntax("no such step; `selfprov phone --help` lists them"))?,
        );
    }
    Ok(steps)
}

fn step(words: &[String]) -> Option<Step> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Some(match words.as_slice() {
        ["wait", "registered"] => Step::WaitRegistered(None),
        ["wait", "registered", number] => Step::WaitRegistered(Some((*number).to_owned())),
        ["wait", "screen", title @ ..] if !title.is_empty() => Step::WaitScreen(title.join(" ")),
        ["wait", "restart"] => Step::WaitRestart,
        ["wait", "idle"] => Step::WaitIdle,
        ["type", field, text] => Step::Type {
            field: (*field).to_owned(),
            text: Secret::from(*text),
        },
        ["press", key @ ..] if !key.is_empty() => Step::Press(key.join(" ")),
        ["select", number] => Step::Select(number.parse().ok()?),
        ["patience", seconds] => Step::Patience(Duration::from_secs(seconds.parse().ok()?)),
        _ => return None,
    })
}

fn expand(word: &str, user: Option<&str>, pin: Option<&Secret>) -> Option<String> {
    match word {
        "${user}" => user.map(str::to_owned),
        "${pin}" => pin.map(|pin| pin.reveal().to_owned()),
        _ => Some(word.to_owned()),
    }
}

/// Splits a line into words; `None` when a quotation mark is not closed.
fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

/// Runs a script on a phone that is switched on.
///
/// # Errors
///
/// The first step that cannot be done, or whose wait is over.
pub async fn run(handset: &mut Handset, steps: &[Step]) -> Result<(), ScriptError> {
    let mut patience = Duration::from_secs(PATIENCE_S);
    let mut restarts = handset.restarts();
    for step in steps {
        match step {
            Step::Patience(seconds) => patience = *seconds,
            Step::Press(key) => {
                restarts = handset.restarts();
                if !handset.press(key).await {
                    return Err(ScriptError::Key(format!("the soft key {key}")));
                }
            }
            Step::Select(number) => {
                if !handset.select(*number).await {
                    return Err(ScriptError::Key(format!("the item {number}")));
                }
            }
            Step::Type { field, text } => {
                if !handset.fill(field, text.reveal()) {
                    return Err(ScriptError::Field(field.clone()));
                }
            }
            wait => wait_for(handset, wait, patience, restarts).await?,
        }
    }
    Ok(())
}

async fn wait_for(
    handset: &mut Handset,
    wait: &Step,
    patience: Duration,
    restarts: u32,
) -> Result<(), HandsetError> {
    match wait {
        Step::WaitRegistered(None) => {
            let registered = |phone: &Handset| phone.registered_line().is_some();
            handset.until("registration", patience, registered).await
        }
        Step::WaitRegistered(Some(number)) => {
            let registered = |phone: &Handset| phone.registered_line() == Some(number);
            handset
                .until(&format!("registration as {number}"), patience, registered)
                .await
        }
        Step::WaitScreen(title) => {
            let shown = |phone: &Handset| {
                phone
                    .display()
                    .is_some_and(|display| display.screen.title.eq_ignore_ascii_case(title))
            };
            handset
                .until(&format!("the screen {title}"), patience, shown)
                .await
        }
        Step::WaitRestart => {
            let restarted = |phone: &Handset| phone.restarts() > restarts;
            handset.until("a restart", patience, restarted).await
        }
        _ => {
            handset
                .until("an idle phone", patience, |phone| phone.display().is_none())
                .await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journey_is_a_script_and_hides_the_pin() {
        let pin = Secret::from("82641");
        let steps = parse(JOURNEY, Some("aksethi"), Some(&pin)).unwrap();
        assert_eq!(steps.len(), 10);
        assert_eq!(steps[5], Step::WaitScreen("Login Success".into()));
        assert!(!format!("{steps:?}").contains("82641"));
    }

    #[test]
    fn a_line_that_is_no_step_is_named() {
        for (script, line) in [
            ("wait registered\njump", 2),
            ("press", 1),
            ("type UserID ${user}", 1),
            ("\n# only\nwait screen \"x", 3),
            ("select x", 1),
        ] {
            let error = parse(script, None, None).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("line {line}:")),
                "{script:?}: {error}"
            );
        }
        let steps = parse(
            "  # nothing\n\nwait registered 1004 # as the user\n",
            None,
            None,
        );
        assert_eq!(steps.unwrap(), [Step::WaitRegistered(Some("1004".into()))]);
    }
}
