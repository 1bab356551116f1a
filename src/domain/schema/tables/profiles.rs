//! Small profiles that phones, lines and users name.

use super::kinds::{
    COMMON_DEVICE_CONFIG, COMMON_PHONE_CONFIG, EXTERNAL_CALL_CONTROL_PROFILE,
    FEATURE_CONTROL_POLICY, PRESENCE_GROUP, RECORDING_PROFILE, SERVICE_PROFILE, SOFTKEY_TEMPLATE,
    VOICE_MAIL_PROFILE, VPN_GROUP, VPN_PROFILE, WIFI_HOTSPOT,
};
use super::shared::CONFIDENTIAL_ACCESS;
use super::words::{
    CALL_TREATMENT_ON_FAILURE, CERTIFICATE_VERIFICATION_LEVEL, DND_OPTION, IP_ADDRESSING_MODE,
    IP_ADDRESSING_MODE_PREFERENCE, MATRIX_VALUE, PHONE_PERSONALIZATION, PHONE_SERVICE_DISPLAY,
    PREEMPTION, RING_SETTING, STATUS,
};
use crate::domain::schema::ObjectKind::Css;
use crate::domain::schema::SchemaVersion::{V8_0, V8_5, V9_0, V10_0, V12_5};
use crate::domain::schema::{
    Element, Key, MANY, ObjectType, Operation, Places, any, boolean, criterion, group, integer,
    one_of, reference, secret, text,
};

#[rustfmt::skip]
const COMMON_PHONE_CONFIG_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("description", 128).applied(),
    secret("unlockPwd", 255).unlisted(),
    one_of("dndOption", DND_OPTION).default("Ringer Off"),
    one_of("dndAlertingType", RING_SETTING).default("Beep Only"),
    boolean("backgroundImage").default("true"),
    one_of("phonePersonalization", PHONE_PERSONALIZATION).default("Default"),
    one_of("phoneServiceDisplay", PHONE_SERVICE_DISPLAY).default("Default"),
    text("sshUserId", 50),
    secret("sshPwd", 255).unlisted(),
    any("vendorConfig").unlisted(),
    one_of("alwaysUsePrimeLine", STATUS).default("Default"),
    one_of("alwaysUsePrimeLineForVoiceMessage", STATUS).default("Default"),
    reference("vpnGroupName", VPN_GROUP),
    reference("vpnProfileName", VPN_PROFILE),
    reference("featureControlPolicy", FEATURE_CONTROL_POLICY).since(V8_5),
    reference("wifiHotspotProfile", WIFI_HOTSPOT).since(V10_0).unlisted(),
];

pub(super) const COMMON_PHONE_CONFIG_TYPE: ObjectType = ObjectType {
    kind: COMMON_PHONE_CONFIG,
    element: "commonPhoneConfig",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: COMMON_PHONE_CONFIG_ELEMENTS,
    search: &[criterion("name")],
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

#[rustfmt::skip]
const COMMON_DEVICE_CONFIG_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    reference("softkeyTemplateName", SOFTKEY_TEMPLATE),
    text("userLocale", 50),
    text("networkHoldMohAudioSourceId", 10),
    text("userHoldMohAudioSourceId", 10),
    text("mlppDomainId", 128).unlisted(),
    one_of("mlppIndicationStatus", STATUS).default("Default"),
    boolean("useTrustedRelayPoint").default("false"),
    one_of("preemption", PREEMPTION).default("Default"),
    one_of("ipAddressingMode", IP_ADDRESSING_MODE).default("IPv4 and IPv6"),
    one_of("ipAddressingModePreferenceControl", IP_ADDRESSING_MODE_PREFERENCE)
        .default("Use System Default"),
    one_of("allowAutoConfigurationForPhones", STATUS).default("Default"),
    one_of("useImeForOutboundCalls", STATUS).default("Default"),
    group("confidentialAccess", CONFIDENTIAL_ACCESS).since(V10_0),
    one_of("allowDuplicateAddressDetection", STATUS).since(V10_0).default("Default"),
    one_of("acceptRedirectMessages", STATUS).since(V10_0).default("Default"),
    one_of("replyMulticastEchoRequest", STATUS).since(V10_0).default("Default"),
];

pub(super) const COMMON_DEVICE_CONFIG_TYPE: ObjectType = ObjectType {
    kind: COMMON_DEVICE_CONFIG,
    element: "commonDeviceConfig",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: COMMON_DEVICE_CONFIG_ELEMENTS,
    search: &[criterion("name")],
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

#[rustfmt::skip]
const SOFTKEY_TEMPLATE_APPLICATIONS: &[Element] = &[
    text("application", 50).repeated(MANY),
];

#[rustfmt::skip]
const SOFTKEY_TEMPLATE_ELEMENTS: &[Element] = &[
    text("name", 100).key("newName"),
    text("description", 100).applied(),
    reference("baseSoftkeyTemplateName", SOFTKEY_TEMPLATE).not_in(Places::UPDATE)
        .default("Standard User"),
    boolean("isDefault").unlisted(),
    group("applications", SOFTKEY_TEMPLATE_APPLICATIONS).only_in_get(),
];

pub(super) const SOFTKEY_TEMPLATE_TYPE: ObjectType = ObjectType {
    kind: SOFTKEY_TEMPLATE,
    element: "softKeyTemplate",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: SOFTKEY_TEMPLATE_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
    ],
};

#[rustfmt::skip]
const PRESENCE_GROUP_MEMBER: &[Element] = &[
    reference("presenceGroupName", PRESENCE_GROUP),
    one_of("subscriptionPermission", MATRIX_VALUE),
];

#[rustfmt::skip]
const PRESENCE_GROUP_MEMBERS: &[Element] = &[
    group("presenceGroup", PRESENCE_GROUP_MEMBER).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const PRESENCE_GROUP_ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    text("description", 255).applied(),
    group("presenceGroups", PRESENCE_GROUP_MEMBERS).unlisted(),
];

pub(super) const PRESENCE_GROUP_TYPE: ObjectType = ObjectType {
    kind: PRESENCE_GROUP,
    element: "presenceGroup",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: PRESENCE_GROUP_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const SERVICE_PROFILE_INFO: &[Element] = &[
    text("profileName", 255),
    text("primary", 255),
    text("secondary", 255),
    text("tertiary", 255),
    one_of("serverCertificateVerification", CERTIFICATE_VERIFICATION_LEVEL),
    any("serviceProfileXml"),
];

#[rustfmt::skip]
const JABBER_CONFIGURATION: &[Element] = &[
    text("common", 255),
    text("desktop", 255),
    text("mobile", 255),
];

#[rustfmt::skip]
const SERVICE_PROFILE_INFOS: &[Element] = &[
    group("serviceProfileInfo", SERVICE_PROFILE_INFO).repeated(7).attributes(&["uuid"]),
    group("jabberClientConfigurationProfileInfo", JABBER_CONFIGURATION)
        .since(V12_5).attributes(&["uuid"]),
];

#[rustfmt::skip]
const SERVICE_PROFILE_ELEMENTS: &[Element] = &[
    text("name", 255).key("newName"),
    text("description", 255).applied(),
    boolean("isDefault"),
    group("serviceProfileInfos", SERVICE_PROFILE_INFOS).unlisted(),
];

pub(super) const SERVICE_PROFILE_TYPE: ObjectType = ObjectType {
    kind: SERVICE_PROFILE,
    element: "serviceProfile",
    attributes: &[],
    since: V9_0,
    key: Key::Name("name"),
    elements: SERVICE_PROFILE_ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const VOICE_MAIL_PROFILE_VOICE_MAIL_PILOT: &[Element] = &[
    text("dirn", 50),
    reference("cssName", Css),
];

#[rustfmt::skip]
const VOICE_MAIL_PROFILE_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("description", 50).applied(),
    boolean("isDefault").default("false"),
    text("voiceMailboxMask", 255),
    group("voiceMailPilot", VOICE_MAIL_PROFILE_VOICE_MAIL_PILOT).unlisted().attributes(&["uuid"]),
];

pub(super) const VOICE_MAIL_PROFILE_TYPE: ObjectType = ObjectType {
    kind: VOICE_MAIL_PROFILE,
    element: "voiceMailProfile",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: VOICE_MAIL_PROFILE_ELEMENTS,
    search: &[criterion("name")],
    operations: &[
        Operation::Add,
        Operation::Update,
        Operation::Get,
        Operation::List,
        Operation::Remove,
        Operation::Apply,
        Operation::Restart,
        Operation::Reset,
    ],
};

#[rustfmt::skip]
const RECORDING_PROFILE_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    reference("recordingCssName", Css),
    text("recorderDestination", 255),
];

pub(super) const RECORDING_PROFILE_TYPE: ObjectType = ObjectType {
    kind: RECORDING_PROFILE,
    element: "recordingProfile",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: RECORDING_PROFILE_ELEMENTS,
    search: &[
        criterion("name"),
        criterion("recordingCssName"),
        criterion("recorderDestination"),
    ],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const FEATURE_CONTROL_POLICY_FEATURE: &[Element] = &[
    text("featureName", 50),
    boolean("defaultValue").only_in_get(),
    boolean("overrideDefault"),
    boolean("enableSetting"),
];

#[rustfmt::skip]
const FEATURE_CONTROL_POLICY_FEATURES: &[Element] = &[
    group("feature", FEATURE_CONTROL_POLICY_FEATURE).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const FEATURE_CONTROL_POLICY_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("description", 100).applied(),
    group("features", FEATURE_CONTROL_POLICY_FEATURES).unlisted(),
];

pub(super) const FEATURE_CONTROL_POLICY_TYPE: ObjectType = ObjectType {
    kind: FEATURE_CONTROL_POLICY,
    element: "featureControlPolicy",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: FEATURE_CONTROL_POLICY_ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};

#[rustfmt::skip]
const EXTERNAL_CALL_CONTROL_PROFILE_ELEMENTS: &[Element] = &[
    text("name", 50).key("newName"),
    text("primaryUri", 255),
    text("secondaryUri", 255),
    boolean("enableLoadBalancing").default("false"),
    integer("routingRequestTimer"),
    reference("diversionReroutingCssName", Css),
    one_of("callTreatmentOnFailure", CALL_TREATMENT_ON_FAILURE).default("Allow Calls"),
];

pub(super) const EXTERNAL_CALL_CONTROL_PROFILE_TYPE: ObjectType = ObjectType {
    kind: EXTERNAL_CALL_CONTROL_PROFILE,
    element: "externalCallControlProfile",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: EXTERNAL_CALL_CONTROL_PROFILE_ELEMENTS,
    search: &[criterion("name")],
    operations: Operation::CONFIGURE,
};
