//! *User Management > Self-Provisioning*: one set of settings, which AXL writes and does not read.
//!
//! `requireAuthentication` false is *No Authentication Required*; true with `allowAuthentication`
//! is users and administrators, without it users only. While no authentication is required,
//! `allowAuthentication` is kept for when it is. An empty truth value says nothing.

use super::Criteria;
use super::Draft;
use super::Kind;
use super::Pending;
use super::kind::not_served;
use crate::domain::fresh_system;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::StoredElements;
use crate::domain::schema::StoredValue;
use crate::domain::schema::Value;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::service::App;
use crate::service::history::record::Actor;
use crate::service::self_provisioning;
use crate::service::self_provisioning::settings::SettingsChange;
use crate::store;
use crate::store::Connection;

const ALLOW: &str = "allowAuthentication";

pub(super) struct Settings;

impl Kind for Settings {
    fn singleton(&self) -> Option<Pkid> {
        Some(fresh_system::SELF_PROVISIONING)
    }

    fn read<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: &'static ObjectType,
        pkids: &'a [Pkid],
    ) -> Pending<'a, Vec<(Pkid, Record)>> {
        Box::pin(async move {
            let settings = store::self_provisioning::find(connection).await?;
            let mode = settings.mode;
            let requires = mode != AuthenticationMode::NotRequired;
            let mut record = Record::default();
            record.set("requireAuthentication", Value::flag(requires));
            Ok(pkids.iter().map(|pkid| (*pkid, record.clone())).collect())
        })
    }

    fn version<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: &'static ObjectType,
        _: Pkid,
    ) -> Pending<'a, Option<i64>> {
        Box::pin(async move {
            let settings = store::self_provisioning::find(connection).await?;
            Ok(Some(settings.version))
        })
    }

    fn list<'a>(
        &'a self,
        _: &'a App,
        _: &'a mut Connection,
        object: &'static ObjectType,
        _: &'a Criteria,
    ) -> Pending<'a, Vec<Pkid>> {
        not_served(object)
    }

    fn update<'a>(
        &'a self,
        app: &'a App,
        actor: &'a Actor,
        _: Pkid,
        draft: &'a Draft,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let mut reader = app.store.read().await?;
            let before = store::self_provisioning::find(reader.connection()).await?;
            drop(reader);
            draft.is_of(before.version, "Self-Provisioning")?;
            let before = before.mode;
            let (mode, elements) = authentication(draft, before);
            let change = SettingsChange {
                version: draft.held_version(),
                mode: Some(mode).filter(|mode| *mode != before),
                code: draft.secret("authenticationCode"),
                // AXL clients may set fewer than eight digits, as with CUCM.
                allow_short_code: true,
                elements: Some(&elements),
            };
            self_provisioning::settings::update(app, actor, &change).await?;
            Ok(())
        })
    }
}

/// The mode after the request, and what is kept.
fn authentication(
    draft: &Draft,
    before: AuthenticationMode,
) -> (AuthenticationMode, StoredElements) {
    let said = |element| draft.said_text(element).filter(|text| !text.is_empty());
    let required = match said("requireAuthentication") {
        Some(text) => text == "true",
        None => before != AuthenticationMode::NotRequired,
    };
    let administrators = match (said(ALLOW), before) {
        (Some(text), _) => text == "true",
        (None, AuthenticationMode::UsersAndAdministrators) => true,
        (None, AuthenticationMode::UsersOnly) => false,
        // Kept while it had no effect.
        (None, AuthenticationMode::NotRequired) => draft.flag(ALLOW),
    };
    let mut elements = draft.stored();
    if !elements.replaced.contains(&ALLOW) {
        elements.replaced.push(ALLOW);
    }
    let mode = match (required, administrators) {
        (false, true) => {
            let kept = StoredValue::Text(true.to_string());
            elements.values.push((ALLOW.to_owned(), kept));
            AuthenticationMode::NotRequired
        }
        (false, false) => AuthenticationMode::NotRequired,
        (true, true) => AuthenticationMode::UsersAndAdministrators,
        (true, false) => AuthenticationMode::UsersOnly,
    };
    (mode, elements)
}
