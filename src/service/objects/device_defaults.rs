//! What new devices of one model begin with (`DeviceDefaults`).

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::keyed;
use super::keyed::Key;
use super::names;
use crate::domain::catalogue::Catalogue;
use crate::domain::fresh_system;
use crate::domain::phone_model;
use crate::domain::phone_model::PhoneModel;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::devices;
use crate::service::devices::defaults::DeviceDefaultChange;
use crate::service::history::record::Actor;
use crate::store::Connection;

/// The one protocol that devices here speak.
const PROTOCOL: &str = "SIP";

pub(super) struct DeviceDefaults;

#[async_trait]
impl Kind for DeviceDefaults {
    fn keys(&self, _: &Catalogue) -> Vec<(Pkid, Key)> {
        keys()
    }

    async fn name_of(
        &self,
        app: &App,
        _: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let keys = self.keys(&app.catalogue.load());
        Ok(keyed::name_of(keys, pkid))
    }

    async fn read(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load();
        let found = pkids.iter().filter_map(|pkid| {
            let model = by_pkid(*pkid)?;
            Some((*pkid, record_of(&catalogue, model)))
        });
        Ok(found.collect())
    }

    async fn version(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let catalogue = app.catalogue.load();
        Ok(by_pkid(pkid).map(|model| devices::defaults::find(&catalogue, model).version))
    }

    async fn read_again(&self, app: &App, _: Pkid) -> Outcome<()> {
        Ok(app.reread_configuration().await?)
    }

    async fn list(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let catalogue = app.catalogue.load();
        let models = phone_model::all().iter();
        let fitting = models.filter(|model| criteria.fit(&record_of(&catalogue, model)));
        Ok(fitting.map(identity).collect())
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let model = by_pkid(pkid).ok_or(ObjectError::NotServed(draft.object()))?;
        let reference = |element| draft.says(element).then(|| draft.pkid(element));
        let change = DeviceDefaultChange {
            version: draft.held_version(),
            load_information: draft.said_text("LoadInformation"),
            device_pool: reference("DevicePoolName"),
            phone_button_template: reference("PhoneButtonTemplate"),
            elements: draft.stored(),
        };
        Ok(devices::defaults::update(app, actor, model, &change).await?)
    }
}

fn identity(model: &PhoneModel) -> Pkid {
    fresh_system::device_defaults(model.number)
}

fn by_pkid(pkid: Pkid) -> Option<&'static PhoneModel> {
    let mut models = phone_model::all().iter();
    models.find(|model| identity(model) == pkid)
}

/// What the defaults of every model go by.
fn keys() -> Vec<(Pkid, Key)> {
    let models = phone_model::all().iter();
    let key = |model: &PhoneModel| {
        let product = model.product.to_owned();
        vec![("Model", product), ("Protocol", PROTOCOL.to_owned())]
    };
    models.map(|model| (identity(model), key(model))).collect()
}

/// What a new device begins with: where nobody has said anything, what it has then.
fn record_of(catalogue: &Catalogue, model: &PhoneModel) -> Record {
    let default = devices::defaults::find(catalogue, model);
    let standard = devices::settings::default_configuration(catalogue, model).ok();
    let standard = standard.as_ref().filter(|_| model.is_phone());
    let buttons = standard.map(|standard| standard.phone_button_template);
    let pool = standard.map(|standard| standard.device_pool);
    let mut record = Record::default();
    record.set("Model", Value::text(model.product));
    record.set("Protocol", Value::text(PROTOCOL));
    let load = Value::text(&default.load_information);
    record.set("LoadInformation", load);
    record.set(
        "DevicePoolName",
        names::reference(catalogue, ObjectKind::DevicePool, pool),
    );
    record.set(
        "PhoneButtonTemplate",
        names::reference(catalogue, ObjectKind::PhoneButtonTemplate, buttons),
    );
    record
}
