//! Operations: the call to a use case, and what the use case gives back as the content of the
//! response element.

mod arguments;
mod change;
mod keys;
mod list;
mod objects;
mod options;
mod restart;
mod sql;
mod system;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use crate::domain::schema::coverage::OtherOperation;
use crate::domain::schema::{ObjectKind, ObjectType, Operation, SchemaVersion};
use crate::locks;
use crate::service::App;
use crate::service::api_login::Access;
use crate::service::record::Actor;

use super::answer::Content;
use super::envelope::Call;
use super::fault::Fault;

/// Lines that one call may write to the log about elements that were not applied.
const REPORTED_MAX: usize = 100;

/// Who calls what, and how the answer is to be worded.
pub(super) struct Caller<'a> {
    pub(super) app: &'a Arc<App>,
    pub(super) actor: &'a Actor,
    pub(super) access: Option<Access>,
    pub(super) source: IpAddr,
    pub(super) version: SchemaVersion,
    /// Elements that the dialect before 8.0 does not have and that were not applied.
    pub(super) ignored: Mutex<Vec<String>>,
}

impl Caller<'_> {
    /// Lets only those change something who may.
    fn check_may_change(&self, operation: &str) -> Result<(), Fault> {
        match self.access {
            Some(Access::Write) => Ok(()),
            Some(Access::Read) | None => Err(Fault::read_only(operation)),
        }
    }

    /// Gives secrets only to those who may change something: whoever has an activation code can
    /// make any phone the configured one.
    fn check_may_have_secrets(&self, operation: &str) -> Result<(), Fault> {
        match self.access {
            Some(Access::Write) => Ok(()),
            Some(Access::Read) | None => Err(Fault::no_secrets(operation)),
        }
    }

    /// Tells the administrator and the client of elements that the dialect before 8.0 does not
    /// have; where the administrator wants it so, they are a fault.
    fn report(&self, ignored: Vec<String>) -> Result<(), Fault> {
        if let (true, Some(path)) = (
            self.app.settings.axl.refuses_unknown_in_old_dialect,
            ignored.first(),
        ) {
            return Err(Fault::not_valid(format!(
                "AXL 7.1 does not have {path}, and this system refuses what it does not know \
                 (setting axl.old_dialect_unknown): leave it out"
            )));
        }
        for path in ignored.iter().take(REPORTED_MAX) {
            let (user, source) = (&self.actor.name, self.source);
            tracing::warn!(%user, %source, element = ?path, "AXL 7.1 does not have it; it was not applied");
        }
        let mut all = locks::lock(&self.ignored);
        all.extend(ignored);
        Ok(())
    }
}

/// Operations without a table that change nothing.
const READING: [&str; 5] = [
    "getCCMVersion",
    "executeSQLQuery",
    "listChange",
    LIST_USER_BY_NAME,
    LIST_PHONE_BY_NAME,
];

/// The one operation that reads and whose answer holds secrets.
const GIVES_SECRETS: &str = "listPhoneActivationCode";

/// How users were listed before 8.0.
const LIST_USER_BY_NAME: &str = "listUserByName";
/// How phones were listed before 8.0.
const LIST_PHONE_BY_NAME: &str = "listPhoneByName";

/// The kind of object that an operation of 7.1 lists by name, and what counts as its name.
fn listed_by_name(
    operation: &str,
    version: SchemaVersion,
) -> Option<(&'static ObjectType, &'static [&'static str])> {
    if !version.is_old_dialect() {
        return None;
    }
    let (kind, names): (_, &'static [&'static str]) = match operation {
        LIST_USER_BY_NAME => (ObjectKind::User, &["userid", "lastName"]),
        LIST_PHONE_BY_NAME => (ObjectKind::Phone, &["name"]),
        _ => return None,
    };
    Some((ObjectType::of(kind)?, names))
}

/// Whether an operation changes something.
pub(super) fn changes(call: &Call, version: SchemaVersion) -> bool {
    match objects::parsed(call.operation(), version) {
        Some((operation, _)) => !matches!(
            operation,
            Operation::Get | Operation::List | Operation::Options
        ),
        None => !READING.contains(&call.operation()),
    }
}

/// Carries a call out and gives the content of its response element.
pub(super) async fn carry_out(caller: &Caller<'_>, call: &Call) -> Result<Content, Fault> {
    let name = call.operation();
    if !is_served(name, caller.version) {
        return Err(unknown(name, caller.version));
    }
    if changes(call, caller.version) {
        caller.check_may_change(name)?;
    }
    if name == GIVES_SECRETS {
        caller.check_may_have_secrets(name)?;
    }
    if let Some((object, names)) = listed_by_name(name, caller.version) {
        return list::by_name(caller, call, object, names).await;
    }
    let content = match name {
        "getCCMVersion" => system::ccm_version(caller, call),
        "doAuthenticateUser" => system::authenticate_user(caller, call).await,
        "executeSQLQuery" => sql::query(caller, call).await,
        "executeSQLUpdate" => sql::update(caller, call).await,
        "doDeviceReset" => restart::device(caller, call).await,
        "listChange" => change::list(caller, call).await,
        name => match objects::parsed(name, caller.version) {
            Some((Operation::Add, object)) => objects::add(caller, call, object).await,
            Some((Operation::Update, object)) => objects::update(caller, call, object).await,
            Some((Operation::Get, object)) => objects::get(caller, call, object).await,
            Some((Operation::Options, object)) => options::get(caller, call, object).await,
            Some((Operation::List, object)) => return list::list(caller, call, object).await,
            Some((Operation::Remove, object)) => objects::remove(caller, call, object).await,
            Some((operation, object)) => restart::of_object(caller, call, operation, object).await,
            None => Err(unknown(name, caller.version)),
        },
    };
    content.map(Content::Whole)
}

/// Whether a version has an operation.
fn is_served(name: &str, version: SchemaVersion) -> bool {
    objects::parsed(name, version).is_some() || other(name).is_some_and(|it| it.is_in(version))
}

/// The operation of this name that no table describes.
fn other(name: &str) -> Option<&'static OtherOperation> {
    OtherOperation::all()
        .iter()
        .find(|other| other.name == name)
}

/// The fault of an operation that a version does not have: it says which does, if any.
fn unknown(name: &str, version: SchemaVersion) -> Fault {
    if ["lockPhone", "wipePhone"].contains(&name) {
        return Fault::no_operation(
            "phones cannot be locked or wiped here; remove the phone with removePhone, so that it \
             cannot register any more, and give its user new digest credentials",
        );
    }
    let mut others = SchemaVersion::ALL.into_iter();
    let hint = match others.find(|other| is_served(name, *other)) {
        Some(since) if version < since => format!("{name} is there from AXL {since} on"),
        Some(_) => format!("{name} is not there any more in AXL {version}"),
        None => format!("{name} is no operation of AXL {version} that this server has"),
    };
    Fault::no_operation(&hint)
}
