//! Self-provisioning as a whole, activation codes, and the defaults of devices and credentials.

use super::words::{CREDENTIAL, CREDENTIAL_USER};
use crate::domain::schema::ObjectKind::{CredentialPolicy, DevicePool, PhoneButtonTemplate};
use crate::domain::schema::SchemaVersion::{V10_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, Places, boolean, criterion, group,
    integer, one_of, reference, secret, text,
};

#[rustfmt::skip]
const LANGUAGE_NAME: &[Element] = &[
    text("name", 50).default("English United States"),
];

#[rustfmt::skip]
const LANGUAGES_REMOVED: &[Element] = &[
    group("language", LANGUAGE_NAME).repeated(9),
];

#[rustfmt::skip]
const LANGUAGE: &[Element] = &[
    text("name", 50).default("English United States"),
    integer("priority"),
];

#[rustfmt::skip]
const LANGUAGES: &[Element] = &[
    group("language", LANGUAGE).repeated(9),
];

#[rustfmt::skip]
const SELF_PROVISIONING_ELEMENTS: &[Element] = &[
    boolean("requireAuthentication").applied(),
    boolean("allowAuthentication").applied(),
    secret("authenticationCode", 255).applied(),
    text("ctiRoutePoint", 255),
    text("applicationUser", 255),
    group("removeLanguages", LANGUAGES_REMOVED).removes_from("languages"),
    group("addLanguages", LANGUAGES).adds_to("languages"),
    group("languages", LANGUAGES).branch(2),
];

pub(super) const SELF_PROVISIONING: ObjectType = ObjectType {
    kind: ObjectKind::SelfProvisioning,
    element: "selfProvisioning",
    attributes: &[],
    since: V10_0,
    key: Key::Singleton,
    elements: SELF_PROVISIONING_ELEMENTS,
    search: &[],
    operations: &[Operation::Update],
};

#[rustfmt::skip]
const DEVICE_DEFAULTS_ELEMENTS: &[Element] = &[
    text("Model", 128).required().applied(),
    text("Protocol", 50).required().applied(),
    text("LoadInformation", 255).attributes(&["special"]).applied(),
    text("InactiveLoadInformation", 255).attributes(&["special"]),
    reference("DevicePoolName", DevicePool).applied(),
    reference("PhoneButtonTemplate", PhoneButtonTemplate).applied(),
    text("VersionStamp", 128).only_in(Places::UPDATE.with(Places::GET)),
    boolean("PreferActCodeOverAutoReg"),
];

pub(super) const DEVICE_DEFAULTS: ObjectType = ObjectType {
    kind: ObjectKind::DeviceDefaults,
    element: "deviceDefaults",
    attributes: &[],
    since: V12_5,
    key: Key::Several(&["Model", "Protocol"]),
    elements: DEVICE_DEFAULTS_ELEMENTS,
    search: &[criterion("Model"), criterion("Protocol")],
    operations: &[Operation::Update, Operation::Get, Operation::List],
};

#[rustfmt::skip]
const CREDENTIAL_POLICY_DEFAULT_ELEMENTS: &[Element] = &[
    one_of("credentialUser", CREDENTIAL_USER).required().applied(),
    one_of("credentialType", CREDENTIAL).required().applied(),
    reference("credPolicyName", CredentialPolicy).in_update("newCredPolicyName").applied(),
    secret("credentials", 255).applied(),
    secret("confirmCredentials", 255).applied(),
    boolean("credUserCantChange").default("false").applied(),
    boolean("credUserMustChange").default("true").applied(),
    boolean("credDoesNotExpire").default("false").applied(),
];

pub(super) const CREDENTIAL_POLICY_DEFAULT: ObjectType = ObjectType {
    kind: ObjectKind::CredentialPolicyDefault,
    element: "credentialPolicyDefault",
    attributes: &[],
    since: V10_0,
    key: Key::Several(&["credentialUser", "credentialType", "credPolicyName"]),
    elements: CREDENTIAL_POLICY_DEFAULT_ELEMENTS,
    search: &[],
    operations: &[Operation::Update, Operation::Get],
};

// An administrator must be able to tell a code to whoever is to enter it.
#[rustfmt::skip]
const PHONE_ACTIVATION_CODE_ELEMENTS: &[Element] = &[
    text("activationCode", 255).answered_secret().applied(),
    integer("activationCodeExpiry").applied(),
    text("phoneName", 255).required().characters(Characters::DeviceName).applied(),
    text("phoneDescription", 255).only_in_answers().applied(),
    text("phoneModel", 128).only_in_answers().applied(),
    boolean("enableActivationId").only_in_answers().applied(),
    reference("userId", ObjectKind::User).only_in_answers().applied(),
];

pub(super) const PHONE_ACTIVATION_CODE: ObjectType = ObjectType {
    kind: ObjectKind::PhoneActivationCode,
    element: "phoneActivationCode",
    attributes: &[],
    since: V12_5,
    key: Key::Name("activationCode"),
    elements: PHONE_ACTIVATION_CODE_ELEMENTS,
    search: &[criterion("phoneName"), criterion("userId")],
    operations: &[Operation::Add, Operation::List, Operation::Remove],
};
