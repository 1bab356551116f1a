//! TFTP datagrams and the file names in them: a name that is accepted never leads out of a folder.

use selfprov::domain::config_file::file_name::{self, RequestedFile};
use selfprov::server::config_files::tftp::packet::{self, Packet};

/// Panics when the property does not hold.
pub(crate) fn check(bytes: &[u8]) {
    let Ok(Packet::Read(request)) = packet::parse(bytes) else {
        return;
    };
    assert!(
        request
            .options
            .blksize
            .is_none_or(|size| packet::BLKSIZE_RANGE.contains(&size))
    );
    let _ = packet::option_acknowledgement(&request.options);
    if let Ok(RequestedFile::Firmware(path)) = file_name::parse(request.name) {
        assert!(
            path.components()
                .all(|part| !part.is_empty() && part != "..")
        );
    }
}
