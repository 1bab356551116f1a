//! Universal Line Templates: what a line is made from.

use super::kinds::{
    AAR_GROUP, CALL_PICKUP_GROUP, EXTERNAL_CALL_CONTROL_PROFILE, PRESENCE_GROUP, VOICE_MAIL_PROFILE,
};
use super::shared::CONFIDENTIAL_ACCESS;
use super::words::{AUTO_ANSWER, CFA_CSS_ACTIVATION_POLICY, STATUS};
use crate::domain::schema::ObjectKind::{Css, RoutePartition};
use crate::domain::schema::SchemaVersion::{V10_0, V12_0};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, boolean, criterion, group,
    integer, one_of, reference, text,
};

#[rustfmt::skip]
const MEMBER: &[Element] = &[
    text("numberMask", 255),
    boolean("addToLocalRoutePartition"),
    reference("routePartition", RoutePartition),
    boolean("isUrgent"),
    boolean("advertiseGloballyIls"),
];

#[rustfmt::skip]
const ENTERPRISE_ALT_NUM: &[Element] = &[
    group("member", MEMBER).attributes(&["uuid"]),
];

#[rustfmt::skip]
const E164_ALT_NUM: &[Element] = &[
    group("member", MEMBER).attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ObjectName),
    boolean("urgentPriority").applied(),
    text("lineDescription", 255).characters(Characters::Tagged).applied(),
    reference("routePartition", RoutePartition).applied(),
    reference("voiceMailProfile", VOICE_MAIL_PROFILE).applied(),
    reference("callingSearchSpace", Css).applied(),
    text("alertingName", 255).characters(Characters::Tagged).applied(),
    reference("extCallControlProfile", EXTERNAL_CALL_CONTROL_PROFILE).applied(),
    reference("blfPresenceGroup", PRESENCE_GROUP).default("Standard Presence group"),
    reference("callPickupGroup", CALL_PICKUP_GROUP),
    one_of("partyEntranceTone", STATUS).default("Default"),
    one_of("autoAnswer", AUTO_ANSWER).default("Auto Answer Off").applied(),
    boolean("rejectAnonymousCall"),
    text("userHoldMohAudioSource", 10),
    text("networkHoldMohAudioSource", 10),
    text("aarDestinationMask", 128),
    reference("aarGroup", AAR_GROUP),
    boolean("retainDestInCallFwdHistory"),
    text("forwardDestAllCalls", 255),
    reference("primaryCssForwardingAllCalls", Css),
    reference("secondaryCssForwardingAllCalls", Css),
    one_of("CssActivationPolicy", CFA_CSS_ACTIVATION_POLICY).default("Use System Default"),
    text("fwdDestExtCallsWhenNotRetrieved", 255),
    reference("cssFwdExtCallsWhenNotRetrieved", Css),
    text("fwdDestInternalCallsWhenNotRetrieved", 255),
    reference("cssFwdInternalCallsWhenNotRetrieved", Css),
    integer("parkMonitorReversionTime"),
    text("target", 255),
    reference("mlppCss", Css),
    integer("mlppNoAnsRingDuration"),
    group("confidentialAccess", CONFIDENTIAL_ACCESS),
    integer("holdReversionRingDuration"),
    integer("holdReversionNotificationInterval"),
    text("busyIntCallsDestination", 255),
    reference("busyIntCallsCss", Css),
    text("busyExtCallsDestination", 255),
    reference("busyExtCallsCss", Css),
    text("noAnsIntCallsDestination", 255),
    reference("noAnsIntCallsCss", Css),
    text("noAnsExtCallsDestination", 255),
    reference("noAnsExtCallsCss", Css),
    text("noCoverageIntCallsDestination", 255),
    reference("noCoverageIntCallsCss", Css),
    text("noCoverageExtCallsDestination", 255),
    reference("noCoverageExtCallsCss", Css),
    text("unregisteredIntCallsDestination", 255),
    reference("unregisteredIntCallsCss", Css),
    text("unregisteredExtCallsDestination", 255),
    reference("unregisteredExtCallsCss", Css),
    text("ctiFailureDestination", 255),
    reference("ctiFailureCss", Css),
    text("callControlAgentProfile", 255),
    integer("noAnswerRingDuration").since(V12_0).unlisted(),
    group("enterpriseAltNum", ENTERPRISE_ALT_NUM),
    group("e164AltNum", E164_ALT_NUM),
    text("advertisedFailoverNumber", 255),
];

pub(super) const UNIVERSAL_LINE_TEMPLATE: ObjectType = ObjectType {
    kind: ObjectKind::UniversalLineTemplate,
    element: "universalLineTemplate",
    attributes: &[],
    since: V10_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("lineDescription")],
    operations: Operation::CONFIGURE,
};
