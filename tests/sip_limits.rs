//! What one address may ask of the registrar, and what is never refused.

use std::collections::HashSet;
use std::time::Duration;

use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::is_own_process;
use selfprov::server::metrics;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::time::timeout;

const MAC: &str = "0011AABBCC01";

/// Longest wait for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

/// Requests that are certainly over a rate of 1 a second.
const FLOOD: usize = 300;

/// Calls for help of one phone at once: more than a rate of 1 a second lets through.
const CALLS: usize = 40;

/// After so long without another answer there will be none.
const SILENCE: Duration = Duration::from_millis(700);

async fn server(nat_networks: &[&str], emergency_target: &str) -> TestServer {
    let networks = nat_networks.iter().map(|network| network.parse().unwrap());
    let networks = networks.collect();
    let test = TestApp::builder().settings(|settings| {
        settings.sip_requests_per_source_s = 1;
        settings.auto_registration.nat_networks = networks;
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        settings.calls.emergency_target = Some(emergency_target.parse().unwrap());
    });
    let database = Database::sqlite();
    let test = test.start(&database).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

/// What an address is told that is over its rate, in seconds; nothing where a phone is registered,
/// which may have to call for help. Source: RFC 3261 clause 21.5.4.
const RETRY_AFTER: &str = "10";

/// Sends OPTIONS until the address is over its rate, and is told so with this Retry-After; gives
/// how many of them were answered 200.
async fn flood(phone: &mut SipPhone, retry_after: &str) -> usize {
    for _ in 0..FLOOD {
        let text = phone.request("OPTIONS", "sip:127.0.0.1", "", "");
        phone.send(&text).await;
    }
    let mut granted = 0;
    loop {
        let reply = phone.receive().await;
        match reply.status() {
            200 => granted += 1,
            503 => {
                assert_eq!(reply.header("Retry-After"), retry_after, "{}", reply.text);
                return granted;
            }
            other => panic!("{other}"),
        }
    }
}

/// Calls a number again and again; gives how many of these calls were answered otherwise than by
/// 503.
async fn served_calls(phone: &mut SipPhone, number: &str) -> usize {
    for _ in 0..FLOOD {
        let text = invite(phone, number);
        phone.send(&text).await;
    }
    let mut served = HashSet::new();
    while let Ok(answer) = timeout(SILENCE, phone.receive()).await {
        let cseq = answer.header("CSeq");
        if answer.status() != 503 && cseq.ends_with("INVITE") {
            served.insert(cseq.to_owned());
        }
    }
    served.len()
}

fn invite(phone: &mut SipPhone, number: &str) -> String {
    phone.number = number.to_owned();
    phone.request("INVITE", &format!("sip:{number}@127.0.0.1"), "", "")
}

/// Waits until this many calls from an address (the end of their Call-ID) have come to the gateway.
/// None may come from a stranger's.
async fn calls_come(gateway: &UdpSocket, address: &str, count: usize, stranger: &str) {
    let mut come = HashSet::new();
    let mut call = vec![0; 65_536];
    while come.len() < count {
        let next = timeout(DEADLINE, gateway.recv(&mut call)).await;
        let length = next.expect("the call reaches the gateway").unwrap();
        let text = String::from_utf8(call[..length].to_vec()).unwrap();
        assert!(text.starts_with("INVITE sip:112@"), "{text}");
        let call = Reply { text };
        assert!(!call.header("Call-ID").ends_with(stranger), "{}", call.text);
        if call.header("Call-ID").ends_with(address) {
            come.insert(call.header("CSeq").to_owned());
        }
    }
}

/// A counter that a process has one of, as it stands in `/metrics`.
fn over_rate(answer: &str) -> u64 {
    let seen = metrics::recorder().render();
    let name = format!("selfprov_sip_requests_over_rate_total{{answer=\"{answer}\"}} ");
    let mut lines = seen.lines();
    let value = lines.find_map(|line| line.strip_prefix(&name));
    value.expect(&name).parse().unwrap()
}

#[tokio::test]
async fn a_throttled_phone_still_reaches_the_emergency_number_and_nothing_else() {
    let this = "a_throttled_phone_still_reaches_the_emergency_number_and_nothing_else";
    if !is_own_process(&format!("sip_limits::{this}")) {
        return;
    }
    metrics::recorder();
    let gateway = UdpSocket::bind("127.0.0.9:0").await.unwrap();
    let target = gateway.local_addr().unwrap().to_string();
    let server = server(&[], &target).await;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    assert_eq!((over_rate("503"), over_rate("none")), (0, 0));
    assert!(flood(&mut phone, "").await < 100);
    let served = served_calls(&mut phone, "0301234").await;
    assert!(served < 100, "{served} of {FLOOD}");
    assert!(over_rate("503") > 0);
    assert!(over_rate("none") > 0);

    // Many at once: the address has requests left for few of them.
    flood(&mut phone, "").await;
    for _ in 0..CALLS {
        let text = invite(&mut phone, "112");
        phone.send(&text).await;
    }
    calls_come(&gateway, "@127.0.0.1", CALLS, "@127.0.0.2").await;
    // Another address asks for the same number: it has no binding, so it has no privilege.
    let elsewhere = "127.0.0.2".parse().unwrap();
    let mut stranger = SipPhone::udp_at(server.sip_udp, MAC, elsewhere).await;
    flood(&mut stranger, RETRY_AFTER).await;
    let served = served_calls(&mut stranger, "112").await;
    assert!(served < 100, "{served} of {FLOOD}");
    // The phone at the third address does not notice.
    let third = "127.0.0.3".parse().unwrap();
    let mut other = SipPhone::udp_at(server.sip_udp, "0011AABBCC02", third).await;
    assert_eq!(other.register(120).await.status(), 200);
    let text = invite(&mut other, "112");
    other.send(&text).await;
    calls_come(&gateway, "@127.0.0.3", 1, "@127.0.0.2").await;
}

#[tokio::test]
async fn empty_lines_before_an_emergency_call_do_not_hide_it_in_a_flood() {
    let gateway = UdpSocket::bind("127.0.0.9:0").await.unwrap();
    let target = gateway.local_addr().unwrap().to_string();
    let server = server(&[], &target).await;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    phone.number = "112".to_owned();
    let invite = phone.request("INVITE", "sip:112@127.0.0.1", "", "");
    let invite = format!("\r\n\r\n{invite}");
    let mut call = vec![0; 65_536];
    // As a phone does over UDP: again until it is heard. Each time after so many other requests
    // that the address gets no answers any more.
    let came = timeout(DEADLINE, async {
        loop {
            for _ in 0..100 {
                let text = phone.request("OPTIONS", "sip:127.0.0.1", "", "");
                phone.send(&text).await;
            }
            phone.send(&invite).await;
            let heard = timeout(Duration::from_millis(500), gateway.recv(&mut call)).await;
            if let Ok(length) = heard {
                return length.unwrap();
            }
        }
    });
    let length = came.await.expect("the call reaches the gateway");
    assert!(call[..length].starts_with(b"INVITE sip:112@"));
}

#[tokio::test]
async fn a_pbx_that_is_known_by_name_may_send_a_multiple() {
    let pbx = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let target = format!("localhost:{}", pbx.local_addr().unwrap().port());
    let server = server(&[], &target).await;
    let elsewhere = "127.0.0.2".parse().unwrap();
    let mut phone = SipPhone::udp_at(server.sip_udp, MAC, elsewhere).await;
    assert_eq!(phone.register(120).await.status(), 200);
    phone.number = "112".to_owned();
    let invite = phone.request("INVITE", "sip:112@127.0.0.1", "", "");
    phone.send(&invite).await;
    // When this has come the name has been resolved.
    let mut call = vec![0; 65_536];
    let came = timeout(DEADLINE, pbx.recv(&mut call)).await;
    came.expect("the call reaches the PBX").unwrap();
    let mut pbx = SipPhone::tcp(server.sip_tcp, MAC).await;
    let granted = flood(&mut pbx, RETRY_AFTER).await;
    assert!((200..FLOOD).contains(&granted), "{granted}");
}

#[tokio::test]
async fn a_site_behind_nat_may_send_a_multiple() {
    let server = server(&["127.0.0.0/28"], "127.0.0.9:9").await;
    // Over TCP no answer is lost, however many come at once.
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    let granted = flood(&mut phone, RETRY_AFTER).await;
    assert!((200..FLOOD).contains(&granted), "{granted}");
}

#[tokio::test]
async fn an_address_over_its_rate_over_tcp_is_told_the_same() {
    let server = server(&[], "127.0.0.9:9").await;
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    assert!(flood(&mut phone, RETRY_AFTER).await < 100);
}

#[tokio::test]
async fn a_site_behind_nat_leaves_connections_to_others() {
    let test = TestApp::builder().settings(|settings| {
        settings.sip_connections_max = 40;
        settings.auto_registration.nat_networks = vec!["127.0.0.0/28".parse().unwrap()];
    });
    let server = TestServer::start_with(test.start(&Database::sqlite()).await).await;
    let connect = async |address: &str| {
        let address = address.parse().unwrap();
        SipPhone::tcp_at(server.sip_tcp, MAC, address).await
    };
    let is_served = async |phone: &mut SipPhone| {
        let text = phone.request("OPTIONS", "sip:127.0.0.1", "", "");
        phone.ask(&text).await.status() == 200
    };
    // A quarter is the site's, although 20 times 1,000 are more than all, and each of its addresses
    // has few.
    let mut held = Vec::new();
    for index in 0..10 {
        let mut phone = connect(&format!("127.0.0.{}", 1 + index % 4)).await;
        assert!(is_served(&mut phone).await);
        held.push(phone);
    }
    let (address, port) = (server.sip_tcp.ip(), server.sip_tcp.port());
    let mut further = TcpStream::connect((address, port)).await.unwrap();
    let closed = timeout(DEADLINE, further.read(&mut [0; 1])).await;
    assert!(matches!(closed, Ok(Ok(0) | Err(_))), "{closed:?}");
    for other in ["127.0.0.70", "127.0.0.71", "127.0.0.72"] {
        for _ in 0..10 {
            let mut phone = connect(other).await;
            assert!(is_served(&mut phone).await, "{other}");
            held.push(phone);
        }
    }
}

/// Sends `text` often, then asks from another address; gives how many answers there were.
async fn answers_to_a_flood_of(server: &TestServer, source: &str, text: &[u8]) -> usize {
    let flooder = UdpSocket::bind((source, 0)).await.unwrap();
    let mut watcher = SipPhone::udp_at(server.sip_udp, MAC, "127.0.0.77".parse().unwrap()).await;
    let mut answers = 0;
    let mut answer = [0; 1_500];
    for _ in 0..FLOOD {
        flooder.send_to(text, server.sip_udp).await.unwrap();
    }
    // What was sent before has been answered when this is.
    let text = watcher.request("OPTIONS", "sip:127.0.0.1", "", "");
    watcher.ask(&text).await;
    while flooder.try_recv(&mut answer).is_ok() {
        answers += 1;
    }
    answers
}

#[tokio::test]
async fn what_only_looks_like_a_response_counts_as_the_request_that_it_is() {
    let server = server(&[], "127.0.0.9:9").await;
    let text = b"SIP/x sip:a SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.4;rport;branch=z9hG4bK1\r\n\
        From: <sip:a@a>;tag=1\r\nTo: <sip:a@a>\r\nCall-ID: 1\r\nCSeq: 1 SIP/x\r\n\
        Content-Length: 0\r\n\r\n";
    let answers = answers_to_a_flood_of(&server, "127.0.0.4", text).await;
    assert!((1..100).contains(&answers), "{answers} of {FLOOD}");
}

#[tokio::test]
async fn a_request_that_only_says_the_emergency_number_is_no_emergency_call() {
    let server = server(&[], "127.0.0.9:9").await;
    let mut phone = SipPhone::udp_at(server.sip_udp, MAC, "127.0.0.5".parse().unwrap()).await;
    assert_eq!(phone.register(120).await.status(), 200);
    phone.number = "112".to_owned();
    phone.login = None;
    for method in ["INFO", "BYE", "ACK", "CANCEL"] {
        let text = phone.request(method, "sip:112@127.0.0.1", "", "");
        let text = text.replace(";branch=", ";rport;branch=");
        let text = text.as_bytes();
        let answers = answers_to_a_flood_of(&server, "127.0.0.5", text).await;
        assert!(answers < 100, "{answers} of {FLOOD} {method}");
    }
}
