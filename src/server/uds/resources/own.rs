//! What a user sees of themselves, and changes.

use axum::body::Body;
use axum::response::Response;

use super::Asked;
use super::answer::{self, Problem};
use super::content;
use super::login::{self, LoggedIn};
use super::own_view::View;
use super::resource::Own;
use crate::domain::pkid::Pkid;
use crate::server::request_xml::Element;
use crate::service::ServiceError;
use crate::service::credentials::own_credentials;
use crate::service::users::self_care;

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
        Own::SpeedDials | Own::DeviceSpeedDials(_) => {
            let phones = view.phones_of(own)?;
            let kept = self_care::buttons(asked.app, phones.iter().copied()).await?;
            view.speed_dials(own, &phones, &kept)
        }
        Own::SubscribedServices | Own::DeviceSubscribedServices(_) => {
            let phones = view.phones_of(own)?;
            let kept = self_care::buttons(asked.app, phones.iter().copied()).await?;
            view.subscribed_services(own, &phones, &kept)
        }
        Own::NotKept(what) => return Err(Problem::NotKept(what.noun())),
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
        Own::User => {
            if let Some(locale) = content::text(&root, "user", "userLocale")? {
                self_care::change_locale(asked.app, who, &actor, &locale).await?;
            }
            show(asked, &logged_in, own).await
        }
        Own::Device(device) => {
            if let Some(description) = content::text(&root, "device", "description")? {
                self_care::describe_phone(asked.app, who, &actor, device, &description).await?;
            }
            show(asked, &logged_in, own).await
        }
        Own::Extension(line) => {
            label(asked, &logged_in, &root, (None, line)).await?;
            show(asked, &logged_in, own).await
        }
        Own::DeviceExtension(device, line) => {
            label(asked, &logged_in, &root, (Some(device), line)).await?;
            show(asked, &logged_in, own).await
        }
        // The resource says which ones can be written.
        _ => Err(Problem::NoSuchResource),
    }
}

async fn label(
    asked: &Asked<'_>,
    logged_in: &LoggedIn,
    root: &Element,
    place: (Option<Pkid>, Pkid),
) -> Result<(), Problem> {
    let (who, actor) = (&logged_in.principal, logged_in.actor(asked));
    if let Some(label) = content::text(root, "extension", "label")? {
        self_care::label_line(asked.app, who, &actor, place, &label).await?;
    }
    Ok(())
}
