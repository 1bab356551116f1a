//! The credentials of a user to be added or changed, judged and hashed before the transaction.

use super::NewUser;
use super::UserChange;
use super::check_person;
use crate::domain::credential::CredentialKind;
use crate::domain::credential::CredentialUser;
use crate::domain::directory_number::DirectoryNumber;
use crate::domain::end_user::EndUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::SelfServiceUserId;
use crate::domain::login_name::UserId;
use crate::domain::trivial_credential::CredentialOwner;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::service::credentials;
use crate::service::credentials::change::CredentialTerms;
use crate::service::credentials::change::Holder;
use crate::service::credentials::change::PreparedChange;
use crate::service::self_provisioning::change_pin::credential_owner;
use crate::store;

/// Judges and hashes the credentials of a new user.
pub(in crate::service) async fn prepare(
    app: &App,
    new: &NewUser,
    pattern: Option<&DirectoryNumber>,
) -> Result<Vec<PreparedChange>, AdministrationError> {
    check_person(&new.person)?;
    let extension = pattern.map_or("", DirectoryNumber::as_str);
    let self_service = new.self_service_user_id.as_ref();
    let owner = CredentialOwner {
        user_id: new.user_id.as_str(),
        self_service_user_id: self_service.map_or(extension, SelfServiceUserId::as_str),
        extension,
        first_name: &new.person.first_name,
        last_name: &new.person.last_name,
    };
    let holder = Holder {
        user: CredentialUser::EndUser,
        owner: &owner,
        in_force: None,
    };
    let (pin, password) = (new.pin.as_ref(), new.password.as_ref());
    let (pin_kind, password_kind) = (CredentialKind::Pin, CredentialKind::Password);
    Ok(vec![
        credentials::change::prepare(app, pin_kind, pin, &new.pin_terms, holder).await?,
        credentials::change::prepare(app, password_kind, password, &new.password_terms, holder)
            .await?,
    ])
}

/// Judges and hashes the new credentials of a user who exists; nothing where none are spoken of.
pub(super) async fn prepare_change(
    app: &App,
    login: &str,
    change: &UserChange,
) -> Result<Vec<PreparedChange>, AdministrationError> {
    let silent = CredentialTerms::default();
    let wanted = [
        (CredentialKind::Pin, &change.pin, &change.pin_terms),
        (
            CredentialKind::Password,
            &change.password,
            &change.password_terms,
        ),
    ];
    let wanted: Vec<_> = wanted
        .into_iter()
        .filter(|(_, secret, terms)| secret.is_some() || **terms != silent)
        .collect();
    let mut prepared = Vec::with_capacity(wanted.len());
    if wanted.is_empty() {
        return Ok(prepared);
    }
    let mut reader = app.store.read().await?;
    let connection = reader.connection();
    let user = store::end_user::by_login(connection, &FoldedLogin::of(login))
        .await?
        .ok_or_else(|| AdministrationError::not_found(END_USER, login))?;
    let mut in_force = Vec::with_capacity(wanted.len());
    for (kind, ..) in &wanted {
        in_force.push(store::credential::find(connection, user.pkid, *kind).await?);
    }
    drop(reader);
    let owner = owner_after(&user, change);
    for ((kind, secret, terms), in_force) in wanted.into_iter().zip(&in_force) {
        let holder = Holder {
            user: CredentialUser::EndUser,
            owner: &owner,
            in_force: in_force.as_ref(),
        };
        let secret = secret.as_ref();
        if in_force.is_some() || secret.is_some() {
            prepared.push(credentials::change::prepare(app, kind, secret, terms, holder).await?);
        } else {
            prepared.push(PreparedChange::of_terms(kind, terms));
        }
    }
    Ok(prepared)
}

/// What a new credential is compared with: the user as the change makes it.
fn owner_after<'a>(user: &'a EndUser, change: &'a UserChange) -> CredentialOwner<'a> {
    let before = credential_owner(user);
    let person = change.person.as_ref();
    CredentialOwner {
        user_id: change
            .user_id
            .as_ref()
            .map_or(before.user_id, UserId::as_str),
        self_service_user_id: match &change.self_service_user_id {
            Some(id) => id.as_ref().map_or("", SelfServiceUserId::as_str),
            None => before.self_service_user_id,
        },
        extension: match &change.primary_extension {
            Some(extension) => extension
                .as_ref()
                .map_or("", |extension| extension.pattern.as_str()),
            None => before.extension,
        },
        first_name: person.map_or(before.first_name, |person| &person.first_name),
        last_name: person.map_or(before.last_name, |person| &person.last_name),
    }
}
