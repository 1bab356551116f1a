//! *User Management > Self-Provisioning*: one set of settings, which AXL writes and does not read.
//!
//! `requireAuthentication` false is *No Authentication Required*; true with `allowAuthentication`
//! is users and administrators, without it users only. While no authentication is required,
//! `allowAuthentication` is kept for when it is. An empty truth value says nothing.

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
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

#[async_trait]
impl Kind for Settings {
    fn singleton(&self) -> Option<Pkid> {
        Some(fresh_system::SELF_PROVISIONING)
    }

    async fn read(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let settings = store::self_provisioning::find(connection).await?;
        let mode = settings.mode;
        let requires = mode != AuthenticationMode::NotRequired;
        let mut record = Record::default();
        record.set("requireAuthentication", Value::flag(requires));
        Ok(pkids.iter().map(|pkid| (*pkid, record.clone())).collect())
    }

    async fn version(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        _: Pkid,
    ) -> Outcome<Option<i64>> {
        let settings = store::self_provisioning::find(connection).await?;
        Ok(Some(settings.version))
    }

    async fn list(
        &self,
        _: &App,
        _: &mut Connection,
        object: &'static ObjectType,
        _: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        Err(ObjectError::NotServed(object))
    }

    async fn update(&self, app: &App, actor: &Actor, _: Pkid, draft: &Draft) -> Outcome<()> {
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
