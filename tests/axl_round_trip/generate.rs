//! Random valid objects of every kind and version, from the tables.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use selfprov::domain::schema::Change;
use selfprov::domain::schema::Characters;
use selfprov::domain::schema::Content;
use selfprov::domain::schema::Element;
use selfprov::domain::schema::Key;
use selfprov::domain::schema::ObjectType;
use selfprov::domain::schema::Places;
use selfprov::domain::schema::SchemaVersion;
use selfprov::domain::schema::Treatment;
use selfprov::service::objects;
use selfprov::service::objects::Criteria;

use crate::axl_round_trip::tree::Tree;
use crate::common::Axl;

/// Entries of one list at most.
const ENTRIES_MAX: u16 = 3;

/// What an entry of a list is nothing without.
const ENTRIES_NEED: &[&str] = &[
    "members/member",
    "members/member/routePartitionName",
    "members/member/callManagerName",
    "buttons/button/feature",
    "associatedGroups/userGroup/name",
    "lines/line/dirn",
    "lines/line/dirn/pattern",
    // Nothing can be said of a credential that there is not.
    "pin",
    "password",
];

/// Elements that are left out, by kind (empty: every one) and the end of their path.
const ABSENT: &[(&str, &str)] = &[
    // A user with digest credentials, and a second way to say the same.
    ("Phone", "digestUser"),
    ("Phone", "lines/lineIdentifier"),
    // What a group gives cannot be said of a user.
    ("", "userGroup/userRoles"),
    // Groups that are added have no roles; members are users, whom a fresh system lacks.
    ("UserGroup", "serRoles"),
    ("UserGroup", "embers"),
    // Objects that a fresh system has none of.
    ("", "associatedDevices"),
    ("", "primaryExtension"),
    ("", "extensionsInfo"),
    // Answers have a line of the model that the template was made from.
    ("PhoneButtonTemplate", "basePhoneTemplateName"),
    // Only itself can be made the default.
    ("UserProfileProvision", "defaultUserProfile"),
];

/// Elements that hold the URL of a service, of templates and of phones.
const SERVICE_URLS: &[&str] = &[
    "proxyServer",
    "servicesUrl",
    "idle",
    "secureDirUrl",
    "messages",
    "secureIdleUrl",
    "authenticationServer",
    "directory",
    "secureServicesUrl",
    "information",
    "secureMessagesUrl",
    "secureInformationUrl",
    "secureAuthenticationUrl",
    "authenticationUrl",
    "directoryUrl",
    "idleUrl",
    "informationUrl",
    "messagesUrl",
    "proxyServerUrl",
    "secureDirectoryUrl",
    "secureMessageUrl",
];

pub(crate) struct Generator {
    runner: TestRunner,
    /// Names of the objects that there are, by noun.
    names: HashMap<&'static str, Vec<String>>,
    serial: u32,
}

/// What a rule of a kind beyond its table demands of an element.
enum Special {
    /// This text.
    Text(String),
    /// It is left out.
    Absent,
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

impl Generator {
    /// Knows the objects that a fresh system has.
    pub(crate) async fn new(axl: &Axl) -> Self {
        let app = &axl.0.test.app;
        let mut names = HashMap::new();
        for object in ObjectType::all() {
            let Ok(pkids) = objects::list(app, object, &Criteria::none()).await else {
                continue;
            };
            let records = objects::records(app, object, &pkids).await.unwrap();
            let of_kind = records
                .iter()
                .filter_map(|(_, record)| record.text("name"))
                .map(str::to_owned);
            names.insert(object.kind.noun(), of_kind.collect());
        }
        Self {
            runner: TestRunner::deterministic(),
            names,
            serial: 0,
        }
    }

    fn draw<T: std::fmt::Debug>(&mut self, strategy: impl Strategy<Value = T>) -> T {
        strategy.new_tree(&mut self.runner).unwrap().current()
    }

    /// An object as an add request has it, or a change of each of its elements as an update has it.
    pub(crate) fn object(
        &mut self,
        object: &'static ObjectType,
        version: SchemaVersion,
        place: Places,
    ) -> Tree {
        self.serial += 1;
        let mut tree = Tree::new(object.element);
        tree.children = self.elements(object, object.elements, (version, place), "");
        tree
    }

    fn elements(
        &mut self,
        object: &'static ObjectType,
        table: &'static [Element],
        (version, place): (SchemaVersion, Places),
        path: &str,
    ) -> Vec<Tree> {
        let branch = self.draw(1..=2_u8);
        let in_place: Vec<&Element> =
            selfprov::domain::schema::elements_in(table, version, place).collect();
        let mut trees = Vec::new();
        for element in in_place {
            let is_needed = element.is_required && place.has(Places::ADD);
            let is_usual = element.change == Change::Replace
                && element.canonical == element.name
                && !matches!(
                    element.treatment,
                    Treatment::Refused(_) | Treatment::Computed(_)
                )
                && (element.branch == 0 || element.branch == branch || is_needed);
            let path = format!("{path}{}", element.name);
            let is_wanted = is_needed
                || ENTRIES_NEED.contains(&path.as_str())
                || self.draw(proptest::bool::weighted(0.4));
            if !is_usual || !is_wanted {
                continue;
            }
            let is_answered = answers(table, version, element.name);
            let times = match element.occurs_max {
                1 => 1,
                // A user is in a group once, a partition in a search space, a node in a group.
                _ if ["userGroup", "member"].contains(&element.name) => 1,
                most => self.draw(1..=most.min(ENTRIES_MAX)),
            };
            for number in 1..=times {
                if let Some(mut tree) =
                    self.value(object, element, (version, place), (&path, number))
                {
                    tree.name = element.name_in(place).to_owned();
                    tree.is_answered &= is_answered;
                    trees.push(tree);
                }
            }
        }
        trees
    }

    fn value(
        &mut self,
        object: &'static ObjectType,
        element: &'static Element,
        at: (SchemaVersion, Places),
        (path, number): (&str, u16),
    ) -> Option<Tree> {
        let mut tree = Tree::new(element.name);
        if object.key == Key::Name(element.name) && path == element.name {
            tree.text = self.key(object, element);
            return Some(tree);
        }
        // Orders are carried out and secrets are kept; neither is told.
        let is_order = element.name.ends_with("ResetHackCount");
        tree.is_answered = !matches!(element.content, Content::Secret(_)) && !is_order;
        match self.special(object, path) {
            Some(Special::Absent) => return None,
            Some(Special::Text(text)) => {
                tree.text = text;
                return Some(tree);
            }
            Some(Special::OneOf(words)) => {
                tree.text = self.draw(proptest::sample::select(words)).to_owned();
                return Some(tree);
            }
            None => {}
        }
        match element.content {
            Content::Text(most) => tree.text = self.text(element.characters, most),
            Content::Boolean => tree.text = self.draw(any::<bool>()).to_string(),
            Content::Integer if is_position(element) => tree.text = number.to_string(),
            Content::Integer => {
                let (smallest, greatest) = element.range.unwrap_or((0, 1_000));
                tree.text = self.draw(smallest..=greatest).to_string();
            }
            Content::Enumeration(words) => {
                tree.text = self.draw(proptest::sample::select(words)).to_owned();
            }
            Content::Reference(kind) => {
                let names = self.names.get(kind.noun()).cloned().unwrap_or_default();
                if names.is_empty() {
                    return None;
                }
                tree.text = self.draw(proptest::sample::select(names));
            }
            Content::Secret(_) => tree.text = "Zx-7531-secret".to_owned(),
            Content::Any => {
                tree.children = vec![Tree {
                    text: self.text(Characters::Printable, 20),
                    ..Tree::new("webAccess")
                }];
            }
            Content::Group(children) => {
                tree.children = self.elements(object, children, at, &format!("{path}/"));
                for child in &mut tree.children {
                    if is_position_name(&child.name) {
                        child.text = number.to_string();
                    }
                }
                let lacks = |need: &&&str| {
                    let inside = need
                        .strip_prefix(path)
                        .and_then(|rest| rest.strip_prefix('/'));
                    inside.is_some_and(|name| {
                        children.iter().any(|child| child.name == name)
                            && tree.children.iter().all(|child| child.name != name)
                    })
                };
                if tree.children.is_empty() || ENTRIES_NEED.iter().any(|need| lacks(&need)) {
                    return None;
                }
            }
        }
        Some(tree)
    }

    /// A key that nothing else has.
    fn key(&mut self, object: &ObjectType, element: &Element) -> String {
        let serial = self.serial;
        match element.characters {
            Characters::DeviceName => format!("SEP{serial:012X}"),
            Characters::UserId => format!("user.{serial}"),
            Characters::DirectoryNumber => format!("77{serial:05}"),
            _ => format!("{} {serial}", object.kind.noun()),
        }
    }

    fn text(&mut self, characters: Characters, most: u16) -> String {
        let serial = self.serial;
        let pattern = match characters {
            Characters::Printable => "[a-zA-Zäß€0-9<>&'\"%/=;:,-]{1,20}",
            Characters::ObjectName | Characters::ModelName | Characters::Tagged => {
                "[A-Za-z0-9][A-Za-z0-9._-]{0,20}"
            }
            Characters::Description => "[A-Za-z0-9äß€ .,'-]{0,20}[a-z]",
            Characters::Label => "[A-Za-z0-9<>&%]{1,20}",
            Characters::Display => "[A-Za-z0-9äß.,'-]{1,20}",
            Characters::Mask => "[0-9X*#+]{1,12}",
            Characters::NumericUserId => "[0-9]{6,20}",
            Characters::DirectoryNumber => "[1-9][0-9]{3,8}",
            Characters::DeviceName => return format!("SEP{serial:012X}"),
            Characters::UserId => return format!("user.{serial}"),
            Characters::SelfServiceUserId => return format!("88{serial:05}"),
        };
        let text = self.draw(proptest::string::string_regex(pattern).unwrap());
        text.trim().chars().take(usize::from(most)).collect()
    }

    /// What the rules of a kind beyond its table demand.
    fn special(&self, object: &ObjectType, path: &str) -> Option<Special> {
        let serial = self.serial;
        let noun = object.kind.noun();
        let is_absent =
            |(kind, end): &(&str, &str)| (kind.is_empty() || *kind == noun) && path.ends_with(end);
        if ABSENT.iter().any(is_absent) {
            return Some(Special::Absent);
        }
        Some(match (noun, path) {
            ("DateTimeGroup", "dateformat") => Special::OneOf(&["M/D/Y", "D/M/Y", "Y/M/D"]),
            ("DateTimeGroup", "separator") => Special::OneOf(&["/", ".", "-"]),
            ("DateTimeGroup", "timeFormat") => Special::OneOf(&["12-hour", "24-hour"]),
            ("DateTimeGroup", "timeZone") => Special::OneOf(&["Europe/Berlin", "Etc/GMT"]),
            ("SipProfile", "startMediaPort") => Special::Text((16_384 + serial % 100).to_string()),
            ("SipProfile", "stopMediaPort") => Special::Text((32_766 - serial % 100).to_string()),
            ("PhoneSecurityProfile", "phoneType") => Special::OneOf(&["Cisco 8851", "Cisco 7841"]),
            (_, path) if path.ends_with("usyTrigger") => Special::Text("1".to_owned()),
            (_, path) if path.ends_with("maxNumCalls") || path.ends_with("MaxNumberOfCalls") => {
                Special::Text("4".to_owned())
            }
            (_, path) if SERVICE_URLS.contains(&path) => {
                Special::Text(format!("https://phones.example.com/{serial}?a=b&c=d"))
            }
            ("Phone", "product") => Special::OneOf(&["Cisco 8851"]),
            ("Phone", "securityProfileName") => {
                Special::OneOf(&["Cisco 8851 - Standard SIP Non-Secure Profile"])
            }
            ("Phone", "phoneTemplateName") => Special::OneOf(&["Standard 8851 SIP"]),
            // Who must change it cannot be kept from changing it.
            (_, path) if path.ends_with("CredUserMustChange") => Special::Text("false".to_owned()),
            ("User", "pin") => Special::Text("927461".to_owned()),
            (_, path) if path.ends_with("associatedGroups/userGroup/name") => {
                Special::OneOf(&["Standard CCM End Users", "Standard CTI Enabled"])
            }
            (_, path) if path.ends_with("pinCredPolicyName") => {
                Special::OneOf(&["Default PIN Credential Policy"])
            }
            _ => return None,
        })
    }

    /// Whether the server carries out operations on objects of this kind.
    pub(crate) fn is_served(&self, object: &ObjectType) -> bool {
        self.names.contains_key(object.kind.noun())
    }

    /// The criterion that finds an object.
    pub(crate) fn search_of(object: &ObjectType, said: &Tree) -> String {
        let found = object.search.iter().find_map(|criterion| {
            let name = criterion.name;
            let child = said.child(name)?;
            let is_key = object.key == Key::Name(name);
            is_key.then(|| format!("<{name}>{}</{name}>", child.written_inside()))
        });
        let first = object.search.first().map_or("name", |first| first.name);
        found.unwrap_or_else(|| format!("<{first}>%</{first}>"))
    }

    /// Puts an element into a request that its version does not have there; gives its name.
    pub(crate) fn misplaced(
        &mut self,
        object: &'static ObjectType,
        version: SchemaVersion,
        said: &mut Tree,
    ) -> String {
        let has = |name: &str| object.element(name, version, Places::ADD).is_some();
        let others = object.elements.iter().map(|element| element.name);
        let mut names: Vec<&str> = others.filter(|name| !has(name)).collect();
        names.push("neverHeardOf");
        let name = self.draw(proptest::sample::select(names));
        let position = self.draw(0..=said.children.len());
        let misplaced = Tree {
            text: "1".to_owned(),
            ..Tree::new(name)
        };
        said.children.insert(position, misplaced);
        name.to_owned()
    }
}

fn answers(table: &'static [Element], version: SchemaVersion, name: &str) -> bool {
    let mut answered = selfprov::domain::schema::elements_in(table, version, Places::GET);
    answered.any(|element| element.name == name)
}

/// Whether a number is the place of an entry among its kind.
fn is_position(element: &Element) -> bool {
    is_position_name(element.name)
}

fn is_position_name(name: &str) -> bool {
    ["index", "priority", "buttonNumber", "sortOrder"].contains(&name)
}
