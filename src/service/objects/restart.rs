//! `apply…`, `restart…`, `reset…`: the phones that an object concerns are told.

use super::ObjectError;
use super::ObjectKey;
use super::Outcome;
use super::find;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::DevicePool;
use crate::domain::catalogue::NamedObject;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::phone_restart::PhoneAction;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::devices;
use crate::service::history::record::Actor;
use crate::service::phone_control;

/// Tells a phone, or every registered phone whose file comes from this object, to take changes
/// over, restart or reset. Gives the identity of the object.
///
/// # Errors
///
/// [`ObjectError::NotFound`] when there is no such object.
pub async fn restart(
    app: &App,
    actor: &Actor,
    object: &'static ObjectType,
    key: &ObjectKey,
    action: PhoneAction,
) -> Outcome<Pkid> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let pkid = find(app, connection, object, key).await?;
    let name = names::name_of(app, connection, object.kind, pkid).await?;
    let name = name.ok_or_else(|| ObjectError::not_found(object, key))?;
    drop(reader);
    if object.kind == ObjectKind::Phone {
        let device: DeviceName = name
            .parse()
            .map_err(|_| ObjectError::not_found(object, key))?;
        let asked = devices::restart(app, actor, &device, action).await;
        asked.map_err(|error| match error {
            AdministrationError::NotFound { .. } => ObjectError::not_found(object, key),
            error => error.into(),
        })?;
        return Ok(pkid);
    }
    let catalogue = app.catalogue.load_full();
    let is_concerned = |phone: &Phone| concerns(&catalogue, object.kind, pkid, phone);
    let which = format!("those of {} {name}", object.kind.noun());
    phone_control::restart_concerned(app, actor, action, &which, is_concerned).await?;
    Ok(pkid)
}

/// Whether something in a phone's file comes from an object. What is only kept concerns none.
fn concerns(catalogue: &Catalogue, kind: ObjectKind, pkid: Pkid, phone: &Phone) -> bool {
    let configuration = &phone.configuration;
    let pool = catalogue.device_pools.get(&configuration.device_pool);
    let of_pool = |is_it: fn(&DevicePool, Pkid) -> bool| pool.is_some_and(|pool| is_it(pool, pkid));
    match kind {
        ObjectKind::Line => phone.lines.iter().any(|line| line.line == pkid),
        ObjectKind::RoutePartition => {
            let mut lines = phone.lines.iter();
            lines.any(|line| line.route_partition == pkid)
        }
        ObjectKind::DevicePool => configuration.device_pool == pkid,
        ObjectKind::SipProfile => configuration.sip_profile == pkid,
        ObjectKind::PhoneSecurityProfile => configuration.phone_security_profile == pkid,
        ObjectKind::PhoneButtonTemplate => configuration.phone_button_template == pkid,
        ObjectKind::DateTimeGroup => of_pool(|pool, pkid| pool.date_time_group == pkid),
        ObjectKind::CallManagerGroup => of_pool(|pool, pkid| pool.call_manager_group == pkid),
        ObjectKind::CallManager => pool
            .and_then(|pool| catalogue.call_manager_groups.get(&pool.call_manager_group))
            .is_some_and(|group| group.members.contains(&pkid)),
        ObjectKind::Named(NamedObject::COMMON_PHONE_PROFILE) => {
            configuration.common_phone_profile == pkid
        }
        ObjectKind::Named(NamedObject::SOFTKEY_TEMPLATE) => {
            configuration.softkey_template == Some(pkid)
        }
        ObjectKind::Named(NamedObject::LOCATION) => configuration.location == pkid,
        ObjectKind::Named(NamedObject::REGION) => of_pool(|pool, pkid| pool.region == Some(pkid)),
        _ => false,
    }
}
