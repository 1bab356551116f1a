//! Small objects of call routing.

use super::kinds::{AAR_GROUP, MEDIA_RESOURCE_GROUP, MEDIA_RESOURCE_LIST, SRST};
use crate::domain::schema::SchemaVersion::{V8_0, V12_0};
use crate::domain::schema::{
    Element, Key, MANY, ObjectType, Operation, boolean, criterion, group, integer, reference, text,
};

#[rustfmt::skip]
const SRST_ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    integer("port").default("2000"),
    text("ipAddress", 255),
    text("ipv6Address", 255).since(V12_0),
    text("SipNetwork", 255),
    integer("SipPort").default("5060"),
    integer("srstCertificatePort").only_in_answers(),
    boolean("isSecure"),
];

pub(super) const SRST_TYPE: ObjectType = ObjectType {
    kind: SRST,
    element: "srst",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: SRST_ELEMENTS,
    search: &[criterion("name"), criterion("ipAddress")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
        Operation::Reset,
    ],
};

#[rustfmt::skip]
const AAR_GROUP_RELATED_GROUP: &[Element] = &[
    reference("aarGroupFromName", AAR_GROUP),
    reference("aarGroupToName", AAR_GROUP),
    text("prefixDigit", 32),
];

#[rustfmt::skip]
const AAR_GROUP_RELATED_GROUPS: &[Element] = &[
    group("relatedGroup", AAR_GROUP_RELATED_GROUP).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const AAR_GROUP_ELEMENTS: &[Element] = &[
    text("name", 32).key("newName"),
    group("relatedGroups", AAR_GROUP_RELATED_GROUPS).only_in_get(),
];

pub(super) const AAR_GROUP_TYPE: ObjectType = ObjectType {
    kind: AAR_GROUP,
    element: "aarGroup",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: AAR_GROUP_ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const MEDIA_RESOURCE_LIST_MEMBER: &[Element] = &[
    reference("mediaResourceGroupName", MEDIA_RESOURCE_GROUP),
    integer("order"),
];

#[rustfmt::skip]
const MEDIA_RESOURCE_LIST_MEMBERS: &[Element] = &[
    group("member", MEDIA_RESOURCE_LIST_MEMBER).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const MEDIA_RESOURCE_LIST_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("clause", 1024).only_in_answers(),
    group("removeMembers", MEDIA_RESOURCE_LIST_MEMBERS).removes_from("members"),
    group("addMembers", MEDIA_RESOURCE_LIST_MEMBERS).adds_to("members"),
    group("members", MEDIA_RESOURCE_LIST_MEMBERS).unlisted().branch(2),
];

pub(super) const MEDIA_RESOURCE_LIST_TYPE: ObjectType = ObjectType {
    kind: MEDIA_RESOURCE_LIST,
    element: "mediaResourceList",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: MEDIA_RESOURCE_LIST_ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};
