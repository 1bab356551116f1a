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

use crate::domain::schema::coverage::OtherId;
use crate::domain::schema::{Effect, ObjectKind, ObjectType, Operation, SchemaVersion, Subject};
use crate::locks;
use crate::service::App;
use crate::service::credentials::api_login::Access;
use crate::service::history::record::Actor;

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
            let (user, source) = (&self.actor.who, self.source);
            tracing::warn!(%user, %source, element = ?path, "AXL 7.1 does not have it; it was not applied");
        }
        let mut all = locks::lock(&self.ignored);
        all.extend(ignored);
        Ok(())
    }
}

/// Whether an operation changes something. One that there is not changes nothing.
pub(super) fn changes(call: &Call, version: SchemaVersion) -> bool {
    let subject = Subject::of(call.operation(), version);
    subject.is_some_and(|subject| subject.effect() == Effect::Changes)
}

/// Carries a call out and gives the content of its response element.
pub(super) async fn carry_out(caller: &Caller<'_>, call: &Call) -> Result<Content, Fault> {
    let name = call.operation();
    let Some(subject) = Subject::of(name, caller.version) else {
        return Err(unknown(name, caller.version));
    };
    if subject.effect() == Effect::Changes {
        caller.check_may_change(name)?;
    }
    if subject.gives_secrets() {
        caller.check_may_have_secrets(name)?;
    }
    match subject {
        Subject::Object(operation, object) => of_object(caller, call, operation, object).await,
        Subject::Other(operation) => other(caller, call, operation.id).await,
    }
}

async fn of_object(
    caller: &Caller<'_>,
    call: &Call,
    operation: Operation,
    object: &'static ObjectType,
) -> Result<Content, Fault> {
    let content = match operation {
        Operation::Add => objects::add(caller, call, object).await,
        Operation::Update => objects::update(caller, call, object).await,
        Operation::Get => objects::get(caller, call, object).await,
        Operation::List => return list::list(caller, call, object).await,
        Operation::Options => options::get(caller, call, object).await,
        Operation::Remove => objects::remove(caller, call, object).await,
        Operation::Apply
        | Operation::Restart
        | Operation::Reset
        | Operation::Lock
        | Operation::Wipe => restart::of_object(caller, call, operation, object).await,
    };
    content.map(Content::Whole)
}

async fn other(caller: &Caller<'_>, call: &Call, operation: OtherId) -> Result<Content, Fault> {
    let content = match operation {
        OtherId::GetCcmVersion => system::ccm_version(caller, call),
        OtherId::DoAuthenticateUser => system::authenticate_user(caller, call).await,
        OtherId::ListUserByName => {
            let names = &["userid", "lastName"];
            return list::by_name(caller, call, ObjectKind::User, names).await;
        }
        OtherId::ListPhoneByName => {
            return list::by_name(caller, call, ObjectKind::Phone, &["name"]).await;
        }
        OtherId::ExecuteSqlQuery => sql::query(caller, call).await,
        OtherId::ExecuteSqlUpdate => sql::update(caller, call).await,
        OtherId::DoDeviceReset => restart::device(caller, call).await,
        OtherId::ListChange => change::list(caller, call).await,
    };
    content.map(Content::Whole)
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
    let hint = match others.find(|other| Subject::of(name, *other).is_some()) {
        Some(since) if version < since => format!("{name} is there from AXL {since} on"),
        Some(_) => format!("{name} is not there any more in AXL {version}"),
        None => format!("{name} is no operation of AXL {version} that this server has"),
    };
    Fault::no_operation(&hint)
}
