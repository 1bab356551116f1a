//! Every device in memory, for the paths that must not wait for a SQL statement: a file, a
//! registration refresh, the login form.
//!
//! The use cases that change a device put it here after their transaction is committed.

mod digest_users;
mod line_index;
mod shared_configurations;

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::hash::BuildHasher;
use std::hash::Hash;
use std::hash::Hasher;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;

use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;
use crate::domain::secret::Secret;
use crate::domain::sip_digest::DigestAlgorithm;
use crate::domain::sip_digest::Ha1;
use crate::locks;
use crate::service::ServiceError;
use crate::service::keys::Keys;
use crate::service::keys::KeysError;
use crate::store;
use crate::store::Store;
use digest_users::DigestUsers;
use line_index::LineIndex;
use shared_configurations::SharedConfigurations;

/// Parts of the book, each with its own lock, so that doors rarely wait for each other.
const SHARDS: usize = 64;

/// Devices after which a start on a large database says how far it is; about half a second each.
const PROGRESS_ROWS: usize = 10_000;

/// Devices read in one statement while the book is filled: few, because what a page is read with is
/// freed between what stays, and the memory is never given back.
const PAGE_ROWS: u32 = 200;

/// The digest realm of the registrar, as CUCM names its own.
pub const SIP_REALM: &str = "ccmsipline";

/// A device and what its registrations are checked against.
#[derive(Clone)]
pub struct KnownPhone {
    /// The device.
    pub phone: Phone,
    /// MD5(user:realm:secret); `None` when it has no secret yet and cannot register.
    pub ha1: Option<Ha1>,
    /// SHA-256(user:realm:secret), for the device types that are challenged with it.
    pub ha1_sha256: Option<Box<Ha1>>,
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
    /// [`KeysError`] when the secret was sealed with another key file.
    pub fn new(phone: Phone, keys: &Keys) -> Result<Self, KeysError> {
        let (mut ha1, mut ha1_sha256) = (None, None);
        if let Some(sealed) = &phone.digest.sealed_secret {
            let secret = keys.open_secret(sealed)?;
            let user_name = phone.digest_user_name();
            ha1 = Some(self::ha1(DigestAlgorithm::Md5, user_name, &secret));
            if digest_algorithms(&phone).contains(&DigestAlgorithm::Sha256) {
                let computed = self::ha1(DigestAlgorithm::Sha256, user_name, &secret);
                ha1_sha256 = Some(Box::new(computed));
            }
        }
        Ok(Self {
            phone,
            ha1,
            ha1_sha256,
        })
    }

    /// What a response of this algorithm is checked against; `None` for one that the device's type
    /// is not challenged with.
    pub fn ha1_of(&self, algorithm: DigestAlgorithm) -> Option<&Ha1> {
        match algorithm {
            DigestAlgorithm::Md5 => self.ha1.as_ref(),
            DigestAlgorithm::Sha256 => self.ha1_sha256.as_deref(),
        }
    }

    /// Whether its registrations say nothing of a device.
    pub fn is_found_by_account(&self) -> bool {
        let model = self.phone.known_model();
        model.is_some_and(PhoneModel::is_found_by_account)
    }

    /// What the device is challenged with.
    pub fn digest_algorithms(&self) -> &'static [DigestAlgorithm] {
        digest_algorithms(&self.phone)
    }
}

fn digest_algorithms(phone: &Phone) -> &'static [DigestAlgorithm] {
    let model = phone.known_model();
    model.map_or(&[DigestAlgorithm::Md5], PhoneModel::digest_algorithms)
}

/// H(user:realm:secret) in the registrar's realm. Source: RFC 7616 clause 3.4.2.
pub fn ha1(algorithm: DigestAlgorithm, user_name: &str, secret: &Secret) -> Ha1 {
    Ha1::compute(algorithm, user_name, SIP_REALM, secret)
}

/// Every device by name.
#[derive(Debug)]
pub struct PhoneBook {
    shards: Vec<RwLock<Shard>>,
    hasher: RandomState,
    lines: LineIndex,
    doubtful: Mutex<BTreeSet<DeviceName>>,
    digest_users: DigestUsers,
    configurations: SharedConfigurations,
}

impl Default for PhoneBook {
    fn default() -> Self {
        let shards = (0..SHARDS).map(|_| RwLock::default()).collect();
        Self {
            shards,
            hasher: RandomState::new(),
            lines: LineIndex::default(),
            doubtful: Mutex::default(),
            digest_users: DigestUsers::default(),
            configurations: SharedConfigurations::default(),
        }
    }
}

type Shard = HashSet<ByName>;

/// A device that is found by its name, which so is not kept a second time.
#[derive(Debug)]
struct ByName(Arc<KnownPhone>);

impl ByName {
    fn name(&self) -> &DeviceName {
        &self.0.phone.name
    }
}

impl Borrow<DeviceName> for ByName {
    fn borrow(&self) -> &DeviceName {
        self.name()
    }
}

impl Hash for ByName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name().hash(state);
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for ByName {}

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
        self.read(name).get(name).map(|known| known.0.clone())
    }

    /// The devices that register without a name of their own and have this number on a line.
    pub fn of_account_line(&self, number: &str) -> Vec<Arc<KnownPhone>> {
        let Ok(number) = number.parse() else {
            return Vec::new();
        };
        let mut devices = self.of_number(&number);
        devices.retain(|known| known.is_found_by_account());
        devices.sort_unstable_by(|a, b| a.phone.name.cmp(&b.phone.name));
        devices
    }

    /// The devices that use this end user's digest credentials.
    pub fn of_digest_user(&self, user_id: &str) -> Vec<Arc<KnownPhone>> {
        let names = self.digest_users.of(user_id);
        names.iter().filter_map(|name| self.find(name)).collect()
    }

    /// Adds a device or replaces the one with the same name.
    pub fn put(&self, mut known: KnownPhone) -> Arc<KnownPhone> {
        let configuration = &mut known.phone.configuration;
        *configuration = self.configurations.share(configuration);
        let known = Arc::new(known);
        let mut shard = self.write(&known.phone.name);
        let before = shard.replace(ByName(known.clone()));
        let before = before.as_ref().map(|before| &before.0.phone);
        self.lines.change(before, Some(&known.phone));
        self.digest_users.change(before, Some(&known.phone));
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
        if let Some(known) = shard.get(name)
            && let Some(changed) = change(&known.0)
        {
            let (before, after) = (Some(&known.0.phone), Some(&changed.phone));
            self.lines.change(before, after);
            self.digest_users.change(before, after);
            shard.replace(ByName(Arc::new(changed)));
        }
    }

    /// Forgets a device.
    pub fn remove(&self, name: &DeviceName) {
        let mut shard = self.write(name);
        if let Some(ByName(before)) = shard.take(name) {
            self.lines.change(Some(&before.phone), None);
            self.digest_users.change(Some(&before.phone), None);
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
        locks::lock(&self.doubtful)
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.shards
            .iter()
            .map(|shard| locks::read(shard).len())
            .sum()
    }

    /// Whether there is no device.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Calls `visit` with every device, in no order.
    pub fn for_each(&self, mut visit: impl FnMut(&Arc<KnownPhone>)) {
        for shard in &self.shards {
            let shard = locks::read(shard);
            shard.iter().for_each(|known| visit(&known.0));
        }
    }

    fn shard(&self, name: &DeviceName) -> &RwLock<Shard> {
        // A 64-bit hash always fits: the remainder is below the number of shards.
        let index = usize::try_from(self.hasher.hash_one(name) % SHARDS as u64).unwrap_or(0);
        &self.shards[index]
    }

    fn read(&self, name: &DeviceName) -> RwLockReadGuard<'_, Shard> {
        locks::read(self.shard(name))
    }

    fn write(&self, name: &DeviceName) -> RwLockWriteGuard<'_, Shard> {
        locks::write(self.shard(name))
    }
}
