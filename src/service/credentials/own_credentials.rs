//! Use cases: end users change their own PIN and password, and see when the password was used.

use std::net::IpAddr;

use super::api_login::Principal;
use super::attempt_gate::AttemptKey;
use super::hasher::Share;
use super::history;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::end_user::EndUser;
use crate::domain::history::AuditKind;
use crate::domain::lockout;
use crate::domain::secret::Secret;
use crate::domain::stored_credential::StoredCredential;
use crate::domain::time::UnixMillis;
use crate::domain::trivial_credential::CredentialRefused;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::administration::NewSecret;
use crate::service::administration::PreparedCredential;
use crate::service::administration::default_policy;
use crate::service::administration::label;
use crate::service::administration::prepare_credential;
use crate::service::administration::store_credential;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::self_provisioning::change_pin::credential_owner;
use crate::store;
use crate::store::Connection;
use crate::store::StoreError;

/// What a user wants to have from now on; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct OwnCredentials {
    /// Password.
    pub password: Option<Secret>,
    /// PIN.
    pub pin: Option<Secret>,
}

/// How the password of a user was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoginHistory {
    /// When and from where it was last right; written at most once a minute.
    pub last_login: Option<(UnixMillis, IpAddr)>,
    /// Wrong ones since, as long as they are remembered.
    pub failures: usize,
}

/// How the password of a user was used.
///
/// # Errors
///
/// [`StoreError`] when the database fails.
pub async fn login_history(app: &App, who: &Principal) -> Result<LoginHistory, StoreError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let kind = CredentialKind::Password;
    let Some(stored) = store::credential::find(connection, who.account, kind).await? else {
        return Ok(LoginHistory::default());
    };
    let since = app
        .environment
        .now()
        .minus(lockout::remembered(&stored.policy));
    let credential = stored.pkid.to_string();
    let failures = store::authentication_failure::of_credential;
    Ok(LoginHistory {
        last_login: store::credential::last_login(connection, who.account, kind).await?,
        failures: failures(connection, &credential, since).await?.len(),
    })
}

/// Changes PIN, password or both of the user who has just shown the password; the policy judges
/// them first, and either all of them change or none.
///
/// Sessions and remembered logins with the old password end.
///
/// # Errors
///
/// [`AdministrationError::Credential`] when the policy refuses one or only administrators change it,
/// [`AdministrationError::Invalid`] when one cannot be a PIN or password at all,
/// [`AdministrationError::Changed`] when somebody else changed one meanwhile.
pub async fn change(
    app: &App,
    who: &Principal,
    actor: &Actor,
    new: &OwnCredentials,
) -> Result<(), AdministrationError> {
    // Comparing with what was used before costs many hashes: one user at a time.
    let _alone = app
        .attempts
        .enter_alone(&AttemptKey::OwnCredentials(who.account))
        .await?;
    let wanted: Vec<(CredentialKind, &Secret)> = [
        (CredentialKind::Password, new.password.as_ref()),
        (CredentialKind::Pin, new.pin.as_ref()),
    ]
    .into_iter()
    .filter_map(|(kind, secret)| Some((kind, secret?)))
    .collect();
    let (user, in_force) = read(app, who, &wanted).await?;
    let mut prepared = Vec::new();
    for ((kind, secret), stored) in wanted.iter().zip(&in_force) {
        prepared.push(prepare(app, &user, *kind, secret, stored.as_ref()).await?);
    }
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    store::end_user::by_pkid_for_update(connection, user.pkid)
        .await?
        .ok_or(AdministrationError::Changed(END_USER))?;
    refuse_changed(connection, who, &wanted, &in_force).await?;
    for ready in prepared {
        store_credential(app, connection, user.pkid, ready).await?;
    }
    for (kind, _) in &wanted {
        let change = audited(&user, *kind);
        record::audit_object(app, connection, actor, user.pkid, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Judges and hashes one new credential.
async fn prepare(
    app: &App,
    user: &EndUser,
    kind: CredentialKind,
    secret: &Secret,
    in_force: Option<&StoredCredential>,
) -> Result<PreparedCredential, AdministrationError> {
    if in_force.is_some_and(|stored| stored.cant_change) {
        return Err(AdministrationError::Credential {
            kind: label(kind),
            reason: CredentialRefused::OnlyAdministrators,
        });
    }
    let new = NewSecret {
        secret: secret.clone(),
        must_change: false,
    };
    let policy = match in_force {
        Some(stored) => (stored.policy_pkid, stored.policy.clone()),
        None => default_policy(&app.catalogue.load(), CredentialUser::EndUser, kind),
    };
    let owner = credential_owner(user);
    let ready = prepare_credential(app, kind, &new, &owner, policy).await?;
    refuse_used_before(app, kind, in_force, secret).await?;
    Ok(ready)
}

/// Refuses when the password that was shown, or a credential that is to change, is another one by
/// now.
async fn refuse_changed(
    connection: &mut Connection,
    who: &Principal,
    wanted: &[(CredentialKind, &Secret)],
    in_force: &[Option<StoredCredential>],
) -> Result<(), AdministrationError> {
    let password = version_of(connection, who, CredentialKind::Password).await?;
    let mut is_changed = password != Some(who.credential_version);
    for ((kind, _), stored) in wanted.iter().zip(in_force) {
        let version = stored.as_ref().map(|stored| stored.version);
        is_changed |= version_of(connection, who, *kind).await? != version;
    }
    if is_changed {
        return Err(AdministrationError::Changed(END_USER));
    }
    Ok(())
}

/// The user and, in the order of what is wanted, the credentials in force.
async fn read(
    app: &App,
    who: &Principal,
    wanted: &[(CredentialKind, &Secret)],
) -> Result<(EndUser, Vec<Option<StoredCredential>>), AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::end_user::by_pkid(connection, who.account)
        .await?
        .ok_or_else(|| AdministrationError::not_found(END_USER, who.user_id.as_str()))?;
    let mut in_force = Vec::new();
    for (kind, _) in wanted {
        in_force.push(store::credential::find(connection, user.pkid, *kind).await?);
    }
    Ok((user, in_force))
}

async fn refuse_used_before(
    app: &App,
    kind: CredentialKind,
    in_force: Option<&StoredCredential>,
    new: &Secret,
) -> Result<(), AdministrationError> {
    let Some(in_force) = in_force else {
        return Ok(());
    };
    if history::was_used_before(app, Share::Others, in_force, new).await? {
        return Err(AdministrationError::Credential {
            kind: label(kind),
            reason: CredentialRefused::UsedBefore,
        });
    }
    Ok(())
}

async fn version_of(
    connection: &mut Connection,
    who: &Principal,
    kind: CredentialKind,
) -> Result<Option<i64>, StoreError> {
    let stored = store::credential::find(connection, who.account, kind).await?;
    Ok(stored.map(|stored| stored.version))
}

fn audited(user: &EndUser, kind: CredentialKind) -> Change {
    Change {
        action: match kind {
            CredentialKind::Pin => "end_user.change_pin",
            CredentialKind::Password => "end_user.change_password",
        },
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: "changed by the user".to_owned(),
    }
}
