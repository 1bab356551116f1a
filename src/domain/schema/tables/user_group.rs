//! Access control groups. Their name stands first, from 10.0 on last.

use crate::domain::schema::SchemaVersion::V10_0;
use crate::domain::schema::{
    Element, Key, MANY, ObjectKind, ObjectType, Operation, SchemaVersion, criterion, group, text,
};

#[rustfmt::skip]
const MEMBER: &[Element] = &[
    text("userId", 255).applied(),
];

#[rustfmt::skip]
const MEMBERS: &[Element] = &[
    group("member", MEMBER).repeated(MANY).applied().attributes(&["uuid"]),
];

#[rustfmt::skip]
const USER_ROLE: &[Element] = &[
    text("roleName", 255).applied(),
];

#[rustfmt::skip]
const USER_ROLES: &[Element] = &[
    group("userRole", USER_ROLE).repeated(MANY).applied().attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 128).before(V10_0).key("newName"),
    group("removeMembers", MEMBERS).removes_from("members").applied(),
    group("addMembers", MEMBERS).adds_to("members").applied(),
    group("members", MEMBERS).unlisted().branch(2).applied(),
    group("removeUserRoles", USER_ROLES).removes_from("userRoles").applied(),
    group("addUserRoles", USER_ROLES).adds_to("userRoles").applied(),
    group("userRoles", USER_ROLES).unlisted().branch(2).applied(),
    text("name", 128).since(V10_0).key("newName"),
];

pub(super) const USER_GROUP: ObjectType = ObjectType {
    kind: ObjectKind::UserGroup,
    element: "userGroup",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};
