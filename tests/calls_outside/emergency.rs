//! Calls for help from phones that may not call anybody else.

use std::net::IpAddr;
use std::process::Child;
use std::time::Duration;

use crate::calls::party::device;
use crate::common::SipPhone;
use crate::common::TestServer;
use selfprov::service::settings::Settings;
use tokio::time::timeout;

use super::A;
use super::B;
use super::sipp::Sipp;
use super::sipp::assert_passed;
use super::sipp::finish;
use super::sipp::free_port;
use super::sipp::start_with;

/// Where the phone that waits for its user stands.
const PHONE: &str = "127.0.0.2";

/// A server that sends calls to 112 to a desk, which takes one.
async fn start_with_desk(change: impl FnOnce(&mut Settings)) -> (TestServer, Child) {
    let address = "127.0.0.9";
    let port = free_port(address);
    let server = start_with(|settings| {
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        settings.calls.emergency_target = Some(format!("{address}:{port}").parse().unwrap());
        change(settings);
    })
    .await;
    let mut desk = Sipp::new(&server, address, "emergency_desk.xml");
    desk.port = port;
    let desk = desk.start();
    (server, desk)
}

/// A phone that nobody has claimed, registered without a secret.
async fn waiting_phone(server: &TestServer) -> Sipp<'static> {
    let phone = Sipp::new(server, PHONE, "journey_auto_register.xml");
    let phone = phone.with("mac", A).with("line", "AUTO-REG");
    phone.run().await;
    phone
}

/// The number that the phone was given.
fn number(server: &TestServer) -> String {
    let name = format!("SEP{A}").parse().unwrap();
    let known = server.test.app.phones.find(&name).unwrap();
    known.phone.lines[0].pattern.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_phone_that_waits_for_its_user_calls_for_help_and_nobody_else() {
    let (server, desk) = start_with_desk(|_| ()).await;
    device(&server, B, "1012").await;
    let phone = waiting_phone(&server).await;
    let number = number(&server);
    let phone = phone.with("number", &number).with("dialled", "1012");
    let mut phone = phone.plays("phone_is_refused.xml");
    phone.run().await;
    phone.keys.pop();
    let phone = phone.with("dialled", "112");
    phone.plays("call_without_proof.xml").run().await;
    assert_passed(&finish(desk).await);
}

/// Sends requests from that address until one of them is not served.
async fn until_throttled(server: &TestServer, address: IpAddr) {
    let mut other = SipPhone::udp_at(server.sip_udp, B, address).await;
    loop {
        let text = other.request("OPTIONS", "sip:127.0.0.1", "", "");
        other.send(&text).await;
        match timeout(Duration::from_secs(1), other.receive()).await {
            Ok(answer) if answer.status() == 200 => {}
            Ok(answer) => {
                assert_eq!(answer.status(), 503, "{}", answer.text);
                return;
            }
            Err(_) => return,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_phone_whose_address_sends_far_too_much_still_calls_for_help() {
    let (server, desk) = start_with_desk(|settings| settings.sip_requests_per_source_s = 1).await;
    let phone = waiting_phone(&server).await;
    // Takes every request that the address has left, to the end of the call.
    let mut flood = Sipp::new(&server, PHONE, "flood_options.xml");
    flood.calls = 1_000_000;
    flood.rate = 1_000;
    let mut flood = flood.start();
    until_throttled(&server, PHONE.parse().unwrap()).await;
    let number = number(&server);
    let phone = phone.with("number", &number).with("dialled", "112");
    phone.plays("call_without_proof.xml").run().await;
    assert_passed(&finish(desk).await);
    let ended = flood.try_wait().unwrap();
    flood.kill().unwrap();
    flood.wait().unwrap();
    assert_eq!(ended, None, "the flood ended before the call");
}
