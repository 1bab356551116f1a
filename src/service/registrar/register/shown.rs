//! Which bindings an answer shows. Source: RFC 3261 clause 10.3 step 8.
//!
//! Whoever asks gets every binding of the line, and so does each device that is found by its
//! account: these read the list as the RFC means it. A Cisco phone that sets a binding gets its own
//! and no other, as from CUCM: it takes the one Contact of the answer for its own.

use std::sync::Arc;

use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;
use crate::domain::pkid::Pkid;
use crate::domain::time::UnixMillis;
use crate::service::App;
use crate::service::devices::phone_book::KnownPhone;

/// Bindings in one answer, so that it fits a datagram. As many as ring in a call.
const SHOWN_MAX: usize = 32;

/// A device whose answers show what others have bound to its line too.
#[derive(Debug)]
pub(super) struct Shown {
    device: DeviceName,
    number: Box<str>,
}

impl Shown {
    /// `None` for a Cisco phone.
    pub(super) fn to(known: &KnownPhone, number: &str) -> Option<Self> {
        known.is_found_by_account().then(|| Self {
            device: known.phone.name.clone(),
            number: number.into(),
        })
    }

    /// What is bound by others, and with `own` by the device itself.
    pub(super) fn bindings(&self, app: &App, now: UnixMillis, own: bool) -> Vec<Arc<Binding>> {
        let Some(known) = app.phones.find(&self.device) else {
            return Vec::new();
        };
        let mut bindings = of_line(app, &known, &self.number, now);
        bindings.retain(|binding| own || binding.device_name != self.device);
        bindings
    }
}

/// Every binding of this line of the device, of all devices that share it, in their names' order.
pub(super) fn of_line(
    app: &App,
    known: &KnownPhone,
    number: &str,
    now: UnixMillis,
) -> Vec<Arc<Binding>> {
    let Ok(parsed) = number.parse() else {
        return Vec::new();
    };
    let lines = |known: &KnownPhone| -> Vec<Pkid> {
        let lines = known.phone.lines.iter();
        let of_number = lines.filter(|line| line.pattern == parsed);
        of_number.map(|line| line.line).collect()
    };
    // The same number in another route partition is another line.
    let own = lines(known);
    let mut devices = app.phones.of_number(&parsed);
    devices.retain(|other| lines(other).iter().any(|line| own.contains(line)));
    devices.sort_unstable_by(|a, b| a.phone.name.cmp(&b.phone.name));
    let bindings = devices.iter().flat_map(|other| {
        let bindings = app.locations.of_device(&other.phone.name);
        bindings.into_iter().filter(|binding| {
            binding.address_of_record() == number && binding.expires_at.since(now).as_secs() > 0
        })
    });
    bindings.take(SHOWN_MAX).collect()
}
