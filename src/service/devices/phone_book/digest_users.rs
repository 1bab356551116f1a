//! Devices by the end user whose digest credentials they use. Kept by the phone book, under the lock
//! of the device's part of it.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::sync::RwLock;

use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::locks;

/// Device names by user ID. A device with a secret of its own does not stand here.
#[derive(Debug, Default)]
pub(super) struct DigestUsers(RwLock<HashMap<Box<str>, BTreeSet<DeviceName>>>);

impl DigestUsers {
    /// The devices with this digest user, in order.
    pub(super) fn of(&self, user_id: &str) -> Vec<DeviceName> {
        let index = locks::read(&self.0);
        let names = index.get(user_id);
        names.into_iter().flatten().cloned().collect()
    }

    /// Takes over a change of one device.
    pub(super) fn change(&self, before: Option<&Phone>, after: Option<&Phone>) {
        let (old, new) = (before.and_then(user_id), after.and_then(user_id));
        if old == new {
            return;
        }
        let mut index = locks::write(&self.0);
        if let (Some(user_id), Some(phone)) = (old, before)
            && let Some(names) = index.get_mut(user_id)
        {
            names.remove(&phone.name);
            if names.is_empty() {
                index.remove(user_id);
            }
        }
        if let (Some(user_id), Some(phone)) = (new, after) {
            let names = index.entry(user_id.into()).or_default();
            names.insert(phone.name.clone());
        }
    }
}

fn user_id(phone: &Phone) -> Option<&str> {
    let user = phone.digest.digest_user.as_ref()?;
    Some(&user.user_id)
}
