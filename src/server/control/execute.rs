//! A command, carried out: one use case, its answer as commands show it.
//!
//! The running service answers the control socket with it; with no service running, the command
//! line opens the database and calls it directly. So both do the same.

use crate::server::control::fault::Fault;
use crate::server::control::protocol::{Answer, Request, Response};
use crate::server::control::{
    activation_codes, administrators, auto_registration, certificates, devices, new_devices,
    restarts, system, users,
};
use crate::service::App;

/// Carries out one command.
pub async fn execute(app: &App, request: Request) -> Response {
    match answer(app, request).await {
        Ok(answer) => Response::Ok(answer),
        Err(fault) => Response::Error(fault.into_text()),
    }
}

async fn answer(app: &App, request: Request) -> Result<Answer, Fault> {
    match request {
        Request::UserAdd(user) => users::add(app, *user).await,
        Request::UserList(page) => users::list(app, &page).await,
        Request::UserShow(user) => users::show(app, &user.name).await,
        Request::UserSetPin {
            name,
            pin,
            must_change,
        } => users::set_pin(app, &name, pin, must_change).await,
        Request::UserSetDigest { name, digest } => users::set_digest(app, &name, digest).await,
        Request::UserSetPassword {
            name,
            password,
            must_change,
        } => users::set_password(app, &name, password, must_change).await,
        Request::Administrator(request) => administrators::answer(app, request).await,
        Request::UserSetEnabled { name, enabled } => users::set_enabled(app, &name, enabled).await,
        Request::UserUnlock(user) => users::unlock(app, &user.name).await,
        Request::DeviceAdd(new) => new_devices::add(app, *new).await,
        Request::DeviceUpdate(change) => new_devices::update(app, *change).await,
        Request::DeviceDelete(device) => new_devices::delete(app, &device.name).await,
        Request::DeviceSheet(device) => new_devices::sheet(app, &device.name).await,
        Request::DeviceList(page) => devices::list(app, &page).await,
        Request::DeviceShow(device) => devices::show(app, &device.name).await,
        Request::DeviceUnlock(device) => devices::unlock(app, &device.name).await,
        Request::DeviceRelease(device) => devices::release(app, &device.name).await,
        Request::DeviceActivationCode {
            name,
            lifetime_s,
            replace,
        } => activation_codes::show(app, &name, lifetime_s, replace).await,
        Request::DeviceActivationCodeRemove(device) => {
            activation_codes::remove(app, &device.name).await
        }
        Request::DeviceRestart { name, action } => restarts::restart(app, &name, action).await,
        Request::DeviceRestartMany {
            model,
            action,
            per_minute,
        } => restarts::restart_many(app, model.as_deref(), action, per_minute).await,
        Request::DeviceRestartCancel => restarts::cancel(app).await,
        Request::DeviceRestarts => Ok(restarts::list(app)),
        Request::DeviceAllowFile { name, for_s } => devices::allow_file(app, &name, for_s).await,
        Request::AutoRegistrationShow => auto_registration::show(app).await,
        Request::AutoRegistrationSet(change) => auto_registration::set(app, &change).await,
        Request::SelfProvisioningShow => Ok(system::self_provisioning(app)),
        Request::SelfProvisioningSetMode { mode } => system::set_mode(app, mode).await,
        Request::SelfProvisioningSetCode { code } => system::set_code(app, code).await,
        Request::UserProfileList => Ok(system::user_profiles(app)),
        Request::UserProfileSet(change) => system::user_profile_set(app, &change).await,
        Request::CertShow => certificates::show(app).await,
        Request::CertCreate => certificates::create(app).await,
        Request::CertCreateServiceKeys => certificates::create_service_keys(app).await,
        Request::CertRotate => certificates::rotate(app).await,
        Request::CertExport { number, passphrase } => {
            certificates::export(app, number, &passphrase).await
        }
        Request::CertExported { number, beside } => {
            certificates::exported(app, number, &beside).await
        }
        Request::CertImport { file, passphrase } => {
            certificates::import(app, &file, passphrase).await
        }
        Request::CertRetire { number, force } => certificates::retire(app, number, force).await,
        Request::Readiness { user } => users::readiness(app, user.as_deref()).await,
    }
}
