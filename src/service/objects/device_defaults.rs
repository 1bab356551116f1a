//! What new devices of one model begin with (`DeviceDefaults`).

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Pending;
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

impl Kind for DeviceDefaults {
    fn keys(&self, _: &Catalogue) -> Vec<(Pkid, Key)> {
        keys()
    }

    fn name_of<'a>(
        &'a self,
        app: &'a App,
        _: &'a mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            let keys = self.keys(&app.catalogue.load());
            Ok(keyed::name_of(keys, pkid))
        })
    }

    fn read<'a>(
        &'a self,
        app: &'a App,
        _: &'a mut Connection,
        _: &'static ObjectType,
        pkids: &'a [Pkid],
    ) -> Pending<'a, Vec<(Pkid, Record)>> {
        Box::pin(async move {
            let catalogue = app.catalogue.load();
            let found = pkids.iter().filter_map(|pkid| {
                let model = by_pkid(*pkid)?;
                Some((*pkid, record_of(&catalogue, model)))
            });
            Ok(found.collect())
        })
    }

    fn version<'a>(
        &'a self,
        app: &'a App,
        _: &'a mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Pending<'a, Option<i64>> {
        Box::pin(async move {
            let catalogue = app.catalogue.load();
            Ok(by_pkid(pkid).map(|model| devices::defaults::find(&catalogue, model).version))
        })
    }

    fn read_again<'a>(&'a self, app: &'a App, _: Pkid) -> Pending<'a, ()> {
        Box::pin(async move { Ok(app.reread_configuration().await?) })
    }

    fn list<'a>(
        &'a self,
        app: &'a App,
        _: &'a mut Connection,
        _: &'static ObjectType,
        criteria: &'a Criteria,
    ) -> Pending<'a, Vec<Pkid>> {
        Box::pin(async move {
            let catalogue = app.catalogue.load();
            let models = phone_model::all().iter();
            let fitting = models.filter(|model| criteria.fit(&record_of(&catalogue, model)));
            Ok(fitting.map(identity).collect())
        })
    }

    fn update<'a>(
        &'a self,
        app: &'a App,
        actor: &'a Actor,
        pkid: Pkid,
        draft: &'a Draft,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
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
        })
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
