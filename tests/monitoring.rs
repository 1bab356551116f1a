//! The monitoring door: metrics, health, readiness.

use std::sync::Arc;

use crate::common::{Database, TestApp, for_each_database, is_own_process};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use selfprov::server::metrics;
use tower::ServiceExt as _;

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn readiness_follows_the_database_and_health_does_not() {
    for_each_database(|database| async move {
        let test = TestApp::start(&database).await;
        let router = metrics::router(Arc::clone(&test.app));
        assert_eq!(get(&router, "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(get(&router, "/readyz").await, (200, "ready\n".to_owned()));
        test.app.store.close().await;
        assert_eq!(get(&router, "/healthz").await.0, 200);
        let (status, body) = get(&router, "/readyz").await;
        assert_eq!(
            (status, body.as_str()),
            (503, "the database does not answer\n")
        );
    })
    .await;
}

#[tokio::test]
async fn metrics_are_in_the_form_that_prometheus_reads() {
    if !is_own_process("monitoring::metrics_are_in_the_form_that_prometheus_reads") {
        return;
    }
    let test = TestApp::start(&Database::sqlite()).await;
    let router = metrics::router(Arc::clone(&test.app));
    ::metrics::histogram!(metrics::HANDSET_REQUEST_SECONDS, "step" => "form").record(0.0004);
    ::metrics::counter!(metrics::HANDSET_ANSWERS, "result" => "LOGIN_FORM").increment(1);
    let (status, text) = get(&router, "/metrics").await;
    assert_eq!(status, 200);
    for line in [
        "# TYPE selfprov_handset_answers_total counter",
        "selfprov_handset_answers_total{result=\"LOGIN_FORM\"} 1",
        "selfprov_handset_request_seconds_bucket{step=\"form\",le=\"0.0005\"} 1",
        "selfprov_devices 0",
        "selfprov_bindings 0",
        "selfprov_restarts_pending 0",
        "selfprov_credential_queue 0",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} in:\n{text}"
        );
    }
}
