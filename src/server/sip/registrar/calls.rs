//! INVITE: this program carries no calls. It sends phones on to whoever does.
//!
//! The self-provisioning dialogue will take its number here, before the redirections.

use crate::domain::call_target::CallTarget;
use crate::domain::device::DeviceState;
use crate::domain::registration::Flow;
use crate::service::App;

use super::super::message::{HeaderName, Request, ResponseBuilder, Status};

/// The answer to a call.
///
/// An emergency number from any registered address goes on at once, whatever else holds for the
/// phone. Other calls go to the PBX, but not those of phones that nobody has claimed.
pub(super) fn invite(app: &App, request: &Request<'_>, flow: &Flow) -> Vec<u8> {
    let response = |status| ResponseBuilder::new(request, flow, status);
    let devices = app.locations.at_address(flow.remote.ip());
    if devices.is_empty() {
        return response(Status::FORBIDDEN).finish();
    }
    let dialled = request.uri.address_of_record();
    let Ok(dialled) = &dialled else {
        return response(Status::NOT_FOUND).finish();
    };
    let dialled = dialled.user();
    let calls = &app.settings.calls;
    let is_emergency = calls
        .emergency_numbers
        .iter()
        .any(|number| number.as_str() == dialled);
    let is_claimed = devices.iter().any(|name| {
        app.phones
            .find(name)
            .is_some_and(|known| known.phone.state == DeviceState::Provisioned)
    });
    let target = if is_emergency {
        calls.emergency_target.as_ref().or(calls.pbx.as_ref())
    } else if is_claimed {
        calls.pbx.as_ref()
    } else {
        None
    };
    match target {
        Some(target) => redirect(response(Status::MOVED_TEMPORARILY), dialled, target),
        None if is_emergency => {
            tracing::error!(source = %flow.remote.ip(), number = dialled,
                "an emergency call could not be sent on: set emergency_target or pbx");
            let warning = "399 selfprov \"no emergency target is set\"";
            response(Status::TEMPORARILY_UNAVAILABLE)
                .header(HeaderName::Warning.as_str(), warning)
                .finish()
        }
        None => response(Status::NOT_FOUND).finish(),
    }
}

fn redirect(response: ResponseBuilder, dialled: &str, target: &CallTarget) -> Vec<u8> {
    response
        .header(
            HeaderName::Contact.as_str(),
            format!("<{}>", target.uri(dialled)),
        )
        .finish()
}
