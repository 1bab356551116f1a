//! Which object a name or an identity means, and the name of an object.

use std::collections::HashMap;

use super::ObjectError;
use super::ObjectKey;
use super::Outcome;
use super::keyed;
use super::phone_activation_code;
use super::process_node;
use crate::domain::catalogue::Catalogue;
use crate::domain::device::DeviceName;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::FoldedLogin;
use crate::domain::fresh_system;
use crate::domain::line::Line;
use crate::domain::pkid::Pkid;
use crate::domain::schema::ObjectKind;
use crate::domain::schema::ObjectType;
use crate::domain::schema::Record;
use crate::domain::schema::Reference;
use crate::domain::schema::Value;
use crate::domain::schema::references;
use crate::domain::schema::written_directory_number;
use crate::service::App;
use crate::store;
use crate::store::Connection;

/// The object of this kind that a key means.
///
/// # Errors
///
/// [`ObjectError`] when the key means two objects, or the database fails.
pub(super) async fn find(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Option<Pkid>> {
    let ObjectKey::Both(pkid, key) = key else {
        return find_by_one(app, connection, object, key).await;
    };
    let by_pkid = ObjectKey::Pkid(*pkid);
    let Some(pkid) = find_by_one(app, connection, object, &by_pkid).await? else {
        return Ok(None);
    };
    let is_same = match key.as_ref() {
        // Any partition will do.
        ObjectKey::Pattern {
            pattern,
            route_partition: None,
        } => {
            let lines = lines_of(connection, pattern).await?;
            lines.iter().any(|line| line.pkid == pkid)
        }
        key => find_by_one(app, connection, object, key).await? == Some(pkid),
    };
    if is_same {
        return Ok(Some(pkid));
    }
    let reason = format!("it is not the identity of {key}: send one of the two");
    Err(ObjectError::invalid("uuid", &reason))
}

async fn find_by_one(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    key: &ObjectKey,
) -> Outcome<Option<Pkid>> {
    match key {
        ObjectKey::Pkid(pkid) => {
            let name = name_of(app, connection, object.kind, *pkid).await?;
            // The partition without a name is no object of its own.
            Ok(name.filter(|name| !name.is_empty()).map(|_| *pkid))
        }
        ObjectKey::Name(name) => by_name(app, connection, object.kind, name).await,
        ObjectKey::Pattern {
            pattern,
            route_partition,
        } => by_pattern(app, connection, pattern, route_partition.as_ref()).await,
        ObjectKey::Singleton if object.kind == ObjectKind::SelfProvisioning => {
            Ok(Some(fresh_system::SELF_PROVISIONING))
        }
        ObjectKey::Several(values) => Ok(keyed::find(&app.catalogue.load(), object.kind, values)),
        ObjectKey::Singleton | ObjectKey::Both(..) => Err(ObjectError::NotServed(object)),
    }
}

async fn by_name(
    app: &App,
    connection: &mut Connection,
    kind: ObjectKind,
    name: &str,
) -> Outcome<Option<Pkid>> {
    Ok(match kind {
        ObjectKind::User => {
            let folded = FoldedLogin::of(name);
            let user = store::end_user::by_login(connection, &folded).await?;
            // A Self-Service User ID is no user ID.
            user.filter(|user| user.user_id.folded() == folded)
                .map(|user| user.pkid)
        }
        ObjectKind::AppUser => {
            let user =
                store::application_user::by_login(connection, &FoldedLogin::of(name)).await?;
            user.map(|user| user.pkid)
        }
        ObjectKind::Phone => {
            let Ok(name) = name.parse::<DeviceName>() else {
                return Ok(None);
            };
            store::device::pkid_of(connection, &name).await?
        }
        ObjectKind::Line => by_pattern(app, connection, name, None).await?,
        ObjectKind::PhoneActivationCode => {
            phone_activation_code::find(app, connection, name).await?
        }
        ObjectKind::ProcessNode => {
            let mut nodes = process_node::all(app).into_iter();
            let node = nodes.find(|(_, host)| host.eq_ignore_ascii_case(name));
            node.map(|(pkid, _)| pkid)
        }
        kind => {
            let catalogue = app.catalogue.load();
            let wanted = name.to_lowercase();
            let mut named = in_catalogue(&catalogue, kind);
            named
                .find(|(_, name)| name.to_lowercase() == wanted)
                .map(|(pkid, _)| pkid)
        }
    })
}

/// The lines of a number, in every partition.
async fn lines_of(connection: &mut Connection, pattern: &str) -> Outcome<Vec<Line>> {
    let pattern = pattern.strip_prefix('\\').unwrap_or(pattern);
    match pattern.parse::<DirectoryNumber>() {
        Ok(number) => Ok(store::line::by_pattern(connection, &number).await?),
        Err(_) => Ok(Vec::new()),
    }
}

/// The line of a number: in the partition that is said, else in the only one that has it, else in
/// none.
async fn by_pattern(
    app: &App,
    connection: &mut Connection,
    pattern: &str,
    route_partition: Option<&Reference>,
) -> Outcome<Option<Pkid>> {
    let lines = lines_of(connection, pattern).await?;
    let nowhere = Reference::default();
    let wanted = match (route_partition, lines.as_slice()) {
        (None, [only]) => return Ok(Some(only.pkid)),
        (wanted, _) => wanted.unwrap_or(&nowhere),
    };
    let catalogue = app.catalogue.load();
    let known = |pkid: Pkid| catalogue.route_partitions.get(&pkid);
    if let Some(known) = wanted.pkid.and_then(known)
        && !is_called(wanted, known)
    {
        return Err(two_objects("routePartitionName", known, wanted));
    }
    let is_wanted = |partition: Pkid| {
        if let Some(pkid) = wanted.pkid {
            return pkid == partition;
        }
        let name = known(partition);
        name.is_some_and(|name| name.to_lowercase() == wanted.name.to_lowercase())
    };
    let mut lines = lines.iter();
    let line = lines.find(|line| is_wanted(line.route_partition));
    Ok(line.map(|line| line.pkid))
}

/// The name of an object; `None` when there is no such object.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn name_of(
    app: &App,
    connection: &mut Connection,
    kind: ObjectKind,
    pkid: Pkid,
) -> Outcome<Option<String>> {
    Ok(match kind {
        ObjectKind::User => {
            let user = store::end_user::by_pkid(connection, pkid).await?;
            user.map(|user| user.user_id.to_string())
        }
        ObjectKind::CredentialPolicyDefault | ObjectKind::DeviceDefaults => {
            keyed::name_of(&app.catalogue.load(), kind, pkid)
        }
        ObjectKind::ProcessNode => {
            let mut nodes = process_node::all(app).into_iter();
            let node = nodes.find(|(known, _)| *known == pkid);
            node.map(|(_, host)| host)
        }
        ObjectKind::AppUser => {
            let users = store::application_user::all(connection).await?;
            let user = users.into_iter().find(|user| user.pkid == pkid);
            user.map(|user| user.user_id.to_string())
        }
        ObjectKind::Phone => store::device::name_of(connection, pkid)
            .await?
            .map(|name| name.to_string()),
        ObjectKind::PhoneActivationCode => phone_activation_code::name_of(connection, pkid).await?,
        ObjectKind::Line => store::line::by_pkid(connection, pkid)
            .await?
            .map(|line| line.pattern.to_string()),
        kind => {
            let catalogue = app.catalogue.load();
            let mut named = in_catalogue(&catalogue, kind);
            named
                .find(|(known, _)| *known == pkid)
                .map(|(_, name)| name.to_owned())
        }
    })
}

/// Name and identity of every object of a kind that others name, in no order.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn all(
    app: &App,
    connection: &mut Connection,
    kind: ObjectKind,
) -> Outcome<Vec<(String, Pkid)>> {
    Ok(match kind {
        ObjectKind::User => {
            let users = store::end_user::listed(connection, &[]).await?.into_iter();
            users.map(|user| (user.user_id, user.pkid)).collect()
        }
        ObjectKind::Phone => {
            let mut phones = Vec::new();
            app.phones.for_each(|known| {
                phones.push((known.phone.name.to_string(), known.phone.pkid));
            });
            phones
        }
        ObjectKind::Line => {
            let any = store::line::Wanted::Pieces {
                pattern: None,
                description: None,
            };
            let lines = store::line::keys(connection, any).await?.into_iter();
            let name = |pattern: &str| written_directory_number(pattern);
            lines.map(|line| (name(&line.pattern), line.pkid)).collect()
        }
        kind => {
            let catalogue = app.catalogue.load();
            in_catalogue(&catalogue, kind)
                // The partition without a name is no object of its own.
                .filter(|(_, name)| !name.is_empty())
                .map(|(pkid, name)| (name.to_owned(), pkid))
                .collect()
        }
    })
}

type Named<'a> = Box<dyn Iterator<Item = (Pkid, &'a str)> + Send + 'a>;

/// Identity and name of every object of a kind that the catalogue has.
pub(super) fn in_catalogue(catalogue: &Catalogue, kind: ObjectKind) -> Named<'_> {
    fn of<T: Sync>(objects: &HashMap<Pkid, T>, name: fn(&T) -> &str) -> Named<'_> {
        Box::new(
            objects
                .iter()
                .map(move |(pkid, object)| (*pkid, name(object))),
        )
    }
    match kind {
        ObjectKind::RoutePartition => of(&catalogue.route_partitions, |name| name),
        ObjectKind::Css => of(&catalogue.calling_search_spaces, |one| &one.name),
        ObjectKind::UniversalDeviceTemplate => {
            of(&catalogue.universal_device_templates, |one| &one.name)
        }
        ObjectKind::UniversalLineTemplate => {
            of(&catalogue.universal_line_templates, |one| &one.name)
        }
        ObjectKind::UserProfileProvision => of(&catalogue.user_profiles, |one| &one.name),
        ObjectKind::FeatureGroupTemplate => of(&catalogue.feature_group_templates, |one| &one.name),
        ObjectKind::CallManager => of(&catalogue.call_managers, |one| &one.name),
        ObjectKind::CallManagerGroup => of(&catalogue.call_manager_groups, |one| &one.name),
        ObjectKind::DevicePool => of(&catalogue.device_pools, |one| &one.name),
        ObjectKind::DateTimeGroup => of(&catalogue.date_time_groups, |one| &one.name),
        ObjectKind::SipProfile => of(&catalogue.sip_profiles, |one| &one.name),
        ObjectKind::PhoneSecurityProfile => of(&catalogue.phone_security_profiles, |one| &one.name),
        ObjectKind::PhoneButtonTemplate => of(&catalogue.phone_button_templates, |one| &one.name),
        ObjectKind::CredentialPolicy => of(&catalogue.credential_policies, |one| &one.name),
        ObjectKind::UserGroup => of(&catalogue.access_control_groups, |name| name),
        ObjectKind::Named(noun) => Box::new(
            catalogue
                .named_objects
                .iter()
                .filter(move |(_, object)| object.kind == noun)
                .map(|(pkid, object)| (*pkid, object.name.as_str())),
        ),
        _ => Box::new(std::iter::empty()),
    }
}

/// Gives every reference of a record both its name and its identity. Who says both must mean one
/// object.
///
/// # Errors
///
/// [`ObjectError::Unresolved`] names the first that names nothing.
pub(super) async fn resolve(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    record: &mut Record,
) -> Outcome<()> {
    for found in references::of(object, record) {
        let (kind, reference) = (found.kind, found.reference);
        let resolved = identified(app, connection, found.element, kind, reference).await?;
        let Some((pkid, name)) = resolved else {
            let name = match reference.pkid {
                Some(pkid) => format!("{{{pkid}}}"),
                None => reference.name.clone(),
            };
            return Err(ObjectError::Unresolved {
                element: found.element,
                kind,
                name,
            });
        };
        *reference = Reference {
            name,
            pkid: Some(pkid),
        };
    }
    Ok(())
}

/// The object that a reference means, with its name as the system has it; `None` when there is
/// none.
async fn identified(
    app: &App,
    connection: &mut Connection,
    element: &'static str,
    kind: ObjectKind,
    reference: &Reference,
) -> Outcome<Option<(Pkid, String)>> {
    let pkid = match reference.pkid {
        Some(pkid) => pkid,
        None => match by_name(app, connection, kind, &reference.name).await? {
            Some(pkid) => pkid,
            None => return Ok(None),
        },
    };
    let Some(name) = name_of(app, connection, kind, pkid).await? else {
        return Ok(None);
    };
    if !is_called(reference, &name)
        && by_name(app, connection, kind, &reference.name).await? != Some(pkid)
    {
        return Err(two_objects(element, &name, reference));
    }
    Ok(Some((pkid, name)))
}

/// Whether what a reference says beside an identity is the name of that object.
fn is_called(reference: &Reference, name: &str) -> bool {
    let said = &reference.name;
    said.is_empty() || said.to_lowercase() == name.to_lowercase()
}

/// The refusal of a reference by the identity of one object and the name of another.
fn two_objects(element: &'static str, known: &str, said: &Reference) -> ObjectError {
    let reason = format!(
        "its uuid is that of {known:?}, and its text is {:?}: send one of the two",
        said.name
    );
    ObjectError::invalid(element, &reason)
}

/// Gives the references of a record that have an identity their names. `known` spares asking twice.
///
/// # Errors
///
/// [`ObjectError`] when the database fails.
pub(super) async fn fill_in(
    app: &App,
    connection: &mut Connection,
    object: &'static ObjectType,
    record: &mut Record,
    known: &mut HashMap<Pkid, String>,
) -> Outcome<()> {
    for found in references::of(object, record) {
        let Some(pkid) = found
            .reference
            .pkid
            .filter(|_| found.reference.name.is_empty())
        else {
            continue;
        };
        if let Some(name) = known.get(&pkid) {
            found.reference.name.clone_from(name);
            continue;
        }
        let name = name_of(app, connection, found.kind, pkid)
            .await?
            .unwrap_or_default();
        found.reference.name.clone_from(&name);
        known.insert(pkid, name);
    }
    Ok(())
}

/// A reference to an object of the catalogue; nothing for none.
pub(super) fn reference(catalogue: &Catalogue, kind: ObjectKind, pkid: Option<Pkid>) -> Value {
    let Some(pkid) = pkid else {
        return Value::Nothing;
    };
    let name = in_catalogue(catalogue, kind).find(|(known, _)| *known == pkid);
    Value::Reference(Reference {
        name: name.map_or_else(String::new, |(_, name)| name.to_owned()),
        pkid: Some(pkid),
    })
}

/// The route partition of an object; nothing for `< None >`.
pub(super) fn route_partition(catalogue: &Catalogue, pkid: Pkid) -> Value {
    let has_name = |name: &String| !name.is_empty();
    let named = catalogue.route_partitions.get(&pkid).is_some_and(has_name);
    reference(catalogue, ObjectKind::RoutePartition, named.then_some(pkid))
}
