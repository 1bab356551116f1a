//! The one line of a Universal Device Template. From 12.5 on it stands in `lines/line`, before as
//! elements of the template itself; it is kept in the newer form and shown in both.

use super::Content;
use super::Element;
use super::ObjectKind;
use super::ObjectType;
use super::Places;
use super::Record;
use super::SchemaVersion;
use super::Value;
use super::defaults;

/// The element around the line, and the line.
const LINES: &str = "lines";
const LINE: &str = "line";

/// Elements of the template before 12.5, each with the one of the line that means the same.
/// `directoryNumber` and `dirn` are not among them: the first names a line that exists, the second
/// is a number by itself.
const SAME: &[(&str, &str)] = &[
    ("recordingOptions", "recordingFlag"),
    ("externalPhoneNumber", "e164Mask"),
    ("audibleMsgWaitingicatorPolicy", "audibleMwi"),
    ("logMissedCalls", "missedCallLogging"),
    ("visualMsgWaitingIndicatorPolicy", "mwlPolicy"),
    ("lineLabel", "label"),
    ("displayCallerId", "display"),
    ("MaxNumberOfCalls", "maxNumCalls"),
    ("ringSettingWhenPhoneIdle", "ringSetting"),
    ("busyTrigger", "busyTrigger"),
    ("ringSettingWhenPhoneInUse", "consecutiveRingSetting"),
    ("recordingProfile", "recordingProfileName"),
    (
        "callPickupGroupAudioAlertSettingPhoneActive",
        "ringSettingActivePickupAlert",
    ),
    (
        "callPickupGroupAudioAlertSettingPhoneIdle",
        "ringSettingIdlePickupAlert",
    ),
    ("monitoringCallingSearchSpace", "monitoringCssName"),
];

/// The line of a template's record; an empty one when it has none.
pub fn line(record: &Record) -> Record {
    let line = record.group(LINES).and_then(|lines| lines.group(LINE));
    line.cloned().unwrap_or_default()
}

/// Puts the line into a template's record.
pub fn set_line(record: &mut Record, line: Record) {
    let mut lines = record.group(LINES).cloned().unwrap_or_default();
    lines.set(LINE, Value::Group(line));
    record.set(LINES, Value::Group(lines));
}

/// The line with the table's defaults where it has nothing.
pub fn line_with_defaults(record: &Record) -> Record {
    let mut found = line(record);
    let empty: Vec<_> = found
        .iter()
        .filter(|(_, value)| **value == Value::Nothing)
        .map(|(name, _)| name)
        .collect();
    for name in empty {
        found.take(name);
    }
    defaults::show(table(), &mut found, SchemaVersion::NEWEST, Places::ADD);
    found
}

/// Writes what `said` names of the older form into the line. Gives what is spoken of then: `lines`
/// in place of the older names.
///
/// # Errors
///
/// [`SaidTwice`] when `said` names the line as well and the two differ. Schemas have one form
/// each, except that 12.0 is known with either.
pub fn gather(record: &mut Record, said: &[&'static str]) -> Result<Vec<&'static str>, SaidTwice> {
    let has_line = said.contains(&LINES);
    let mut gathered = line(record);
    let mut names: Vec<&'static str> = Vec::with_capacity(said.len());
    let mut is_spoken_of = has_line;
    for name in said.iter().copied() {
        let Some((older, newer)) = SAME.iter().find(|(older, _)| *older == name) else {
            names.push(name);
            continue;
        };
        let value = record.get(older).cloned().unwrap_or(Value::Nothing);
        if !has_line {
            gathered.set(newer, value);
            is_spoken_of = true;
        } else if !is_default(older, &value) && gathered.get(newer) != Some(&value) {
            return Err(SaidTwice { older, newer });
        }
    }
    if is_spoken_of && !has_line {
        names.push(LINES);
        set_line(record, gathered);
    }
    Ok(names)
}

/// Shows the line in the older form as well.
pub fn spread(record: &mut Record) {
    let mut shown = line(record);
    defaults::show(table(), &mut shown, SchemaVersion::NEWEST, Places::GET);
    for (older, newer) in SAME {
        if let Some(value) = shown.take(newer) {
            record.set(older, value);
        }
    }
}

/// A request described the line in both forms, and differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request describes the line in lines as well; send {older}, or lines/line/{newer}")]
pub struct SaidTwice {
    /// The element of the older form.
    pub older: &'static str,
    /// The element of the line.
    pub newer: &'static str,
}

/// The elements of the line.
fn table() -> &'static [Element] {
    let below = |table: &'static [Element], name: &str| {
        let found = table.iter().rev().find(|element| element.name == name);
        found.map_or(&[][..], |element| element.children())
    };
    let template = ObjectType::of(ObjectKind::UniversalDeviceTemplate);
    template.map_or(&[], |template| below(below(template.elements, LINES), LINE))
}

fn is_default(older: &str, value: &Value) -> bool {
    let template = ObjectType::of(ObjectKind::UniversalDeviceTemplate);
    let element = template.and_then(|template| {
        let mut elements = template.elements.iter();
        elements.find(|element| element.name == older)
    });
    match (element, value) {
        (_, Value::Nothing) => true,
        (Some(element), Value::Text(text)) => match (element.content, element.default) {
            (Content::Boolean, None) => text == "false",
            (_, default) => default == Some(text),
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn template(values: &[(&'static str, &str)]) -> Record {
        let mut record = Record::default();
        for (name, value) in values {
            record.set(name, text(value));
        }
        record
    }

    #[test]
    fn both_names_exist_and_hold_the_same_kind_of_thing() {
        let template = ObjectType::of(ObjectKind::UniversalDeviceTemplate).unwrap();
        for (older, newer) in SAME {
            let older = template.elements.iter().find(|e| e.name == *older);
            let newer = table().iter().find(|e| e.name == *newer);
            let (older, newer) = (older.unwrap(), newer.unwrap());
            let kind = std::mem::discriminant(&newer.content);
            assert_eq!(std::mem::discriminant(&older.content), kind, "{older:?}");
            assert_eq!(older.treatment, newer.treatment, "{older:?}");
        }
    }

    #[test]
    fn the_older_form_becomes_the_line_and_is_shown_again() {
        let mut record = template(&[
            ("name", "n"),
            ("lineLabel", "l"),
            ("busyTrigger", "3"),
            ("ringSettingWhenPhoneIdle", "Disable"),
        ]);
        let said = [
            "name",
            "lineLabel",
            "busyTrigger",
            "ringSettingWhenPhoneIdle",
        ];
        assert_eq!(gather(&mut record, &said).unwrap(), ["name", "lines"]);
        let line = line(&record);
        assert_eq!(line.text("label"), Some("l"));
        assert_eq!(line.text("ringSetting"), Some("Disable"));
        let mut shown = template(&[]);
        set_line(&mut shown, line);
        spread(&mut shown);
        assert_eq!(shown.text("lineLabel"), Some("l"));
        assert_eq!(shown.text("busyTrigger"), Some("3"));
        assert_eq!(shown.text("MaxNumberOfCalls"), Some("2"));
        assert_eq!(shown.text("logMissedCalls"), Some("true"));
    }

    #[test]
    fn a_request_with_both_forms_must_not_contradict_itself() {
        let said = ["lines", "lineLabel", "busyTrigger"];
        let both = |label: &str| {
            let mut record = template(&[("lineLabel", label), ("busyTrigger", "1")]);
            set_line(
                &mut record,
                template(&[("label", "l"), ("busyTrigger", "4")]),
            );
            record
        };
        let mut record = both("l");
        assert_eq!(gather(&mut record, &said).unwrap(), ["lines"]);
        assert_eq!(line(&record).text("busyTrigger"), Some("4"));
        let refused = gather(&mut both("m"), &said).unwrap_err();
        assert_eq!(refused.older, "lineLabel");
    }
}
