//! Universal Device Templates.

use super::Draft;
use super::ObjectError;
use super::Outcome;
use super::draft::number_of;
use super::names;
use super::templates::Recorded;
use super::templates::pkid_or_standard;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::Identity;
use crate::domain::catalogue::NamedObject;
use crate::domain::catalogue::UniversalDeviceTemplate;
use crate::domain::phone::PhoneConfiguration;
use crate::domain::phone::ServiceUrl;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::StoredElements;
use crate::domain::schema::Value;
use crate::domain::schema::template_line;

/// Elements that hold a service URL. An empty one is *Default*: what the system says. That which
/// says who may push to a phone is always ours, so the template's is only kept.
const SERVICE_URLS: [&str; 11] = [
    "proxyServer",
    "servicesUrl",
    "idle",
    "secureDirUrl",
    "messages",
    "secureIdleUrl",
    "directory",
    "secureServicesUrl",
    "information",
    "secureMessagesUrl",
    "secureInformationUrl",
];

impl Recorded for UniversalDeviceTemplate {
    fn drafted(draft: &Draft, catalogue: &Catalogue, before: Option<&Self>) -> Outcome<Self> {
        let (record, _) = gathered(draft)?;
        let line = template_line::line_with_defaults(&record);
        let text = |name: &str| line.text(name).unwrap_or_default().to_owned();
        let calls = |name| {
            let number = number_of(&line, name)?;
            number.ok_or(ObjectError::Missing(name))
        };
        Ok(Self {
            identity: Identity::of_new(draft.text("name")),
            device_description: draft.text("deviceDescription"),
            configuration: configuration(draft, catalogue, before)?,
            line_label: text("label"),
            display_caller_id: text("display"),
            external_phone_number: text("e164Mask"),
            max_number_of_calls: calls("maxNumCalls")?,
            busy_trigger: calls("busyTrigger")?,
        })
    }

    fn record(&self, catalogue: &Catalogue) -> Record {
        let mut record = Record::default();
        record.set("name", Value::text(&self.identity.name));
        record.set("deviceDescription", Value::text(&self.device_description));
        show_configuration(&self.configuration, catalogue, &mut record);
        let mut line = Record::default();
        line.set("index", Value::number(1));
        line.set("label", Value::text(&self.line_label));
        line.set("display", Value::text(&self.display_caller_id));
        line.set("e164Mask", Value::text(&self.external_phone_number));
        line.set("maxNumCalls", Value::number(self.max_number_of_calls));
        line.set("busyTrigger", Value::number(self.busy_trigger));
        template_line::set_line(&mut record, line);
        record
    }

    fn stored(draft: &Draft) -> Outcome<StoredElements> {
        let (record, said) = gathered(draft)?;
        let stored = StoredElements::of(draft.object(), &record, &said);
        Ok(stored.touching(draft.touched()))
    }

    fn completed(record: &mut Record) {
        template_line::spread(record);
    }
}

/// The draft with its line in one place, and the elements that the request speaks of then.
fn gathered(draft: &Draft) -> Outcome<(Record, Vec<&'static str>)> {
    let mut record = draft.record().clone();
    let said = template_line::gather(&mut record, draft.said())
        .map_err(|error| ObjectError::invalid(error.older, &error))?;
    Ok((record, said))
}

fn configuration(
    draft: &Draft,
    catalogue: &Catalogue,
    before: Option<&UniversalDeviceTemplate>,
) -> Outcome<PhoneConfiguration> {
    let standard = |element| pkid_or_standard(draft, catalogue, element);
    let services = draft.text("servicesProvisioning");
    Ok(PhoneConfiguration {
        device_pool: draft.required_pkid("devicePool")?,
        phone_security_profile: standard("deviceSecurityProfile")?,
        sip_profile: standard("sipProfile")?,
        phone_button_template: standard("phoneButtonTemplate")?,
        softkey_template: draft.pkid("softkeyTemplate"),
        common_phone_profile: standard("commonPhoneProfile")?,
        location: standard("location")?,
        calling_search_space: draft.pkid("callingSearchSpace"),
        user_locale: draft.text("userLocale"),
        network_locale: draft.text("networkLocale"),
        load_information: String::new(),
        idle_timer_s: draft.number("idleTimer")?,
        services_provisioning: if services.is_empty() {
            "Default".to_owned()
        } else {
            services
        },
        service_urls: service_urls(draft, before),
    })
}

/// The URLs that were set before, but for those of which the request speaks.
fn service_urls(draft: &Draft, before: Option<&UniversalDeviceTemplate>) -> Vec<ServiceUrl> {
    let held = before.map_or(&[][..], |before| &before.configuration.service_urls);
    let kept = held.iter().filter(|url| !draft.says(&url.name)).cloned();
    let said = SERVICE_URLS.into_iter().filter_map(|name| {
        let url = draft.said_text(name).filter(|url| !url.is_empty())?;
        Some(ServiceUrl {
            name: name.into(),
            url: url.into_boxed_str(),
        })
    });
    kept.chain(said).collect()
}

fn show_configuration(
    configuration: &PhoneConfiguration,
    catalogue: &Catalogue,
    record: &mut Record,
) {
    let named = |noun| ObjectKind::Named(noun);
    for (element, kind, pkid) in [
        (
            "devicePool",
            ObjectKind::DevicePool,
            Some(configuration.device_pool),
        ),
        (
            "deviceSecurityProfile",
            ObjectKind::PhoneSecurityProfile,
            Some(configuration.phone_security_profile),
        ),
        (
            "sipProfile",
            ObjectKind::SipProfile,
            Some(configuration.sip_profile),
        ),
        (
            "phoneButtonTemplate",
            ObjectKind::PhoneButtonTemplate,
            Some(configuration.phone_button_template),
        ),
        (
            "callingSearchSpace",
            ObjectKind::Css,
            configuration.calling_search_space,
        ),
        (
            "commonPhoneProfile",
            named(NamedObject::COMMON_PHONE_PROFILE),
            Some(configuration.common_phone_profile),
        ),
        (
            "softkeyTemplate",
            named(NamedObject::SOFTKEY_TEMPLATE),
            configuration.softkey_template,
        ),
        (
            "location",
            named(NamedObject::LOCATION),
            Some(configuration.location),
        ),
    ] {
        record.set(element, names::reference(catalogue, kind, pkid));
    }
    let services = &configuration.services_provisioning;
    record.set("servicesProvisioning", Value::text(services));
    record.set("userLocale", Value::text(&configuration.user_locale));
    record.set("networkLocale", Value::text(&configuration.network_locale));
    let idle_timer = configuration.idle_timer_s;
    record.set(
        "idleTimer",
        idle_timer.map_or(Value::Nothing, Value::number),
    );
    for name in SERVICE_URLS {
        let mut urls = configuration.service_urls.iter();
        let url = urls.find(|url| &*url.name == name);
        record.set(
            name,
            url.map_or(Value::Nothing, |url| Value::text(&url.url)),
        );
    }
}
