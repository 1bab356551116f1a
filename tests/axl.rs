//! AXL over real sockets, spoken by `curl`: transport, logins, versions, faults.

use std::fmt::Write as _;

use crate::common::AXL_PASSWORD;
use crate::common::Axl;
use crate::common::TestApp;
use crate::common::add_application_user;
use crate::common::administrator;
use crate::common::axl_envelope;
use crate::common::for_each_database;
use selfprov::domain::history::AuditKind;
use selfprov::domain::schema::ObjectKind;
use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::users::application_users;
use selfprov::store::history;

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_that_clients_send_first_tells_whether_somebody_may_use_axl() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let answer = axl.request("/axl/", &[]).await;
        assert_eq!(answer.status, 401);
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Basic realm="), "{challenge}");
        for (login, status) in [
            (format!("writer:{AXL_PASSWORD}"), 200),
            (format!("reader:{AXL_PASSWORD}"), 200),
            (format!("nobody:{AXL_PASSWORD}"), 403),
            ("writer:wrong".to_owned(), 401),
            (format!("unknown:{AXL_PASSWORD}"), 401),
        ] {
            let answer = axl.request("/axl/", &["-u", &login]).await;
            assert_eq!(answer.status, status, "{login}");
            assert!(answer.body.contains("<html"), "{}", answer.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_answered_in_its_own_namespace_with_the_sequence() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let body = axl_envelope("<ns:getCCMVersion sequence=\"42\"/>");
        for (action, version) in [
            ("\"CUCM:DB ver=15.0 getCCMVersion\"", "15.0"),
            ("CUCM:DB ver=8.5", "8.5"),
            ("\"CUCM:DB ver=7.1\"", "7.1"),
            ("\"\"", "12.5"),
            ("getCCMVersion", "12.5"),
        ] {
            let answer = axl.call("reader", action, &body).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let kind = answer.header("content-type").unwrap();
            assert_eq!(kind, "text/xml;charset=UTF-8");
            let expected = format!(
                "<ns:getCCMVersionResponse xmlns:ns=\"http://www.cisco.com/AXL/API/{version}\" \
                 sequence=\"42\"><return><componentVersion><version>15.0.1.10000(1)</version>\
                 </componentVersion></return></ns:getCCMVersionResponse>"
            );
            assert!(answer.body.contains(&expected), "{}", answer.body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_there_is_not_is_599_with_those_that_there_are() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let body = axl_envelope("<ns:getCCMVersion/>");
        let answer = axl.call("reader", "\"CUCM:DB ver=13.0 x\"", &body).await;
        assert_eq!(answer.status, 599);
        let expected = "HTTP Status 599 - Incorrect axl version. Supported axl versions are 7.1, \
                        8.0, 8.5, 9.0, 9.1, 10.0, 10.5, 11.0, 11.5, 12.0, 12.5, 14.0 and 15.0";
        assert!(answer.body.contains(expected), "{}", answer.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_cookie_stands_for_the_password_from_its_own_address_until_it_changes() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let body = axl_envelope("<ns:getCCMVersion/>");
        let first = axl.call("reader", "CUCM:DB ver=14.0", &body).await;
        let cookie = first.header("set-cookie").unwrap();
        assert!(
            cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Strict"),
            "{cookie}"
        );
        let cookie = format!("Cookie: {}", cookie.split(';').next().unwrap());
        let with_cookie = ["-H", &cookie, "--data-binary", &body];
        assert_eq!(axl.request("/axl/", &with_cookie).await.status, 200);
        let elsewhere = [&with_cookie[..], &["--interface", "127.0.0.7"]].concat();
        assert_eq!(axl.request("/axl/", &elsewhere).await.status, 401);
        for of_another_site in ["Origin: https://evil.example", "Sec-Fetch-Site: cross-site"] {
            let by_browser = [&with_cookie[..], &["-H", of_another_site]].concat();
            let answer = axl.request("/axl/", &by_browser).await;
            assert_eq!(answer.status, 403, "{of_another_site}");
        }
        let forged = format!("{cookie}A");
        let forged = ["-H", &forged, "--data-binary", &body];
        assert_eq!(axl.request("/axl/", &forged).await.status, 401);

        let new = NewSecret {
            secret: Secret::from("another-Horse-8"),
            must_change: false,
        };
        let app = &axl.0.test.app;
        let set = application_users::set_password(app, &administrator(), "reader", &new).await;
        set.unwrap();
        assert_eq!(axl.request("/axl/", &with_cookie).await.status, 401);
        let old = axl.call("reader", "CUCM:DB ver=14.0", &body).await;
        assert_eq!(old.status, 401, "the old password is remembered no longer");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_must_be_changed_opens_nothing_and_says_so() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        add_application_user(&axl.0.test, "newcomer", "Standard CCM Super Users", true).await;
        let answer = axl.call("newcomer", "", &axl_envelope("<a/>")).await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("must be changed"), "{}", answer.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_lock_the_account_and_tell_nothing_of_it() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let mut answers = Vec::new();
        for (user_id, password) in [
            ("reader", "wrong"),
            ("reader", AXL_PASSWORD),
            ("unknown", "wrong"),
            ("unknown", AXL_PASSWORD),
        ] {
            let login = format!("{user_id}:{password}");
            answers.push(axl.request("/axl/", &["-u", &login]).await);
        }
        // The right password during the delay after a failure is not looked at.
        for answer in &answers {
            assert_eq!(answer.status, 401);
            assert_eq!(answer.body, answers[0].body);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebodys_password_and_pin_can_be_checked_and_a_wrong_one_is_an_answer() {
    for_each_database(async |database| {
        let test = TestApp::start(&database).await;
        test.add_user("checked", "7001", "924680").await;
        let axl = Axl::start(test).await;
        let ask = |inner: &str| {
            axl_envelope(&format!(
                "<ns:doAuthenticateUser><userid>checked</userid>{inner}</ns:doAuthenticateUser>"
            ))
        };
        let action = "CUCM:DB ver=14.0 doAuthenticateUser";
        let right = axl.call("writer", action, &ask("<pin>924680</pin>")).await;
        assert!(
            right
                .body
                .contains("<userAuthenticated>true</userAuthenticated><code>0</code>"),
            "{}",
            right.body
        );
        let wrong = axl
            .call("writer", action, &ask("<password>x</password>"))
            .await;
        assert_eq!(wrong.status, 200);
        assert!(
            wrong
                .body
                .contains("<userAuthenticated>false</userAuthenticated><code>1</code>"),
            "{}",
            wrong.body
        );
        let unknown = axl.call("writer", action, &ask("<pni>1</pni>")).await;
        assert_eq!(unknown.status, 500);
        assert!(unknown.body.contains("no element pni"), "{}", unknown.body);
        let reader = axl.call("reader", action, &ask("<pin>924680</pin>")).await;
        assert!(reader.body.contains("may only read"), "{}", reader.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_call_is_a_fault_with_its_reason_and_bounded_in_size() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let entity = "<!DOCTYPE x [<!ENTITY a 'aaaa'>]>";
        let with_entity = format!("{entity}{}", axl_envelope("<a>&a;</a>"));
        for (body, expected) in [
            ("", "empty"),
            ("<html/>", "SOAP 1.1"),
            (with_entity.as_str(), "DOCTYPE"),
            (axl_envelope("<ns:getPhnoe/>").as_str(), "getPhnoe"),
            (axl_envelope("<a>&b;</a>").as_str(), "&amp;b;"),
        ] {
            let answer = axl.call("writer", "CUCM:DB ver=14.0", body).await;
            assert_eq!(answer.status, 500, "{body}");
            assert!(answer.body.contains("<axlcode>50"), "{}", answer.body);
            assert!(answer.body.contains(expected), "{}", answer.body);
        }
        let large = database.folder().join("large.xml");
        std::fs::write(&large, vec![b' '; 1024 * 1024 + 1]).unwrap();
        let from_file = format!("@{}", large.display());
        let answer = axl.call("writer", "CUCM:DB ver=14.0", &from_file).await;
        assert_eq!(answer.status, 413);
        let answer = axl.request("/axl", &[]).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), Some("/axl/"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_meant_to_hurt_are_refused_with_a_sentence() {
    let deep = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
    let attributes: String = (0..500).fold(String::new(), |mut text, number| {
        let _ = write!(text, " a{number}='1'");
        text
    });
    let two_bodies = axl_envelope("<ns:getCCMVersion/>").replace(
        "</soapenv:Body>",
        "</soapenv:Body><soapenv:Body><ns:getCCMVersion/></soapenv:Body>",
    );
    let laughs = "<!DOCTYPE a [<!ENTITY b 'ha'><!ENTITY c '&b;&b;&b;&b;'>]>";
    let outside = "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>";
    let call = |inner: &str| axl_envelope(inner).into_bytes();
    let utf16: Vec<u8> = axl_envelope("<ns:getCCMVersion/>")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let bodies = [
        call(&deep),
        call(&format!("<ns:getCCMVersion{attributes}/>")),
        two_bodies.into_bytes(),
        format!(
            "{laughs}{}",
            axl_envelope("<ns:getCCMVersion>&c;</ns:getCCMVersion>")
        )
        .into_bytes(),
        format!(
            "{outside}{}",
            axl_envelope("<ns:getCCMVersion>&b;</ns:getCCMVersion>")
        )
        .into_bytes(),
        format!(
            "<?xml version='1.0' encoding='UTF-16'?>{}",
            axl_envelope("<a/>")
        )
        .into_bytes(),
        utf16,
        [b"\xff\xfe\xfd".as_slice(), &call("<ns:getCCMVersion/>")].concat(),
        call("<ns:getCCMVersion>\u{1}</ns:getCCMVersion>"),
        call("<ns:getCCMVersion><unclosed></ns:getCCMVersion>"),
    ];
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        for (number, body) in bodies.iter().enumerate() {
            let file = database.folder().join(format!("{number}.xml"));
            std::fs::write(&file, body).unwrap();
            let from_file = format!("@{}", file.display());
            let answer = axl.call("writer", "CUCM:DB ver=14.0", &from_file).await;
            let shown = String::from_utf8_lossy(body);
            assert_eq!(answer.status, 500, "{shown:.200}: {}", answer.body);
            assert!(answer.body.contains("<faultstring>"), "{}", answer.body);
            assert!(!answer.body.contains("root:"), "{}", answer.body);
            assert!(answer.body.len() < 2_000, "{}", answer.body);
        }
        let right = axl_envelope("<ns:getCCMVersion/>");
        let answer = axl.call("writer", "CUCM:DB ver=14.0", &right).await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log_says_that_an_application_user_changed_something() {
    for_each_database(async |database| {
        let axl = Axl::start_on(&database).await;
        let partition = "<routePartition><name>LAB-PT</name></routePartition>";
        axl.succeed("14.0", "addRoutePartition", partition).await;
        let mut reader = axl.0.test.app.store.read().await.unwrap();
        let kind = AuditKind::Object(ObjectKind::RoutePartition).as_str();
        let rows = history::audit_of(reader.connection(), kind, "LAB-PT", 10).await;
        let actors: Vec<String> = rows.unwrap().into_iter().map(|row| row.actor).collect();
        assert_eq!(actors, ["application:writer"]);
    })
    .await;
}
