//! The one resolver behind every door: a name in, bytes out.

use std::net::IpAddr;
use std::sync::Arc;

use super::content::Content;
use super::content::FileSource;
use super::content::Resolved;
use super::device_xml;
use super::firmware::FirmwareFolder;
use super::flat_profile;
use super::system_xml;
use crate::domain::config_file::file_name::FirmwarePath;
use crate::service::App;
use crate::service::render_config;
use crate::service::render_config::FetchReceipt;
use crate::service::render_config::FileAnswer;
use crate::service::render_config::FileDoor;
use crate::service::render_config::FileRequest;

/// Asks the use case and writes what it answers.
pub struct Resolver {
    app: Arc<App>,
    firmware: Option<FirmwareFolder>,
}

impl Resolver {
    /// A resolver over the use cases of `app` and, where there is one, the firmware folder.
    pub fn new(app: Arc<App>, firmware: Option<FirmwareFolder>) -> Self {
        Self { app, firmware }
    }

    async fn of_firmware(&self, path: &FirmwarePath) -> Option<Content> {
        let folder = self.firmware.as_ref()?;
        folder.find(path).await.map(Content::Firmware)
    }
}

impl FileSource for Resolver {
    async fn resolve(&self, name: &[u8], source: IpAddr, door: FileDoor) -> Resolved {
        let request = FileRequest { name, source, door };
        match render_config::answer(&self.app, &request) {
            FileAnswer::Device { file, receipt } => generated(device_xml::write(&file), receipt),
            FileAnswer::FlatProfile { profile, receipt } => {
                generated(flat_profile::write(&profile), receipt)
            }
            FileAnswer::XmlDefault(file) => generated(system_xml::xml_default(&file), None),
            FileAnswer::DialPlan => generated(system_xml::dial_plan(), None),
            FileAnswer::SoftKeys => generated(system_xml::soft_keys(), None),
            FileAnswer::FeaturePolicy => generated(system_xml::feature_policy(), None),
            FileAnswer::RingList(path) => match self.of_firmware(&path).await {
                Some(content) => Resolved::Found(content, None),
                None => generated(system_xml::ring_list(), None),
            },
            FileAnswer::Firmware(path) => match self.of_firmware(&path).await {
                Some(content) => Resolved::Found(content, None),
                None => Resolved::NotFound,
            },
            FileAnswer::TrustList { bytes, receipt } => {
                Resolved::Found(Content::Generated(bytes), receipt)
            }
            FileAnswer::NotFound => Resolved::NotFound,
            FileAnswer::Refused(why) => Resolved::Refused(why),
            FileAnswer::Throttled => Resolved::Throttled,
            FileAnswer::Unavailable => Resolved::Unavailable,
        }
    }

    fn fetched(&self, receipt: FetchReceipt) {
        render_config::fetched(&self.app, receipt);
    }
}

fn generated(text: String, receipt: Option<FetchReceipt>) -> Resolved {
    Resolved::Found(Content::Generated(text.into()), receipt)
}
