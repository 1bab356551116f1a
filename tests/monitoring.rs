//! The monitoring door: metrics, health, readiness.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use crate::common::{Database, TestApp, for_each_database, is_own_process};
use crate::program::Serve;
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

/// The names of the counters without labels that the program's source counts.
fn counters_of_the_source(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            counters_of_the_source(&path, found);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for part in text.split("metrics::counter!(\"").skip(1) {
            let (name, rest) = part.split_once('"').unwrap();
            if rest.starts_with(')') {
                found.insert(name.to_owned());
            }
        }
    }
}

#[test]
fn counters_stand_at_0_before_anything_was_counted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Serve::start(dir.path());
    let curl = Command::new("curl")
        .args(["--silent", "--max-time", "60", server.row("monitoring")])
        .output()
        .unwrap();
    let page = String::from_utf8(curl.stdout).unwrap();
    let mut names = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    counters_of_the_source(&source, &mut names);
    assert!(names.len() > 12, "{names:?}");
    let labelled = [
        "selfprov_handset_answers_total{result=\"AUTHENTICATION_FAILED\"}",
        "selfprov_calls_total{kind=\"emergency\",result=\"unreachable\"}",
        "selfprov_restart_attempts_total{result=\"no_way\"}",
        "selfprov_auto_registration_reclaimed_total{reason=\"time_to_live\"}",
        "selfprov_tvs_verifications_total{valid=\"no\"}",
    ];
    for name in names.iter().map(String::as_str).chain(labelled) {
        let line = format!("{name} 0");
        assert!(page.lines().any(|one| one == line), "{line} in:\n{page}");
    }
}
