//! Every element of every operation, and what does not belong there.

use std::fmt::Write as _;

use crate::axl_round_trip::tree::Tree;
use crate::common::AxlCall;
use selfprov::domain::schema::Change;
use selfprov::domain::schema::Characters;
use selfprov::domain::schema::Content;
use selfprov::domain::schema::Element;
use selfprov::domain::schema::Key;
use selfprov::domain::schema::ObjectType;
use selfprov::domain::schema::Operation;
use selfprov::domain::schema::Places;
use selfprov::domain::schema::SchemaVersion;
use selfprov::domain::schema::coverage::OtherOperation;
use selfprov::domain::schema::elements_in;
use selfprov::server::axl::tags::OF_LATER_RELEASES;

/// A call with something in it that does not belong there.
#[derive(Debug, Clone)]
pub(crate) struct Wrong {
    pub(crate) call: AxlCall,
    /// What the fault must name.
    pub(crate) named: String,
}

/// Every one, from 8.0 on. Operations have theirs in every version, elements in one of the versions
/// that have them, all of which come round.
pub(crate) fn every_wrong_call() -> Vec<Wrong> {
    let mut walk = Walk::default();
    for version in SchemaVersion::ALL {
        if version.is_old_dialect() {
            continue;
        }
        for object in ObjectType::all() {
            for operation in object.operations {
                if object
                    .has_since(*operation)
                    .is_some_and(|since| since <= version)
                {
                    walk.operation(object, *operation, version);
                }
            }
        }
        for other in OtherOperation::all()
            .iter()
            .filter(|other| other.is_in(version))
        {
            walk.other(other, version);
        }
    }
    walk.wrong
}

#[derive(Default)]
struct Walk {
    wrong: Vec<Wrong>,
    /// Counts elements, so that each is tried in another version than its neighbour.
    turn: usize,
}

/// Which of the versions from 8.0 on an element is tried in.
const VERSIONS: usize = SchemaVersion::ALL.len() - 1;

impl Walk {
    fn say(&mut self, version: SchemaVersion, operation: &str, elements: String, named: &str) {
        self.wrong.push(Wrong {
            call: AxlCall {
                version: version.as_str().to_owned(),
                operation: operation.to_owned(),
                elements,
            },
            named: named.to_owned(),
        });
    }

    fn operation(
        &mut self,
        object: &'static ObjectType,
        operation: Operation,
        version: SchemaVersion,
    ) {
        let name = operation.name_with(object.kind.noun());
        let element = object.element;
        let keys = sample_keys(object);
        match operation {
            Operation::Add => {
                let empty = format!("<{element}/>");
                self.say(version, &name, format!("{empty}<unheardOf/>"), "unheardOf");
                self.say(version, &name, format!("stray{empty}"), &name);
                self.say(version, &name, format!("{empty}{empty}"), element);
                self.inside(object, version, Places::ADD, &|inner| {
                    (name.clone(), format!("<{element}>{inner}</{element}>"))
                });
            }
            Operation::Update => {
                self.arguments(&name, object, version, &keys);
                self.inside(object, version, Places::UPDATE, &|inner| {
                    (name.clone(), format!("{keys}{inner}"))
                });
            }
            Operation::Get => {
                self.arguments(&name, object, version, &keys);
                let tags = "<returnedTags/>";
                self.say(
                    version,
                    &name,
                    format!("{keys}{tags}{tags}"),
                    "returnedTags",
                );
                self.tags(&name, object, (version, Places::GET), &keys);
            }
            Operation::List => self.list(&name, object, version),
            Operation::Lock | Operation::Wipe => {}
            Operation::Options => {
                let choices = "<returnedChoices/>";
                for (elements, named) in [
                    ("<unheardOf/>".to_owned(), "unheardOf"),
                    ("stray".to_owned(), &*name),
                    (format!("{choices}{choices}"), "returnedChoices"),
                    ("<uuid>1</uuid><uuid>1</uuid>".to_owned(), "uuid"),
                    (
                        "<returnedChoices><unheardOf/></returnedChoices>".to_owned(),
                        "unheardOf",
                    ),
                ] {
                    self.say(version, &name, elements, named);
                }
            }
            _ => self.arguments(&name, object, version, &keys),
        }
    }

    /// What belongs into no call.
    fn arguments(
        &mut self,
        name: &str,
        object: &'static ObjectType,
        version: SchemaVersion,
        keys: &str,
    ) {
        self.say(
            version,
            name,
            format!("{keys}<unheardOf>1</unheardOf>"),
            "unheardOf",
        );
        let around = if name.starts_with("update") {
            object.element
        } else {
            name
        };
        self.say(version, name, format!("{keys}stray"), around);
        for key in key_names(object) {
            let once = format!("<{key}>1</{key}>");
            self.say(version, name, format!("{once}{once}"), key);
            self.say(
                version,
                name,
                format!("<{key}><unheardOf/></{key}>"),
                "unheardOf",
            );
            let nil = format!("<{key} xmlns:i='{XSI}' i:nil='true'>1</{key}>");
            self.say(version, name, nil, key);
        }
    }

    fn list(&mut self, name: &str, object: &'static ObjectType, version: SchemaVersion) {
        let tags = "<returnedTags/>";
        let criteria = "<searchCriteria/>";
        let both = format!("{criteria}{tags}");
        for (elements, named) in [
            (format!("{both}<unheardOf/>"), "unheardOf"),
            (format!("{both}stray"), name),
            (format!("{both}{tags}"), "returnedTags"),
            (format!("{both}{criteria}"), "searchCriteria"),
            (format!("{both}<first>1</first><first>2</first>"), "first"),
            (format!("{both}<skip>1</skip><skip>2</skip>"), "skip"),
            (format!("{both}<first>many</first>"), "first"),
            (
                format!("{tags}<searchCriteria>%</searchCriteria>"),
                "searchCriteria",
            ),
            (
                format!("{tags}<searchCriteria><unheardOf>%</unheardOf></searchCriteria>"),
                "unheardOf",
            ),
            (
                format!("{criteria}<returnedTags>name</returnedTags>"),
                "returnedTags",
            ),
        ] {
            self.say(version, name, elements, named);
        }
        for criterion in object.search {
            let since = criterion.since;
            let criterion = criterion.name;
            if version < since {
                let later = format!("<searchCriteria><{criterion}/></searchCriteria>");
                self.say(version, name, format!("{tags}{later}"), criterion);
                continue;
            }
            let one = format!("<{criterion}>%</{criterion}>");
            for inner in [
                format!("{one}{one}"),
                format!("<{criterion}><unheardOf/></{criterion}>"),
                format!("<{criterion} uuid='{UUID}'/>"),
            ] {
                let elements = format!("{tags}<searchCriteria>{inner}</searchCriteria>");
                self.say(version, name, elements, criterion);
            }
        }
        self.tags(name, object, (version, Places::LIST), criteria);
    }

    /// Tags of what there is not: at each level, and each element that this answer does not have.
    fn tags(
        &mut self,
        name: &str,
        object: &'static ObjectType,
        (version, place): (SchemaVersion, Places),
        before: &str,
    ) {
        let mut paths = groups(object, version, place);
        paths.push(Vec::new());
        for path in paths {
            let tags = nested(&path, "<unheardOf/>");
            let elements = format!("{before}<returnedTags>{tags}</returnedTags>");
            self.say(version, name, elements, "unheardOf");
        }
        let mut names: Vec<&str> = object.elements.iter().map(|element| element.name).collect();
        names.retain(|name| {
            let taken = (version, object.element, *name);
            object.element(name, version, place).is_none() && !OF_LATER_RELEASES.contains(&taken)
        });
        names.dedup();
        for tag in names {
            let elements = format!("{before}<returnedTags><{tag}/></returnedTags>");
            self.say(version, name, elements, tag);
        }
    }

    /// What belongs into no element of an object.
    fn inside(
        &mut self,
        object: &'static ObjectType,
        version: SchemaVersion,
        place: Places,
        call: &dyn Fn(&str) -> (String, String),
    ) {
        let mut say = |inner: &str, named: &str| {
            let (name, elements) = call(inner);
            self.wrong.push(Wrong {
                call: AxlCall {
                    version: version.as_str().to_owned(),
                    operation: name,
                    elements,
                },
                named: named.to_owned(),
            });
        };
        let keys = key_names(object);
        say("<unheardOf/>", "unheardOf");
        say("stray", object.element);
        let at = SchemaVersion::ALL
            .iter()
            .position(|known| *known == version);
        each(
            object.elements,
            (version, place),
            &mut Vec::new(),
            &mut |path, element| {
                let name = element.name_in(place);
                self.turn += 1;
                if self.turn % VERSIONS != at.unwrap_or_default() % VERSIONS
                    || (place.has(Places::UPDATE) && path.is_empty() && keys.contains(&name))
                {
                    return;
                }
                for (inner, named) in wrong_elements(element, name) {
                    say(&nested(path, &inner), &named);
                }
            },
        );
    }

    fn other(&mut self, other: &OtherOperation, version: SchemaVersion) {
        let name = other.name;
        self.say(version, name, "<unheardOf/>".to_owned(), "unheardOf");
        self.say(version, name, "stray".to_owned(), name);
        for argument in other.arguments {
            let argument = argument.name;
            let needed = other.arguments.iter().filter(|needed| needed.is_required);
            let needed: Vec<String> = needed
                .filter(|needed| needed.name != argument)
                .map(|needed| format!("<{0}>1</{0}>", needed.name))
                .collect();
            let needed = needed.concat();
            let one = format!("<{argument}>1</{argument}>");
            self.say(version, name, format!("{one}{one}"), argument);
            let below = format!("{needed}<{argument}><unheardOf/></{argument}>");
            self.say(version, name, below, "unheardOf");
        }
    }
}

/// The namespace of `nil`.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// An identity that nothing has.
const UUID: &str = "{5F3C6A0E-6C2B-4A43-9D0E-0B6F0A7A1C11}";

/// An element with what does not belong into it, and what the fault must name.
fn wrong_elements(element: &'static Element, name: &str) -> Vec<(String, String)> {
    let mut wrong = Vec::new();
    let (content, is_group) = match element.content {
        Content::Group(_) => (String::new(), true),
        Content::Any => ("<a>1</a>".to_owned(), true),
        _ => (sample(element), false),
    };
    let one = format!("<{name}>{content}</{name}>");
    if element.occurs_max == 1 {
        wrong.push((format!("{one}{one}"), name.to_owned()));
    }
    if is_group {
        wrong.push((format!("<{name}>stray</{name}>"), name.to_owned()));
        wrong.push((format!("<{name}>{content}stray</{name}>"), name.to_owned()));
    } else {
        let below = format!("<{name}>{content}<unheardOf/></{name}>");
        wrong.push((below, "unheardOf".to_owned()));
    }
    if matches!(element.content, Content::Group(_)) {
        wrong.push((
            format!("<{name}><unheardOf/></{name}>"),
            "unheardOf".to_owned(),
        ));
    }
    if matches!(element.content, Content::Any) {
        wrong.push((format!("<{name}><a b='1'/></{name}>"), name.to_owned()));
    }
    if !is_group {
        let nil = format!("<{name} xmlns:i='{XSI}' i:nil='true'>{content}</{name}>");
        wrong.push((nil, name.to_owned()));
    }
    if !is_group && !matches!(element.content, Content::Reference(_)) {
        wrong.push((format!("<{name} uuid='{UUID}'/>"), name.to_owned()));
    }
    wrong
}

/// A value that an element takes.
fn sample(element: &Element) -> String {
    match element.content {
        Content::Boolean => "true".to_owned(),
        Content::Integer => element
            .range
            .map_or(1, |(smallest, _)| smallest)
            .to_string(),
        Content::Enumeration(words) => words[0].replace('&', "&amp;"),
        _ => match element.characters {
            Characters::NumericUserId => "1234567".to_owned(),
            _ => "1".to_owned(),
        },
    }
}

/// Calls `then` with each element of a table and the names of the elements around it.
fn each(
    table: &'static [Element],
    at: (SchemaVersion, Places),
    path: &mut Vec<&'static str>,
    then: &mut dyn FnMut(&[&'static str], &'static Element),
) {
    for element in elements_in(table, at.0, at.1) {
        then(path, element);
        // What changes a list has the list's own elements.
        if element.change == Change::Replace {
            path.push(element.name_in(at.1));
            each(element.children(), at, path, then);
            path.pop();
        }
    }
}

/// The paths of all elements that hold elements.
pub(crate) fn groups(
    object: &'static ObjectType,
    version: SchemaVersion,
    place: Places,
) -> Vec<Vec<&'static str>> {
    let mut found = Vec::new();
    each(
        object.elements,
        (version, place),
        &mut Vec::new(),
        &mut |path, element| {
            if matches!(element.content, Content::Group(_)) {
                let mut path = path.to_vec();
                path.push(element.name_in(place));
                found.push(path);
            }
        },
    );
    found
}

/// Elements around a text.
pub(crate) fn nested(path: &[&str], inner: &str) -> String {
    let mut text = String::new();
    for name in path {
        let _ = write!(text, "<{name}>");
    }
    text.push_str(inner);
    for name in path.iter().rev() {
        let _ = write!(text, "</{name}>");
    }
    text
}

fn key_names(object: &ObjectType) -> Vec<&'static str> {
    match object.key {
        Key::Name(name) => vec![name, "uuid"],
        Key::Pattern => vec!["pattern", "routePartitionName", "uuid"],
        Key::Several(names) => [names, &["uuid"]].concat(),
        Key::Singleton => vec!["uuid"],
    }
}

/// A key of which the form alone is right.
fn sample_keys(object: &ObjectType) -> String {
    let names: &[&str] = match &object.key {
        Key::Name(name) => &[name],
        Key::Pattern => &["pattern"],
        Key::Several(names) => names,
        Key::Singleton => &[],
    };
    let keys = names.iter().map(|name| format!("<{name}>1</{name}>"));
    keys.collect::<Vec<String>>().concat()
}

/// The key of an object as get and remove of 7.1 have it.
pub(crate) fn keys_of(object: &ObjectType, said: &Tree) -> String {
    use selfprov::domain::schema::dialect;
    let (name, _) = dialect::keys(object.kind);
    let text = update_keys_of(object, said);
    match object.key {
        Key::Name(known) => text.replace(&format!("{known}>"), &format!("{name}>")),
        _ => text,
    }
}

/// The key of an object as update has it.
pub(crate) fn update_keys_of(object: &ObjectType, said: &Tree) -> String {
    let names: &[&str] = match &object.key {
        Key::Name(name) => &[name],
        Key::Pattern => &["pattern", "routePartitionName"],
        _ => &[],
    };
    let said = names.iter().filter_map(|name| said.child(name));
    said.map(Tree::written).collect()
}
