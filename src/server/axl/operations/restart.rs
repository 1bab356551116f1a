//! `apply…`, `restart…`, `reset…` and `doDeviceReset`.

use crate::domain::phone_restart::PhoneAction;
use crate::domain::schema::{ObjectKind, ObjectType, Operation};
use crate::service::objects::{self as use_cases, ObjectKey};

use super::super::encode::uuid;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::Caller;
use super::objects;

/// `applyPhone`, `restartLine`, `resetDevicePool` and so on.
pub(super) async fn of_object(
    caller: &Caller<'_>,
    call: &Call,
    operation: Operation,
    object: &'static ObjectType,
) -> Result<String, Fault> {
    let action = match operation {
        Operation::Apply => PhoneAction::CheckVersion,
        Operation::Restart => PhoneAction::Restart,
        Operation::Reset => PhoneAction::Reset,
        _ => {
            return Err(Fault::no_operation(&format!(
                "{} is not carried out: this system cannot lock or wipe a phone; remove it with \
                 removePhone, so that it cannot register any more",
                call.operation()
            )));
        }
    };
    let (key, names) = objects::key_of(call, object, caller.version, operation)?;
    objects::no_others(call, &names)?;
    tell(caller, object, &key, action).await
}

/// `doDeviceReset`: the only way before 10.0.
pub(super) async fn device(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    const KNOWN: [&str; 4] = ["deviceName", "deviceId", "isHardReset", "deviceResetType"];
    objects::no_others(call, &KNOWN)?;
    let object = ObjectType::of(ObjectKind::Phone).ok_or_else(|| Fault::not_found("Phone"))?;
    let name = call.argument("deviceName");
    let identity = name
        .and_then(|name| name.attribute("uuid"))
        .filter(|uuid| !uuid.trim().is_empty())
        .map(ToOwned::to_owned)
        .or_else(|| Some(call.argument("deviceId")?.value()).filter(|text| !text.is_empty()));
    let key = match (identity, name) {
        (Some(identity), _) => ObjectKey::Pkid(identity.trim().parse().map_err(|error| {
            Fault::not_valid(format!(
                "the identity of the device is {identity:?}: {error}"
            ))
        })?),
        (None, Some(name)) if !name.is_empty() => ObjectKey::Name(name.value()),
        (None, _) => return Err(Fault::not_valid("doDeviceReset: deviceName is missing")),
    };
    tell(caller, object, &key, action_of(call)?).await
}

fn action_of(call: &Call) -> Result<PhoneAction, Fault> {
    let said = |name: &str| {
        let argument = call.argument(name).filter(|argument| !argument.is_empty());
        argument.map(|argument| argument.value().to_ascii_lowercase())
    };
    match (
        said("isHardReset").as_deref(),
        said("deviceResetType").as_deref(),
    ) {
        (Some(_), Some(_)) => Err(Fault::not_valid(
            "doDeviceReset: send isHardReset or deviceResetType, not both",
        )),
        (Some("true" | "t" | "1"), None) | (None, Some("reset")) => Ok(PhoneAction::Reset),
        (Some("false" | "f" | "0") | None, None) | (None, Some("restart")) => {
            Ok(PhoneAction::Restart)
        }
        (None, Some("apply configuration")) => Ok(PhoneAction::CheckVersion),
        (Some(other), None) => Err(Fault::not_valid(format!(
            "isHardReset is {other:?}; it is true or false"
        ))),
        (None, Some(other)) => Err(Fault::not_valid(format!(
            "deviceResetType is {other:?}; here it is Reset, Restart or Apply Configuration"
        ))),
    }
}

async fn tell(
    caller: &Caller<'_>,
    object: &'static ObjectType,
    key: &ObjectKey,
    action: PhoneAction,
) -> Result<String, Fault> {
    let pkid = use_cases::restart(caller.app, caller.actor, object, key, action).await?;
    Ok(format!("<return>{}</return>", uuid(pkid)))
}
