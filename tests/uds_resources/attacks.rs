//! Wrong users, guesses, and bodies that are meant to hurt.

use std::sync::Arc;
use std::time::Duration;

use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::settings::Lockout;
use selfprov::service::users::application_users;
use selfprov::service::users::application_users::ApplicationUserChange;
use tokio::task::JoinSet;

use crate::common::PASSWORD;
use crate::common::TestApp;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::uds_resources::client::AKSETHI;
use crate::uds_resources::client::ALICE;
use crate::uds_resources::client::Uds;
use crate::uds_resources::client::code;
use crate::uds_resources::client::told;

const NEW: &str =
    "<credentials><credential type=\"password\">Blue-42-harbour</credential></credentials>";

/// Paths below `/user/<ID>`, with identities of somebody else's phone and line.
fn paths_of(uds: &Uds) -> Vec<String> {
    let line = uds.alice.primary_extension.as_ref().unwrap().line;
    let phone = uds.other_phone;
    let lists = [
        "",
        "/devices",
        "/extensions",
        "/credentials",
        "/speedDials",
        "/subscribedServices",
        "/remoteDestinations",
    ];
    lists
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("/device/{phone}"),
            format!("/device/{phone}/extensions"),
            format!("/device/{phone}/speedDials"),
            format!("/device/{phone}/subscribedServices"),
            format!("/device/{phone}/extension/{line}"),
            format!("/extension/{line}"),
        ])
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reads_or_writes_what_is_anothers() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        for path in paths_of(&uds) {
            let anonymous = uds.ask(&format!("/user/alice{path}"), &[]).await;
            assert_eq!(
                (anonymous.status, code(&anonymous).as_str()),
                (401, "UNAUTHORIZED")
            );
            let challenge = anonymous.header("www-authenticate").unwrap();
            assert_eq!(challenge, "Basic realm=\"Cisco Web Services Realm\"");
            let of_nobody = uds.ask(&format!("/user/zelda{path}"), &[]).await;
            assert_eq!(told(&of_nobody), told(&anonymous), "{path}");

            let others = uds
                .ask_as(AKSETHI, &format!("/user/alice{path}"), &[])
                .await;
            assert_eq!(
                (others.status, code(&others).as_str()),
                (403, "FORBIDDEN"),
                "{path}"
            );
            let of_nobody = uds
                .ask_as(AKSETHI, &format!("/user/zelda{path}"), &[])
                .await;
            assert_eq!(told(&of_nobody), told(&others), "{path}");
            assert!(!others.body.contains("SEP"), "{}", others.body);
        }
        // Somebody else's identities under the own name are as unknown as any.
        let line = uds.alice.primary_extension.as_ref().unwrap().line;
        let invented = uds.test().app.new_pkid();
        for (theirs, nobodys) in [
            (
                format!("/device/{}", uds.other_phone),
                format!("/device/{invented}"),
            ),
            (
                format!("/extension/{line}"),
                format!("/extension/{invented}"),
            ),
            (
                format!("/device/{}/extension/{line}", uds.phone),
                format!("/device/{}/extension/{invented}", uds.phone),
            ),
        ] {
            let theirs = uds
                .ask_as(AKSETHI, &format!("/user/aksethi{theirs}"), &[])
                .await;
            let nobodys = uds
                .ask_as(AKSETHI, &format!("/user/aksethi{nobodys}"), &[])
                .await;
            assert_eq!(theirs.status, 404);
            assert_eq!(told(&theirs), told(&nobodys));
        }
        let answer = uds.put_as(AKSETHI, "/user/alice/credentials", NEW).await;
        assert_eq!(answer.status, 403);
        assert_eq!(uds.ask_as(ALICE, "/user/alice", &[]).await.status, 200);
        // Names that only look alike.
        for path in [
            "/user/aksethi%00",
            "/user/aksethi%2f..%2falice",
            "/user/aksethi/../alice",
            "/user/aksethi;x=1",
        ] {
            let status = uds.ask_as(AKSETHI, path, &[]).await.status;
            assert!([403, 404].contains(&status), "{path}: {status}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_needs_the_group_of_end_users() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        for (user_id, group) in [
            ("reader", "Standard AXL Read Only API Access"),
            ("nobody", "Standard CTI Enabled"),
        ] {
            let user_id = user_id.parse().unwrap();
            let new = ApplicationUserChange {
                password: Some(NewSecret {
                    secret: Secret::from(PASSWORD),
                    must_change: false,
                }),
                access_control_groups: Some(vec![group.to_owned()]),
                ..ApplicationUserChange::default()
            };
            application_users::add(&uds.test().app, &administrator(), &user_id, &new)
                .await
                .unwrap();
        }
        for user_id in ["reader", "nobody"] {
            let path = format!("/user/{user_id}");
            assert_eq!(
                uds.ask_as((user_id, PASSWORD), &path, &[]).await.status,
                403
            );
            let answer = uds.ask_as((user_id, PASSWORD), "/user/aksethi", &[]).await;
            assert_eq!(answer.status, 403);
        }
        let search = "/users?username=ak";
        assert_eq!(
            uds.ask_as(("reader", PASSWORD), search, &[]).await.status,
            200
        );
        assert_eq!(
            uds.ask_as(("nobody", PASSWORD), search, &[]).await.status,
            403
        );
        uds.test()
            .sql("DELETE FROM access_control_group_member")
            .await;
        for path in ["/user/aksethi", search] {
            // Though the login is remembered: groups are read each time.
            assert_eq!(uds.ask_as(AKSETHI, path, &[]).await.status, 403, "{path}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_are_told_alike_and_lock_the_password() {
    for_each_database(async |database| {
        let builder = TestApp::builder();
        let builder = builder.settings(|settings| settings.credentials.lockout = Lockout::Cucm);
        let test = builder.start(&database).await;
        test.add_fixture().await;
        let uds = Uds::start_with(test).await;
        uds.test()
            .sql("UPDATE end_user SET enabled = 0 WHERE user_id = 'alice'")
            .await;
        let mut outcomes = Vec::new();
        for (user_id, right) in [
            ("aksethi", PASSWORD),
            ("zelda", PASSWORD),
            ("alice", PASSWORD),
        ] {
            let path = format!("/user/{user_id}");
            let mut outcome = Vec::new();
            for (number, password) in ["No-1-nobody", "No-2-nobody", "No-3-nobody", right]
                .into_iter()
                .enumerate()
            {
                let address = format!("127.0.{}.{}", user_id.len(), number + 1);
                let before = uds.test().app.hasher.hashed();
                let answer = uds
                    .ask_as((user_id, password), &path, &["--interface", &address])
                    .await;
                assert_eq!(answer.status, 401, "{user_id} {number}");
                let hashes = uds.test().app.hasher.hashed() - before;
                outcome.push((told(&answer), hashes));
                uds.test().clock.advance(Duration::from_secs(4));
            }
            outcomes.push(outcome);
        }
        assert_eq!(outcomes[0], outcomes[1], "an unknown user");
        assert_eq!(outcomes[0], outcomes[2], "a disabled one");
        // The lock ends by itself, and an attempt under it did not count.
        uds.test().clock.advance(Duration::from_mins(31));
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_side_by_side_are_counted_like_guesses_in_turn() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let uds = Arc::new(uds);
        let before = uds.test().app.hasher.hashed();
        let mut guesses = JoinSet::new();
        for number in 0..12 {
            let uds = Arc::clone(&uds);
            guesses.spawn(async move {
                let wrong = format!("Guess-{number}-wrong");
                let answer = uds.ask_as(("aksethi", &wrong), "/user/aksethi", &[]).await;
                answer.status
            });
        }
        let statuses = guesses.join_all().await;
        assert!(
            statuses.iter().all(|status| [401, 503].contains(status)),
            "{statuses:?}"
        );
        let hashed = uds.test().app.hasher.hashed() - before;
        assert!(hashed <= 3, "{hashed} guesses were looked at");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_remembered_ends_with_its_account() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200);
        let before = uds.test().app.hasher.hashed();
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200);
        assert_eq!(uds.test().app.hasher.hashed(), before, "remembered");
        uds.test()
            .sql("UPDATE end_user SET enabled = 0 WHERE user_id = 'aksethi'")
            .await;
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 401);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_meant_to_hurt_are_refused() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let path = "/user/aksethi/credentials";
        let deep = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        let doctype = "<!DOCTYPE credentials [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\
                       <credentials><credential type=\"password\">&e;</credential></credentials>";
        let laughs = "<!DOCTYPE a [<!ENTITY b \"xx\"><!ENTITY c \"&b;&b;\">]><credentials>&c;</credentials>";
        for body in [
            doctype,
            laughs,
            &deep,
            "<credentials><credential type=\"password\">&xx;</credential></credentials>",
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?><credentials/>",
            "<credentials><credential type=\"password\">Blue-42-harbour</credential></credentials><x/>",
            "<credentials><credential type=\"password\">Blue-42-harbour</credential>",
            "<credentials><credential type=\"admin\">Blue-42-harbour</credential></credentials>",
            "<credentials><credential type=\"password\">a</credential><user>alice</user></credentials>",
            "<user><credentials/></user>",
            "{\"password\":\"Blue-42-harbour\"}",
        ] {
            let answer = uds.put_as(AKSETHI, path, body).await;
            assert_eq!((answer.status, code(&answer).as_str()), (400, "BAD_REQUEST"), "{body}");
            assert!(!answer.body.contains("root:"), "{}", answer.body);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "x".repeat(16 * 1024 + 1)).unwrap();
        let from_file = format!("@{}", file.path().display());
        for chunked in [&[][..], &["-H", "Transfer-Encoding: chunked"]] {
            let type_ = ["-X", "PUT", "-H", "Content-Type: text/xml", "--data-binary", &from_file];
            let answer = uds.ask_as(AKSETHI, path, &[&type_, chunked].concat()).await;
            assert_eq!((answer.status, code(&answer).as_str()), (413, "PAYLOAD_TOO_LARGE"));
        }
        let form = ["-X", "PUT", "--data-binary", NEW];
        let answer = uds.ask_as(AKSETHI, path, &form).await;
        assert_eq!((answer.status, code(&answer).as_str()), (415, "UNSUPPORTED_MEDIA_TYPE"));
        // Nobody unknown makes the server hold a body.
        let stranger = uds.put_as(("aksethi", "Wrong-77-wrong"), path, &from_file).await;
        assert_eq!(stranger.status, 401);
        uds.test().clock.advance(Duration::from_secs(5));
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200, "as before");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_and_other_paths_get_a_clear_answer() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let device = format!("/user/aksethi/device/{}", uds.phone);
        for (path, allowed) in [
            ("/version", "GET, HEAD"),
            ("/servers", "GET, HEAD"),
            ("/options/models", "GET, HEAD"),
            ("/users", "GET, HEAD"),
            ("/clusterUser", "GET, HEAD"),
            ("/user/aksethi", "GET, HEAD, PUT"),
            ("/user/aksethi/devices", "GET, HEAD"),
            ("/user/aksethi/speedDials", "GET, HEAD"),
            ("/user/aksethi/remoteDestinations", "GET, HEAD"),
            ("/user/aksethi/credentials", "GET, HEAD, PUT"),
            (&device, "GET, HEAD, PUT"),
        ] {
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FROB"] {
                if allowed.contains(method) {
                    continue;
                }
                let answer = uds.ask(path, &["-X", method]).await;
                assert_eq!(answer.status, 405, "{method} {path}");
                assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
                assert_eq!(answer.header("access-control-allow-origin"), None);
            }
        }
        for path in [
            "",
            "/",
            "/nothing",
            "/options",
            "/user",
            "/user/",
            "/user/aksethi/speedDial",
            "/private",
            "/private/user/aksethi",
            "/version/x",
            "/%2e%2e/version",
        ] {
            let answer = uds.ask(path, &[]).await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (404, "NOT_FOUND"),
                "{path}"
            );
        }
        // The handset's endpoint beside them is still there.
        let answer = uds.ask("/private/selfProvision", &[]).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.contains("<CiscoIPPhone"), "{}", answer.body);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_is_none_stands_in_no_address() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        for (host, shown) in [
            (
                "voice.example.com:8443",
                "https://voice.example.com:8443/cucm-uds/version".to_owned(),
            ),
            ("a\"><x>", uds.url("/version")),
            ("user@evil.example", uds.url("/version")),
        ] {
            let answer = uds.ask("/version", &["-H", &format!("Host: {host}")]).await;
            let version = crate::uds_resources::client::Node::parse(&answer.body);
            assert_eq!(version.attribute("uri"), shown, "{host}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_and_endless_headers_are_no_login() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let long = format!("Authorization: Basic {}", "QUFB".repeat(1_000));
        for header in [
            "Authorization: Basic",
            "Authorization: Basic !!!",
            "Authorization: Basic YWtzZXRoaQ==",
            "Authorization: Bearer abc",
            "Authorization: Digest username=\"aksethi\"",
            &long,
        ] {
            let answer = uds.ask("/user/aksethi", &["-H", header]).await;
            assert_eq!(answer.status, 401, "{header}");
        }
    })
    .await;
}
