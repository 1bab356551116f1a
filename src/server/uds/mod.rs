//! User Data Services: the self-provisioning screens of an idle phone, and the public resources.

pub mod answer;
pub mod authenticate;
mod door;
pub mod endpoint;
pub mod request;
pub mod resources;
pub mod screen;
pub mod screens;
pub mod self_provision;
pub mod text;
pub mod trace;
mod visit;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::domain::config_file::assemble::RELEASE_PATH;
use crate::server::trace_log::TraceLog;
use crate::service::App;
use door::UdsDoor;

/// The routes of the handset, for the HTTPS listeners and the plain-HTTP one for old phones.
///
/// Methods other than GET, HEAD and POST are answered 405 with `Allow`.
pub fn router(app: Arc<App>, trace: Arc<TraceLog>) -> Router {
    // Before the first request, so that none is counted into the void.
    crate::server::metrics::recorder();
    let authenticate = get(authenticate::authenticate).post(authenticate::authenticate);
    let handset = get(self_provision::answer).post(self_provision::answer);
    Router::new()
        .route(endpoint::PATH, handset.clone())
        .route(RELEASE_PATH, handset)
        .route(authenticate::PATH, authenticate)
        .with_state(UdsDoor { app, trace })
}
