//! The key file on disk: made on first start, read ever after, for its owner's eyes only.

use std::fs;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::MASTER_KEY_BYTES;
use crate::service::environment::Environment;

/// Name of the key file in the data directory.
pub const FILE_NAME: &str = "key";

/// Permissions of the key file: its owner reads and writes it, nobody else anything.
const MODE: u32 = 0o600;

/// The key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Reading, making or protecting it failed.
    #[error("the key file {} cannot be used: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not hold a key.
    #[error(
        "the key file {} does not hold a key of 32 bytes; restore it from your backup",
        path.display()
    )]
    Length {
        /// The file.
        path: PathBuf,
    },
    /// It is gone, and the database has secrets that only it opens.
    #[error(
        "the key file {} is missing, and the database{} has secrets that only this key opens; \
         restore it from your backup. A new one would not do and is not made",
        path.display(), database.as_ref().map(|file| format!(" {}", file.display())).unwrap_or_default()
    )]
    Lost {
        /// Where it should be.
        path: PathBuf,
        /// The database's file, where it is one.
        database: Option<PathBuf>,
    },
    /// Others may read it.
    #[error(
        "others may read the key file {}; run: chmod 600 {}",
        path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
    },
}

/// Reads the master key from `<data_dir>/key`; makes the file with a new key when it is absent.
///
/// Of several processes that start at once one makes it and the others read that one.
///
/// # Errors
///
/// [`KeyFileError`] when the file cannot be read or made, is not a key, or is open to others.
pub fn read_or_create(
    data_dir: &Path,
    environment: &Environment,
) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    let failed = |source| KeyFileError::Io {
        path: path.clone(),
        source,
    };
    if !path.try_exists().map_err(failed)? {
        create(&path, environment).map_err(failed)?;
    }
    let mode = fs::metadata(&path).map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed { path });
    }
    let key = Zeroizing::new(fs::read(&path).map_err(failed)?);
    if key.len() != MASTER_KEY_BYTES {
        return Err(KeyFileError::Length { path });
    }
    Ok(key)
}

/// Refuses to go on where a database is without its key file: a new key would not open what is in
/// it, and a backup would take the wrong one.
///
/// # Errors
///
/// [`KeyFileError::Lost`].
pub fn refuse_lost(data_dir: &Path, database: Option<&Path>) -> Result<(), KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    let holds_something =
        |file: &&Path| fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0);
    match database.filter(holds_something) {
        Some(database) if !path.try_exists().unwrap_or(true) => Err(KeyFileError::Lost {
            path,
            database: Some(database.to_owned()),
        }),
        _ => Ok(()),
    }
}

/// Removes a key file that was made just now for a database that turned out to have another, and
/// gives what to tell.
///
/// # Errors
///
/// [`KeyFileError::Io`] when it cannot be removed.
pub fn take_back(data_dir: &Path) -> Result<KeyFileError, KeyFileError> {
    let path = data_dir.join(FILE_NAME);
    match fs::remove_file(&path) {
        Ok(()) => Ok(KeyFileError::Lost {
            path,
            database: None,
        }),
        Err(source) => Err(KeyFileError::Io { path, source }),
    }
}

/// Writes a new key beside its place and links it there, so that nobody ever reads half a key and
/// an existing one is never replaced.
fn create(path: &Path, environment: &Environment) -> io::Result<()> {
    let key: Zeroizing<[u8; MASTER_KEY_BYTES]> = Zeroizing::new(environment.random());
    let temporary = path.with_extension(environment.new_pkid().to_string());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(MODE)
        .open(&temporary)?;
    let written = file
        .write_all(key.as_slice())
        .and_then(|()| file.sync_all());
    let linked = written.and_then(|()| fs::hard_link(&temporary, path));
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::environment::fixed::environment;

    #[test]
    fn a_key_file_is_made_once_for_its_owner_only_and_then_kept() {
        let folder = tempfile::tempdir().unwrap();
        let first = read_or_create(folder.path(), &environment(1)).unwrap();
        let again = read_or_create(folder.path(), &environment(2)).unwrap();
        assert_eq!(first, again);
        let mode = fs::metadata(folder.path().join(FILE_NAME))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_key_file_that_is_cut_short_or_open_to_others_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        read_or_create(folder.path(), &environment(1)).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let exposed = read_or_create(folder.path(), &environment(1)).unwrap_err();
        assert!(exposed.to_string().contains("chmod 600"), "{exposed}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"short").unwrap();
        let short = read_or_create(folder.path(), &environment(1)).unwrap_err();
        assert!(matches!(short, KeyFileError::Length { .. }));
    }
}
