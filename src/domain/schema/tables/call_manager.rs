//! CallManager nodes with their auto-registration block.

use super::kinds::LBM_GROUP;
use crate::domain::schema::ObjectKind::{
    ProcessNode, RoutePartition, UniversalDeviceTemplate, UniversalLineTemplate,
};
use crate::domain::schema::SchemaVersion::{V9_0, V10_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, Places, SchemaVersion, boolean,
    criterion, group, integer, reference, text,
};

#[rustfmt::skip]
const AUTO_REGISTRATION: &[Element] = &[
    text("startDn", 255).characters(Characters::DirectoryNumber).default("1000").applied(),
    text("endDn", 255).characters(Characters::DirectoryNumber).default("1000").applied(),
    text("nextDn", 255).characters(Characters::DirectoryNumber).default("1000").applied(),
    reference("routePartitionName", RoutePartition).applied(),
    text("e164Mask", 24).characters(Characters::Mask),
    boolean("autoRegistrationEnabled").since(V10_0).applied(),
    reference("universalDeviceTemplate", UniversalDeviceTemplate).since(V10_0).applied(),
    reference("lineTemplate", UniversalLineTemplate).since(V10_0).applied(),
];

#[rustfmt::skip]
const MGCP_PORTS: &[Element] = &[
    integer("listen").within(1, 65_535).default("2427"),
    integer("keepAlive").within(1, 65_535).default("2428"),
];

#[rustfmt::skip]
const SIP_PORTS: &[Element] = &[
    integer("sipPhonePort").within(1, 65_535).default("5060"),
    integer("sipPhoneSecurePort").within(1, 65_535).default("5061"),
    integer("sipOAuthPort").since(V12_5).within(1, 65_535).default("5090"),
    integer("sipOAuthMRAPort").since(V12_5).within(1, 65_535).default("5091"),
];

#[rustfmt::skip]
const PORTS: &[Element] = &[
    integer("ethernetPhonePort").within(1, 65_535).default("2000"),
    group("mgcpPorts", MGCP_PORTS),
    group("sipPorts", SIP_PORTS),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("description", 50).applied(),
    group("autoRegistration", AUTO_REGISTRATION).applied(),
    group("ports", PORTS).only_in(Places::UPDATE.with(Places::GET)),
    reference("processNodeName", ProcessNode).only_in_answers().applied(),
    reference("lbmGroup", LBM_GROUP).since(V9_0),
];

pub(super) const CALL_MANAGER: ObjectType = ObjectType {
    kind: ObjectKind::CallManager,
    element: "callManager",
    attributes: &["ctiid"],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: &[
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Apply,
        Operation::Restart,
        Operation::Reset,
    ],
};
