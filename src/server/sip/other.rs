//! Every request that is neither REGISTER nor INVITE: answered without keeping anything.

use crate::domain::registration::Flow;
use crate::service::App;

use super::date::date_text;
use super::message::{HeaderName, Method, Request, ResponseBuilder, Status};

/// What this program answers.
pub(super) const ALLOW: &str =
    "REGISTER, OPTIONS, INVITE, ACK, CANCEL, BYE, REFER, PUBLISH, SUBSCRIBE, NOTIFY";

/// What phones may put in a body.
const ACCEPT: &str = "application/sdp, application/x-cisco-remotecc-request+xml, \
    application/x-cisco-alarm+xml, multipart/mixed";

/// Phones send it before they have registered.
const ALARM: &[u8] = b"application/x-cisco-alarm+xml";

/// The answer to `request`.
pub(super) fn answer(app: &App, request: &Request<'_>, flow: &Flow) -> Vec<u8> {
    let response = |status| ResponseBuilder::new(request, flow, status);
    match request.method {
        Method::Options => response(Status::OK)
            .header(HeaderName::Allow.as_str(), ALLOW)
            .header(HeaderName::Accept.as_str(), ACCEPT)
            .header(HeaderName::Date.as_str(), date_text(app.environment.now()))
            .finish(),
        Method::Refer if is_registered(app, flow) || is_alarm(request) => {
            response(Status::ACCEPTED).finish()
        }
        Method::Publish if is_registered(app, flow) => published(app, request, response),
        // The registrar keeps no subscriptions; a phone told so does not ask again at once.
        Method::Subscribe if is_registered(app, flow) => response(Status::BAD_EVENT).finish(),
        Method::Refer | Method::Publish | Method::Subscribe => response(Status::FORBIDDEN).finish(),
        Method::Notify => response(Status::BAD_EVENT).finish(),
        Method::Bye | Method::Cancel | Method::Prack | Method::Update | Method::Info => {
            response(Status::NO_SUCH_TRANSACTION).finish()
        }
        Method::Message | Method::Register | Method::Invite | Method::Ack => {
            response(Status::METHOD_NOT_ALLOWED)
                .header(HeaderName::Allow.as_str(), ALLOW)
                .finish()
        }
        Method::Other(_) => response(Status::NOT_IMPLEMENTED)
            .header(HeaderName::Allow.as_str(), ALLOW)
            .finish(),
    }
}

/// Whether a live binding came by this flow or from its address.
pub(super) fn is_registered(app: &App, flow: &Flow) -> bool {
    app.locations.is_at_address(flow.remote.ip())
}

fn is_alarm(request: &Request<'_>) -> bool {
    let kind = request.common.headers.get(HeaderName::ContentType);
    kind.and_then(|kind| kind.get(..ALARM.len()))
        .is_some_and(|kind| kind.eq_ignore_ascii_case(ALARM))
}

/// 200 with an entity tag, as RFC 3903 clause 6 wants it; nothing is kept.
fn published(
    app: &App,
    request: &Request<'_>,
    response: impl Fn(Status) -> ResponseBuilder,
) -> Vec<u8> {
    let expires_s = request.common.expires_s().ok().flatten().unwrap_or(3_600);
    response(Status::OK)
        .header("SIP-ETag", app.new_pkid().to_string())
        .header(HeaderName::Expires.as_str(), expires_s.to_string())
        .finish()
}
