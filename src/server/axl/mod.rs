//! AXL: the SOAP API that administrators' scripts and tools speak.
//!
//! ```text
//! envelope.rs            bytes to one call (no I/O, bounded)
//! soap_action.rs         which version it is meant in
//! login.rs               who calls
//! operations.rs          the call to a use case and back
//! fault.rs, answer.rs    what the client is told
//! wsdl/                  what a client may know beforehand
//! ```
//!
//! No element of a request is dropped silently: each is applied, or stored and given back, or
//! refused with a fault that names it.

pub mod answer;
pub mod decode;
pub mod encode;
pub mod envelope;
pub mod fault;
mod login;
mod operations;
pub mod soap_action;
pub mod tags;
mod wsdl;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Extension;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::domain::history::CorrelationId;
use crate::domain::schema::SchemaVersion;
use crate::server::cross_site;
use crate::server::http::Peer;
use crate::server::request_xml as xml;
use crate::server::to_the_end::to_the_end;
use crate::service::App;
use crate::service::credentials::api_login::Access;
use crate::service::history::record::Actor;

use answer::Answer;
use envelope::Call;
use fault::Fault;
use login::LoggedIn;
use operations::Caller;

/// Where AXL is.
const PATH: &str = "/axl/";

/// Seconds after which a client whose change was one too many is told to try again.
const RETRY_AFTER_S: u32 = 2;

/// How long a client has to send its request.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// What every call needs.
struct Door {
    app: Arc<App>,
    /// Permits for changes; `None`: there is no limit.
    changes: Option<Arc<Semaphore>>,
}

/// The routes of AXL, for HTTPS listeners alone. Requests must carry a [`Peer`].
pub fn router(app: Arc<App>) -> Router {
    let changes = app.settings.axl.changes_at_once_max;
    let door = Arc::new(Door {
        app: Arc::clone(&app),
        changes: (changes > 0).then(|| Arc::new(Semaphore::new(changes))),
    });
    Router::new()
        .route(PATH, post(call).get(show))
        .route("/axl", get(redirect).post(redirect))
        .layer(middleware::from_fn(cross_site::refuse))
        .with_state(door)
        .merge(wsdl::router(app))
}

/// What clients probe before anything else.
async fn show(
    State(door): State<Arc<Door>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Answer {
    match admitted(&door.app, &peer, &headers).await {
        Ok((logged_in, _)) => logged_in.mark(answer::page(
            StatusCode::OK,
            "Cisco CallManager: AXL Web Service. The AXL Web Service is working and accepting requests.",
        )),
        Err(refused) => refused,
    }
}

/// Clients that leave the last slash out are sent there, as CUCM does.
async fn redirect() -> Answer {
    let location = (header::LOCATION, HeaderValue::from_static(PATH));
    (StatusCode::FOUND, [location]).into_response()
}

/// Lets the caller in if it may use AXL at all.
async fn admitted(
    app: &App,
    peer: &Peer,
    headers: &HeaderMap,
) -> Result<(LoggedIn, Actor), Answer> {
    let source = peer.address.ip().to_canonical();
    let correlation = CorrelationId(app.new_pkid());
    let logged_in = login::log_in(app, headers, source, correlation).await?;
    if logged_in.principal.axl_access().is_none() {
        let user_id = &logged_in.principal.user_id;
        tracing::warn!(%source, %user_id, "AXL refused: not in Standard AXL API Access");
        return Err(answer::forbidden(
            "This account is in no access control group that may use AXL \
             (Standard AXL API Access, Standard AXL Read Only API Access)",
        ));
    }
    let actor = Actor::at_address(logged_in.principal.who(), source, correlation);
    Ok((logged_in, actor))
}

async fn call(
    State(door): State<Arc<Door>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    // Before the body is read: nobody unknown makes us hold a megabyte.
    let (logged_in, actor) = match admitted(&door.app, &peer, &headers).await {
        Ok(admitted) => admitted,
        Err(refused) => return refused,
    };
    let bytes_max = door.app.settings.axl.request_bytes_max;
    let received = timeout(BODY_TIMEOUT, axum::body::to_bytes(body, bytes_max)).await;
    let answer = match received {
        Ok(Ok(bytes)) => match accept(&headers, &bytes, &peer, &logged_in, actor) {
            Ok(request) => carry_out(&door, request).await,
            Err(refused) => *refused,
        },
        Ok(Err(_)) => answer::page(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("HTTP Status 413 - A request has at most {bytes_max} bytes"),
        ),
        Err(_) => answer::page(
            StatusCode::REQUEST_TIMEOUT,
            "HTTP Status 408 - The request did not arrive within 30 seconds",
        ),
    };
    logged_in.mark(answer)
}

/// A call that can be read, and who calls.
struct Accepted {
    call: Call,
    version: SchemaVersion,
    actor: Actor,
    access: Option<Access>,
    source: IpAddr,
}

fn accept(
    headers: &HeaderMap,
    body: &[u8],
    peer: &Peer,
    logged_in: &LoggedIn,
    actor: Actor,
) -> Result<Accepted, Box<Answer>> {
    let call = envelope::read(body).map_err(|error| Box::new(answer::fault(&error.into(), "")))?;
    let version = version_of(headers, &call).map_err(|_| Box::new(answer::incorrect_version()))?;
    Ok(Accepted {
        call,
        version,
        actor,
        access: logged_in.principal.axl_access(),
        source: peer.address.ip().to_canonical(),
    })
}

/// Carries a call out: a change to its end, whether or not its caller waits for it; what only reads
/// ends with its caller.
async fn carry_out(door: &Arc<Door>, request: Accepted) -> Answer {
    let app = Arc::clone(&door.app);
    if !operations::changes(&request.call, request.version) {
        return answered(&app, request).await;
    }
    let permit = match door.changes.clone() {
        Some(permits) => match permits.try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => return answer::unavailable(RETRY_AFTER_S),
        },
        None => None,
    };
    let ended = to_the_end(async move {
        let answer = answered(&app, request).await;
        drop(permit);
        answer
    });
    let failed = || {
        answer::fault(
            &Fault::failed("the call failed; the service's log says why"),
            "",
        )
    };
    ended.await.unwrap_or_else(failed)
}

async fn answered(app: &Arc<App>, request: Accepted) -> Answer {
    let Accepted { call, version, .. } = &request;
    let caller = Caller {
        app,
        actor: &request.actor,
        access: request.access,
        source: request.source,
        version: *version,
        ignored: Mutex::default(),
    };
    let operation = call.operation();
    let mut answer = match operations::carry_out(&caller, call).await {
        Ok(content) => answer::success(*version, operation, call.sequence(), content),
        Err(fault) => answer::fault_of_operation(&fault, operation, *version),
    };
    let ignored = caller.ignored.into_inner();
    answer::warn_of(
        &mut answer,
        &ignored.unwrap_or_else(PoisonError::into_inner),
    );
    answer
}

fn version_of(
    headers: &HeaderMap,
    call: &Call,
) -> Result<SchemaVersion, soap_action::VersionRefused> {
    let header = headers
        .get("SOAPAction")
        .and_then(|header| header.to_str().ok());
    soap_action::version(header, call)
}
