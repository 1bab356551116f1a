//! Groups of elements that several objects have.

use super::kinds::IP_PHONE_SERVICES;
use super::reasons::TIME_IS_KEPT;
use super::words::{BLF_SD_OPTION, CAL_MODE};
use crate::domain::schema::ObjectKind::{CredentialPolicy, RoutePartition};
use crate::domain::schema::SchemaVersion::{V10_0, V11_0};
use crate::domain::schema::{
    Characters, Element, MANY, boolean, group, integer, one_of, reference, text,
};

#[rustfmt::skip]
const USER_ROLES: &[Element] = &[
    text("userRole", 100).repeated(MANY).applied(),
];

#[rustfmt::skip]
const USER_GROUP: &[Element] = &[
    text("name", 100).applied(),
    group("userRoles", USER_ROLES).applied(),
];

#[rustfmt::skip]
pub(super) const ASSOCIATED_GROUPS: &[Element] = &[
    group("userGroup", USER_GROUP).repeated(MANY).applied(),
];

#[rustfmt::skip]
pub(super) const PASSWORD_CREDENTIALS: &[Element] = &[
    reference("pwdCredPolicyName", CredentialPolicy).applied(),
    boolean("pwdCredUserCantChange").applied(),
    boolean("pwdCredUserMustChange").applied(),
    boolean("pwdCredDoesNotExpire").applied(),
    text("pwdCredTimeChanged", 255).computed(TIME_IS_KEPT),
    text("pwdCredTimeAdminLockout", 255).computed(TIME_IS_KEPT),
    boolean("pwdCredLockedByAdministrator").applied(),
    boolean("pwdResetHackCount").since(V11_0).applied(),
];

#[rustfmt::skip]
pub(super) const DIRN: &[Element] = &[
    text("pattern", 255).characters(Characters::DirectoryNumber).applied(),
    reference("routePartitionName", RoutePartition).applied(),
];

#[rustfmt::skip]
pub(super) const CALL_INFO_DISPLAY: &[Element] = &[
    boolean("callerName").default("true"),
    boolean("callerNumber").default("false"),
    boolean("redirectedNumber").default("false"),
    boolean("dialedNumber").default("true"),
];

#[rustfmt::skip]
pub(super) const LINE_IDENTIFIER: &[Element] = &[
    text("directoryNumber", 255),
    text("routePartitionName", 50),
];

#[rustfmt::skip]
const SPEEDDIAL: &[Element] = &[
    text("dirn", 255),
    text("label", 255),
    text("asciiLabel", 255).before(V10_0),
    integer("index"),
];

#[rustfmt::skip]
pub(super) const SPEEDDIALS: &[Element] = &[
    group("speeddial", SPEEDDIAL).repeated(MANY),
];

#[rustfmt::skip]
const ASSOCIATED_BLF_SD_FEATURES: &[Element] = &[
    one_of("feature", BLF_SD_OPTION).repeated(MANY).without_choices(),
];

#[rustfmt::skip]
const BUSY_LAMP_FIELD: &[Element] = &[
    text("blfDest", 255),
    text("blfDirn", 255),
    text("routePartition", 255),
    text("label", 255),
    text("asciiLabel", 255).before(V10_0),
    group("associatedBlfSdFeatures", ASSOCIATED_BLF_SD_FEATURES),
    integer("index"),
];

#[rustfmt::skip]
pub(super) const BUSY_LAMP_FIELDS: &[Element] = &[
    group("busyLampField", BUSY_LAMP_FIELD).repeated(MANY),
];

#[rustfmt::skip]
const DIRECTED_CALL_PARK_DN_AND_PARTITION: &[Element] = &[
    text("dnPattern", 255),
    reference("routePartitionName", RoutePartition),
];

#[rustfmt::skip]
const BLF_DIRECTED_CALL_PARK: &[Element] = &[
    text("label", 50),
    text("directedCallParkId", 38).branch(1),
    group("directedCallParkDnAndPartition", DIRECTED_CALL_PARK_DN_AND_PARTITION).branch(2),
    text("labelAscii", 50).before(V10_0),
    integer("index"),
];

#[rustfmt::skip]
pub(super) const BLF_DIRECTED_CALL_PARKS: &[Element] = &[
    group("blfDirectedCallPark", BLF_DIRECTED_CALL_PARK).repeated(MANY),
];

#[rustfmt::skip]
const SERVICE: &[Element] = &[
    reference("telecasterServiceName", IP_PHONE_SERVICES),
    text("name", 100),
    text("url", 2048),
    integer("urlButtonIndex").default("0"),
    text("urlLabel", 50),
    text("urlLabelAscii", 100).before(V10_0),
    text("serviceNameAscii", 50),
    text("phoneService", 50).only_in_get(),
    text("phoneServiceCategory", 50).only_in_get(),
    text("vendor", 255).only_in_get(),
    text("version", 255).only_in_get(),
    integer("priority").only_in_get(),
];

#[rustfmt::skip]
pub(super) const SERVICES: &[Element] = &[
    group("service", SERVICE).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
pub(super) const CONFIDENTIAL_ACCESS: &[Element] = &[
    one_of("confidentialAccessMode", CAL_MODE),
    integer("confidentialAccessLevel"),
];
