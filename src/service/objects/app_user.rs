//! Application users (`AppUser`).

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::Outcome;
use super::credentials;
use super::credentials::Shown;
use super::people;
use crate::domain::account::ApplicationUser;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::history::record::Actor;
use crate::service::users::application_users;
use crate::service::users::application_users::ApplicationUserChange;
use crate::store;
use crate::store::Connection;
use crate::store::associated_device;
use crate::store::associated_device::Controller;

pub(super) struct AppUsers;

#[async_trait]
impl Kind for AppUsers {
    async fn find(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        let folded = FoldedLogin::of(name);
        let user = store::application_user::by_login(connection, &folded).await?;
        Ok(user.map(|user| user.pkid))
    }

    async fn name_of(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let user = found(connection, pkid).await?;
        Ok(user.map(|user| user.user_id.to_string()))
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load_full();
        let users = store::application_user::all(connection).await?;
        let groups = store::end_user::access_control_groups_of_many(connection, pkids).await?;
        let states = store::credential::states_of_many(connection, pkids).await?;
        let controllers: Vec<Controller> = pkids
            .iter()
            .copied()
            .map(Controller::ApplicationUser)
            .collect();
        let devices = associated_device::of_many(connection, &controllers).await?;
        let shown = Shown::new(app, &catalogue);
        let records: HashMap<Pkid, Record> = users
            .into_iter()
            .map(|user| {
                let mut record = Record::default();
                record.set("userid", Value::text(user.user_id.as_str()));
                // Those of an installed CUCM (`CCMSysUser` and the like) do not exist here.
                record.set("isStandard", Value::flag(false));
                let devices = devices.get(&user.pkid).cloned().unwrap_or_default();
                record.set("associatedDevices", people::devices_of(&devices));
                let groups = groups.get(&user.pkid).cloned().unwrap_or_default();
                record.set("associatedGroups", people::groups_of(&groups));
                let elements = credentials::PASSWORD;
                let state = states.get(&(user.pkid, CredentialKind::Password));
                let group = shown.group(elements, CredentialUser::ApplicationUser, state);
                record.set(elements.group(), group);
                (user.pkid, record)
            })
            .collect();
        Ok(people::in_order(pkids, records))
    }

    async fn version(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<Option<i64>> {
        let user = found(connection, pkid).await?;
        Ok(user.map(|user| user.version))
    }

    async fn list(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let users = store::application_user::all(connection).await?;
        Ok(users
            .into_iter()
            .filter(|user| criteria.fits("userid", user.user_id.as_str()))
            .map(|user| user.pkid)
            .collect())
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let said = said(app, draft).await?;
        let user_id = people::user_id(draft)?;
        let user = application_users::add(app, actor, &user_id, &said).await?;
        Ok(user.pkid)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let mut said = said(app, draft).await?;
        if draft.says("userid") {
            said.user_id = Some(people::user_id(draft)?);
        }
        let user = by_pkid(app, pkid).await?;
        Ok(application_users::update(app, actor, user.user_id.as_str(), &said).await?)
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        let user = by_pkid(app, pkid).await?;
        Ok(application_users::remove(app, actor, user.user_id.as_str()).await?)
    }
}

async fn found(connection: &mut Connection, pkid: Pkid) -> Outcome<Option<ApplicationUser>> {
    let users = store::application_user::all(connection).await?;
    Ok(users.into_iter().find(|user| user.pkid == pkid))
}

async fn by_pkid(app: &App, pkid: Pkid) -> Outcome<ApplicationUser> {
    let mut reader = app.store.read().await?;
    let user = found(reader.connection(), pkid).await?;
    Ok(user.ok_or(AdministrationError::Changed("Application User"))?)
}

async fn said(app: &App, draft: &Draft) -> Outcome<ApplicationUserChange> {
    let mut reader = app.store.read().await?;
    let associated_devices = people::said_devices(reader.connection(), draft).await?;
    drop(reader);
    let (password, password_terms) = credentials::credential(draft, credentials::PASSWORD);
    Ok(ApplicationUserChange {
        version: draft.held_version(),
        user_id: None,
        password,
        password_terms,
        access_control_groups: people::said_groups(&app.catalogue.load(), draft)?,
        associated_devices,
        elements: draft.stored(),
    })
}
