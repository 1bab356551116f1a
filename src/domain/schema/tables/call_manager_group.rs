//! CallManager groups: the nodes a phone tries, in order.

use crate::domain::schema::ObjectKind::CallManager;
use crate::domain::schema::{
    Element, Key, MANY, ObjectKind, ObjectType, Operation, SchemaVersion, boolean, criterion,
    group, integer, reference, text,
};

#[rustfmt::skip]
const MEMBER: &[Element] = &[
    reference("callManagerName", CallManager).applied(),
    integer("priority").within(0, 99).applied(),
];

#[rustfmt::skip]
const MEMBERS: &[Element] = &[
    group("member", MEMBER).repeated(MANY).applied().attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    boolean("tftpDefault"),
    group("removeMembers", MEMBERS).removes_from("members").applied(),
    group("addMembers", MEMBERS).adds_to("members").applied(),
    group("members", MEMBERS).required().unlisted().branch(2).applied(),
];

pub(super) const CALL_MANAGER_GROUP: ObjectType = ObjectType {
    kind: ObjectKind::CallManagerGroup,
    element: "callManagerGroup",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Reset,
    ],
};
