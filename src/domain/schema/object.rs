//! The kinds of object and their tables.

use super::Effect;
use super::Element;
use super::Places;
use super::SchemaVersion;
use super::elements_in;
use super::tables;

/// A kind of object, named as AXL's operations name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// `User`: an end user.
    User,
    /// `AppUser`: an application user.
    AppUser,
    /// `Phone`.
    Phone,
    /// `Line`: a directory number.
    Line,
    /// `RoutePartition`.
    RoutePartition,
    /// `Css`: a calling search space.
    Css,
    /// `UniversalDeviceTemplate`.
    UniversalDeviceTemplate,
    /// `UniversalLineTemplate`.
    UniversalLineTemplate,
    /// `UserProfileProvision`: a User Profile.
    UserProfileProvision,
    /// `FeatureGroupTemplate`.
    FeatureGroupTemplate,
    /// `CallManager`: a node with its auto-registration block.
    CallManager,
    /// `CallManagerGroup`.
    CallManagerGroup,
    /// `DevicePool`.
    DevicePool,
    /// `DateTimeGroup`.
    DateTimeGroup,
    /// `SipProfile`.
    SipProfile,
    /// `PhoneSecurityProfile`.
    PhoneSecurityProfile,
    /// `PhoneButtonTemplate`.
    PhoneButtonTemplate,
    /// `CredentialPolicy`.
    CredentialPolicy,
    /// `UserGroup`: an access control group.
    UserGroup,
    /// `ProcessNode`.
    ProcessNode,
    /// `DeviceDefaults`: what new devices of one model begin with.
    DeviceDefaults,
    /// `CredentialPolicyDefault`: what new credentials of one kind begin with.
    CredentialPolicyDefault,
    /// `PhoneActivationCode`: makes a new phone a configured one.
    PhoneActivationCode,
    /// `SelfProvisioning`: the settings of self-provisioning, of which there is one set.
    SelfProvisioning,
    /// `UserPhoneAssociation`: *Quick User/Phone Add*, which only adds.
    UserPhoneAssociation,
    /// A small object that others only name: `Region`, `Location`, `CommonPhoneConfig` and the like.
    Named(&'static str),
}

impl ObjectKind {
    /// The noun in the names of operations.
    pub const fn noun(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::AppUser => "AppUser",
            Self::Phone => "Phone",
            Self::Line => "Line",
            Self::RoutePartition => "RoutePartition",
            Self::Css => "Css",
            Self::UniversalDeviceTemplate => "UniversalDeviceTemplate",
            Self::UniversalLineTemplate => "UniversalLineTemplate",
            Self::UserProfileProvision => "UserProfileProvision",
            Self::FeatureGroupTemplate => "FeatureGroupTemplate",
            Self::CallManager => "CallManager",
            Self::CallManagerGroup => "CallManagerGroup",
            Self::DevicePool => "DevicePool",
            Self::DateTimeGroup => "DateTimeGroup",
            Self::SipProfile => "SipProfile",
            Self::PhoneSecurityProfile => "PhoneSecurityProfile",
            Self::PhoneButtonTemplate => "PhoneButtonTemplate",
            Self::CredentialPolicy => "CredentialPolicy",
            Self::UserGroup => "UserGroup",
            Self::ProcessNode => "ProcessNode",
            Self::DeviceDefaults => "DeviceDefaults",
            Self::CredentialPolicyDefault => "CredentialPolicyDefault",
            Self::PhoneActivationCode => "PhoneActivationCode",
            Self::SelfProvisioning => "SelfProvisioning",
            Self::UserPhoneAssociation => "UserPhoneAssociation",
            Self::Named(noun) => noun,
        }
    }
}

/// How an object is addressed beside its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// By this element.
    Name(&'static str),
    /// By `pattern` and, where there are several, `routePartitionName`.
    Pattern,
    /// By all of these elements.
    Several(&'static [&'static str]),
    /// There is one, which needs no key.
    Singleton,
}

/// An element that a list can be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Criterion {
    /// Its name in `searchCriteria`.
    pub name: &'static str,
    /// The first version that takes it; the object may have had the element before.
    pub since: SchemaVersion,
}

/// A criterion that lists have always had.
pub const fn criterion(name: &'static str) -> Criterion {
    Criterion {
        name,
        since: SchemaVersion::OLDEST,
    }
}

impl Criterion {
    /// The first version that takes it.
    #[must_use]
    pub const fn since(mut self, version: SchemaVersion) -> Self {
        self.since = version;
        self
    }
}

/// The table of one kind of object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectType {
    /// The kind.
    pub kind: ObjectKind,
    /// The element around the object: the noun with its first letter lowered.
    pub element: &'static str,
    /// Attributes beside `uuid` of the element around the object.
    pub attributes: &'static [&'static str],
    /// The first version that has it.
    pub since: SchemaVersion,
    /// How it is addressed.
    pub key: Key,
    /// Its elements in master order.
    pub elements: &'static [Element],
    /// The elements that a list can be narrowed by.
    pub search: &'static [Criterion],
    /// The operations on it.
    pub operations: &'static [Operation],
}

impl ObjectType {
    /// Every kind of object that this system has.
    pub fn all() -> &'static [Self] {
        tables::ALL
    }

    /// The table of a kind; `None` for a kind that this system has none of.
    pub fn of(kind: ObjectKind) -> Option<&'static Self> {
        Self::all().iter().find(|object| object.kind == kind)
    }

    /// The table of the noun in an operation's name: `Phone` of `addPhone`.
    pub fn by_noun(noun: &str) -> Option<&'static Self> {
        Self::all().iter().find(|object| object.kind.noun() == noun)
    }

    /// The table of the element around an object: `phone`.
    pub fn by_element(element: &str) -> Option<&'static Self> {
        Self::all().iter().find(|object| object.element == element)
    }

    /// The elements that `version` has in `place`, in master order.
    pub fn elements_in(
        &self,
        version: SchemaVersion,
        place: Places,
    ) -> impl Iterator<Item = &'static Element> + use<> {
        elements_in(self.elements, version, place)
    }

    /// The element of this name in one kind of request or answer of `version`.
    pub fn element(
        &self,
        name: &str,
        version: SchemaVersion,
        place: Places,
    ) -> Option<&'static Element> {
        self.elements_in(version, place)
            .find(|element| element.name_in(place) == name)
    }

    /// The first version with this operation; `None` when no version has it.
    pub fn has_since(&self, operation: Operation) -> Option<SchemaVersion> {
        self.operations
            .contains(&operation)
            .then(|| self.since.max(operation.since()))
    }
}

/// What can be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Adds one.
    Add,
    /// Changes one.
    Update,
    /// Gives one.
    Get,
    /// Gives those that match.
    List,
    /// Gives what can be chosen for its elements.
    Options,
    /// Removes one.
    Remove,
    /// Tells the phones concerned to take changes over.
    Apply,
    /// Restarts the phones concerned.
    Restart,
    /// Resets the phones concerned.
    Reset,
    /// Locks a phone that is lost.
    Lock,
    /// Wipes a phone that is lost.
    Wipe,
}

impl Operation {
    /// The name of the operation on objects of this noun: `addPhone`, `getPhoneOptions`.
    pub fn name_with(self, noun: &str) -> String {
        let (verb, end) = self.verb();
        format!("{verb}{noun}{end}")
    }

    /// The noun in the name of an operation; `None` when it is another's.
    pub fn noun_in(self, name: &str) -> Option<&str> {
        let (verb, end) = self.verb();
        name.strip_prefix(verb)?.strip_suffix(end)
    }

    /// Whether it changes something.
    pub const fn effect(self) -> Effect {
        match self {
            Self::Get | Self::List | Self::Options => Effect::Reads,
            Self::Add
            | Self::Update
            | Self::Remove
            | Self::Apply
            | Self::Restart
            | Self::Reset
            | Self::Lock
            | Self::Wipe => Effect::Changes,
        }
    }

    /// What stands before and after the noun.
    const fn verb(self) -> (&'static str, &'static str) {
        let verb = match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Get | Self::Options => "get",
            Self::List => "list",
            Self::Remove => "remove",
            Self::Apply => "apply",
            Self::Restart => "restart",
            Self::Reset => "reset",
            Self::Lock => "lock",
            Self::Wipe => "wipe",
        };
        match self {
            Self::Options => (verb, "Options"),
            _ => (verb, ""),
        }
    }

    /// The operations that add to and change what is configured, and read it.
    pub const CONFIGURE: &[Self] = &[Self::Add, Self::Update, Self::Get, Self::List, Self::Remove];

    /// Every operation.
    pub const ALL: [Self; 11] = [
        Self::Add,
        Self::Update,
        Self::Get,
        Self::List,
        Self::Options,
        Self::Remove,
        Self::Apply,
        Self::Restart,
        Self::Reset,
        Self::Lock,
        Self::Wipe,
    ];

    /// The first version with this verb. Before 8.0 users and phones were listed by
    /// `listUserByName` and `listPhoneByName`, and phones reset by `doDeviceReset`.
    pub const fn since(self) -> SchemaVersion {
        match self {
            Self::Add | Self::Update | Self::Get | Self::Remove => SchemaVersion::OLDEST,
            Self::List => SchemaVersion::V8_0,
            Self::Options | Self::Apply | Self::Restart | Self::Reset | Self::Lock | Self::Wipe => {
                SchemaVersion::V10_0
            }
        }
    }
}
