//! SIP profiles.

use super::kinds::{
    RESOURCE_PRIORITY_NAMESPACE, RESOURCE_PRIORITY_NAMESPACE_LIST, SDP_TRANSPARENCY_PROFILE,
    SIPNORMALIZATION_SCRIPT,
};
use super::words::{
    CAL_HEADERS, CALLING_LINE_IDENTIFICATION, CUCM_VERSION_IN_SIP_HEADER, DND_CONTROL,
    DTMF_DB_LEVEL, EARLY_OFFER_SUPPORT, G_CLEAR, OFF_ON, RSVP_OVER_SIP, SIP_BANDWIDTH_MODIFIER,
    SIP_REL_1XX_OPTIONS, SIP_REROUTE, SIP_SESSION_REFRESH_METHOD, STATUS, TELNET_LEVEL,
    URI_DISAMBIGUATION_POLICY, USER_AGENT_SERVER_HEADER_INFO, USER_INFO, VIDEO_CALL_TRAFFIC_CLASS,
};
use crate::domain::schema::SchemaVersion::{
    V8_0, V8_5, V9_0, V9_1, V10_0, V10_5, V11_0, V11_5, V12_0, V12_5,
};
use crate::domain::schema::{
    Element, Key, ObjectKind, ObjectType, Operation, boolean, criterion, group, integer, one_of,
    reference, text,
};

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
    text("name", 50).key("newName"),
    text("description", 100).applied(),
    integer("defaultTelephonyEventPayloadType").default("101"),
    boolean("redirectByApplication").default("false"),
    boolean("ringing180").default("false"),
    integer("timerInvite").default("180"),
    integer("timerRegisterDelta").within(0, 32767).default("5").applied(),
    integer("timerRegister").within(1, 86_400).default("3600").applied(),
    integer("timerT1").default("500"),
    integer("timerT2").default("4000"),
    integer("retryInvite").default("6"),
    integer("retryNotInvite").default("10"),
    integer("startMediaPort").within(1, 65_535).default("16384").applied(),
    integer("stopMediaPort").within(1, 65_535).default("32766").applied(),
    integer("startVideoPort").since(V11_0).unlisted().default("0"),
    integer("stopVideoPort").since(V11_0).unlisted().default("0"),
    text("dscpForAudioCalls", 255).since(V11_0).unlisted(),
    text("dscpForVideoCalls", 255).since(V11_0).unlisted(),
    text("dscpForAudioPortionOfVideoCalls", 255).since(V11_0).unlisted(),
    text("dscpForTelePresenceCalls", 255).since(V11_0).unlisted(),
    text("dscpForAudioPortionOfTelePresenceCalls", 255).since(V11_0).unlisted(),
    text("callpickupUri", 128).before(V10_0).default("x-cisco-serviceuri-pickup"),
    text("callpickupListUri", 128).default("x-cisco-serviceuri-opickup"),
    text("callpickupGroupUri", 128).default("x-cisco-serviceuri-gpickup"),
    text("meetmeServiceUrl", 128).default("x-cisco-serviceuri-meetme"),
    one_of("userInfo", USER_INFO).default("None"),
    one_of("dtmfDbLevel", DTMF_DB_LEVEL).default("Nominal"),
    one_of("callHoldRingback", OFF_ON).default("Off"),
    one_of("anonymousCallBlock", OFF_ON).default("Off"),
    one_of("callerIdBlock", OFF_ON).default("Off"),
    one_of("dndControl", DND_CONTROL).default("User"),
    one_of("telnetLevel", TELNET_LEVEL).default("Disabled"),
    integer("timerKeepAlive").within(1, 86_400).default("120").applied(),
    integer("timerSubscribe").default("120"),
    integer("timerSubscribeDelta").default("5"),
    integer("maxRedirects").default("70"),
    integer("timerOffHookToFirstDigit").default("15000"),
    text("callForwardUri", 128).default("x-cisco-serviceuri-cfwdall"),
    text("abbreviatedDialUri", 128).default("x-cisco-serviceuri-abbrdial"),
    boolean("confJointEnable").default("true"),
    boolean("rfc2543Hold").default("false"),
    boolean("semiAttendedTransfer").default("true"),
    boolean("enableVad").default("false"),
    boolean("stutterMsgWaiting").default("false"),
    boolean("callStats").default("false"),
    boolean("t38Invite").default("false"),
    boolean("faxInvite").since(V11_5).default("false"),
    one_of("rerouteIncomingRequest", SIP_REROUTE).default("Never"),
    reference("resourcePriorityNamespaceListName", RESOURCE_PRIORITY_NAMESPACE_LIST),
    boolean("enableAnatForEarlyOfferCalls").default("false"),
    one_of("rsvpOverSip", RSVP_OVER_SIP).default("Local RSVP"),
    boolean("fallbackToLocalRsvp").default("true"),
    one_of("sipRe11XxEnabled", SIP_REL_1XX_OPTIONS).default("Disabled"),
    one_of("gClear", G_CLEAR).default("Disabled"),
    boolean("earlyOfferSupportForVoiceCall").since(V8_5).before(V10_5).default("false"),
    boolean("sendRecvSDPInMidCallInvite").since(V8_5).default("false"),
    boolean("enableOutboundOptionsPing").since(V8_5).default("false"),
    integer("optionsPingIntervalWhenStatusOK").since(V8_5).default("60"),
    integer("optionsPingIntervalWhenStatusNotOK").since(V8_5).default("120"),
    boolean("deliverConferenceBridgeIdentifier").since(V8_5),
    integer("sipOptionsRetryCount").since(V8_5).default("6"),
    integer("sipOptionsRetryTimer").since(V8_5).default("500"),
    one_of("sipBandwidthModifier", SIP_BANDWIDTH_MODIFIER).since(V9_0).default("TIAS and AS"),
    text("enableUriOutdialSupport", 255).since(V9_0),
    one_of("userAgentServerHeaderInfo", USER_AGENT_SERVER_HEADER_INFO).since(V9_0)
        .default("Send Unified CM Version Information as User-Agent Header"),
    boolean("allowPresentationSharingUsingBfcp").since(V9_0),
    text("scriptParameters", 255).since(V9_0),
    boolean("isScriptTraceEnabled").since(V9_0).default("false"),
    reference("sipNormalizationScript", SIPNORMALIZATION_SCRIPT).since(V9_0),
    boolean("allowiXApplicationMedia").since(V9_0),
    one_of("dialStringInterpretation", URI_DISAMBIGUATION_POLICY).since(V9_0)
        .default(
            "Phone number consists of characters 0-9, *, #, and + \
             (others treated as URI addresses)",
        ),
    one_of("acceptAudioCodecPreferences", STATUS).since(V9_0).default("Default"),
    boolean("mlppUserAuthorization").since(V9_0).default("false"),
    boolean("isAssuredSipServiceEnabled").since(V9_0).default("false"),
    boolean("enableExternalQoS").since(V11_5).unlisted().default("false"),
    reference("resourcePriorityNamespace", RESOURCE_PRIORITY_NAMESPACE)
        .since(V9_0),
    boolean("useCallerIdCallerNameinUriOutgoingRequest").since(V9_0),
    text("callerIdDn", 50).since(V9_0).before(V12_5),
    text("callerName", 50).since(V9_0).before(V12_5),
    group("externalPresentationInfo", EXTERNAL_PRESENTATION_INFO).since(V12_5).unlisted(),
    one_of("callingLineIdentification", CALLING_LINE_IDENTIFICATION).since(V9_0).default("Default"),
    boolean("rejectAnonymousIncomingCall").since(V9_0),
    text("callpickupUri", 128).since(V10_0).default("x-cisco-serviceuri-pickup"),
    boolean("rejectAnonymousOutgoingCall").since(V9_0),
    one_of("videoCallTrafficClass", VIDEO_CALL_TRAFFIC_CLASS).since(V9_0).default("Mixed"),
    reference("sdpTransparency", SDP_TRANSPARENCY_PROFILE).since(V10_0),
    boolean("allowMultipleCodecs").since(V10_0).default("false"),
    one_of("sipSessionRefreshMethod", SIP_SESSION_REFRESH_METHOD).since(V10_0).default("Invite"),
    one_of("earlyOfferSuppVoiceCall", EARLY_OFFER_SUPPORT).since(V10_5)
        .default("Disabled (Default value)"),
    one_of("cucmVersionInSipHeader", CUCM_VERSION_IN_SIP_HEADER).since(V10_0)
        .default("Major And Minor"),
    one_of("confidentialAccessLevelHeaders", CAL_HEADERS).since(V10_0).default("Disabled"),
    boolean("destRouteString").since(V10_0),
    boolean("inactiveSDPRequired").since(V9_1).default("false"),
    boolean("allowRRAndRSBandwidthModifier").since(V12_0).default("false"),
    boolean("connectCallBeforePlayingAnnouncement").since(V11_5).unlisted(),
];

pub(super) const SIP_PROFILE: ObjectType = ObjectType {
    kind: ObjectKind::SipProfile,
    element: "sipProfile",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Options,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
    ],
};
