//! Servers on loopback, each on a runtime of one named thread, so that its processor time can be
//! read apart from the client's.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::http::header;
use axum::routing::get;
use selfprov::domain::time::UnixMillis;
use selfprov::server::http::{Limits, serve};
use selfprov::server::shutdown::{Shutdown, ShutdownTrigger};
use selfprov::server::tls::{CertificateFiles, ServerCertificate};
use selfprov::server::trace_files::Retention;
use selfprov::server::trace_log::{Level, TraceLog, UDS_FILES};
use selfprov::server::uds;
use selfprov::service::App;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use super::site;

/// Thread name of every server's runtime.
pub(crate) const SERVER_THREAD: &str = "bench-server";

/// A runtime of one worker thread.
pub(crate) fn runtime(thread_name: &str) -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name(thread_name)
        .enable_all()
        .build()
        .unwrap()
}

/// A self-signed certificate for `localhost` in `dir`.
pub(crate) fn certificate(dir: &Path) -> Arc<ServerCertificate> {
    let files = CertificateFiles::in_data_dir(dir);
    ServerCertificate::load_or_make(files, &["localhost".to_owned()], now()).unwrap()
}

/// Now, by the system's clock.
pub(crate) fn now() -> UnixMillis {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap())
}

/// Serves `router` over TLS by the product's own accept loop on `runtime`.
pub(crate) fn start(
    runtime: &Runtime,
    router: Router,
    certificate: &Arc<ServerCertificate>,
    shutdown: Shutdown,
) -> SocketAddr {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let tls = certificate.server_config().unwrap();
    runtime.spawn(serve(
        listener,
        Some(tls),
        router,
        Limits::default(),
        shutdown,
    ));
    address
}

/// The two ends of a server's end.
pub(crate) fn shutdown() -> (ShutdownTrigger, Shutdown) {
    selfprov::server::shutdown::channel()
}

/// The address of the login form, without host and query.
pub(crate) const FORM: &str = "/cucm-uds/private/selfProvision";

/// Path and query of the login form of the n-th waiting phone.
pub(crate) fn form_path(n: u32) -> String {
    format!("{FORM}?name={}", site::waiting_phone(n))
}

/// The product's own door for handsets, with its service trace in `dir`.
pub(crate) fn product(app: Arc<App>, dir: &Path) -> Router {
    let trace = TraceLog::open(
        &dir.join("log"),
        UDS_FILES,
        Retention::default(),
        Level::Info,
        jiff::tz::TimeZone::UTC,
    );
    // Counting is part of the product's work.
    selfprov::server::metrics::recorder();
    uds::router(app, Arc::new(trace.unwrap()))
}

/// The peer: the same server with an answer that is always the same bytes.
pub(crate) fn fixed(body: &[u8]) -> Router {
    let body = bytes::Bytes::copy_from_slice(body);
    let headers = [
        (header::CONTENT_TYPE, "text/xml; charset=UTF-8"),
        (header::EXPIRES, "Thu, 01 Jan 1970 00:00:01 GMT"),
    ];
    Router::new().route(FORM, get(move || async move { (headers, body) }))
}
