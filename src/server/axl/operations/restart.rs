//! `apply…`, `restart…`, `reset…` and `doDeviceReset`.

use crate::domain::phone_restart::PhoneAction;
use crate::domain::schema::{ObjectKind, ObjectType, Operation, Reference};
use crate::service::objects::{self as use_cases, ObjectKey};

use super::super::encode::uuid;
use super::super::envelope::Call;
use super::super::fault::Fault;
use super::keys::key_of;
use super::{Caller, arguments};

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
    let (key, names) = key_of(caller, call, object, operation)?;
    arguments::check(caller, call, &names)?;
    tell(caller, object, &key, action).await
}

/// `doDeviceReset`: the only way before 10.0.
pub(super) async fn device(caller: &Caller<'_>, call: &Call) -> Result<String, Fault> {
    const KNOWN: [&str; 4] = ["deviceName", "deviceId", "isHardReset", "deviceResetType"];
    arguments::check(caller, call, &KNOWN)?;
    let object = ObjectType::of(ObjectKind::Phone).ok_or_else(|| Fault::not_found("Phone"))?;
    let key = device_of(caller, call, object)?;
    tell(caller, object, &key, action_of(caller, call)?).await
}

/// The device that is said by name, by identity, or by both.
fn device_of(
    caller: &Caller<'_>,
    call: &Call,
    object: &'static ObjectType,
) -> Result<ObjectKey, Fault> {
    let reference = match arguments::once(call.element(), "deviceName", call.operation())? {
        Some(argument) => arguments::reference(caller, argument, "doDeviceReset/deviceName")?,
        None => Reference::default(),
    };
    let identity = arguments::text(caller, call, "deviceId")?;
    let identity = identity.map(|text| arguments::pkid("deviceId", &text));
    let (by_id, by_uuid) = (identity.transpose()?, reference.pkid);
    if let (Some(one), Some(other)) = (by_id, by_uuid)
        && one != other
    {
        return Err(Fault::not_valid(
            "doDeviceReset: deviceId and the uuid of deviceName are two devices; send one",
        ));
    }
    let name = Some(reference.name).filter(|name| !name.is_empty());
    match (by_id.or(by_uuid), name.map(ObjectKey::Name)) {
        (Some(pkid), Some(name)) => Ok(ObjectKey::Both(pkid, Box::new(name))),
        (Some(pkid), None) => Ok(ObjectKey::Pkid(pkid)),
        (None, Some(name)) => Ok(name),
        (None, None) => Err(Fault::not_valid(format!(
            "doDeviceReset does not say which {} is meant: deviceName is missing",
            object.kind.noun()
        ))),
    }
}

fn action_of(caller: &Caller<'_>, call: &Call) -> Result<PhoneAction, Fault> {
    let said = |name: &str| {
        let said = arguments::text(caller, call, name)?;
        Ok::<_, Fault>(said.map(|text| text.to_ascii_lowercase()))
    };
    match (
        said("isHardReset")?.as_deref(),
        said("deviceResetType")?.as_deref(),
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
