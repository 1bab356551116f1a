//! `listChange`.

use crate::domain::schema::{ObjectType, SchemaVersion, touched};
use crate::service::history::changes::{self, Action, Changes, ChangesError, Start};

use super::super::envelope::Call;
use super::super::fault::Fault;
use super::super::xml::Element;
use super::{Caller, arguments};

/// Most objects of one `objectList`: there are fewer kinds than that.
const OBJECTS_MAX: usize = 1_000;

/// `listChange`: what has changed since a number that an earlier answer gave. The answer has no
/// `return`.
pub(super) async fn list(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    arguments::check(caller, call, &["startChangeId", "objectList"])?;
    let start = match call.argument("startChangeId") {
        Some(argument) => start_of(caller, argument)?,
        None => None,
    };
    let nouns = match call.argument("objectList") {
        Some(argument) => objects(caller, argument)?,
        None => Vec::new(),
    };
    let changes = changes::list(caller.app, start.as_ref(), &nouns).await?;
    Ok(written(&changes, caller.version))
}

fn start_of(caller: &Caller<'_>, element: &Element) -> Result<Option<Start>, Fault> {
    let Some(number) = arguments::text_of(caller, element, "listChange/startChangeId")? else {
        return Ok(None);
    };
    let number = number.parse().map_err(|_| {
        Fault::not_valid("startChangeId is the number nextStartChangeId of an earlier answer")
    })?;
    let queue_id = element.attribute("queueId").ok_or_else(|| {
        Fault::not_valid("startChangeId has the attribute queueId, as an earlier answer gave it")
    })?;
    Ok(Some(Start {
        number,
        queue_id: queue_id.to_owned(),
    }))
}

fn objects(caller: &Caller<'_>, list: &Element) -> Result<Vec<String>, Fault> {
    let path = "listChange/objectList";
    arguments::check_text(caller, list, path)?;
    if let Some(other) = list.children.iter().find(|child| child.name != "object") {
        let name = &other.name;
        return Err(Fault::not_valid(format!(
            "objectList holds elements object, not {name}"
        )));
    }
    if list.children.len() > OBJECTS_MAX {
        return Err(Fault::not_valid(format!(
            "objectList has at most {OBJECTS_MAX} objects"
        )));
    }
    let mut nouns = Vec::new();
    for object in &list.children {
        let noun = arguments::text_of(caller, object, &format!("{path}/object"))?;
        nouns.extend(noun);
    }
    Ok(nouns)
}

fn written(told: &Changes, version: SchemaVersion) -> String {
    let Changes {
        queue_id,
        first,
        last,
        next,
        changes,
    } = told;
    let mut text = format!(
        "<queueInfo><firstChangeId>{first}</firstChangeId><lastChangeId>{last}</lastChangeId>\
         <nextStartChangeId>{next}</nextStartChangeId><queueId>{queue_id}</queueId></queueInfo>"
    );
    if changes.is_empty() {
        return text;
    }
    text.push_str("<changes>");
    for change in changes {
        let (action, do_get) = match change.action {
            Action::Add => ("a", true),
            Action::Update => ("u", true),
            Action::Remove => ("r", false),
        };
        // Source: recorded answers: bare and in small letters here, unlike everywhere else in AXL.
        let object = change.object;
        let uuid = object.map_or_else(String::new, |pkid| format!(" uuid=\"{pkid}\""));
        let (number, noun) = (change.number, change.noun);
        let change = format!(
            "<change type=\"{noun}\"{uuid}><id>{number}</id><action>{action}</action>\
             <doGet>{do_get}</doGet>{}</change>",
            changed_tags(&change.elements, noun, version)
        );
        text.push_str(&change);
    }
    text.push_str("</changes>");
    text
}

/// The elements that a change touched, by their names in this version. What they hold now is not
/// said: the object is to be read (`doGet`).
fn changed_tags(elements: &[String], noun: &str, version: SchemaVersion) -> String {
    let object = ObjectType::by_noun(noun);
    let names = elements.iter().filter_map(|touched| {
        let object = object?;
        touched::name_in(object, version, touched)
    });
    let tags: Vec<String> = names
        .map(|name| format!("<changedTag name=\"{name}\"/>"))
        .collect();
    if tags.is_empty() {
        return "<changedTags/>".to_owned();
    }
    format!("<changedTags>{}</changedTags>", tags.concat())
}

impl From<ChangesError> for Fault {
    fn from(error: ChangesError) -> Self {
        match error {
            ChangesError::Service(error) => error.into(),
            error => Self::not_valid(error.to_string()),
        }
    }
}
