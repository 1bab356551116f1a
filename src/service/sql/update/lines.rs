//! Rows of `numplan` and `devicenumplanmap`.

use super::super::SqlError;
use super::row::Finder;
use super::row::Row;
use super::step::Step;
use super::writable::Verb;
use crate::domain::catalogue::NamedObject;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::domain::schema;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::StoredElements;
use crate::domain::schema::StoredValue;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::device_lines::DeviceLine;
use crate::service::device_update::DeviceChange;
use crate::service::lines::LineChange;
use crate::service::users::Extension;
use crate::store;
use crate::store::Connection;

/// A line with other settings.
pub(super) fn changed(finder: &Finder<'_>, row: &Row) -> Result<Step, SqlError> {
    let space = row.reference("fkcallingsearchspace_sharedlineappear")?;
    let profile = row.reference("fkvoicemessagingprofile")?;
    let catalogue = &finder.catalogue;
    if let Some(Some(space)) = space
        && !catalogue.calling_search_spaces.contains_key(&space)
    {
        return Err(row.missing("fkcallingsearchspace_sharedlineappear"));
    }
    if let Some(Some(profile)) = profile {
        let object = catalogue.named_objects.get(&profile);
        if object.is_none_or(|object| object.kind != NamedObject::VOICE_MAIL_PROFILE) {
            return Err(row.missing("fkvoicemessagingprofile"));
        }
    }
    Ok(Step::Line {
        line: row.key("pkid")?,
        change: Box::new(LineChange {
            description: row.text("description"),
            alerting_name: row.text("alertingname"),
            calling_search_space: space,
            voice_mail_profile: profile,
            elements: alerting_name_ascii(row)?,
            ..LineChange::default()
        }),
    })
}

/// What AXL keeps as `asciiAlertingName`, by the rules it has there. Without it, the column says what
/// the alerting name says.
fn alerting_name_ascii(row: &Row) -> Result<StoredElements, SqlError> {
    const NAME: &str = "asciiAlertingName";
    let Some(text) = row.text("alertingnameascii") else {
        return Ok(StoredElements::default());
    };
    let object = ObjectType::of(ObjectKind::Line);
    let element = object.and_then(|object| object.elements.iter().find(|e| e.name == NAME));
    if let Some(element) = element {
        let checked = schema::check(element, &text);
        checked.map_err(|error| AdministrationError::invalid("alertingnameascii", &error))?;
    }
    let is_own = !text.is_empty() && row.text("alertingname").as_ref() != Some(&text);
    Ok(StoredElements {
        replaced: vec![NAME],
        values: is_own
            .then(|| (NAME.to_owned(), StoredValue::Text(text)))
            .into_iter()
            .collect(),
        touched: vec![NAME],
    })
}

/// A line of a device that comes, changes or goes.
pub(super) async fn appearance(
    finder: &mut Finder<'_>,
    verb: Verb,
    row: &Row,
) -> Result<Step, SqlError> {
    row.check_twin("labelascii", "label")?;
    row.check_twin("displayascii", "display")?;
    let device = finder.device(row, "fkdevice").await?;
    let (line, extension) = finder.line(row, "fknumplan").await?;
    let said = DeviceLine {
        extension,
        line: None,
        index: row.number("numplanindex")?,
        label: row.text("label"),
        display: row.text("display"),
        external_phone_number: row.text("e164mask"),
        max_number_of_calls: row.number("maxnumcalls")?,
        busy_trigger: row.number("busytrigger")?,
    };
    Ok(Step::DeviceLine {
        device,
        edit: Box::new(LineEdit {
            verb,
            line: line.pkid,
            said,
            twins: [
                ("asciiLabel", "labelascii"),
                ("displayAscii", "displayascii"),
            ]
            .into_iter()
            .filter(|(_, column)| row.text(column).is_some())
            .map(|(element, _)| element)
            .collect(),
        }),
    })
}

/// What is done to one line of a device.
#[derive(Debug)]
pub(super) struct LineEdit {
    verb: Verb,
    line: Pkid,
    said: DeviceLine,
    /// Elements of AXL that say from now on what their columns say.
    twins: Vec<&'static str>,
}

impl LineEdit {
    /// Forgets what AXL keeps for a column that says from now on what another says.
    async fn forget_twins(
        &self,
        connection: &mut Connection,
        phone: &Phone,
    ) -> Result<(), SqlError> {
        let mut lines = phone.lines.iter();
        let index = match self.verb {
            Verb::Insert => self.said.index,
            Verb::Update => lines
                .find(|line| line.line == self.line)
                .map(|line| line.index),
            Verb::Delete => None,
        };
        let Some(index) = index.filter(|_| !self.twins.is_empty()) else {
            return Ok(());
        };
        let twins = self.twins.iter();
        let paths: Vec<String> = twins
            .map(|element| format!("lines/line[{index}]/{element}"))
            .collect();
        Ok(store::attribute::delete(connection, phone.pkid, &paths).await?)
    }

    /// The change of the device, from its lines as they are in this transaction.
    pub(super) async fn change(
        &self,
        app: &App,
        connection: &mut Connection,
        name: &DeviceName,
    ) -> Result<DeviceChange, SqlError> {
        let phone = store::device::find_for_update(connection, name).await?;
        let phone = phone.ok_or(AdministrationError::Changed("device"))?;
        let catalogue = app.catalogue.load();
        let unchanged = |line: &PhoneLine| {
            let partition = catalogue.route_partitions.get(&line.route_partition);
            DeviceLine {
                index: Some(line.index),
                ..DeviceLine::new(Extension {
                    pattern: line.pattern.clone(),
                    route_partition: partition.cloned().unwrap_or_default(),
                })
            }
        };
        let has_it = phone.lines.iter().any(|line| line.line == self.line);
        if has_it == (self.verb == Verb::Insert) {
            return Err(match self.verb {
                Verb::Insert => {
                    let number = &self.said.extension.pattern;
                    SqlError::Duplicate(format!("{name} has the line {number} already"))
                }
                Verb::Update | Verb::Delete => AdministrationError::Changed("device").into(),
            });
        }
        self.forget_twins(connection, &phone).await?;
        let mut lines = Vec::with_capacity(phone.lines.len() + 1);
        for line in &phone.lines {
            match self.verb {
                Verb::Delete if line.line == self.line => {}
                Verb::Update if line.line == self.line => lines.push(DeviceLine {
                    index: Some(line.index),
                    ..self.said.clone()
                }),
                _ => lines.push(unchanged(line)),
            }
        }
        if self.verb == Verb::Insert {
            lines.push(self.said.clone());
        }
        Ok(DeviceChange {
            version: Some(phone.version),
            lines: Some(lines),
            ..DeviceChange::default()
        })
    }
}
