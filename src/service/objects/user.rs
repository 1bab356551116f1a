//! End users (`User`).

use std::collections::HashMap;

use async_trait::async_trait;

use super::Criteria;
use super::Draft;
use super::Kind;
use super::ObjectError;
use super::ObjectKey;
use super::Outcome;
use super::credentials;
use super::credentials::Shown;
use super::names;
use super::people;
use crate::domain::catalogue::Catalogue;
use crate::domain::credential::CredentialUser;
use crate::domain::end_user::EndUser;
use crate::domain::end_user::Person;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::SelfServiceUserId;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::domain::schema::written_directory_number;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::history::record::Actor;
use crate::service::users;
use crate::service::users::Extension;
use crate::service::users::NewUser;
use crate::service::users::UserChange;
use crate::store;
use crate::store::Connection;
use crate::store::associated_device;
use crate::store::associated_device::Controller;
use crate::store::end_user::Listed;
use crate::store::end_user::SearchField;

/// The criteria that a database can look at.
const SEARCHED: [(&str, SearchField); 4] = [
    ("userid", SearchField::UserId),
    ("firstName", SearchField::FirstName),
    ("lastName", SearchField::LastName),
    ("department", SearchField::Department),
];

pub(super) struct Users;

#[async_trait]
impl Kind for Users {
    async fn find(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        name: &str,
    ) -> Outcome<Option<Pkid>> {
        let folded = FoldedLogin::of(name);
        let user = store::end_user::by_login(connection, &folded).await?;
        // A Self-Service User ID is no user ID.
        let user = user.filter(|user| user.user_id.folded() == folded);
        Ok(user.map(|user| user.pkid))
    }

    async fn name_of(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
        pkid: Pkid,
    ) -> Outcome<Option<String>> {
        let user = store::end_user::by_pkid(connection, pkid).await?;
        Ok(user.map(|user| user.user_id.to_string()))
    }

    async fn all(
        &self,
        _: &App,
        connection: &mut Connection,
        _: ObjectKind,
    ) -> Outcome<Vec<(String, Pkid)>> {
        let users = store::end_user::listed(connection, &[]).await?;
        let users = users.into_iter().map(|user| (user.user_id, user.pkid));
        Ok(users.collect())
    }

    async fn read(
        &self,
        app: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        pkids: &[Pkid],
    ) -> Outcome<Vec<(Pkid, Record)>> {
        let catalogue = app.catalogue.load_full();
        let users = store::end_user::of_many(connection, pkids).await?;
        let groups = store::end_user::access_control_groups_of_many(connection, pkids).await?;
        let states = store::credential::states_of_many(connection, pkids).await?;
        let controllers: Vec<Controller> = pkids.iter().copied().map(Controller::EndUser).collect();
        let devices = associated_device::of_many(connection, &controllers).await?;
        let shown = Shown::new(app, &catalogue);
        let records: HashMap<Pkid, Record> = users
            .into_iter()
            .map(|user| {
                let mut record = record_of(&catalogue, &user);
                let of_user = |found: Option<&Vec<_>>| found.cloned().unwrap_or_default();
                let devices = devices.get(&user.pkid).cloned().unwrap_or_default();
                record.set("associatedDevices", people::devices_of(&devices));
                let groups = of_user(groups.get(&user.pkid));
                record.set("associatedGroups", people::groups_of(&groups));
                for elements in [credentials::PASSWORD, credentials::PIN] {
                    let state = states.get(&(user.pkid, elements.kind()));
                    let group = shown.group(elements, CredentialUser::EndUser, state);
                    record.set(elements.group(), group);
                }
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
        let user = store::end_user::by_pkid(connection, pkid).await?;
        Ok(user.map(|user| user.version))
    }

    async fn list(
        &self,
        _: &App,
        connection: &mut Connection,
        _: &'static ObjectType,
        criteria: &Criteria,
    ) -> Outcome<Vec<Pkid>> {
        let users = if let Some(user_id) = criteria.exact("userid") {
            let folded = FoldedLogin::of(user_id);
            let user = store::end_user::by_login(connection, &folded).await?;
            user.map(listed).into_iter().collect()
        } else {
            let wanted = SEARCHED
                .into_iter()
                .filter_map(|(element, field)| Some((field, criteria.pieces(element)?)));
            store::end_user::listed(connection, &wanted.collect::<Vec<_>>()).await?
        };
        let mut found: Vec<(String, Pkid)> = users
            .into_iter()
            .filter(|user| fits(criteria, user))
            .map(|user| (user.user_id.to_lowercase(), user.pkid))
            .collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, pkid)| pkid).collect())
    }

    async fn add(&self, app: &App, actor: &Actor, draft: &Draft) -> Outcome<Pkid> {
        let catalogue = app.catalogue.load_full();
        let mut reader = app.store.read().await?;
        let connection = reader.connection();
        let primary_extension = said_extension(app, connection, draft).await?.flatten();
        let associated_devices = people::said_devices(connection, draft).await?;
        drop(reader);
        let (pin, pin_terms) = credentials::credential(draft, credentials::PIN);
        let (password, password_terms) = credentials::credential(draft, credentials::PASSWORD);
        let new = NewUser {
            person: person_of(draft, Person::default()),
            user_profile: user_profile(draft).flatten(),
            primary_extension,
            self_service_user_id: said_self_service(draft)?.flatten(),
            access_control_groups: people::said_groups(&catalogue, draft)?.unwrap_or_default(),
            pin,
            pin_terms,
            password,
            password_terms,
            digest_credentials: people::said_secret(draft, "digestCredentials"),
            associated_devices: associated_devices.unwrap_or_default(),
            elements: draft.stored(),
            ..NewUser::new(people::user_id(draft)?)
        };
        Ok(users::add(app, actor, &new).await?.pkid)
    }

    async fn update(&self, app: &App, actor: &Actor, pkid: Pkid, draft: &Draft) -> Outcome<()> {
        let catalogue = app.catalogue.load_full();
        let mut reader = app.store.read().await?;
        let connection = reader.connection();
        let before = by_pkid(connection, pkid).await?;
        let primary_extension = said_extension(app, connection, draft).await?;
        let associated_devices = people::said_devices(connection, draft).await?;
        drop(reader);
        let (pin, pin_terms) = credentials::credential(draft, credentials::PIN);
        let (password, password_terms) = credentials::credential(draft, credentials::PASSWORD);
        let person = person_of(draft, before.person.clone());
        let is_new_person = person != before.person;
        let change = UserChange {
            version: draft.held_version(),
            user_id: draft
                .says("userid")
                .then(|| people::user_id(draft))
                .transpose()?,
            person: is_new_person.then_some(person),
            enabled: None,
            user_profile: user_profile(draft),
            primary_extension,
            self_service_user_id: said_self_service(draft)?,
            access_control_groups: people::said_groups(&catalogue, draft)?,
            pin,
            pin_terms,
            password,
            password_terms,
            digest_credentials: people::said_secret(draft, "digestCredentials"),
            associated_devices,
            elements: draft.stored(),
        };
        users::update(app, actor, before.user_id.as_str(), &change).await?;
        Ok(())
    }

    async fn remove(
        &self,
        app: &App,
        actor: &Actor,
        _: &'static ObjectType,
        pkid: Pkid,
    ) -> Outcome<()> {
        let mut reader = app.store.read().await?;
        let user = by_pkid(reader.connection(), pkid).await?;
        drop(reader);
        Ok(users::remove(app, actor, user.user_id.as_str()).await?)
    }
}

async fn by_pkid(connection: &mut Connection, pkid: Pkid) -> Outcome<EndUser> {
    let user = store::end_user::by_pkid(connection, pkid).await?;
    Ok(user.ok_or(AdministrationError::Changed(END_USER))?)
}

fn listed(user: EndUser) -> Listed {
    Listed {
        pkid: user.pkid,
        user_id: user.user_id.to_string(),
        first_name: user.person.first_name,
        last_name: user.person.last_name,
        department: user.person.department,
    }
}

fn fits(criteria: &Criteria, user: &Listed) -> bool {
    criteria.fits("userid", &user.user_id)
        && criteria.fits("firstName", &user.first_name)
        && criteria.fits("lastName", &user.last_name)
        && criteria.fits("department", &user.department)
        // No user has one: this system has no customers.
        && criteria.fits("customerName", "")
}

/// The Self-Service User ID of which the request speaks; `Some(None)`: none.
#[expect(clippy::option_option, reason = "not said, none, or a value")]
fn said_self_service(draft: &Draft) -> Result<Option<Option<SelfServiceUserId>>, ObjectError> {
    let Some(text) = draft.said_text("selfService") else {
        return Ok(None);
    };
    if text.is_empty() {
        return Ok(Some(None));
    }
    let id = text
        .parse()
        .map_err(|error| ObjectError::invalid("selfService", &error))?;
    Ok(Some(Some(id)))
}

/// The name of the user profile of which the request speaks; `Some(None)`: the system default.
#[expect(clippy::option_option, reason = "not said, none, or a value")]
fn user_profile(draft: &Draft) -> Option<Option<String>> {
    let name = draft.said_text("userProfile")?;
    Some(Some(name).filter(|name| !name.is_empty()))
}

/// The primary extension of which the request speaks, always as a whole; `Some(None)`: none.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] when there is no such line.
async fn said_extension(
    app: &App,
    connection: &mut Connection,
    draft: &Draft,
) -> Outcome<Option<Option<Extension>>> {
    if !draft.says("primaryExtension") {
        return Ok(None);
    }
    let said = draft.said_group("primaryExtension");
    let pattern = said.and_then(|said| said.text("pattern"));
    let Some(pattern) = pattern.filter(|pattern| !pattern.is_empty()) else {
        return Ok(Some(None));
    };
    let route_partition = said.and_then(|said| said.text("routePartitionName"));
    let key = ObjectKey::Pattern {
        pattern: pattern.to_owned(),
        route_partition: route_partition.map(Reference::named),
    };
    let object =
        ObjectType::of(ObjectKind::Line).ok_or_else(|| ObjectError::NotServed(draft.object()))?;
    let not_found = || ObjectError::Unresolved {
        element: "primaryExtension",
        kind: ObjectKind::Line,
        name: match route_partition.filter(|partition| !partition.is_empty()) {
            Some(partition) => format!("{pattern} in {partition}"),
            None => pattern.to_owned(),
        },
    };
    let pkid = names::find(app, connection, object, &key)
        .await?
        .ok_or_else(not_found)?;
    let line = store::line::by_pkid(connection, pkid)
        .await?
        .ok_or_else(not_found)?;
    let catalogue = app.catalogue.load();
    let route_partition = catalogue.route_partitions.get(&line.route_partition);
    Ok(Some(Some(Extension {
        pattern: line.pattern,
        route_partition: route_partition.cloned().unwrap_or_default(),
    })))
}

/// What is known of the person, with what the request says of it.
fn person_of(draft: &Draft, before: Person) -> Person {
    let said = |element, before: String| draft.said_text(element).unwrap_or(before);
    Person {
        first_name: said("firstName", before.first_name),
        middle_name: said("middleName", before.middle_name),
        last_name: said("lastName", before.last_name),
        mail: said("mailid", before.mail),
        department: said("department", before.department),
        title: said("title", before.title),
        telephone_number: said("telephoneNumber", before.telephone_number),
        user_locale: said("userLocale", before.user_locale),
    }
}

fn record_of(catalogue: &Catalogue, user: &EndUser) -> Record {
    let person = &user.person;
    let mut record = Record::default();
    record.set("userid", Value::text(user.user_id.as_str()));
    for (element, text) in [
        ("firstName", &person.first_name),
        ("middleName", &person.middle_name),
        ("lastName", &person.last_name),
        ("mailid", &person.mail),
        ("department", &person.department),
        ("title", &person.title),
        ("telephoneNumber", &person.telephone_number),
        ("userLocale", &person.user_locale),
    ] {
        record.set(element, Value::text(text));
    }
    let mut extension = Record::default();
    if let Some(primary) = &user.primary_extension {
        let number = written_directory_number(primary.pattern.as_str());
        extension.set("pattern", Value::text(&number));
        let partition = catalogue.route_partitions.get(&primary.route_partition);
        let partition = partition.map_or("", String::as_str);
        extension.set("routePartitionName", Value::text(partition));
    }
    record.set("primaryExtension", Value::Group(extension));
    let self_service = user.self_service_user_id.as_ref();
    let self_service = self_service.map_or("", SelfServiceUserId::as_str);
    record.set("selfService", Value::text(self_service));
    let kind = ObjectKind::UserProfileProvision;
    let profile = names::reference(catalogue, kind, user.user_profile);
    record.set("userProfile", profile);
    // Source: CUCM's table `enduser`: 1 is active.
    record.set("status", Value::number(i64::from(user.enabled)));
    record
}
