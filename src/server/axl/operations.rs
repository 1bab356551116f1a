//! Operations: the call to a use case, and what the use case gives back as the content of the
//! response element.

mod sql;
mod system;

use std::net::IpAddr;

use crate::domain::schema::SchemaVersion;
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
        unknown => Err(Fault::no_operation(&format!(
            "{unknown} is no operation of AXL {} that this server has",
            caller.version
        ))),
    }
}
