//! A phone as a record.

use std::collections::HashMap;

use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::NamedObject;
use crate::domain::phone::Phone;
use crate::domain::phone::PhoneLine;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::domain::schema::written_directory_number;
use crate::service::objects::names;

/// Elements that hold a service URL, and the names under which templates and devices keep it. The
/// first is the one under which AXL writes it.
pub(super) const URLS: &[(&str, &[&str])] = &[
    ("directoryUrl", &["directoryUrl", "directory"]),
    ("idleUrl", &["idleUrl", "idle"]),
    ("informationUrl", &["informationUrl", "information"]),
    ("messagesUrl", &["messagesUrl", "messages"]),
    ("proxyServerUrl", &["proxyServerUrl", "proxyServer"]),
    ("servicesUrl", &["servicesUrl"]),
    ("secureInformationUrl", &["secureInformationUrl"]),
    (
        "secureDirectoryUrl",
        &["secureDirectoryUrl", "secureDirUrl"],
    ),
    (
        "secureMessageUrl",
        &["secureMessageUrl", "secureMessagesUrl"],
    ),
    ("secureServicesUrl", &["secureServicesUrl"]),
    ("secureIdleUrl", &["secureIdleUrl"]),
];

/// References to objects of the catalogue: those of a site's phones name the same few again and
/// again.
pub(super) struct References<'a> {
    catalogue: &'a Catalogue,
    known: HashMap<Pkid, Value>,
}

impl<'a> References<'a> {
    pub(super) fn new(catalogue: &'a Catalogue) -> Self {
        Self {
            catalogue,
            known: HashMap::new(),
        }
    }

    fn of(&mut self, kind: ObjectKind, pkid: Option<Pkid>) -> Value {
        let Some(pkid) = pkid else {
            return Value::Nothing;
        };
        let known = self.known.entry(pkid);
        let made = known.or_insert_with(|| match kind {
            ObjectKind::RoutePartition => names::route_partition(self.catalogue, pkid),
            kind => names::reference(self.catalogue, kind, Some(pkid)),
        });
        made.clone()
    }

    /// What the program acts on of a phone.
    pub(super) fn record_of(&mut self, phone: &Phone, owner: Option<&str>) -> Record {
        let mut record = Record::default();
        record.set_ctiid(phone.ctiid);
        record.set("name", Value::text(phone.name.as_str()));
        record.set("description", Value::text(&phone.description));
        let model = phone.known_model();
        let product = Value::text(model.map_or("", |model| model.product));
        record.set("product", product.clone());
        record.set("model", product);
        if let Some(model) = model {
            record.set("numberOfButtons", Value::number(model.line_buttons));
        }
        self.add_references(&mut record, phone);
        add_texts(&mut record, phone);
        let owner = phone.owner.map(|pkid| {
            Value::Reference(Reference {
                name: owner.unwrap_or_default().to_owned(),
                pkid: Some(pkid),
            })
        });
        record.set("ownerUserName", owner.unwrap_or(Value::Nothing));
        let digest_user = phone.digest.digest_user.as_ref();
        let digest_user = digest_user.map(|user| Value::text(&user.user_id));
        record.set("digestUser", digest_user.unwrap_or(Value::Nothing));
        let lines = phone.lines.iter().map(|line| self.line(line)).collect();
        let mut group = Record::default();
        group.set("line", Value::List(lines));
        record.set("lines", Value::Group(group));
        record
    }

    fn add_references(&mut self, record: &mut Record, phone: &Phone) {
        let configuration = &phone.configuration;
        let c = configuration;
        for (element, kind, pkid) in [
            (
                "callingSearchSpaceName",
                ObjectKind::Css,
                c.calling_search_space,
            ),
            (
                "devicePoolName",
                ObjectKind::DevicePool,
                Some(c.device_pool),
            ),
            (
                "commonPhoneConfigName",
                ObjectKind::Named(NamedObject::COMMON_PHONE_PROFILE),
                Some(c.common_phone_profile),
            ),
            (
                "locationName",
                ObjectKind::Named(NamedObject::LOCATION),
                Some(c.location),
            ),
            (
                "securityProfileName",
                ObjectKind::PhoneSecurityProfile,
                Some(c.phone_security_profile),
            ),
            (
                "sipProfileName",
                ObjectKind::SipProfile,
                Some(c.sip_profile),
            ),
            (
                "phoneTemplateName",
                ObjectKind::PhoneButtonTemplate,
                Some(c.phone_button_template),
            ),
            (
                "softkeyTemplateName",
                ObjectKind::Named(NamedObject::SOFTKEY_TEMPLATE),
                c.softkey_template,
            ),
        ] {
            record.set(element, self.of(kind, pkid));
        }
    }

    fn line(&mut self, line: &PhoneLine) -> Value {
        let pattern = written_directory_number(line.pattern.as_str());
        let partition = Some(line.route_partition);
        let mut dirn = Record::default();
        dirn.set_pkid(line.line);
        dirn.set("pattern", Value::Text(pattern));
        dirn.set(
            "routePartitionName",
            self.of(ObjectKind::RoutePartition, partition),
        );
        let mut record = Record::default();
        record.set_pkid(line.contact_user);
        record.set_ctiid(line.ctiid);
        record.set("index", Value::number(line.index));
        record.set("label", Value::text(&line.label));
        record.set("display", Value::text(&line.display));
        record.set("dirn", Value::Group(dirn));
        record.set("e164Mask", Value::text(&line.external_phone_number));
        record.set("maxNumCalls", Value::number(line.max_number_of_calls));
        record.set("busyTrigger", Value::number(line.busy_trigger));
        Value::Group(record)
    }
}

fn add_texts(record: &mut Record, phone: &Phone) {
    let configuration = &phone.configuration;
    record.set("userLocale", Value::text(&configuration.user_locale));
    record.set("networkLocale", Value::text(&configuration.network_locale));
    let load = Value::text(&configuration.load_information);
    record.set("loadInformation", load);
    let services = Value::text(&configuration.services_provisioning);
    record.set("phoneServiceDisplay", services);
    let idle_timer = configuration.idle_timer_s.map(Value::number);
    record.set("idleTimeout", idle_timer.unwrap_or(Value::Nothing));
    for (element, names) in URLS {
        let mut urls = configuration.service_urls.iter();
        let url = urls.find(|url| names.contains(&&*url.name));
        record.set(element, Value::text(url.map_or("", |url| &url.url)));
    }
}
