//! A numbered set of log files of limited size and number; the oldest goes first.
//!
//! Numbers count up from 1 to 9999 and then begin again, so that file names sort by age until
//! they wrap. Which file is current is read from the folder, so a restart goes on where the last
//! run stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// Largest number of a file; four digits.
const NUMBER_MAX: u16 = 9_999;

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    file_bytes_max: u64,
    files_max: u16,
}

/// A retention outside its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("trace files take 4096 to 104857600 bytes each, and there are 1 to 5000 of them")]
pub struct InvalidRetention;

impl Default for Retention {
    /// 250 files of 1 MB. Source: Cisco document 214228.
    fn default() -> Self {
        Self {
            file_bytes_max: 1_048_576,
            files_max: 250,
        }
    }
}

impl Retention {
    /// Smallest size of a file in bytes: room for the longest line.
    pub const FILE_BYTES_MIN: u64 = 4_096;
    /// Largest size of a file in bytes.
    pub const FILE_BYTES_MAX: u64 = 104_857_600;
    /// Most files: half of the numbers, so that the oldest and the newest never meet.
    pub const FILES_MAX: u16 = 5_000;

    /// At most `files_max` files of at most `file_bytes_max` bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidRetention`] when one is outside its limits.
    pub fn new(file_bytes_max: u64, files_max: u16) -> Result<Self, InvalidRetention> {
        let fits = (Self::FILE_BYTES_MIN..=Self::FILE_BYTES_MAX).contains(&file_bytes_max)
            && (1..=Self::FILES_MAX).contains(&files_max);
        fits.then_some(Self {
            file_bytes_max,
            files_max,
        })
        .ok_or(InvalidRetention)
    }

    /// What is remembered in the folder, to notice a change made while the service was stopped.
    fn to_line(self) -> String {
        format!("{} {}\n", self.file_bytes_max, self.files_max)
    }
}

/// The files `<name>0001.log` … in one folder, open for appending.
#[derive(Debug)]
pub struct TraceFiles {
    folder: PathBuf,
    name: &'static str,
    retention: Retention,
    number: u16,
    file: File,
    bytes: u64,
}

impl TraceFiles {
    /// Opens the newest file, or the first. When the retention differs from that of the last run,
    /// all but the newest file are deleted, as they are when it changes while the service runs.
    ///
    /// # Errors
    ///
    /// The folder or a file in it cannot be made, read or written.
    pub fn open(folder: &Path, name: &'static str, retention: Retention) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let number = newest(&numbers(folder, name)?).unwrap_or(1);
        let (file, bytes) = open_file(folder, name, number)?;
        let files = Self {
            folder: folder.to_owned(),
            name,
            retention,
            number,
            file,
            bytes,
        };
        match fs::read_to_string(files.retention_path()) {
            Ok(line) if line == retention.to_line() => files.delete_over_limit()?,
            Ok(_) => files.delete_all_but_current()?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => files.delete_over_limit()?,
            Err(error) => return Err(error),
        }
        fs::write(files.retention_path(), retention.to_line())?;
        Ok(files)
    }

    /// Sets another retention; when it differs, all but the current file are deleted.
    ///
    /// Source: Cisco document 214228, "Logs to be Collected".
    ///
    /// # Errors
    ///
    /// A file cannot be deleted or written.
    pub fn set_retention(&mut self, retention: Retention) -> io::Result<()> {
        if retention == self.retention {
            return Ok(());
        }
        self.retention = retention;
        fs::write(self.retention_path(), retention.to_line())?;
        self.delete_all_but_current()
    }

    /// How many bytes the current file still takes.
    pub fn room(&self) -> u64 {
        self.retention.file_bytes_max.saturating_sub(self.bytes)
    }

    /// Appends whole lines; the next file is begun first when they do not fit in this one.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or the next one not made.
    pub fn append(&mut self, lines: &[u8]) -> io::Result<()> {
        let length = u64::try_from(lines.len()).unwrap_or(u64::MAX);
        if length > self.room() && self.bytes > 0 {
            self.begin_next()?;
        }
        self.file.write_all(lines)?;
        self.bytes = self.bytes.saturating_add(length);
        Ok(())
    }

    fn begin_next(&mut self) -> io::Result<()> {
        let number = self.number % NUMBER_MAX + 1;
        let path = path(&self.folder, self.name, number);
        // A file of this number can only be a leftover from before the numbers wrapped.
        remove_if_there(&path)?;
        let (file, bytes) = open_file(&self.folder, self.name, number)?;
        (self.number, self.file, self.bytes) = (number, file, bytes);
        self.delete_over_limit()
    }

    fn delete_over_limit(&self) -> io::Result<()> {
        for number in numbers(&self.folder, self.name)? {
            // How many files ago it was current.
            let age = (self.number + NUMBER_MAX - number) % NUMBER_MAX;
            if age >= self.retention.files_max {
                remove_if_there(&path(&self.folder, self.name, number))?;
            }
        }
        Ok(())
    }

    fn delete_all_but_current(&self) -> io::Result<()> {
        for number in numbers(&self.folder, self.name)? {
            if number != self.number {
                remove_if_there(&path(&self.folder, self.name, number))?;
            }
        }
        Ok(())
    }

    fn retention_path(&self) -> PathBuf {
        self.folder.join(format!("{}.retention", self.name))
    }
}

fn path(folder: &Path, name: &str, number: u16) -> PathBuf {
    folder.join(format!("{name}{number:04}.log"))
}

fn open_file(folder: &Path, name: &str, number: u16) -> io::Result<(File, u64)> {
    // Names and addresses of people stand in it: the service and its group only.
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o640)
        .open(path(folder, name, number))?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The numbers of the files that are there, in ascending order.
fn numbers(folder: &Path, name: &str) -> io::Result<Vec<u16>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let file_name = entry?.file_name();
        let digits = file_name
            .to_str()
            .and_then(|text| text.strip_prefix(name))
            .and_then(|text| text.strip_suffix(".log"))
            .filter(|digits| digits.len() == 4);
        if let Some(number) = digits.and_then(|digits| digits.parse().ok())
            && (1..=NUMBER_MAX).contains(&number)
        {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// The newest of these numbers: the last one before the widest gap of the circle.
fn newest(numbers: &[u16]) -> Option<u16> {
    let first = *numbers.first()?;
    let following = numbers.iter().skip(1).copied().chain([first]);
    let gap = |number: u16, next: u16| (next + NUMBER_MAX - number - 1) % NUMBER_MAX;
    numbers
        .iter()
        .copied()
        .zip(following)
        .max_by_key(|(number, next)| gap(*number, *next))
        .map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: [u8; 1_024] = [b'x'; 1_024];

    fn small(files_max: u16) -> Retention {
        Retention::new(Retention::FILE_BYTES_MIN, files_max).unwrap()
    }

    fn write(files: &mut TraceFiles, count: usize) {
        for _ in 0..count {
            files.append(&LINE).unwrap();
        }
    }

    #[test]
    fn files_are_filled_in_turn_and_the_oldest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap();
        write(&mut files, 4 * 5 + 1);
        assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [4, 5, 6]);
        for number in [4, 5] {
            let length = fs::metadata(path(folder.path(), "cucm-uds", number))
                .unwrap()
                .len();
            assert_eq!(length, Retention::FILE_BYTES_MIN);
        }
    }

    #[test]
    fn a_restart_goes_on_in_the_newest_file() {
        let folder = tempfile::tempdir().unwrap();
        write(
            &mut TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap(),
            6,
        );
        let mut files = TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap();
        assert_eq!((files.number, files.bytes), (2, 2_048));
        write(&mut files, 3);
        assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [1, 2, 3]);
    }

    #[test]
    fn numbers_begin_again_after_9999_and_a_restart_still_finds_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path(), "cucm-uds", 9_998), "old").unwrap();
        let mut files = TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap();
        write(&mut files, 4 * 3);
        assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [1, 2, 9_999]);
        drop(files);
        let files = TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap();
        assert_eq!(files.number, 2);
    }

    #[test]
    fn changing_either_setting_deletes_all_but_the_current_file() {
        for changed in [
            small(4),
            Retention::new(Retention::FILE_BYTES_MIN + 1, 3).unwrap(),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let mut files = TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap();
            write(&mut files, 9);
            files.set_retention(small(3)).unwrap();
            assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [1, 2, 3]);
            files.set_retention(changed).unwrap();
            assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [3]);
        }
    }

    #[test]
    fn a_change_made_while_stopped_deletes_them_at_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        write(
            &mut TraceFiles::open(folder.path(), "cucm-uds", small(3)).unwrap(),
            9,
        );
        fs::write(folder.path().join("other0001.log"), "not ours").unwrap();
        TraceFiles::open(folder.path(), "cucm-uds", small(2)).unwrap();
        assert_eq!(numbers(folder.path(), "cucm-uds").unwrap(), [3]);
        assert!(folder.path().join("other0001.log").exists());
    }

    #[test]
    fn retention_has_limits() {
        assert!(Retention::new(1_048_576, 250) == Ok(Retention::default()));
        for (bytes, count) in [(0, 1), (1_048_576, 0), (u64::MAX, 1), (1_048_576, 5_001)] {
            assert_eq!(Retention::new(bytes, count), Err(InvalidRetention));
        }
    }
}
