//! Feature Group Templates.

use super::kinds::{PRESENCE_GROUP, SERVICE_PROFILE};
use crate::domain::schema::ObjectKind::{Css, UserProfileProvision};
use crate::domain::schema::SchemaVersion::{V10_0, V11_0};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, boolean, criterion, integer,
    reference, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ObjectName),
    text("description", 255).applied(),
    boolean("homeCluster"),
    boolean("imAndUcPresenceEnable"),
    reference("serviceProfile", SERVICE_PROFILE).applied(),
    boolean("enableUserToHostConferenceNow").since(V11_0),
    boolean("allowCTIControl"),
    boolean("enableEMCC"),
    boolean("enableMobility"),
    boolean("enableMobileVoiceAccess"),
    integer("maxDeskPickupWait").default("10000"),
    integer("remoteDestinationLimit").default("4"),
    reference("BLFPresenceGp", PRESENCE_GROUP).default("Standard Presence group").applied(),
    reference("subscribeCallingSearch", Css),
    text("userLocale", 50).applied(),
    reference("userProfile", UserProfileProvision).applied(),
    boolean("meetingInformation"),
];

pub(super) const FEATURE_GROUP_TEMPLATE: ObjectType = ObjectType {
    kind: ObjectKind::FeatureGroupTemplate,
    element: "featureGroupTemplate",
    attributes: &[],
    since: V10_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};
