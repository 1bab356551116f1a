//! Which kind of file a device gets, and the file.

use super::file_answer::FetchReceipt;
use super::file_answer::FileAnswer;
use super::system_values::system_values;
use crate::domain::config_file::DeviceFile;
use crate::domain::config_file::FileWarning;
use crate::domain::config_file::account::DeviceAccounts;
use crate::domain::config_file::account::device_accounts;
use crate::domain::config_file::assemble;
use crate::domain::config_file::flat_profile::FlatProfile;
use crate::domain::config_file::flat_profile::RESYNC_PERIODIC_S;
use crate::domain::config_file::flat_profile::RESYNC_UNCONFIGURED_S;
use crate::domain::config_file::flat_profile::profile_rule;
use crate::domain::config_file::incomplete::Incomplete;
use crate::domain::phone::Phone;
use crate::domain::phone_model::FileFormat;
use crate::domain::phone_model::PhoneModel;
use crate::domain::secret::Secret;
use crate::service::App;

/// How a device gets its settings. A model that is not known yet is one of Cisco's.
pub(in crate::service) fn format_of(phone: &Phone) -> FileFormat {
    let model = phone.known_model();
    model.map_or(FileFormat::CiscoXml, PhoneModel::file_format)
}

/// Whether a restart makes the device load what has changed. Of the others somebody must type it in,
/// or there is no phone yet, and they would be told to restart for ever.
pub(in crate::service) fn loads_by_restart(phone: &Phone) -> bool {
    format_of(phone) != FileFormat::AccountSheet && !phone.name.is_placeholder()
}

/// What every phone of a multiplatform model may read: where its own profile is.
pub(super) fn model_profile(app: &App) -> FlatProfile {
    FlatProfile {
        profile_rule: profile_rule(&app.settings.advertised.files_http_base()),
        resync_periodic_s: RESYNC_UNCONFIGURED_S,
        accounts: None,
    }
}

/// The file of a device, of whichever kind.
pub(super) enum OwnFile {
    Cisco(Box<DeviceFile>),
    FlatProfile(Box<FlatProfile>, Vec<FileWarning>),
}

impl OwnFile {
    pub(super) fn warnings(&self) -> &[FileWarning] {
        match self {
            Self::Cisco(file) => &file.warnings,
            Self::FlatProfile(_, warnings) => warnings,
        }
    }

    pub(super) fn into_answer(self, receipt: Option<FetchReceipt>) -> FileAnswer {
        match self {
            Self::Cisco(file) => FileAnswer::Device { file, receipt },
            Self::FlatProfile(profile, _) => FileAnswer::FlatProfile { profile, receipt },
        }
    }
}

pub(super) fn own_file(
    app: &App,
    phone: &Phone,
    secret: Option<&Secret>,
) -> Result<OwnFile, Incomplete> {
    if format_of(phone) == FileFormat::CiscoXml {
        return Ok(OwnFile::Cisco(file_of(app, phone, secret)?.into()));
    }
    let accounts = accounts_of(app, phone, secret)?;
    let warnings = accounts.warnings.clone();
    let profile = FlatProfile {
        profile_rule: profile_rule(&app.settings.advertised.files_http_base()),
        resync_periodic_s: RESYNC_PERIODIC_S,
        accounts: Some(accounts),
    };
    Ok(OwnFile::FlatProfile(profile.into(), warnings))
}

/// The file of one of Cisco's phones.
pub(super) fn file_of(
    app: &App,
    phone: &Phone,
    secret: Option<&Secret>,
) -> Result<DeviceFile, Incomplete> {
    let system = system_values(app).map_err(|_| Incomplete("usable advertised address"))?;
    assemble::device_file(phone, &app.catalogue.load(), &system, secret)
}

/// The SIP accounts of a device that is configured by them.
pub(in crate::service) fn accounts_of(
    app: &App,
    phone: &Phone,
    secret: Option<&Secret>,
) -> Result<DeviceAccounts, Incomplete> {
    let system = system_values(app).map_err(|_| Incomplete("usable advertised address"))?;
    device_accounts(phone, &app.catalogue.load(), &system, secret)
}
