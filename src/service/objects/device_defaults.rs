//! What new devices of one model begin with in CUCM (`DeviceDefaults`): kept and given back.

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
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
use crate::service::attributes;
use crate::service::record;
use crate::service::record::Actor;
use crate::service::record::Change;
use crate::store::Connection;

/// The one protocol that devices here speak.
const PROTOCOL: &str = "SIP";

pub(super) struct DeviceDefaults;

impl Kind for DeviceDefaults {
    async fn read(
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

    async fn list(
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

    async fn add(_: &App, _: &Actor, draft: &Draft) -> Outcome<Pkid> {
        Err(ObjectError::NotServed(draft.object()))
    }

    async fn update(app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let model = by_pkid(pkid).ok_or(ObjectError::NotServed(draft.object()))?;
        let mut transaction = app.store.begin().await?;
        let connection = transaction.connection();
        attributes::write(app, connection, pkid, &draft.stored()).await?;
        let change = Change {
            action: "object.update",
            object_kind: draft.object().kind.noun(),
            object_name: model.product.to_owned(),
            before: String::new(),
            after: String::new(),
        };
        record::audit_object(app, connection, actor, pkid, change).await?;
        Ok(transaction.commit().await?)
    }

    async fn remove(_: &App, _: &Actor, object: &'static ObjectType, _: Pkid) -> Outcome<()> {
        Err(ObjectError::NotServed(object))
    }
}

fn identity(model: &PhoneModel) -> Pkid {
    fresh_system::device_defaults(model.number)
}

fn by_pkid(pkid: Pkid) -> Option<&'static PhoneModel> {
    let mut models = phone_model::all().iter();
    models.find(|model| identity(model) == pkid)
}

/// The defaults of the model that these elements name.
pub(super) fn find(values: &[(&'static str, String)]) -> Option<Pkid> {
    let said = |wanted: &str| {
        let mut values = values.iter();
        let value = values.find(|(name, _)| *name == wanted);
        value.map_or("", |(_, value)| value.trim())
    };
    let model = phone_model::by_product(said("Model"))?;
    let is_ours = said("Protocol").eq_ignore_ascii_case(PROTOCOL);
    is_ours.then(|| identity(model))
}

/// The model of these defaults, which is their name.
pub(super) fn name_of(pkid: Pkid) -> Option<String> {
    by_pkid(pkid).map(|model| model.product.to_owned())
}

fn record_of(catalogue: &Catalogue, model: &PhoneModel) -> Record {
    let buttons = fresh_system::standard_button_template(model.number);
    let buttons = Some(buttons).filter(|one| catalogue.phone_button_templates.contains_key(one));
    let mut record = Record::default();
    record.set("Model", Value::text(model.product));
    record.set("Protocol", Value::text(PROTOCOL));
    record.set(
        "PhoneButtonTemplate",
        names::reference(catalogue, ObjectKind::PhoneButtonTemplate, buttons),
    );
    record
}
