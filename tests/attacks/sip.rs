//! The registrar: identities that are not one's own, bindings that are not one's own.

use crate::common::Database;
use crate::common::SipPhone;
use crate::common::for_each_database;
use crate::site::ATTACKER;
use crate::site::STRANGER;
use crate::site::Site;
use crate::site::VICTIM;
use crate::site::element;

/// What is bound to the victim, as memory has it.
fn bound(site: &Site) -> String {
    let name = VICTIM.name().parse().unwrap();
    format!("{:?}", site.test().app.locations.of_device(&name))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_its_own_secret_gets_nothing_of_anothers() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        let victim = site.settled(VICTIM).await;
        let mut attacker = site.settled(ATTACKER).await;
        let own_number = attacker.number.clone();
        let before = site.contents().await.without_histories();
        let bound_before = bound(&site);

        for number in [victim.number.as_str(), "1004"] {
            attacker.number = number.to_owned();
            let reply = attacker.register(120).await;
            assert_eq!(reply.status(), 403, "{}", reply.text);
            assert!(reply.header("Warning").contains("directoryNumberMismatch"));
        }
        // The victim's name, with and without the victim's instance and number.
        for (mac, number) in [
            (ATTACKER.mac, own_number.as_str()),
            (VICTIM.mac, own_number.as_str()),
            (VICTIM.mac, victim.number.as_str()),
            ("", victim.number.as_str()),
        ] {
            attacker.name = VICTIM.name();
            attacker.mac = mac.to_owned();
            attacker.number = number.to_owned();
            for expires_s in [120, 0] {
                let reply = attacker.register(expires_s).await;
                assert_eq!(reply.status(), 403, "{}", reply.text);
            }
            let headers = "Contact: *\r\nExpires: 0\r\n";
            let text = attacker.request("REGISTER", "sip:127.0.0.1", headers, "");
            let reply = attacker.ask(&text).await;
            assert_ne!(reply.status(), 0, "{}", reply.text);
        }
        // Its own name and the victim's number, to take the victim's binding back.
        attacker.name = ATTACKER.name();
        attacker.mac = ATTACKER.mac.to_owned();
        attacker.number.clone_from(&victim.number);
        attacker.register(0).await;

        assert_eq!(bound(&site), bound_before);
        assert_eq!(site.contents().await.without_histories(), before);
        let refused = "SELECT COUNT(*) FROM timeline WHERE event = 'registration_refused'";
        assert!(site.test().count(refused).await >= 2, "both are told");
        attacker.number = own_number;
        assert_eq!(attacker.register(120).await.status(), 200, "it is unharmed");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_cannot_take_move_end_or_restart_anothers_registration() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        let victim = site.settled(VICTIM).await;
        let before = site.contents().await.without_histories();
        let bound_before = bound(&site);
        let stranger = STRANGER.parse().unwrap();
        let mut forger = SipPhone::udp_at(site.server.sip_udp, VICTIM.mac, stranger).await;
        forger.number.clone_from(&victim.number);
        // Even with the Call-ID of the victim's registration.
        for call_id in [forger.call_id.clone(), victim.call_id.clone()] {
            forger.call_id = call_id;
            for expires_s in [120, 0] {
                let reply = forger.register(expires_s).await;
                assert_eq!(reply.status(), 401, "{}", reply.text);
                let name = VICTIM.name();
                let reply = forger.register_as(&name, "a guess", expires_s).await;
                assert_eq!(reply.status(), 401, "{}", reply.text);
                forger.login = None;
            }
        }
        let xml = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]>\
                   <x-cisco-remotecc-request><a>&b;</a></x-cisco-remotecc-request>";
        let kind = "Content-Type: application/x-cisco-remotecc-request+xml\r\n";
        for (method, status) in [
            ("NOTIFY", 489),
            ("REFER", 403),
            ("SUBSCRIBE", 403),
            ("PUBLISH", 403),
            ("MESSAGE", 405),
            ("BYE", 481),
        ] {
            let headers = format!("Event: service-control\r\nRefer-To: <sip:x@y>\r\n{kind}");
            let target = format!("sip:{}@127.0.0.1", victim.number);
            let text = forger.request(method, &target, &headers, xml);
            let reply = forger.ask(&text).await;
            assert_eq!(reply.status(), status, "{method}: {}", reply.text);
            assert!(!reply.text.contains("root:"), "{method}");
        }
        assert_eq!(bound(&site), bound_before);
        assert_eq!(site.contents().await.without_histories(), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_from_before_provisioning_serves_no_one_else_and_no_new_registration() {
    let site = Site::open(&Database::sqlite()).await;
    let mut victim = site.settled(VICTIM).await;
    let before = site.file(VICTIM.address, &VICTIM.name()).await.body;
    let old_secret = element(&before, "authPassword").unwrap().to_owned();
    site.provision(VICTIM, "aksethi", crate::common::PIN).await;
    let bound_before = bound(&site);

    let stranger = STRANGER.parse().unwrap();
    let mut forger = SipPhone::udp_at(site.server.sip_udp, VICTIM.mac, stranger).await;
    forger.call_id.clone_from(&victim.call_id);
    for number in [victim.number.as_str(), "1004"] {
        forger.number = number.to_owned();
        let reply = forger.register_as(&VICTIM.name(), &old_secret, 120).await;
        assert_ne!(reply.status(), 200, "{}", reply.text);
    }
    assert_eq!(bound(&site), bound_before);
    // The phone itself keeps its old binding until it has its new file, and gets no new one by it.
    victim.boot();
    victim.number = "1004".to_owned();
    let reply = victim.register_as(&VICTIM.name(), &old_secret, 120).await;
    assert_eq!(reply.status(), 401, "{}", reply.text);
}
