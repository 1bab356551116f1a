//! Activation codes (`PhoneActivationCode`). They are made and removed, never changed.
//!
//! `activationCodeExpiry` is how long a code is valid, in seconds, as the schema documents it.

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use crate::domain::phone_model;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::ServiceError;
use crate::service::history::record::Actor;
use crate::service::self_provisioning::activation_codes;
use crate::service::self_provisioning::activation_codes::CodeBefore;
use crate::store;
use crate::store::Connection;
use crate::store::activation::ListedCode;

pub(super) struct PhoneActivationCodes;

#[async_trait]
impl Kind for PhoneActivationCodes {
    async fn find(
        &self,
        app: &App,
        connection: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        find(app, connection, name).await
    }

    async fn name_of(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        name_of(connection, pkid).await
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let waiting = store::activation::of_pkids(connection, pkids, app.environment.now()).await?;
        let mut waiting: HashMap<Pkid, ListedCode> = waiting
            .into_iter()
            .map(|listed| (listed.code.pkid, listed))
            .collect();
        let mut records = Vec::with_capacity(pkids.len());
        for pkid in pkids {
            if let Some(listed) = waiting.remove(pkid) {
                records.push((*pkid, record_of(app, &listed)?));
            }
        }
        Ok(records)
    }

    async fn list(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let waiting = store::activation::waiting(connection, app.environment.now()).await?;
        let fits = |listed: &&ListedCode| {
            let owner = listed.owner.as_ref();
            let user_id = owner.map_or("", |(_, user_id)| user_id.as_str());
            criteria.fits("phoneName", listed.device_name.as_str())
                && criteria.fits("userId", user_id)
        };
        let fitting = waiting.iter().filter(fits);
        Ok(fitting.map(|listed| listed.code.pkid).collect())
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let name = draft.text("phoneName");
        let name = name
            .parse()
            .map_err(|error| ObjectError::invalid("phoneName", &error))?;
        let element = "activationCodeExpiry";
        let seconds = draft.number::<u64>(element)?;
        let lifetime = activation_codes::lifetime_of(seconds)
            .map_err(|error| ObjectError::invalid(element, &error))?;
        let how = (lifetime, CodeBefore::Refuses);
        Ok(activation_codes::add(app, actor, &name, how).await?.pkid)
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        Ok(activation_codes::remove(app, actor, pkid).await?)
    }
}

fn record_of(app: &App, listed: &ListedCode) -> Outcome<Record> {
    let code = activation_codes::open(app, &listed.code).map_err(ServiceError::from)?;
    let model = listed.model.and_then(phone_model::by_number);
    let owner = listed.owner.as_ref().map(|(pkid, user_id)| {
        Value::Reference(Reference {
            name: user_id.clone(),
            pkid: Some(*pkid),
        })
    });
    let mut record = Record::default();
    record.set("activationCode", Value::text(code.digits().reveal()));
    let seconds = Value::Text(listed.code.lifetime.as_secs().to_string());
    record.set("activationCodeExpiry", seconds);
    record.set("phoneName", Value::text(listed.device_name.as_str()));
    record.set("phoneDescription", Value::text(&listed.description));
    let product = model.map_or("", |model| model.product);
    record.set("phoneModel", Value::text(product));
    record.set("enableActivationId", Value::flag(true));
    record.set("userId", owner.unwrap_or(Value::Nothing));
    Ok(record)
}

/// The code of these digits that waits to be entered.
async fn find(app: &App, connection: &mut Connection, digits: &str) -> Outcome<Option<Pkid>> {
    let Ok(code) = digits.parse() else {
        return Ok(None);
    };
    let digest = activation_codes::digest(app, &code).map_err(ServiceError::from)?;
    let found = store::activation::by_digest(connection, &digest).await?;
    let now = app.environment.now();
    Ok(found
        .filter(|code| code.expires_at > now)
        .map(|code| code.pkid))
}

/// The device of a code, which stands for its name: the digits are nobody's to print.
async fn name_of(connection: &mut Connection, pkid: Pkid) -> Outcome<Option<String>> {
    let Some(code) = store::activation::by_pkid(connection, pkid).await? else {
        return Ok(None);
    };
    let name = store::device::name_of(connection, code.device).await?;
    Ok(name.map(|name| name.to_string()))
}
