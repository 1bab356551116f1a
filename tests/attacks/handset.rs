//! The handset's door: lists of users, forged names and headers, replays, bad input.

use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::attacks::site::ATTACKER;
use crate::attacks::site::STRANGER;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::common::Answer;
use crate::common::Database;
use crate::common::PIN;
use crate::common::SipPhone;
use crate::common::for_each_database;
use crate::common::form_url;
use crate::common::post;
use crate::common::url_of_key;

#[tokio::test(flavor = "multi_thread")]
async fn users_cannot_be_listed_and_no_door_shows_a_version() {
    let site = Site::open(&Database::sqlite()).await;
    let handset = &site.server.handset;
    let file_door = format!("http://{}", site.server.files_http);
    let doors = [
        format!("https://{}", handset.https),
        format!("http://{}", handset.http),
        file_door,
    ];
    let login = handset.run(&handset.https_url(), &[]).await;
    let mut answers = vec![login];
    for door in doors {
        for path in [
            "/cucm-uds/users",
            "/cucm-uds/users?name=a",
            "/cucm-uds/users?name=aksethi",
            "/cucm-uds/clusterUser?username=aksethi",
            "/cucm-uds/clusterUser?username=nobody",
            "/cucm-uds/user/aksethi",
            "/cucm-uds/user/nobody",
            "/cucm-uds/user/aksethi/credentials",
            "/cucm-uds/version",
            "/cucm-uds/servers",
            "/axl/",
            "/metrics",
        ] {
            let answer = handset.run(&format!("{door}{path}"), &[]).await;
            // AXL and UDS ask for a login, over HTTPS alone.
            let expected = match path {
                _ if !door.starts_with("https") => 404,
                "/cucm-uds/version" | "/cucm-uds/servers" => 200,
                "/metrics" => 404,
                _ => 401,
            };
            assert_eq!(answer.status, expected, "{door}{path}");
            assert!(!answer.body.contains("aksethi"), "{door}{path}");
            answers.push(answer);
        }
    }
    for answer in answers {
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
        assert!(
            !answer.body.contains(env!("CARGO_PKG_VERSION")),
            "{answer:?}"
        );
    }
    let mut phone = SipPhone::udp(site.server.sip_udp, VICTIM.mac).await;
    let options = phone.request("OPTIONS", "sip:127.0.0.1", "", "");
    let reply = phone.ask(&options).await;
    assert_eq!(reply.status(), 200);
    assert!(
        !reply.text.contains(env!("CARGO_PKG_VERSION")),
        "{}",
        reply.text
    );
}

/// Ways to say that one is somebody else.
const FORGED: [&[&str]; 7] = [
    &[],
    &["-H", "Forwarded: for=127.0.0.11"],
    &["-H", "X-Forwarded-For: 127.0.0.11"],
    &["-H", "X-Real-IP: 127.0.0.11"],
    &["-H", "Host: 127.0.0.11"],
    &[
        "-H",
        "x-CiscoIPPhoneModelName: CP-7841",
        "-A",
        "Allegro-Software-WebClient/5.40b1",
    ],
    &[
        "-H",
        "Referer: http://127.0.0.11/",
        "-H",
        "Cookie: JSESSIONID=1",
        "-u",
        "aksethi:8362",
    ],
];

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_name_or_forged_headers_learn_nothing_about_a_pin() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        site.phone(VICTIM).await;
        site.phone(ATTACKER).await;
        let before = site.contents().await.without_histories();
        let hashed = site.test().app.hasher.hashed();
        let names = [VICTIM.name(), "SEPFFFFFFFFFFFF".to_owned()];
        for (name, code) in names
            .iter()
            .zip(["DEVICE_ADDRESS_MISMATCH", "DEVICE_NOT_FOUND"])
        {
            for forged in FORGED {
                let mut bodies = Vec::new();
                for who in [format!("aksethi&pin={PIN}"), "aksethi&pin=1928".to_owned()] {
                    let query = format!("userid={who}");
                    // The attacker's own registered phone is not the one that it names.
                    let answer = site.ask_as(ATTACKER.address, name, &query, forged).await;
                    assert_eq!(answer.code(), Some(code), "{forged:?}: {}", answer.body);
                    let text = "This phone is not waiting to be provisioned.";
                    assert!(answer.body.contains(text), "{forged:?}");
                    bodies.push(answer.body);
                }
                assert_eq!(bodies[0], bodies[1], "{forged:?}");
            }
        }
        // A user ID in the place of the phone, and no phone at all.
        for name in ["aksethi", "", "%23DEVICENAME%23", "SEP0011AABBCC01%00"] {
            let query = format!("userid=aksethi&pin={PIN}");
            let answer = site.ask_as(STRANGER, name, &query, &[]).await;
            let code = answer.code().unwrap();
            assert!(
                ["DEVICE_NOT_FOUND", "BAD_REQUEST"].contains(&code),
                "{name}: {code}"
            );
        }
        assert_eq!(
            site.test().app.hasher.hashed(),
            hashed,
            "no PIN was looked at"
        );
        assert_eq!(site.contents().await.without_histories(), before);
        let rows = "SELECT COUNT(*) FROM timeline WHERE code = 'DEVICE_ADDRESS_MISMATCH'";
        let rows = site.test().count(rows).await;
        assert!(rows >= 1, "it is told");
        assert!(rows <= 2, "but a flood does not fill the database: {rows}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_header_of_somebody_who_is_no_proxy_is_not_believed() {
    let site = Site::open(&Database::sqlite()).await;
    site.phone(VICTIM).await;
    let mut stream = TcpStream::connect(site.server.handset.http).await.unwrap();
    let mut bytes =
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x0b\x7f\0\0\x01\xc3\x50\0\x50".to_vec();
    let name = VICTIM.name();
    let path = format!("/cucm-uds/private/selfProvision?name={name}");
    bytes.extend(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").bytes());
    stream.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(!answer.contains("<Title>Login</Title>"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_somebodys_tells_nobody_whether_a_pin_is_right() {
    let site = Site::open(&Database::sqlite()).await;
    site.test().add_user("mmuster", "1005", "739516").await;
    site.phone(VICTIM).await;
    site.provision(VICTIM, "aksethi", PIN).await;
    let before = site.contents().await.without_histories();
    let hashed = site.test().app.hasher.hashed();
    let mut bodies = Vec::new();
    for query in [
        format!("userid=aksethi&pin={PIN}"),
        "userid=aksethi&pin=1928".to_owned(),
        "userid=aksethi&pin=739516".to_owned(),
    ] {
        let answer = site.ask(VICTIM, &query).await;
        assert_eq!(answer.code(), Some("DEVICE_NOT_AUTOREGISTERED"));
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
    assert_eq!(site.test().app.hasher.hashed(), hashed);
    assert_eq!(site.contents().await.without_histories(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn continue_after_a_release_gives_its_recorded_result_and_changes_nothing() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        site.phone(VICTIM).await;
        site.phone(ATTACKER).await;
        let go_on = site.provision(VICTIM, "aksethi", PIN).await;
        let form = site.ask(VICTIM, "step=release").await;
        let handset = &site.server.handset;
        let pin = format!("pin={PIN}");
        let mut send = vec!["--interface", VICTIM.address];
        send.extend(post(&pin));
        let asked = handset.run(&form_url(&form.body), &send).await;
        let release = url_of_key(&asked.body, "Release");
        let released = site.follow(VICTIM, &release).await;
        assert!(
            released.body.contains("This phone is released"),
            "{}",
            released.body
        );

        let before = site.contents().await;
        let replayed = site.follow(VICTIM, &go_on).await;
        assert!(
            replayed.body.contains("<Title>Provisioning</Title>"),
            "{}",
            replayed.body
        );
        for url in [&go_on, &release] {
            site.follow(VICTIM, url).await;
            site.follow(ATTACKER, url).await;
            let other = url.replace(&VICTIM.name(), &ATTACKER.name());
            site.follow(ATTACKER, &other).await;
        }
        assert_eq!(site.contents().await, before);
        for desk in [VICTIM, ATTACKER] {
            let name = desk.name().parse().unwrap();
            let owner = site.test().app.phones.find(&name).unwrap().phone.owner;
            assert_eq!(owner, None);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_needs_the_pin_whatever_the_login_asks_for() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        site.test()
            .sql("UPDATE self_provisioning SET authentication_mode = 'not_required'")
            .await;
        site.phone(VICTIM).await;
        let shown = site.ask(VICTIM, "userid=aksethi").await;
        let go_on = url_of_key(&shown.body, "Continue");
        site.follow(VICTIM, &go_on).await;
        let before = site.contents().await.without_histories();
        let form = site.ask(VICTIM, "step=release").await;
        let handset = &site.server.handset;
        for (pin, is_right) in [("pin=1928", false), ("pin=8362", true)] {
            let mut send = vec!["--interface", VICTIM.address];
            send.extend(post(pin));
            let answer = handset.run(&form_url(&form.body), &send).await;
            let is_asked = answer.body.contains("<Name>Release</Name>");
            assert_eq!(is_asked, is_right, "{pin}: {}", answer.body);
            site.test().clock.advance(Duration::from_secs(1));
        }
        assert_eq!(site.contents().await.without_histories(), before);
    })
    .await;
}

/// Bodies that are no form.
const NO_FORMS: [&str; 5] = [
    "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>",
    "<!DOCTYPE a [<!ENTITY b \"ha\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;&c;&c;&c;</a>",
    "{\"userid\":\"aksethi\",\"pin\":{\"$ne\":1}}",
    "--x\r\nContent-Disposition: form-data; name=\"userid\"\r\n\r\naksethi\r\n--x--",
    "\u{1}\u{2}\u{7f}",
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_answered_and_changes_nothing_at_all() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        site.phone(VICTIM).await;
        let before = site.contents().await;
        let hashed = site.test().app.hasher.hashed();
        let long = "9".repeat(300);
        let many = "x=1&".repeat(400);
        for query in [
            format!("userid={long}&pin=1"),
            format!("userid=a&pin={long}"),
            format!("step=confirm&token={long}"),
            "userid=a%00b&pin=1".to_owned(),
            "userid=a%0d%0aSet-Cookie:x&pin=1".to_owned(),
            "userid=%c3%28&pin=1".to_owned(),
            "userid=a&userid=b&pin=1".to_owned(),
            "userid=a&pin=1&pin=2".to_owned(),
            "step=reboot".to_owned(),
            "step=confirm".to_owned(),
            "step=confirm&token=%27%20OR%201=1--".to_owned(),
            "step=released&token=AAAA".to_owned(),
            "step=pin&token=AAAA&newpin=1&newpin2=1".to_owned(),
            "name=SEP0011AABBCC02&step=login".to_owned(),
            many,
        ] {
            let answer = site.ask(VICTIM, &query).await;
            assert_eq!(answer.status, 200, "{query}");
            assert_eq!(answer.header("set-cookie"), None, "{query}");
            assert_no_insides(&answer);
        }
        for body in NO_FORMS {
            for kind in [
                "text/xml",
                "application/x-www-form-urlencoded",
                "multipart/form-data",
            ] {
                let kind = format!("Content-Type: {kind}");
                let more = ["-H", &kind, "--data-raw", body];
                let answer = site.ask_as(VICTIM.address, &VICTIM.name(), "", &more).await;
                assert_eq!(answer.status, 200, "{body}");
                assert_no_insides(&answer);
            }
        }
        let large = format!("userid=aksethi&pin={PIN}&x={}", "x".repeat(9_000));
        let answer = site
            .ask_as(VICTIM.address, &VICTIM.name(), "", &post(&large))
            .await;
        assert_eq!(answer.code(), Some("BAD_REQUEST"));
        for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            let query = format!("userid=aksethi&pin={PIN}");
            let more = ["-X", method];
            let answer = site
                .ask_as(VICTIM.address, &VICTIM.name(), &query, &more)
                .await;
            assert_eq!(answer.status, 405, "{method}");
        }
        assert_eq!(site.test().app.hasher.hashed(), hashed);
        assert_eq!(site.contents().await, before);
    })
    .await;
}

/// Nothing of the machine or the program's inside is in an answer.
fn assert_no_insides(answer: &Answer) {
    for inside in [
        "root:",
        "panicked",
        "sqlx",
        "src/",
        "SELECT",
        "no such table",
    ] {
        assert!(!answer.body.contains(inside), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_over_its_limit_is_refused_and_others_are_served() {
    let site = Site::open(&Database::sqlite()).await;
    site.phone(VICTIM).await;
    let header = format!("X-Padding: {}", "x".repeat(60_000));
    let handset = &site.server.handset;
    for url in [
        handset.https_url(),
        handset.http_url(),
        format!("http://{}/x", site.server.files_http),
    ] {
        let refused = handset.try_run(&url, &["-H", &header]).await;
        let is_refused = refused.as_ref().map_or(true, |answer| answer.status >= 400);
        assert!(is_refused, "{url}: {refused:?}");
    }
    let form = site.ask(VICTIM, "").await;
    assert!(form.body.contains("<Title>Login</Title>"), "{}", form.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trivial_new_pin_is_refused_with_its_reason_and_the_old_one_stays() {
    for_each_database(|database| async move {
        let site = Site::open(&database).await;
        site.phone(VICTIM).await;
        site.test()
            .sql("UPDATE credential SET must_change = 1")
            .await;
        let form = site.ask(VICTIM, &format!("userid=aksethi&pin={PIN}")).await;
        assert!(
            form.body.contains("<Title>Change PIN</Title>"),
            "{}",
            form.body
        );
        let url = form_url(&form.body);
        let before = site.contents().await;
        let handset = &site.server.handset;
        for pin in [
            "1111", "1234", "4321", "1212", "123123", "2580", "0852", "1004", "4001", "111222",
            "12", PIN,
        ] {
            let form = format!("newpin={pin}&newpin2={pin}");
            let mut send = vec!["--interface", VICTIM.address];
            send.extend(post(&form));
            let refused = handset.run(&url, &send).await;
            assert!(
                !refused.body.contains("<Title>Login Success</Title>"),
                "{pin}"
            );
            assert!(
                refused.body.contains("<CiscoIPPhoneText>"),
                "{}",
                refused.body
            );
        }
        assert_eq!(site.contents().await, before);
    })
    .await;
}
