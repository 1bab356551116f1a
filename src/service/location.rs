//! The location service (RFC 3261 clause 10): live bindings in memory.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::domain::binding::Binding;
use crate::domain::device::DeviceName;

/// Parts of the table, each with its own lock.
const SHARDS: usize = 64;

/// Live bindings by device and by address.
///
/// One device has one binding an address of record; the table keeps the newest of each.
#[derive(Debug)]
pub struct LocationTable {
    devices: Vec<Mutex<HashMap<DeviceName, Vec<Arc<Binding>>>>>,
    addresses: Vec<Mutex<HashMap<IpAddr, Vec<DeviceName>>>>,
    hasher: RandomState,
}

impl Default for LocationTable {
    fn default() -> Self {
        Self {
            devices: (0..SHARDS).map(|_| Mutex::default()).collect(),
            addresses: (0..SHARDS).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl LocationTable {
    /// The bindings of a device, expired ones included until they are swept.
    pub fn of_device(&self, name: &DeviceName) -> Vec<Arc<Binding>> {
        self.devices_of(name).get(name).cloned().unwrap_or_default()
    }

    /// The devices that have a binding from this address.
    pub fn at_address(&self, address: IpAddr) -> Vec<DeviceName> {
        let address = address.to_canonical();
        self.addresses_of(address)
            .get(&address)
            .cloned()
            .unwrap_or_default()
    }

    /// Adds a binding or replaces the one of the same device and address of record.
    pub fn put(&self, binding: Binding) -> Arc<Binding> {
        let binding = Arc::new(binding);
        let name = binding.device_name.clone();
        let mut devices = self.devices_of(&name);
        let bindings = devices.entry(name.clone()).or_default();
        let before: Vec<IpAddr> = bindings.iter().map(|other| other.address()).collect();
        bindings.retain(|other| other.address_of_record != binding.address_of_record);
        bindings.push(binding.clone());
        let after: Vec<IpAddr> = bindings.iter().map(|other| other.address()).collect();
        // The device's lock is held, so that two changes of one device keep their order here too.
        self.reindex(&name, &before, &after);
        binding
    }

    /// Removes one binding of a device.
    pub fn remove(&self, name: &DeviceName, address_of_record: &str) -> Option<Arc<Binding>> {
        let mut devices = self.devices_of(name);
        let bindings = devices.get_mut(name)?;
        let before: Vec<IpAddr> = bindings.iter().map(|other| other.address()).collect();
        let index = bindings
            .iter()
            .position(|other| &*other.address_of_record == address_of_record)?;
        let removed = bindings.remove(index);
        let after: Vec<IpAddr> = bindings.iter().map(|other| other.address()).collect();
        if bindings.is_empty() {
            devices.remove(name);
        }
        self.reindex(name, &before, &after);
        Some(removed)
    }

    /// Calls `visit` with every binding, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(&Arc<Binding>)) {
        for shard in &self.devices {
            lock(shard).values().flatten().for_each(&mut visit);
        }
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.devices
            .iter()
            .map(|shard| lock(shard).values().map(Vec::len).sum::<usize>())
            .sum()
    }

    /// Whether there is no binding.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn reindex(&self, name: &DeviceName, before: &[IpAddr], after: &[IpAddr]) {
        for address in before.iter().filter(|address| !after.contains(address)) {
            let mut addresses = self.addresses_of(*address);
            if let Some(names) = addresses.get_mut(address) {
                names.retain(|other| other != name);
                if names.is_empty() {
                    addresses.remove(address);
                }
            }
        }
        for address in after.iter().filter(|address| !before.contains(address)) {
            let mut addresses = self.addresses_of(*address);
            let names = addresses.entry(*address).or_default();
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }

    fn devices_of(
        &self,
        name: &DeviceName,
    ) -> MutexGuard<'_, HashMap<DeviceName, Vec<Arc<Binding>>>> {
        lock(&self.devices[self.index(name)])
    }

    fn addresses_of(&self, address: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, Vec<DeviceName>>> {
        lock(&self.addresses[self.index(&address)])
    }

    fn index(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
