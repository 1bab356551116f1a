//! What a resolved name leads to: bytes in memory, or a file of the firmware folder.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;

use crate::domain::config_file::file_name::RefusedName;
use crate::service::phone_files::file_answer::FetchReceipt;
use crate::service::phone_files::file_requests::FileDoor;

/// Bytes read from a firmware file at once. Transfers under way hold one such piece each.
const PIECE_BYTES: usize = 64 * 1024;

/// The answer to a request, the same for every door.
#[derive(Debug)]
pub enum Resolved {
    /// The file, and what to tell [`FileSource::fetched`] once the client has all of it.
    Found(Content, Option<FetchReceipt>),
    /// There is no such file for this client.
    NotFound,
    /// The name is one that no phone sends.
    Refused(RefusedName),
    /// The client asked for too many files that do not exist.
    Throttled,
    /// The file exists and cannot be made now.
    Unavailable,
}

/// Bytes to serve.
#[derive(Debug, Clone)]
pub enum Content {
    /// A generated file.
    Generated(Bytes),
    /// A file of the firmware folder.
    Firmware(FirmwareFile),
}

impl Content {
    /// Length in bytes.
    pub fn length(&self) -> u64 {
        match self {
            Self::Generated(bytes) => bytes.len() as u64,
            Self::Firmware(file) => file.length,
        }
    }
}

/// An open file of the firmware folder.
#[derive(Debug, Clone)]
pub struct FirmwareFile {
    file: Arc<std::fs::File>,
    /// Length in bytes when it was opened.
    pub length: u64,
    /// Changes when the file is replaced: length and time of change.
    pub entity_tag: String,
    /// MIME type by the end of its name.
    pub media_type: &'static str,
}

impl FirmwareFile {
    pub(super) fn new(file: std::fs::File, name: &str) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let changed = metadata
            .modified()?
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |age| age.as_nanos());
        Ok(Self {
            file: Arc::new(file),
            length: metadata.len(),
            entity_tag: format!("{:x}-{changed:x}", metadata.len()),
            media_type: media_type(name),
        })
    }

    /// All of a file that is no longer than one piece; `None` for a longer one, or one that cannot
    /// be read.
    pub async fn whole(&self) -> Option<Bytes> {
        if self.length > PIECE_BYTES as u64 {
            return None;
        }
        self.piece(0).await.ok()
    }

    /// Reads up to `PIECE_BYTES` from `offset`, fewer at the end of the file.
    ///
    /// # Errors
    ///
    /// The file system's.
    pub async fn piece(&self, offset: u64) -> io::Result<Bytes> {
        let file = Arc::clone(&self.file);
        let wanted = usize::try_from(self.length.saturating_sub(offset))
            .unwrap_or(PIECE_BYTES)
            .min(PIECE_BYTES);
        tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; wanted];
            file.read_exact_at(&mut piece, offset)?;
            Ok(Bytes::from(piece))
        })
        .await
        .unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
    }
}

fn media_type(name: &str) -> &'static str {
    let end = name.rsplit('.').next().unwrap_or_default();
    match end.to_ascii_lowercase().as_str() {
        "xml" => "text/xml; charset=UTF-8",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}

/// Where the doors get their files: [`super::resolver::Resolver`], or a stand-in in tests.
pub trait FileSource: Send + Sync + 'static {
    /// Resolves a name for a client.
    fn resolve(
        &self,
        name: &[u8],
        source: IpAddr,
        door: FileDoor,
    ) -> impl Future<Output = Resolved> + Send;

    /// Takes note that the client's address is not forged; `false` when it must get no more.
    fn begins(&self, receipt: &FetchReceipt) -> bool;

    /// Takes note that a client has all of the file that came with this receipt, or was sent all
    /// of it where the door cannot tell what arrived.
    fn fetched(&self, receipt: FetchReceipt);
}
