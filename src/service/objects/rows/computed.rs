//! Elements of small objects that are not one column each.

use super::Cell;
use super::Cells;
use super::Draft;
use super::ObjectError;
use super::Outcome;
use super::RowTable;
use super::cell_of;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::PhoneButtonTemplate;
use crate::domain::config_file::time_zone::cisco_time_zone;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;

/// What ends a phone's date format where the clock has twelve hours.
const TWELVE_HOURS: char = 'a';

/// The words of the two clocks. Source: CUCM administration, *Date/Time Group Configuration*.
const CLOCK_12: &str = "12-hour";
const CLOCK_24: &str = "24-hour";

/// The separator in which date formats are written.
const SEPARATOR: char = '/';

/// The cells of an object's row, which had `before`.
pub(super) fn cells(
    app: &App,
    draft: &Draft,
    table: &RowTable,
    before: Option<&Cells>,
) -> Outcome<Cells> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for (position, column) in table.columns.iter().enumerate() {
        cells.push(match column.column {
            "date_template" if column.element.is_empty() => Cell::Text(date_template(draft)?),
            "model" if column.element.is_empty() => {
                let held = before.and_then(|cells| cells.get(position)).cloned();
                held.unwrap_or_else(|| base_model(app, draft))
            }
            _ => cell_of(draft.record(), column)?,
        });
    }
    Ok(cells)
}

/// What cannot be said of one element alone.
pub(super) fn check(draft: &Draft) -> Outcome<()> {
    if draft.object().kind == ObjectKind::SipProfile {
        let first = draft.number::<u16>("startMediaPort")?;
        let last = draft.number::<u16>("stopMediaPort")?;
        if first > last {
            let reason = "it is greater than stopMediaPort";
            return Err(ObjectError::invalid("startMediaPort", &reason));
        }
    }
    if draft.object().kind == ObjectKind::CallManagerGroup {
        let members = draft.record().group("members");
        if members.is_none_or(|members| members.list("member").is_empty()) {
            let reason = "a group has at least one CallManager: phones could register nowhere";
            return Err(ObjectError::invalid("members", &reason));
        }
    }
    if draft.object().kind == ObjectKind::DateTimeGroup {
        let zone = draft.text("timeZone");
        if !is_time_zone(&zone) {
            let reason = format!("{zone:?} is no time zone; write one as Europe/Zurich or Etc/GMT");
            return Err(ObjectError::invalid("timeZone", &reason));
        }
    }
    Ok(())
}

/// Whether phones know the zone: by its name among CUCM's, or in the database of time zones.
fn is_time_zone(name: &str) -> bool {
    name.is_empty() || cisco_time_zone(name).is_some() || jiff::tz::db().get(name).is_ok()
}

/// The elements that the cells hold together.
pub(super) fn show(object: &ObjectType, table: &RowTable, cells: &Cells, record: &mut Record) {
    match object.kind {
        ObjectKind::DateTimeGroup => {
            let mut columns = table.columns.iter().zip(cells);
            let held = columns.find(|(column, _)| column.column == "date_template");
            if let Some((_, Cell::Text(template))) = held {
                show_date(template, record);
            }
        }
        ObjectKind::Css => {
            let members = record.group("members");
            let members = members.map_or(&[][..], |members| members.list("member"));
            let names: Vec<&str> = members
                .iter()
                .filter_map(|member| match member {
                    Value::Group(member) => member.text("routePartitionName"),
                    _ => None,
                })
                .collect();
            let clause = names.join(":");
            record.set("clause", Value::text(&clause));
        }
        _ => {}
    }
}

/// `D.M.Ya` of format, separator and clock.
fn date_template(draft: &Draft) -> Outcome<String> {
    let format = draft.text("dateformat");
    let separator = draft.text("separator");
    let mut characters = separator.chars();
    let (Some(separator), None) = (characters.next(), characters.next()) else {
        let reason = "it is one character, for example / or .";
        return Err(ObjectError::invalid("separator", &reason));
    };
    let is_known = format.chars().all(|c| "MDY/.-".contains(c)) && !format.is_empty();
    if !is_known {
        let reason = "it is M, D and Y in some order, for example D/M/Y";
        return Err(ObjectError::invalid("dateformat", &reason));
    }
    let mut template = format.replace(SEPARATOR, &separator.to_string());
    match draft.text("timeFormat").as_str() {
        CLOCK_12 => template.push(TWELVE_HOURS),
        CLOCK_24 => {}
        _ => {
            let reason = format!("it is {CLOCK_12} or {CLOCK_24}");
            return Err(ObjectError::invalid("timeFormat", &reason));
        }
    }
    Ok(template)
}

fn show_date(template: &str, record: &mut Record) {
    let (format, clock) = match template.strip_suffix(TWELVE_HOURS) {
        Some(format) => (format, CLOCK_12),
        None => (template, CLOCK_24),
    };
    let separator = format
        .chars()
        .find(|c| !c.is_ascii_alphabetic())
        .unwrap_or(SEPARATOR);
    let format = format.replace(separator, &SEPARATOR.to_string());
    record.set("dateformat", Value::text(&format));
    record.set("separator", Value::text(&separator.to_string()));
    record.set("timeFormat", Value::text(clock));
}

/// A new phone button template is for the model of the one that it is made from.
fn base_model(app: &App, draft: &Draft) -> Cell {
    let catalogue = app.catalogue.load();
    let model = base_of(&catalogue, draft).and_then(|base| base.model);
    model.map_or(Cell::NoNumber, |model| Cell::Number(i64::from(model)))
}

/// What a new object takes from the one that it is made from when the request has none: buttons.
pub(super) fn inherited_entries(app: &App, draft: &Draft) -> Option<Vec<Cells>> {
    let catalogue = app.catalogue.load();
    let base = base_of(&catalogue, draft)?;
    let buttons = base.buttons.iter().map(|button| {
        vec![
            Cell::Number(i64::from(button.button)),
            Cell::Text(button.feature.clone()),
            Cell::Text(button.label.clone()),
        ]
    });
    Some(buttons.collect())
}

fn base_of<'a>(catalogue: &'a Catalogue, draft: &Draft) -> Option<&'a PhoneButtonTemplate> {
    let base = draft.pkid("basePhoneTemplateName")?;
    catalogue.phone_button_templates.get(&base)
}
