//! Phone button templates.

use crate::domain::schema::ObjectKind::PhoneButtonTemplate;
use crate::domain::schema::SchemaVersion::{V8_0, V11_5};
use crate::domain::schema::{
    Characters, Element, Key, MANY, ObjectKind, ObjectType, Operation, Places, boolean, criterion,
    group, integer, reference, text,
};

#[rustfmt::skip]
const BUTTON: &[Element] = &[
    text("feature", 64).applied(),
    text("label", 50).applied(),
    integer("buttonNumber").within(1, 255).applied(),
    boolean("isFixedFeature").since(V11_5).only_in_get().applied(),
];

#[rustfmt::skip]
const BUTTONS: &[Element] = &[
    group("button", BUTTON).repeated(MANY).applied().attributes(&["uuid"]),
];

#[rustfmt::skip]
const ELEMENTS: &[Element] = &[
    text("name", 255).key("newName").characters(Characters::ModelName),
    reference("basePhoneTemplateName", PhoneButtonTemplate).only_in(Places::ADD).applied(),
    boolean("isUserModifiable").only_in_answers(),
    group("buttons", BUTTONS).unlisted().applied(),
];

pub(super) const PHONE_BUTTON_TEMPLATE: ObjectType = ObjectType {
    kind: ObjectKind::PhoneButtonTemplate,
    element: "phoneButtonTemplate",
    attributes: &[],
    since: V8_0,
    key: Key::Name("name"),
    elements: ELEMENTS,
    search: &[criterion("name")],
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
