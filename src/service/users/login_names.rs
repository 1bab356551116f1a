//! The one name space of login names: whose a user ID or Self-Service User ID is already.

use crate::domain::end_user::EndUser;
use crate::domain::login_name::FoldedLogin;
use crate::domain::login_name::UserId;
use crate::service::App;
use crate::service::administration::AdministrationError;
use crate::service::administration::END_USER;
use crate::store;
use crate::store::Connection;

/// A Self-Service User ID that nobody need have asked for.
const OF_THE_EXTENSION: &str = "Self-Service User ID (that of the primary extension, which it is \
                                where no other is set; set another)";

/// User IDs are unique among end users and application users together.
pub(super) async fn refuse_application_user(
    connection: &mut Connection,
    user_id: &UserId,
) -> Result<(), AdministrationError> {
    let other = store::application_user::by_login(connection, &user_id.folded()).await?;
    match other {
        Some(other) => Err(AdministrationError::Taken {
            field: "user ID",
            value: user_id.to_string(),
            wanted_by: "an end user".to_owned(),
            holder: format!("the application user {}", other.user_id),
        }),
        None => Ok(()),
    }
}

/// Puts a name to a clash of login names: which one, and whose it is.
pub(super) async fn explained(
    app: &App,
    user: &EndUser,
    error: AdministrationError,
) -> AdministrationError {
    if !error.is_duplicate() {
        return error;
    }
    match holder(app, user).await {
        Ok(Some(taken)) => taken,
        Ok(None) => AdministrationError::Changed(END_USER),
        Err(error) => error,
    }
}

async fn holder(
    app: &App,
    user: &EndUser,
) -> Result<Option<AdministrationError>, AdministrationError> {
    let mut reader = app.store.read().await?;
    let self_service = user.self_service_user_id.as_ref().map(ToString::to_string);
    let extension = user.primary_extension.as_ref();
    let extension = extension.map(|extension| extension.pattern.to_string());
    let field = if self_service.is_some() && self_service == extension {
        OF_THE_EXTENSION
    } else {
        "Self-Service User ID"
    };
    let logins = [
        ("user ID", Some(user.user_id.to_string())),
        (field, self_service),
    ];
    for (field, value) in logins {
        let Some(value) = value else { continue };
        let login = FoldedLogin::of(&value);
        let other = store::end_user::by_login(reader.connection(), &login).await?;
        if let Some(other) = other.filter(|other| other.pkid != user.pkid) {
            return Ok(Some(AdministrationError::Taken {
                field,
                value,
                wanted_by: match field {
                    "user ID" => "this user".to_owned(),
                    _ => user.user_id.to_string(),
                },
                holder: format!("the end user {}", other.user_id),
            }));
        }
    }
    Ok(None)
}
