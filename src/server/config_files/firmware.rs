//! The optional read-only folder with firmware, locale, ring and image files.

use std::fs::File;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use super::content::FirmwareFile;
use super::firmware_listings::Listings;
use crate::domain::config_file::file_name::FirmwarePath;

/// The folder. Nothing outside it is ever opened, whatever links it holds.
#[derive(Debug, Clone)]
pub struct FirmwareFolder {
    root: PathBuf,
    listings: Arc<Listings>,
}

impl FirmwareFolder {
    /// The folder at `path`.
    ///
    /// # Errors
    ///
    /// The file system's when it is not a folder that can be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root = path.canonicalize()?;
        std::fs::read_dir(&root)?;
        Ok(Self {
            root,
            listings: Arc::default(),
        })
    }

    /// Opens a file in it, by its name without regard to letter case.
    ///
    /// `None` when there is none, when it is a folder, or when a link leads out of the folder.
    pub async fn find(&self, path: &FirmwarePath) -> Option<FirmwareFile> {
        let (folder, path) = (self.clone(), path.clone());
        let found = tokio::task::spawn_blocking(move || find(&folder, &path));
        found.await.ok().flatten()
    }
}

fn find(folder: &FirmwareFolder, path: &FirmwarePath) -> Option<FirmwareFile> {
    let mut place = folder.root.clone();
    for component in path.components() {
        let exact = place.join(component);
        place = if exact.exists() {
            exact
        } else {
            folder.listings.find(&place, component)?
        };
    }
    let place = place.canonicalize().ok()?;
    if !place.starts_with(&folder.root) || !place.is_file() {
        return None;
    }
    FirmwareFile::new(File::open(&place).ok()?, path.as_str()).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::domain::config_file::file_name::RequestedFile;
    use crate::domain::config_file::file_name::parse;

    async fn found(folder: &FirmwareFolder, name: &str) -> Option<u64> {
        let Ok(RequestedFile::Firmware(path)) = parse(name.as_bytes()) else {
            panic!("{name}");
        };
        folder.find(&path).await.map(|file| file.length)
    }

    #[tokio::test]
    async fn files_are_found_in_any_case_and_never_outside_the_folder() {
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        let inside = outside.path().join("firmware");
        fs::create_dir_all(inside.join("Desktops/320x212x12")).unwrap();
        fs::write(inside.join("Desktops/320x212x12/List.xml"), "abc").unwrap();
        std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
        std::os::unix::fs::symlink("Desktops/320x212x12/List.xml", inside.join("good")).unwrap();
        let folder = FirmwareFolder::open(&inside).unwrap();
        assert_eq!(
            found(&folder, "Desktops/320x212x12/List.xml").await,
            Some(3)
        );
        assert_eq!(
            found(&folder, "\\desktops\\320X212x12\\list.XML").await,
            Some(3)
        );
        assert_eq!(found(&folder, "good").await, Some(3));
        assert_eq!(found(&folder, "link").await, None);
        assert_eq!(found(&folder, "Desktops").await, None);
        assert_eq!(found(&folder, "absent").await, None);
    }
}
