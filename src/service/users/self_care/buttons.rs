//! What is kept over AXL for the buttons of phones. The program does not act on it: phones get it
//! from a PBX, if at all.

use std::collections::HashMap;

use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::objects;
use crate::service::objects::ObjectError;

/// A number behind a button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpeedDial {
    /// Its place among them, as it was said; may be empty.
    pub index: String,
    /// The text beside it.
    pub label: String,
    /// The number.
    pub number: String,
}

/// A phone service that a phone shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscribedService {
    /// Its name on the phone.
    pub name: String,
    /// The phone service that it is.
    pub service: String,
    /// Its URL, where the phone has one of its own.
    pub url: String,
    /// The text beside its button; empty: it has none.
    pub label: String,
}

/// What is kept for the buttons of a phone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Buttons {
    /// Speed dials in the order of their places.
    pub speed_dials: Vec<SpeedDial>,
    /// Subscribed services.
    pub services: Vec<SubscribedService>,
}

/// What is kept for the buttons of these phones.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub async fn buttons(
    app: &App,
    phones: impl Iterator<Item = &Phone>,
) -> Result<HashMap<Pkid, Buttons>, ObjectError> {
    let Some(object) = ObjectType::of(ObjectKind::Phone) else {
        return Ok(HashMap::new());
    };
    let pkids: Vec<Pkid> = phones.map(|phone| phone.pkid).collect();
    let records = objects::records(app, object, &pkids).await?;
    let buttons = records
        .into_iter()
        .map(|(pkid, record)| (pkid, of_phone(&record)));
    Ok(buttons.collect())
}

fn of_phone(record: &Record) -> Buttons {
    let speed_dials = entries(record, "speeddials", "speeddial").map(|entry| SpeedDial {
        index: text(entry, "index"),
        label: text(entry, "label"),
        number: text(entry, "dirn"),
    });
    let services = entries(record, "services", "service").map(|entry| SubscribedService {
        name: text(entry, "name"),
        service: text(entry, "telecasterServiceName"),
        url: text(entry, "url"),
        label: text(entry, "urlLabel"),
    });
    Buttons {
        speed_dials: speed_dials.collect(),
        services: services.collect(),
    }
}

fn entries<'a>(
    record: &'a Record,
    group: &str,
    entry: &'static str,
) -> impl Iterator<Item = &'a Record> {
    let values = record
        .group(group)
        .map_or(&[][..], |group| group.list(entry));
    values.iter().filter_map(|value| match value {
        Value::Group(entry) => Some(entry),
        _ => None,
    })
}

/// The text of an element, or the name of what it refers to.
fn text(entry: &Record, element: &str) -> String {
    match entry.get(element) {
        Some(Value::Text(text)) => text.clone(),
        Some(Value::Reference(reference)) => reference.name.clone(),
        _ => String::new(),
    }
}
