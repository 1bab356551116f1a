//! Files that `selfprov cert` reads: keys, lists and signed files.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::CliError;

/// Longest file that is read, in bytes: more than any list or key has, so that the reader says what
/// is wrong with a longer one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file; of a longer one the beginning.
///
/// # Errors
///
/// It cannot be read.
pub(super) fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, CliError> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|reason| CliError::Failed(format!("cannot read {}: {reason}", path.display())))?;
    Ok(bytes)
}
