//! The names in the folders of the firmware folder, so that a name that is asked for in another
//! letter case, or is not there at all, does not make the server list a whole folder each time.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use std::time::SystemTime;

use crate::locks;

/// Entries of one folder that are known by name.
const ENTRIES_MAX: usize = 10_000;

/// Folders whose names are kept; with more, all are forgotten and read again as they are asked for.
const FOLDERS_MAX: usize = 256;

/// A folder that changed less long ago may change again without its time of change telling:
/// file systems count in steps of up to 2 s (FAT).
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// The listings, each good until its folder changes.
#[derive(Debug, Default)]
pub(super) struct Listings(Mutex<HashMap<PathBuf, Arc<Listing>>>);

/// The names of one folder.
#[derive(Debug)]
struct Listing {
    changed: SystemTime,
    is_settled: bool,
    /// By their letters in lower case; of names that differ in case alone, one.
    names: HashMap<String, OsString>,
}

impl Listings {
    /// The entry of this name in a folder, without regard to the case of ASCII letters.
    pub(super) fn find(&self, folder: &Path, name: &str) -> Option<PathBuf> {
        let listing = self.of(folder)?;
        let entry = listing.names.get(&name.to_ascii_lowercase())?;
        Some(folder.join(entry))
    }

    fn of(&self, folder: &Path) -> Option<Arc<Listing>> {
        let changed = folder.metadata().and_then(|now| now.modified()).ok()?;
        let lock = || locks::lock(&self.0);
        let known = lock().get(folder).map(Arc::clone);
        let is_good = |known: &Arc<Listing>| known.is_settled && known.changed == changed;
        if let Some(known) = known.filter(is_good) {
            return Some(known);
        }
        let listing = Arc::new(Listing::read(folder, changed)?);
        let mut listings = lock();
        if listings.len() >= FOLDERS_MAX && !listings.contains_key(folder) {
            listings.clear();
        }
        listings.insert(folder.to_owned(), Arc::clone(&listing));
        Some(listing)
    }
}

impl Listing {
    fn read(folder: &Path, changed: SystemTime) -> Option<Self> {
        let is_settled = changed.elapsed().is_ok_and(|age| age >= SETTLED_AFTER);
        let entries = std::fs::read_dir(folder).ok()?;
        let names = entries
            .take(ENTRIES_MAX)
            .filter_map(Result::ok)
            .filter_map(|entry| {
                let name = entry.file_name();
                Some((name.to_str()?.to_ascii_lowercase(), name))
            })
            .collect();
        Some(Self {
            changed,
            is_settled,
            names,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::fs::File;

    use super::*;

    fn make_settled(folder: &Path) {
        let past = SystemTime::now() - 2 * SETTLED_AFTER;
        File::open(folder).unwrap().set_modified(past).unwrap();
    }

    #[test]
    fn a_folder_is_read_once_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let listings = Listings::default();
        fs::write(folder.join("List.xml"), "x").unwrap();
        assert_eq!(listings.find(folder, "absent"), None);
        fs::write(folder.join("New.xml"), "x").unwrap();
        // At once: what has just changed is not trusted.
        assert_eq!(
            listings.find(folder, "NEW.xml"),
            Some(folder.join("New.xml"))
        );
        make_settled(folder);
        let first = listings.of(folder).unwrap();
        for name in ["list.XML", "absent", "List.xml"] {
            let found = listings.find(folder, name);
            assert_eq!(found.is_some(), name != "absent", "{name}");
        }
        assert!(Arc::ptr_eq(&first, &listings.of(folder).unwrap()));
        fs::remove_file(folder.join("List.xml")).unwrap();
        assert_eq!(listings.find(folder, "list.xml"), None);
        assert_eq!(listings.find(&folder.join("nowhere"), "list.xml"), None);
    }
}
