//! What a user sees of themselves, and changes.

use axum::body::Body;
use axum::response::Response;

use super::Asked;
use super::answer::{self, Problem};
use super::content;
use super::login::{self, LoggedIn};
use super::own_view::View;
use super::resource::Own;
use crate::service::ServiceError;
use crate::service::own_credentials;
use crate::service::self_care;

/// Shows what the user of this ID has.
pub(super) async fn get(asked: &Asked<'_>, user_id: &str, own: Own) -> Result<Response, Problem> {
    let logged_in = login::as_user(asked, user_id).await?;
    logged_in.refuse_must_change()?;
    show(asked, &logged_in, own).await
}

async fn show(asked: &Asked<'_>, logged_in: &LoggedIn, own: Own) -> Result<Response, Problem> {
    let who = &logged_in.principal;
    let mine = self_care::show(asked.app, who.account).await?;
    let view = View {
        asked,
        mine: &mine.ok_or(Problem::NotFound("account"))?,
    };
    let xml = match own {
        Own::User => view.user(),
        Own::Devices => view.devices(),
        Own::Device(device) => view.device(view.phone(device)?),
        Own::DeviceExtensions(device) => view.device_extensions(view.phone(device)?),
        Own::DeviceExtension(device, line) => view.device_extension(view.phone(device)?, line)?,
        Own::Extensions => view.extensions(),
        Own::Extension(line) => view.extension(line)?,
        Own::Credentials => {
            let history = own_credentials::login_history(asked.app, who).await;
            view.credentials(&history.map_err(ServiceError::from)?)
        }
    };
    Ok(answer::ok(xml))
}

/// Changes what the user of this ID has.
pub(super) async fn put(
    asked: &Asked<'_>,
    user_id: &str,
    own: Own,
    body: Body,
) -> Result<Response, Problem> {
    // Before the body is read: nobody unknown makes us hold one.
    let logged_in = login::as_user(asked, user_id).await?;
    if own != Own::Credentials {
        logged_in.refuse_must_change()?;
    }
    let root = content::read(&asked.parts.headers, body).await?;
    let (who, actor) = (&logged_in.principal, logged_in.actor(asked));
    match own {
        Own::Credentials => {
            let new = content::credentials(&root)?;
            if new.password.is_none() {
                logged_in.refuse_must_change()?;
            }
            own_credentials::change(asked.app, who, &actor, &new).await?;
            Ok(answer::no_content())
        }
        Own::Device(device) => {
            if let Some(description) = content::description(&root)? {
                self_care::describe_phone(asked.app, who, &actor, device, &description).await?;
            }
            show(asked, &logged_in, own).await
        }
        // The resource says which ones can be written.
        _ => Err(Problem::NoSuchResource),
    }
}
