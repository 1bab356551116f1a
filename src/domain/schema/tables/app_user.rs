//! Application users: administrators and programs.

use super::kinds::PRESENCE_GROUP;
use super::shared::{ASSOCIATED_GROUPS, PASSWORD_CREDENTIALS};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, SchemaVersion, boolean,
    criterion, group, reference, secret, text,
};

#[rustfmt::skip]
const ASSOCIATED_DEVICES: &[Element] = &[
    text("device", 50).repeated(MANY).characters(Characters::DeviceName).applied(),
];

#[rustfmt::skip]
const ASSOCIATED_CAPF_PROFILES: &[Element] = &[
    text("capfProfileInstanceId", 128).repeated(MANY),
];

#[rustfmt::skip]
const CTI_CONTROLLED_DEVICE_PROFILES: &[Element] = &[
    text("deviceProfile", 50).repeated(MANY),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("userid", 128).key("newUserid").characters(Characters::UserId),
    secret("password", 255).unlisted().applied(),
    group("passwordCredentials", PASSWORD_CREDENTIALS).unlisted().applied(),
    secret("digestCredentials", 255).unlisted(),
    reference("presenceGroupName", PRESENCE_GROUP).default("Standard Presence group"),
    boolean("acceptPresenceSubscription").default("false"),
    boolean("acceptOutOfDialogRefer").default("false"),
    boolean("acceptUnsolicitedNotification").default("false"),
    boolean("allowReplaceHeader").default("false"),
    boolean("isStandard").only_in_answers().applied(),
    group("associatedDevices", ASSOCIATED_DEVICES).unlisted().applied(),
    group("associatedGroups", ASSOCIATED_GROUPS).unlisted().applied(),
    group("associatedCapfProfiles", ASSOCIATED_CAPF_PROFILES).only_in_get(),
    group("ctiControlledDeviceProfiles", CTI_CONTROLLED_DEVICE_PROFILES).unlisted(),
];

pub(super) const APP_USER: ObjectType = ObjectType {
    kind: ObjectKind::AppUser,
    element: "appUser",
    attributes: &[],
    since: SchemaVersion::OLDEST,
    key: Key::Name("userid"),
    elements: ELEMENTS,
    search: &[criterion("userid")],
    operations: Operation::CONFIGURE,
};
