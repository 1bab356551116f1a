//! Paints a phone with its screen in text, at a fixed width.

use super::display::Display;
use super::screen::{Body, SoftKey};

/// Columns inside the screen: what a 78xx shows in its normal type.
const COLUMNS: usize = 44;

/// Lines of the screen between title and prompt.
const ROWS: usize = 7;

/// Soft keys side by side; a phone with more of them pages.
const SOFT_KEYS_SHOWN: usize = 4;

/// What stands around the screen.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The model, for example `Cisco 7841`.
    pub model: String,
    /// The device name.
    pub name: String,
    /// The number on line 1; empty before the phone has one.
    pub line: String,
    /// The phone's state or the service's last word, shown when no screen is open.
    pub status: String,
}

/// The phone with an open screen.
pub fn open(frame: &Frame, display: &Display) -> String {
    let mut rows = body(display);
    rows.truncate(ROWS);
    let keys = keys(&display.screen.soft_keys);
    paint(
        frame,
        &display.screen.title,
        &rows,
        &display.screen.prompt,
        &keys,
    )
}

/// The phone at rest: its line and its state.
pub fn idle(frame: &Frame) -> String {
    let rows = wrap(&frame.status);
    let labels = ["Redial", "New Call", "Fwd All", ""].map(str::to_owned);
    paint(frame, "", &rows, "", &labels)
}

fn paint(frame: &Frame, title: &str, rows: &[String], prompt: &str, keys: &[String; 4]) -> String {
    let line = if frame.line.is_empty() {
        "not registered"
    } else {
        &frame.line
    };
    let width = COLUMNS + 2;
    let head = format!(" {} ", frame.model);
    let mut text = format!(
        "╭─{head}{}╮\n",
        "─".repeat((width - 1).saturating_sub(head.chars().count()))
    );
    text += &row(&format!(
        "{}{}",
        pad(&frame.name, COLUMNS - line.chars().count()),
        line
    ));
    text += &row(&format!("┌{}┐", "─".repeat(COLUMNS - 2)));
    text += &screen_row(&center(title));
    for index in 0..ROWS {
        text += &screen_row(rows.get(index).map_or("", String::as_str));
    }
    text += &screen_row(prompt);
    text += &row(&format!("└{}┘", "─".repeat(COLUMNS - 2)));
    let cells: Vec<String> = keys
        .iter()
        .map(|key| format!("[{}]", pad(key, 8)))
        .collect();
    text += &row(&cells.join(" "));
    [text, format!("╰{}╯\n", "─".repeat(width))].concat()
}

fn row(text: &str) -> String {
    format!("│ {} │\n", pad(text, COLUMNS))
}

fn screen_row(text: &str) -> String {
    row(&format!("│ {} │", pad(text, COLUMNS - 4)))
}

/// Cut or filled with blanks to exactly `width` characters.
fn pad(text: &str, width: usize) -> String {
    let cut: String = text.chars().take(width).collect();
    format!("{cut:width$}")
}

fn center(text: &str) -> String {
    let width = COLUMNS - 4;
    format!("{:^width$}", text.chars().take(width).collect::<String>())
}

fn body(display: &Display) -> Vec<String> {
    match &display.screen.body {
        Body::Text(text) => wrap(text),
        Body::Input(_) => display
            .fields()
            .map(|(item, value, focus)| field(item.flags.hidden, &item.label, value, focus))
            .collect(),
        Body::Menu(items) => (1..)
            .zip(items)
            .map(|(n, item)| format!("{n} {}", item.name))
            .collect(),
        Body::Execute(_) => Vec::new(),
    }
}

fn field(hidden: bool, label: &str, value: &str, focus: bool) -> String {
    let shown = if hidden {
        "*".repeat(value.chars().count())
    } else {
        value.to_owned()
    };
    let cursor = if focus { "▏" } else { "" };
    format!("{label:10} {shown}{cursor}")
}

/// Breaks text at blanks; a line break in the text stays one.
fn wrap(text: &str) -> Vec<String> {
    let width = COLUMNS - 4;
    let mut rows = Vec::new();
    for line in text.lines() {
        let mut row = String::new();
        for word in line.split_whitespace() {
            let longer = row.chars().count() + 1 + word.chars().count() > width;
            if longer && !row.is_empty() {
                rows.push(std::mem::take(&mut row));
            }
            if !row.is_empty() {
                row.push(' ');
            }
            row.push_str(word);
        }
        rows.push(row);
    }
    rows
}

fn keys(soft_keys: &[SoftKey]) -> [String; SOFT_KEYS_SHOWN] {
    let mut labels = [const { String::new() }; SOFT_KEYS_SHOWN];
    for key in soft_keys {
        let place = usize::from(key.position).saturating_sub(1);
        if let Some(label) = labels.get_mut(place) {
            key.name.clone_into(label);
        }
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::phone::screen::Screen;

    fn frame() -> Frame {
        Frame {
            model: "Cisco 7841".into(),
            name: "SEP0011AABBCCDD".into(),
            line: "1000".into(),
            status: "Registered".into(),
        }
    }

    #[test]
    fn a_login_is_drawn_with_its_fields_keys_and_a_hidden_pin() {
        let screen = Screen::parse(
            b"<CiscoIPPhoneInput><Title>Login</Title><Prompt>Log in to provision this device.</Prompt>\
              <URL>http://h/</URL>\
              <InputItem><DisplayName>UserID</DisplayName><QueryStringParam>userid</QueryStringParam></InputItem>\
              <InputItem><DisplayName>PIN</DisplayName><QueryStringParam>pin</QueryStringParam><InputFlags>NP</InputFlags></InputItem>\
              <SoftKeyItem><Name>Help</Name><Position>4</Position><URL>http://h/help</URL></SoftKeyItem>\
              <SoftKeyItem><Name>Submit</Name><Position>1</Position><URL>SoftKey:Submit</URL></SoftKeyItem>\
              </CiscoIPPhoneInput>",
        )
        .unwrap();
        let mut display = Display::new(screen, "http://h/".into());
        display.fill("UserID", "aksethi");
        display.fill("PIN", "82641");
        let expected = "\
╭─ Cisco 7841 ─────────────────────────────────╮
│ SEP0011AABBCCDD                         1000 │
│ ┌──────────────────────────────────────────┐ │
│ │                  Login                   │ │
│ │ UserID     aksethi                       │ │
│ │ PIN        *****▏                        │ │
│ │                                          │ │
│ │                                          │ │
│ │                                          │ │
│ │                                          │ │
│ │                                          │ │
│ │ Log in to provision this device.         │ │
│ └──────────────────────────────────────────┘ │
│ [Submit  ] [        ] [        ] [Help    ]  │
╰──────────────────────────────────────────────╯
";
        assert_eq!(open(&frame(), &display), expected);
    }

    #[test]
    fn an_idle_phone_and_long_text_keep_the_width() {
        assert!(idle(&frame()).contains("│ │ Registered "));
        let mut texts = vec![idle(&frame())];
        let long = "word ".repeat(60);
        let document = format!("<CiscoIPPhoneText><Text>{long}</Text></CiscoIPPhoneText>");
        let screen = Screen::parse(document.as_bytes()).unwrap();
        texts.push(open(&frame(), &Display::new(screen, String::new())));
        for text in texts {
            assert!(
                text.lines().all(|line| line.chars().count() == COLUMNS + 4),
                "{text}"
            );
        }
    }
}
