//! No screen, whatever it shows, exceeds what a phone takes or is malformed.

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;

use super::*;

/// Element paths with their text, read back from a document.
fn read_back(xml: &str) -> Vec<(String, String)> {
    let mut reader = Reader::from_str(xml);
    let mut path: Vec<String> = Vec::new();
    let mut leaves: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                path.push(start.name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(reference) => {
                let value = match &*reference {
                    "amp" => "&",
                    "lt" => "<",
                    "gt" => ">",
                    "quot" => "\"",
                    "apos" => "'",
                    other => panic!("entity {other}"),
                };
                text.push_str(value);
            }
            Event::End(_) => {
                leaves.push((path.join("/"), std::mem::take(&mut text)));
                path.pop();
            }
            Event::Decl(_) => {}
            Event::Eof => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(path.is_empty());
    leaves
}

pub(in crate::server::uds) fn check_limits(xml: &str) {
    let leaves = read_back(xml);
    let count = |end: &str| {
        leaves
            .iter()
            .filter(|(path, _)| path.ends_with(end))
            .count()
    };
    assert!(count("/SoftKeyItem") <= SOFT_KEYS_MAX);
    assert!(count("/InputItem") <= INPUT_ITEMS_MAX);
    assert_eq!(count("SoftKeyItem/Position"), count("/SoftKeyItem"));
    for (path, text) in &leaves {
        let max = match path.rsplit('/').next().unwrap() {
            "Title" | "Prompt" | "Name" | "DisplayName" | "DefaultValue" | "QueryStringParam" => {
                LABEL_MAX
            }
            "Text" => TEXT_MAX,
            "URL" => {
                assert!(!text.is_empty(), "{path}");
                URL_MAX
            }
            "Position" => {
                assert!((1..=8).contains(&text.parse::<u8>().unwrap()));
                1
            }
            _ => continue,
        };
        assert!(text.chars().count() <= max, "{path}: {text}");
    }
}

fn text_or_long() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "\\PC{0,80}", "[&<>\"'a]{0,5000}"]
}

proptest! {
    #[test]
    fn a_text_screen_keeps_every_limit(
        title in text_or_long(), prompt in text_or_long(), text in text_or_long(),
        name in text_or_long(), url in text_or_long(),
    ) {
        let action = ScreenUrl::new(url).map_or(KeyAction::Backspace, KeyAction::Fetch);
        let key = SoftKey::new(&name, action);
        let screen = Screen::Text {
            title: Label::cut(&title),
            prompt: Label::cut(&prompt),
            text: Body::cut(&text),
            keys: SoftKeys::new([(); SOFT_KEYS_MAX].map(|()| key.clone())),
        };
        check_limits(&screen.to_xml());
    }

    #[test]
    fn a_form_keeps_every_limit(
        title in text_or_long(), value in text_or_long(), url in "[!-~]{1,300}", post in any::<bool>(),
    ) {
        let item = InputItem {
            display_name: Label::cut(&title),
            parameter: "pin",
            flags: InputFlags::NumericPassword,
            default: Some(Label::cut(&value)),
        };
        let screen = Screen::Input {
            title: Label::cut(&title),
            prompt: Label::cut(&value),
            url: ScreenUrl::new(url).unwrap_or_else(ScreenUrl::exit),
            method: if post { FormMethod::Post } else { FormMethod::Get },
            items: InputItems::new([(); INPUT_ITEMS_MAX].map(|()| item.clone())),
            keys: SoftKeys::new([SoftKey::new(&title, KeyAction::Submit)]),
        };
        check_limits(&screen.to_xml());
    }

    #[test]
    fn what_is_short_and_printable_comes_back_as_it_was(text in "[ -~äöü€]{1,32}") {
        let screen = Screen::Text {
            title: Label::cut(&text),
            prompt: Label::cut("x"),
            text: Body::cut(&text),
            keys: SoftKeys::new([]),
        };
        let leaves = read_back(&screen.to_xml());
        let title = leaves.iter().find(|(path, _)| path.ends_with("/Title")).unwrap();
        prop_assert_eq!(&title.1, &text);
    }
}
