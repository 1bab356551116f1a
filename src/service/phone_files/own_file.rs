//! Which kind of file a device gets, and the file.

use std::sync::Arc;

use arc_swap::Guard;
use bytes::Bytes;

use super::file_answer::FileFormats;
use super::system_values::system_values;
use crate::domain::catalogue::Catalogue;
use crate::domain::config_file::DeviceFile;
use crate::domain::config_file::FileWarning;
use crate::domain::config_file::account::DeviceAccounts;
use crate::domain::config_file::account::device_accounts;
use crate::domain::config_file::assemble;
use crate::domain::config_file::assemble::SystemValues;
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

/// What files are made from beside the phone, as it is now.
pub(super) struct Installation {
    pub(super) catalogue: Guard<Arc<Catalogue>>,
    pub(super) system: Arc<SystemValues>,
}

impl Installation {
    /// # Errors
    ///
    /// [`Incomplete`] while it has no address that phones can be given.
    pub(super) fn of(app: &App) -> Result<Self, Incomplete> {
        let system = system_values(app).map_err(|_| Incomplete("usable advertised address"))?;
        let catalogue = app.catalogue.load();
        Ok(Self { catalogue, system })
    }
}

/// The file of a device, of whichever kind.
pub(super) enum OwnFile<'a> {
    Cisco(Box<DeviceFile<'a>>),
    FlatProfile(Box<FlatProfile>, Vec<FileWarning>),
}

impl OwnFile<'_> {
    /// The file as a door writes it, and what is not in it as its template says.
    pub(super) fn written(self, formats: &FileFormats) -> (Bytes, Vec<FileWarning>) {
        match self {
            Self::Cisco(file) => ((formats.device)(&file), file.warnings),
            Self::FlatProfile(profile, warnings) => ((formats.flat_profile)(&profile), warnings),
        }
    }

    pub(super) fn into_warnings(self) -> Vec<FileWarning> {
        match self {
            Self::Cisco(file) => file.warnings,
            Self::FlatProfile(_, warnings) => warnings,
        }
    }
}

pub(super) fn own_file<'a>(
    app: &App,
    phone: &'a Phone,
    installation: &'a Installation,
    secret: Option<&'a Secret>,
) -> Result<OwnFile<'a>, Incomplete> {
    let Installation { catalogue, system } = installation;
    if format_of(phone) == FileFormat::CiscoXml {
        let file = assemble::device_file(phone, catalogue, system, secret)?;
        return Ok(OwnFile::Cisco(file.into()));
    }
    let accounts = device_accounts(phone, catalogue, system, secret)?;
    let warnings = accounts.warnings.clone();
    let profile = FlatProfile {
        profile_rule: profile_rule(&app.settings.advertised.files_http_base()),
        resync_periodic_s: RESYNC_PERIODIC_S,
        accounts: Some(accounts),
    };
    Ok(OwnFile::FlatProfile(profile.into(), warnings))
}

/// The SIP accounts of a device that is configured by them.
pub(in crate::service) fn accounts_of(
    app: &App,
    phone: &Phone,
    secret: Option<&Secret>,
) -> Result<DeviceAccounts, Incomplete> {
    let Installation { catalogue, system } = Installation::of(app)?;
    device_accounts(phone, &catalogue, &system, secret)
}
