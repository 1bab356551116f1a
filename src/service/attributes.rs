//! Use cases: the elements of an AXL object that the program keeps and does not act on, each under
//! its AXL name.

use super::App;
use super::administration::AdministrationError;
use super::record;
use super::record::Actor;
use super::record::Change;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::store;

/// Longest element path, in bytes.
const NAME_LENGTH_MAX: usize = 200;

/// Longest value, in bytes: vendor configurations of phones have some 20 kB.
const VALUE_LENGTH_MAX: usize = 65_536;

/// Elements kept for one object; a phone with every element and all its buttons has some 600.
const ELEMENTS_MAX: usize = 4_096;

/// Elements whose values are sealed with the key file, by the last part of their path.
const SECRETS: [&str; 4] = [
    "secureShellPassword",
    "sshPwd",
    "authenticationString",
    "confidentialAccessPassword",
];

/// The object whose elements are meant.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Identity.
    pub pkid: Pkid,
    /// Kind of object, as the audit log calls it.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
}

/// An element as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Plain text.
    Text(String),
    /// A secret; it does not print itself.
    Secret(Secret),
}

/// Every element kept for an object, in order of the path.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails or a secret does not open.
pub async fn all_of(app: &App, owner: Pkid) -> Result<Vec<(String, Value)>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let mut values = Vec::new();
    for (name, value) in store::attribute::all_of(reader.connection(), owner).await? {
        let value = if is_secret(&name) {
            Value::Secret(app.keys.open_secret(&value)?)
        } else {
            Value::Text(value)
        };
        values.push((name, value));
    }
    Ok(values)
}

/// Writes elements of an object in one transaction; `None` removes one.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when a path or value is too long or there are too many.
pub async fn set(
    app: &App,
    actor: &Actor,
    owner: &Owner,
    elements: &[(String, Option<String>)],
) -> Result<(), AdministrationError> {
    if elements.len() > ELEMENTS_MAX {
        let reason = format!("at most {ELEMENTS_MAX} at once");
        return Err(AdministrationError::invalid("elements", &reason));
    }
    for (name, value) in elements {
        check(name, value.as_deref())?;
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    for (name, value) in elements {
        let sealed = match value {
            Some(value) if is_secret(name) => Some(
                app.keys
                    .seal_secret(&Secret::from(value.as_str()))?
                    .into_string(),
            ),
            other => other.clone(),
        };
        store::attribute::set(connection, owner.pkid, name, sealed.as_deref()).await?;
    }
    // Names only: a value may be personal or secret.
    let names: Vec<&str> = elements.iter().map(|(name, _)| name.as_str()).collect();
    let change = Change {
        action: "attribute.set",
        object_kind: owner.kind,
        object_name: owner.name.clone(),
        before: String::new(),
        after: names.join(", "),
    };
    record::audit(app, connection, actor, change).await?;
    transaction.commit().await?;
    Ok(())
}

fn check(name: &str, value: Option<&str>) -> Result<(), AdministrationError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/[]_-.@:".contains(&b);
    let fits = !name.is_empty() && name.len() <= NAME_LENGTH_MAX && name.bytes().all(allowed);
    if !fits {
        let reason = format!("{name:?} is no AXL element path");
        return Err(AdministrationError::invalid("element", &reason));
    }
    // PostgreSQL's texts cannot hold the character 0.
    let fits = value.is_none_or(|text| text.len() <= VALUE_LENGTH_MAX && !text.contains('\0'));
    if !fits {
        let reason = format!("{name} has more than {VALUE_LENGTH_MAX} bytes or a zero byte");
        return Err(AdministrationError::invalid("element", &reason));
    }
    Ok(())
}

fn is_secret(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    SECRETS.contains(&last)
}
