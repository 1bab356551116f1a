//! Operations: the call to a use case, and what the use case gives back as the content of the
//! response element.

mod change;
mod objects;
mod sql;
mod system;

use std::net::IpAddr;

use crate::domain::schema::{Operation, SchemaVersion};
use crate::service::App;
use crate::service::api_login::Access;
use crate::service::record::Actor;

use super::envelope::Call;
use super::fault::Fault;

/// Who calls what, and how the answer is to be worded.
pub(super) struct Caller<'a> {
    pub(super) app: &'a App,
    pub(super) actor: &'a Actor,
    pub(super) access: Option<Access>,
    pub(super) source: IpAddr,
    pub(super) version: SchemaVersion,
}

impl Caller<'_> {
    /// Lets only those change something who may.
    fn check_may_change(&self, operation: &str) -> Result<(), Fault> {
        match self.access {
            Some(Access::Write) => Ok(()),
            Some(Access::Read) | None => Err(Fault::read_only(operation)),
        }
    }

    /// Tells the administrator of elements that the dialect before 8.0 does not have. The client is
    /// told by a header of the answer.
    fn report(&self, ignored: &[String]) -> Result<(), Fault> {
        for path in ignored {
            let (user, source) = (&self.actor.name, self.source);
            tracing::warn!(%user, %source, element = %path, "AXL 7.1 has no such element; it was not applied");
        }
        Ok(())
    }
}

/// Carries a call out and gives the content of its response element.
pub(super) async fn carry_out(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    match call.operation() {
        "getCCMVersion" => system::ccm_version(caller, call),
        "doAuthenticateUser" => {
            caller.check_may_change(call.operation())?;
            system::authenticate_user(caller, call).await
        }
        "executeSQLQuery" => sql::query(caller, call).await,
        "listChange" => change::list(caller, call).await,
        name => match objects::parsed(name, caller.version) {
            Some((operation, object)) => {
                if !matches!(operation, Operation::Get | Operation::List) {
                    caller.check_may_change(name)?;
                }
                match operation {
                    Operation::Add => objects::add(caller, call, object).await,
                    Operation::Update => objects::update(caller, call, object).await,
                    Operation::Get => objects::get(caller, call, object).await,
                    Operation::List => objects::list(caller, call, object).await,
                    Operation::Remove => objects::remove(caller, call, object).await,
                    _ => Err(unknown(caller, name)),
                }
            }
            None => Err(unknown(caller, name)),
        },
    }
}

fn unknown(caller: &Caller<'_>, operation: &str) -> Fault {
    Fault::no_operation(&format!(
        "{operation} is no operation of AXL {} that this server has",
        caller.version
    ))
}
