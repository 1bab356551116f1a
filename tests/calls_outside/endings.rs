//! How calls between phones end that nobody takes, and where a line has several phones.

use std::time::Duration;
use std::time::Instant;

use crate::calls::party::device;
use crate::common::TestServer;

use super::A;
use super::B;
use super::C;
use super::sipp::assert_passed;
use super::sipp::finish;
use super::sipp::registered;
use super::sipp::start_with;

/// How long a phone may say nothing at all. Source: RFC 3261 clause 17.1.1.2, timer B.
const SILENCE: Duration = Duration::from_secs(32);

/// A registered phone calls another one; each plays its scenario to the end.
async fn one_call(server: &TestServer, numbers: [&str; 2], transport: &str, plays: [&str; 2]) {
    let names = numbers.map(|number| format!("0011AABB{number}"));
    let caller = device(server, &names[0], numbers[0]).await;
    let callee = device(server, &names[1], numbers[1]).await;
    let called = registered(server, "127.0.0.3", &callee, numbers[1]).await;
    let called = called.plays(plays[1]).start();
    let calling = registered(server, "127.0.0.2", &caller, numbers[0]).await;
    let mut calling = calling.plays(plays[0]).with("dialled", numbers[1]);
    if transport == "t1" {
        (calling.transport, calling.server) = (transport, server.sip_tcp);
    }
    calling.run().await;
    assert_passed(&finish(called).await);
}

/// The same over UDP and over TCP, side by side.
async fn calls(caller: &str, callee: &str) {
    let server = start_with(|_| ()).await;
    let plays = [caller, callee];
    let over_udp = one_call(&server, ["1011", "1012"], "u1", plays);
    let over_tcp = one_call(&server, ["1013", "1014"], "t1", plays);
    tokio::join!(over_udp, over_tcp);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_phone_that_is_busy_is_heard_as_busy() {
    calls("phone_hears_busy.xml", "busy.xml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_phone_that_gives_up_ends_the_ringing_of_the_other() {
    calls("phone_gives_up.xml", "rings.xml").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_phone_that_says_nothing_is_given_up_after_32_seconds() {
    let begun = Instant::now();
    calls("phone_hears_no_answer.xml", "silent.xml").await;
    let took = begun.elapsed();
    assert!(took > SILENCE, "{took:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_phones_of_a_shared_line_ring_until_one_of_them_answers() {
    let server = start_with(|_| ()).await;
    let caller = device(&server, A, "1011").await;
    let one = device(&server, B, "1012").await;
    let two = device(&server, C, "1012").await;
    let ringing = registered(&server, "127.0.0.3", &one, "1012").await;
    let ringing = ringing.plays("rings.xml").start();
    let answering = registered(&server, "127.0.0.4", &two, "1012").await;
    let answering = answering.plays("answers.xml").start();
    let calling = registered(&server, "127.0.0.2", &caller, "1011").await;
    let calling = calling.plays("phone_calls.xml").with("dialled", "1012");
    calling.run().await;
    assert_passed(&finish(answering).await);
    assert_passed(&finish(ringing).await);
}
