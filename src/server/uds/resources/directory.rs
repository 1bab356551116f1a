//! Looking for users: closed to whoever has not logged in, unless an administrator opens it.

use axum::response::Response;

use super::Asked;
use super::answer::{self, Problem};
use super::login;
use super::query::{self, UsersQuery};
use super::resource::{Own, Resource};
use super::xml::Xml;
use crate::domain::end_user::EndUser;
use crate::domain::self_provisioning::AuthenticationMode;
use crate::service::settings::UserSearchAccess;
use crate::service::users;

/// Lets whoever asks go on, as the setting has it.
async fn admit(asked: &Asked<'_>) -> Result<(), Problem> {
    match asked.app.settings.user_search.access {
        UserSearchAccess::Off => Err(Problem::NoSuchResource),
        UserSearchAccess::Authenticated => login::as_searcher(asked).await,
        UserSearchAccess::Open => Ok(()),
    }
}

/// Users by the beginnings of their names and numbers.
pub(super) async fn users(asked: &Asked<'_>) -> Result<Response, Problem> {
    admit(asked).await?;
    let query = asked.parts.uri.query().unwrap_or_default();
    let UsersQuery { search, start, max } = query::users(query).map_err(Problem::BadRequest)?;
    let requested = max.unwrap_or(asked.app.settings.user_search.limit);
    let found = users::search::find(asked.app, &search, start, requested).await?;
    let mut xml = Xml::with_root(
        "users",
        &[
            ("uri", &asked.uri(&Resource::Users)),
            ("version", &answer::version()),
            ("start", &start.to_string()),
            ("requestedCount", &requested.to_string()),
            ("returnedCount", &found.users.len().to_string()),
            ("totalCount", &found.total.to_string()),
        ],
    );
    for user in &found.users {
        let uri = asked.uri(&Resource::of(&user.user_id, Own::User));
        xml.open("user", &[("uri", &uri)]);
        write_person(&mut xml, user);
        xml.close();
    }
    Ok(answer::ok(xml))
}

/// What a directory shows of a user. Private numbers are for the user alone.
fn write_person(xml: &mut Xml, user: &EndUser) {
    let person = &user.person;
    let full_name = person.full_name();
    for (name, text) in [
        ("id", user.pkid.to_string().as_str()),
        ("userName", user.user_id.as_str()),
        ("firstName", &person.first_name),
        ("lastName", &person.last_name),
        ("middleName", &person.middle_name),
        ("nickName", ""),
        ("displayName", &full_name),
        ("phoneNumber", &person.telephone_number),
        ("homeNumber", ""),
        ("mobileNumber", ""),
        ("email", &person.mail),
        ("directoryUri", ""),
        ("msUri", ""),
        ("department", &person.department),
        ("manager", ""),
        ("title", &person.title),
        ("pager", ""),
    ] {
        xml.text(name, text);
    }
}

/// Where a user is at home: here, or nowhere that is known here.
pub(super) async fn cluster_user(asked: &Asked<'_>) -> Result<Response, Problem> {
    admit(asked).await?;
    let query = asked.parts.uri.query().unwrap_or_default();
    let identifier = query::cluster_user(query).map_err(Problem::BadRequest)?;
    let user = users::search::identify(asked.app, &identifier).await?;
    let mut xml = answer::root("clusterUser", &asked.uri(&Resource::ClusterUser));
    let Some(user) = user else {
        xml.text_with("result", &[("found", "false")], "");
        return Ok(answer::ok(xml));
    };
    let uri = asked.uri(&Resource::of(&user.user_id, Own::User));
    let version = answer::version();
    let attributes = [("found", "true"), ("uri", &uri), ("version", &version)];
    xml.text_with("result", &attributes, "");
    let servers = asked.uri(&Resource::Servers);
    let host = &asked.app.settings.advertised.host;
    xml.text_with("homeCluster", &[("serversUri", &servers)], host);
    let mode = asked.app.self_provisioning.load().mode;
    let is_for_admins = mode == AuthenticationMode::UsersAndAdministrators;
    xml.open("homeClusterDetails", &[]);
    let is_secure = mode.asks_for_pin().to_string();
    xml.text("selfProvisioningSecureMode", &is_secure);
    xml.text("adminProvisionMode", &is_for_admins.to_string());
    Ok(answer::ok(xml))
}
