//! Date/time groups: zone, format and time servers.

use super::kinds::PHONE_NTP;
use crate::domain::schema::SchemaVersion::V8_0;
use crate::domain::schema::{
    Element, Key, MANY, ObjectKind, ObjectType, Operation, criterion, group, integer, reference,
    text,
};

#[rustfmt::skip]
const SELECTED_PHONE_NTP_REFERENCE: &[Element] = &[
    reference("phoneNtpName", PHONE_NTP),
    integer("selectionOrder").default("0"),
];

#[rustfmt::skip]
const PHONE_NTP_REFERENCES: &[Element] = &[
    group("selectedPhoneNtpReference", SELECTED_PHONE_NTP_REFERENCE).repeated(MANY)
        .attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    text("timeZone", 50).default("Etc/GMT").applied(),
    text("separator", 255).unlisted().default("/").applied(),
    text("dateformat", 255).default("M/D/Y").applied(),
    text("timeFormat", 255).unlisted().default("12-hour").applied(),
    group("removePhoneNtpReferences", PHONE_NTP_REFERENCES).removes_from("phoneNtpReferences"),
    group("addPhoneNtpReferences", PHONE_NTP_REFERENCES).adds_to("phoneNtpReferences"),
    group("phoneNtpReferences", PHONE_NTP_REFERENCES).unlisted().branch(2),
];

pub(super) const DATE_TIME_GROUP: ObjectType = ObjectType {
    kind: ObjectKind::DateTimeGroup,
    element: "dateTimeGroup",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("timeZone")],
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
