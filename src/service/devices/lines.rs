//! The lines of a device that an administrator adds or changes.

use super::phone_from_template::Subject;
use crate::domain::call_limits::CallLimits;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::device::DeviceName;
use crate::domain::end_user::EndUser;
use crate::domain::line::Line;
use crate::domain::phone::PhoneLine;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::template::TextField;
use crate::domain::text_rule::TextRule;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::check_text_by;
use crate::service::history::record::Actor;
use crate::service::lines;
use crate::service::lines::NewLine;
use crate::service::users;
use crate::service::users::Extension;
use crate::store;
use crate::store::Connection;

/// Most characters of a line's label and display name. Source: AXL `XPhoneLine`.
const LINE_TEXT_LENGTH_MAX: usize = 30;

/// Most characters of an external phone number mask. Source: AXL `e164Mask`.
const MASK_LENGTH_MAX: usize = 24;

/// Calls at once on a line where neither line nor template says it. Source: AXL `maxNumCalls`.
const MAX_NUMBER_OF_CALLS: u16 = 4;

/// Calls at which a line is busy where neither line nor template says it.
const BUSY_TRIGGER: u16 = 2;

/// A line that a device is to have. Texts that are `None` come from the template.
#[derive(Debug, Clone)]
pub struct DeviceLine {
    /// The directory number: a line that exists.
    pub extension: Extension,
    /// The line that the number is to be that of; another in its place is a change in between.
    pub line: Option<Pkid>,
    /// Position on the device; `None`: after the one before.
    pub index: Option<u8>,
    /// Text beside the button.
    pub label: Option<String>,
    /// Display name in calls.
    pub display: Option<String>,
    /// External phone number mask.
    pub external_phone_number: Option<String>,
    /// Most calls at once.
    pub max_number_of_calls: Option<u16>,
    /// Calls at which it is busy.
    pub busy_trigger: Option<u16>,
}

impl DeviceLine {
    /// This line with everything else from the template.
    pub const fn new(extension: Extension) -> Self {
        Self {
            extension,
            line: None,
            index: None,
            label: None,
            display: None,
            external_phone_number: None,
            max_number_of_calls: None,
            busy_trigger: None,
        }
    }
}

/// The lines that a device of a model is to have, and whether a number that is no line yet becomes
/// one.
#[derive(Clone, Copy)]
pub(super) struct WantedLines<'a> {
    pub(super) model: &'a PhoneModel,
    pub(super) lines: &'a [DeviceLine],
    pub(super) makes_lines: bool,
    /// The lines that the device has.
    pub(super) before: &'a [PhoneLine],
}

/// The lines by their numbers, with the place of each on the device. Those that are new to it are
/// locked.
pub(super) async fn find_lines<'a>(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    catalogue: &Catalogue,
    wanted: WantedLines<'a>,
) -> Result<Vec<(u8, &'a DeviceLine, Line)>, AdministrationError> {
    let WantedLines {
        model,
        lines: wanted,
        makes_lines,
        before,
    } = wanted;
    let invalid = |reason: String| AdministrationError::invalid("lines", &reason);
    let most = model.line_buttons;
    let mut found: Vec<(u8, &DeviceLine, Line)> = Vec::with_capacity(wanted.len());
    for line in wanted {
        let last = found.last().map_or(0, |(index, ..)| *index);
        let index = line.index.unwrap_or(last.saturating_add(1));
        if index == 0 || index > most {
            let product = model.product;
            let reason = format!("a {product} has at most {most} lines; there is no line {index}");
            return Err(invalid(reason));
        }
        let row = match users::line_of(connection, catalogue, &line.extension).await {
            Err(AdministrationError::NotFound { kind: "line", .. }) if makes_lines => {
                make_line(app, connection, actor, catalogue, &line.extension).await?
            }
            other => other?,
        };
        if line.line.is_some_and(|known| known != row.pkid) {
            return Err(AdministrationError::Changed(lines::KIND));
        }
        let clash = found
            .iter()
            .any(|(other, _, known)| *other == index || known.pkid == row.pkid);
        if clash {
            let number = &line.extension.pattern;
            let reason = format!("{number} or position {index} is there twice");
            return Err(invalid(reason));
        }
        check_line(line, before.iter().find(|known| known.line == row.pkid))?;
        found.push((index, line, row));
    }
    found.sort_by_key(|(index, ..)| *index);
    lock_new(connection, before, &mut found).await?;
    Ok(found)
}

/// Locks the lines that are new to the device until the transaction ends, and reads them again:
/// whoever changes one of them either has done so, or sees then that the device has it. In the
/// order of their identities, so that nobody waits in a ring.
async fn lock_new(
    connection: &mut Connection,
    before: &[PhoneLine],
    found: &mut [(u8, &DeviceLine, Line)],
) -> Result<(), AdministrationError> {
    let is_new = |line: &Line| before.iter().all(|known| known.line != line.pkid);
    let rows = found.iter_mut().map(|(_, _, line)| line);
    let mut new: Vec<&mut Line> = rows.filter(|line| is_new(line)).collect();
    new.sort_unstable_by_key(|line| line.pkid);
    for line in new {
        let place = |line: &Line| (line.pattern.clone(), line.route_partition);
        let locked = store::line::by_pkid_for_update(connection, line.pkid).await?;
        let locked = locked.filter(|locked| place(locked) == place(line));
        *line = locked.ok_or(AdministrationError::Changed(lines::KIND))?;
    }
    Ok(())
}

/// A line of this number and nothing else, in a partition that exists.
async fn make_line(
    app: &App,
    connection: &mut Connection,
    actor: &Actor,
    catalogue: &Catalogue,
    extension: &Extension,
) -> Result<Line, AdministrationError> {
    let name = &extension.route_partition;
    let partition = catalogue
        .route_partition(name)
        .ok_or_else(|| AdministrationError::not_found("Route Partition", name))?;
    let new = NewLine::new(extension.pattern.clone(), partition);
    match lines::insert(app, connection, actor, catalogue, &new).await {
        // It was not there a moment ago: another request has made it, and this one may use it.
        Err(AdministrationError::Taken { .. }) => Err(AdministrationError::Changed("line")),
        made => made,
    }
}

/// Texts that somebody says. What the line has already stays, though it was made from a template.
fn check_line(line: &DeviceLine, before: Option<&PhoneLine>) -> Result<(), AdministrationError> {
    type Has = fn(&PhoneLine) -> &str;
    let label: Has = |line| &line.label;
    let display: Has = |line| &line.display;
    let mask: Has = |line| &line.external_phone_number;
    let (text, mask_length) = (LINE_TEXT_LENGTH_MAX, MASK_LENGTH_MAX);
    for (field, said, has, length_max, rule) in [
        ("line label", &line.label, label, text, TextRule::Label),
        ("display", &line.display, display, text, TextRule::Display),
        (
            "external phone number mask",
            &line.external_phone_number,
            mask,
            mask_length,
            TextRule::Mask,
        ),
    ] {
        if let Some(said) = said.as_deref()
            && before.is_none_or(|before| has(before) != said)
        {
            check_text_by(field, said, length_max, rule)?;
        }
    }
    Ok(())
}

/// The calls that a line takes; [`AdministrationError::Invalid`] for what cannot be.
pub(in crate::service) fn call_limits(
    max_number_of_calls: u16,
    busy_trigger: u16,
) -> Result<CallLimits, AdministrationError> {
    let limits = CallLimits::new(max_number_of_calls, busy_trigger);
    limits.map_err(|error| AdministrationError::invalid("busy trigger", &error))
}

/// What the texts of a device are filled from.
pub(super) struct Maker<'a> {
    pub(super) app: &'a App,
    pub(super) name: &'a DeviceName,
    pub(super) model: &'a PhoneModel,
    pub(super) template: Option<&'a UniversalDeviceTemplate>,
    pub(super) owner: Option<&'a EndUser>,
}

impl Maker<'_> {
    /// A text with its tags filled in.
    pub(in crate::service) fn expanded(
        &self,
        text: &str,
        field: TextField,
        line: Option<&Line>,
    ) -> String {
        // Without a line there is no number to fill in.
        let Some(line) = line else {
            return String::new();
        };
        let subject = Subject {
            device_name: self.name,
            model: Some(self.model.number),
            user: self.owner,
            directory_number: &line.pattern,
        };
        subject.expand(text, field)
    }

    /// A line as it stands on the device.
    ///
    /// # Errors
    ///
    /// [`AdministrationError::Invalid`] when it could not take the calls that it is to take.
    pub(in crate::service) fn line(
        &self,
        index: u8,
        wanted: &DeviceLine,
        line: &Line,
    ) -> Result<PhoneLine, AdministrationError> {
        let template = self.template;
        let text = |set: &Option<String>, of: fn(&UniversalDeviceTemplate) -> &str, field| {
            let from_template = || {
                template.map_or_else(String::new, |template| {
                    self.expanded(of(template), field, Some(line))
                })
            };
            set.clone().unwrap_or_else(from_template).into_boxed_str()
        };
        let calls = template.map_or(MAX_NUMBER_OF_CALLS, |one| one.max_number_of_calls);
        let calls = wanted.max_number_of_calls.unwrap_or(calls);
        let busy = template.map_or(BUSY_TRIGGER, |one| one.busy_trigger);
        // Only where nobody says it, it follows the number of calls.
        let busy = wanted.busy_trigger.unwrap_or(busy.min(calls));
        let limits = call_limits(calls, busy)?;
        let mask = template.map_or("", |one| one.external_phone_number.as_str());
        Ok(PhoneLine {
            index,
            line: line.pkid,
            pattern: line.pattern.clone(),
            route_partition: line.route_partition,
            contact_user: self.app.new_pkid(),
            ctiid: None,
            label: text(&wanted.label, |one| &one.line_label, TextField::LineLabel),
            display: text(
                &wanted.display,
                |one| &one.display_caller_id,
                TextField::LineDisplay,
            ),
            external_phone_number: wanted
                .external_phone_number
                .as_deref()
                .unwrap_or(mask)
                .into(),
            max_number_of_calls: limits.max_number_of_calls(),
            busy_trigger: limits.busy_trigger(),
            answers_automatically: line.settings.auto_answer.is_on(),
        })
    }
}
