//! The service URLs of a file: *Default*, *Override*, and the one idle URL.

use super::RELEASE_PATH;
use super::SystemValues;
use crate::domain::config_file::FileWarning;
use crate::domain::config_file::ServiceUrls;
use crate::domain::config_file::idle_url::IdleUrl;
use crate::domain::config_file::idle_url::SelfProvisionDoors;
use crate::domain::config_file::idle_url::WantedIdleUrl;
use crate::domain::config_file::idle_url::choose_idle_url;
use crate::domain::config_file::idle_url::of_device;
use crate::domain::config_file::text::DoorUrl;
use crate::domain::config_file::text::PhoneUrl;
use crate::domain::device::DeviceName;
use crate::domain::device::DeviceState;
use crate::domain::phone::Phone;
use crate::domain::phone_model::PhoneModel;

/// *Override* where the device has the URL under one of its names, else *Default*.
struct Resolved<'a> {
    phone: Option<&'a Phone>,
    system: &'a SystemValues,
}

impl<'a> Resolved<'a> {
    fn text(&self, names: &[&str]) -> &'a str {
        let own = self.phone.and_then(|phone| {
            phone
                .configuration
                .service_urls
                .iter()
                .find(|url| names.contains(&&*url.name))
        });
        if let Some(own) = own {
            return &own.url;
        }
        names
            .iter()
            .find_map(|name| self.system.service_urls.get(*name))
            .map_or("", String::as_str)
    }

    /// Whether anybody has said anything of this URL, be it that there is none.
    fn is_set(&self, name: &str) -> bool {
        let own = self.phone.map(|phone| &phone.configuration.service_urls);
        own.is_some_and(|urls| urls.iter().any(|url| &*url.name == name))
            || self.system.service_urls.contains_key(name)
    }

    fn url(
        &self,
        names: &[&str],
        element: &'static str,
        warnings: &mut Vec<FileWarning>,
    ) -> Option<PhoneUrl<'a>> {
        let text = self.text(names);
        if text.is_empty() {
            return None;
        }
        let url = PhoneUrl::new(text).ok();
        if url.is_none() {
            warnings.push(FileWarning::UrlUnusable(element));
        }
        url
    }
}

/// The URLs of a device's file.
pub(super) fn urls_of_device<'a>(
    phone: &'a Phone,
    system: &'a SystemValues,
    warnings: &mut Vec<FileWarning>,
) -> ServiceUrls<'a> {
    let resolved = Resolved {
        phone: Some(phone),
        system,
    };
    let wanted = WantedIdleUrl {
        idle: resolved.text(&["idle", "idleUrl"]),
        secure_idle: resolved.text(&["secureIdleUrl"]),
    };
    let model = phone.known_model();
    let (idle, warning) = choose_idle_url(wanted, phone.state, model, &system.doors, &phone.name);
    warnings.extend(warning);
    let mut urls = urls_but_idle(&resolved, warnings);
    urls.idle_timeout_s = match idle {
        IdleUrl::None => 0,
        _ => phone
            .configuration
            .idle_timer_s
            .unwrap_or(system.idle_timer_s),
    };
    urls.idle = idle;
    let services = ["servicesUrl", "secureServicesUrl"];
    if phone.state == DeviceState::Provisioned && !services.iter().any(|name| resolved.is_set(name))
    {
        (urls.services, urls.secure_services) = release_service(&phone.name, model, &system.doors);
    }
    urls
}

/// *Release this phone* behind the Services key of a phone that has an owner, where nobody has
/// put other services there: plain and secure URL, of which one is given. The door is that of the
/// login (`choose_idle_url`).
fn release_service(
    device: &DeviceName,
    model: Option<&PhoneModel>,
    doors: &SelfProvisionDoors,
) -> (Option<PhoneUrl<'static>>, Option<PhoneUrl<'static>>) {
    if !model.is_some_and(PhoneModel::shows_xml_screens) {
        return (None, None);
    }
    let speaks_tls = model.is_some_and(PhoneModel::speaks_tls_1_2);
    let at = |door: &DoorUrl| PhoneUrl::new(of_device(door.as_str(), RELEASE_PATH, device)).ok();
    match &doors.plain {
        Some(plain) if !(doors.phones_trust_https && speaks_tls) => (at(plain), None),
        _ => (None, at(&doors.https)),
    }
}

/// The URLs of a file for no device in particular: no idle URL, for nobody waits for a login.
pub(super) fn urls_of_nobody(system: &SystemValues) -> ServiceUrls<'_> {
    let resolved = Resolved {
        phone: None,
        system,
    };
    urls_but_idle(&resolved, &mut Vec::new())
}

fn urls_but_idle<'a>(resolved: &Resolved<'a>, warnings: &mut Vec<FileWarning>) -> ServiceUrls<'a> {
    let authentication = &resolved.system.authentication;
    let mut url = |names: &[&str], element| resolved.url(names, element, warnings);
    ServiceUrls {
        idle: IdleUrl::None,
        idle_timeout_s: 0,
        authentication: &authentication.plain,
        secure_authentication: &authentication.secure,
        directory: url(&["directory", "directoryUrl"], "directoryURL"),
        secure_directory: url(
            &["secureDirUrl", "secureDirectoryUrl"],
            "secureDirectoryURL",
        ),
        information: url(&["information", "informationUrl"], "informationURL"),
        secure_information: url(&["secureInformationUrl"], "secureInformationURL"),
        messages: url(&["messages", "messagesUrl"], "messagesURL"),
        secure_messages: url(
            &["secureMessagesUrl", "secureMessageUrl"],
            "secureMessagesURL",
        ),
        proxy_server: url(&["proxyServer", "proxyServerUrl"], "proxyServerURL"),
        services: url(&["servicesUrl"], "servicesURL"),
        secure_services: url(&["secureServicesUrl"], "secureServicesURL"),
    }
}
