//! A burst of calls by `sipp` (Debian package `sip-tester`): all are made, and nothing is kept.

use std::net::UdpSocket;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::calls::party::SECRET;
use crate::calls::party::device;
use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::is_own_process;
use selfprov::server::metrics;

const CALLS: &str = "400";
const CALLS_A_SECOND: &str = "100";

/// Above the 32 s for which an answered call is remembered.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often it is looked whether that has come: looking is dear.
const POLL: Duration = Duration::from_millis(250);

/// The value of the first sample of a metric.
fn metric(name: &str) -> f64 {
    let text = metrics::recorder().render();
    let sample = text.lines().find(|line| line.starts_with(name));
    sample.map_or(0.0, |line| {
        line.rsplit(' ').next().unwrap().parse().unwrap()
    })
}

fn sipp(scenario: &str, address: &str, port: u16, server: &str) -> Command {
    let mut command = Command::new("sipp");
    command
        .arg(server)
        .args(["-sf", &format!("tests/data/sipp/{scenario}"), "-i", address])
        .args(["-p", &port.to_string(), "-nostdin", "-timeout", "60s"])
        .arg("-timeout_error")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_of_calls_is_made_and_leaves_nothing_behind() {
    if !is_own_process("calls_load::a_burst_of_calls_is_made_and_leaves_nothing_behind") {
        return;
    }
    metrics::recorder();
    let port = |address: &str| {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        socket.local_addr().unwrap().port()
    };
    let (pbx, phone) = (port("127.0.0.8"), port("127.0.0.3"));
    let target = format!("127.0.0.8:{pbx}");
    let test = TestApp::builder().settings(|settings| {
        settings.calls.pbx = Some(target.parse().unwrap());
    });
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    let name = device(&server, "0011AABBCC0A", "1011").await;
    let to = server.sip_udp.to_string();
    let ran = tokio::task::spawn_blocking(move || {
        let mut register = sipp("phone_register.xml", "127.0.0.3", phone, &to);
        register.args(["-m", "1", "-key", "number", "1011", "-key", "name", &name]);
        let registered = register.args(["-au", &name, "-ap", SECRET]).status();
        assert!(registered.unwrap().success());
        let mut answers = sipp("answers.xml", "127.0.0.3", phone, &to);
        let mut answers = answers.args(["-m", CALLS]).spawn().unwrap();
        let mut calls = sipp("call_without_proof.xml", "127.0.0.8", pbx, &to);
        calls.args(["-m", CALLS, "-r", CALLS_A_SECOND, "-l", CALLS]);
        let called = calls.args(["-key", "number", "2000", "-key", "dialled", "1011"]);
        assert!(called.status().unwrap().success());
        assert!(answers.wait().unwrap().success());
    });
    ran.await.unwrap();
    assert!(metric("selfprov_call_transactions") >= 1.0);
    let made = metric("selfprov_calls_total{kind=\"line\",result=\"answered\"}");
    assert!((made - 400.0).abs() < 0.5, "{made}");
    let emptied = async {
        while metric("selfprov_call_transactions") > 0.0 {
            tokio::time::sleep(POLL).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, emptied).await.is_ok());
}
