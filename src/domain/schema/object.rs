//! The kinds of object and their tables.

use super::Element;
use super::SchemaVersion;

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
}

/// The table of one kind of object.
#[derive(Debug, Clone, Copy)]
pub struct ObjectType {
    /// The kind.
    pub kind: ObjectKind,
    /// The element around the object: the noun with its first letter lowered.
    pub element: &'static str,
    /// The first version that has it.
    pub since: SchemaVersion,
    /// How it is addressed.
    pub key: Key,
    /// Its elements in master order.
    pub elements: &'static [Element],
    /// The elements that a list can be narrowed by.
    pub search: &'static [&'static str],
    /// The operations on it.
    pub operations: &'static [Operation],
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
    /// Removes one.
    Remove,
    /// Tells the phones concerned to take changes over.
    Apply,
    /// Restarts the phones concerned.
    Restart,
    /// Resets the phones concerned.
    Reset,
}

impl Operation {
    /// The verb in the name of the operation.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Get => "get",
            Self::List => "list",
            Self::Remove => "remove",
            Self::Apply => "apply",
            Self::Restart => "restart",
            Self::Reset => "reset",
        }
    }
}
