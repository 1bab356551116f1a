//! Emergency calls while others keep the way busy.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use crate::calls::party::Party;
use crate::calls::party::phone;
use crate::calls::party::tcp_phone;
use crate::common::Database;
use crate::common::OwnLog;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::is_own_process;
use selfprov::service::settings::Settings;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;
use tokio::net::TcpListener;
use tokio::time::timeout;

const MAC: &str = "0011AABBCC01";

/// Emergency calls at once. One after another, with 4 s each for a connection that is not accepted,
/// they would take more than three times [`DEADLINE`].
const CALLS: usize = 20;

/// Longest wait for all answers.
const DEADLINE: Duration = Duration::from_secs(25);

/// How long a slow PBX says nothing at all: longer than anybody's patience was, far below the 32 s
/// of RFC 3261 clause 17.1.1.2.
const SLOW: Duration = Duration::from_secs(6);

async fn start_with(change: impl FnOnce(&mut Settings)) -> TestServer {
    let test = TestApp::builder().settings(|settings| {
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        change(settings);
    });
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

/// A PBX over TCP that waits for its first connection, and the server that will open it.
async fn start_with_tcp_pbx() -> (TestServer, TcpListener) {
    let listener = TcpListener::bind("127.0.0.8:0").await.unwrap();
    let target = format!("{};transport=tcp", listener.local_addr().unwrap());
    let target = target.parse().unwrap();
    let server = start_with(|settings| settings.calls.pbx = Some(target)).await;
    (server, listener)
}

async fn accepted(server: &TestServer, listener: &TcpListener) -> Party {
    let (stream, _) = timeout(DEADLINE, listener.accept()).await.unwrap().unwrap();
    Party::of_stream(stream, server.sip_tcp, "pbx")
}

#[tokio::test]
async fn a_call_waits_for_a_pbx_that_is_slow_to_answer() {
    let (server, listener) = start_with_tcp_pbx().await;
    let mut caller = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    for (number, call_id) in [("112", "slow-1"), ("0301234", "slow-2")] {
        caller.call(number, call_id).await;
    }
    let mut pbx = accepted(&server, &listener).await;
    let mut invites = vec![pbx.expect("INVITE").await, pbx.expect("INVITE").await];
    invites.sort_by_key(|invite| invite.header("Call-ID").to_owned());
    let given_up = timeout(SLOW, caller.expect("SIP/2.0")).await;
    assert!(given_up.is_err(), "{}", given_up.unwrap().text);
    for invite in &invites {
        pbx.answer(invite, "200 OK").await;
        let ok = caller.expect_status(200).await;
        assert_eq!(ok.header("Call-ID"), invite.header("Call-ID"));
        let dialog = Party::dialog_of_caller(&ok);
        let cseq = ok.header("CSeq").split(' ').next().unwrap();
        let cseq = cseq.parse().unwrap();
        caller.within(&dialog, "ACK", Some(cseq)).await;
        pbx.expect("ACK").await;
    }
}

/// A server that accepts no connection: its queue is full, so that further ones hang.
struct Blackhole {
    address: SocketAddr,
    listener: Socket,
    waiting: Vec<TcpStream>,
}

impl Blackhole {
    fn open() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.9:0".parse().unwrap();
        listener.bind(&any.into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let mut waiting = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(500)) {
            waiting.push(stream);
        }
        Self {
            address,
            listener,
            waiting,
        }
    }

    /// Accepts from now on; gives the first connection that is not its own.
    async fn accept(self) -> tokio::net::TcpStream {
        self.listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(self.listener.into()).unwrap();
        let own = self.waiting.iter().map(|own| own.local_addr().unwrap());
        let own: HashSet<SocketAddr> = own.collect();
        loop {
            let (stream, remote) = listener.accept().await.unwrap();
            if !own.contains(&remote) {
                return stream;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_not_queue_behind_one_another_when_the_pbx_accepts_no_connection() {
    let pbx = tokio::task::spawn_blocking(Blackhole::open).await.unwrap();
    let target = format!("{};transport=tcp", pbx.address);
    let test = TestApp::builder().settings(|settings| {
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        settings.calls.pbx = Some(target.parse().unwrap());
    });
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    for _ in 0..CALLS {
        phone.boot();
        phone.number = "112".to_owned();
        let text = phone.request("INVITE", "sip:112@127.0.0.1", "", "");
        phone.send(&text).await;
    }
    let mut refused = HashSet::new();
    let all = async {
        while refused.len() < CALLS {
            let reply = phone.receive().await;
            match reply.status() {
                0 | 100 => {}
                500 => drop(refused.insert(reply.header("CSeq").to_owned())),
                other => panic!("{other}: {}", reply.text),
            }
        }
    };
    let ended = timeout(DEADLINE, all).await;
    assert!(ended.is_ok(), "{} of {CALLS}", refused.len());
}

/// A gateway over UDP and a server that sends emergency calls and all others there.
async fn start_with_gateway() -> (TestServer, Party) {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let mut gateway = Party::udp(nobody, "127.0.0.8", "pbx").await;
    let target = gateway.local.to_string().parse().unwrap();
    let server = start_with(|settings| settings.calls.pbx = Some(target)).await;
    gateway.server = server.sip_udp;
    (server, gateway)
}

/// Calls this number until a call is refused, and gives that refusal.
async fn call_until_refused(caller: &mut Party, number: &str, most: usize) -> Reply {
    // As many at once as no buffer on the way is too small for.
    const AT_ONCE: usize = 100;
    for first in (0..most).step_by(AT_ONCE) {
        for index in first..first + AT_ONCE {
            let text = caller.invite(number, &format!("many-{index}"), "");
            caller.send(&text).await;
        }
        for _ in 0..AT_ONCE {
            let answer = caller.expect("SIP/2.0").await;
            if answer.status() >= 300 {
                return answer;
            }
        }
    }
    panic!("none of {most} calls was refused");
}

/// The first answer to this call.
async fn first_answer(caller: &mut Party, number: &str, call_id: &str) -> Reply {
    let text = caller.invite(number, call_id, "");
    caller.send(&text).await;
    caller.answer_to(call_id).await
}

#[tokio::test]
async fn one_that_stands_is_changed_however_many_calls_its_address_makes() {
    let (server, mut gateway) = start_with_gateway().await;
    let mut caller = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    let _rings = phone(&server, "127.0.0.3", "0011AABBCC02", "1012").await;
    caller.call("112", "stands").await;
    let invite = gateway.expect("INVITE").await;
    gateway.answer(&invite, "200 OK").await;
    let ok = caller.expect_status(200).await;
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = caller.last_cseq();
    caller.within(&dialog, "ACK", Some(cseq)).await;
    gateway.expect("ACK").await;
    call_until_refused(&mut caller, "1012", 1_200).await;
    caller.within(&dialog, "INVITE", None).await;
    assert_eq!(caller.answer_to("stands").await.status(), 100);
    let hold = gateway.expect("INVITE").await;
    assert_eq!(hold.header("Call-ID"), "stands");
}

#[tokio::test]
async fn a_phone_that_takes_all_the_room_leaves_some_to_the_others_at_its_address() {
    let (server, _gateway) = start_with_gateway().await;
    let mut greedy = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    let mut other = phone(&server, "127.0.0.2", "0011AABBCC02", "1012").await;
    let refused = call_until_refused(&mut greedy, "112", 2_200).await;
    assert_eq!(refused.header("Retry-After"), "", "{}", refused.text);
    let answer = first_answer(&mut other, "112", "others").await;
    assert_eq!(answer.status(), 100, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_does_not_inherit_the_connection_that_another_call_could_not_open() {
    let pbx = tokio::task::spawn_blocking(Blackhole::open).await.unwrap();
    let target = format!("{};transport=tcp", pbx.address).parse().unwrap();
    let server = start_with(|settings| settings.calls.pbx = Some(target)).await;
    let mut caller = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    // Both wait for the connection that the first one asked for, which nobody accepts in time.
    let ordinary = caller.call("0301234", "begins").await;
    let urgent = caller.call("112", "joins").await;
    let answer = caller.expect("SIP/2.0 5").await;
    assert_eq!(answer.header("Call-ID"), "begins", "{}", answer.text);
    caller.acknowledge_refusal(&ordinary, &answer).await;
    let stream = timeout(DEADLINE, pbx.accept()).await.unwrap();
    let mut pbx = Party::of_stream(stream, server.sip_tcp, "pbx");
    let invite = pbx.expect("INVITE").await;
    assert_eq!(invite.header("Call-ID"), "joins");
    pbx.answer(&invite, "200 OK").await;
    let ok = caller.expect_status(200).await;
    let cseq = Reply { text: urgent }.header("CSeq").to_owned();
    assert_eq!(ok.header("CSeq"), cseq);
}

#[tokio::test]
async fn a_target_that_is_down_is_not_told_as_if_we_were() {
    let refused = TcpListener::bind("127.0.0.8:0").await.unwrap();
    let target = format!("{};transport=tcp", refused.local_addr().unwrap());
    let target = target.parse().unwrap();
    drop(refused);
    let server = start_with(|settings| settings.calls.pbx = Some(target)).await;
    let mut caller = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    for number in ["112", "0301234"] {
        let invite = caller.call(number, &format!("down-{number}")).await;
        let down = caller.refused(&invite).await;
        // A 503 with Retry-After would keep the phone from asking us anything. Source: RFC 3261
        // clause 21.5.4.
        assert_eq!((down.status(), down.header("Retry-After")), (500, ""));
        assert!(down.header("Warning").contains("PBX"), "{}", down.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_told_once_a_minute_however_many_call() {
    let own =
        "emergency_calls::a_name_that_does_not_resolve_is_told_once_a_minute_however_many_call";
    if !is_own_process(own) {
        return;
    }
    let log = OwnLog::captured();
    // Source: RFC 6761 clause 6.4 (no name under it exists).
    let target = "pbx.nowhere.invalid:5060".parse().unwrap();
    let server = start_with(|settings| settings.calls.pbx = Some(target)).await;
    let mut caller = tcp_phone(&server, "127.0.0.2", MAC, "1011").await;
    let mut waiting = HashSet::new();
    for index in 0..50 {
        let call_id = format!("unresolved-{index}");
        let text = caller.invite("112", &call_id, "");
        caller.send(&text).await;
        waiting.insert(call_id);
    }
    while !waiting.is_empty() {
        let answer = caller.expect("SIP/2.0 ").await;
        if answer.status() >= 300 {
            waiting.remove(answer.header("Call-ID"));
        }
    }
    let log = String::from_utf8_lossy(&log.bytes()).into_owned();
    assert_eq!(log.matches("does not resolve").count(), 1, "{log}");
}

#[tokio::test]
async fn one_asserts_the_numbers_of_phones_at_its_address_and_nobody_elses() {
    let (server, mut gateway) = start_with_gateway().await;
    let mut caller = phone(&server, "127.0.0.2", MAC, "1011").await;
    let _other = phone(&server, "127.0.0.3", "0011AABBCC02", "1012").await;
    let asserted = "P-Asserted-Identity: <sip:1012@cm>\r\nRemote-Party-ID: <sip:1011@cm>\r\n";
    let text = caller.invite("112", "asserted", asserted);
    caller.send(&text).await;
    let invite = gateway.expect("INVITE").await;
    assert_eq!(invite.header("P-Asserted-Identity"), "");
    assert_eq!(invite.header("Remote-Party-ID"), "<sip:1011@cm>");
    // RFC 3325 clause 9.1: one of each scheme.
    let asserted = [
        ("<sip:1011@cm>, <tel:1011>", true),
        ("<tel:10-11;phone-context=site.example>", true),
        ("<sip:1011@cm>, <tel:1012>", false),
        ("<tel:+1011>", false),
    ];
    for (index, (asserted, is_kept)) in asserted.into_iter().enumerate() {
        let call_id = format!("asserted-{index}");
        let fields = format!("P-Asserted-Identity: {asserted}\r\n");
        let text = caller.invite("112", &call_id, &fields);
        caller.send(&text).await;
        let mut invite = gateway.expect("INVITE").await;
        while invite.header("Call-ID") != call_id {
            invite = gateway.expect("INVITE").await;
        }
        let expected = if is_kept { asserted } else { "" };
        assert_eq!(invite.header("P-Asserted-Identity"), expected, "{asserted}");
    }
}

#[tokio::test]
async fn an_odd_date_costs_one_nothing_from_its_answer_to_its_end() {
    const ODD: &str = "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n";
    let (server, mut gateway) = start_with_gateway().await;
    let mut caller = phone(&server, "127.0.0.2", MAC, "1011").await;
    let text = caller.invite("112", "odd-date", ODD);
    caller.send(&text).await;
    let invite = gateway.expect("INVITE").await;
    // The gateway's clock is no better. The caller gives up: what was sent is read again for that.
    let dated = |text: String| text.replace("Content-Length:", &format!("{ODD}Content-Length:"));
    let ringing = dated(gateway.answer_text(&invite, "180 Ringing"));
    gateway.send(&ringing).await;
    let ringing = caller.expect_status(180).await;
    assert_eq!(ringing.header("Date"), "Fri, 01 Jan 2010 16:00:00 EST");
    caller.send(&text.replacen("INVITE", "CANCEL", 2)).await;
    gateway.expect("CANCEL").await;
    let gone = dated(gateway.answer_text(&invite, "487 Request Terminated"));
    gateway.send(&gone).await;
    gateway.expect("ACK").await;
}

#[tokio::test]
async fn nothing_odd_in_it_gets_one_refused() {
    let (server, mut gateway) = start_with_gateway().await;
    let mut caller = phone(&server, "127.0.0.2", MAC, "1011").await;
    let odd = [
        ("INVITE sip:112@127.0.0.1 ", "INVITE tel:112 "),
        (
            "INVITE sip:112@127.0.0.1 ",
            "INVITE tel:1-12;phone-context=site.example ",
        ),
        ("INVITE sip:112@127.0.0.1 ", "INVITE urn:service:sos "),
        (
            "INVITE sip:112@127.0.0.1 ",
            "INVITE urn:service:sos.ambulance ",
        ),
        // What RFC 3261 clause 19.1.6 makes of the two tel URIs, and what some phones do.
        ("INVITE sip:112@127.0.0.1 ", "INVITE sip:1-1-2@127.0.0.1 "),
        (
            "INVITE sip:112@127.0.0.1 ",
            "INVITE sip:1-1-2@127.0.0.1;user=phone ",
        ),
        (
            "INVITE sip:112@127.0.0.1 ",
            "INVITE sip:112;phone-context=+49@127.0.0.1;user=phone ",
        ),
        (
            "INVITE sip:112@127.0.0.1 ",
            "INVITE sip:1%31(2);phone-context=site.example@127.0.0.1 ",
        ),
        ("X-Unknown:", "Proxy-Require: x-unknown\r\nX-Unknown:"),
        (
            "X-Unknown:",
            "Date: Sun, 22 Nov 2026 13:00:00 CET\r\nX-Unknown:",
        ),
        ("X-Unknown:", "Date: now\r\nX-Unknown:"),
    ];
    for (index, (usual, written)) in odd.iter().enumerate() {
        let call_id = format!("odd-{index}");
        let text = caller.invite("112", &call_id, "").replace(usual, written);
        caller.send(&text).await;
        let answer = caller.answer_to(&call_id).await;
        assert_eq!(answer.status(), 100, "{written}: {}", answer.text);
        let mut invite = gateway.expect("INVITE").await;
        while invite.header("Call-ID") != call_id {
            invite = gateway.expect("INVITE").await;
        }
        let line = format!("INVITE sip:112@{} SIP/2.0\r\n", gateway.local);
        assert!(invite.text.starts_with(&line), "{}", invite.text);
        gateway.answer(&invite, "486 Busy Here").await;
        gateway.expect("ACK").await;
        // Its ACK has the same Request-URI and is read like it: nothing is repeated.
        let busy = caller.refused(&text).await;
        assert_eq!(busy.status(), 486);
    }
    let heard = caller.heard().await;
    assert!(heard.iter().all(|heard| heard.status() < 400));
    // What is no emergency keeps its refusals.
    let (_, answer) = caller
        .try_call("0301234", "even", "Proxy-Require: x-unknown\r\n")
        .await;
    assert_eq!(answer.status(), 420);
    let (_, answer) = caller.try_call("0301234", "undated", "Date: now\r\n").await;
    assert_eq!(answer.status(), 400);
    assert!(answer.text.contains("400 Malformed Date header field"));
    let text = caller.invite("112", "other-urn", "");
    let text = text.replace(
        "INVITE sip:112@127.0.0.1 ",
        "INVITE urn:service:counseling ",
    );
    caller.send(&text).await;
    assert_eq!(caller.answer_to("other-urn").await.status(), 416);
}
