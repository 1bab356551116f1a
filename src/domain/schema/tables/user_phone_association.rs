//! *Quick User/Phone Add*: a user, a line and a phone that belong together, in one request.

use super::kinds::VOICE_MAIL_PROFILE;
use crate::domain::schema::ObjectKind::{Css, RoutePartition};
use crate::domain::schema::SchemaVersion::{V8_0, V9_0};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, boolean, reference, secret, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("userId", 128).required().characters(Characters::UserId).applied(),
    secret("password", 128).applied(),
    secret("pin", 128).applied(),
    text("lastName", 128).required().applied(),
    text("middleName", 128).applied(),
    text("firstName", 128).applied(),
    text("productType", 128).required().applied(),
    text("name", 128).required().characters(Characters::DeviceName).applied(),
    reference("dnCssName", Css).applied(),
    reference("phoneCssName", Css).applied(),
    text("e164Mask", 24).characters(Characters::Mask).applied(),
    text("extension", 255).required().characters(Characters::DirectoryNumber).applied(),
    reference("routePartitionName", RoutePartition).applied(),
    reference("voiceMailProfileName", VOICE_MAIL_PROFILE).applied(),
    boolean("enableExtensionMobility").applied(),
    text("DirectoryURI", 254).since(V9_0).applied(),
    reference("DirectoryNumberURIPartition", RoutePartition).since(V9_0).applied(),
];

pub(super) const USER_PHONE_ASSOCIATION: ObjectType = ObjectType {
    kind: ObjectKind::UserPhoneAssociation,
    element: "userPhoneAssociation",
    attributes: &[],
    since: V8_0,
    key: Key::Singleton,
    elements: ELEMENTS,
    search: &[],
    operations: &[Operation::Add],
};
