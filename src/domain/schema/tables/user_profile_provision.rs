//! User Profiles: whether, with what and how often their users may provision phones.

use super::words::MRA_POLICY;
use crate::domain::schema::ObjectKind::{
    UniversalDeviceTemplate, UniversalLineTemplate, UserProfileProvision,
};
use crate::domain::schema::SchemaVersion::{V10_0, V12_0, V12_5, V14_0};
use crate::domain::schema::{
    Characters, Element, Key, ObjectKind, ObjectType, Operation, Places, boolean, criterion,
    integer, one_of, reference, text,
};

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 50).key("newName").characters(Characters::ModelName),
    text("description", 255).applied(),
    reference("deskPhones", UniversalDeviceTemplate).unlisted().applied(),
    reference("mobileDevices", UniversalDeviceTemplate).unlisted().applied(),
    reference("profile", UniversalDeviceTemplate).unlisted().applied(),
    reference("universalLineTemplate", UniversalLineTemplate).unlisted().applied(),
    boolean("allowProvision").default("false").applied(),
    integer("limitProvision").within(0, 20).default("10").applied(),
    // The first schemas of 12.5 have it not yet, so answers of 12.5 leave it out.
    boolean("allowPhoneReassign").since(V12_5).before(V14_0).only_in(Places::REQUESTS)
        .default("false").applied(),
    boolean("allowPhoneReassign").since(V14_0).default("false").applied(),
    reference("defaultUserProfile", UserProfileProvision).applied(),
    boolean("enableMra").since(V12_0).unlisted().default("true"),
    one_of("mraPolicy_Desktop", MRA_POLICY).since(V12_0).unlisted()
        .default("IM & Presence, Voice and Video calls"),
    one_of("mraPolicy_Mobile", MRA_POLICY).since(V12_0).unlisted()
        .default("IM & Presence, Voice and Video calls"),
    boolean("allowProvisionEMMaxLoginTime").since(V12_5).default("false"),
];

pub(super) const USER_PROFILE_PROVISION: ObjectType = ObjectType {
    kind: ObjectKind::UserProfileProvision,
    element: "userProfileProvision",
    attributes: &[],
    since: V10_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name"), criterion("description")],
    operations: Operation::CONFIGURE,
};
