//! Lines: a directory number in a route partition with its call settings.

use super::kinds::{
    AAR_GROUP, CALL_PICKUP_GROUP, EXTERNAL_CALL_CONTROL_PROFILE, PRESENCE_GROUP, VOICE_MAIL_PROFILE,
};
use super::reasons::ONLY_DEVICE_USAGE;
use super::shared::CONFIDENTIAL_ACCESS;
use super::words::{
    AUTO_ANSWER, CFA_CSS_ACTIVATION_POLICY, PATTERN_PRECEDENCE, PRESENTATION_BIT,
    RELEASE_CAUSE_VALUE, STATUS,
};
use crate::domain::schema::ObjectKind::{Css, Phone, RoutePartition};
use crate::domain::schema::SchemaVersion::{V9_0, V10_0, V12_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, Places, SchemaVersion,
    boolean, criterion, group, integer, one_of, reference, text,
};

#[rustfmt::skip]
const CALL_FORWARD_ALL: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    reference("secondaryCallingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_BUSY: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_BUSY_INT: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_NO_ANSWER: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
    integer("duration"),
];

#[rustfmt::skip]
const CALL_FORWARD_NO_ANSWER_INT: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
    integer("duration"),
];

#[rustfmt::skip]
const CALL_FORWARD_NO_COVERAGE: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_NO_COVERAGE_INT: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_ON_FAILURE: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_ALTERNATE_PARTY: &[Element] = &[
    boolean("forwardToVoiceMail").only_in_get(),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
    integer("duration"),
];

#[rustfmt::skip]
const CALL_FORWARD_NOT_REGISTERED: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const CALL_FORWARD_NOT_REGISTERED_INT: &[Element] = &[
    boolean("forwardToVoiceMail"),
    reference("callingSearchSpaceName", Css),
    text("destination", 50),
];

#[rustfmt::skip]
const DIRECTORY_URI: &[Element] = &[
    boolean("isPrimary"),
    text("uri", 128),
    reference("partition", RoutePartition),
    boolean("advertiseGloballyViaIls").since(V10_0).default("true"),
];

#[rustfmt::skip]
const DIRECTORY_URIS: &[Element] = &[
    group("directoryUri", DIRECTORY_URI).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const ENTERPRISE_ALT_NUM: &[Element] = &[
    text("numMask", 255),
    boolean("isUrgent").default("false"),
    boolean("addLocalRoutePartition").default("true"),
    reference("routePartition", RoutePartition),
    boolean("advertiseGloballyIls").default("true"),
];

#[rustfmt::skip]
const E164_ALT_NUM: &[Element] = &[
    text("numMask", 255),
    boolean("isUrgent").default("false"),
    boolean("addLocalRoutePartition").default("true"),
    reference("routePartition", RoutePartition),
    boolean("advertiseGloballyIls").default("true"),
];

#[rustfmt::skip]
const ASSOCIATED_DEVICES: &[Element] = &[
    text("device", 255).repeated(MANY).applied(),
];

#[rustfmt::skip]
const PRESENTATION_INFO: &[Element] = &[
    text("externalPresentationNumber", 255),
    text("externalPresentationName", 50),
];

#[rustfmt::skip]
const EXTERNAL_PRESENTATION_INFO: &[Element] = &[
    boolean("isAnonymous").branch(1),
    group("presentationInfo", PRESENTATION_INFO).branch(2),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("pattern", 255).key("newPattern").characters(Characters::DirectoryNumber),
    text("description", 200).characters(Characters::Description).applied(),
    text("usage", 50).not_in(Places::UPDATE).default("Device").refused(ONLY_DEVICE_USAGE),
    reference("routePartitionName", RoutePartition).in_update("newRoutePartitionName").applied(),
    reference("aarNeighborhoodName", AAR_GROUP),
    text("aarDestinationMask", 128),
    boolean("aarKeepCallHistory"),
    boolean("aarVoiceMailEnabled"),
    group("callForwardAll", CALL_FORWARD_ALL).unlisted(),
    group("callForwardBusy", CALL_FORWARD_BUSY).unlisted(),
    group("callForwardBusyInt", CALL_FORWARD_BUSY_INT).unlisted(),
    group("callForwardNoAnswer", CALL_FORWARD_NO_ANSWER).unlisted(),
    group("callForwardNoAnswerInt", CALL_FORWARD_NO_ANSWER_INT).unlisted(),
    group("callForwardNoCoverage", CALL_FORWARD_NO_COVERAGE).unlisted(),
    group("callForwardNoCoverageInt", CALL_FORWARD_NO_COVERAGE_INT).unlisted(),
    group("callForwardOnFailure", CALL_FORWARD_ON_FAILURE).unlisted(),
    group("callForwardAlternateParty", CALL_FORWARD_ALTERNATE_PARTY).unlisted(),
    group("callForwardNotRegistered", CALL_FORWARD_NOT_REGISTERED).unlisted(),
    group("callForwardNotRegisteredInt", CALL_FORWARD_NOT_REGISTERED_INT).unlisted(),
    reference("callPickupGroupName", CALL_PICKUP_GROUP),
    one_of("autoAnswer", AUTO_ANSWER).default("Auto Answer Off").applied(),
    text("networkHoldMohAudioSourceId", 10),
    text("userHoldMohAudioSourceId", 10),
    one_of("callingIdPresentationWhenDiverted", PRESENTATION_BIT).since(V12_5).default("Default"),
    text("alertingName", 50).characters(Characters::Display).applied(),
    text("asciiAlertingName", 32).characters(Characters::Display),
    reference("presenceGroupName", PRESENCE_GROUP).default("Standard Presence group"),
    reference("shareLineAppearanceCssName", Css).applied(),
    reference("voiceMailProfileName", VOICE_MAIL_PROFILE).applied(),
    one_of("patternPrecedence", PATTERN_PRECEDENCE).default("Default"),
    one_of("releaseClause", RELEASE_CAUSE_VALUE).default("No Error"),
    integer("hrDuration"),
    integer("hrInterval"),
    one_of("cfaCssPolicy", CFA_CSS_ACTIVATION_POLICY).default("Use System Default"),
    reference("defaultActivatedDeviceName", Phone),
    text("parkMonForwardNoRetrieveDn", 50),
    text("parkMonForwardNoRetrieveIntDn", 50),
    boolean("parkMonForwardNoRetrieveVmEnabled"),
    boolean("parkMonForwardNoRetrieveIntVmEnabled"),
    reference("parkMonForwardNoRetrieveCssName", Css),
    reference("parkMonForwardNoRetrieveIntCssName", Css),
    integer("parkMonReversionTimer"),
    one_of("partyEntranceTone", STATUS).default("Default"),
    group("directoryURIs", DIRECTORY_URIS).since(V9_0).unlisted(),
    boolean("allowCtiControlFlag").since(V9_0).default("true"),
    boolean("rejectAnonymousCall").since(V9_0),
    boolean("patternUrgency").since(V10_0).unlisted().default("false").applied(),
    group("confidentialAccess", CONFIDENTIAL_ACCESS).since(V10_0),
    reference("externalCallControlProfile", EXTERNAL_CALL_CONTROL_PROFILE).since(V10_0).applied(),
    group("enterpriseAltNum", ENTERPRISE_ALT_NUM).since(V10_0),
    group("e164AltNum", E164_ALT_NUM).since(V10_0),
    text("pstnFailover", 255).since(V10_0),
    text("callControlAgentProfile", 255).since(V10_0).unlisted(),
    group("associatedDevices", ASSOCIATED_DEVICES).since(V10_0).before(V12_0).only_in_answers()
        .applied(),
    group("associatedDevices", ASSOCIATED_DEVICES).since(V12_0).only_in_get().applied(),
    boolean("useEnterpriseAltNum").since(V10_0).unlisted(),
    boolean("useE164AltNum").since(V10_0).unlisted(),
    boolean("active").since(V10_0).unlisted().default("true"),
    group("externalPresentationInfo", EXTERNAL_PRESENTATION_INFO).since(V12_5).unlisted(),
];

pub(super) const LINE: ObjectType = ObjectType {
    kind: ObjectKind::Line,
    element: "line",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Pattern,
    elements: ELEMENTS,
    search: &[
        criterion("pattern"),
        criterion("description"),
        criterion("usage").since(V10_0),
        criterion("routePartitionName"),
    ],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Options,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
        Operation::Reset,
    ],
};
