//! The one resolver behind every door: a name in, bytes out.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;

use super::content::Content;
use super::content::FileSource;
use super::content::Resolved;
use super::device_xml;
use super::firmware::FirmwareFolder;
use super::flat_profile;
use super::signed_file::SignedFiles;
use super::signed_file::Unsigned;
use super::system_xml;
use crate::domain::config_file::file_name::FirmwarePath;
use crate::service::App;
use crate::service::phone_files::file_answer::FetchReceipt;
use crate::service::phone_files::file_answer::FileAnswer;
use crate::service::phone_files::file_answer::FileFormats;
use crate::service::phone_files::file_answer::FileRequest;
use crate::service::phone_files::file_requests::FileDoor;
use crate::service::phone_files::render_config;
use crate::service::trust_list::signed_files::FileSigner;

/// What the use case makes, written as phones read it.
pub static FORMATS: FileFormats = FileFormats {
    device: device_xml::write,
    flat_profile: flat_profile::write,
    xml_default: system_xml::xml_default,
};

/// Asks the use case and writes what it answers.
pub struct Resolver {
    app: Arc<App>,
    firmware: Option<FirmwareFolder>,
    signed: SignedFiles,
}

impl Resolver {
    /// A resolver over the use cases of `app` and, where there is one, the firmware folder.
    pub fn new(app: Arc<App>, firmware: Option<FirmwareFolder>) -> Self {
        Self {
            app,
            firmware,
            signed: SignedFiles::new(),
        }
    }

    /// Writes what is not to be signed, or not yet.
    async fn written(&self, answer: FileAnswer) -> Resolved {
        match answer {
            FileAnswer::Made { bytes, receipt } => {
                Resolved::Found(Content::Generated(bytes), receipt)
            }
            FileAnswer::DialPlan => generated(system_xml::dial_plan()),
            FileAnswer::SoftKeys => generated(system_xml::soft_keys()),
            FileAnswer::FeaturePolicy => generated(system_xml::feature_policy()),
            FileAnswer::RingList(path) => match self.of_firmware(&path).await {
                Some(content) => Resolved::Found(content, None),
                None => generated(system_xml::ring_list()),
            },
            FileAnswer::Firmware(path) => match self.of_firmware(&path).await {
                Some(content) => Resolved::Found(content, None),
                None => Resolved::NotFound,
            },
            // A signed file holds one that is not signed.
            FileAnswer::NotFound | FileAnswer::Signed { .. } => Resolved::NotFound,
            FileAnswer::Refused(why) => Resolved::Refused(why),
            FileAnswer::Throttled => Resolved::Throttled,
            FileAnswer::Unavailable => Resolved::Unavailable,
        }
    }

    /// The same file with a signature; whatever is no file stays as it is.
    async fn signed(
        &self,
        resolved: Resolved,
        name: &str,
        source: IpAddr,
        signer: &Arc<FileSigner>,
    ) -> Resolved {
        let (file, receipt) = match resolved {
            Resolved::Found(Content::Generated(file), receipt) => (file, receipt),
            // A ring list of the firmware folder, which stands in for the generated one.
            Resolved::Found(Content::Firmware(file), receipt) => match file.whole().await {
                Some(file) => (file, receipt),
                None => return Resolved::NotFound,
            },
            other => return other,
        };
        let now_s = self.app.environment.now().unix_s();
        let unsigned = Unsigned {
            name,
            file: &file,
            source,
            shares: self.app.settings.auto_registration.shares_of(source),
        };
        match self.signed.sign(signer, unsigned, now_s).await {
            Some(signed) => Resolved::Found(Content::Generated(signed), receipt),
            None => Resolved::Unavailable,
        }
    }

    async fn of_firmware(&self, path: &FirmwarePath) -> Option<Content> {
        let folder = self.firmware.as_ref()?;
        folder.find(path).await.map(Content::Firmware)
    }
}

impl FileSource for Resolver {
    async fn resolve(&self, name: &[u8], source: IpAddr, door: FileDoor) -> Resolved {
        let request = FileRequest {
            name,
            source,
            door,
            formats: &FORMATS,
        };
        match render_config::answer(&self.app, &request) {
            FileAnswer::Signed { name, file, signer } => {
                let resolved = self.written(*file).await;
                self.signed(resolved, name.as_str(), source, &signer).await
            }
            other => self.written(other).await,
        }
    }

    fn begins(&self, receipt: &FetchReceipt) -> bool {
        render_config::begins(&self.app, receipt)
    }

    fn fetched(&self, receipt: FetchReceipt) {
        render_config::fetched(&self.app, receipt);
    }
}

/// A file that is the same for everybody.
const fn generated(bytes: Bytes) -> Resolved {
    Resolved::Found(Content::Generated(bytes), None)
}
