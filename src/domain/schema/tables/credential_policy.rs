//! Credential policies.

use crate::domain::schema::SchemaVersion::V11_5;
use crate::domain::schema::{
    Element, Key, ObjectKind, ObjectType, Operation, SchemaVersion, boolean, criterion, integer,
    text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    integer("failedLogon").within(0, 100).default("3").applied(),
    integer("resetFailedLogonAttempts").within(1, 120).default("30").applied(),
    integer("lockoutDuration").within(0, 1440).default("30").applied(),
    integer("credChangeDuration").within(0, 129_600).default("0"),
    integer("credExpiresAfter").within(0, 365).default("180").applied(),
    integer("minCredLength").within(0, 64).default("8").applied(),
    integer("prevCredStoredNum").within(0, 25).default("12").applied(),
    integer("inactiveDaysAllowed").within(0, 5000).default("0"),
    integer("expiryWarningDays").within(0, 90).default("0").applied(),
    boolean("trivialCredCheck").default("true").applied(),
    integer("minCharsToChange").since(V11_5).within(0, 127).default("1"),
];

pub(super) const CREDENTIAL_POLICY: ObjectType = ObjectType {
    kind: ObjectKind::CredentialPolicy,
    element: "credentialPolicy",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};
