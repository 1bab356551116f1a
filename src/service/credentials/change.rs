//! What an administrator says of a PIN or password, and how it is carried out within the
//! transaction of its owner.

use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::pkid::Pkid;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::trivial_credential::CredentialOwner;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::NewSecret;
use crate::service::administration::PreparedCredential;
use crate::service::administration::default_policy;
use crate::service::administration::label;
use crate::service::administration::policy_named;
use crate::service::administration::prepare_credential;
use crate::service::administration::store_credential;
use crate::service::administration::unlock_credential;
use crate::store;
use crate::store::Connection;
use crate::store::credential::Terms;

/// What holds for a PIN or password beside the secret; `None` leaves it as it is.
///
/// Source: AXL `passwordCredentials` and `pinCredentials` of users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialTerms {
    /// The credential policy.
    pub policy: Option<Pkid>,
    /// Whether its owner must change it at the next login.
    pub must_change: Option<bool>,
    /// Whether the policy's age does not hold for it.
    pub does_not_expire: Option<bool>,
    /// Whether only administrators may change it.
    pub cant_change: Option<bool>,
    /// Whether an administrator locks it; `Some(false)` ends any lock.
    pub locked: Option<bool>,
    /// Forgets the failures on it.
    pub forget_failures: bool,
}

/// A credential that the policy accepted, and its terms, ready to be written.
pub(in crate::service) struct PreparedChange {
    kind: CredentialKind,
    secret: Option<PreparedCredential>,
    terms: CredentialTerms,
}

impl PreparedChange {
    /// Terms for a credential as it is.
    pub(in crate::service) fn of_terms(kind: CredentialKind, terms: &CredentialTerms) -> Self {
        Self {
            kind,
            secret: None,
            terms: terms.clone(),
        }
    }
}

/// Whose credential it is.
#[derive(Clone, Copy)]
pub(in crate::service) struct Holder<'a> {
    /// The kind of user.
    pub(in crate::service) user: CredentialUser,
    /// What the secret may not be.
    pub(in crate::service) owner: &'a CredentialOwner<'a>,
    /// The credential in force.
    pub(in crate::service) in_force: Option<&'a StoredCredential>,
}

/// Judges and hashes what is new, before any transaction: a hash takes long. A new user who gets
/// none gets the default credential, where there is one.
///
/// # Errors
///
/// [`AdministrationError::Credential`] when the policy refuses the secret;
/// [`AdministrationError::Invalid`] for one that must be changed by an owner who may not.
pub(in crate::service) async fn prepare(
    app: &App,
    kind: CredentialKind,
    secret: Option<&NewSecret>,
    terms: &CredentialTerms,
    holder: Holder<'_>,
) -> Result<PreparedChange, AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let policy = match (terms.policy, holder.in_force) {
        (Some(policy), _) => policy_named(&catalogue, policy)?,
        (None, Some(stored)) => (stored.policy_pkid, stored.policy.clone()),
        (None, None) => default_policy(&catalogue, holder.user, kind),
    };
    let mut terms = terms.clone();
    if let Some(secret) = secret {
        let held = holder.in_force.is_some_and(|stored| stored.cant_change);
        let must_change = terms.must_change.unwrap_or(secret.must_change);
        let cant_change = terms.cant_change.unwrap_or(held);
        refuse_contradiction(label(kind), must_change, cant_change)?;
    }
    let secret = match secret {
        Some(secret) => Some(prepare_credential(app, kind, secret, holder.owner, policy).await?),
        None if holder.in_force.is_some() => None,
        None => {
            let defaults = &catalogue.credential_policy_defaults;
            let default = defaults.get(&(holder.user, kind));
            default.and_then(|default| {
                let credential = PreparedCredential::of_default(kind, policy.0, default)?;
                terms.does_not_expire.get_or_insert(default.does_not_expire);
                terms.cant_change.get_or_insert(default.cant_change);
                Some(credential)
            })
        }
    };
    Ok(PreparedChange {
        kind,
        secret,
        terms,
    })
}

/// Writes what was prepared, within the transaction of the owner. Gives words for the audit log:
/// `PIN set`.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] when terms are to hold for a credential that there is none of.
pub(in crate::service) async fn write(
    app: &App,
    connection: &mut Connection,
    (user, owner): (CredentialUser, Pkid),
    change: PreparedChange,
) -> Result<Vec<String>, AdministrationError> {
    let PreparedChange {
        kind,
        secret,
        terms,
    } = change;
    let mut words = Vec::new();
    if let Some(secret) = secret {
        store_credential(app, connection, owner, secret).await?;
        words.push(format!("{} set", label(kind)));
    }
    if terms == CredentialTerms::default() {
        return Ok(words);
    }
    let Some(stored) = store::credential::find(connection, owner, kind).await? else {
        refuse_without_credential(app, user, kind, &terms)?;
        return Ok(words);
    };
    words.extend(write_terms(app, connection, kind, (&stored, owner), &terms).await?);
    Ok(words)
}

async fn write_terms(
    app: &App,
    connection: &mut Connection,
    kind: CredentialKind,
    (stored, owner): (&StoredCredential, Pkid),
    terms: &CredentialTerms,
) -> Result<Vec<String>, AdministrationError> {
    let mut words = Vec::new();
    let label = label(kind);
    let now = app.environment.now();
    let new = Terms {
        policy: terms.policy.unwrap_or(stored.policy_pkid),
        must_change: terms.must_change.unwrap_or(stored.must_change),
        does_not_expire: terms.does_not_expire.unwrap_or(stored.does_not_expire),
        cant_change: terms.cant_change.unwrap_or(stored.cant_change),
    };
    let old = Terms {
        policy: stored.policy_pkid,
        must_change: stored.must_change,
        does_not_expire: stored.does_not_expire,
        cant_change: stored.cant_change,
    };
    if new != old {
        refuse_contradiction(label, new.must_change, new.cant_change)?;
        store::credential::set_terms(connection, stored.pkid, &new).await?;
        words.push(format!(
            "{label} {}, {}, {}",
            if new.must_change {
                "must be changed at the next login"
            } else {
                "need not be changed"
            },
            if new.does_not_expire {
                "does not expire"
            } else {
                "expires as its policy says"
            },
            if new.cant_change {
                "changed by administrators only"
            } else {
                "may be changed by its owner"
            }
        ));
    }
    let is_locked = stored.is_locked(now);
    match terms.locked {
        Some(true) if !is_locked => {
            store::credential::lock_by_administrator(connection, stored.pkid, now).await?;
            words.push(format!("{label} locked"));
        }
        Some(false) if is_locked => {
            unlock_credential(app, connection, owner, kind).await?;
            words.push(format!("{label} unlocked"));
        }
        _ => {}
    }
    if terms.forget_failures {
        let key = stored.pkid.to_string();
        store::authentication_failure::clear(connection, &key, None).await?;
        words.push(format!("failures on the {label} forgotten"));
    }
    Ok(words)
}

/// Refuses what nobody could do: to change at the next login what only administrators change.
///
/// # Errors
///
/// [`AdministrationError::Invalid`] says what to leave out.
pub(in crate::service) fn refuse_contradiction(
    label: &'static str,
    must_change: bool,
    cant_change: bool,
) -> Result<(), AdministrationError> {
    if !(must_change && cant_change) {
        return Ok(());
    }
    let reason = "its owner cannot be made to change it and be kept from changing it; \
                  take one of the two back";
    Err(AdministrationError::invalid(label, &reason))
}

/// Terms that say what holds anyhow do no harm: scripts send back what they read.
fn refuse_without_credential(
    app: &App,
    user: CredentialUser,
    kind: CredentialKind,
    terms: &CredentialTerms,
) -> Result<(), AdministrationError> {
    let (default, _) = default_policy(&app.catalogue.load(), user, kind);
    let is_harmless = terms.policy.is_none_or(|policy| policy == default)
        && terms.must_change != Some(true)
        && terms.does_not_expire != Some(true)
        && terms.cant_change != Some(true)
        && terms.locked != Some(true);
    if is_harmless {
        return Ok(());
    }
    let label = label(kind);
    let reason =
        format!("there is no {label} that this could hold for; set one with the same request");
    Err(AdministrationError::invalid(label, &reason))
}
