//! Writes a screen: Title, Prompt, body, `SoftKeyItem`, always in this order.

use std::fmt::Write as _;

use super::{FormMethod, InputItem, Label, Screen, SoftKeys};

/// Room for a login form without growing.
const CAPACITY: usize = 1_536;

pub(super) fn document(screen: &Screen<'_>) -> String {
    let mut out = String::with_capacity(CAPACITY);
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    match screen {
        Screen::Text {
            title,
            prompt,
            text,
            keys,
        } => {
            out.push_str("<CiscoIPPhoneText>\n");
            head(&mut out, *title, *prompt);
            element(&mut out, "Text", text.as_str());
            soft_keys(&mut out, keys);
            out.push_str("</CiscoIPPhoneText>\n");
        }
        Screen::Input {
            title,
            prompt,
            url,
            method,
            items,
            keys,
        } => {
            out.push_str("<CiscoIPPhoneInput>\n");
            head(&mut out, *title, *prompt);
            match method {
                FormMethod::Get => element(&mut out, "URL", url.as_str()),
                FormMethod::Post => {
                    out.push_str("<URL method=\"post\">");
                    escape(&mut out, url.as_str());
                    out.push_str("</URL>\n");
                }
            }
            items.iter().for_each(|item| input_item(&mut out, item));
            soft_keys(&mut out, keys);
            out.push_str("</CiscoIPPhoneInput>\n");
        }
    }
    out
}

fn head(out: &mut String, title: Label<'_>, prompt: Label<'_>) {
    element(out, "Title", title.as_str());
    element(out, "Prompt", prompt.as_str());
}

fn input_item(out: &mut String, item: &InputItem<'_>) {
    out.push_str("<InputItem>\n");
    element(out, "DisplayName", item.display_name.as_str());
    element(out, "QueryStringParam", item.parameter);
    element(out, "InputFlags", item.flags.as_str());
    element(
        out,
        "DefaultValue",
        item.default.map_or("", |value| value.as_str()),
    );
    out.push_str("</InputItem>\n");
}

fn soft_keys(out: &mut String, keys: &SoftKeys<'_>) {
    for (position, key) in keys.positions() {
        out.push_str("<SoftKeyItem>\n");
        element(out, "Name", key.name.as_str());
        element(out, "URL", key.action.uri());
        // Writing to a String cannot fail.
        let _ = writeln!(out, "<Position>{position}</Position>\n</SoftKeyItem>");
    }
}

fn element(out: &mut String, name: &str, text: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
    escape(out, text);
    out.push_str("</");
    out.push_str(name);
    out.push_str(">\n");
}

/// Appends `text` with the five special characters escaped and what XML 1.0 cannot carry replaced.
fn escape(out: &mut String, text: &str) {
    let plain =
        |b: u8| (0x20..0x7F).contains(&b) && !matches!(b, b'&' | b'<' | b'>' | b'"' | b'\'');
    if text.bytes().all(plain) {
        out.push_str(text);
        return;
    }
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\u{20}'..='\u{7E}' | '\u{A0}'..='\u{FFFD}' | '\u{1_0000}'.. => {
                out.push(character);
            }
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
}
