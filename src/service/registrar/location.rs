//! The location service (RFC 3261 clause 10): live bindings in memory.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::time::Duration;

use super::expiry_wheel::ExpiryWheel;
use super::expiry_wheel::Slot;
use super::expiry_wheel::slot_of;
use crate::domain::binding::Binding;
use crate::domain::binding::Grace;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::devices::phone_book::PhoneBook;
use crate::service::one_or_many::OneOrMany;
use crate::store;
use crate::store::Store;
use crate::store::StoreError;

/// Parts of the table, each with its own lock.
const SHARDS: usize = 64;

/// Bindings read in one statement while the table is filled: few, as of the devices.
const PAGE_ROWS: u32 = 200;

/// Live bindings by device and by address.
///
/// One device has one binding an address of record; the table keeps the newest of each.
#[derive(Debug)]
pub struct LocationTable {
    devices: Vec<Mutex<Devices>>,
    addresses: Vec<Mutex<Addresses>>,
    wheel: ExpiryWheel,
    hasher: RandomState,
}

type Devices = HashMap<DeviceName, Device>;

type Addresses = HashMap<IpAddr, DevicesAt>;

/// The devices at one address: as a rule one, and a whole site behind address translation.
#[derive(Debug)]
#[expect(
    clippy::box_collection,
    reason = "there is one of these for every address"
)]
enum DevicesAt {
    One(DeviceName),
    Many(Box<BTreeSet<DeviceName>>),
}

impl DevicesAt {
    fn names(&self) -> Vec<DeviceName> {
        match self {
            Self::One(name) => vec![name.clone()],
            Self::Many(names) => names.iter().cloned().collect(),
        }
    }

    fn insert(&mut self, name: &DeviceName) {
        match self {
            Self::One(other) if other == name => {}
            Self::One(other) => {
                let names = BTreeSet::from([other.clone(), name.clone()]);
                *self = Self::Many(names.into());
            }
            Self::Many(names) => drop(names.insert(name.clone())),
        }
    }

    /// Removes a device; whether nobody is left.
    fn remove(&mut self, name: &DeviceName) -> bool {
        match self {
            Self::One(other) => other == name,
            Self::Many(names) => names.remove(name) && names.is_empty(),
        }
    }
}

/// The bindings of one device.
#[derive(Debug)]
struct Device {
    bindings: OneOrMany<Arc<Binding>>,
    /// Where the wheel has it: not after the second in which its first binding ends.
    slot: Slot,
}

impl Device {
    /// Puts a binding last, in place of the one of the same address of record.
    fn replace(&mut self, binding: &Arc<Binding>) {
        let bindings = self.bindings.as_mut_slice();
        let mut others = bindings.iter();
        let same =
            others.position(|other| other.address_of_record() == binding.address_of_record());
        match same.and_then(|index| bindings.get_mut(index..)) {
            Some(from_same) => {
                from_same.rotate_left(1);
                if let Some(last) = from_same.last_mut() {
                    last.clone_from(binding);
                }
            }
            None => self.bindings.push(binding.clone()),
        }
    }

    fn addresses(&self) -> Vec<IpAddr> {
        let bindings = self.bindings.as_slice().iter();
        bindings.map(|binding| binding.address()).collect()
    }
}

impl Default for LocationTable {
    fn default() -> Self {
        Self {
            devices: (0..SHARDS).map(|_| Mutex::default()).collect(),
            addresses: (0..SHARDS).map(|_| Mutex::default()).collect(),
            wheel: ExpiryWheel::default(),
            hasher: RandomState::new(),
        }
    }
}

impl LocationTable {
    /// The bindings of a device, expired ones included until they are swept.
    pub fn of_device(&self, name: &DeviceName) -> Vec<Arc<Binding>> {
        let devices = self.devices_of(name);
        let device = devices.get(name);
        device
            .map(|device| device.bindings.as_slice().to_vec())
            .unwrap_or_default()
    }

    /// The devices that have a binding from this address.
    pub fn at_address(&self, address: IpAddr) -> Vec<DeviceName> {
        let address = address.to_canonical();
        let addresses = self.addresses_of(address);
        let devices = addresses.get(&address);
        devices.map(DevicesAt::names).unwrap_or_default()
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
        let slot = slot_of(binding.expires_at);
        let mut devices = self.devices_of(&name);
        let before = devices.get(&name).map(Device::addresses);
        let device = devices.entry(name.clone()).or_insert_with(|| Device {
            bindings: OneOrMany::One(binding.clone()),
            slot: Slot::MAX,
        });
        device.replace(&binding);
        let (before, after) = (before.unwrap_or_default(), device.addresses());
        self.turn_to(&name, device, slot);
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
        let device = devices.get_mut(name)?;
        let binding = device
            .bindings
            .as_mut_slice()
            .iter_mut()
            .find(|other| other.address_of_record() == address_of_record)?;
        // Nobody else holds it as a rule, and then nothing is copied.
        let result = change(Arc::make_mut(binding));
        let slot = slot_of(binding.expires_at);
        self.turn_to(name, device, slot);
        Some(result)
    }

    /// Puts a device where the wheel finds it in time, when one of its bindings ends in `slot`.
    fn turn_to(&self, name: &DeviceName, device: &mut Device, slot: Slot) {
        if slot < device.slot {
            device.slot = slot;
            self.wheel.put(slot, name.clone());
        }
    }

    /// Gives every binding of a device a grace, or ends it (`None`). Call it after the commit of
    /// `store::binding::set_grace`.
    pub fn set_grace(&self, name: &DeviceName, grace: Option<&Grace>) {
        let mut devices = self.devices_of(name);
        let device = devices.get_mut(name).into_iter();
        for binding in device.flat_map(|device| device.bindings.as_mut_slice()) {
            if binding.grace.as_deref() != grace {
                Arc::make_mut(binding).grace = grace.cloned().map(Box::new);
            }
        }
    }

    /// Bindings that ended before `now`, as many as `limit` and the rest of one device. They stay
    /// in the table; call it again after they were removed.
    ///
    /// Only devices that were to be looked at by now are: of 50,000 bindings with a lifetime of
    /// 120 s about 400 in a second.
    pub fn expired(&self, now: UnixMillis, limit: usize) -> Vec<Arc<Binding>> {
        let mut expired = Vec::new();
        let mut later = Vec::new();
        while expired.len() < limit
            && let Some((slot, names)) = self.wheel.take(slot_of(now))
        {
            for name in names {
                let slot = if expired.len() < limit {
                    self.look_at(&name, slot, now, &mut expired)
                } else {
                    Some(slot)
                };
                later.extend(slot.map(|slot| (slot, name)));
            }
        }
        for (slot, name) in later {
            self.wheel.put(slot, name);
        }
        expired
    }

    /// Adds what has ended of a device that stood in `slot`; gives the slot it is to stand in.
    fn look_at(
        &self,
        name: &DeviceName,
        slot: Slot,
        now: UnixMillis,
        expired: &mut Vec<Arc<Binding>>,
    ) -> Option<Slot> {
        let mut devices = self.devices_of(name);
        // It went, or stands in another slot as well, which counts.
        let device = devices.get_mut(name).filter(|device| device.slot == slot)?;
        let bindings = device.bindings.as_slice().iter();
        let ended = bindings.clone().filter(|binding| binding.expires_at < now);
        expired.extend(ended.cloned());
        let ends = bindings.map(|binding| binding.expires_at);
        device.slot = slot_of(ends.min()?);
        Some(device.slot)
    }

    /// Reads every binding from the store and grants each one full lifetime from `now`, because
    /// the service may have been away when the phone refreshed. Gives how many there are. A name
    /// that the phone book has is not kept a second time.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database fails or a row is corrupt.
    pub async fn load(
        &self,
        store: &Store,
        phones: &PhoneBook,
        now: UnixMillis,
    ) -> Result<usize, StoreError> {
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
            after = (name, last.address_of_record().to_string());
            count += page.len();
            for mut binding in page {
                let lifetime = Duration::from_secs(binding.expires_s.into());
                binding.expires_at = now.plus(lifetime);
                if let Some(known) = phones.find(&binding.device_name) {
                    binding.device_name = known.phone.name.clone();
                }
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
        let device = devices.get(name)?;
        let mut bindings = device.bindings.as_slice().iter();
        let removed = bindings
            .find(|other| other.address_of_record() == address_of_record)
            .filter(|other| condition(other))?
            .clone();
        let before = device.addresses();
        let (name, device) = devices.remove_entry(name)?;
        let left = device
            .bindings
            .without(|other| Arc::ptr_eq(other, &removed));
        let left = left.map(|bindings| Device { bindings, ..device });
        let after = left.as_ref().map(Device::addresses).unwrap_or_default();
        self.reindex(&name, &before, &after);
        if let Some(left) = left {
            devices.insert(name, left);
        }
        Some(removed)
    }

    /// Calls `visit` with every binding, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(&Arc<Binding>)) {
        for shard in &self.devices {
            let devices = locks::lock(shard);
            let bindings = devices
                .values()
                .flat_map(|device| device.bindings.as_slice());
            bindings.for_each(&mut visit);
        }
    }

    /// How many bindings there are.
    pub fn len(&self) -> usize {
        self.devices
            .iter()
            .map(|shard| {
                let devices = locks::lock(shard);
                let counts = devices
                    .values()
                    .map(|device| device.bindings.as_slice().len());
                counts.sum::<usize>()
            })
            .sum()
    }

    /// Whether there is no binding.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn reindex(&self, name: &DeviceName, before: &[IpAddr], after: &[IpAddr]) {
        for address in before.iter().filter(|address| !after.contains(address)) {
            let mut addresses = self.addresses_of(*address);
            let devices = addresses.get_mut(address);
            if devices.is_some_and(|devices| devices.remove(name)) {
                addresses.remove(address);
            }
        }
        for address in after.iter().filter(|address| !before.contains(address)) {
            let mut addresses = self.addresses_of(*address);
            let devices = addresses.entry(*address);
            devices
                .and_modify(|devices| devices.insert(name))
                .or_insert_with(|| DevicesAt::One(name.clone()));
        }
    }

    fn devices_of(&self, name: &DeviceName) -> MutexGuard<'_, Devices> {
        locks::lock(&self.devices[self.index(name)])
    }

    fn addresses_of(&self, address: IpAddr) -> MutexGuard<'_, Addresses> {
        locks::lock(&self.addresses[self.index(&address)])
    }

    fn index(&self, key: &impl Hash) -> usize {
        usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::binding::SeparateTexts;
    use crate::domain::pkid::Pkid;
    use crate::domain::registration::Flow;
    use crate::domain::registration::Transport;

    fn binding(n: u32, number: &str, expires_at: i64) -> Binding {
        Binding {
            device_name: format!("SEP{n:012X}").parse().unwrap(),
            texts: SeparateTexts {
                address_of_record: number,
                contact: "<sip:a@127.0.0.1>",
                call_id: "c",
                user_agent: "",
            }
            .join(),
            flow: Flow {
                transport: Transport::Udp,
                local: "127.0.0.1:5060".parse().unwrap(),
                remote: "127.0.0.1:5061".parse().unwrap(),
                connection: 0,
            }
            .into(),
            node: Pkid::from_u128(7),
            cseq: 1,
            expires_s: 120,
            registered_at: UnixMillis(0),
            expires_at: UnixMillis(expires_at),
            model: None,
            grace: None,
        }
    }

    /// Removes what has ended, as housekeeping does; gives the numbers.
    fn removed(table: &LocationTable, now: i64) -> Vec<String> {
        let now = UnixMillis(now);
        let mut numbers = Vec::new();
        loop {
            let expired = table.expired(now, 3);
            if expired.is_empty() {
                numbers.sort();
                return numbers;
            }
            for binding in expired {
                let (name, number) = (&binding.device_name, binding.address_of_record());
                let removed = table.remove_if(name, number, |other| other.expires_at < now);
                numbers.extend(removed.map(|binding| binding.address_of_record().to_string()));
            }
        }
    }

    fn refresh(table: &LocationTable, n: u32, number: &str, expires_at: i64) {
        let name = binding(n, number, 0).device_name;
        let refreshed = table.update(&name, number, |binding| {
            binding.expires_at = UnixMillis(expires_at);
        });
        assert_eq!(refreshed, Some(()));
    }

    #[test]
    fn a_binding_ends_when_it_was_not_refreshed_and_not_before() {
        let table = LocationTable::default();
        for n in 0..10 {
            table.put(binding(n, &n.to_string(), 120_500));
        }
        assert_eq!(removed(&table, 120_500), [""; 0]);
        for n in 0..5 {
            refresh(&table, n, &n.to_string(), 240_000);
        }
        assert_eq!(removed(&table, 120_501), ["5", "6", "7", "8", "9"]);
        assert_eq!(removed(&table, 240_000), [""; 0]);
        refresh(&table, 0, "0", 360_000);
        assert_eq!(removed(&table, 240_001), ["1", "2", "3", "4"]);
        assert_eq!(removed(&table, 400_000), ["0"]);
        assert!(table.is_empty());
    }

    #[test]
    fn each_binding_of_a_device_ends_by_itself_and_may_end_earlier_than_it_was_to() {
        let table = LocationTable::default();
        table.put(binding(1, "1001", 120_000));
        table.put(binding(1, "1002", 300_000));
        refresh(&table, 1, "1001", 200_000);
        assert_eq!(removed(&table, 150_000), [""; 0]);
        refresh(&table, 1, "1002", 160_000);
        assert_eq!(removed(&table, 170_000), ["1002"]);
        // Removed and bound again in between.
        table.remove(&binding(1, "1001", 0).device_name, "1001");
        table.put(binding(1, "1001", 250_000));
        assert_eq!(removed(&table, 210_000), [""; 0]);
        assert_eq!(removed(&table, 251_000), ["1001"]);
        assert!(table.is_empty() && table.wheel.take(Slot::MAX).is_none());
    }
}
