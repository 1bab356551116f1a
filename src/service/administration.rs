//! What the administrators' use cases have in common: why one is not carried out, and the
//! credential that one sets.

use super::App;
use super::ServiceError;
use super::credentials::attempt_gate::GateFull;
use super::credentials::hasher::HasherError;
use super::credentials::hasher::Share;
use super::keys::KeysError;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CredentialPolicyDefault;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialPolicy;
use crate::domain::credential::CredentialUser;
use crate::domain::credential::Password;
use crate::domain::credential::Pin;
use crate::domain::fresh_system;
use crate::domain::pkid::Pkid;
use crate::domain::secret::Secret;
use crate::domain::text_rule::TextRule;
use crate::domain::trivial_credential::CredentialOwner;
use crate::domain::trivial_credential::CredentialRefused;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;
use crate::store::credential::NewCredential;

/// What pages call an end user.
pub(super) const END_USER: &str = "End User";

/// Why something an administrator asked for was not done. Nothing was changed then, unless
/// [`ServiceError::is_unconfirmed`] says that nobody knows.
#[derive(Debug, thiserror::Error)]
pub enum AdministrationError {
    /// The object does not exist.
    #[error("there is no {kind} {name:?}")]
    NotFound {
        /// Kind of object, as pages call it.
        kind: &'static str,
        /// The name asked for.
        name: String,
    },
    /// A value does not fit its field.
    #[error("{field}: {reason}")]
    Invalid {
        /// The field, as pages call it.
        field: &'static str,
        /// A sentence the administrator can act on.
        reason: String,
    },
    /// A unique value is another's.
    #[error("{field} {value} is taken: {holder} has it; choose another for {wanted_by}")]
    Taken {
        /// The field, as pages call it.
        field: &'static str,
        /// The value.
        value: String,
        /// Who was to have it.
        wanted_by: String,
        /// Who has it.
        holder: String,
    },
    /// Others refer to it.
    #[error("{kind} {name:?} is in use by {}; change those first", users.join(", "))]
    InUse {
        /// Kind of object.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Who refers to it, as `kind name`; at most twenty.
        users: Vec<String>,
    },
    /// Somebody else was faster.
    #[error("somebody else has changed this {0} since you read it; read it again and repeat")]
    Changed(&'static str),
    /// The credential policy refuses a new PIN or password.
    #[error("{kind}: {reason}")]
    Credential {
        /// `PIN` or `password`.
        kind: &'static str,
        /// Why.
        reason: CredentialRefused,
    },
    /// Not the caller's fault.
    #[error(transparent)]
    Service(ServiceError),
}

impl AdministrationError {
    /// An object that does not exist.
    pub(super) fn not_found(kind: &'static str, name: &str) -> Self {
        Self::NotFound {
            kind,
            name: name.to_owned(),
        }
    }

    /// A value that does not fit.
    pub(super) fn invalid(field: &'static str, reason: &dyn std::fmt::Display) -> Self {
        Self::Invalid {
            field,
            reason: reason.to_string(),
        }
    }

    /// Whether a unique value was another's, as the database said it.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(
            self,
            Self::Service(ServiceError::Store(StoreError::Duplicate))
        )
    }
}

impl From<ServiceError> for AdministrationError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::Store(StoreError::Conflict(kind)) => Self::Changed(kind),
            error => Self::Service(error),
        }
    }
}

impl From<GateFull> for AdministrationError {
    fn from(full: GateFull) -> Self {
        Self::Service(full.into())
    }
}

impl From<StoreError> for AdministrationError {
    fn from(error: StoreError) -> Self {
        ServiceError::from(error).into()
    }
}

impl From<KeysError> for AdministrationError {
    fn from(error: KeysError) -> Self {
        Self::Service(error.into())
    }
}

impl From<HasherError> for AdministrationError {
    fn from(error: HasherError) -> Self {
        Self::Service(error.into())
    }
}

/// Refuses a text that is longer than its field or has characters that nobody can see.
pub(super) fn check_text(
    field: &'static str,
    text: &str,
    length_max: usize,
) -> Result<(), AdministrationError> {
    let fits = text.chars().count() <= length_max && !text.chars().any(char::is_control);
    if fits {
        return Ok(());
    }
    let reason = format!("it has at most {length_max} printable characters");
    Err(AdministrationError::invalid(field, &reason))
}

/// Refuses a text that is longer than its field or breaks the rule for its characters.
pub(super) fn check_text_by(
    field: &'static str,
    text: &str,
    length_max: usize,
    rule: TextRule,
) -> Result<(), AdministrationError> {
    check_text(field, text, length_max)?;
    let checked = rule.check(text);
    checked.map_err(|error| AdministrationError::invalid(field, &error))
}

/// A PIN or password that an administrator sets.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The secret.
    pub secret: Secret,
    /// Whether its owner must change it at the next login.
    pub must_change: bool,
}

/// A credential that the policy accepted, hashed and ready to be written.
pub(super) struct PreparedCredential {
    kind: CredentialKind,
    hash: Box<str>,
    policy: Pkid,
    must_change: bool,
}

impl PreparedCredential {
    /// The hash alone, for a credential that nobody has yet.
    pub(super) fn into_hash(self) -> Secret {
        Secret::new(self.hash.into_string())
    }

    /// The credential that new users get who are given none; `None`: there is none to be given.
    pub(super) fn of_default(
        kind: CredentialKind,
        policy: Pkid,
        default: &CredentialPolicyDefault,
    ) -> Option<Self> {
        Some(Self {
            kind,
            hash: default.hash.as_ref()?.reveal().into(),
            policy,
            must_change: default.must_change,
        })
    }
}

/// Judges a new PIN or password by a policy and hashes it, before any transaction: a hash takes
/// long.
///
/// An administrator may give a secret that was used before; its owner may not.
pub(super) async fn prepare_credential(
    app: &App,
    kind: CredentialKind,
    new: &NewSecret,
    owner: &CredentialOwner<'_>,
    (pkid, policy): (Pkid, CredentialPolicy),
) -> Result<PreparedCredential, AdministrationError> {
    let judged = match kind {
        CredentialKind::Pin => {
            let pin = Pin::new(new.secret.clone())
                .map_err(|error| AdministrationError::invalid("PIN", &error))?;
            policy.check_pin(&pin, owner)
        }
        CredentialKind::Password => {
            let password = Password::new(new.secret.clone())
                .map_err(|error| AdministrationError::invalid("password", &error))?;
            policy.check_password(&password, owner)
        }
    };
    judged.map_err(|reason| AdministrationError::Credential {
        kind: label(kind),
        reason,
    })?;
    Ok(PreparedCredential {
        kind,
        hash: app.hasher.hash(Share::Others, &new.secret).await?,
        policy: pkid,
        must_change: new.must_change,
    })
}

/// What pages call a kind of credential.
pub(super) const fn label(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Pin => "PIN",
        CredentialKind::Password => "password",
    }
}

/// The policy that new credentials of a kind get: what an administrator has said, else the one of
/// a fresh system.
pub(super) fn default_policy(
    catalogue: &Catalogue,
    user: CredentialUser,
    kind: CredentialKind,
) -> (Pkid, CredentialPolicy) {
    let said = catalogue.credential_policy_defaults.get(&(user, kind));
    let pkid = match (said, kind) {
        (Some(default), _) => default.policy,
        (None, CredentialKind::Pin) => fresh_system::PIN_POLICY,
        (None, CredentialKind::Password) => fresh_system::PASSWORD_POLICY,
    };
    let named = catalogue.credential_policies.get(&pkid);
    let policy = named.map(|named| named.policy.clone());
    (
        pkid,
        policy.unwrap_or_else(|| CredentialPolicy::default_of(kind)),
    )
}

/// A policy with its identity.
pub(super) fn policy_named(
    catalogue: &Catalogue,
    pkid: Pkid,
) -> Result<(Pkid, CredentialPolicy), AdministrationError> {
    let named = catalogue.credential_policies.get(&pkid);
    let policy = named.map(|named| named.policy.clone());
    policy
        .map(|policy| (pkid, policy))
        .ok_or_else(|| AdministrationError::not_found("Credential Policy", &pkid.to_string()))
}

/// Writes a credential; the failures on the one before it are forgotten.
pub(super) async fn store_credential(
    app: &App,
    connection: &mut Connection,
    owner: Pkid,
    prepared: PreparedCredential,
) -> Result<(), StoreError> {
    let new = NewCredential {
        pkid: app.new_pkid(),
        owner,
        kind: prepared.kind,
        hash: prepared.hash,
        policy: prepared.policy,
        changed_at: app.environment.now(),
        must_change: prepared.must_change,
    };
    store::credential::put(connection, &new).await?;
    let stored = store::credential::find(connection, owner, prepared.kind).await?;
    if let Some(stored) = stored {
        let credential = stored.pkid.to_string();
        store::authentication_failure::clear(connection, &credential, None).await?;
    }
    Ok(())
}

/// Ends the lock of a credential and forgets its failures; gives whether it was locked.
pub(super) async fn unlock_credential(
    app: &App,
    connection: &mut Connection,
    owner: Pkid,
    kind: CredentialKind,
) -> Result<bool, StoreError> {
    let Some(credential) = store::credential::find(connection, owner, kind).await? else {
        return Ok(false);
    };
    store::credential::set_lock(connection, credential.pkid, None).await?;
    let key = credential.pkid.to_string();
    store::authentication_failure::clear(connection, &key, None).await?;
    Ok(credential.is_locked(app.environment.now()))
}

/// Tries until a generated secret is one that a policy accepts; nineteen in twenty are.
const GENERATED_TRIES: usize = 100;

/// A secret that nobody chose and that the usual policy accepts.
pub(super) fn generated(draw: impl Fn() -> Secret, is_good: impl Fn(&Secret) -> bool) -> Secret {
    (0..GENERATED_TRIES)
        .map(|_| draw())
        .find(&is_good)
        .unwrap_or_else(draw)
}
