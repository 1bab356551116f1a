//! The registrar beside a user agent that is not ours: `sipp` (Debian package `sip-tester`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;
use std::time::Duration;

use crate::common::Database;
use crate::common::TestServer;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::service::App;
use selfprov::store;

const MAC: &str = "0011AABBCC01";

/// Longest wait for a condition that must come true.
const DEADLINE: Duration = Duration::from_secs(20);

fn scenario(name: &str) -> PathBuf {
    PathBuf::from("tests/data/sipp").join(name)
}

/// Runs a scenario once in a thread of its own.
async fn sipp(server: SocketAddr, file: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new("sipp");
    command
        .arg(server.to_string())
        .arg("-sf")
        .arg(scenario(file))
        .args(["-m", "1", "-i", "127.0.0.1", "-nostdin"])
        .args(["-timeout", "20s", "-timeout_error"])
        .args(["-key", "mac", &MAC.to_lowercase()])
        .args(["-key", "name", &format!("SEP{MAC}")])
        .args(arguments);
    tokio::task::spawn_blocking(move || {
        command
            .output()
            .expect("sipp is needed: apt-get install sip-tester")
    })
    .await
    .unwrap()
}

#[track_caller]
fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
}

fn name() -> DeviceName {
    format!("SEP{MAC}").parse().unwrap()
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let waited = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(DEADLINE, waited).await;
    assert!(waited.is_ok(), "{what} did not come");
}

async fn last_event(app: &App) -> Option<String> {
    let mut reader = app.store.read().await.unwrap();
    let entries = store::history::timeline_of(reader.connection(), &name(), 100).await;
    let last = entries.unwrap().pop();
    last.map(|entry| entry.event.as_str().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_auto_registers_and_takes_its_restart() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = server.test.app.clone();
        let notify = scenario("notify.xml");
        let notify = ["-oocsf", notify.to_str().unwrap()];
        let phone = sipp(server.sip_udp, "auto_register.xml", &notify);
        let restart = async {
            until("the device", async || app.phones.len() == 1).await;
            server.test.clock.advance(Duration::from_secs(1));
            until("the restart", async || {
                last_event(&app).await.as_deref() == Some("restart_sent")
            })
            .await;
        };
        let (output, ()) = tokio::join!(phone, restart);
        assert_passed(&output);
        let known = app.phones.find(&name()).unwrap();
        assert_eq!(known.phone.lines[0].pattern.as_str(), "1000");
        assert_eq!(known.phone.model, Some(622));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_registers_with_its_digest_over_udp_and_tcp() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    assert_passed(&sipp(server.sip_udp, "auto_register.xml", &[]).await);
    let known = app.phones.find(&name()).unwrap();
    let sealed = known.phone.digest.sealed_secret.clone().unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap();
    let number = known.phone.lines[0].pattern.to_string();
    for (address, transport) in [(server.sip_tcp, "t1"), (server.sip_udp, "u1")] {
        let user = format!("SEP{MAC}");
        let mut arguments = vec!["-t", transport, "-key", "number", &number, "-au", &user];
        arguments.extend(["-ap", secret.reveal()]);
        assert_passed(&sipp(address, "register.xml", &arguments).await);
        arguments.pop();
        arguments.push("wrong");
        let refused = sipp(address, "register.xml", &arguments).await;
        assert!(
            !refused.status.success(),
            "a wrong secret must not register"
        );
    }
    assert_eq!(app.locations.of_device(&name()).len(), 1);
}
