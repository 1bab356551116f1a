//! The public resources of UDS beside the handset's endpoint: what clients and users read of the
//! system and of themselves.
//!
//! ```text
//! resource.rs            a path to one resource and the methods it has
//! query.rs, content.rs   parameters and bodies to values (bounded)
//! login.rs               who asks, and for whom
//! system.rs, directory.rs, own.rs, own_view.rs
//!                        the use cases, and their XML
//! answer.rs, xml.rs      what the client is told
//! ```
//!
//! They are served over HTTPS alone: a password stands in each request. Elements and attributes
//! are those of the UDS API Reference; what this program does not have is left out.

mod answer;
mod content;
mod directory;
mod login;
mod own;
mod own_view;
mod query;
mod resource;
mod system;
mod xml;

use std::sync::Arc;

use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Method, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;

use crate::domain::history::CorrelationId;
use crate::server::cross_site;
use crate::server::http::Peer;
use crate::server::to_the_end::to_the_end;
use crate::server::uds::endpoint;
use crate::service::App;

use answer::Problem;
use resource::{ROOT, Resource};

/// The routes of the resources, for HTTPS listeners alone. Requests must carry a [`Peer`].
pub fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(ROOT, any(answer))
        .route(&format!("{ROOT}/"), any(answer))
        .route(&format!("{ROOT}/{{*path}}"), any(answer))
        .layer(middleware::from_fn(cross_site::refuse))
        .with_state(app)
}

/// One request, before anybody is known.
struct Asked<'a> {
    app: &'a App,
    parts: &'a Parts,
    peer: Peer,
    /// `https://host[:port]`, as the client reached it.
    base: String,
    correlation: CorrelationId,
}

impl Asked<'_> {
    /// The address of a resource, as attributes show it.
    fn uri(&self, resource: &Resource) -> String {
        format!("{}{}", self.base, resource.path())
    }
}

async fn answer(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    request: Request,
) -> Response {
    let is_change = request.method() == Method::PUT;
    let answered = answered(app, peer, request);
    if !is_change {
        return answered.await;
    }
    let answer = to_the_end(answered).await;
    answer.unwrap_or_else(|| Problem::Internal.into_response())
}

async fn answered(app: Arc<App>, peer: Peer, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST);
    let asked = Asked {
        base: endpoint::base(&peer, host.and_then(|host| host.to_str().ok())),
        correlation: CorrelationId(app.new_pkid()),
        app: &app,
        parts: &parts,
        peer,
    };
    let answer = carry_out(&asked, body).await;
    answer.unwrap_or_else(Problem::into_response)
}

async fn carry_out(asked: &Asked<'_>, body: Body) -> Result<Response, Problem> {
    let path = asked.parts.uri.path();
    let resource = Resource::parse(path).ok_or(Problem::NoSuchResource)?;
    let method = &asked.parts.method;
    let is_read = *method == Method::GET || *method == Method::HEAD;
    let is_write = *method == Method::PUT && resource.is_writable();
    if !is_read && !is_write {
        return Err(Problem::MethodNotAllowed(resource.methods()));
    }
    match &resource {
        Resource::Version => Ok(system::version(asked)),
        Resource::Servers => Ok(system::servers(asked)),
        Resource::Models => Ok(system::models(asked)),
        Resource::ClusterUser => directory::cluster_user(asked).await,
        Resource::Users => directory::users(asked).await,
        Resource::Own { user_id, own } if is_write => own::put(asked, user_id, *own, body).await,
        Resource::Own { user_id, own } => own::get(asked, user_id, *own).await,
    }
}
