//! What the wire layer grants by our settings, who may send more than others, and what is never
//! refused for want of room.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use crate::domain::registration::Flow;
use crate::service::App;
use crate::service::settings::Settings;

use super::dialled::dialled;
use super::message::{Method, Request, Uri};
use super::proxy::Proxy;
use super::transport::Limits;

/// How many usual phones' addresses a network behind NAT, or the PBX, counts as.
const SITE_FACTOR: u32 = 20;

/// The least time for which a connection may be silent, however short registrations are: a phone
/// that is restarting is not to find its connection gone.
const SILENCE_LEAST: Duration = Duration::from_mins(5);

/// What a refresh may be late by. Source: the registrar keeps a binding 15 s beyond its end.
const REFRESH_LATE: Duration = Duration::from_mins(1);

/// What the wire layer grants.
pub(super) fn of(settings: &Settings) -> Limits {
    let count = |limit: u32| usize::try_from(limit).unwrap_or(usize::MAX);
    let lifetime = Duration::from_secs(settings.phones.registration_expires_s.into());
    Limits {
        requests_per_source_s: settings.sip_requests_per_source_s,
        connections_max: count(settings.sip_connections_max),
        connections_per_source_max: count(settings.sip_connections_per_source_max),
        // A phone refreshes within its lifetime. A flow that was silent for longer has no binding.
        idle_timeout: SILENCE_LEAST.max(lifetime + REFRESH_LATE),
        ..Limits::default()
    }
}

/// The multiple of the limits that this address has.
pub(super) fn source_factor(app: &App, proxy: &Proxy, source: IpAddr) -> u32 {
    let source = source.to_canonical();
    let is_site = site_of(app, source).is_some() || proxy.is_peer(source);
    if is_site { SITE_FACTOR } else { 1 }
}

/// The network behind NAT that this address is of; where several are named, the largest.
pub(super) fn site_of(app: &App, source: IpAddr) -> Option<IpNet> {
    let source = source.to_canonical();
    let networks = app.settings.auto_registration.nat_networks.iter();
    let of_source = networks.filter(|network| network.contains(&source));
    of_source
        .min_by_key(|network| network.prefix_len())
        .copied()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_may_be_silent_for_as_long_as_a_registration_lives_and_not_much_longer() {
        let mut settings = Settings::default();
        for (expires_s, silence_s) in [
            (65, 300),
            (120, 300),
            (240, 300),
            (300, 360),
            (3_600, 3_660),
        ] {
            settings.phones.registration_expires_s = expires_s;
            assert_eq!(
                of(&settings).idle_timeout.as_secs(),
                silence_s,
                "{expires_s}"
            );
        }
    }
}
