//! Phone security profiles.

use super::reasons::{NO_ENCRYPTED_FILES, ONLY_SIP};
use super::words::{
    AUTHENTICATION_MODE, DEVICE_SECURITY_MODE, EC_KEY_SIZE, KEY_ORDER, KEY_SIZE, TRANSPORT,
};
use crate::domain::schema::SchemaVersion::{V8_0, V11_0, V12_5};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, Places, boolean, criterion,
    integer, one_of, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("phoneType", 128).not_in(Places::UPDATE).applied(),
    text("protocol", 50).not_in(Places::UPDATE).default("SIP").refused(ONLY_SIP),
    text("name", 255).key("newName").characters(Characters::ModelName),
    text("description", 255).applied(),
    one_of("deviceSecurityMode", DEVICE_SECURITY_MODE).default("Non Secure").applied(),
    one_of("authenticationMode", AUTHENTICATION_MODE).default("By Null String"),
    one_of("keySize", KEY_SIZE).before(V12_5).default("1024"),
    one_of("keySize", KEY_SIZE).since(V12_5).default("2048"),
    one_of("keyOrder", KEY_ORDER).since(V11_0).default("RSA Only"),
    one_of("ecKeySize", EC_KEY_SIZE).since(V11_0).before(V12_5).default("384"),
    one_of("ecKeySize", EC_KEY_SIZE).since(V12_5),
    boolean("tftpEncryptedConfig").default("false").refused(NO_ENCRYPTED_FILES),
    boolean("EnableOAuthAuthentication").since(V12_5).default("false"),
    integer("nonceValidityTime").within(1, 86_400).default("600").applied(),
    one_of("transportType", TRANSPORT).default("TCP+UDP").applied(),
    integer("sipPhonePort").within(1, 65_535).default("5060"),
    boolean("enableDigestAuthentication").default("false").applied(),
    boolean("excludeDigestCredentials").default("false"),
];

pub(super) const PHONE_SECURITY_PROFILE: ObjectType = ObjectType {
    kind: ObjectKind::PhoneSecurityProfile,
    element: "phoneSecurityProfile",
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
        Operation::Remove,
        Operation::Apply,
        Operation::Reset,
    ],
};
