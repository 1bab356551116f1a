//! The monitoring door: `/metrics` for Prometheus, `/healthz` and `/readyz` for whoever restarts
//! or routes.

use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::domain::auto_registration::Window;
use crate::locks;
use crate::server::counters;
pub use crate::server::counters::{HANDSET_ANSWERS, LOG_LINES_LOST};
use crate::server::shutdown::Shutdown;
use crate::service::App;
use crate::service::health;
use crate::service::registrar::auto_register::watch::Status;

/// How often histograms are folded together, so that they stay small when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Upper bounds of the latency histograms, in seconds: from a form out of memory to a request that
/// is cut off.
const LATENCY_BUCKETS_S: [f64; 13] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// Time that requests of the handset took, in seconds, by `step`.
pub const HANDSET_REQUEST_SECONDS: &str = "selfprov_handset_request_seconds";

/// Handles of one metric by the value of its label, so that a hot path does not look the metric up
/// by name each time. Handles made before [`recorder`] was called count into the void.
pub struct ByLabel<T> {
    make: fn(&'static str) -> T,
    handles: RwLock<Vec<(&'static str, T)>>,
}

impl<T: Clone> ByLabel<T> {
    /// A metric whose handle for a label's value is made by `make`. Values must be few.
    const fn new(make: fn(&'static str) -> T) -> Self {
        Self {
            make,
            handles: RwLock::new(Vec::new()),
        }
    }

    /// The handle for this value.
    pub fn of(&self, value: &'static str) -> T {
        let handles = locks::read(&self.handles);
        if let Some((_, handle)) = handles.iter().find(|(known, _)| *known == value) {
            return handle.clone();
        }
        drop(handles);
        let handle = (self.make)(value);
        let mut handles = locks::write(&self.handles);
        handles.push((value, handle.clone()));
        handle
    }
}

/// Time of handset requests by `step`.
pub static HANDSET_REQUEST: ByLabel<metrics::Histogram> =
    ByLabel::new(|step| metrics::histogram!(HANDSET_REQUEST_SECONDS, "step" => step));
/// Answers to handsets by `result`.
pub static HANDSET_ANSWER: ByLabel<metrics::Counter> =
    ByLabel::new(|result| metrics::counter!(HANDSET_ANSWERS, "result" => result));

/// The recorder of the process; the first call installs it.
pub fn recorder() -> &'static PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        // An error only means an empty list of bounds.
        let builder = builder
            .set_buckets(&LATENCY_BUCKETS_S)
            .unwrap_or_else(|_| PrometheusBuilder::new());
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("another metrics recorder is installed; /metrics stays empty");
        }
        describe();
        handle
    })
}

fn describe() {
    counters::begin();
    metrics::describe_histogram!(HANDSET_REQUEST_SECONDS, "Handset requests by step");
    metrics::describe_gauge!("selfprov_devices", "Devices known");
    metrics::describe_gauge!("selfprov_bindings", "Registrations alive");
    metrics::describe_gauge!("selfprov_restarts_pending", "Restarts owed to phones");
    metrics::describe_gauge!(
        "selfprov_credential_queue",
        "Logins that wait for a PIN thread"
    );
    for (name, text) in [
        (
            "selfprov_auto_registration_open",
            "1 while new phones may register",
        ),
        (
            "selfprov_auto_registration_range_size",
            "Numbers of the auto-registration range",
        ),
        (
            "selfprov_auto_registration_numbers",
            "Those that a line has, and those that none has",
        ),
        (
            "selfprov_unclaimed_phones",
            "Phones that wait to be claimed",
        ),
        ("selfprov_unclaimed_phones_max", "How many may wait"),
        (
            "selfprov_auto_registration_forecast_hours",
            "Hours until new phones are refused",
        ),
    ] {
        metrics::describe_gauge!(name, text);
    }
}

/// Keeps the recorder small until `shutdown`.
pub async fn keep_up(mut shutdown: Shutdown) {
    let mut ticks = tokio::time::interval(UPKEEP_INTERVAL);
    loop {
        tokio::select! {
            () = shutdown.requested() => return,
            _ = ticks.tick() => recorder().run_upkeep(),
        }
    }
}

/// The routes of the monitoring door.
pub fn router(app: Arc<App>) -> Router {
    // Installed before the first request, so that nothing is counted into the void.
    recorder();
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(app)
}

/// Source: Prometheus text exposition format 0.0.4.
async fn metrics_page(State(app): State<Arc<App>>) -> Response {
    metrics::gauge!("selfprov_devices").set(gauge_value(app.phones.len()));
    metrics::gauge!("selfprov_bindings").set(gauge_value(app.locations.len()));
    metrics::gauge!("selfprov_restarts_pending").set(gauge_value(app.phone_control.len()));
    metrics::gauge!("selfprov_credential_queue").set(gauge_value(app.hasher.waiting()));
    if let Some(status) = app.auto_registration.latest() {
        auto_registration(&status);
    }
    let content_type = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (content_type, recorder().render()).into_response()
}

/// What was seen at the last look, so that a scrape never waits for the database.
fn auto_registration(status: &Status) {
    let is_open = matches!(status.window, Window::Open(_));
    metrics::gauge!("selfprov_auto_registration_open").set(f64::from(u8::from(is_open)));
    let (in_use, forecast) = (&status.in_use, &status.forecast);
    let set = |state: &'static str, numbers: u64| {
        let numbers = u32::try_from(numbers).map_or(f64::INFINITY, f64::from);
        metrics::gauge!("selfprov_auto_registration_numbers", "state" => state).set(numbers);
    };
    set("used", in_use.used);
    set("free", in_use.free());
    metrics::gauge!("selfprov_auto_registration_range_size")
        .set(u32::try_from(in_use.size).map_or(f64::INFINITY, f64::from));
    metrics::gauge!("selfprov_unclaimed_phones").set(f64::from(in_use.unclaimed));
    metrics::gauge!("selfprov_unclaimed_phones_max").set(f64::from(in_use.unclaimed_max));
    // Prometheus has a word for "never".
    let hours = forecast
        .lasts
        .map_or(f64::INFINITY, |lasts| lasts.as_secs_f64() / 3_600.0);
    metrics::gauge!("selfprov_auto_registration_forecast_hours").set(hours);
}

fn gauge_value(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if health::is_ready(&app).await {
        return "ready\n".into_response();
    }
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "the database does not answer\n",
    )
        .into_response()
}
