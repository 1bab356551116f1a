//! Calling search spaces. Their name stands first, from 10.0 on last.

use super::words::PARTITION_USAGE;
use crate::domain::schema::ObjectKind::RoutePartition;
use crate::domain::schema::SchemaVersion::{V10_0, V11_5};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, Places, SchemaVersion,
    criterion, group, integer, one_of, reference, text,
};

#[rustfmt::skip]
const MEMBER: &[Element] = &[
    reference("routePartitionName", RoutePartition).applied(),
    integer("index").applied(),
];

#[rustfmt::skip]
const MEMBERS: &[Element] = &[
    group("member", MEMBER).repeated(MANY).applied().attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).before(V10_0).key("newName").characters(Characters::ObjectName),
    text("description", 50).applied(),
    text("clause", 1024).only_in_answers().applied(),
    integer("dialPlanWizardGenId").only_in_answers(),
    group("removeMembers", MEMBERS).removes_from("members").applied(),
    group("addMembers", MEMBERS).adds_to("members").applied(),
    group("members", MEMBERS).unlisted().branch(2).applied(),
    one_of("partitionUsage", PARTITION_USAGE).not_in(Places::UPDATE).default("General"),
    text("name", 50).since(V10_0).key("newName").characters(Characters::ObjectName),
];

pub(super) const CSS: ObjectType = ObjectType {
    kind: ObjectKind::Css,
    element: "css",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[
        criterion("description"),
        criterion("partitionUsage").since(V11_5),
        criterion("name"),
    ],
    operations: Operation::CONFIGURE,
};
