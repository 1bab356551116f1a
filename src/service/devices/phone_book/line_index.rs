//! Which devices have a number, for the calls to it.

use std::collections::HashMap;
use std::sync::RwLock;
use std::sync::RwLockReadGuard;
use std::sync::RwLockWriteGuard;

use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::phone::Phone;
use crate::locks;
use crate::service::one_or_many::OneOrMany;

/// Devices by the numbers of their lines; kept by the phone book.
#[derive(Debug, Default)]
pub(super) struct LineIndex(RwLock<Index>);

/// Nearly every number is on one phone, and a large site has many numbers.
type Index = HashMap<DirectoryNumber, OneOrMany<DeviceName>>;

impl LineIndex {
    /// The devices that have this number on a line, in no order.
    pub(in crate::service) fn of_number(&self, number: &DirectoryNumber) -> Vec<DeviceName> {
        let index = self.read();
        let devices = index.get(number).map(OneOrMany::as_slice);
        devices.unwrap_or_default().to_vec()
    }

    /// Takes over a change of one device: `None` for a device that was not or is no longer there.
    pub(in crate::service) fn change(&self, before: Option<&Phone>, after: Option<&Phone>) {
        let numbers = |phone: Option<&Phone>| -> Vec<DirectoryNumber> {
            let lines = phone.map(|phone| &*phone.lines);
            let lines = lines.unwrap_or_default().iter();
            lines.map(|line| line.pattern.clone()).collect()
        };
        let Some(name) = after.or(before).map(|phone| phone.name.clone()) else {
            return;
        };
        let (old, new) = (numbers(before), numbers(after));
        if old == new {
            return;
        }
        let mut index = self.write();
        for number in old.iter().filter(|number| !new.contains(number)) {
            remove(&mut index, number, &name);
        }
        for number in new.iter().filter(|number| !old.contains(number)) {
            add(&mut index, number, &name);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        locks::read(&self.0)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Index> {
        locks::write(&self.0)
    }
}

fn add(index: &mut Index, number: &DirectoryNumber, name: &DeviceName) {
    match index.get_mut(number) {
        None => drop(index.insert(number.clone(), OneOrMany::One(name.clone()))),
        Some(devices) if devices.as_slice().contains(name) => {}
        Some(devices) => devices.push(name.clone()),
    }
}

fn remove(index: &mut Index, number: &DirectoryNumber, name: &DeviceName) {
    if let Some((number, devices)) = index.remove_entry(number)
        && let Some(left) = devices.without(|other| other == name)
    {
        index.insert(number, left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_leads_to_all_its_devices_and_to_none_that_left() {
        let number: DirectoryNumber = "1004".parse().unwrap();
        let name = |digit: char| -> DeviceName {
            let mac = std::iter::repeat_n(digit, 12).collect::<String>();
            format!("SEP{mac}").parse().unwrap()
        };
        let names = [name('1'), name('2'), name('3')];
        let mut index = HashMap::new();
        for (count, name) in names.iter().enumerate() {
            add(&mut index, &number, name);
            add(&mut index, &number, name);
            assert_eq!(index[&number].as_slice().len(), count + 1);
        }
        remove(&mut index, &number, &names[1]);
        assert_eq!(index[&number].as_slice(), [name('1'), name('3')]);
        remove(&mut index, &number, &names[0]);
        assert!(matches!(&index[&number], OneOrMany::One(one) if *one == names[2]));
        remove(&mut index, &number, &names[2]);
        remove(&mut index, &number, &names[2]);
        assert!(index.is_empty());
    }
}
