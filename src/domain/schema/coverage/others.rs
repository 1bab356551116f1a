//! The operations that belong to no kind of object: their arguments and their answers, in the
//! same terms as the tables of objects.

use crate::domain::schema::{
    Effect, Element, MANY, ObjectKind, SchemaVersion, any, boolean, group, integer, one_of,
    reference, secret, text,
};

/// An operation that no table describes.
#[derive(Debug, Clone, Copy)]
pub struct OtherOperation {
    /// Which it is.
    pub id: OtherId,
    /// Its name on the wire.
    pub name: &'static str,
    /// The first version that has it.
    pub since: SchemaVersion,
    /// The first version that has it no more.
    pub before: Option<SchemaVersion>,
    /// Whether it changes something.
    pub effect: Effect,
    /// What it is given.
    pub arguments: &'static [Element],
    /// What it gives.
    pub answer: OtherAnswer,
    /// What it does here.
    pub note: &'static str,
}

/// Which of the operations without a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherId {
    /// `getCCMVersion`.
    GetCcmVersion,
    /// `doAuthenticateUser`.
    DoAuthenticateUser,
    /// `listUserByName`: how users were listed before 8.0.
    ListUserByName,
    /// `listPhoneByName`: how phones were listed before 8.0.
    ListPhoneByName,
    /// `executeSQLQuery`.
    ExecuteSqlQuery,
    /// `executeSQLUpdate`.
    ExecuteSqlUpdate,
    /// `doDeviceReset`.
    DoDeviceReset,
    /// `listChange`.
    ListChange,
}

/// What an operation without a table gives.
#[derive(Debug, Clone, Copy)]
pub enum OtherAnswer {
    /// The identity of what it changed, or `true`.
    Done,
    /// These elements inside `return`.
    Elements(&'static [Element]),
    /// These elements, without a `return` around them.
    Bare(&'static [Element]),
    /// Objects of this kind inside `return`.
    Objects(ObjectKind),
}

impl OtherOperation {
    /// Every operation without a table that this system has.
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// Whether `version` has it.
    pub fn is_in(&self, version: SchemaVersion) -> bool {
        self.since <= version && self.before.is_none_or(|before| version < before)
    }
}

/// Longest statement in characters; the schema has no limit, a request of 1 MiB has.
const STATEMENT_CHARACTERS_MAX: u16 = u16::MAX;

#[rustfmt::skip]
const NODE: &[Element] = &[
    text("processNodeName", 255).applied(),
];

#[rustfmt::skip]
const COMPONENT_VERSION: &[Element] = &[
    text("version", 50).applied(),
];

#[rustfmt::skip]
const VERSIONS: &[Element] = &[
    group("componentVersion", COMPONENT_VERSION).applied(),
];

#[rustfmt::skip]
const CREDENTIALS: &[Element] = &[
    text("userid", 128).required().applied(),
    secret("password", 255).applied().branch(1),
    secret("pin", 255).applied().branch(2),
];

#[rustfmt::skip]
const VERDICT: &[Element] = &[
    boolean("userAuthenticated").applied(),
    integer("code").applied(),
    integer("daysToExpiry").applied(),
    boolean("isWarningNeeded").since(SchemaVersion::V11_0).applied(),
];

#[rustfmt::skip]
const SEARCH: &[Element] = &[
    text("searchString", 255).required().applied(),
    integer("skip").applied(),
    integer("first").applied(),
];

#[rustfmt::skip]
const STATEMENT: &[Element] = &[
    text("sql", STATEMENT_CHARACTERS_MAX).required().applied(),
];

#[rustfmt::skip]
const ROWS: &[Element] = &[
    any("row").repeated(MANY).applied(),
];

/// How a device is reset.
const RESET_TYPES: &[&str] = &["Reset", "Restart", "Apply Configuration"];

#[rustfmt::skip]
const RESET: &[Element] = &[
    reference("deviceName", ObjectKind::Phone).required().applied(),
    boolean("isHardReset").applied().branch(1),
    one_of("deviceResetType", RESET_TYPES).since(SchemaVersion::V8_5).applied().branch(2),
];

#[rustfmt::skip]
const UPDATED: &[Element] = &[
    integer("rowsUpdated").applied(),
];

#[rustfmt::skip]
const CHANGED_KINDS: &[Element] = &[
    text("object", 100).repeated(MANY).applied(),
];

#[rustfmt::skip]
const SINCE_WHEN: &[Element] = &[
    integer("startChangeId").applied().attributes(&["queueId"]),
    group("objectList", CHANGED_KINDS).applied(),
];

#[rustfmt::skip]
const QUEUE: &[Element] = &[
    integer("firstChangeId").applied(),
    integer("lastChangeId").applied(),
    integer("nextStartChangeId").applied(),
    text("queueId", 100).applied(),
];

#[rustfmt::skip]
const CHANGE: &[Element] = &[
    integer("id").applied(),
    text("action", 1).applied(),
    boolean("doGet").applied(),
];

#[rustfmt::skip]
const CHANGES: &[Element] = &[
    group("change", CHANGE).repeated(MANY).applied().attributes(&["type", "uuid"]),
];

#[rustfmt::skip]
const CHANGES_OF_QUEUE: &[Element] = &[
    group("queueInfo", QUEUE).applied(),
    group("changes", CHANGES).applied(),
];

static ALL: &[OtherOperation] = &[
    OtherOperation {
        id: OtherId::GetCcmVersion,
        name: "getCCMVersion",
        since: SchemaVersion::OLDEST,
        before: None,
        effect: Effect::Reads,
        arguments: NODE,
        answer: OtherAnswer::Elements(VERSIONS),
        note: "The newest version of the schema that is served",
    },
    OtherOperation {
        id: OtherId::DoAuthenticateUser,
        name: "doAuthenticateUser",
        since: SchemaVersion::OLDEST,
        before: None,
        effect: Effect::Changes,
        arguments: CREDENTIALS,
        answer: OtherAnswer::Elements(VERDICT),
        note: "Counts like an attempt on a page; `code` is 0, 1 (wrong, or locked), 2 (too \
               early) or 3 (right, but it must be changed); `daysToExpiry` is 0 as well when it \
               never expires; `isWarningNeeded` from `expiryWarningDays` before that on",
    },
    OtherOperation {
        id: OtherId::ListUserByName,
        name: "listUserByName",
        since: SchemaVersion::OLDEST,
        before: Some(SchemaVersion::V8_0),
        effect: Effect::Reads,
        arguments: SEARCH,
        answer: OtherAnswer::Objects(ObjectKind::User),
        note: "Users whose user ID or last name fits; `listUser` from 8.0 on",
    },
    OtherOperation {
        id: OtherId::ListPhoneByName,
        name: "listPhoneByName",
        since: SchemaVersion::OLDEST,
        before: Some(SchemaVersion::V8_0),
        effect: Effect::Reads,
        arguments: SEARCH,
        answer: OtherAnswer::Objects(ObjectKind::Phone),
        note: "Phones whose name fits; `listPhone` from 8.0 on",
    },
    OtherOperation {
        id: OtherId::ExecuteSqlQuery,
        name: "executeSQLQuery",
        since: SchemaVersion::OLDEST,
        before: None,
        effect: Effect::Reads,
        arguments: STATEMENT,
        answer: OtherAnswer::Elements(ROWS),
        note: "One `select` on CUCM's tables",
    },
    OtherOperation {
        id: OtherId::ExecuteSqlUpdate,
        name: "executeSQLUpdate",
        since: SchemaVersion::OLDEST,
        before: None,
        effect: Effect::Changes,
        arguments: STATEMENT,
        answer: OtherAnswer::Elements(UPDATED),
        note: "One `insert`, `update` or `delete` of those that [SQL](axl.md#sql) lists",
    },
    OtherOperation {
        id: OtherId::DoDeviceReset,
        name: "doDeviceReset",
        since: SchemaVersion::OLDEST,
        before: None,
        effect: Effect::Changes,
        arguments: RESET,
        answer: OtherAnswer::Done,
        note: "Resets (`isHardReset`) or restarts a phone; 7.1 takes `deviceId` as well",
    },
    OtherOperation {
        id: OtherId::ListChange,
        name: "listChange",
        since: SchemaVersion::V10_0,
        before: None,
        effect: Effect::Reads,
        arguments: SINCE_WHEN,
        answer: OtherAnswer::Bare(CHANGES_OF_QUEUE),
        note: "What was added, updated and removed, from the audit log",
    },
];
