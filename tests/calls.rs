//! Calls through the proxy: who may call whom, and how calls begin and end. Clients write their own
//! SIP; those that are not ours are in `calls_outside.rs`.

pub(crate) mod party;

mod chaos;

mod tls;

use std::net::SocketAddr;

use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestServer;
use party::Dialog;
use party::Party;
use party::all;
use party::device;
use party::phone;
use party::tcp_phone;
use selfprov::service::settings::CallSettings;
use selfprov::service::settings::Settings;
use tokio::net::TcpListener;

const A: &str = "0011AABBCC0A";
const B: &str = "0011AABBCC0B";
const C: &str = "0011AABBCC0C";

async fn start() -> TestServer {
    start_with(|_| ()).await
}

async fn start_with(change: impl FnOnce(&mut CallSettings)) -> TestServer {
    let change = |settings: &mut Settings| change(&mut settings.calls);
    let test = TestApp::builder().settings(change);
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    TestServer::start_with(test).await
}

/// A PBX over UDP and a server that knows it.
async fn start_with_pbx(address: &str) -> (TestServer, Party) {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let mut pbx = Party::udp(nobody, address, "pbx").await;
    let target = pbx.local.to_string().parse().unwrap();
    let server = start_with(|calls| {
        calls.pbx = Some(target);
        calls.emergency_numbers = vec!["112".parse().unwrap()];
    })
    .await;
    pbx.server = server.sip_udp;
    (server, pbx)
}

/// Rings, answers and acknowledges: from the caller's INVITE to a call that stands.
async fn connect(caller: &mut Party, callee: &mut Party) -> (Dialog, Dialog) {
    let invite = callee.expect("INVITE").await;
    callee.answer(&invite, "180 Ringing").await;
    caller.expect_status(180).await;
    callee.answer(&invite, "200 OK").await;
    let ok = caller.expect_status(200).await;
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = ok.header("CSeq").split(' ').next().unwrap();
    caller
        .within(&dialog, "ACK", Some(cseq.parse().unwrap()))
        .await;
    callee.expect("ACK").await;
    (dialog, callee.dialog_of_callee(&invite))
}

async fn hang_up(one: &mut Party, dialog: &Dialog, other: &mut Party) {
    one.within(dialog, "BYE", None).await;
    let bye = other.expect("BYE").await;
    other.answer(&bye, "200 OK").await;
    let ok = one.expect_status(200).await;
    assert!(ok.header("CSeq").ends_with("BYE"), "{}", ok.text);
}

#[tokio::test]
async fn a_call_passes_through_and_only_what_a_proxy_must_change_is_changed() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tcp_phone(&server, "127.0.0.3", B, "1012").await;
    let sent = caller.call("1012", "call-1").await;
    let invite = callee.expect("INVITE").await;
    let uri = party::uri_in(&callee.contact());
    assert!(
        invite
            .text
            .starts_with(&format!("INVITE {uri} SIP/2.0\r\n"))
    );
    let vias = all(&invite, "Via");
    assert_eq!(vias.len(), 2);
    assert!(vias[0].starts_with(&format!("SIP/2.0/TCP {};", server.sip_tcp)));
    assert!(sent.contains(vias[1].split(";received").next().unwrap()));
    assert_eq!(invite.header("Max-Forwards"), "69");
    assert_eq!(invite.header("Proxy-Authorization"), "");
    assert!(invite.text.contains("X-Unknown: kept,  as is\r\n"));
    assert!(invite.text.ends_with("\r\n\r\nv=0\r\n"));
    // One Record-Route for each side, because they reach us by different transports.
    let routes = all(&invite, "Record-Route");
    assert!(routes[0].starts_with(&format!("<sip:{};transport=tcp;lr;", server.sip_tcp)));
    assert!(routes[1].starts_with(&format!("<sip:{};lr;", server.sip_udp)));

    callee.answer(&invite, "180 Ringing").await;
    let ringing = caller.expect_status(180).await;
    assert_eq!(all(&ringing, "Via").len(), 1);
    callee.answer(&invite, "200 OK").await;
    let ok = caller.expect_status(200).await;
    assert_eq!(all(&ok, "Record-Route"), routes);
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = caller.last_cseq();
    caller.within(&dialog, "ACK", Some(cseq)).await;
    let ack = callee.expect("ACK").await;
    assert!(ack.text.starts_with(&format!("ACK {uri} SIP/2.0\r\n")));
    assert_eq!(ack.header("Route"), "");
    hang_up(&mut caller, &dialog, &mut callee).await;
}

#[tokio::test]
async fn both_sides_can_change_and_end_a_call_and_a_lost_ack_is_made_good() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    caller.call("1012", "call-2").await;
    let (mut to_callee, mut to_caller) = connect(&mut caller, &mut callee).await;
    // Both on UDP: one Record-Route is enough.
    assert_eq!(to_callee.routes.len(), 1);
    callee.within(&to_caller, "INVITE", None).await;
    callee.expect_status(100).await;
    let hold = caller.expect("INVITE").await;
    assert_eq!(hold.header("Record-Route"), "");
    caller.answer(&hold, "200 OK").await;
    callee.expect_status(200).await;
    // Its ACK was lost: the answer comes again, and the ACK of that goes through.
    caller.answer(&hold, "200 OK").await;
    callee.expect_status(200).await;
    let cseq = callee.last_cseq();
    callee.within(&to_caller, "ACK", Some(cseq)).await;
    caller.expect("ACK").await;
    callee.within(&to_caller, "INFO", None).await;
    let info = caller.expect("INFO").await;
    caller.answer(&info, "415 Unsupported Media Type").await;
    callee.expect_status(415).await;
    // A phone whose proxy is a strict router writes us into the Request-URI.
    let target = std::mem::replace(&mut to_callee.target, party::uri_in(&to_callee.routes[0]));
    to_callee.routes = vec![format!("<{target}>")];
    caller.within(&to_callee, "UPDATE", None).await;
    let update = callee.expect("UPDATE").await;
    assert!(update.text.starts_with(&format!("UPDATE {target} ")));
    callee.answer(&update, "200 OK").await;
    caller.expect_status(200).await;
    // A strict router behind us is asked by its own name.
    to_caller.routes.push("<sip:strict.example>".to_owned());
    callee.within(&to_caller, "BYE", None).await;
    let bye = caller.expect("BYE").await;
    assert!(bye.text.starts_with("BYE sip:strict.example SIP/2.0\r\n"));
    assert_eq!(bye.header("Route"), format!("<{}>", to_caller.target));
    caller.answer(&bye, "200 OK").await;
    callee.expect_status(200).await;
}

#[tokio::test]
async fn a_connection_on_which_the_phone_proved_itself_needs_no_second_proof() {
    let server = start().await;
    let mut caller = tcp_phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let text = caller.invite("1012", "call-3", "");
    caller.send(&text).await;
    assert_eq!(caller.expect("SIP/2.0").await.status(), 100);
    let (dialog, _) = connect(&mut caller, &mut callee).await;
    hang_up(&mut caller, &dialog, &mut callee).await;
    // Another connection from the same address is nobody's yet.
    let mut other = Party::tcp(server.sip_tcp, "127.0.0.2", "1011").await;
    let (_, answer) = other.try_call("1012", "call-4", "").await;
    assert_eq!(answer.status(), 407);
}

#[tokio::test]
async fn a_busy_phone_is_busy_and_silence_between_retransmissions_disturbs_nothing() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let invite = caller.call("1012", "call-5").await;
    let received = callee.expect("INVITE").await;
    // The caller's retransmission is answered here and goes no further.
    caller.send(&invite).await;
    caller.expect_status(100).await;
    callee.answer(&received, "486 Busy Here").await;
    let ack = callee.expect("ACK").await;
    assert!(ack.header("To").contains(";tag=b"));
    let busy = caller.refused(&invite).await;
    assert_eq!(busy.status(), 486);
    assert!(callee.hears_nothing_of("INVITE").await);
    assert!(caller.hears_nothing_of("SIP/2.0 486").await);
    // The phone did not get our ACK and says it again.
    callee.answer(&received, "486 Busy Here").await;
    callee.expect("ACK").await;
}

#[tokio::test]
async fn a_caller_that_gives_up_ends_the_ringing() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tcp_phone(&server, "127.0.0.3", B, "1012").await;
    let invite = caller.call("1012", "call-6").await;
    let ringing = callee.expect("INVITE").await;
    callee.answer(&ringing, "180 Ringing").await;
    caller.expect_status(180).await;
    caller.follow(&invite, "CANCEL", None).await;
    let ok = caller.expect_status(200).await;
    assert!(ok.header("CSeq").ends_with("CANCEL"));
    let cancel = callee.expect("CANCEL").await;
    assert_eq!(cancel.header("Via"), all(&ringing, "Via")[0]);
    callee.answer(&cancel, "200 OK").await;
    callee.answer(&ringing, "487 Request Terminated").await;
    callee.expect("ACK").await;
    assert_eq!(caller.refused(&invite).await.status(), 487);
    // Nobody else can cancel, and there is nothing left to cancel.
    let mut other = Party::udp(server.sip_udp, "127.0.0.9", "1011").await;
    let theirs = invite.replace("branch=", "rport;branch=");
    other.follow(&theirs, "CANCEL", None).await;
    assert_eq!(other.expect("SIP/2.0").await.status(), 481);
}

#[tokio::test]
async fn a_caller_whose_connection_ends_while_it_rings_has_given_up() {
    let server = start().await;
    let mut caller = tcp_phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    caller.call("1012", "call-7").await;
    let ringing = callee.expect("INVITE").await;
    callee.answer(&ringing, "180 Ringing").await;
    caller.expect_status(180).await;
    drop(caller);
    let cancel = callee.expect("CANCEL").await;
    callee.answer(&cancel, "200 OK").await;
    callee.answer(&ringing, "487 Request Terminated").await;
    callee.expect("ACK").await;
}

#[tokio::test]
async fn all_phones_of_a_shared_line_ring_and_one_answers() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut one = phone(&server, "127.0.0.3", B, "1012").await;
    let mut two = tcp_phone(&server, "127.0.0.4", C, "1012").await;
    caller.call("1012", "call-8").await;
    let at_one = one.expect("INVITE").await;
    let at_two = two.expect("INVITE").await;
    one.answer(&at_one, "180 Ringing").await;
    two.answer(&at_two, "180 Ringing").await;
    caller.expect_status(180).await;
    caller.expect_status(180).await;
    two.answer(&at_two, "200 OK").await;
    let ok = caller.expect_status(200).await;
    let cancel = one.expect("CANCEL").await;
    assert!(cancel.header("Reason").contains("Call completed elsewhere"));
    one.answer(&cancel, "200 OK").await;
    one.answer(&at_one, "487 Request Terminated").await;
    one.expect("ACK").await;
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = caller.last_cseq();
    caller.within(&dialog, "ACK", Some(cseq)).await;
    two.expect("ACK").await;
    hang_up(&mut caller, &dialog, &mut two).await;
    // From one phone of the line to its number: the other one rings.
    one.call("1012", "call-9").await;
    two.expect("INVITE").await;
    assert!(one.hears_nothing_of("INVITE").await);
}

#[tokio::test]
async fn a_phone_whose_connection_ends_leaves_the_call_to_the_other() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut one = tcp_phone(&server, "127.0.0.3", B, "1012").await;
    let mut two = phone(&server, "127.0.0.4", C, "1012").await;
    caller.call("1012", "call-10").await;
    one.expect("INVITE").await;
    drop(one);
    let (dialog, _) = connect(&mut caller, &mut two).await;
    hang_up(&mut caller, &dialog, &mut two).await;
    drop(two);
    // The line has one phone left, which does not ring: its connection is gone.
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut alone = tcp_phone(&server, "127.0.0.3", B, "1012").await;
    let invite = caller.call("1012", "call-11").await;
    alone.expect("INVITE").await;
    drop(alone);
    assert_eq!(caller.refused(&invite).await.status(), 480);
}

#[tokio::test]
async fn calls_go_out_to_the_pbx_and_come_in_from_it() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut phone = tcp_phone(&server, "127.0.0.2", A, "1011").await;
    phone.call("0301234", "call-12").await;
    let invite = pbx.expect("INVITE").await;
    let uri = format!("INVITE sip:0301234@{} SIP/2.0\r\n", pbx.local);
    assert!(invite.text.starts_with(&uri), "{}", invite.text);
    pbx.answer(&invite, "180 Ringing").await;
    phone.expect_status(180).await;
    pbx.answer(&invite, "200 OK").await;
    let ok = phone.expect_status(200).await;
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = phone.last_cseq();
    phone.within(&dialog, "ACK", Some(cseq)).await;
    pbx.expect("ACK").await;
    let to_phone = pbx.dialog_of_callee(&invite);
    hang_up(&mut pbx, &to_phone, &mut phone).await;

    // In: nobody asks the PBX who it is, and any number may be in its From.
    pbx.call("1011", "call-13").await;
    let (dialog, _) = connect(&mut pbx, &mut phone).await;
    hang_up(&mut pbx, &dialog, &mut phone).await;
    // What is not here does not go back to where it came from.
    let (_, answer) = pbx.try_call("0301234", "call-14", "").await;
    assert_eq!(answer.status(), 404);
}

#[tokio::test]
async fn one_connection_to_the_pbx_is_opened_and_used_again() {
    let listener = TcpListener::bind("127.0.0.8:0").await.unwrap();
    let target = format!("sip:{};transport=tcp", listener.local_addr().unwrap());
    let target = target.parse().unwrap();
    let server = start_with(|calls| calls.pbx = Some(target)).await;
    let mut phone = phone(&server, "127.0.0.2", A, "1011").await;
    phone.call("2000", "call-15").await;
    let (stream, _) = listener.accept().await.unwrap();
    let mut pbx = Party::of_stream(stream, server.sip_tcp, "pbx");
    let (dialog, to_phone) = connect(&mut phone, &mut pbx).await;
    assert!(to_phone.routes[0].contains(&server.sip_tcp.to_string()));
    phone.call("2001", "call-16").await;
    let (second, _) = connect(&mut phone, &mut pbx).await;
    hang_up(&mut phone, &second, &mut pbx).await;
    // The PBX calls on the same connection, and the connection can be replaced within a call.
    pbx.call("1011", "call-17").await;
    phone.expect("INVITE").await;
    drop(pbx);
    phone.expect("INVITE").await;
    phone.within(&dialog, "BYE", None).await;
    let (stream, _) = listener.accept().await.unwrap();
    let mut pbx = Party::of_stream(stream, server.sip_tcp, "pbx");
    let bye = pbx.expect("BYE").await;
    pbx.answer(&bye, "200 OK").await;
    phone.expect_status(200).await;
}

#[tokio::test]
async fn the_pbx_asks_silent_phones_more_than_one_address_may() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut silent = tcp_phone(&server, "127.0.0.2", A, "1011").await;
    pbx.call("1011", "call-55").await;
    let (dialog, _) = connect(&mut pbx, &mut silent).await;
    // Each waits 32 s for an answer that does not come.
    for _ in 0..14 {
        for _ in 0..50 {
            pbx.within(&dialog, "INFO", None).await;
        }
        let heard = pbx.heard().await;
        assert!(heard.iter().all(|heard| heard.status() != 503));
    }
}

#[tokio::test]
async fn a_phone_that_only_claims_to_be_at_the_address_of_the_pbx_does_not_shut_it_out() {
    let (server, pbx) = start_with_pbx("127.0.0.8").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let mut forged = unclaimed(&server, "127.0.0.8", A).await;
    // The PBX from another port, over UDP and TCP.
    let mut over_udp = Party::udp(server.sip_udp, "127.0.0.8", "pbx").await;
    let mut over_tcp = Party::tcp(server.sip_tcp, "127.0.0.8", "pbx").await;
    for (pbx, call_id) in [(&mut over_udp, "call-50"), (&mut over_tcp, "call-51")] {
        pbx.call("1012", call_id).await;
        let (dialog, _) = connect(pbx, &mut callee).await;
        hang_up(pbx, &dialog, &mut callee).await;
    }
    // What registered so is still only a phone that waits, and may call for help.
    let text = forged.invite("1012", "call-52", "");
    forged.send(&text).await;
    assert_eq!(forged.answer_to("call-52").await.status(), 403);
    forged.call("112", "call-53").await;
    // A phone there that has proven itself has to, from wherever it calls.
    let name = device(&server, C, "1013").await;
    let proven = Party::udp(server.sip_udp, "127.0.0.8", "1013").await;
    let _proven = proven.register(&name).await;
    let (_, answer) = over_udp.try_call("1012", "call-54", "").await;
    assert_eq!(answer.status(), 407);
    drop(pbx);
}

#[tokio::test]
async fn the_setting_redirects_and_without_a_pbx_a_number_is_not_found() {
    let server = start_with(|calls| {
        calls.pbx = Some("sip:pbx.example:5070;transport=tcp".parse().unwrap());
        calls.pbx_redirects = true;
        calls.ivr_number = Some("8999".parse().unwrap());
    })
    .await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let (invite, answer) = caller.try_call("2000", "call-20", "").await;
    assert_eq!(answer.status(), 302);
    let contact = "<sip:2000@pbx.example:5070;transport=tcp>";
    assert_eq!(answer.header("Contact"), contact);
    caller.acknowledge_refusal(&invite, &answer).await;
    let (_, answer) = caller.try_call("8999", "call-21", "").await;
    assert_eq!(answer.status(), 480);
    assert!(answer.header("Warning").contains("dialogue"));

    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let (_, answer) = caller.try_call("2000", "call-22", "").await;
    assert_eq!(answer.status(), 404);
    assert!(answer.header("Warning").contains("calls.pbx"));
}

#[tokio::test]
async fn nobody_calls_with_a_number_or_secret_that_is_not_theirs() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    // Its own secret, another's number.
    caller.number = "1012".to_owned();
    let (_, answer) = caller.try_call("1012", "call-23", "").await;
    assert_eq!(answer.status(), 403);
    caller.number = "1011".to_owned();
    // Another's name with its own secret works, because all test phones have one secret: so the
    // name has to be one whose lines do not have the number.
    caller.name = format!("SEP{B}");
    let (_, answer) = caller.try_call("1012", "call-24", "").await;
    assert_eq!(answer.status(), 403);
    caller.name = format!("SEP{C}");
    let (_, answer) = caller.try_call("1012", "call-25", "").await;
    assert_eq!(answer.status(), 403);
    caller.name = format!("SEP{A}");
    // The same credentials serve once.
    let (text, answer) = caller.try_call("1012", "call-26", "").await;
    assert_eq!(answer.status(), 100);
    callee.expect("INVITE").await;
    let replayed = text
        .replace("call-26", "call-27")
        .replace("branch=z9hG4bK", "branch=z9hG4bKr");
    caller.send(&replayed).await;
    assert_eq!(caller.expect_status(407).await.header("Call-ID"), "call-27");
    // A stranger is asked for proof whatever number it claims, so it learns no numbers.
    let mut stranger = Party::udp(server.sip_udp, "127.0.0.9", "1011").await;
    for number in ["1011", "7777"] {
        number.clone_into(&mut stranger.number);
        let (_, answer) = stranger.try_call("1012", "call-28", "").await;
        assert_eq!(answer.status(), 407);
    }
    // An asserted identity that is another's is taken out.
    let asserted = "P-Asserted-Identity: <sip:1012@cm>\r\nRemote-Party-ID: <sip:1011@cm>\r\n";
    caller.try_call("1012", "call-29", asserted).await;
    let mut invite = callee.expect("INVITE").await;
    while invite.header("Call-ID") != "call-29" {
        invite = callee.expect("INVITE").await;
    }
    assert_eq!(invite.header("P-Asserted-Identity"), "");
    assert_eq!(invite.header("Remote-Party-ID"), "<sip:1011@cm>");
}

/// A phone that waits to be claimed, registered without a secret.
async fn unclaimed(server: &TestServer, address: &str, mac: &str) -> Party {
    let mut phone = Party::udp(server.sip_udp, address, "AUTO-REG").await;
    phone.name = format!("SEP{mac}");
    assert_eq!(phone.try_register("").await.status(), 200);
    let known = server.test.app.phones.find(&phone.name.parse().unwrap());
    phone.number = known.unwrap().phone.lines[0].pattern.to_string();
    phone
}

#[tokio::test]
async fn an_unclaimed_phone_calls_for_help_and_nobody_else() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let mut waiting = unclaimed(&server, "127.0.0.2", A).await;
    for number in ["1012", "0301234"] {
        let text = waiting.invite(number, "call-30", "");
        waiting.send(&text).await;
        let answer = waiting.expect("SIP/2.0").await;
        assert_eq!(answer.status(), 403, "{number}: {}", answer.text);
    }
    // Not asked for proof, whatever it says in From.
    for (from, call_id) in [("1000", "call-31"), ("anonymous", "call-32")] {
        from.clone_into(&mut waiting.number);
        waiting.call("112", call_id).await;
        let mut invite = pbx.expect("INVITE").await;
        while invite.header("Call-ID") != call_id {
            invite = pbx.expect("INVITE").await;
        }
        assert!(
            invite
                .text
                .starts_with(&format!("INVITE sip:112@{} ", pbx.local))
        );
        pbx.answer(&invite, "200 OK").await;
        let ok = waiting.expect_status(200).await;
        let dialog = Party::dialog_of_caller(&ok);
        let cseq = waiting.last_cseq();
        waiting.within(&dialog, "ACK", Some(cseq)).await;
        pbx.expect("ACK").await;
        hang_up(&mut waiting, &dialog, &mut pbx).await;
    }
    // A stranger at another address has no binding and must prove itself.
    let mut stranger = Party::udp(server.sip_udp, "127.0.0.9", "1000").await;
    let (_, answer) = stranger.try_call("112", "call-33", "").await;
    assert_eq!(answer.status(), 407);
    assert!(callee.hears_nothing_of("INVITE").await);
}

#[tokio::test]
async fn a_phone_whose_address_is_over_every_rate_still_calls_for_help() {
    let nobody: SocketAddr = "127.0.0.1:9".parse().unwrap();
    let mut pbx = Party::udp(nobody, "127.0.0.8", "pbx").await;
    let target = pbx.local.to_string().parse().unwrap();
    let test = TestApp::builder().settings(|settings| {
        settings.calls.emergency_target = Some(target);
        settings.calls.emergency_numbers = vec!["112".parse().unwrap()];
        settings.sip_requests_per_source_s = 1;
    });
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    pbx.server = server.sip_udp;
    let mut waiting = unclaimed(&server, "127.0.0.2", A).await;
    // Until nothing is answered at all any more: more than ten seconds' worth and the refusals.
    let mut refused = 0;
    for index in 0..200 {
        let text = waiting.invite("1012", &format!("flood-{index}"), "");
        waiting.send(&text).await;
    }
    while refused < 20 {
        let answer = waiting.expect("SIP/2.0").await;
        refused += u32::from(answer.status() == 503);
    }
    waiting.call("112", "call-46").await;
    let invite = pbx.expect("INVITE").await;
    pbx.answer(&invite, "200 OK").await;
    let ok = waiting.expect_status(200).await;
    let dialog = Party::dialog_of_caller(&ok);
    let cseq = waiting.last_cseq();
    waiting.within(&dialog, "ACK", Some(cseq)).await;
    pbx.expect("ACK").await;
    hang_up(&mut waiting, &dialog, &mut pbx).await;
}

#[tokio::test]
async fn an_emergency_number_without_a_target_is_refused_with_the_reason() {
    let server = start_with(|calls| calls.emergency_numbers = vec!["112".parse().unwrap()]).await;
    let mut waiting = unclaimed(&server, "127.0.0.2", A).await;
    let (_, answer) = waiting.try_call("112", "call-34", "").await;
    assert_eq!(answer.status(), 480);
    assert!(answer.header("Warning").contains("emergency target"));
}

#[tokio::test]
async fn nobody_is_taken_anywhere_by_a_route_of_their_own() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut victim = Party::udp(server.sip_udp, "127.0.0.7", "victim").await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let elsewhere = format!("Route: <sip:{};lr>\r\n", victim.local);
    let own = format!("Route: <sip:{};lr>\r\n", server.sip_udp);
    let (_, answer) = caller.try_call("1012", "call-35", &elsewhere).await;
    assert_eq!(answer.status(), 403);
    let (_, answer) = caller
        .try_call("1012", "call-36", &format!("{own}{elsewhere}"))
        .await;
    assert_eq!(answer.status(), 403);
    // Our own address is what a phone writes that has us as its outbound proxy.
    caller.try_call("1012", "call-37", &own).await;
    let (dialog, _) = connect(&mut caller, &mut callee).await;

    // The token of a call serves this call and its two ends only.
    let mut stranger = Party::udp(server.sip_udp, "127.0.0.9", "x").await;
    stranger.within(&dialog, "BYE", None).await;
    assert_eq!(stranger.expect("SIP/2.0").await.status(), 403);
    let mut other_call = dialog.clone();
    other_call.call_id = "call-38".to_owned();
    let mut invented = dialog.clone();
    let (head, token) = dialog.routes[0].rsplit_once('=').unwrap();
    invented.routes[0] = format!("{head}=A{}", &token[1..]);
    for (bad, name) in [
        (&other_call, "another call"),
        (&invented, "an invented token"),
    ] {
        for method in ["BYE", "INVITE", "MESSAGE", "REFER"] {
            caller.within(bad, method, None).await;
            let answer = caller.expect("SIP/2.0").await;
            assert_eq!(answer.status(), 403, "{method} with {name}");
        }
        caller.within(bad, "ACK", None).await;
    }
    // With a right token the rest of the Route and the Request-URI lead nowhere else.
    let mut bent = dialog.clone();
    bent.target = format!("sip:x@{}", victim.local);
    bent.routes.push(format!("<sip:{};lr>", victim.local));
    caller.within(&bent, "INFO", None).await;
    let info = callee.expect("INFO").await;
    callee.answer(&info, "200 OK").await;
    caller.expect_status(200).await;
    assert!(victim.hears_nothing_of("INFO").await);
    assert!(pbx.hears_nothing_of("INVITE").await);
    hang_up(&mut caller, &dialog, &mut callee).await;
}

#[tokio::test]
async fn loops_hops_breadth_and_unknown_extensions_are_answered_as_the_rfcs_say() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = phone(&server, "127.0.0.3", B, "1012").await;
    let text = caller.invite("1012", "call-39", "");
    let text = text.replace("Max-Forwards: 70", "Max-Forwards: 0");
    caller.send(&text).await;
    assert_eq!(caller.expect("SIP/2.0").await.status(), 483);
    let extension = "Proxy-Require: privacy, x-unknown\r\n";
    let (_, answer) = caller.try_call("1012", "call-40", extension).await;
    assert_eq!(answer.status(), 420);
    assert_eq!(answer.header("Unsupported"), "privacy, x-unknown");
    let (_, answer) = caller
        .try_call("1012", "call-41", "Max-Breadth: 0\r\n")
        .await;
    assert_eq!(answer.status(), 440);
    // What the callee has to know is not ours to refuse.
    let extension = "Require: 100rel\r\nMax-Breadth: 7\r\n";
    let (_, answer) = caller.try_call("1012", "call-42", extension).await;
    assert_eq!(answer.status(), 100);
    let invite = callee.expect("INVITE").await;
    assert_eq!(
        (invite.header("Require"), invite.header("Max-Breadth")),
        ("100rel", "7")
    );
    // Within a call that is not ours.
    let text = caller.invite("1012", "call-43", "");
    caller
        .send(&text.replace("To: <sip:1012@127.0.0.1>", "To: <sip:1012@127.0.0.1>;tag=x"))
        .await;
    let mut answer = caller.expect("SIP/2.0").await;
    while answer.header("Call-ID") != "call-43" {
        answer = caller.expect("SIP/2.0").await;
    }
    assert_eq!(answer.status(), 481);
    // A PBX that sends a call for a phone here back to us: once around is enough.
    let to_us = pbx.invite("1012", "call-44", "");
    pbx.send(&to_us).await;
    let mut at_callee = callee.expect("INVITE").await;
    while at_callee.header("Call-ID") != "call-44" {
        at_callee = callee.expect("INVITE").await;
    }
    let our_via = all(&at_callee, "Via").remove(0);
    let looped = to_us.replacen("Via: ", &format!("Via: {our_via}\r\nVia: "), 1);
    let looped = looped.replacen(
        &our_via,
        &format!(
            "SIP/2.0/UDP {};branch=z9hG4bKloop\r\nVia: {our_via}",
            pbx.local
        ),
        1,
    );
    pbx.send(&looped).await;
    let mut answer = pbx.expect("SIP/2.0").await;
    while answer.status() < 200 {
        answer = pbx.expect("SIP/2.0").await;
    }
    assert_eq!(answer.status(), 482, "{}", answer.text);
}

#[tokio::test]
async fn a_line_in_a_partition_is_called_by_those_whose_search_space_has_it() {
    let server = start().await;
    let app = &server.test.app;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let name = device(&server, B, "1012").await;
    let partition = app.new_pkid();
    app.phones.update(&name.parse().unwrap(), |known| {
        let mut changed = known.clone();
        changed.phone.lines[0].route_partition = partition;
        Some(changed)
    });
    let mut callee = Party::udp(server.sip_udp, "127.0.0.3", "1012").await;
    callee = callee.register(&name).await;
    let (_, answer) = caller.try_call("1012", "call-45", "").await;
    assert_eq!(answer.status(), 404);
    assert!(callee.hears_nothing_of("INVITE").await);
}
