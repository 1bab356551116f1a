//! A request for a file, and its answer.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::file_notes::FileNote;
use super::file_requests::FileDoor;
use crate::domain::config_file::DeviceFile;
use crate::domain::config_file::XmlDefaultFile;
use crate::domain::config_file::file_name::FirmwarePath;
use crate::domain::config_file::file_name::RefusedName;
use crate::domain::config_file::flat_profile::FlatProfile;
use crate::service::trust_list::fetches::ListNote;
use crate::service::trust_list::signed_files::FileSigner;

/// A request for a file.
#[derive(Debug, Clone, Copy)]
pub struct FileRequest<'a> {
    /// The name as it came from the network.
    pub name: &'a [u8],
    /// The client, an IPv4 address inside IPv6 unwrapped.
    pub source: IpAddr,
    /// The door.
    pub door: FileDoor,
    /// How the door writes what is made for the client.
    pub formats: &'static FileFormats,
}

/// How the files that are made for a client are written: the doors' matter. They are written
/// before the answer is given, because a file borrows what it says.
#[derive(Debug)]
pub struct FileFormats {
    /// `SEP<MAC>.cnf.xml`.
    pub device: fn(&DeviceFile<'_>) -> Bytes,
    /// The profile of a multiplatform phone.
    pub flat_profile: fn(&FlatProfile) -> Bytes,
    /// `XMLDefault.cnf.xml`.
    pub xml_default: fn(&XmlDefaultFile<'_>) -> Bytes,
}

/// The answer: bytes, or what the door has of its own.
#[derive(Debug)]
pub enum FileAnswer {
    /// A file that was made for this client, or a trust list, made and signed beforehand.
    Made {
        /// Its bytes.
        bytes: Bytes,
        /// For [`fetched`](super::render_config::fetched) once the client has it; `None` when
        /// nothing is to be noted.
        receipt: Option<FetchReceipt>,
    },
    /// The dial plan.
    DialPlan,
    /// The soft keys.
    SoftKeys,
    /// The feature policy.
    FeaturePolicy,
    /// The ring list, unless the firmware folder has one of this name.
    RingList(FirmwarePath),
    /// A file of the firmware folder, where there is one.
    Firmware(FirmwarePath),
    /// A file that the client wants signed.
    Signed {
        /// The name it asked for, which stands in the signed file.
        name: FirmwarePath,
        /// What the name without `.sgn` gets.
        file: Box<FileAnswer>,
        /// Signs it.
        signer: Arc<FileSigner>,
    },
    /// No such file for this client.
    NotFound,
    /// A name that no phone sends.
    Refused(RefusedName),
    /// The client asked for too many unknown names.
    Throttled,
    /// The file cannot be made; the log says why.
    Unavailable,
}

/// Says that a device's own file, secret included, or its trust list went to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchReceipt(pub(super) Receipt);

/// What went to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Receipt {
    /// A device's own file.
    File(FileNote),
    /// Its trust list.
    TrustList(ListNote),
}
