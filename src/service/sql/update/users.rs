//! Rows of `enduser`, `endusernumplanmap` and `enduserdirgroupmap`.

use super::row::Finder;
use super::row::Row;
use super::step::Step;
use super::user_edit::Field;
use super::user_edit::UserEdit;
use super::writable::Verb;
use crate::service::administration::AdministrationError;
use crate::service::sql::SqlError;
use crate::service::users::UserChange;

/// Number of a primary extension. Source: CUCM's `typednusage`.
const PRIMARY: i64 = 1;

/// The columns that hold fields of a person.
const FIELDS: [(&str, Field); 7] = [
    ("firstname", |person| &mut person.first_name),
    ("middlename", |person| &mut person.middle_name),
    ("lastname", |person| &mut person.last_name),
    ("department", |person| &mut person.department),
    ("telephonenumber", |person| &mut person.telephone_number),
    ("mailid", |person| &mut person.mail),
    ("title", |person| &mut person.title),
];

/// A user with other names and the like.
pub(super) async fn changed(finder: &mut Finder<'_>, row: &Row) -> Result<Step, SqlError> {
    let user = finder.end_user(row, "pkid").await?;
    let mut edit = UserEdit::default();
    for (column, field) in FIELDS {
        if let Some(text) = row.text(column) {
            edit.person.push((field, text));
        }
    }
    let change = &mut edit.change;
    let user_id = row.text("userid").map(|text| text.parse()).transpose();
    change.user_id = user_id.map_err(|error| AdministrationError::invalid("User ID", &error))?;
    change.enabled = match row.number::<i64>("status")? {
        None => None,
        Some(status @ (0 | 1)) => Some(status == 1),
        Some(_) => {
            let reason = "1 is active, 0 is not";
            return Err(AdministrationError::invalid("status", &reason).into());
        }
    };
    if let Some(text) = row.text("keypadenteredalternateidentifier") {
        let parsed = (!text.is_empty()).then(|| text.parse()).transpose();
        let parsed =
            parsed.map_err(|error| AdministrationError::invalid("Self-Service User ID", &error))?;
        change.self_service_user_id = Some(parsed);
    }
    change.user_profile = match row.reference("fkucuserprofile")? {
        None => None,
        Some(None) => Some(None),
        Some(Some(pkid)) => {
            let profile = finder.catalogue.user_profiles.get(&pkid);
            let profile = profile.ok_or_else(|| row.missing("fkucuserprofile"))?;
            Some(Some(profile.identity.name.clone()))
        }
    };
    Ok(Step::User {
        user_id: user.user_id.to_string(),
        edit: Box::new(edit),
    })
}

/// The primary extension of a user.
pub(super) async fn primary_extension(
    finder: &mut Finder<'_>,
    verb: Verb,
    row: &Row,
) -> Result<Step, SqlError> {
    let user = finder.end_user(row, "fkenduser").await?;
    if verb == Verb::Insert {
        let kind = row.kind("tkdnusage")?;
        if kind != PRIMARY {
            return Err(SqlError::NotBySql {
                verb,
                what: format!("tkdnusage {kind}"),
                instead: "use 1, the primary extension".to_owned(),
            });
        }
        if let Some(extension) = &user.primary_extension {
            let number = &extension.pattern;
            let reason = format!("{} has the primary extension {number}", user.user_id);
            return Err(SqlError::Duplicate(reason));
        }
    }
    let extension = match verb {
        Verb::Delete => None,
        Verb::Insert | Verb::Update => Some(finder.line(row, "fknumplan").await?.1),
    };
    Ok(Step::User {
        user_id: user.user_id.to_string(),
        edit: Box::new(UserEdit {
            change: UserChange {
                primary_extension: Some(extension),
                ..UserChange::default()
            },
            ..UserEdit::default()
        }),
    })
}

/// A user's membership of an access control group.
pub(super) async fn membership(
    finder: &mut Finder<'_>,
    verb: Verb,
    row: &Row,
) -> Result<Step, SqlError> {
    let user = finder.end_user(row, "fkenduser").await?;
    let group = row.key("fkdirgroup")?;
    let group = finder.catalogue.access_control_groups.get(&group);
    let group = group.ok_or_else(|| row.missing("fkdirgroup"))?;
    Ok(Step::User {
        user_id: user.user_id.to_string(),
        edit: Box::new(UserEdit {
            group: Some((group.clone(), verb == Verb::Insert)),
            ..UserEdit::default()
        }),
    })
}
