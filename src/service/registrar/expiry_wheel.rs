//! Which devices have a binding that may end in which second, so that nobody has to look through
//! all of them.
//!
//! A device stands in one slot: that of the second in which its first binding ends as the wheel
//! knows it. A refresh does not move it; when its second comes, it is put where its bindings end by
//! then. So a refresh costs nothing here, and a device is looked at once in a lifetime.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::locks;

/// A second of the wheel.
pub(super) type Slot = i64;

/// The slot of a time.
pub(super) fn slot_of(at: UnixMillis) -> Slot {
    at.unix_s()
}

/// Devices by the second in which a binding of theirs may end.
#[derive(Debug, Default)]
pub(super) struct ExpiryWheel(Mutex<BTreeMap<Slot, Vec<DeviceName>>>);

impl ExpiryWheel {
    /// Puts a device into a slot. One that it stood in before is told apart by whoever takes it.
    pub(in crate::service) fn put(&self, slot: Slot, name: DeviceName) {
        self.lock().entry(slot).or_default().push(name);
    }

    /// Takes the devices of the first slot up to and with `until`.
    pub(in crate::service) fn take(&self, until: Slot) -> Option<(Slot, Vec<DeviceName>)> {
        let mut slots = self.lock();
        let first = slots.first_entry().filter(|first| *first.key() <= until)?;
        Some(first.remove_entry())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Slot, Vec<DeviceName>>> {
        locks::lock(&self.0)
    }
}
