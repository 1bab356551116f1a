//! Universal Device Templates: what a device is made from. Many elements have other names here
//! than on a phone.

use super::kinds::{
    AAR_GROUP, COMMON_DEVICE_CONFIG, COMMON_PHONE_CONFIG, FEATURE_CONTROL_POLICY, GEO_LOCATION,
    LOCATION, MEDIA_RESOURCE_LIST, MLPP_DOMAIN, PRESENCE_GROUP, RECORDING_PROFILE, SIP_DIAL_RULES,
    SOFTKEY_TEMPLATE,
};
use super::reasons::{NO_CERTIFICATE_OPERATION, NO_PACKET_CAPTURE, ONE_LINE};
use super::shared::{
    BLF_DIRECTED_CALL_PARKS, BUSY_LAMP_FIELDS, CALL_INFO_DISPLAY, CONFIDENTIAL_ACCESS,
    LINE_IDENTIFIER, SERVICES, SPEEDDIALS,
};
use super::words::{
    AUTHENTICATION_MODE, BARGE, CERTIFICATE_OPERATION, DND_OPTION, EC_KEY_SIZE, KEY_ORDER,
    KEY_SIZE, MWL_POLICY, OUTBOUND_CALL_ROLLOVER, PACKET_CAPTURE_MODE, PHONE_PERSONALIZATION,
    PHONE_SERVICE_DISPLAY, PREEMPTION, PREFERRED_MEDIA_SOURCE, RECORDING_FLAG, RING_SETTING,
    SIP_CODEC, STATUS,
};
use crate::domain::schema::ObjectKind::{
    Css, DevicePool, Line, PhoneButtonTemplate, PhoneSecurityProfile, RoutePartition, SipProfile,
    User,
};
use crate::domain::schema::SchemaVersion::{V10_0, V11_0, V11_5, V12_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, Places, boolean, criterion,
    group, integer, one_of, reference, secret, text,
};

/// The number that the template's line is shown with; phones made from it get their own.
#[rustfmt::skip]
const DIRN: &[Element] = &[
    text("pattern", 255),
    reference("routePartitionName", RoutePartition),
];

/// A template has one line: phones get more lines when they exist.
#[rustfmt::skip]
const LINE: &[Element] = &[
    integer("index").within(1, 1).applied(),
    text("label", 50).characters(Characters::Tagged).applied(),
    text("display", 50).characters(Characters::Tagged).applied(),
    text("e164Mask", 24).characters(Characters::Mask).applied(),
    group("dirn", DIRN).attributes(&["uuid"]).identified(Line),
    integer("maxNumCalls").within(1, 200).default("2").applied(),
    boolean("missedCallLogging").default("true"),
    one_of("mwlPolicy", MWL_POLICY).default("Use System Policy"),
    integer("busyTrigger").within(1, 200).default("1").applied(),
    one_of("ringSetting", RING_SETTING).default("Ring"),
    one_of("consecutiveRingSetting", RING_SETTING).default("Use System Default"),
    one_of("audibleMwi", STATUS).default("Default"),
    one_of("ringSettingActivePickupAlert", RING_SETTING).default("Use System Default"),
    one_of("ringSettingIdlePickupAlert", RING_SETTING).default("Use System Default"),
    reference("monitoringCssName", Css),
    reference("recordingProfileName", RECORDING_PROFILE),
    one_of("recordingFlag", RECORDING_FLAG).default("Call Recording Disabled"),
    one_of("recordingMediaSource", PREFERRED_MEDIA_SOURCE).default("Gateway Preferred"),
    group("callInfoDisplay", CALL_INFO_DISPLAY),
];

#[rustfmt::skip]
const LINES: &[Element] = &[
    group("line", LINE).branch(1).applied().attributes(&["ctiid", "uuid"]),
    group("lineIdentifier", LINE_IDENTIFIER).repeated(MANY).branch(2).refused(ONE_LINE),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ObjectName),
    text("deviceDescription", 255).characters(Characters::Tagged).applied(),
    reference("devicePool", DevicePool).required().applied(),
    reference("deviceSecurityProfile", PhoneSecurityProfile)
        .default("Universal Device Template - Model-independent Security Profile").applied(),
    reference("sipProfile", SipProfile).default("Standard SIP Profile").applied(),
    reference("phoneButtonTemplate", PhoneButtonTemplate)
        .default("Universal Device Template Button Layout").applied(),
    reference("sipDialRules", SIP_DIAL_RULES),
    reference("callingSearchSpace", Css).applied(),
    reference("callingPartyTransformationCSSForInboundCalls", Css),
    reference("callingPartyTransformationCSSForOutboundCalls", Css),
    reference("reroutingCallingSearchSpace", Css),
    reference("subscribeCallingSearchSpaceName", Css),
    boolean("useDevicePoolCallingPartyTransformationCSSforInboundCalls"),
    boolean("useDevicePoolCallingPartyTransformationCSSforOutboundCalls"),
    reference("commonPhoneProfile", COMMON_PHONE_CONFIG)
        .default("Standard Common Phone Profile").applied(),
    reference("commonDeviceConfiguration", COMMON_DEVICE_CONFIG),
    reference("softkeyTemplate", SOFTKEY_TEMPLATE).applied(),
    reference("featureControlPolicy", FEATURE_CONTROL_POLICY),
    one_of("phonePersonalization", PHONE_PERSONALIZATION).default("Default"),
    one_of("mtpPreferredOriginatingCodec", SIP_CODEC).default("711ulaw"),
    one_of("outboundCallRollover", OUTBOUND_CALL_ROLLOVER).default("No Rollover"),
    boolean("mediaTerminationPointRequired"),
    boolean("unattendedPort"),
    boolean("requiredDtmfReception"),
    boolean("rfc2833Disabled"),
    group("speeddials", SPEEDDIALS).unlisted(),
    // Some schemas of 12.0 have these three, others the flat line further down: answers of 12.0
    // have the flat line, requests either.
    group("lines", LINES).since(V12_0).before(V12_5).only_in(Places::REQUESTS).applied(),
    group("lines", LINES).since(V12_5).unlisted().applied(),
    group("blfDirectedCallParks", BLF_DIRECTED_CALL_PARKS).since(V12_0).before(V12_5)
        .only_in(Places::REQUESTS),
    group("blfDirectedCallParks", BLF_DIRECTED_CALL_PARKS).since(V12_5).unlisted(),
    group("busyLampFields", BUSY_LAMP_FIELDS).since(V12_0).before(V12_5)
        .only_in(Places::REQUESTS),
    group("busyLampFields", BUSY_LAMP_FIELDS).since(V12_5).unlisted(),
    one_of("useTrustedRelayPoint", STATUS).default("Default"),
    boolean("protectedDevice"),
    one_of("certificateOperation", CERTIFICATE_OPERATION).since(V11_5)
        .default("No Pending Operation").refused(NO_CERTIFICATE_OPERATION),
    one_of("authenticationMode", AUTHENTICATION_MODE).default("By Null String"),
    secret("authenticationString", 255),
    one_of("keySize", KEY_SIZE).before(V11_5).default("1024"),
    one_of("keySize", KEY_SIZE).since(V11_5).default("2048"),
    one_of("keyOrder", KEY_ORDER).since(V11_0).default("RSA Only"),
    one_of("ecKeySize", EC_KEY_SIZE).since(V11_0).before(V11_5).default("384"),
    one_of("ecKeySize", EC_KEY_SIZE).since(V11_5),
    one_of("servicesProvisioning", PHONE_SERVICE_DISPLAY).default("Default").applied(),
    one_of("packetCaptureMode", PACKET_CAPTURE_MODE).default("None").refused(NO_PACKET_CAPTURE),
    integer("packetCaptureDuration").default("0"),
    text("secureShellUser", 255),
    secret("secureShellPassword", 255),
    text("userLocale", 50).applied(),
    text("networkLocale", 50).applied(),
    reference("mlppDomain", MLPP_DOMAIN),
    one_of("mlppIndication", STATUS).default("Off"),
    one_of("mlppPreemption", PREEMPTION).default("Default"),
    boolean("doNotDisturb"),
    one_of("dndOption", DND_OPTION).default("Ringer Off"),
    one_of("dndIncomingCallAlert", RING_SETTING),
    reference("aarGroup", AAR_GROUP),
    reference("aarCallingSearchSpace", Css),
    reference("blfPresenceGroup", PRESENCE_GROUP).default("Standard Presence group"),
    one_of("blfAudibleAlertSettingPhoneBusy", STATUS).default("Default"),
    one_of("blfAudibleAlertSettingPhoneIdle", STATUS).default("Default"),
    integer("userHoldMohAudioSource"),
    integer("networkHoldMohAudioSource"),
    reference("location", LOCATION).default("Hub_None").applied(),
    reference("geoLocation", GEO_LOCATION),
    one_of("deviceMobilityMode", STATUS).default("Default"),
    reference("mediaResourceGroupList", MEDIA_RESOURCE_LIST),
    boolean("remoteDevice"),
    boolean("hotlineDevice"),
    boolean("retryVideoCallAsAudio"),
    boolean("requireOffPremiseLocation"),
    reference("ownerUserId", User),
    reference("mobilityUserId", User),
    one_of("joinAcrossLines", STATUS).default("Default"),
    one_of("alwaysUsePrimeLine", STATUS).default("Default"),
    one_of("alwaysUsePrimeLineForVoiceMessage", STATUS).default("Default"),
    one_of("singleButtonBarge", BARGE).default("Default"),
    one_of("builtInBridge", STATUS).default("Default"),
    boolean("allowControlOfDeviceFromCti"),
    boolean("ignorePresentationIndicators"),
    boolean("enableExtensionMobility"),
    one_of("recordingOptions", RECORDING_FLAG).before(V12_5).default("Call Recording Disabled"),
    one_of("privacy", STATUS).default("Default"),
    boolean("loggedIntoHuntGroup"),
    text("proxyServer", 2048).applied(),
    text("servicesUrl", 2048).applied(),
    text("idle", 2048).applied(),
    integer("idleTimer").within(0, 2_147_483_647).applied(),
    text("secureDirUrl", 2048).applied(),
    text("messages", 2048).applied(),
    text("secureIdleUrl", 2048).applied(),
    text("authenticationServer", 2048),
    text("directory", 2048).applied(),
    text("secureServicesUrl", 2048).applied(),
    text("information", 2048).applied(),
    text("secureMessagesUrl", 2048).applied(),
    text("secureInformationUrl", 2048).applied(),
    text("secureAuthenticationUrl", 2048),
    text("externalPhoneNumber", 24).before(V12_5).characters(Characters::Mask).applied(),
    one_of("audibleMsgWaitingicatorPolicy", STATUS).before(V12_5).default("Default"),
    boolean("logMissedCalls").before(V12_5),
    one_of("visualMsgWaitingIndicatorPolicy", MWL_POLICY).before(V12_5)
        .default("Use System Policy"),
    text("lineLabel", 255).before(V12_5).characters(Characters::Tagged).applied(),
    text("displayCallerId", 255).before(V12_5).characters(Characters::Tagged).applied(),
    integer("MaxNumberOfCalls").before(V12_5).within(1, 200).default("2").applied(),
    one_of("ringSettingWhenPhoneIdle", RING_SETTING).before(V12_5).default("Ring"),
    integer("busyTrigger").before(V12_5).within(1, 200).default("1").applied(),
    one_of("ringSettingWhenPhoneInUse", RING_SETTING).before(V12_5).default("Use System Default"),
    reference("directoryNumber", Line).before(V12_5),
    reference("recordingProfile", RECORDING_PROFILE).before(V12_5),
    one_of("callPickupGroupAudioAlertSettingPhoneActive", RING_SETTING).before(V12_5),
    one_of("callPickupGroupAudioAlertSettingPhoneIdle", RING_SETTING).before(V12_5),
    reference("monitoringCallingSearchSpace", Css).before(V12_5),
    group("confidentialAccess", CONFIDENTIAL_ACCESS),
    group("services", SERVICES).unlisted(),
];

pub(super) const UNIVERSAL_DEVICE_TEMPLATE: ObjectType = ObjectType {
    kind: ObjectKind::UniversalDeviceTemplate,
    element: "universalDeviceTemplate",
    attributes: &[],
    since: V10_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("deviceDescription")],
    operations: Operation::CONFIGURE,
};
