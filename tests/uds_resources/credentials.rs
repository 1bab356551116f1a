//! Users change their own PIN and password.

use std::time::Duration;

use selfprov::domain::history::CorrelationId;
use selfprov::domain::secret::Secret;
use selfprov::service::administration::NewSecret;
use selfprov::service::credentials::authenticate;
use selfprov::service::credentials::authenticate::Attempt;
use selfprov::service::credentials::hasher::Share;
use selfprov::service::users;
use selfprov::service::users::UserChange;

use crate::common::PASSWORD;
use crate::common::PIN;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::uds_resources::client::AKSETHI;
use crate::uds_resources::client::Node;
use crate::uds_resources::client::Uds;
use crate::uds_resources::client::code;
use crate::uds_resources::client::told;

const PATH: &str = "/user/aksethi/credentials";
const NEW_PASSWORD: &str = "Blue-42-harbour";
const NEW_PIN: &str = "590218";

fn body(kind: &str, secret: &str) -> String {
    format!("<credentials><credential type=\"{kind}\">{secret}</credential></credentials>")
}

/// Whether this is the PIN of `aksethi`, as a handset would ask.
async fn is_pin(uds: &Uds, pin: &str) -> bool {
    let app = &uds.test().app;
    let secret = Secret::from(pin);
    let attempt = Attempt {
        login: "aksethi",
        secret: Some(&secret),
        is_needed: true,
        device: None,
        source: "127.0.7.7".parse().unwrap(),
        share: Share::Phones,
        correlation: CorrelationId(app.new_pkid()),
    };
    authenticate::authenticate(app, &attempt).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_holds_at_once_and_the_old_one_no_longer() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        // Both are remembered for a minute before the change.
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200);
        let answer = uds
            .put_as(AKSETHI, PATH, &body("password", NEW_PASSWORD))
            .await;
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 401);
        uds.test().clock.advance(Duration::from_secs(5));
        let new = ("aksethi", NEW_PASSWORD);
        assert_eq!(uds.ask_as(new, "/user/aksethi", &[]).await.status, 200);
        assert!(is_pin(&uds, PIN).await, "the PIN stays");
        let audited = uds.audited("end_user.change_password").await;
        assert_eq!(audited, ["user:aksethi aksethi"]);
        let alice = ("alice", PASSWORD);
        assert_eq!(uds.ask_as(alice, "/user/alice", &[]).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pin_opens_the_handset_and_both_change_together() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let answer = uds.put_as(AKSETHI, PATH, &body("pin", NEW_PIN)).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        assert!(is_pin(&uds, NEW_PIN).await && !is_pin(&uds, PIN).await);
        assert_eq!(uds.audited("end_user.change_pin").await.len(), 1);
        uds.test().clock.advance(Duration::from_secs(5));
        let both = "<credentials><credential type=\"pin\">73925</credential>\
                    <credential type=\"password\">Red-19-castle&lt;</credential></credentials>";
        assert_eq!(uds.put_as(AKSETHI, PATH, both).await.status, 204);
        assert!(is_pin(&uds, "73925").await);
        let new = ("aksethi", "Red-19-castle<");
        assert_eq!(uds.ask_as(new, "/user/aksethi", &[]).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_says_why_it_refuses_and_nothing_changes() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        for (kind, secret, reason) in [
            ("pin", "12", "4"),
            ("pin", "1004", "PIN"),
            ("pin", "12345", "PIN"),
            ("pin", "83a2", "digits"),
            ("pin", "", "digits"),
            ("pin", PIN, "before"),
            ("password", "short", "8"),
            ("password", "xX9-Aksethi", "password"),
            ("password", PASSWORD, "before"),
            ("password", "", "password"),
        ] {
            let answer = uds.put_as(AKSETHI, PATH, &body(kind, secret)).await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (400, "BAD_REQUEST"),
                "{secret}"
            );
            let message = Node::parse(&answer.body).at("error/message");
            assert!(
                message.text().contains(reason),
                "{secret}: {}",
                message.text()
            );
            assert!(
                secret.len() < 6 || !answer.body.contains(secret),
                "{}",
                answer.body
            );
        }
        // One good, one bad: neither is taken.
        let mixed = format!(
            "<credentials><credential type=\"password\">{NEW_PASSWORD}</credential>\
             <credential type=\"pin\">1111</credential></credentials>"
        );
        assert_eq!(uds.put_as(AKSETHI, PATH, &mixed).await.status, 400);
        assert_eq!(uds.ask_as(AKSETHI, "/user/aksethi", &[]).await.status, 200);
        assert!(is_pin(&uds, PIN).await);
        assert!(uds.audited("end_user.change_pin").await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_must_change_the_password_can_do_that_and_nothing_else() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        uds.set_password("aksethi", "First-83-morning", true).await;
        let who = ("aksethi", "First-83-morning");
        for path in ["/user/aksethi", PATH, "/users?name=a"] {
            let answer = uds.ask_as(who, path, &[]).await;
            assert_eq!(
                (answer.status, code(&answer).as_str()),
                (403, "FORBIDDEN"),
                "{path}"
            );
        }
        assert_eq!(
            uds.put_as(who, PATH, &body("pin", NEW_PIN)).await.status,
            403
        );
        let device = format!("/user/aksethi/device/{}", uds.phone);
        assert_eq!(uds.put_as(who, &device, "<device/>").await.status, 403);
        let new = body("password", NEW_PASSWORD);
        let others = uds.put_as(who, "/user/alice/credentials", &new).await;
        assert_eq!(others.status, 403);
        let answer = uds.put_as(who, PATH, &body("password", NEW_PASSWORD)).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        let new = ("aksethi", NEW_PASSWORD);
        assert_eq!(uds.ask_as(new, "/user/aksethi", &[]).await.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_history_shows_when_and_from_where() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let credentials = uds.read_as(AKSETHI, PATH).await;
        assert_eq!(credentials.attribute("uri"), uds.url(PATH));
        assert_eq!(credentials.names(), ["credential"]);
        let details = credentials.at("credential/loginDetails");
        assert_eq!(
            details.at("lastSuccessfulLogin").text(),
            "2026-11-21T12:00:00.000Z"
        );
        assert_eq!(details.at("lastSuccessfulLoginIp").text(), "127.0.0.1");
        assert_eq!(credentials.at("credential/loginFailures").text(), "0");
        let from_elsewhere = ["--interface", "127.0.7.9"];
        let wrong = ("aksethi", "Wrong-55-wrong");
        assert_eq!(uds.ask_as(wrong, PATH, &from_elsewhere).await.status, 401);
        // The login of this address is remembered: no hash, no delay, and the failure is told.
        let credentials = uds.read_as(AKSETHI, PATH).await;
        assert_eq!(credentials.at("credential/loginFailures").text(), "1");
        uds.test().clock.advance(Duration::from_secs(90));
        uds.ask_as(AKSETHI, "/user/aksethi", &from_elsewhere).await;
        let credentials = uds.read_as(AKSETHI, PATH).await;
        assert_eq!(credentials.at("credential/loginFailures").text(), "0");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_changes_at_once_one_holds() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let (first, second) = (
            body("password", NEW_PASSWORD),
            body("password", "Red-19-castle"),
        );
        let (first, second) = tokio::join!(
            uds.put_as(AKSETHI, PATH, &first),
            uds.put_as(AKSETHI, PATH, &second)
        );
        let mut statuses = [first.status, second.status];
        statuses.sort_unstable();
        assert_eq!(statuses[0], 204);
        assert!([401, 409].contains(&statuses[1]), "{statuses:?}");
        uds.test().clock.advance(Duration::from_secs(5));
        let expected = if first.status == 204 {
            NEW_PASSWORD
        } else {
            "Red-19-castle"
        };
        let answer = uds
            .ask_as(("aksethi", expected), "/user/aksethi", &[])
            .await;
        assert_eq!(answer.status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_administrators_change_is_refused_and_the_other_changes() {
    for_each_database(async |database| {
        let uds = Uds::start(&database).await;
        let mut change = UserChange::default();
        change.pin_terms.cant_change = Some(true);
        let app = &uds.test().app;
        users::update(app, &administrator(), "aksethi", &change)
            .await
            .unwrap();
        let refused = uds.put_as(AKSETHI, PATH, &body("pin", NEW_PIN)).await;
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(
            told(&refused).contains("Only an administrator"),
            "{}",
            refused.body
        );
        let both = format!(
            "<credentials><credential type=\"password\">{NEW_PASSWORD}</credential>\
             <credential type=\"pin\">{NEW_PIN}</credential></credentials>"
        );
        assert_eq!(uds.put_as(AKSETHI, PATH, &both).await.status, 403);
        assert!(is_pin(&uds, PIN).await);
        let answer = uds
            .put_as(AKSETHI, PATH, &body("password", NEW_PASSWORD))
            .await;
        assert_eq!(answer.status, 204, "{}", answer.body);
        // An administrator still changes it, and it stays as it was.
        let pin = NewSecret {
            secret: Secret::from(NEW_PIN),
            must_change: false,
        };
        users::credentials::set_pin(app, &administrator(), "aksethi", &pin)
            .await
            .unwrap();
        let who = ("aksethi", NEW_PASSWORD);
        let refused = uds.put_as(who, PATH, &body("pin", PIN)).await;
        assert_eq!(refused.status, 403);
        let pin = NewSecret {
            must_change: true,
            ..pin
        };
        let refused = users::credentials::set_pin(app, &administrator(), "aksethi", &pin).await;
        assert!(refused.is_err(), "nobody could change it then");
    })
    .await;
}
