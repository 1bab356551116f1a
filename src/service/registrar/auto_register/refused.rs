//! New phones that were refused, in memory alone: a refused phone is no device, so nothing of it
//! may reach the database before there is one. Bounded, because anybody can send a REGISTER.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::MutexGuard;

use crate::domain::auto_registration::AutoRegistrationRefused;
use crate::domain::device::DeviceName;
use crate::domain::time::UnixMillis;
use crate::locks;
use crate::service::history::record::Happening;

/// Refused names that are remembered; the oldest goes first. As many as unknown file names.
const NAMES_MAX: usize = 20_000;

/// Why and how often one phone was refused for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedPhone {
    /// What it calls itself.
    pub name: DeviceName,
    /// Its model number, if it told it.
    pub model: Option<u32>,
    /// The address it came from last.
    pub source: IpAddr,
    /// Why.
    pub reason: AutoRegistrationRefused,
    /// The first time.
    pub first_at: UnixMillis,
    /// The last time.
    pub last_at: UnixMillis,
    /// How often.
    pub times: u32,
}

impl RefusedPhone {
    /// The row for the timeline of the device that is made after all.
    pub fn happening(&self) -> Happening {
        Happening {
            code: self.reason.code(),
            detail: self.in_words(),
            source: Some(self.source),
            ..Happening::default()
        }
    }

    /// How often, since when, and why.
    pub fn in_words(&self) -> String {
        let time = |at: UnixMillis| jiff::Timestamp::from_second(at.unix_s()).unwrap_or_default();
        let (first, last) = (time(self.first_at), time(self.last_at));
        let reason = self.reason;
        match self.times {
            1 => format!("at {last}: {reason}"),
            times => format!("{times} times from {first} to {last}: {reason}"),
        }
    }
}

/// The memory of refused phones.
#[derive(Debug, Default)]
pub struct RefusedPhones(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    phones: HashMap<DeviceName, Entry>,
    /// Names in the order in which they came, each with the number of its entry.
    order: VecDeque<(DeviceName, u64)>,
    entries: u64,
    totals: HashMap<AutoRegistrationRefused, u64>,
}

/// One name: one row a reason, so at most as many rows as there are reasons.
#[derive(Debug)]
struct Entry {
    number: u64,
    rows: Vec<RefusedPhone>,
}

impl RefusedPhones {
    fn lock(&self) -> MutexGuard<'_, Remembered> {
        locks::lock(&self.0)
    }

    /// Remembers one refusal.
    pub fn remember(
        &self,
        name: &DeviceName,
        model: Option<u32>,
        source: IpAddr,
        reason: AutoRegistrationRefused,
        now: UnixMillis,
    ) {
        let mut remembered = self.lock();
        *remembered.totals.entry(reason).or_default() += 1;
        let rows = remembered.rows_of(name);
        if let Some(row) = rows.iter_mut().find(|row| row.reason == reason) {
            row.model = model.or(row.model);
            row.source = source;
            row.last_at = now;
            row.times = row.times.saturating_add(1);
        } else {
            rows.push(RefusedPhone {
                name: name.clone(),
                model,
                source,
                reason,
                first_at: now,
                last_at: now,
                times: 1,
            });
        }
    }

    /// Why this phone was refused, by the time of the first refusal.
    pub fn of(&self, name: &DeviceName) -> Vec<RefusedPhone> {
        let remembered = self.lock();
        remembered
            .phones
            .get(name)
            .map(|entry| entry.rows.clone())
            .unwrap_or_default()
    }

    /// Forgets a phone: it is a device now.
    pub fn forget(&self, name: &DeviceName) {
        self.lock().phones.remove(name);
    }

    /// The latest refusal of each phone, newest first, at most `limit`.
    pub fn newest(&self, limit: usize) -> Vec<RefusedPhone> {
        let remembered = self.lock();
        let mut newest: Vec<RefusedPhone> = remembered
            .phones
            .values()
            .filter_map(|entry| entry.rows.iter().max_by_key(|row| row.last_at).cloned())
            .collect();
        newest.sort_unstable_by(|a, b| (b.last_at, &a.name).cmp(&(a.last_at, &b.name)));
        newest.truncate(limit);
        newest
    }

    /// Refused registrations by reason since the process began, in the order of the reasons;
    /// reasons that never came are left out.
    pub fn totals(&self) -> Vec<(AutoRegistrationRefused, u64)> {
        let remembered = self.lock();
        AutoRegistrationRefused::ALL
            .into_iter()
            .filter_map(|reason| Some((reason, *remembered.totals.get(&reason)?)))
            .collect()
    }
}

impl Remembered {
    fn rows_of(&mut self, name: &DeviceName) -> &mut Vec<RefusedPhone> {
        if !self.phones.contains_key(name) {
            self.make_room();
            self.entries += 1;
            self.order.push_back((name.clone(), self.entries));
        }
        let number = self.entries;
        let entry = self.phones.entry(name.clone());
        let entry = entry.or_insert_with(|| Entry {
            number,
            rows: Vec::new(),
        });
        &mut entry.rows
    }

    /// A name that was forgotten still stands in the order; it goes when its turn comes.
    fn make_room(&mut self) {
        while self.order.len() >= NAMES_MAX {
            let Some((name, number)) = self.order.pop_front() else {
                return;
            };
            if self
                .phones
                .get(&name)
                .is_some_and(|entry| entry.number == number)
            {
                self.phones.remove(&name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::device::MacAddress;

    const SOURCE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn device(number: u32) -> DeviceName {
        let [_, a, b, c] = number.to_be_bytes();
        DeviceName::of_phone(MacAddress::from_bytes([0, 0x11, 0x22, a, b, c]))
    }

    #[test]
    fn repetitions_are_counted_and_reasons_kept_apart() {
        use AutoRegistrationRefused as R;
        let refused = RefusedPhones::default();
        for (reason, at) in [
            (R::ModelNotAllowed, 0),
            (R::ModelNotAllowed, 60_000),
            (R::RangeExhausted, 90_000),
        ] {
            refused.remember(&device(1), Some(622), SOURCE, reason, UnixMillis(at));
        }
        refused.remember(
            &device(2),
            None,
            SOURCE,
            R::RangeExhausted,
            UnixMillis(70_000),
        );
        let rows = refused.of(&device(1));
        assert_eq!(rows.len(), 2);
        assert_eq!(rows[0].times, 2);
        assert!(rows[0].in_words().starts_with(
            "2 times from 1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z: this model may not"
        ));
        assert_eq!(rows[1].happening().code, "RANGE_EXHAUSTED");
        let newest = refused.newest(5);
        assert_eq!(newest[0], rows[1]);
        assert_eq!(newest.len(), 2);
        assert_eq!(
            refused.totals(),
            [(R::ModelNotAllowed, 2), (R::RangeExhausted, 2)]
        );
        refused.forget(&device(1));
        assert!(refused.of(&device(1)).is_empty());
    }

    #[test]
    fn a_flood_of_names_forgets_the_oldest_and_stays_bounded() {
        let refused = RefusedPhones::default();
        let reason = AutoRegistrationRefused::Off;
        let remember =
            |number| refused.remember(&device(number), None, SOURCE, reason, UnixMillis(0));
        // A name that was forgotten and came again is as new as its coming again.
        remember(0);
        refused.forget(&device(0));
        remember(1);
        remember(0);
        let names = u32::try_from(NAMES_MAX).unwrap();
        for number in 2..=names {
            remember(number);
        }
        assert!(refused.of(&device(1)).is_empty());
        assert_eq!(refused.of(&device(0)).len(), 1);
        for number in 0..3 * names {
            remember(number + 10);
        }
        assert!(refused.newest(usize::MAX).len() <= NAMES_MAX);
    }
}
