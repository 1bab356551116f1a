//! The registrar: identities that are not one's own, bindings that are not one's own.

use crate::attacks::site::ATTACKER;
use crate::attacks::site::STRANGER;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::attacks::site::element;
use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::for_each_database;

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
            // `*` names no device, so without credentials it is one challenge for everybody.
            let headers = "Contact: *\r\nExpires: 0\r\n";
            let text = attacker.request("REGISTER", "sip:127.0.0.1", headers, "");
            let reply = attacker.ask(&text).await;
            assert_eq!(reply.status(), 401, "{}", reply.text);
            // With its own credentials it is about its own bindings of that line: it has none.
            if number == victim.number {
                let text = attacker.register_text("*", 0);
                let reply = attacker.ask(&text).await;
                assert_eq!(reply.status(), 200, "{}", reply.text);
                assert!(reply.header("Contact").is_empty(), "{}", reply.text);
            }
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

/// The answer without what is new in every answer: the nonce and the tag.
fn without_what_changes(reply: &Reply, number: &str) -> String {
    let nonce = reply.challenge("nonce").to_owned();
    let lines = reply.text.lines().filter(|line| !line.starts_with("Via:"));
    let text: Vec<String> = lines
        .map(|line| match line.split_once(";tag=") {
            Some((head, _)) => head.to_owned(),
            None => line.to_owned(),
        })
        .filter(|line| !line.starts_with("CSeq:"))
        .collect();
    let text = text.join("\n").replace(number, "NUMBER");
    if nonce.is_empty() {
        text
    } else {
        text.replace(&nonce, "NONCE")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_and_a_user_name_tell_nobody_whether_they_exist() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        let victim = site.settled(VICTIM).await;
        let before = site.contents().await;
        let stranger = STRANGER.parse().unwrap();
        let mut answers = Vec::new();
        // An unclaimed phone's number, a user's, and one that nobody has; none names a device.
        for number in [victim.number.as_str(), "1004", "7777"] {
            let mut forger = SipPhone::udp_at(site.server.sip_udp, "0011AABBCC99", stranger).await;
            forger.number = number.to_owned();
            let contact = format!("<sip:{number}@{}>", forger.local);
            for user in [
                "",
                number,
                "aksethi",
                "nobody",
                &VICTIM.name(),
                "SEP0011AABBCC99",
            ] {
                forger.login = None;
                let text = forger.register_text(&contact, 120);
                let mut reply = forger.ask(&text).await;
                if !user.is_empty() {
                    forger.answer_challenge(&reply, user, "a guess");
                    let text = forger.register_text(&contact, 120);
                    reply = forger.ask(&text).await;
                }
                assert_eq!(reply.status(), 401, "{number} {user}: {}", reply.text);
                answers.push(without_what_changes(&reply, number));
            }
        }
        answers.sort();
        answers.dedup();
        assert_eq!(answers.len(), 1, "{answers:#?}");
        let before = before.without_histories();
        assert_eq!(site.contents().await.without_histories(), before);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_up_nonce_or_another_algorithm_tells_nobody_who_exists() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        let victim = site.settled(VICTIM).await;
        let stranger = STRANGER.parse().unwrap();
        for (algorithm, is_nonce_ours) in [
            ("MD5", false),
            ("SHA-256", false),
            ("MD5-sess", true),
            ("MD5-sess", false),
        ] {
            let mut answers = Vec::new();
            for number in [victim.number.as_str(), "7777"] {
                for user in ["aksethi", "nobody", &VICTIM.name(), "SEP0011AABBCC99"] {
                    let udp = site.server.sip_udp;
                    let mut forger = SipPhone::udp_at(udp, "0011AABBCC99", stranger).await;
                    forger.number = number.to_owned();
                    let contact = format!("<sip:{number}@{}>", forger.local);
                    let text = forger.register_text(&contact, 120);
                    let reply = forger.ask(&text).await;
                    forger.answer_challenge(&reply, user, "a guess");
                    let login = forger.login.as_mut().unwrap();
                    login.algorithm = algorithm;
                    if !is_nonce_ours {
                        login.nonce = "bm9uY2Ugb2YgbXkgb3duLCBub3QgeW91cnM".to_owned();
                    }
                    let text = forger.register_text(&contact, 120);
                    let reply = forger.ask(&text).await;
                    assert_eq!(reply.status(), 401, "{number} {user}: {}", reply.text);
                    answers.push(without_what_changes(&reply, number));
                }
            }
            answers.sort();
            answers.dedup();
            assert_eq!(
                answers.len(),
                1,
                "{algorithm} {is_nonce_ours}: {answers:#?}"
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_with_a_made_up_nonce_tells_nobody_who_exists() {
    let site = Site::open(&Database::sqlite()).await;
    let victim = site.settled(VICTIM).await;
    let mut answers = Vec::new();
    for user in [
        VICTIM.name(),
        "nobody".to_owned(),
        "SEP0011AABBCC99".to_owned(),
    ] {
        let udp = site.server.sip_udp;
        let mut forger = SipPhone::udp_at(udp, "0011AABBCC99", STRANGER.parse().unwrap()).await;
        forger.number.clone_from(&victim.number);
        let proof = format!(
            "Proxy-Authorization: Digest username=\"{user}\",realm=\"ccmsipline\",\
             uri=\"sip:1004@127.0.0.1\",response=\"{}\",nonce=\"bm9uY2Ugb2Y\",cnonce=\"c\",\
             qop=auth,nc=00000001,algorithm=MD5\r\n",
            "0".repeat(32)
        );
        let text = forger.request("INVITE", "sip:1004@127.0.0.1", &proof, "");
        let reply = forger.ask(&text).await;
        assert_eq!(reply.status(), 407, "{user}: {}", reply.text);
        assert!(reply.text.contains("stale=true"), "{user}: {}", reply.text);
        answers.push(reply.header("Proxy-Authenticate").matches("nonce").count());
    }
    assert_eq!(answers, [1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_who_guesses_a_phones_own_secret_locks_nobody_out() {
    let site = Site::open(&Database::sqlite()).await;
    let mut victim = site.settled(VICTIM).await;
    let file = site.file(VICTIM.address, &VICTIM.name()).await.body;
    let secret = element(&file, "authPassword").unwrap().to_owned();
    // Behind the same address as the phone.
    let neighbour = VICTIM.address.parse().unwrap();
    let mut guesser = SipPhone::udp_at(site.server.sip_udp, VICTIM.mac, neighbour).await;
    guesser.call_id = "another-boot".to_owned();
    guesser.number.clone_from(&victim.number);
    let name = VICTIM.name();
    // A nonce that was never given says nothing of the answer to it, right or wrong.
    for guess in ["a guess", secret.as_str()] {
        let challenge = guesser.register(120).await;
        guesser.answer_challenge(&challenge, &name, guess);
        guesser.login.as_mut().unwrap().nonce = "bm9uY2Ugb2YgbXkgb3duLCBub3QgeW91cnM".to_owned();
        let reply = guesser.register(120).await;
        assert_eq!(reply.status(), 401);
        assert!(
            reply.header("WWW-Authenticate").contains("stale=true"),
            "{}",
            reply.text
        );
        guesser.login = None;
    }
    for guess in 0..15 {
        let reply = guesser
            .register_as(&name, &format!("guess {guess}"), 120)
            .await;
        assert_eq!(reply.status(), 401);
    }
    // The phone is served where it is, and after a boot on another connection.
    assert_eq!(victim.register(120).await.status(), 200);
    let mut booted = SipPhone::udp_at(site.server.sip_udp, VICTIM.mac, neighbour).await;
    booted.call_id = "a-third-boot".to_owned();
    booted.number.clone_from(&victim.number);
    let reply = booted.register_as(&name, &secret, 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
}
