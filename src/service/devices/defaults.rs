//! Use cases: what new devices of a model begin with, and the firmware of all that have none of their
//! own (*Device Defaults*).
//!
//! A device that is made from a Universal Device Template has the template's pool and buttons, as in
//! CUCM; one that is made without has these. The firmware is looked up when the phone asks for its
//! file, so a new default reaches phones when they next load it.

use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::DeviceDefault;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::check_text;
use crate::service::attributes;
use crate::service::configuration::ConfigurationChange;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;
use crate::store::StoreError;

const KIND: &str = "Device Defaults";

/// Most characters of a firmware's name. Source: AXL `XLoadInformation`.
const LOAD_INFORMATION_LENGTH_MAX: usize = 255;

/// A change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct DeviceDefaultChange {
    /// The version that was read; another one in force refuses the change.
    pub version: Option<i64>,
    /// Firmware; empty: each device keeps what it runs.
    pub load_information: Option<String>,
    /// Device pool; `Some(None)`: that of a fresh system.
    pub device_pool: Option<Option<Pkid>>,
    /// Phone button template; `Some(None)`: the standard one of the model.
    pub phone_button_template: Option<Option<Pkid>>,
    /// What is only kept.
    pub elements: StoredElements,
}

/// The default in force.
pub fn find(catalogue: &Catalogue, model: &PhoneModel) -> DeviceDefault {
    let said = catalogue.device_defaults.get(&model.number);
    said.cloned().unwrap_or_default()
}

/// Changes what new devices of a model begin with. Those that exist keep pool and buttons.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for a button template of another model,
/// [`AdministrationError::Changed`] when the version is not the one given.
pub async fn update(
    app: &App,
    actor: &Actor,
    model: &PhoneModel,
    change: &DeviceDefaultChange,
) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let before = find(&catalogue, model);
    if change
        .version
        .is_some_and(|version| version != before.version)
    {
        return Err(AdministrationError::Changed(KIND));
    }
    let after = changed(&before, change);
    check(&catalogue, model, &after)?;
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    let put = store::catalogue::put_device_default(connection, model.number, &after).await;
    put.map_err(|error| match error {
        StoreError::InUse => AdministrationError::Changed(KIND),
        error => error.into(),
    })?;
    let pkid = fresh_system::device_defaults(model.number);
    attributes::write(app, connection, pkid, &change.elements).await?;
    let row = Change {
        action: "device_defaults.update",
        object_kind: AuditKind::DeviceDefaults,
        object_name: model.product.to_owned(),
        before: described(&catalogue, &before),
        after: described(&catalogue, &after),
    };
    let touched = (pkid, change.elements.touched.as_slice());
    Ok(transaction.commit_audited(actor, touched, row).await?)
}

fn changed(before: &DeviceDefault, change: &DeviceDefaultChange) -> DeviceDefault {
    let load = change.load_information.as_ref();
    let buttons = change.phone_button_template;
    DeviceDefault {
        load_information: load.unwrap_or(&before.load_information).clone(),
        device_pool: change.device_pool.unwrap_or(before.device_pool),
        phone_button_template: buttons.unwrap_or(before.phone_button_template),
        version: before.version,
    }
}

fn check(
    catalogue: &Catalogue,
    model: &PhoneModel,
    default: &DeviceDefault,
) -> Result<(), AdministrationError> {
    let load = &default.load_information;
    check_text("Load Information", load, LOAD_INFORMATION_LENGTH_MAX)?;
    let buttons = default.phone_button_template;
    let buttons = buttons.and_then(|pkid| catalogue.phone_button_templates.get(&pkid));
    match buttons {
        Some(template) if template.model.is_some_and(|number| number != model.number) => {
            let name = &template.name;
            let reason = format!("{name:?} is for another model than {}", model.product);
            Err(AdministrationError::invalid(
                "Phone Button Template",
                &reason,
            ))
        }
        _ => Ok(()),
    }
}

/// A default in words, for the audit log.
fn described(catalogue: &Catalogue, default: &DeviceDefault) -> String {
    let pool = default.device_pool;
    let pool = pool.and_then(|pkid| catalogue.device_pools.get(&pkid));
    let buttons = default.phone_button_template;
    let buttons = buttons.and_then(|pkid| catalogue.phone_button_templates.get(&pkid));
    format!(
        "load {:?}, device pool {}, phone button template {}",
        default.load_information,
        pool.map_or("standard", |pool| &pool.name),
        buttons.map_or("standard", |buttons| &buttons.name)
    )
}
