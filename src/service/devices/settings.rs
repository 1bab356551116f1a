//! What an administrator sets on a device, by the names that pages and AXL have for it.

use std::collections::HashMap;

use super::defaults;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::NamedObject;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::device::DeviceName;
use crate::domain::fresh_system;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone::ServiceUrl;
use crate::domain::phone_model::FileFormat;
use crate::domain::phone_model::ModelFamily;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::service::administration::AdministrationError;

/// Settings of a device. `None` leaves what the template, the default or the device has.
#[derive(Debug, Clone, Default)]
pub struct DeviceSettings {
    /// Device pool.
    pub device_pool: Option<String>,
    /// Phone security profile.
    pub phone_security_profile: Option<String>,
    /// SIP profile.
    pub sip_profile: Option<String>,
    /// Phone button template.
    pub phone_button_template: Option<String>,
    /// Softkey template; `Some(None)`: none.
    pub softkey_template: Option<Option<String>>,
    /// Common phone profile.
    pub common_phone_profile: Option<String>,
    /// Location.
    pub location: Option<String>,
    /// Calling search space; `Some(None)`: none.
    pub calling_search_space: Option<Option<String>>,
    /// User locale; empty: the phone's own.
    pub user_locale: Option<String>,
    /// Network locale; empty: the phone's own.
    pub network_locale: Option<String>,
    /// Firmware load; empty: the phone keeps what it runs.
    pub load_information: Option<String>,
    /// Seconds of idleness before the idle URL is opened; `Some(None)`: the system's.
    pub idle_timer_s: Option<Option<u32>>,
    /// Where phone services come from: Default, Internal, External URL, Both.
    pub services_provisioning: Option<String>,
    /// The service URLs that the device sets itself, as a whole.
    pub service_urls: Option<Vec<ServiceUrl>>,
    /// Service URLs that are set or no longer set, beside those.
    pub url_changes: Vec<UrlChange>,
}

/// One service URL of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlChange {
    /// The names that it may be kept under; the first is the one it is kept under from now on.
    pub names: &'static [&'static str],
    /// The URL; `None`: the system's.
    pub url: Option<String>,
}

impl DeviceSettings {
    /// Writes what is set onto a configuration.
    ///
    /// # Errors
    ///
    /// [`AdministrationError::NotFound`] for an object that does not exist,
    /// [`AdministrationError::Invalid`] for one that is another model's.
    pub(in crate::service) fn apply(
        &self,
        configuration: &mut PhoneConfiguration,
        catalogue: &Catalogue,
    ) -> Result<(), AdministrationError> {
        self.apply_references(configuration, catalogue)?;
        for (value, set) in [
            (&mut configuration.user_locale, &self.user_locale),
            (&mut configuration.network_locale, &self.network_locale),
            (&mut configuration.load_information, &self.load_information),
            (
                &mut configuration.services_provisioning,
                &self.services_provisioning,
            ),
        ] {
            if let Some(set) = set {
                value.clone_from(set);
            }
        }
        if let Some(idle_timer_s) = self.idle_timer_s {
            configuration.idle_timer_s = idle_timer_s;
        }
        if let Some(urls) = &self.service_urls {
            configuration.service_urls.clone_from(urls);
        }
        for change in &self.url_changes {
            change.apply(&mut configuration.service_urls);
        }
        Ok(())
    }

    fn apply_references(
        &self,
        configuration: &mut PhoneConfiguration,
        catalogue: &Catalogue,
    ) -> Result<(), AdministrationError> {
        let c = configuration;
        if let Some(name) = &self.device_pool {
            let name_of = |pool: &crate::domain::catalogue::DevicePool| pool.name.clone();
            c.device_pool = find(&catalogue.device_pools, name_of, "Device Pool", name)?;
        }
        if let Some(name) = &self.phone_security_profile {
            let kind = "Phone Security Profile";
            let profiles = &catalogue.phone_security_profiles;
            c.phone_security_profile = find(profiles, |one| one.name.clone(), kind, name)?;
        }
        if let Some(name) = &self.sip_profile {
            let profiles = &catalogue.sip_profiles;
            c.sip_profile = find(profiles, |one| one.name.clone(), "SIP Profile", name)?;
        }
        if let Some(name) = &self.phone_button_template {
            let kind = "Phone Button Template";
            let templates = &catalogue.phone_button_templates;
            c.phone_button_template = find(templates, |one| one.name.clone(), kind, name)?;
        }
        if let Some(name) = &self.common_phone_profile {
            let kind = NamedObject::COMMON_PHONE_PROFILE;
            c.common_phone_profile = object(catalogue, kind, "Common Phone Profile", name)?;
        }
        if let Some(name) = &self.location {
            c.location = object(catalogue, NamedObject::LOCATION, "Location", name)?;
        }
        if let Some(name) = &self.softkey_template {
            let kind = NamedObject::SOFTKEY_TEMPLATE;
            let found = name
                .as_ref()
                .map(|name| object(catalogue, kind, "Softkey Template", name));
            c.softkey_template = found.transpose()?;
        }
        if let Some(name) = &self.calling_search_space {
            let spaces = &catalogue.calling_search_spaces;
            let kind = "Calling Search Space";
            let found = name
                .as_ref()
                .map(|name| find(spaces, |one| one.name.clone(), kind, name));
            c.calling_search_space = found.transpose()?;
        }
        Ok(())
    }
}

impl UrlChange {
    fn apply(&self, urls: &mut Vec<ServiceUrl>) {
        urls.retain(|url| !self.names.contains(&&*url.name));
        if let (Some(name), Some(url)) = (self.names.first(), &self.url) {
            urls.push(ServiceUrl {
                name: (*name).into(),
                url: url.as_str().into(),
            });
        }
        // As they are read from the database.
        urls.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    }
}

fn find<T>(
    objects: &HashMap<Pkid, T>,
    name_of: impl Fn(&T) -> String,
    kind: &'static str,
    name: &str,
) -> Result<Pkid, AdministrationError> {
    objects
        .iter()
        .find(|(_, object)| name_of(object) == name)
        .map(|(pkid, _)| *pkid)
        .ok_or_else(|| AdministrationError::not_found(kind, name))
}

fn object(
    catalogue: &Catalogue,
    kind: &'static str,
    label: &'static str,
    name: &str,
) -> Result<Pkid, AdministrationError> {
    catalogue
        .named_object(kind, name)
        .ok_or_else(|| AdministrationError::not_found(label, name))
}

/// The Universal Device Template of this name.
pub(super) fn template_named<'a>(
    catalogue: &'a Catalogue,
    name: &str,
) -> Result<&'a UniversalDeviceTemplate, AdministrationError> {
    catalogue
        .universal_device_templates
        .values()
        .find(|template| template.identity.name == name)
        .ok_or_else(|| AdministrationError::not_found("Universal Device Template", name))
}

/// What a device of this model has where nobody says otherwise: the defaults of its model, else the
/// objects of a fresh system.
///
/// # Errors
///
/// [`AdministrationError::NotFound`] for one that was removed since and must be named now.
pub(in crate::service) fn default_configuration(
    catalogue: &Catalogue,
    model: &PhoneModel,
) -> Result<PhoneConfiguration, AdministrationError> {
    let softkey = catalogue.named_object(NamedObject::SOFTKEY_TEMPLATE, "Standard User");
    let common = NamedObject::COMMON_PHONE_PROFILE;
    let label = "Common Phone Profile";
    let defaults = defaults::find(catalogue, model);
    let standard_pool = || {
        let pools = &catalogue.device_pools;
        find(pools, |one| one.name.clone(), "Device Pool", "Default")
    };
    Ok(PhoneConfiguration {
        device_pool: defaults.device_pool.map_or_else(standard_pool, Ok)?,
        phone_security_profile: standard_security_profile(catalogue, model)?,
        sip_profile: find(
            &catalogue.sip_profiles,
            |one| one.name.clone(),
            "SIP Profile",
            "Standard SIP Profile",
        )?,
        phone_button_template: match defaults.phone_button_template {
            Some(template) => template,
            None => standard_button_template(catalogue, model)?,
        },
        softkey_template: softkey.filter(|_| model.file_format() == FileFormat::CiscoXml),
        common_phone_profile: object(catalogue, common, label, "Standard Common Phone Profile")?,
        location: object(catalogue, NamedObject::LOCATION, "Location", "Hub_None")?,
        calling_search_space: None,
        user_locale: String::new(),
        network_locale: String::new(),
        load_information: String::new(),
        idle_timer_s: None,
        services_provisioning: "Default".to_owned(),
        service_urls: Vec::new(),
    })
}

/// That of the model, or of every model in a database that is older than the model's row.
fn standard_security_profile(
    catalogue: &Catalogue,
    model: &PhoneModel,
) -> Result<Pkid, AdministrationError> {
    let own = fresh_system::standard_security_profile(model.number);
    let profiles = &catalogue.phone_security_profiles;
    if profiles.contains_key(&own) {
        return Ok(own);
    }
    let name = "Universal Device Template - Model-independent Security Profile";
    find(
        profiles,
        |one| one.name.clone(),
        "Phone Security Profile",
        name,
    )
}

fn standard_button_template(
    catalogue: &Catalogue,
    model: &PhoneModel,
) -> Result<Pkid, AdministrationError> {
    let own = fresh_system::standard_button_template(model.number);
    let templates = &catalogue.phone_button_templates;
    if templates.contains_key(&own) {
        return Ok(own);
    }
    let name = "Universal Device Template Button Layout";
    find(
        templates,
        |one| one.name.clone(),
        "Phone Button Template",
        name,
    )
}

/// Refuses a security profile or button template that is another model's.
pub(super) fn check_model(
    configuration: &PhoneConfiguration,
    catalogue: &Catalogue,
    model: &PhoneModel,
) -> Result<(), AdministrationError> {
    let security = catalogue
        .phone_security_profiles
        .get(&configuration.phone_security_profile)
        .map(|profile| (profile.name.as_str(), profile.model));
    let buttons = catalogue
        .phone_button_templates
        .get(&configuration.phone_button_template)
        .map(|template| (template.name.as_str(), template.model));
    for (field, object) in [
        ("Phone Security Profile", security),
        ("Phone Button Template", buttons),
    ] {
        if let Some((name, Some(number))) = object
            && number != model.number
        {
            let reason = format!("{name:?} is for another model than {}", model.product);
            return Err(AdministrationError::invalid(field, &reason));
        }
    }
    Ok(())
}

/// Refuses a name under which a device of this model would never ask for its file, unless it stands
/// for a phone that gets its own by an activation code.
pub(in crate::service) fn check_name(
    name: &DeviceName,
    model: &PhoneModel,
) -> Result<(), AdministrationError> {
    let asks_by_mac = match model.file_format() {
        FileFormat::FlatProfile => true,
        FileFormat::AccountSheet => false,
        FileFormat::CiscoXml => {
            !matches!(model.family, ModelFamily::Software | ModelFamily::Analog)
        }
    };
    let waits_for_code = name.is_placeholder() && model.shows_xml_screens();
    if asks_by_mac && name.mac().is_none() && !waits_for_code {
        let reason = format!(
            "a {} asks for its file by its MAC address: name it SEP and the MAC address, for \
             example SEP0011AABBCCDD{}",
            model.product,
            if model.shows_xml_screens() {
                "; or BAT and twelve digits of your own, for a phone that is to be activated by a \
                 code"
            } else {
                ""
            }
        );
        return Err(AdministrationError::invalid("Device Name", &reason));
    }
    Ok(())
}
