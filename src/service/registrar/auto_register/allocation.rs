//! What the new phones of one group share: the lock on the numbers, the free numbers read ahead,
//! and the counts that limit them.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::net::IpAddr;

use crate::domain::auto_registration::AutoRegistrationRefused;
use crate::domain::auto_registration::DirectoryNumberRange;
use crate::domain::binding::Binding;
use crate::domain::catalogue::AutoRegistration;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::service::App;
use crate::service::attributes;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// Numbers looked at in the first statement beyond those needed, because some are in use.
const READ_AHEAD: usize = 32;

/// Most numbers looked at in one statement.
const CHUNK_MAX: usize = 8_192;

/// How a group of phones is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupTry {
    /// All as one: that a device exists already is found out by its insertion.
    AsOne,
    /// Each by itself, because the group failed once: every name is looked up first.
    OneByOne,
}

/// Numbers and limits while one group of phones is made.
#[derive(Debug)]
pub struct Allocation {
    block: AutoRegistration,
    /// Whether each name is looked up first.
    group_try: GroupTry,
    /// The range; `None` when it is off.
    range: Option<DirectoryNumberRange>,
    /// The last number looked at; the next is the one after it.
    cursor: Option<DirectoryNumber>,
    /// How many numbers of the range were not looked at yet.
    ahead: u64,
    chunk: usize,
    free: VecDeque<DirectoryNumber>,
    last_given: Option<DirectoryNumber>,
    unclaimed: u32,
    unclaimed_at: HashMap<IpAddr, u32>,
    made: HashSet<DeviceName>,
    /// The devices that are made from the node's template, and their lines.
    phones: Vec<Pkid>,
    lines: Vec<Pkid>,
}

impl Allocation {
    /// Locks the numbers for `count` new phones.
    pub(in crate::service) async fn begin(
        app: &App,
        connection: &mut Connection,
        count: usize,
        group_try: GroupTry,
    ) -> Result<Self, StoreError> {
        store::auto_registration::lock(connection).await?;
        let last_given = store::auto_registration::last_given(connection, app.node.pkid).await?;
        let unclaimed = store::auto_registration::count_unclaimed(connection).await?;
        let catalogue = app.catalogue.load();
        let block = catalogue
            .call_managers
            .get(&app.node.pkid)
            .map(|node| node.auto_registration.clone())
            .ok_or(StoreError::Lost)?;
        let range = block.range().filter(|range| !range.is_off());
        Ok(Self {
            block,
            group_try,
            ahead: range.as_ref().map_or(0, DirectoryNumberRange::size),
            range,
            cursor: last_given,
            chunk: count + READ_AHEAD,
            free: VecDeque::new(),
            last_given: None,
            unclaimed,
            unclaimed_at: HashMap::new(),
            made: HashSet::new(),
            phones: Vec::new(),
            lines: Vec::new(),
        })
    }

    pub(in crate::service) const fn block(&self) -> &AutoRegistration {
        &self.block
    }

    /// Whether this group made the device already (the phone sent its REGISTER twice).
    pub(super) fn has_made(&self, name: &DeviceName) -> bool {
        self.made.contains(name)
    }

    /// Whether the device exists; asked only when the group failed once, because as a rule the
    /// insertion itself finds that out.
    pub(super) async fn exists(
        &self,
        connection: &mut Connection,
        name: &DeviceName,
    ) -> Result<bool, StoreError> {
        Ok(self.group_try == GroupTry::OneByOne
            && store::device::find(connection, name).await?.is_some())
    }

    /// Whether one more phone may be made: node, window, model, and how many wait already.
    pub(super) async fn admit(
        &mut self,
        app: &App,
        connection: &mut Connection,
        binding: &Binding,
    ) -> Result<Result<(), AutoRegistrationRefused>, StoreError> {
        let limits = &app.settings.auto_registration;
        let now = app.environment.now();
        if let Err(refused) = self.block.admit(binding.model, self.unclaimed, now) {
            return Ok(Err(refused));
        }
        if self.unclaimed >= limits.unclaimed_max {
            return Ok(Err(AutoRegistrationRefused::TooManyUnclaimed));
        }
        let address = binding.address();
        if limits.nat_networks.iter().any(|net| net.contains(&address)) {
            return Ok(Ok(()));
        }
        // The address itself, not its network: a voice VLAN is one /64 of IPv6, and its phones are
        // not one source. What a single host may take of it, `unclaimed_max` bounds.
        let here = if let Some(count) = self.unclaimed_at.get(&address) {
            *count
        } else {
            let count = store::auto_registration::count_unclaimed_at(connection, address).await?;
            self.unclaimed_at.insert(address, count);
            count
        };
        let fits = here < limits.unclaimed_per_source_max;
        Ok(fits
            .then_some(())
            .ok_or(AutoRegistrationRefused::TooManyFromSource))
    }

    /// The next number that no line has; `None` when the whole range is in use.
    pub(in crate::service) async fn next_number(
        &mut self,
        connection: &mut Connection,
    ) -> Result<Option<DirectoryNumber>, StoreError> {
        while self.free.is_empty() {
            let chunk = self.look_ahead();
            if chunk.is_empty() {
                return Ok(None);
            }
            self.chunk = (self.chunk * 4).min(CHUNK_MAX);
            self.free = free_of(connection, chunk).await?;
        }
        self.last_given = self.free.pop_front();
        Ok(self.last_given.clone())
    }

    fn look_ahead(&mut self) -> Vec<DirectoryNumber> {
        let ahead = usize::try_from(self.ahead).unwrap_or(usize::MAX);
        let numbers: Vec<_> = match &self.range {
            Some(range) => range
                .after(self.cursor.as_ref())
                .take(self.chunk.min(ahead))
                .collect(),
            None => Vec::new(),
        };
        self.ahead -= numbers.len() as u64;
        self.cursor = numbers.last().cloned();
        numbers
    }

    /// Counts a phone that was made.
    pub(super) fn made(&mut self, name: &DeviceName, address: IpAddr) {
        self.made.insert(name.clone());
        self.unclaimed += 1;
        if let Some(count) = self.unclaimed_at.get_mut(&address) {
            *count += 1;
        }
    }

    /// Lets a phone and its line have what the node's templates keep, when the group ends: it is
    /// read once, and written for all of the group together.
    pub(in crate::service) fn inherits(&mut self, phone: Pkid, line: Pkid) {
        self.phones.push(phone);
        self.lines.push(line);
    }

    /// Writes the last number given, and what the new phones inherit.
    pub(in crate::service) async fn end(
        self,
        app: &App,
        connection: &mut Connection,
    ) -> Result<(), StoreError> {
        let (device, line) = (
            self.block.universal_device_template,
            self.block.universal_line_template,
        );
        if let (Some(device), Some(line), false) = (device, line, self.phones.is_empty()) {
            let made = [
                (ObjectKind::UniversalDeviceTemplate, device, &*self.phones),
                (ObjectKind::UniversalLineTemplate, line, &*self.lines),
            ];
            attributes::inherit_many(connection, &made).await?;
        }
        match &self.last_given {
            Some(last) => {
                store::auto_registration::set_last_given(connection, app.node.pkid, last).await
            }
            None => Ok(()),
        }
    }
}

/// Those of `numbers` that no line has, in their order. One statement for each stretch of equal
/// length that counts up: there, order of text is order of number.
async fn free_of(
    connection: &mut Connection,
    numbers: Vec<DirectoryNumber>,
) -> Result<VecDeque<DirectoryNumber>, StoreError> {
    let mut used: HashSet<DirectoryNumber> = HashSet::new();
    let counts_up =
        |a: &DirectoryNumber, b: &DirectoryNumber| a.as_str().len() == b.as_str().len() && a < b;
    for stretch in numbers.chunk_by(counts_up) {
        if let [first, .., last] | [first @ last] = stretch {
            let found = store::auto_registration::numbers_in_use(connection, first, last);
            used.extend(found.await?);
        }
    }
    let free = numbers.into_iter().filter(|number| !used.contains(number));
    Ok(free.collect())
}
