//! The data directory and its lock: one process at a time has the database open.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The lock's file in the data directory. It stays; what counts is who holds the lock on it.
const LOCK_FILE: &str = "lock";

/// Mode of a directory that is made: its owner alone.
const DIRECTORY_MODE: u32 = 0o700;

/// Mode of the lock's file and the database.
const FILE_MODE: u32 = 0o600;

/// The data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It cannot be made or written.
    #[error(
        "the data directory {} cannot be used: {reason}; choose another with --data-dir, or let \
         the service's user write there",
        path.display()
    )]
    Io {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
    /// Another process has it.
    #[error(
        "another selfprov has the data directory {} open; end it, or choose another with --data-dir",
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
    },
}

/// The lock on a data directory. It ends with the process, however that ends.
#[derive(Debug)]
pub struct DataDirLock {
    _file: File,
}

/// Makes the data directory where there is none and takes its lock.
///
/// # Errors
///
/// [`DataDirError::InUse`] while another process has it.
pub fn lock(path: &Path) -> Result<DataDirLock, DataDirError> {
    let failed = |reason| DataDirError::Io {
        path: path.to_owned(),
        reason,
    };
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(path)
        .map_err(failed)?;
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE);
    let file = options.open(path.join(LOCK_FILE)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(DataDirLock { _file: file }),
        Err(TryLockError::WouldBlock) => Err(DataDirError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(reason)) => Err(failed(reason)),
    }
}

/// Makes a database's file for its owner alone, or takes it from everybody else; SQLite gives the
/// files beside it the same mode.
///
/// # Errors
///
/// Its mode cannot be changed: it is not ours.
pub fn keep_to_owner(file: &Path) -> Result<(), DataDirError> {
    let failed = |reason| DataDirError::Io {
        path: file.to_owned(),
        reason,
    };
    let mut options = fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(FILE_MODE);
    // Why it cannot be opened, the database's driver says better.
    let Ok(opened) = options.open(file) else {
        return Ok(());
    };
    let permissions = opened.metadata().map_err(failed)?.permissions();
    let of_others = permissions.mode() & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut path = file.as_os_str().to_owned();
        path.push(suffix);
        match fs::set_permissions(&path, fs::Permissions::from_mode(FILE_MODE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_has_one_holder_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("data");
        let first = lock(&path).unwrap();
        assert!(matches!(lock(&path), Err(DataDirError::InUse { .. })));
        drop(first);
        lock(&path).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let error = lock(&file.join("data")).unwrap_err().to_string();
        assert!(error.contains("--data-dir"), "{error}");
    }
}
