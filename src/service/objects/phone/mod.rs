//! Phones.

mod record;
mod request;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::phone::Phone;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::devices;
use crate::service::devices::DeviceChange;
use crate::service::devices::NewDevice;
use crate::service::devices::reread;
use crate::service::history::record::Actor;
use crate::service::self_provisioning::activation_codes;
use crate::store;
use crate::store::Connection;
use record::References;

pub(super) use request::named_model;

/// `protocol` of every phone here.
const PROTOCOL: &str = "SIP";

pub(super) struct Phones;

#[async_trait]
impl Kind for Phones {
    async fn find(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        match name.parse::<DeviceName>() {
            Ok(name) => Ok(store::device::pkid_of(connection, &name).await?),
            Err(_) => Ok(None),
        }
    }

    async fn name_of(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let name = store::device::name_of(connection, pkid).await?;
        Ok(name.map(|name| name.to_string()))
    }

    async fn all(
        &self,
        app: &App,
        _: &mut Connection,
        _: ObjectKind,
    ) -> Outcome<Vec<(String, Pkid)>> {
        let mut phones = Vec::new();
        app.phones.for_each(|known| {
            phones.push((known.phone.name.to_string(), known.phone.pkid));
        });
        Ok(phones)
    }

    /// From memory, but for the names of owners: one statement for all.
    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let devices = store::device_lists::with_owners(connection, pkids).await?;
        let activations = store::activation::of_devices(connection, pkids).await?;
        let now = app.environment.now();
        let catalogue = app.catalogue.load_full();
        let mut references = References::new(&catalogue);
        let mut records = Vec::with_capacity(devices.len());
        for pkid in pkids {
            let device = devices.get(pkid);
            let known = device.and_then(|device| app.phones.find(&device.name));
            if let (Some(device), Some(known)) = (device, known) {
                let owner = device.owner.as_deref();
                let mut record = references.record_of(&known.phone, owner);
                let activation = activations.get(pkid).copied();
                record.set("enableActivationID", Value::flag(activation.is_some()));
                let status = activation_codes::status(activation, now);
                record.set("activationIDStatus", Value::text(status));
                records.push((*pkid, record));
            }
        }
        Ok(records)
    }

    async fn version(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let name = store::device::name_of(connection, pkid).await?;
        let known = name.and_then(|name| app.phones.find(&name));
        Ok(known.map(|known| known.phone.version))
    }

    async fn read_again(&self, app: &App, pkid: Pkid) -> Outcome<()> {
        let mut reader = app.store.read().await?;
        let name = store::device::name_of(reader.connection(), pkid).await?;
        drop(reader);
        match name {
            Some(name) => Ok(reread::device(app, &name).await?),
            None => Ok(()),
        }
    }

    async fn list(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let catalogue = app.catalogue.load_full();
        let mut found: Vec<(DeviceName, Pkid)> = Vec::new();
        app.phones.for_each(|known| {
            if fits(criteria, &catalogue, &known.phone) {
                found.push((known.phone.name.clone(), known.phone.pkid));
            }
        });
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, pkid)| pkid).collect())
    }

    fn begin(&self, app: &App, record: &mut Record) {
        request::begin_in_default_pool(app, record);
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let model = request::model_of(draft)?;
        let new = NewDevice {
            description: Some(draft.text("description")),
            settings: request::settings(app, draft, Some(model))?,
            lines: request::lines(app, draft).await?.unwrap_or_default(),
            makes_lines: true,
            owner: request::reference(draft, "ownerUserName").flatten(),
            digest_user: request::reference(draft, "digestUser").flatten(),
            requires_activation: draft.flag("enableActivationID"),
            elements: draft.stored(),
            ..NewDevice::new(name_of(draft)?, model)
        };
        let added = devices::add(app, actor, &new).await;
        Ok(added.map_err(digest_user_named)?.pkid)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let (name, known) = known(app, pkid).await?;
        let model = known.known_model();
        let digest_user = request::reference(draft, "digestUser");
        let is_without = known.digest.digest_user.is_none();
        let change = DeviceChange {
            version: draft.held_version(),
            name: draft.says("name").then(|| name_of(draft)).transpose()?,
            description: draft.said_text("description"),
            settings: request::settings(app, draft, model)?,
            lines: request::lines(app, draft).await?,
            makes_lines: true,
            owner: request::reference(draft, "ownerUserName"),
            // None instead of none changes nothing: the device keeps its own secret.
            digest_user: digest_user.filter(|wanted| !(wanted.is_none() && is_without)),
            requires_activation: draft
                .says("enableActivationID")
                .then(|| draft.flag("enableActivationID")),
            elements: draft.stored(),
        };
        let updated = devices::update(app, actor, &name, &change).await;
        updated.map(drop).map_err(digest_user_named)
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        let (name, _) = known(app, pkid).await?;
        Ok(devices::delete(app, actor, &name).await?)
    }
}

fn name_of(draft: &Draft) -> Result<DeviceName, ObjectError> {
    let name = draft.text("name");
    name.parse()
        .map_err(|error| ObjectError::invalid("name", &error))
}

/// A digest user is text and no reference: that there is none comes to light in the use case.
fn digest_user_named(error: AdministrationError) -> ObjectError {
    match error {
        AdministrationError::NotFound {
            kind: END_USER,
            name,
        } => ObjectError::Unresolved {
            element: "digestUser",
            kind: ObjectKind::User,
            name,
        },
        error => error.into(),
    }
}

async fn known(app: &App, pkid: Pkid) -> Result<(DeviceName, Phone), ObjectError> {
    let mut reader = app.store.read().await?;
    let name = store::device::name_of(reader.connection(), pkid).await?;
    let known = name.and_then(|name| {
        let known = app.phones.find(&name)?;
        Some((name, known.phone.clone()))
    });
    // Somebody has removed or replaced it since its name was looked up.
    known.ok_or_else(|| AdministrationError::Changed("device").into())
}

fn fits(criteria: &Criteria, catalogue: &Catalogue, phone: &Phone) -> bool {
    let configuration = &phone.configuration;
    let pool = catalogue.device_pools.get(&configuration.device_pool);
    let css = configuration.calling_search_space;
    let css = css.and_then(|css| catalogue.calling_search_spaces.get(&css));
    let profiles = &catalogue.phone_security_profiles;
    let profile = profiles.get(&configuration.phone_security_profile);
    criteria.fits("name", phone.name.as_str())
        && criteria.fits("description", &phone.description)
        && criteria.fits("protocol", PROTOCOL)
        && criteria.fits(
            "callingSearchSpaceName",
            css.map_or("", |css| css.name.as_str()),
        )
        && criteria.fits("devicePoolName", pool.map_or("", |pool| pool.name.as_str()))
        && criteria.fits(
            "securityProfileName",
            profile.map_or("", |profile| profile.name.as_str()),
        )
}
