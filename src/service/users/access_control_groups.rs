//! Use cases: access control groups, which say what their members may do.

use std::collections::BTreeMap;

use super::application_users;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::login_name::FoldedLogin;
use crate::domain::pkid::Pkid;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::check_text;
use crate::service::configuration::ConfigurationChange;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

const KIND: &str = "Access Control Group";

/// Most characters of a name. Source: AXL `XUserGroup`.
const NAME_LENGTH_MAX: usize = 128;

/// Adds a group with members, who are named by user ID.
///
/// # Errors
///
/// [`AdministrationError::Taken`] when another group has the name,
/// [`AdministrationError::NotFound`] names a member who does not exist.
pub(in crate::service) async fn add(
    app: &App,
    actor: &Actor,
    name: &str,
    members: &[String],
) -> Result<Pkid, AdministrationError> {
    check_name(app, None, name)?;
    let pkid = app.new_pkid();
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    let inserted = store::catalogue::insert_access_control_group(connection, pkid, name).await;
    named(name, inserted)?;
    let members = identities(connection, members).await?;
    for member in members.keys() {
        store::end_user::join_access_control_group(connection, pkid, *member).await?;
    }
    let change = Change {
        action: "access_control_group.add",
        object_kind: AuditKind::AccessControlGroup,
        object_name: name.to_owned(),
        before: String::new(),
        after: format!("{} members", members.len()),
    };
    transaction
        .commit_audited(actor, (pkid, &[]), change)
        .await?;
    Ok(pkid)
}

/// What becomes of the members of a group, who are named by user ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) enum MemberChange {
    /// These and no others are members.
    Replace(Vec<String>),
    /// Some come and some go; the others stay.
    Change {
        /// Who comes.
        add: Vec<String>,
        /// Who goes.
        remove: Vec<String>,
    },
}

impl Default for MemberChange {
    fn default() -> Self {
        Self::Change {
            add: Vec::new(),
            remove: Vec::new(),
        }
    }
}

/// A change of a group.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct GroupChange {
    /// Its new name; `None`: as it is.
    pub name: Option<String>,
    /// Its members.
    pub members: MemberChange,
    /// The elements that hold something else than before, for the histories.
    pub touched: Vec<&'static str>,
}

/// Changes the name or members of a group.
///
/// # Errors
///
/// As [`add`]; [`AdministrationError::Invalid`] for another name of a standard group, and when
/// nobody could administer the system any more.
pub(in crate::service) async fn update(
    app: &App,
    actor: &Actor,
    pkid: Pkid,
    change: &GroupChange,
) -> Result<(), AdministrationError> {
    let before = name_of(app, pkid)?;
    let new_name = change.name.as_deref().filter(|name| *name != before);
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    store::catalogue::lock_access_control_group(connection, pkid).await?;
    let mut after = Vec::new();
    if let Some(name) = new_name {
        refuse_standard(&before, "keeps its name")?;
        check_name(app, Some(pkid), name)?;
        let renamed = store::catalogue::rename_access_control_group(connection, pkid, name).await;
        named(name, renamed)?;
        after.push(format!("name {name}"));
    }
    let is_administrators = before == fresh_system::STANDARD_CCM_SUPER_USERS;
    let had_administrator =
        is_administrators && application_users::has_administrator(app, connection).await?;
    after.extend(change_members(connection, pkid, &change.members).await?);
    if had_administrator && !application_users::has_administrator(app, connection).await? {
        let reason = "nobody could administer the system; leave an application user in it";
        return Err(AdministrationError::invalid(KIND, &reason));
    }
    let touched = change.touched.as_slice();
    let change = Change {
        action: "access_control_group.update",
        object_kind: AuditKind::AccessControlGroup,
        object_name: before,
        before: String::new(),
        after: shortened(&after),
    };
    Ok(transaction
        .commit_audited(actor, (pkid, touched), change)
        .await?)
}

/// Writes who comes and who goes; gives words for the audit log.
async fn change_members(
    connection: &mut Connection,
    pkid: Pkid,
    change: &MemberChange,
) -> Result<Vec<String>, AdministrationError> {
    let held = store::end_user::members_of(connection, pkid).await?;
    let held: BTreeMap<Pkid, String> = held.into_iter().collect();
    let (add, remove) = match change {
        MemberChange::Replace(members) => {
            let members = identities(connection, members).await?;
            let goes = |(member, _): &(Pkid, String)| !members.contains_key(member);
            (
                members.clone(),
                held.clone().into_iter().filter(goes).collect(),
            )
        }
        MemberChange::Change { add, remove } => {
            let remove = identities(connection, remove).await?;
            (identities(connection, add).await?, remove)
        }
    };
    let mut words = Vec::new();
    for (member, user_id) in &remove {
        if held.contains_key(member) {
            store::end_user::leave_access_control_group(connection, pkid, *member).await?;
            words.push(format!("without {user_id}"));
        }
    }
    for (member, user_id) in &add {
        if remove.contains_key(member) || !held.contains_key(member) {
            store::end_user::join_access_control_group(connection, pkid, *member).await?;
            words.push(format!("with {user_id}"));
        }
    }
    Ok(words)
}

/// Removes a group; its members lose what they had by it.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] for a standard group.
pub(in crate::service) async fn remove(
    app: &App,
    actor: &Actor,
    pkid: Pkid,
) -> Result<(), AdministrationError> {
    let name = name_of(app, pkid)?;
    refuse_standard(&name, "cannot be removed")?;
    let mut transaction = ConfigurationChange::begin(app).await?;
    store::catalogue::delete_access_control_group(transaction.connection(), pkid).await?;
    let change = Change {
        action: "access_control_group.remove",
        object_kind: AuditKind::AccessControlGroup,
        object_name: name,
        before: String::new(),
        after: String::new(),
    };
    Ok(transaction
        .commit_audited(actor, (pkid, &[]), change)
        .await?)
}

/// Changes in a row of the audit log; the rest is a number.
const SHOWN_MAX: usize = 50;

fn shortened(changes: &[String]) -> String {
    let shown = changes.iter().take(SHOWN_MAX).cloned();
    let others = changes.len().saturating_sub(SHOWN_MAX);
    let others = (others > 0).then(|| format!("{others} more"));
    shown.chain(others).collect::<Vec<_>>().join(", ")
}

fn name_of(app: &App, pkid: Pkid) -> Result<String, AdministrationError> {
    let catalogue = app.catalogue.load();
    let name = catalogue.access_control_groups.get(&pkid).cloned();
    name.ok_or(AdministrationError::Changed(KIND))
}

/// The rights of a standard group hang on its name.
fn refuse_standard(name: &str, what: &str) -> Result<(), AdministrationError> {
    if !fresh_system::is_standard_group(name) {
        return Ok(());
    }
    let reason = format!("{name} is a standard group and {what}; change its members instead");
    Err(AdministrationError::invalid(KIND, &reason))
}

/// Names are looked up without regard to case, so two must not differ in it alone.
fn check_name(app: &App, own: Option<Pkid>, name: &str) -> Result<(), AdministrationError> {
    check_text("name", name, NAME_LENGTH_MAX)?;
    let folded = name.to_lowercase();
    let catalogue = app.catalogue.load();
    let mut others = catalogue.access_control_groups.iter();
    let is_taken = others.any(|(pkid, other)| Some(*pkid) != own && other.to_lowercase() == folded);
    if is_taken {
        return named(name, Err(StoreError::Duplicate));
    }
    Ok(())
}

fn named(name: &str, written: Result<(), StoreError>) -> Result<(), AdministrationError> {
    match written {
        Err(StoreError::Duplicate) => Err(AdministrationError::Taken {
            field: "the name",
            value: name.to_owned(),
            wanted_by: "this Access Control Group".to_owned(),
            holder: "another".to_owned(),
        }),
        other => Ok(other?),
    }
}

/// End users and application users by user ID.
async fn identities(
    connection: &mut Connection,
    user_ids: &[String],
) -> Result<BTreeMap<Pkid, String>, AdministrationError> {
    let mut found = BTreeMap::new();
    for user_id in user_ids {
        let login = FoldedLogin::of(user_id);
        let end_user = store::end_user::by_login(connection, &login).await?;
        // A Self-Service User ID is no user ID.
        let end_user = end_user.filter(|user| user.user_id.folded() == login);
        let pkid = match end_user {
            Some(user) => Some(user.pkid),
            None => store::application_user::by_login(connection, &login)
                .await?
                .map(|user| user.pkid),
        };
        let pkid = pkid.ok_or_else(|| AdministrationError::not_found("User", user_id))?;
        found.insert(pkid, user_id.clone());
    }
    Ok(found)
}
