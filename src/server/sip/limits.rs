//! Who may send more than others, and what is never refused for want of room.

use std::net::IpAddr;

use crate::domain::registration::Flow;
use crate::service::App;

use super::dialled::dialled;
use super::message::{Method, Request, Uri};
use super::proxy::Proxy;

/// How many usual phones' addresses a network behind NAT, or the PBX, counts as.
const SITE_FACTOR: u32 = 20;

/// The multiple of the limits that this address has.
pub(super) fn source_factor(app: &App, proxy: &Proxy, source: IpAddr) -> u32 {
    let source = source.to_canonical();
    let mut networks = app.settings.auto_registration.nat_networks.iter();
    let is_site = networks.any(|network| network.contains(&source)) || proxy.is_peer(source);
    if is_site { SITE_FACTOR } else { 1 }
}

/// Whether this begins an emergency call of a phone with a live binding: however much its address
/// sends and however busy we are, it goes on.
pub(super) fn begins_emergency_call(app: &App, request: &Request<'_>, flow: &Flow) -> bool {
    let calls = &app.settings.calls;
    let is_emergency = |uri: &Uri<'_>| {
        let dialled = dialled(calls, uri);
        dialled.is_some_and(|dialled| calls.is_emergency(&dialled))
    };
    request.method == Method::Invite
        && is_emergency(&request.uri)
        && app.locations.is_at_address(flow.remote.ip())
}
