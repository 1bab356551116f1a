//! The commands about application users: administrators and programs.

use crate::domain::credential::CredentialUser;
use crate::domain::login_name::UserId;
use crate::server::control::fault::{Fault, actor};
use crate::server::control::protocol::{
    AdministratorRequest, AdministratorView, Answer, SecretText,
};
use crate::server::control::values::timestamp;
use crate::service::App;
use crate::service::administration::NewSecret;
use crate::service::users;
use crate::service::users::application_users::{self, ApplicationUserChange, ApplicationUserView};

/// Answers a command about application users.
///
/// # Errors
///
/// What the command itself cannot do.
pub async fn answer(app: &App, request: AdministratorRequest) -> Result<Answer, Fault> {
    match request {
        AdministratorRequest::Add {
            user_id,
            groups,
            password,
            must_change,
        } => add(app, &user_id, groups, password, must_change).await,
        AdministratorRequest::SetPassword {
            user_id,
            password,
            must_change,
        } => set_password(app, &user_id, password, must_change).await,
        AdministratorRequest::List => list(app).await,
    }
}

/// Adds an application user.
///
/// # Errors
///
/// The user ID is taken, a group is unknown, or the credential policy refuses the password.
async fn add(
    app: &App,
    user_id: &str,
    groups: Vec<String>,
    password: Option<SecretText>,
    must_change: bool,
) -> Result<Answer, Fault> {
    let user_id: UserId = user_id.parse()?;
    let account = (CredentialUser::ApplicationUser, user_id.as_str());
    let (password, made) = password_or_new(app, account, password, must_change).await?;
    let said = ApplicationUserChange {
        password: Some(password),
        access_control_groups: Some(groups),
        ..ApplicationUserChange::default()
    };
    application_users::add(app, &actor(app), &user_id, &said).await?;
    Ok(password_set(user_id.as_str(), made))
}

/// Sets the password of an application user, who is enabled and unlocked by it.
///
/// # Errors
///
/// There is no such application user, or the credential policy refuses the password.
async fn set_password(
    app: &App,
    user_id: &str,
    password: Option<SecretText>,
    must_change: bool,
) -> Result<Answer, Fault> {
    let account = (CredentialUser::ApplicationUser, user_id);
    let (password, made) = password_or_new(app, account, password, must_change).await?;
    application_users::set_password(app, &actor(app), user_id, &password).await?;
    Ok(password_set(user_id, made))
}

/// Lists application users.
///
/// # Errors
///
/// The database is away.
async fn list(app: &App) -> Result<Answer, Fault> {
    let users = application_users::list(app).await?;
    Ok(Answer::Administrators(
        users.into_iter().map(view).collect(),
    ))
}

/// The password that was given, or a new one and its copy for the one who asked.
///
/// # Errors
///
/// The database is away.
pub(super) async fn password_or_new(
    app: &App,
    (user, login): (CredentialUser, &str),
    given: Option<SecretText>,
    must_change: bool,
) -> Result<(NewSecret, Option<SecretText>), Fault> {
    let (secret, made) = if let Some(password) = given {
        (password.secret(), None)
    } else {
        let password = users::credentials::generate_password(app, user, login).await?;
        let copy = SecretText::new(&password);
        (password, Some(copy))
    };
    let new = NewSecret {
        secret,
        must_change,
    };
    Ok((new, made))
}

/// The answer to whoever set a password.
pub(super) fn password_set(user_id: &str, password: Option<SecretText>) -> Answer {
    Answer::PasswordSet {
        user_id: user_id.to_owned(),
        password,
    }
}

fn view(view: ApplicationUserView) -> AdministratorView {
    AdministratorView {
        user_id: view.user.user_id.to_string(),
        groups: view.access_control_groups,
        enabled: view.user.enabled,
        has_password: view.has_password,
        locked: view.lock.is_some(),
        locked_until: view.lock.and_then(|lock| lock.until).map(timestamp),
        must_change_password: view.must_change_password,
    }
}
