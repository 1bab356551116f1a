//! Who gets a device's file with its secret, and who asks for the files of too many devices.
//!
//! A device that never registered belongs to the address that first began to fetch its file, once
//! that address was known not to be forged. Until it registers nobody else gets its secret.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::file_answer::FileRequest;
use super::file_notes::FileEvent;
use super::file_notes::FileNote;
use super::file_requests::Sweep;
use super::first_fetch::Claim;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::settings::ConfigSource;

/// How long after its creation a device that an administrator made and that never registered may
/// fetch its file for the first time.
const FIRST_FETCH_WITHIN: Duration = Duration::from_hours(7 * 24);

/// What the address of a request has to do with the device whose file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretAccess {
    /// The file is its own: nothing is counted against it.
    Own,
    /// Nobody has the file yet, and any address may be the phone: a sweep would be as well.
    FirstFetch,
    /// The file is another's.
    Withheld,
}

/// Policy `config_source` and its exceptions.
pub(super) fn secret_access(
    app: &App,
    phone: &Phone,
    source: IpAddr,
    now: UnixMillis,
) -> SecretAccess {
    let settings = &app.settings.phones;
    let is_open = phone.file_allowed_until.is_some_and(|until| now < until);
    if is_open || settings.config_source == ConfigSource::Any {
        return SecretAccess::Own;
    }
    let Some(registered) = phone.registered_address else {
        return before_registration(app, phone, source, now);
    };
    of_one_phone(app, source, registered)
}

fn before_registration(app: &App, phone: &Phone, source: IpAddr, now: UnixMillis) -> SecretAccess {
    if now.since(phone.created_at) >= FIRST_FETCH_WITHIN {
        return SecretAccess::Withheld;
    }
    let claimed = || app.first_fetches.of(phone.pkid);
    match phone
        .first_fetch_address
        .as_deref()
        .copied()
        .or_else(claimed)
    {
        Some(address) => of_one_phone(app, source, address),
        // Fetched while its file was open to every address.
        None if phone.file_fetched_at.is_some() => SecretAccess::Withheld,
        None => SecretAccess::FirstFetch,
    }
}

fn of_one_phone(app: &App, source: IpAddr, own: IpAddr) -> SecretAccess {
    if is_same_phone(app, source, own) {
        SecretAccess::Own
    } else {
        SecretAccess::Withheld
    }
}

/// Whether the file of this note may go on to its client, whose address is not forged; a first
/// file becomes that address's.
pub(super) fn begins(app: &App, note: &FileNote) -> bool {
    let find = || {
        let known = app.phones.find(&note.device);
        known.filter(|known| known.phone.pkid == note.pkid)
    };
    let Some(known) = find() else {
        // The device was replaced meanwhile: what is on its way is worth nothing any more.
        return true;
    };
    match secret_access(app, &known.phone, note.source, note.at) {
        SecretAccess::Own => return true,
        SecretAccess::Withheld => return false,
        SecretAccess::FirstFetch => {}
    }
    if let Claim::Held(holder) = app.first_fetches.claim(note.pkid, note.source) {
        return is_same_phone(app, note.source, holder);
    }
    // Another's claim may have been written, and forgotten, since the phone was looked at.
    if let Some(holder) =
        find().and_then(|known| known.phone.first_fetch_address.as_deref().copied())
    {
        app.first_fetches.forget(note.pkid);
        return is_same_phone(app, note.source, holder);
    }
    tracing::info!(
        device = %note.device, source = %note.source,
        "the first file of a device goes to this address; no other gets its secret now"
    );
    app.file_notes.leave(FileNote {
        event: FileEvent::FirstFetch,
        warnings: Vec::new(),
        ..note.clone()
    });
    true
}

/// Whether two addresses count as one phone's.
fn is_same_phone(app: &App, one: IpAddr, other: IpAddr) -> bool {
    let settings = &app.settings.phones;
    let (one, other) = (one.to_canonical(), other.to_canonical());
    if one == other {
        return true;
    }
    let prefix = if one.is_ipv4() { 24 } else { 64 };
    let subnet = || IpNet::new(one, prefix).is_ok_and(|network| network.contains(&other));
    (settings.config_source == ConfigSource::Subnet && subnet())
        || settings
            .same_phone_networks
            .iter()
            .any(|network| network.contains(&one) && network.contains(&other))
}

/// Says that a file went out without its secret.
pub(super) fn withheld(phone: &Phone, source: IpAddr) {
    metrics::counter!("selfprov_files_withheld_total").increment(1);
    let own = phone
        .registered_address
        .or(phone.first_fetch_address.as_deref().copied());
    let own = own.map_or_else(|| "none".to_owned(), |address| address.to_string());
    tracing::warn!(
        device = %phone.name, %source, %own,
        "a phone's file was asked for from another address and went out without its secret; \
         if the phone has moved: selfprov device allow-file {} --for 10m",
        phone.name
    );
}

/// Counts a name asked for in vain; logs when it stops an address. One that is not counted passes:
/// nothing that it gets is secret.
pub(super) fn is_sweep(
    app: &App,
    request: &FileRequest<'_>,
    name: &DeviceName,
    now: UnixMillis,
) -> bool {
    matches!(
        counted(app, request, name, now),
        Sweep::StoppedNow | Sweep::Stopped
    )
}

/// Whether an address may be sweeping through names when it asks for one whose file has a secret:
/// an address that is not counted must wait.
pub(super) fn may_be_sweep(
    app: &App,
    request: &FileRequest<'_>,
    name: &DeviceName,
    now: UnixMillis,
) -> bool {
    counted(app, request, name, now) != Sweep::No
}

fn counted(app: &App, request: &FileRequest<'_>, name: &DeviceName, now: UnixMillis) -> Sweep {
    let exempt = &app.settings.auto_registration.nat_networks;
    if exempt
        .iter()
        .any(|network| network.contains(&request.source))
    {
        return Sweep::No;
    }
    let sweep = app.file_requests.count_name(request.source, name, now);
    if matches!(sweep, Sweep::No | Sweep::NotCounted) {
        return sweep;
    }
    metrics::counter!("selfprov_file_requests_throttled_total").increment(1);
    if sweep == Sweep::StoppedNow {
        metrics::counter!("selfprov_file_sweeps_total").increment(1);
        tracing::warn!(
            source = %request.source,
            "an address asks for the files of many phones that are not its own and is throttled; \
             if many phones stand behind it, add it to auto_registration.nat_networks"
        );
    }
    sweep
}
