//! What anybody may know of the system.

use axum::response::Response;

use super::Asked;
use super::answer;
use super::resource::Resource;
use crate::domain::phone_model;
use crate::service::settings::UserSearchAccess;

/// The version of the interface, and whether users can be looked for without a login.
pub(super) fn version(asked: &Asked<'_>) -> Response {
    let is_open = asked.app.settings.user_search.access == UserSearchAccess::Open;
    let mut xml = answer::root("versionInformation", &asked.uri(&Resource::Version));
    xml.text("version", &answer::version());
    xml.open("capabilities", &[]);
    xml.text("usersResourceAuthEnabled", &(!is_open).to_string());
    answer::ok(xml)
}

/// The nodes by the names that phones have for them.
pub(super) fn servers(asked: &Asked<'_>) -> Response {
    let mut xml = answer::root("servers", &asked.uri(&Resource::Servers));
    for host in asked.app.node_hosts() {
        xml.text("server", &host);
    }
    answer::ok(xml)
}

/// The models that a device can be of.
pub(super) fn models(asked: &Asked<'_>) -> Response {
    let mut xml = answer::root("models", &asked.uri(&Resource::Models));
    for model in phone_model::all().iter().filter(|model| model.is_phone()) {
        xml.open("option", &[]);
        xml.text("value", &model.number.to_string());
        xml.text("name", model.product);
        xml.text("userGuides", "");
        xml.close();
    }
    answer::ok(xml)
}
