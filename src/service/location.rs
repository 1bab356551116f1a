//! The location service (RFC 3261 clause 10): live bindings in memory.

use std::collections::HashMap;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use crate::domain::binding::Binding;
use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::store;
use crate::store::Store;
use crate::store::StoreError;

/// Parts of the table, each with its own lock.
const SHARDS: usize = 64;

/// Bindings read in one statement while the table is filled.
const PAGE_ROWS: u32 = 1_000;

/// Live bindings by device and by address.
///
/// One device has one binding an address of record; the table keeps the newest of each.
#[derive(Debug)]
pub struct LocationTable {
    devices: Vec<Mutex<HashMap<DeviceName, Vec<Arc<Binding>>>>>,
    addresses: Vec<Mutex<HashMap<IpAddr, HashSet<DeviceName>>>>,
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
        let addresses = self.addresses_of(address);
        let names = addresses.get(&address);
        names.into_iter().flatten().cloned().collect()
    }

    /// Whether a device has a binding from this address.
    pub fn is_at_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses_of(address).contains_key(&address)
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

    /// Changes one binding in place, under its lock: `change` must be quick and must leave device
    /// name, address of record and flow as they are. `None` when there is no such binding.
    pub fn update<T>(
        &self,
        name: &DeviceName,
        address_of_record: &str,
        change: impl FnOnce(&mut Binding) -> T,
    ) -> Option<T> {
        let mut devices = self.devices_of(name);
        let binding = devices
            .get_mut(name)?
            .iter_mut()
            .find(|other| &*other.address_of_record == address_of_record)?;
        // Nobody else holds it as a rule, and then nothing is copied.
        Some(change(Arc::make_mut(binding)))
    }

    /// Gives every binding of a device a grace, or ends it (`None`). Call it after the commit of
    /// `store::binding::set_grace`.
    pub fn set_grace(&self, name: &DeviceName, grace: Option<&Grace>) {
        let mut devices = self.devices_of(name);
        for binding in devices.get_mut(name).into_iter().flatten() {
            if binding.grace.as_ref() != grace {
                Arc::make_mut(binding).grace = grace.cloned();
            }
        }
    }

    /// Bindings that ended before `now`, at most `limit`.
    pub fn expired(&self, now: UnixMillis, limit: usize) -> Vec<Arc<Binding>> {
        let mut expired = Vec::new();
        for shard in &self.devices {
            let devices = lock(shard);
            let ended = devices
                .values()
                .flatten()
                .filter(|binding| binding.expires_at < now)
                .take(limit.saturating_sub(expired.len()));
            expired.extend(ended.cloned());
        }
        expired
    }

    /// Reads every binding from the store and grants each one full lifetime from `now`, because
    /// the service may have been away when the phone refreshed. Gives how many there are.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or a row is corrupt.
    pub async fn load(&self, store: &Store, now: UnixMillis) -> Result<usize, StoreError> {
        let mut reader = store.read().await?;
        let mut after = (String::new(), String::new());
        let mut count = 0;
        loop {
            let key = (after.0.as_str(), after.1.as_str());
            let page = store::binding::page(reader.connection(), key, PAGE_ROWS).await?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            let name = last.device_name.as_str().to_owned();
            after = (name, last.address_of_record.to_string());
            count += page.len();
            for mut binding in page {
                let lifetime = Duration::from_secs(binding.expires_s.into());
                binding.expires_at = now.plus(lifetime);
                self.put(binding);
            }
        }
    }

    /// Removes one binding of a device.
    pub fn remove(&self, name: &DeviceName, address_of_record: &str) -> Option<Arc<Binding>> {
        self.remove_if(name, address_of_record, |_| true)
    }

    /// Removes one binding of a device when `condition` holds for it.
    pub fn remove_if(
        &self,
        name: &DeviceName,
        address_of_record: &str,
        condition: impl FnOnce(&Binding) -> bool,
    ) -> Option<Arc<Binding>> {
        let mut devices = self.devices_of(name);
        let bindings = devices.get_mut(name)?;
        let before: Vec<IpAddr> = bindings.iter().map(|other| other.address()).collect();
        let index = bindings
            .iter()
            .position(|other| &*other.address_of_record == address_of_record)
            .filter(|index| bindings.get(*index).is_some_and(|other| condition(other)))?;
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
                names.remove(name);
                if names.is_empty() {
                    addresses.remove(address);
                }
            }
        }
        for address in after.iter().filter(|address| !before.contains(address)) {
            let mut addresses = self.addresses_of(*address);
            addresses.entry(*address).or_default().insert(name.clone());
        }
    }

    fn devices_of(
        &self,
        name: &DeviceName,
    ) -> MutexGuard<'_, HashMap<DeviceName, Vec<Arc<Binding>>>> {
        lock(&self.devices[self.index(name)])
    }

    fn addresses_of(
        &self,
        address: IpAddr,
    ) -> MutexGuard<'_, HashMap<IpAddr, HashSet<DeviceName>>> {
        lock(&self.addresses[self.index(&address)])
    }

    fn index(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
