//! Rows of `numplan` and `devicenumplanmap`.

use super::line_edit::LineEdit;
use super::row::Finder;
use super::row::Row;
use super::step::Step;
use super::writable::Verb;
use crate::domain::catalogue::NamedObject;
use crate::domain::schema;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::StoredElements;
use crate::domain::schema::StoredValue;
use crate::service::administration::AdministrationError;
use crate::service::devices::lines::DeviceLine;
use crate::service::lines::LineChange;
use crate::service::sql::SqlError;

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
