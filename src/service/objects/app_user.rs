//! Application users (`AppUser`).

use std::collections::HashMap;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::Outcome;
use super::Pending;
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

impl Kind for AppUsers {
    fn find<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: ObjectKind,
        name: &'a str,
    ) -> Pending<'a, Option<Pkid>> {
        Box::pin(async move {
            let folded = FoldedLogin::of(name);
            let user = store::application_user::by_login(connection, &folded).await?;
            Ok(user.map(|user| user.pkid))
        })
    }

    fn name_of<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            let user = found(connection, pkid).await?;
            Ok(user.map(|user| user.user_id.to_string()))
        })
    }

    fn read<'a>(
        &'a self,
        app: &'a App,
        connection: &'a mut Connection,
        _: &'static ObjectType,
        pkids: &'a [Pkid],
    ) -> Pending<'a, Vec<(Pkid, Record)>> {
        Box::pin(async move {
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
        })
    }

    fn version<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Pending<'a, Option<i64>> {
        Box::pin(async move {
            let user = found(connection, pkid).await?;
            Ok(user.map(|user| user.version))
        })
    }

    fn list<'a>(
        &'a self,
        _: &'a App,
        connection: &'a mut Connection,
        _: &'static ObjectType,
        criteria: &'a Criteria,
    ) -> Pending<'a, Vec<Pkid>> {
        Box::pin(async move {
            let users = store::application_user::all(connection).await?;
            Ok(users
                .into_iter()
                .filter(|user| criteria.fits("userid", user.user_id.as_str()))
                .map(|user| user.pkid)
                .collect())
        })
    }

    fn add<'a>(&'a self, app: &'a App, actor: &'a Actor, draft: &'a Draft) -> Pending<'a, Pkid> {
        Box::pin(async move {
            let said = said(app, draft).await?;
            let user_id = people::user_id(draft)?;
            let user = application_users::add(app, actor, &user_id, &said).await?;
            Ok(user.pkid)
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
            let mut said = said(app, draft).await?;
            if draft.says("userid") {
                said.user_id = Some(people::user_id(draft)?);
            }
            let user = by_pkid(app, pkid).await?;
            Ok(application_users::update(app, actor, user.user_id.as_str(), &said).await?)
        })
    }

    fn remove<'a>(
        &'a self,
        app: &'a App,
        actor: &'a Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Pending<'a, ()> {
        Box::pin(async move {
            let user = by_pkid(app, pkid).await?;
            Ok(application_users::remove(app, actor, user.user_id.as_str()).await?)
        })
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
