//! Servers of the cluster.

use super::kinds::LBM_HUB_GROUP;
use super::words::{NODE_USAGE, PROCESS_NODE_ROLE};
use crate::domain::schema::SchemaVersion::{V8_0, V9_0, V10_0};
use crate::domain::schema::{
    Element, Key, ObjectKind, ObjectType, Operation, Places, criterion, one_of, reference, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 255).required().applied(),
    text("description", 50).applied(),
    text("mac", 12),
    text("ipv6Name", 255),
    one_of("nodeUsage", NODE_USAGE).only_in_answers().applied(),
    reference("lbmHubGroup", LBM_HUB_GROUP).since(V9_0),
    one_of("processNodeRole", PROCESS_NODE_ROLE).since(V10_0).not_in(Places::UPDATE)
        .default("CUCM Voice/Video").applied(),
    text("cupDomain", 255).since(V10_0).unlisted(),
];

pub(super) const PROCESS_NODE: ObjectType = ObjectType {
    kind: ObjectKind::ProcessNode,
    element: "processNode",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[
        criterion("name"),
        criterion("description"),
        criterion("processNodeRole").since(V10_0),
    ],
    operations: &[Operation::Get, Operation::List],
};
