//! Use cases: administrators set and unlock the credentials of end users.

use super::digest_user;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialPolicy;
use crate::domain::credential::CredentialUser;
use crate::domain::credential::Password;
use crate::domain::credential::Pin;
use crate::domain::history::AuditKind;
use crate::domain::login_name::FoldedLogin;
use crate::domain::secret::Secret;
use crate::domain::trivial_credential::CredentialOwner;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::administration::NewSecret;
use crate::service::administration::default_policy;
use crate::service::administration::generated;
use crate::service::administration::label;
use crate::service::administration::unlock_credential;
use crate::service::credentials;
use crate::service::credentials::change::CredentialTerms;
use crate::service::credentials::change::Holder;
use crate::service::devices::turn::DeviceTurn;
use crate::service::history::record;
use crate::service::history::record::Actor;
use crate::service::history::record::Change;
use crate::service::self_provisioning::change_pin::credential_owner;
use crate::service::users;
use crate::store;

/// Digits of a generated PIN.
const GENERATED_PIN_DIGITS: usize = 6;

/// Letters and digits of a generated password: without those that are mistaken for others.
const GENERATED_PASSWORD_ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789A";

/// Characters of a generated password: 80 bits.
const GENERATED_PASSWORD_CHARACTERS: usize = 16;

/// Sets the PIN of an end user; its lock ends.
///
/// # Errors
///
/// [`AdministrationError::Credential`] when the policy refuses it.
pub async fn set_pin(
    app: &App,
    actor: &Actor,
    login: &str,
    pin: &NewSecret,
) -> Result<(), AdministrationError> {
    set(app, actor, login, CredentialKind::Pin, pin).await
}

/// Sets the password of an end user; its lock ends.
///
/// # Errors
///
/// As [`set_pin`].
pub async fn set_password(
    app: &App,
    actor: &Actor,
    login: &str,
    password: &NewSecret,
) -> Result<(), AdministrationError> {
    set(app, actor, login, CredentialKind::Password, password).await
}

async fn set(
    app: &App,
    actor: &Actor,
    login: &str,
    kind: CredentialKind,
    new: &NewSecret,
) -> Result<(), AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::end_user::by_login(connection, &FoldedLogin::of(login))
        .await?
        .ok_or_else(|| AdministrationError::not_found(END_USER, login))?;
    let in_force = store::credential::find(connection, user.pkid, kind).await?;
    drop(reader);
    let owner = credential_owner(&user);
    let holder = Holder {
        user: CredentialUser::EndUser,
        owner: &owner,
        in_force: in_force.as_ref(),
    };
    let terms = CredentialTerms::default();
    let prepared = credentials::change::prepare(app, kind, Some(new), &terms, holder).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = users::find_for_update(connection, login).await?;
    let owner = (CredentialUser::EndUser, user.pkid);
    credentials::change::write(app, connection, owner, prepared).await?;
    let change = Change {
        action: match kind {
            CredentialKind::Pin => "end_user.set_pin",
            CredentialKind::Password => "end_user.set_password",
        },
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: if new.must_change {
            "set; must be changed at the next login".to_owned()
        } else {
            "set".to_owned()
        },
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(())
}

/// A PIN that nobody chose, for an end user or for one who is to be added: as long as the policy
/// that it is to fulfil wants it. Show it once; let its owner change it.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn generate_pin(app: &App, login: &str) -> Result<Secret, AdministrationError> {
    let policy = policy_of(app, CredentialUser::EndUser, login, CredentialKind::Pin).await?;
    let length = policy.length_min.max(GENERATED_PIN_DIGITS);
    let draw = || {
        let bytes = drawn(app, length);
        let digits = bytes.iter().map(|byte| char::from(b'0' + byte % 10));
        Secret::new(digits.collect())
    };
    let owner = CredentialOwner::default();
    let is_good = |secret: &Secret| {
        Pin::new(secret.clone()).is_ok_and(|pin| policy.check_pin(&pin, &owner).is_ok())
    };
    Ok(generated(draw, is_good))
}

/// A password that nobody chose and that can be read out and typed, for an account or for one that
/// is to be added: as long as the policy that it is to fulfil wants it. Show it once.
///
/// # Errors
///
/// [`AdministrationError::Service`] when the database fails.
pub async fn generate_password(
    app: &App,
    user: CredentialUser,
    login: &str,
) -> Result<Secret, AdministrationError> {
    let policy = policy_of(app, user, login, CredentialKind::Password).await?;
    let length = policy.length_min.max(GENERATED_PASSWORD_CHARACTERS);
    let draw = || {
        let bytes = drawn(app, length);
        let characters = bytes.iter().map(|byte| {
            let place = usize::from(byte % 32);
            GENERATED_PASSWORD_ALPHABET
                .get(place)
                .map_or('a', |byte| char::from(*byte))
        });
        Secret::new(characters.collect())
    };
    let owner = CredentialOwner::default();
    let is_good = |secret: &Secret| {
        Password::new(secret.clone())
            .is_ok_and(|password| policy.check_password(&password, &owner).is_ok())
    };
    Ok(generated(draw, is_good))
}

/// So many random bytes.
fn drawn(app: &App, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    app.environment.fill(&mut bytes);
    bytes
}

/// The policy that a new secret of this account has to fulfil: its credential's, else that of new
/// accounts.
async fn policy_of(
    app: &App,
    user: CredentialUser,
    login: &str,
    kind: CredentialKind,
) -> Result<CredentialPolicy, AdministrationError> {
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let login = FoldedLogin::of(login);
    let account = match user {
        CredentialUser::EndUser => {
            let user = store::end_user::by_login(connection, &login).await?;
            user.map(|user| user.pkid)
        }
        CredentialUser::ApplicationUser => {
            let user = store::application_user::by_login(connection, &login).await?;
            user.map(|user| user.pkid)
        }
    };
    let stored = match account {
        Some(account) => store::credential::find(connection, account, kind).await?,
        None => None,
    };
    Ok(match stored {
        Some(stored) => stored.policy,
        None => default_policy(&app.catalogue.load(), user, kind).1,
    })
}

/// Which credentials of a user were locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unlocked {
    /// The PIN was.
    pub pin: bool,
    /// The password was.
    pub password: bool,
}

/// Ends the locks of a user's PIN and password and forgets the failures on them.
///
/// # Errors
///
/// [`AdministrationError::NotFound`].
pub async fn unlock(
    app: &App,
    actor: &Actor,
    login: &str,
) -> Result<Unlocked, AdministrationError> {
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let user = users::find_for_update(connection, login).await?;
    let unlocked = Unlocked {
        pin: unlock_credential(app, connection, user.pkid, CredentialKind::Pin).await?,
        password: unlock_credential(app, connection, user.pkid, CredentialKind::Password).await?,
    };
    let locked = [
        (unlocked.pin, CredentialKind::Pin),
        (unlocked.password, CredentialKind::Password),
    ];
    let locked: Vec<&str> = locked
        .iter()
        .filter(|(was_locked, _)| *was_locked)
        .map(|(_, kind)| label(*kind))
        .collect();
    let change = Change {
        action: "end_user.unlock",
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: if locked.is_empty() {
            "nothing locked".to_owned()
        } else {
            format!("locked: {}", locked.join(", "))
        },
        after: "unlocked, failures forgotten".to_owned(),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    transaction.commit().await?;
    Ok(unlocked)
}

/// Sets the digest credentials of a user, which are sealed with the key file, or removes them.
/// Devices with this *digest user* restart and use them from
/// then on.
///
/// # Errors
///
/// [`AdministrationError::NotFound`].
pub async fn set_digest_credentials(
    app: &App,
    actor: &Actor,
    login: &str,
    secret: Option<&Secret>,
) -> Result<(), AdministrationError> {
    let sealed = secret
        .map(|secret| app.keys.seal_secret(secret))
        .transpose()?;
    let turn = DeviceTurn::take(app, &digest_user::devices_of(app, login).await?).await?;
    let mut transaction = app.store.begin().await?;
    let connection = transaction.connection();
    let mut user = users::find_for_update(connection, login).await?;
    let devices = digest_user::prepare(app, connection, &turn, user.pkid).await?;
    user.sealed_digest_credentials = sealed;
    store::end_user::update(connection, &user).await?;
    let change = Change {
        action: "end_user.set_digest_credentials",
        object_kind: AuditKind::EndUser,
        object_name: user.user_id.to_string(),
        before: String::new(),
        after: secret.map_or("removed", |_| "set").to_owned(),
    };
    record::audit_object(app, connection, actor, user.pkid, change).await?;
    turn.commit(app, transaction).await?;
    digest_user::publish(app, &user, devices);
    Ok(())
}
