//! Route partitions.

use super::words::{PARTITION_USAGE, TIME_SCHEDULE};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, Places, SchemaVersion, boolean,
    criterion, integer, one_of, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ObjectName),
    text("description", 255).applied(),
    integer("dialPlanWizardGenId").only_in_answers(),
    one_of("timeScheduleIdName", TIME_SCHEDULE),
    boolean("useOriginatingDeviceTimeZone").default("true"),
    text("timeZone", 50).default("Etc/GMT"),
    one_of("partitionUsage", PARTITION_USAGE).not_in(Places::UPDATE).default("General"),
];

pub(super) const ROUTE_PARTITION: ObjectType = ObjectType {
    kind: ObjectKind::RoutePartition,
    element: "routePartition",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
    ],
};
