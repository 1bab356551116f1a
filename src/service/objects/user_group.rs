//! Access control groups (`UserGroup`).

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::Outcome;
use super::kind::Named;
use super::kind::named;
use crate::domain::catalogue::Catalogue;
use crate::domain::fresh_system;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Value;
use crate::service::App;
use crate::service::history::record::Actor;
use crate::service::users::access_control_groups;
use crate::service::users::access_control_groups::GroupChange;
use crate::service::users::access_control_groups::MemberChange;
use crate::store;
use crate::store::Connection;

pub(super) struct UserGroups;

#[async_trait]
impl Kind for UserGroups {
    fn in_catalogue<'c>(&self, catalogue: &'c Catalogue, _: ObjectKind) -> Named<'c> {
        named(&catalogue.access_control_groups, |name| name)
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load_full();
        let mut records = Vec::with_capacity(pkids.len());
        for pkid in pkids {
            let Some(name) = catalogue.access_control_groups.get(pkid) else {
                continue;
            };
            let members = store::end_user::members_of(connection, *pkid).await?;
            records.push((*pkid, record_of(name, members)));
        }
        Ok(records)
    }

    async fn list(
        &self,
        app: &App,
        _: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let catalogue = app.catalogue.load();
        let mut found: Vec<(String, Pkid)> = catalogue
            .access_control_groups
            .iter()
            .filter(|(_, name)| criteria.fits("name", name))
            .map(|(pkid, name)| (name.to_lowercase(), *pkid))
            .collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, pkid)| pkid).collect())
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let name = draft.text("name");
        check_roles(draft, &name)?;
        let members = members_in(draft.record(), "members");
        Ok(access_control_groups::add(app, actor, &name, &members).await?)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let name = draft.text("name");
        check_roles(draft, &name)?;
        let change = GroupChange {
            name: draft.said_text("name"),
            members: said_change(draft),
            touched: draft.touched().to_vec(),
        };
        Ok(access_control_groups::update(app, actor, pkid, &change).await?)
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        Ok(access_control_groups::remove(app, actor, pkid).await?)
    }
}

/// What becomes of the members. Groups are entered and left through users as well: so what a
/// request adds and takes is what it says, and not the difference to what was read.
fn said_change(draft: &Draft) -> MemberChange {
    let Some(said) = draft.request().filter(|_| draft.says("members")) else {
        return MemberChange::default();
    };
    if said.get("members").is_some() {
        return MemberChange::Replace(members_in(said, "members"));
    }
    MemberChange::Change {
        add: members_in(said, "addMembers"),
        remove: members_in(said, "removeMembers"),
    }
}

/// The user IDs of the members in this element.
fn members_in(record: &Record, element: &str) -> Vec<String> {
    let members = record.group(element);
    let members = members.map_or(&[][..], |members| members.list("member"));
    let user_ids = members.iter().filter_map(|member| match member {
        Value::Group(member) => member.text("userId").map(str::to_owned),
        _ => None,
    });
    user_ids.filter(|user_id| !user_id.is_empty()).collect()
}

/// Roles come with the standard groups; a request may name those that a group has.
fn check_roles(draft: &Draft, name: &str) -> Result<(), ObjectError> {
    if !draft.says("userRoles") {
        return Ok(());
    }
    let roles = fresh_system::function_roles(name);
    let said = draft.record().group("userRoles");
    let said: Vec<&str> = said
        .map_or(&[][..], |said| said.list("userRole"))
        .iter()
        .filter_map(|role| match role {
            Value::Group(role) => role.text("roleName"),
            _ => None,
        })
        .filter(|role| !role.is_empty())
        .collect();
    let is_same = said.len() == roles.len() && said.iter().all(|role| roles.contains(role));
    if is_same {
        return Ok(());
    }
    let reason = format!(
        "{name} has {}; roles cannot be given or taken here: make the users members of a standard \
         group instead",
        if roles.is_empty() {
            "no roles".to_owned()
        } else {
            format!("the roles {}", roles.join(", "))
        }
    );
    Err(ObjectError::invalid("userRoles", &reason))
}

fn record_of(name: &str, members: Vec<(Pkid, String)>) -> Record {
    let member = |(_, user_id): (Pkid, String)| {
        let mut member = Record::default();
        member.set("userId", Value::text(&user_id));
        Value::Group(member)
    };
    let role = |role: &'static str| {
        let mut user_role = Record::default();
        user_role.set("roleName", Value::text(role));
        Value::Group(user_role)
    };
    let list = |name: &'static str, values: Vec<Value>| {
        let mut list = Record::default();
        list.set(name, Value::List(values));
        Value::Group(list)
    };
    let roles = fresh_system::function_roles(name);
    let mut record = Record::default();
    record.set("name", Value::text(name));
    let members = members.into_iter().map(member).collect();
    record.set("members", list("member", members));
    let roles = roles.into_iter().map(role).collect();
    record.set("userRoles", list("userRole", roles));
    record
}
