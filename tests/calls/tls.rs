//! Calls of phones that signal over TLS. None of them listens anywhere: what reaches one came on
//! the connection that it opened itself.

use super::A;
use super::B;
use super::C;
use super::connect;
use super::hang_up;
use super::party;
use super::party::Dialog;
use super::party::Party;
use super::party::all;
use super::party::phone;
use super::party::tcp_phone;
use super::party::tls_phone;
use super::start;
use super::start_with_pbx;

/// Our addresses in the routes of a dialog, with what precedes the signed parameter.
fn routes(dialog: &Dialog) -> Vec<&str> {
    let routes = dialog.routes.iter();
    routes
        .map(|route| route.split(";lr;").next().unwrap())
        .collect()
}

#[tokio::test]
async fn two_phones_on_tls_talk_on_their_own_connections_from_ringing_to_bye() {
    let server = start().await;
    let mut caller = tls_phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tls_phone(&server, "127.0.0.3", B, "1012").await;
    // The connection on which a phone proved itself is its proof. The phone has us as its outbound
    // proxy, on the port on which phones reach us.
    let advertised = &server.test.app.settings.advertised;
    let (host, port) = (&advertised.host, advertised.sip_secure_port);
    let outbound = format!("Route: <sip:{host}:{port};transport=tls;lr>\r\n");
    let text = caller.invite("1012", "tls-1", &outbound);
    caller.send(&text).await;
    assert_eq!(caller.expect("SIP/2.0").await.status(), 100);
    let invite = callee.expect("INVITE").await;
    let target = party::uri_in(&callee.contact());
    assert!(target.ends_with(";transport=tls"));
    assert!(invite.text.starts_with(&format!("INVITE {target} ")));
    let vias = all(&invite, "Via");
    assert!(vias[0].starts_with(&format!("SIP/2.0/TLS {};", server.sip_tls)));
    assert!(vias[1].starts_with(&format!("SIP/2.0/TLS {};", caller.local)));
    callee.answer(&invite, "180 Ringing").await;
    caller.expect_status(180).await;
    callee.answer(&invite, "200 OK").await;
    let ok = caller.expect_status(200).await;
    let to_callee = Party::dialog_of_caller(&ok);
    let to_caller = callee.dialog_of_callee(&invite);
    // Both reach us in the same way.
    let own = format!("<sip:{};transport=tls", server.sip_tls);
    assert_eq!(routes(&to_callee), [own.as_str()]);
    assert_eq!(routes(&to_caller), [own.as_str()]);
    let cseq = caller.last_cseq();
    caller.within(&to_callee, "ACK", Some(cseq)).await;
    callee.expect("ACK").await;

    // A change of the call by the one who was called, and a question by the one who called.
    callee.within(&to_caller, "INVITE", None).await;
    let hold = caller.expect("INVITE").await;
    assert!(all(&hold, "Via")[0].starts_with("SIP/2.0/TLS "));
    caller.answer(&hold, "200 OK").await;
    callee.expect_status(200).await;
    let cseq = callee.last_cseq();
    callee.within(&to_caller, "ACK", Some(cseq)).await;
    caller.expect("ACK").await;
    caller.within(&to_callee, "INFO", None).await;
    let info = callee.expect("INFO").await;
    callee.answer(&info, "200 OK").await;
    caller.expect_status(200).await;
    hang_up(&mut callee, &to_caller, &mut caller).await;
}

#[tokio::test]
async fn a_phone_on_tls_and_one_on_another_transport_each_get_a_route_of_their_own() {
    let server = start().await;
    let mut secure = tls_phone(&server, "127.0.0.2", A, "1011").await;
    let over_udp = phone(&server, "127.0.0.3", B, "1012").await;
    let over_tcp = tcp_phone(&server, "127.0.0.4", C, "1013").await;
    let of_tls = format!("<sip:{};transport=tls", server.sip_tls);
    let of_udp = format!("<sip:{}", server.sip_udp);
    let of_tcp = format!("<sip:{};transport=tcp", server.sip_tcp);
    for (mut other, of_other, call_id) in [(over_udp, of_udp, "tls-2"), (over_tcp, of_tcp, "tls-3")]
    {
        let number = other.number.clone();
        // In both directions, and each side ends a call.
        secure.call(&number, call_id).await;
        let (from_secure, from_other) = connect(&mut secure, &mut other).await;
        assert_eq!(routes(&from_secure), [of_tls.as_str(), of_other.as_str()]);
        assert_eq!(routes(&from_other), [of_other.as_str(), of_tls.as_str()]);
        hang_up(&mut other, &from_other, &mut secure).await;
        other.call("1011", &format!("{call_id}-back")).await;
        let (from_other, from_secure) = connect(&mut other, &mut secure).await;
        assert_eq!(routes(&from_secure), [of_tls.as_str(), of_other.as_str()]);
        assert_eq!(routes(&from_other), [of_other.as_str(), of_tls.as_str()]);
        hang_up(&mut secure, &from_secure, &mut other).await;
    }
}

#[tokio::test]
async fn calls_of_a_phone_on_tls_go_to_the_pbx_and_come_from_it() {
    let (server, mut pbx) = start_with_pbx("127.0.0.8").await;
    let mut secure = tls_phone(&server, "127.0.0.2", A, "1011").await;
    secure.call("0301234", "tls-4").await;
    let (_, from_pbx) = connect(&mut secure, &mut pbx).await;
    hang_up(&mut pbx, &from_pbx, &mut secure).await;
    pbx.call("1011", "tls-5").await;
    let (from_pbx, _) = connect(&mut pbx, &mut secure).await;
    hang_up(&mut pbx, &from_pbx, &mut secure).await;
}

#[tokio::test]
async fn a_caller_on_tls_gives_up_and_a_phone_on_tls_stops_ringing() {
    let server = start().await;
    let mut caller = tls_phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tls_phone(&server, "127.0.0.3", B, "1012").await;
    let invite = caller.call("1012", "tls-6").await;
    let ringing = callee.expect("INVITE").await;
    callee.answer(&ringing, "180 Ringing").await;
    caller.expect_status(180).await;
    caller.follow(&invite, "CANCEL", None).await;
    assert!(
        caller
            .expect_status(200)
            .await
            .header("CSeq")
            .ends_with("CANCEL")
    );
    let cancel = callee.expect("CANCEL").await;
    assert_eq!(cancel.header("Via"), all(&ringing, "Via")[0]);
    callee.answer(&cancel, "200 OK").await;
    callee.answer(&ringing, "487 Request Terminated").await;
    callee.expect("ACK").await;
    assert_eq!(caller.refused(&invite).await.status(), 487);
}

#[tokio::test]
async fn a_call_outlives_the_connection_of_a_phone_that_registers_again_and_no_other() {
    let server = start().await;
    let mut caller = phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tls_phone(&server, "127.0.0.3", B, "1012").await;
    caller.call("1012", "tls-7").await;
    let (to_callee, _) = connect(&mut caller, &mut callee).await;
    // While the connection is gone nobody is asked elsewhere.
    let name = callee.name.clone();
    drop(callee);
    let nowhere = loop {
        caller.within(&to_callee, "INFO", None).await;
        let answer = caller.expect("SIP/2.0").await;
        if answer.header("CSeq").ends_with("INFO") {
            break answer;
        }
    };
    assert_eq!(nowhere.status(), 480, "{}", nowhere.text);
    let again = Party::tls(&server, "127.0.0.3", "1012").await;
    let mut again = again.register(&name).await;
    hang_up(&mut caller, &to_callee, &mut again).await;
}

#[tokio::test]
async fn who_asks_for_sips_gets_tls_on_every_hop_or_no_call() {
    let (server, pbx) = start_with_pbx("127.0.0.8").await;
    let mut caller = tls_phone(&server, "127.0.0.2", A, "1011").await;
    let mut callee = tls_phone(&server, "127.0.0.3", B, "1012").await;
    let over_udp = phone(&server, "127.0.0.4", C, "1013").await;
    let sips = |text: String| text.replacen("INVITE sip:", "INVITE sips:", 1);
    let text = sips(caller.invite("1012", "tls-8", ""));
    caller.send(&text).await;
    let (to_callee, to_caller) = connect(&mut caller, &mut callee).await;
    let own = format!("<sips:{}", server.sip_tls);
    assert_eq!(routes(&to_callee), [own.as_str()]);
    assert_eq!(routes(&to_caller), [own.as_str()]);
    hang_up(&mut callee, &to_caller, &mut caller).await;
    // A phone without TLS and a PBX are not reached, nor does one without TLS get so far.
    for number in ["1013", "0301234"] {
        let text = sips(caller.invite(number, "tls-9", ""));
        caller.send(&text).await;
        assert_eq!(caller.refused(&text).await.status(), 416, "{number}");
    }
    for mut party in [over_udp, pbx] {
        assert!(party.hears_nothing_of("INVITE").await);
    }
    let mut in_clear = tcp_phone(&server, "127.0.0.5", "0011AABBCC0D", "1014").await;
    let text = sips(in_clear.invite("1012", "tls-10", ""));
    in_clear.send(&text).await;
    assert_eq!(in_clear.refused(&text).await.status(), 416);
    assert!(callee.hears_nothing_of("INVITE").await);
}
