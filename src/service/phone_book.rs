//! Every device in memory, for the paths that must not wait for a SQL statement: a file, a
//! registration refresh, the login form.
//!
//! The use cases that change a device put it here after their transaction is committed.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;

use super::ServiceError;
use super::keys::Keys;
use super::line_index::LineIndex;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::phone::Phone;
use crate::domain::secret::Secret;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::sip_digest::Ha1;
use crate::store;
use crate::store::Store;

/// Parts of the book, each with its own lock, so that doors rarely wait for each other.
const SHARDS: usize = 64;

/// Devices after which a start on a large database says how far it is; about half a second each.
const PROGRESS_ROWS: usize = 10_000;

/// Devices read in one statement while the book is filled.
const PAGE_ROWS: u32 = 1_000;

/// The digest realm of the registrar, as CUCM names its own.
pub const SIP_REALM: &str = "ccmsipline";

/// A device and what its registrations are checked against.
#[derive(Clone)]
pub struct KnownPhone {
    /// The device.
    pub phone: Phone,
    /// MD5(user:realm:secret); `None` when it has no secret yet and cannot register.
    pub ha1: Option<Ha1>,
}

impl std::fmt::Debug for KnownPhone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownPhone")
            .field("phone", &self.phone)
            .finish_non_exhaustive()
    }
}

impl KnownPhone {
    /// Opens the device's secret and keeps its digest.
    ///
    /// # Errors
    ///
    /// [`super::keys::KeysError`] when the secret was sealed with another key file.
    pub fn new(phone: Phone, keys: &Keys) -> Result<Self, super::keys::KeysError> {
        let ha1 = match &phone.digest.sealed_secret {
            Some(sealed) => {
                let secret = keys.open_secret(sealed)?;
                Some(ha1(&phone.digest.user_name, &secret))
            }
            None => None,
        };
        Ok(Self { phone, ha1 })
    }
}

/// MD5(user:realm:secret) in the registrar's realm. Source: RFC 7616 clause 3.4.2.
pub fn ha1(user_name: &str, secret: &Secret) -> Ha1 {
    Ha1::compute(DigestAlgorithm::Md5, user_name, SIP_REALM, secret)
}

/// Every device by name.
#[derive(Debug)]
pub struct PhoneBook {
    shards: Vec<RwLock<HashMap<DeviceName, Arc<KnownPhone>>>>,
    hasher: RandomState,
    lines: LineIndex,
    doubtful: Mutex<BTreeSet<DeviceName>>,
}

impl Default for PhoneBook {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            shards,
            hasher: RandomState::new(),
            lines: LineIndex::default(),
            doubtful: Mutex::default(),
        }
    }
}

type Shard = HashMap<DeviceName, Arc<KnownPhone>>;

impl PhoneBook {
    /// Reads every device from the store.
    ///
    /// # Errors
    ///
    /// [`ServiceError`] when the database fails or a secret does not open.
    pub async fn load(&self, store: &Store, keys: &Keys) -> Result<usize, ServiceError> {
        let mut reader = store.read().await?;
        let mut after = String::new();
        let mut count = 0;
        loop {
            let page = store::device::page(reader.connection(), &after, PAGE_ROWS).await?;
            let Some(last) = page.last() else {
                return Ok(count);
            };
            last.name.as_str().clone_into(&mut after);
            count += page.len();
            if count.is_multiple_of(PROGRESS_ROWS) {
                tracing::info!(phones = count, "reading phones into memory");
            }
            for phone in page {
                self.put(KnownPhone::new(phone, keys)?);
            }
        }
    }

    /// The device with this name.
    pub fn find(&self, name: &DeviceName) -> Option<Arc<KnownPhone>> {
        self.read(name).get(name).cloned()
    }

    /// Adds a device or replaces the one with the same name.
    pub fn put(&self, known: KnownPhone) -> Arc<KnownPhone> {
        let known = Arc::new(known);
        let name = known.phone.name.clone();
        let mut shard = self.write(&name);
        let before = shard.insert(name, known.clone());
        let before = before.as_ref().map(|before| &before.phone);
        self.lines.change(before, Some(&known.phone));
        known
    }

    /// The devices that have this number on a line, in no order.
    pub fn of_number(&self, number: &DirectoryNumber) -> Vec<Arc<KnownPhone>> {
        let names = self.lines.of_number(number);
        names.iter().filter_map(|name| self.find(name)).collect()
    }

    /// Replaces the device with this name by what `change` makes of it, under its lock; `None`
    /// from `change` leaves it.
    pub fn update(
        &self,
        name: &DeviceName,
        change: impl FnOnce(&KnownPhone) -> Option<KnownPhone>,
    ) {
        let mut shard = self.write(name);
        if let Some(known) = shard.get_mut(name)
            && let Some(changed) = change(known)
        {
            self.lines.change(Some(&known.phone), Some(&changed.phone));
            *known = Arc::new(changed);
        }
    }

    /// Forgets a device.
    pub fn remove(&self, name: &DeviceName) {
        let mut shard = self.write(name);
        if let Some(before) = shard.remove(name) {
            self.lines.change(Some(&before.phone), None);
        }
    }

    /// Notes that the database may say otherwise of a device: a commit was not confirmed.
    pub fn doubt(&self, name: &DeviceName) {
        self.doubtful_names().insert(name.clone());
    }

    /// Takes the devices that must be read again.
    pub fn take_doubtful(&self) -> BTreeSet<DeviceName> {
        std::mem::take(&mut *self.doubtful_names())
    }

    fn doubtful_names(&self) -> MutexGuard<'_, BTreeSet<DeviceName>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.shards.iter().map(|shard| lock_read(shard).len()).sum()
    }

    /// Whether there is no device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with every device, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(&Arc<KnownPhone>)) {
        for shard in &self.shards {
            lock_read(shard).values().for_each(&mut visit);
        }
    }

    fn shard(&self, name: &DeviceName) -> &RwLock<Shard> {
        // A 64-bit hash always fits: the remainder is below the number of shards.
        let index = usize::try_from(self.hasher.hash_one(name) % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }

    fn read(&self, name: &DeviceName) -> RwLockReadGuard<'_, Shard> {
        lock_read(self.shard(name))
    }

    fn write(&self, name: &DeviceName) -> RwLockWriteGuard<'_, Shard> {
        self.shard(name)
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock_read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}
