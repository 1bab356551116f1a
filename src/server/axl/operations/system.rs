//! Operations on the system itself: its version, and whether somebody's password or PIN is right.

use quick_xml::escape::escape;

use crate::domain::history::CorrelationId;
use crate::domain::schema::SchemaVersion;
use crate::domain::secret::Secret;
use crate::service::credentials::authenticate::{self, Attempt, AuthenticateError};
use crate::service::credentials::hasher::Share;

use super::super::envelope::Call;
use super::super::fault::Fault;
use super::arguments::NOT_FILLED_IN;
use super::{Caller, arguments};

/// What follows the newest schema's number in the version that is reported: scripts read the first
/// two numbers and choose their schema by them.
const BUILD: &str = "1.10000(1)";

/// Codes of `doAuthenticateUser`: all is well.
const AUTHENTICATED: i32 = 0;
/// Not the right credential, or nobody.
const NOT_AUTHENTICATED: i32 = 1;
/// Locked or delayed.
const LOCKED: i32 = 2;
/// Right, but it must be changed before it is good for anything else.
const MUST_CHANGE: i32 = 3;

/// `getCCMVersion`: the version that clients choose their schema by.
pub(super) fn ccm_version(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    arguments::check(caller, call, &["processNodeName"])?;
    let name = arguments::text(caller, call, "processNodeName")?;
    let catalogue = caller.app.catalogue.load();
    let is_known = |name: &String| {
        let mut nodes = catalogue.call_managers.values();
        nodes.any(|node| node.name == *name || node.process_node_name == *name)
    };
    if name.is_some_and(|name| name != NOT_FILLED_IN && !is_known(&name)) {
        return Err(Fault::not_found("ProcessNode"));
    }
    let version = escape(format!("{}.{BUILD}", SchemaVersion::NEWEST)).into_owned();
    Ok(format!(
        "<return><componentVersion><version>{version}</version></componentVersion></return>"
    ))
}

/// `doAuthenticateUser`: a wrong credential is an ordinary answer, and counts like one on a page.
pub(super) async fn authenticate_user(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    arguments::check(caller, call, &["userid", "password", "pin"])?;
    let user_id = arguments::text(caller, call, "userid")?
        .ok_or_else(|| Fault::not_valid("doAuthenticateUser: userid is missing"))?;
    let (password, pin) = (call.argument("password"), call.argument("pin"));
    let (Some(shown), is_pin) = (password.or(pin), pin.is_some()) else {
        return Err(Fault::not_valid("doAuthenticateUser: send password or pin"));
    };
    if password.is_some() && is_pin {
        return Err(Fault::not_valid(
            "doAuthenticateUser: send password or pin, not both",
        ));
    }
    let shown = arguments::text_of(caller, shown, "doAuthenticateUser/credential")?;
    let secret = Secret::from(shown.unwrap_or_default().as_str());
    let attempt = Attempt {
        login: &user_id,
        secret: Some(&secret),
        is_needed: true,
        device: None,
        source: caller.source,
        share: Share::Others,
        correlation: caller
            .actor
            .correlation
            .unwrap_or_else(|| CorrelationId(caller.app.new_pkid())),
    };
    let now = caller.app.environment.now();
    let outcome = if is_pin {
        let accepted = authenticate::authenticate(caller.app, &attempt).await;
        accepted.map(|accepted| accepted.credential)
    } else {
        let accepted = authenticate::authenticate_password(caller.app, &attempt).await;
        accepted.map(|accepted| accepted.credential)
    };
    let version = caller.version;
    match outcome {
        Ok(credential) => {
            let credential = credential.as_ref();
            let must_change = credential.is_some_and(|credential| credential.must_change(now));
            let code = if must_change {
                MUST_CHANGE
            } else {
                AUTHENTICATED
            };
            let days = credential.and_then(|credential| credential.days_to_expiry(now));
            let expiry = Expiry {
                days: days.unwrap_or(0),
                is_near: credential.is_some_and(|credential| credential.is_expiry_near(now)),
            };
            Ok(verdict(version, true, code, &expiry))
        }
        Err(AuthenticateError::Failed) => Ok(verdict(
            version,
            false,
            NOT_AUTHENTICATED,
            &Expiry::default(),
        )),
        Err(AuthenticateError::Wait(_)) => Ok(verdict(version, false, LOCKED, &Expiry::default())),
        Err(AuthenticateError::Service(error)) => Err(error.into()),
    }
}

/// How soon a right credential expires.
#[derive(Default)]
struct Expiry {
    /// Whole days left; 0: it does not expire, or does so today.
    days: u64,
    /// Whether the policy wants its owner to be warned.
    is_near: bool,
}

/// Strict clients refuse an element that their version does not have.
fn verdict(version: SchemaVersion, is_authenticated: bool, code: i32, expiry: &Expiry) -> String {
    let Expiry { days, is_near } = expiry;
    let warning = if version < SchemaVersion::V11_0 {
        String::new()
    } else {
        format!("<isWarningNeeded>{is_near}</isWarningNeeded>")
    };
    format!(
        "<return><userAuthenticated>{is_authenticated}</userAuthenticated><code>{code}</code>\
         <daysToExpiry>{days}</daysToExpiry>{warning}</return>"
    )
}
