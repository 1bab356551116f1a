//! Use cases: what new PINs and passwords begin with.

use super::change::refuse_contradiction;
use crate::domain::catalogue::Catalogue;
use crate::domain::catalogue::CredentialPolicyDefault;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::fresh_system;
use crate::domain::history::AuditKind;
use crate::domain::pkid::Pkid;
use crate::domain::schema::StoredElements;
use crate::domain::secret::Secret;
use crate::domain::trivial_credential::CredentialOwner;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::NewSecret;
use crate::service::administration::PreparedCredential;
use crate::service::administration::default_policy;
use crate::service::administration::label;
use crate::service::administration::policy_named;
use crate::service::administration::prepare_credential;
use crate::service::attributes;
use crate::service::configuration::ConfigurationChange;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::store;

/// Users and credentials of which there is a default.
pub(in crate::service) const ALL: [(CredentialUser, CredentialKind); 4] = [
    (CredentialUser::EndUser, CredentialKind::Password),
    (CredentialUser::EndUser, CredentialKind::Pin),
    (CredentialUser::ApplicationUser, CredentialKind::Password),
    (CredentialUser::ApplicationUser, CredentialKind::Pin),
];

/// A change; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub(in crate::service) struct DefaultChange {
    /// The version that was read; another one in force refuses the change.
    pub version: Option<i64>,
    /// The credential policy.
    pub policy: Option<Pkid>,
    /// The credential that new users get who are given none.
    pub secret: Option<Secret>,
    /// Whether that one must be changed at the first login.
    pub must_change: Option<bool>,
    /// Whether that one does not expire.
    pub does_not_expire: Option<bool>,
    /// Whether only administrators may change that one.
    pub cant_change: Option<bool>,
    /// What is only kept.
    pub elements: StoredElements,
}

/// The default in force.
pub(in crate::service) fn find(
    catalogue: &Catalogue,
    user: CredentialUser,
    kind: CredentialKind,
) -> CredentialPolicyDefault {
    let said = catalogue.credential_policy_defaults.get(&(user, kind));
    said.cloned().unwrap_or_else(|| CredentialPolicyDefault {
        policy: default_policy(catalogue, user, kind).0,
        hash: None,
        must_change: true,
        does_not_expire: false,
        cant_change: false,
        version: 0,
    })
}

/// Changes what new credentials of a kind begin with. Those that exist stay as they are.
///
/// # Errors
///
/// [`AdministrationError::Credential`] when the policy refuses the credential,
/// [`AdministrationError::Changed`] when the version is not the one given.
pub(in crate::service) async fn update(
    app: &App,
    actor: &Actor,
    (user, kind): (CredentialUser, CredentialKind),
    change: &DefaultChange,
) -> Result<(), AdministrationError> {
    let catalogue = app.catalogue.load_full();
    let before = find(&catalogue, user, kind);
    if change
        .version
        .is_some_and(|version| version != before.version)
    {
        return Err(AdministrationError::Changed("Credential Policy Default"));
    }
    let policy = change.policy.unwrap_or(before.policy);
    let hash = match &change.secret {
        Some(secret) => {
            let policy = policy_named(&catalogue, policy)?;
            let new = NewSecret {
                secret: secret.clone(),
                must_change: true,
            };
            let owner = CredentialOwner::default();
            let prepared = prepare_credential(app, kind, &new, &owner, policy).await?;
            Some(PreparedCredential::into_hash(prepared))
        }
        None => before.hash,
    };
    let after = CredentialPolicyDefault {
        policy,
        hash,
        must_change: change.must_change.unwrap_or(before.must_change),
        does_not_expire: change.does_not_expire.unwrap_or(before.does_not_expire),
        cant_change: change.cant_change.unwrap_or(before.cant_change),
        version: before.version,
    };
    refuse_contradiction(label(kind), after.must_change, after.cant_change)?;
    let mut transaction = ConfigurationChange::begin(app).await?;
    let connection = transaction.connection();
    store::catalogue::put_credential_policy_default(connection, (user, kind), &after).await?;
    let pkid = fresh_system::credential_policy_default(user, kind);
    attributes::write(app, connection, pkid, &change.elements).await?;
    let policies = &catalogue.credential_policies;
    let name = |pkid| policies.get(&pkid).map_or("none", |policy| &policy.name);
    let row = Change {
        action: "credential_policy_default.update",
        object_kind: AuditKind::CredentialPolicyDefault,
        object_name: format!("{} {kind}", user.as_str()),
        before: format!("policy {}", name(before.policy)),
        after: format!(
            "policy {}, {}, {}",
            name(after.policy),
            match &after.hash {
                Some(_) => "a default credential",
                None => "no default credential",
            },
            if after.must_change {
                "to be changed at the first login"
            } else {
                "need not be changed"
            }
        ),
    };
    let touched = (pkid, change.elements.touched.as_slice());
    Ok(transaction.commit_audited(actor, touched, row).await?)
}
