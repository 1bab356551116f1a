//! The handset for a person at a terminal: it draws the phone and takes keys as lines of text.

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::sync::mpsc;

use super::event::Event;
use super::handset::Handset;
use crate::cli::output::Output;

/// Lines typed ahead that are kept.
const LINES_MAX: usize = 16;

/// What a person can type.
pub const HELP: &str = "\
  1 to 8        press the soft key in that place
  text          fill the field with the cursor and go to the next one
  =text         the same for text that is one digit
  field: text   fill this field
  item N        choose item N of a menu
  off           unregister and switch the phone off";

/// One line as it is understood.
#[derive(Debug, PartialEq, Eq)]
enum Input<'a> {
    SoftKey(u8),
    Enter(&'a str),
    Fill(&'a str, &'a str),
    Item(usize),
    Off,
    Help,
    Nothing,
}

/// Prints an event for a person.
pub fn print(output: Output, event: &Event) {
    let text = match event {
        Event::Boot { device, model } => format!("{model} {device} starts"),
        Event::File {
            name,
            bytes: Some(bytes),
        } => format!("  {name}  {bytes} bytes"),
        Event::File { name, bytes: None } => format!("  {name}  not found"),
        Event::Configured {
            line, call_manager, ..
        } => match line {
            Some(line) => format!("  configured for line {line} at {call_manager}"),
            None => format!("  configured without a line, at {call_manager}"),
        },
        Event::Registered {
            line,
            expires_s,
            authenticated,
        } => {
            let how = if *authenticated {
                "with its secret"
            } else {
                "without credentials"
            };
            format!("registered as {line} for {expires_s} s, {how}")
        }
        Event::Rejected {
            status,
            reason,
            retry_after_s,
        } => {
            format!("registration rejected: {status} {reason}; again in {retry_after_s} s")
        }
        Event::Screen(shown) => shown.drawing.clone(),
        Event::Closed => "(screen closed)".to_owned(),
        Event::Control { action, answered } => format!("server says {action}; answered {answered}"),
        Event::Unregistered => "unregistered".to_owned(),
        Event::Problem { text } => format!("! {text}"),
    };
    output.line(text);
}

/// Lets a person use the phone until they switch it off or end the input.
pub async fn run(handset: &mut Handset, output: Output) {
    output.line(HELP);
    let mut lines = read_lines();
    loop {
        let stimulus = tokio::select! {
            line = lines.recv() => match line {
                Some(line) if obey(handset, output, &line).await => continue,
                _ => break,
            },
            stimulus = handset.wait() => stimulus,
        };
        handset.handle(stimulus).await;
    }
    handset.power_off().await;
}

/// Reads standard input in a task of its own, because a read cannot be dropped half done.
fn read_lines() -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel(LINES_MAX);
    tokio::spawn(async move {
        let mut lines = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if sender.send(line).await.is_err() {
                break;
            }
        }
    });
    receiver
}

/// Does what a line says; false when the phone is to be switched off.
async fn obey(handset: &mut Handset, output: Output, line: &str) -> bool {
    let (done, changed_in_place) = match understand(line) {
        Input::Off => return false,
        Input::Nothing => return true,
        Input::Help => {
            output.line(HELP);
            return true;
        }
        Input::Enter(text) => (handset.enter(text), true),
        Input::Fill(field, text) => (handset.fill(field, text), true),
        // A new screen draws itself when it comes.
        Input::Item(number) => (handset.select(number).await, false),
        Input::SoftKey(position) => press(handset, position).await,
    };
    if !done {
        output.line("The phone has nothing for that now; type help.");
    } else if changed_in_place {
        output.line(handset.drawing());
    }
    true
}

/// Presses the soft key in a place. Gives whether there is one, and whether it changes the open
/// screen in place.
async fn press(handset: &mut Handset, position: u8) -> (bool, bool) {
    let keys = handset
        .display()
        .map(|display| display.screen.soft_keys.clone());
    let key = keys
        .into_iter()
        .flatten()
        .find(|key| key.position == position);
    match key {
        Some(key) => (handset.press(&key.name).await, key.url == "SoftKey:<<"),
        None => (false, false),
    }
}

fn understand(line: &str) -> Input<'_> {
    let line = line.trim();
    if let Some(text) = line.strip_prefix('=') {
        return Input::Enter(text);
    }
    match line {
        "" => return Input::Nothing,
        "off" => return Input::Off,
        "help" | "?" => return Input::Help,
        _ => {}
    }
    if let (1, Ok(position @ 1..=8)) = (line.len(), line.parse()) {
        return Input::SoftKey(position);
    }
    if let Some(Ok(number)) = line
        .strip_prefix("item ")
        .map(|number| number.trim().parse())
    {
        return Input::Item(number);
    }
    match line.split_once(": ") {
        Some((field, text)) => Input::Fill(field.trim(), text.trim()),
        None => Input::Enter(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_soft_keys_fields_or_text() {
        assert_eq!(understand("1"), Input::SoftKey(1));
        assert_eq!(understand("9"), Input::Enter("9"));
        assert_eq!(understand("=1"), Input::Enter("1"));
        assert_eq!(understand("82641"), Input::Enter("82641"));
        assert_eq!(
            understand("UserID: aksethi"),
            Input::Fill("UserID", "aksethi")
        );
        assert_eq!(understand("item 2"), Input::Item(2));
        assert_eq!(understand(" off "), Input::Off);
        assert_eq!(understand(""), Input::Nothing);
    }
}
