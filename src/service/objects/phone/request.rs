//! What a request says of a phone, as the use cases take it.

use super::record::URLS;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::NamedObject;
use crate::domain::phone_model;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::devices;
use crate::service::devices::lines::DeviceLine;
use crate::service::devices::settings::DeviceSettings;
use crate::service::devices::settings::UrlChange;
use crate::service::objects::Draft;
use crate::service::objects::ObjectError;
use crate::service::objects::ObjectKey;
use crate::service::objects::Outcome;
use crate::service::objects::draft::number_of;
use crate::service::objects::line_of_number::number;
use crate::service::objects::names;
use crate::service::users::Extension;
use crate::store;
use crate::store::Connection;

/// Calls at once on a line of which nothing is said. Source: AXL `XPhoneLine`, `maxNumCalls`.
const MAX_NUMBER_OF_CALLS: u16 = 2;

/// Calls at which such a line is busy. Source: AXL `XPhoneLine`, `busyTrigger`.
const BUSY_TRIGGER: u16 = 1;

/// The model that a new phone's `product` names.
///
/// # Errors
///
/// [`ObjectError::Invalid`] when there is none, it is no phone, or `model` (before 8.0) is another.
pub(super) fn model_of(draft: &Draft) -> Result<&'static PhoneModel, ObjectError> {
    let product = draft.text("product");
    let model = named_model("product", &product)?;
    let other = draft.text("model");
    let is_same = phone_model::named(&other).is_none_or(|other| other.number == model.number);
    if is_same {
        return Ok(model);
    }
    let reason = format!("{other:?} is another model than the product {product:?}");
    Err(ObjectError::invalid("model", &reason))
}

/// The model of a phone that an element names.
///
/// # Errors
///
/// [`ObjectError::Invalid`] when there is none, or it is no phone.
pub(in crate::service::objects) fn named_model(
    element: &'static str,
    name: &str,
) -> Result<&'static PhoneModel, ObjectError> {
    let model = phone_model::named(name).filter(|model| model.is_phone());
    model.ok_or_else(|| {
        let reason = format!(
            "this system knows no phone {name:?}; write its name as CUCM does, for example Cisco \
             8851 or Third-party SIP Device (Advanced)"
        );
        ObjectError::invalid(element, &reason)
    })
}

/// Everything of a draft that is a setting of the device.
///
/// # Errors
///
/// [`ObjectError::Missing`] for a device pool that is to be none, [`ObjectError::Invalid`] for a
/// number that does not fit.
pub(super) fn settings(
    app: &App,
    draft: &Draft,
    model: Option<&PhoneModel>,
) -> Result<DeviceSettings, ObjectError> {
    let catalogue = app.catalogue.load_full();
    // What there is no phone without, and the request says empty, is the model's own again.
    let own = model.map(|model| devices::settings::default_configuration(&catalogue, model));
    let own = own.transpose()?;
    let own = own.as_ref();
    let or_own = |element, kind, pkid: Option<Pkid>| {
        let own = || pkid.and_then(|pkid| name_in(&catalogue, kind, pkid));
        reference(draft, element).and_then(|name| name.or_else(own))
    };
    let pool = reference(draft, "devicePoolName");
    if pool == Some(None) {
        return Err(ObjectError::Missing("devicePoolName"));
    }
    let services = draft.said_text("phoneServiceDisplay");
    Ok(DeviceSettings {
        device_pool: pool.flatten(),
        phone_security_profile: or_own(
            "securityProfileName",
            ObjectKind::PhoneSecurityProfile,
            own.map(|own| own.phone_security_profile),
        ),
        sip_profile: or_own(
            "sipProfileName",
            ObjectKind::SipProfile,
            own.map(|own| own.sip_profile),
        ),
        phone_button_template: or_own(
            "phoneTemplateName",
            ObjectKind::PhoneButtonTemplate,
            own.map(|own| own.phone_button_template),
        ),
        common_phone_profile: or_own(
            "commonPhoneConfigName",
            ObjectKind::Named(NamedObject::COMMON_PHONE_PROFILE),
            own.map(|own| own.common_phone_profile),
        ),
        location: or_own(
            "locationName",
            ObjectKind::Named(NamedObject::LOCATION),
            own.map(|own| own.location),
        ),
        softkey_template: reference(draft, "softkeyTemplateName"),
        calling_search_space: reference(draft, "callingSearchSpaceName"),
        user_locale: draft.said_text("userLocale"),
        network_locale: draft.said_text("networkLocale"),
        load_information: draft.said_text("loadInformation"),
        idle_timer_s: draft
            .says("idleTimeout")
            .then(|| draft.number("idleTimeout"))
            .transpose()?,
        services_provisioning: services.map(|word| match word {
            empty if empty.is_empty() => "Default".to_owned(),
            word => word,
        }),
        service_urls: None,
        url_changes: url_changes(draft),
    })
}

/// The pool of a new phone of which the request says none, where an administrator has said in which
/// new devices of its model are. As long as nobody has, a request must say it, as in CUCM.
pub(super) fn begin_in_default_pool(app: &App, record: &mut Record) {
    if record.get("devicePoolName").is_some() {
        return;
    }
    let catalogue = app.catalogue.load();
    let model = record.text("product").and_then(phone_model::named);
    let pool = model.and_then(|model| devices::defaults::find(&catalogue, model).device_pool);
    if pool.is_some() {
        let pool = names::reference(&catalogue, ObjectKind::DevicePool, pool);
        record.set("devicePoolName", pool);
    }
}

/// The name that a request gives for an element: `Some(None)` says that it is to be none.
#[expect(clippy::option_option, reason = "not said, none, or a value")]
pub(super) fn reference(draft: &Draft, element: &str) -> Option<Option<String>> {
    let name = draft.said_text(element)?;
    Some(Some(name).filter(|name| !name.is_empty()))
}

fn name_in(catalogue: &Catalogue, kind: ObjectKind, pkid: Pkid) -> Option<String> {
    let mut named = names::in_catalogue(catalogue, kind);
    let (_, name) = named.find(|(known, _)| *known == pkid)?;
    Some(name.to_owned())
}

fn url_changes(draft: &Draft) -> Vec<UrlChange> {
    let change = |(element, names): &(&'static str, &'static [&'static str])| {
        let url = draft.said_text(element)?;
        Some(UrlChange {
            names,
            url: Some(url).filter(|url| !url.is_empty()),
        })
    };
    URLS.iter().filter_map(change).collect()
}

/// All lines that the phone is to have; `None` when the request does not speak of them.
///
/// # Errors
///
/// [`ObjectError`] for a line without a number, and for what is no number.
pub(super) async fn lines(app: &App, draft: &Draft) -> Outcome<Option<Vec<DeviceLine>>> {
    if !draft.says("lines") {
        return Ok(None);
    }
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let mut lines = Vec::new();
    let empty = Record::default();
    let group = draft.record().group("lines").unwrap_or(&empty);
    for entry in group.list("line") {
        if let Value::Group(entry) = entry {
            let line = line(app, connection, entry, lines.len()).await?;
            lines.push(line);
        }
    }
    for entry in group.list("lineIdentifier") {
        if let Value::Group(entry) = entry {
            let pattern = entry.text("directoryNumber").unwrap_or_default();
            let partition = entry.text("routePartitionName").map(str::to_owned);
            let extension = extension(app, connection, pattern, partition).await?;
            lines.push(DeviceLine {
                line: entry.pkid(),
                ..appearance(extension, entry, lines.len())?
            });
        }
    }
    Ok(Some(lines))
}

async fn line(
    app: &App,
    connection: &mut Connection,
    entry: &Record,
    position: usize,
) -> Outcome<DeviceLine> {
    let dirn = entry.group("dirn").ok_or(ObjectError::Missing("dirn"))?;
    let pattern = dirn.text("pattern").unwrap_or_default();
    let partition = dirn.text("routePartitionName").map(str::to_owned);
    let extension = extension(app, connection, pattern, partition).await?;
    Ok(DeviceLine {
        line: dirn.pkid(),
        ..appearance(extension, entry, position)?
    })
}

/// The number in the partition that is said, else in none, else in the only one that has it.
async fn extension(
    app: &App,
    connection: &mut Connection,
    pattern: &str,
    partition: Option<String>,
) -> Outcome<Extension> {
    if pattern.is_empty() {
        return Err(ObjectError::Missing("pattern"));
    }
    let route_partition = match partition {
        Some(partition) => partition,
        None => only_partition(app, connection, pattern).await?,
    };
    Ok(Extension {
        pattern: number(pattern)?,
        route_partition,
    })
}

async fn only_partition(app: &App, connection: &mut Connection, pattern: &str) -> Outcome<String> {
    let Some(object) = ObjectType::of(ObjectKind::Line) else {
        return Ok(String::new());
    };
    let key = ObjectKey::Pattern {
        pattern: pattern.to_owned(),
        route_partition: None,
    };
    let Some(pkid) = names::find(app, connection, object, &key).await? else {
        return Ok(String::new());
    };
    let line = store::line::by_pkid(connection, pkid).await?;
    let catalogue = app.catalogue.load();
    let name = line.and_then(|line| {
        catalogue
            .route_partitions
            .get(&line.route_partition)
            .cloned()
    });
    Ok(name.unwrap_or_default())
}

/// A line as it is to stand on the phone. What is not said is the schema's default: a list of lines
/// says all of each.
fn appearance(
    extension: Extension,
    entry: &Record,
    position: usize,
) -> Result<DeviceLine, ObjectError> {
    let text = |element| Some(entry.text(element).unwrap_or_default().to_owned());
    let place = u8::try_from(position.saturating_add(1)).unwrap_or(u8::MAX);
    let calls = number_of(entry, "maxNumCalls")?.unwrap_or(MAX_NUMBER_OF_CALLS);
    Ok(DeviceLine {
        extension,
        line: None,
        index: Some(number_of(entry, "index")?.unwrap_or(place)),
        label: text("label"),
        display: text("display"),
        external_phone_number: text("e164Mask"),
        max_number_of_calls: Some(calls),
        busy_trigger: Some(number_of(entry, "busyTrigger")?.unwrap_or(BUSY_TRIGGER)),
    })
}
