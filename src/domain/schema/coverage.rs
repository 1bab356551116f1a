//! What becomes of every element of every operation, as rows and as the page
//! `docs/axl-coverage.md`.

mod others;

use std::fmt::Write as _;

pub use others::{OtherAnswer, OtherId, OtherOperation};

use super::Content;
use super::Element;
use super::ObjectType;
use super::Operation;
use super::Places;
use super::SchemaVersion;
use super::Treatment;

/// One element of one kind of object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The operations that have it: `addPhone`, `updatePhone`, `getPhone`, `listPhone`.
    pub operations: Vec<String>,
    /// The path from the object to it: `lines/line/index`.
    pub element: String,
    /// The first version that has it.
    pub since: SchemaVersion,
    /// The first version that has it no more.
    pub before: Option<SchemaVersion>,
    /// What becomes of it.
    pub outcome: Outcome,
}

/// What becomes of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The program acts on it.
    Applied,
    /// Kept and given back, without effect on phones.
    Stored,
    /// Refused for this reason, unless it is empty or holds this default.
    Refused {
        /// Why, and what to do instead.
        reason: &'static str,
        /// The one value that is taken.
        unless: Option<&'static str>,
    },
    /// Refused unless empty: it names an object of a kind that this system has none of.
    NoSuchKind(&'static str),
    /// Answered; refused for this reason where a request says otherwise.
    Computed(&'static str),
    /// Answers only, and filled.
    Answered,
    /// Answers only, and always empty: this system knows nothing of it.
    AlwaysEmpty,
}

/// What becomes of an element in requests, or in answers when only they have it.
pub fn outcome(element: &Element) -> Outcome {
    let is_answer_only = !element.places.has(Places::REQUESTS);
    match (element.content, element.treatment) {
        (_, Treatment::Applied | Treatment::Computed(_)) if is_answer_only => Outcome::Answered,
        _ if is_answer_only => Outcome::AlwaysEmpty,
        (Content::Reference(kind), _) if ObjectType::of(kind).is_none() => {
            Outcome::NoSuchKind(kind.noun())
        }
        (_, Treatment::Applied) => Outcome::Applied,
        (_, Treatment::Stored) => Outcome::Stored,
        (_, Treatment::Computed(reason)) => Outcome::Computed(reason),
        (_, Treatment::Refused(reason)) => Outcome::Refused {
            reason,
            unless: element.default,
        },
    }
}

/// A row for every element of every kind of object, in the order of the tables.
pub fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for object in ObjectType::all() {
        let around = Around {
            object,
            path: String::new(),
            places: Places::ALL,
            since: object.since,
            before: None,
        };
        add_rows(&around, object.elements, &mut rows);
    }
    rows
}

/// What the elements around an element leave to it.
struct Around {
    object: &'static ObjectType,
    path: String,
    places: Places,
    since: SchemaVersion,
    before: Option<SchemaVersion>,
}

fn add_rows(around: &Around, elements: &'static [Element], rows: &mut Vec<Row>) {
    for element in elements {
        let below = Around {
            object: around.object,
            path: format!("{}{}/", around.path, element.name),
            places: around.places.within(element.places),
            since: around.since.max(element.since),
            before: earlier(around.before, element.before),
        };
        if below.before.is_some_and(|before| before <= below.since) {
            continue;
        }
        let named = Element {
            places: below.places,
            ..*element
        };
        let operations = operations(around.object, below.places);
        if operations.is_empty() {
            continue;
        }
        rows.push(Row {
            operations,
            element: format!("{}{}", around.path, written_name(element)),
            since: below.since,
            before: below.before,
            outcome: outcome(&named),
        });
        // What changes a list has the list's own elements.
        if element.change == super::Change::Replace {
            add_rows(&below, element.children(), rows);
        }
    }
}

fn earlier(one: Option<SchemaVersion>, other: Option<SchemaVersion>) -> Option<SchemaVersion> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

fn written_name(element: &Element) -> String {
    match element.name_in_update {
        Some(in_update) => format!("{} ({in_update})", element.name),
        None => element.name.to_owned(),
    }
}

fn operations(object: &ObjectType, places: Places) -> Vec<String> {
    [
        (Places::ADD, Operation::Add),
        (Places::UPDATE, Operation::Update),
        (Places::GET, Operation::Get),
        (Places::LIST, Operation::List),
    ]
    .into_iter()
    .filter(|(place, operation)| places.has(*place) && object.operations.contains(operation))
    .map(|(_, operation)| operation_name(operation, object))
    .collect()
}

fn operation_name(operation: Operation, object: &ObjectType) -> String {
    operation.name_with(object.kind.noun())
}

fn versions(since: SchemaVersion, before: Option<SchemaVersion>) -> String {
    match (since == SchemaVersion::OLDEST, before) {
        (true, None) => "all".to_owned(),
        (false, None) => format!("from {since}"),
        (true, Some(before)) => format!("before {before}"),
        (false, Some(before)) => format!("from {since}, before {before}"),
    }
}

const INTRODUCTION: &str = "\
# AXL coverage

Written from the tables that the program runs on; do not edit. `UPDATE_DOCS=1 cargo test docs::`
writes it anew.

No element of a request is dropped silently. Each one is

- **applied**: the program acts on it,
- **stored**: kept and given back, without effect on phones,
- **refused**: a fault names it and says what to do, unless it is empty or holds the value named;
  what the system keeps itself may be sent back as it was read.

Answers have some elements that requests have not: **answered** means filled, **always empty**
that this system knows nothing of it. An empty truth value or word says nothing, as if it were not
there; an empty reference or text is none. An element is in all four of add, update, get and list
where nothing else is said. Versions are those of the schema; 7.1 stands for every older one.
";

/// The page: the operations that no table describes, then a section for every kind of object.
pub fn page(others: &[OtherOperation]) -> String {
    let mut page = INTRODUCTION.to_owned();
    if !others.is_empty() {
        page.push_str(
            "\n## Operations without a table\n\n| operation | argument | versions | |\n\
             |---|---|---|---|\n",
        );
    }
    for other in others {
        let versions = versions(other.since, other.before);
        let _ = writeln!(page, "| `{}` | | {versions} | {} |", other.name, other.note);
        add_arguments(other, other.arguments, "", &mut page);
    }
    let rows = rows();
    for object in ObjectType::all() {
        let noun = object.kind.noun();
        let _ = write!(page, "\n## {noun}\n\n{}\n\n", operations_line(object));
        page.push_str("| element | in | versions | |\n|---|---|---|---|\n");
        let of_object = rows.iter().filter(|row| {
            let operation = row.operations.first();
            operation.is_some_and(|name| name.trim_start_matches(char::is_lowercase) == noun)
        });
        for row in of_object {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} | {} |",
                row.element,
                places_text(row, object),
                versions(row.since, row.before),
                outcome_text(row.outcome)
            );
        }
    }
    page
}

fn add_arguments(
    other: &OtherOperation,
    elements: &'static [Element],
    path: &str,
    page: &mut String,
) {
    for element in elements {
        let path = format!("{path}{}", element.name);
        let since = other.since.max(element.since);
        let _ = writeln!(
            page,
            "| `{}` | `{path}` | {} | {} |",
            other.name,
            versions(since, earlier(other.before, element.before)),
            outcome_text(outcome(element))
        );
        add_arguments(other, element.children(), &format!("{path}/"), page);
    }
}

fn operations_line(object: &ObjectType) -> String {
    let named: Vec<String> = Operation::ALL
        .into_iter()
        .filter_map(|operation| {
            let since = object.has_since(operation)?;
            let name = operation_name(operation, object);
            if since == SchemaVersion::OLDEST {
                return Some(format!("`{name}`"));
            }
            Some(format!("`{name}` (from {since})"))
        })
        .collect();
    named.join(", ")
}

fn places_text(row: &Row, object: &ObjectType) -> String {
    let every = operations(object, Places::ALL);
    if row.operations == every {
        return String::new();
    }
    let noun = object.kind.noun();
    let verbs: Vec<&str> = row
        .operations
        .iter()
        .map(|operation| operation.trim_end_matches(noun))
        .collect();
    verbs.join(", ")
}

fn outcome_text(outcome: Outcome) -> String {
    match outcome {
        Outcome::Applied => "applied".to_owned(),
        Outcome::Stored => "stored".to_owned(),
        Outcome::Refused {
            reason,
            unless: Some(value),
        } => format!("refused unless `{value}`: {reason}"),
        Outcome::Refused {
            reason,
            unless: None,
        } => format!("refused: {reason}"),
        Outcome::NoSuchKind(kind) => format!("refused: there is no {kind} here; leave it empty"),
        Outcome::Computed(reason) => format!("answered; refused unless unchanged: {reason}"),
        Outcome::Answered => "answered".to_owned(),
        Outcome::AlwaysEmpty => "always empty".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(operation: &str, element: &str) -> Row {
        rows()
            .into_iter()
            .find(|row| row.element == element && row.operations.iter().any(|it| it == operation))
            .unwrap_or_else(|| panic!("{operation} {element}"))
    }

    #[test]
    fn every_element_has_a_row_with_its_operations_and_its_outcome() {
        let digest_user = row("addPhone", "digestUser");
        assert_eq!(
            digest_user.operations,
            ["addPhone", "updatePhone", "getPhone", "listPhone"]
        );
        assert_eq!(digest_user.outcome, Outcome::Applied);
        let index = row("addPhone", "lines/line/index");
        assert_eq!(index.operations, ["addPhone", "updatePhone", "getPhone"]);
        assert_eq!(row("addPhone", "msisdn").since, SchemaVersion::V10_0);
        assert_eq!(row("addPhone", "msisdn").outcome, Outcome::Stored);
        assert_eq!(row("getPhone", "model").outcome, Outcome::Applied);
        assert_eq!(row("listPhone", "loginTime").outcome, Outcome::AlwaysEmpty);
        assert_eq!(row("listUser", "status").outcome, Outcome::Answered);
        assert_eq!(
            row("addPhone", "elinGroup").outcome,
            Outcome::NoSuchKind("ElinGroup")
        );
        assert!(matches!(
            row("addPhone", "packetCaptureMode").outcome,
            Outcome::Refused {
                unless: Some("None"),
                ..
            }
        ));
    }

    #[test]
    fn an_operation_that_is_not_there_has_no_rows() {
        let rows = rows();
        assert!(
            !rows
                .iter()
                .any(|row| row.operations.contains(&"addCallManager".to_owned()))
        );
        assert!(
            rows.iter()
                .any(|row| row.operations.contains(&"updateCallManager".to_owned()))
        );
        assert!(rows.iter().all(|row| !row.operations.is_empty()));
    }

    #[test]
    fn the_page_says_what_becomes_of_an_element() {
        let page = page(OtherOperation::all());
        for line in [
            "| `getCCMVersion` | | all | The newest version of the schema that is served |",
            "| `getCCMVersion` | `processNodeName` | all | applied |",
            "## Phone",
            "| `digestUser` |  | all | applied |",
            "| `selfService` |  | from 10.0, before 12.5 | applied |",
            "| `selfService` | add, update, get | from 12.5 | applied |",
            "| `name (newName)` |  | all | applied |",
        ] {
            assert!(page.lines().any(|it| it == line), "{line}");
        }
    }
}
