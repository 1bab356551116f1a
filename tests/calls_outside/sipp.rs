//! Phones, a PBX and floods as `sipp` (Debian package `sip-tester`) plays them.

use std::net::SocketAddr;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crate::calls::party::SECRET;
use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestServer;
use selfprov::service::settings::Settings;

/// Longest that a scenario may take: a call to a phone that says nothing takes 32 s.
const LIMIT: &str = "60s";

/// A server whose settings differ so from the usual ones.
pub(super) async fn start_with(change: impl FnOnce(&mut Settings)) -> TestServer {
    let test = TestApp::builder().settings(change);
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

/// A port that is free on this address now.
pub(super) fn free_port(address: &str) -> u16 {
    let socket = UdpSocket::bind((address, 0)).unwrap();
    socket.local_addr().unwrap().port()
}

/// A run of sipp on an address and port of its own.
pub(super) struct Sipp<'a> {
    pub(super) scenario: &'a str,
    pub(super) address: &'a str,
    pub(super) port: u16,
    pub(super) server: SocketAddr,
    pub(super) transport: &'a str,
    /// With a `name` among them it proves itself as this device.
    pub(super) keys: Vec<(&'a str, &'a str)>,
    pub(super) calls: u32,
    /// Calls that begin in a second.
    pub(super) rate: u32,
}

impl<'a> Sipp<'a> {
    /// A scenario at this address over UDP, for one call.
    pub(super) fn new(server: &TestServer, address: &'a str, scenario: &'a str) -> Self {
        Self {
            scenario,
            address,
            port: free_port(address),
            server: server.sip_udp,
            transport: "u1",
            keys: Vec::new(),
            calls: 1,
            rate: 10,
        }
    }

    pub(super) fn start(&self) -> Child {
        let mut command = Command::new("sipp");
        command
            .arg(self.server.to_string())
            .arg("-sf")
            .arg(PathBuf::from("tests/data/sipp").join(self.scenario))
            .args(["-i", self.address, "-p", &self.port.to_string()])
            .args(["-t", self.transport, "-m", &self.calls.to_string()])
            .args(["-r", &self.rate.to_string()])
            .args(["-nostdin", "-timeout", LIMIT, "-timeout_error"]);
        for (name, value) in &self.keys {
            if *name == "name" {
                command.args(["-au", value, "-ap", SECRET]);
            }
            command.args(["-key", name, value]);
        }
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sipp is needed: apt-get install sip-tester")
    }

    pub(super) async fn run(&self) {
        assert_passed(&finish(self.start()).await);
    }

    /// Goes on at the same address and port with another scenario.
    pub(super) fn plays(mut self, scenario: &'a str) -> Self {
        self.scenario = scenario;
        self
    }

    /// The same with a further key.
    pub(super) fn with(mut self, name: &'a str, value: &'a str) -> Self {
        self.keys.push((name, value));
        self
    }
}

pub(super) async fn finish(child: Child) -> Output {
    let waited = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap());
    waited.await.unwrap()
}

#[track_caller]
pub(super) fn assert_passed(output: &Output) {
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
}

/// A phone that has registered over UDP with its digest.
pub(super) async fn registered<'a>(
    server: &TestServer,
    address: &'a str,
    name: &'a str,
    number: &'a str,
) -> Sipp<'a> {
    let phone = Sipp::new(server, address, "phone_register.xml");
    let phone = phone.with("name", name).with("number", number);
    phone.run().await;
    phone
}

/// A phone that answers: registers, and is then the same address waiting for calls.
pub(super) async fn answering(
    server: &TestServer,
    address: &str,
    name: &str,
    number: &str,
) -> Child {
    let phone = registered(server, address, name, number).await;
    phone.plays("answers.xml").start()
}
