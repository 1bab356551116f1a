//! End users.

use super::kinds::{
    CUSTOMER, DEVICE_PROFILE, LDAP_DIRECTORY, LINE_APPEARANCE, PRESENCE_GROUP, SERVICE_PROFILE,
};
use super::reasons::TIME_IS_KEPT;
use super::shared::{ASSOCIATED_GROUPS, PASSWORD_CREDENTIALS};
use super::words::{ACCOUNT_TYPE, AUTHENTICATION_TYPE, PATTERN_PRECEDENCE};
use crate::domain::schema::ObjectKind::{
    CredentialPolicy, Css, Line, Phone, RoutePartition, UserProfileProvision,
};
use crate::domain::schema::SchemaVersion::{
    V8_0, V9_0, V10_0, V10_5, V11_0, V11_5, V12_0, V12_5, V14_0,
};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, Places, SchemaVersion,
    boolean, criterion, group, integer, one_of, reference, secret, text,
};

#[rustfmt::skip]
const ASSOCIATED_DEVICES: &[Element] = &[
    text("device", 50).repeated(MANY).characters(Characters::DeviceName).applied(),
];

#[rustfmt::skip]
const PRIMARY_EXTENSION: &[Element] = &[
    text("pattern", 255).characters(Characters::DirectoryNumber).applied(),
    text("routePartitionName", 50).applied(),
];

#[rustfmt::skip]
const PHONE_PROFILES: &[Element] = &[
    reference("profileName", DEVICE_PROFILE).repeated(MANY),
];

#[rustfmt::skip]
const ASSOCIATED_REMOTE_DESTINATION_PROFILES: &[Element] = &[
    text("remoteDestinationProfile", 255).repeated(MANY),
];

#[rustfmt::skip]
const PIN_CREDENTIALS: &[Element] = &[
    reference("pinCredPolicyName", CredentialPolicy).applied(),
    boolean("pinCredUserCantChange").applied(),
    boolean("pinCredUserMustChange").applied(),
    boolean("pinCredDoesNotExpire").applied(),
    // A truth value in Cisco's schemas, a time in recorded answers.
    boolean("pinCredTimeChanged").computed(TIME_IS_KEPT),
    text("pinCredTimeAdminLockout", 255).computed(TIME_IS_KEPT),
    boolean("pinCredLockedByAdministrator").applied(),
    boolean("pinResetHackCount").since(V11_0).applied(),
];

#[rustfmt::skip]
const ASSOCIATED_TOD_ACCESS: &[Element] = &[
    text("todAccess", 255).repeated(MANY),
];

#[rustfmt::skip]
const ASSOCIATED_CAPF_PROFILES: &[Element] = &[
    text("capfProfileInstanceId", 128).repeated(MANY),
];

#[rustfmt::skip]
const CTI_CONTROLLED_DEVICE_PROFILES: &[Element] = &[
    reference("profileName", DEVICE_PROFILE).repeated(MANY),
];

#[rustfmt::skip]
const CUSTOM_USER_FIELD: &[Element] = &[
    text("name", 255).before(V10_0).only_in_get().branch(1),
    text("name", 255).since(V10_0).branch(1),
    text("value", 255).before(V10_0).only_in_get().branch(2),
    text("value", 255).since(V10_0).branch(2),
];

#[rustfmt::skip]
const CUSTOM_USER_FIELDS: &[Element] = &[
    group("customUserField", CUSTOM_USER_FIELD).repeated(5),
];

#[rustfmt::skip]
const LINE_APPEARANCE_ASSOCIATION_FOR_PRESENCE: &[Element] = &[
    reference("laapAssociate", LINE_APPEARANCE),
    text("laapProductType", 128),
    text("laapDeviceName", 128),
    text("laapDirectory", 128),
    text("laapPartition", 128),
    text("laapDescription", 128),
];

#[rustfmt::skip]
const LINE_APPEARANCE_ASSOCIATION_FOR_PRESENCES: &[Element] = &[
    group("lineAppearanceAssociationForPresence", LINE_APPEARANCE_ASSOCIATION_FOR_PRESENCE)
        .repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const EXTENSION: &[Element] = &[
    integer("sortOrder"),
    reference("pattern", Line),
    text("routePartition", 255),
    text("linePrimaryUri", 255),
    reference("partition", RoutePartition),
];

#[rustfmt::skip]
const EXTENSIONS_INFO: &[Element] = &[
    group("extension", EXTENSION).repeated(MANY).attributes(&["uuid"]),
];

#[rustfmt::skip]
const ASSOCIATED_HEADSETS: &[Element] = &[
    text("headset", 50).repeated(15),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("firstName", 255).applied(),
    text("displayName", 255).since(V11_0).before(V12_5),
    text("displayName", 255).since(V12_5).unlisted(),
    text("middleName", 255).applied(),
    text("lastName", 255).required().applied(),
    integer("emMaxLoginTime").since(V12_5),
    text("userid", 128).key("newUserid").characters(Characters::UserId),
    secret("password", 255).unlisted().applied(),
    secret("pin", 255).unlisted().applied(),
    text("telephoneNumber", 255).before(V10_0).applied(),
    text("mailid", 255).applied(),
    text("extension", 50).before(V8_0).characters(Characters::DirectoryNumber),
    text("department", 255).applied(),
    text("manager", 255),
    text("userLocale", 50).applied(),
    group("associatedDevices", ASSOCIATED_DEVICES).unlisted().applied(),
    group("primaryExtension", PRIMARY_EXTENSION).applied().identified(Line),
    text("associatedPc", 255),
    group("associatedGroups", ASSOCIATED_GROUPS).unlisted().applied(),
    boolean("enableCti").default("true"),
    secret("digestCredentials", 255).unlisted().applied(),
    group("phoneProfiles", PHONE_PROFILES).unlisted(),
    reference("defaultProfile", DEVICE_PROFILE).unlisted(),
    reference("presenceGroupName", PRESENCE_GROUP).before(V12_5).default("Standard Presence group"),
    reference("presenceGroupName", PRESENCE_GROUP).since(V12_5).unlisted()
        .default("Standard Presence group"),
    reference("subscribeCallingSearchSpaceName", Css),
    boolean("enableMobility").default("false"),
    boolean("enableMobileVoiceAccess").default("false"),
    integer("maxDeskPickupWaitTime").default("10000"),
    integer("remoteDestinationLimit").default("4"),
    group("associatedRemoteDestinationProfiles", ASSOCIATED_REMOTE_DESTINATION_PROFILES)
        .only_in_get(),
    group("passwordCredentials", PASSWORD_CREDENTIALS).unlisted().applied(),
    group("pinCredentials", PIN_CREDENTIALS).unlisted().applied(),
    reference("primaryDevice", Phone).before(V11_0).unlisted(),
    group("associatedTodAccess", ASSOCIATED_TOD_ACCESS).only_in_get(),
    integer("status").only_in_answers().applied(),
    boolean("enableEmcc"),
    group("associatedCapfProfiles", ASSOCIATED_CAPF_PROFILES).only_in_get(),
    group("ctiControlledDeviceProfiles", CTI_CONTROLLED_DEVICE_PROFILES).unlisted(),
    one_of("patternPrecedence", PATTERN_PRECEDENCE).since(V9_0).default("Default"),
    text("numericUserId", 255).since(V9_0).characters(Characters::NumericUserId),
    secret("mlppPassword", 255).since(V9_0),
    group("customUserFields", CUSTOM_USER_FIELDS).since(V9_0).unlisted(),
    boolean("homeCluster").since(V9_0).default("true"),
    boolean("imAndPresenceEnable").since(V9_0),
    reference("serviceProfile", SERVICE_PROFILE).since(V9_0),
    group("lineAppearanceAssociationForPresences", LINE_APPEARANCE_ASSOCIATION_FOR_PRESENCES)
        .since(V9_0).unlisted(),
    text("directoryUri", 255).since(V9_0),
    text("telephoneNumber", 255).since(V10_0).applied(),
    text("title", 255).since(V10_0).applied(),
    text("mobileNumber", 255).since(V10_0),
    text("homeNumber", 255).since(V10_0),
    text("pagerNumber", 255).since(V10_0),
    group("removeExtensionsInfo", EXTENSIONS_INFO).since(V10_0).removes_from("extensionsInfo"),
    group("addExtensionsInfo", EXTENSIONS_INFO).since(V10_0).adds_to("extensionsInfo"),
    group("extensionsInfo", EXTENSIONS_INFO).since(V10_0).unlisted().branch(2),
    text("selfService", 50).since(V10_0).before(V12_5).characters(Characters::SelfServiceUserId)
        .applied(),
    text("selfService", 50).since(V12_5).unlisted().characters(Characters::SelfServiceUserId)
        .applied(),
    reference("userProfile", UserProfileProvision).since(V10_0).unlisted().applied(),
    boolean("calendarPresence").since(V10_0).default("false"),
    reference("ldapDirectoryName", LDAP_DIRECTORY).since(V10_0).before(V12_5),
    reference("ldapDirectoryName", LDAP_DIRECTORY).since(V12_5).unlisted(),
    text("userIdentity", 255).since(V10_0),
    text("nameDialing", 255).since(V10_0).unlisted(),
    reference("ipccExtension", Line).since(V10_0).unlisted(),
    reference("ipccRoutePartition", RoutePartition).since(V12_0).unlisted(),
    reference("convertUserAccount", LDAP_DIRECTORY).since(V10_0).unlisted(),
    one_of("accountType", ACCOUNT_TYPE).since(V10_5).before(V12_0).default("Local"),
    one_of("authenticationType", AUTHENTICATION_TYPE).since(V10_5).before(V12_0).default("Local"),
    boolean("enableUserToHostConferenceNow").since(V11_0).before(V12_5).default("false"),
    boolean("enableUserToHostConferenceNow").since(V12_5).unlisted().default("false"),
    secret("attendeesAccessCode", 255).since(V11_0).before(V12_5),
    secret("attendeesAccessCode", 255).since(V12_5).unlisted(),
    boolean("zeroHop").since(V11_5).unlisted().default("false"),
    reference("customerName", CUSTOMER).since(V12_5).before(V14_0).unlisted(),
    reference("customerName", CUSTOMER).since(V14_0),
    group("removeAssociatedHeadsets", ASSOCIATED_HEADSETS).since(V12_5)
        .removes_from("associatedHeadsets"),
    group("addAssociatedHeadsets", ASSOCIATED_HEADSETS).since(V12_5).adds_to("associatedHeadsets"),
    // The first schemas of 12.5 have them not yet, so answers of 12.5 leave them out.
    group("associatedHeadsets", ASSOCIATED_HEADSETS).since(V12_5).before(V14_0)
        .only_in(Places::REQUESTS).branch(2),
    group("associatedHeadsets", ASSOCIATED_HEADSETS).since(V14_0).unlisted().branch(2),
];

pub(super) const USER: ObjectType = ObjectType {
    kind: ObjectKind::User,
    element: "user",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("userid"),
    elements: ELEMENTS,
    search: &[
        criterion("firstName"),
        criterion("lastName"),
        criterion("userid"),
        criterion("department"),
        criterion("customerName").since(V12_5),
    ],
    operations: Operation::CONFIGURE,
};
