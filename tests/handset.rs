//! The handset's door over real sockets, with `curl` as the phone's browser.

use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    Database, OwnLog, PIN, TestApp, for_each_database, form_url, is_own_process, post, url_of_key,
};
use crate::handset_support::{CISCO_7841, Door, MAC_NAME};
use selfprov::domain::credential::CredentialKind;
use selfprov::domain::history::TimelineEvent;
use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::AuthenticationMode;
use selfprov::domain::time::UnixMillis;
use selfprov::domain::{fresh_system, phone_model};
use selfprov::server::metrics;
use selfprov::service::credentials::hasher::Share;
use selfprov::store;

/// A second phone.
const OTHER_NAME: &str = "SEP0011AABBCCEE";

async fn door() -> Door {
    Door::open(&Database::sqlite()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_login_form_comes_over_https_and_over_plain_http_alike() {
    let door = door().await;
    let https = door.get("").await;
    let http = door.get_plain("").await;
    for answer in [&https, &http] {
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            Some("text/xml; charset=UTF-8")
        );
        assert_eq!(
            answer.header("expires"),
            Some("Wed, 01 Jan 2020 00:00:00 GMT")
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(
            answer.body.contains("<Title>Login</Title>"),
            "{}",
            answer.body
        );
    }
    assert_eq!(
        form_url(&https.body),
        format!("{}?name={MAC_NAME}", door.https_url())
    );
    assert_eq!(
        form_url(&http.body),
        format!("{}?name={MAC_NAME}", door.http_url())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_posted_by_the_models_that_can_and_by_no_other() {
    let door = door().await;
    door.register(OTHER_NAME, "127.0.0.1", None).await;
    for (model, method) in [
        ("CP-7841", "<URL method=\"post\">"),
        ("CP-8865", "<URL method=\"post\">"),
        ("CP-7975G", "<URL>"),
        ("nonsense", "<URL>"),
    ] {
        let header = format!("x-CiscoIPPhoneModelName: {model}");
        let url = format!("{}?name={OTHER_NAME}", door.https_url());
        let answer = door.run(&url, &["-H", &header]).await;
        assert!(answer.body.contains(method), "{model}: {}", answer.body);
    }
    let header = "x-CiscoIPPhoneModelName: CP-7975G";
    let answer = door.curl(&door.https_url(), "", &["-H", header]).await;
    assert!(
        answer.body.contains("<URL method=\"post\">"),
        "it registered as a 7841"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn help_is_one_key_away_and_leads_back() {
    let door = door().await;
    let form = door.get("").await;
    let help = door.fetch(&url_of_key(&form.body, "Help")).await;
    assert!(help.body.contains("<Title>Help</Title>"), "{}", help.body);
    let form = door.fetch(&url_of_key(&help.body, "Back")).await;
    assert!(form.body.contains("<Title>Login</Title>"), "{}", form.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_refused_with_allow_and_head_has_no_body() {
    let door = door().await;
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"] {
        let answer = door.curl(&door.https_url(), "", &["-X", method]).await;
        assert_eq!(answer.status, 405, "{method}");
        let allow = answer.header("allow").unwrap_or_default();
        for allowed in ["GET", "HEAD", "POST"] {
            assert!(allow.contains(allowed), "{method}: {allow}");
        }
    }
    let head = door
        .curl(&door.https_url(), "userid=aksethi&pin=73519", &["-I"])
        .await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), Some("text/xml; charset=UTF-8"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_named() {
    let door = door().await;
    let long = "9".repeat(300);
    for (query, reason) in [
        (format!("userid={long}"), "userid is too long."),
        (format!("pin={long}"), "pin is too long."),
        (
            "userid=a%00b&pin=1".to_owned(),
            "userid contains a control character.",
        ),
        (
            "userid=a%0d%0aSet-Cookie:x&pin=1".to_owned(),
            "userid contains a control character.",
        ),
        (
            "userid=%c3%28&pin=1".to_owned(),
            "userid is not valid UTF-8.",
        ),
        (
            "userid=a&userid=b&pin=1".to_owned(),
            "userid is given twice.",
        ),
        ("step=reboot".to_owned(), "step is unknown."),
        ("step=confirm".to_owned(), "token is missing."),
    ] {
        let answer = door.get(&query).await;
        assert_eq!(answer.status, 200, "{query}");
        assert!(answer.body.contains(reason), "{query}: {}", answer.body);
        assert!(
            answer.body.contains("[BAD_REQUEST]"),
            "{query}: {}",
            answer.body
        );
    }
    let unknown = door.get("nonsense=%ff%00&nonsense=2").await;
    assert!(
        unknown.body.contains("<Title>Login</Title>"),
        "{}",
        unknown.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_over_8_kib_is_cut_off_and_a_smaller_one_is_read() {
    let door = door().await;
    let large = format!("userid=a&padding={}", "x".repeat(9_000));
    let answer = door.curl(&door.https_url(), "", &post(&large)).await;
    assert!(answer.body.contains("[BAD_REQUEST]"), "{}", answer.body);
    assert_eq!(answer.header("connection"), Some("close"));
    let small = format!("step=help&padding={}", "x".repeat(8_000));
    let answer = door.curl(&door.https_url(), "", &post(&small)).await;
    assert!(
        answer.body.contains("<Title>Help</Title>"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_authorized_to_push() {
    let door = door().await;
    let url = door.https_url().replace("selfProvision", "authenticate");
    let query = "UserID=aksethi&Password=73519&devicename=SEP0011AABBCCDD";
    for more in [&[][..], &["-X", "POST"]] {
        let answer = door.curl(&url, query, more).await;
        assert_eq!(
            (answer.status, answer.body.as_str()),
            (200, "UN-AUTHORIZED")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_is_served_that_would_tell_of_users_or_files() {
    let door = door().await;
    for path in [
        "/",
        "/metrics",
        "/healthz",
        "/axl/",
        "/SEP0011AABBCCDD.cnf.xml",
    ] {
        let url = door
            .http_url()
            .replace("/cucm-uds/private/selfProvision", path);
        assert_eq!(door.curl(&url, "", &[]).await.status, 404, "{path}");
    }
}

/// The parameters of a right login.
fn right_login() -> String {
    format!("userid=aksethi&pin={PIN}")
}

/// The code on an error screen, without the brackets.
fn code_of(xml: &str) -> Option<&str> {
    let (_, rest) = xml.split_once("\n[")?;
    rest.split_once("]</Text>").map(|(code, _)| code)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_confirms_and_the_phone_is_theirs() {
    for_each_database(|database| async move {
        let door = Door::open(&database).await;
        let form = door.get("").await;
        let success = door.run(&form_url(&form.body), &post(&right_login())).await;
        assert!(
            success.body.contains("<Title>Login Success</Title>"),
            "{}",
            success.body
        );
        assert!(
            success.body.contains("User: akash sethi\nNumber: 1004\n"),
            "{}",
            success.body
        );
        let go_on = url_of_key(&success.body, "Continue");
        assert!(go_on.len() <= 256, "{go_on}");
        assert!(
            door.phone().owner.is_none(),
            "nothing is written before Continue"
        );

        let done = door.fetch(&go_on).await;
        assert!(
            done.body.contains("<Title>Provisioning</Title>"),
            "{}",
            done.body
        );
        assert!(done.body.contains("1004"), "{}", done.body);
        let phone = door.phone();
        assert!(phone.owner.is_some());
        assert_eq!(phone.primary_line().unwrap().pattern.as_str(), "1004");

        let again = door.fetch(&go_on).await;
        assert_eq!(
            again.body, done.body,
            "Continue sent twice gives the same answer"
        );
        assert_eq!(door.phone(), phone, "and changes nothing");
        let form = door.get("").await;
        assert_eq!(code_of(&form.body), Some("DEVICE_NOT_AUTOREGISTERED"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_phone_logs_in_by_get_over_plain_http() {
    let door = door().await;
    let success = door.get_plain(&right_login()).await;
    let done = door.fetch(&url_of_key(&success.body, "Continue")).await;
    assert!(
        done.body.contains("<Title>Provisioning</Title>"),
        "{}",
        done.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_says_no_name_is_found_by_its_address_unless_there_are_two() {
    let door = door().await;
    for query in ["", "?name=", "?name=%23DEVICENAME%23"] {
        let answer = door.fetch(&format!("{}{query}", door.https_url())).await;
        assert!(
            answer.body.contains("<Title>Login</Title>"),
            "{query}: {}",
            answer.body
        );
    }
    let url = format!("{}?{}", door.https_url(), right_login());
    let success = door.fetch(&url).await;
    assert!(
        success.body.contains("<Title>Login Success</Title>"),
        "{}",
        success.body
    );
    door.register(OTHER_NAME, "127.0.0.1", Some(CISCO_7841))
        .await;
    let answer = door.fetch(&door.https_url()).await;
    assert_eq!(code_of(&answer.body), Some("DEVICE_NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_is_not_waiting_or_asks_from_elsewhere_gets_one_text() {
    let door = door().await;
    let text = "This phone is not waiting to be provisioned.";
    let unknown = door
        .fetch(&format!("{}?name=SEPFFFFFFFFFFFF", door.https_url()))
        .await;
    let elsewhere = door
        .curl(&door.https_url(), "", &["--interface", "127.0.0.9"])
        .await;
    for (answer, code) in [
        (unknown, "DEVICE_NOT_FOUND"),
        (elsewhere, "DEVICE_ADDRESS_MISMATCH"),
    ] {
        assert!(answer.body.contains(text), "{}", answer.body);
        assert_eq!(code_of(&answer.body), Some(code));
    }
    let tried = door
        .curl(
            &door.https_url(),
            &right_login(),
            &["--interface", "127.0.0.9"],
        )
        .await;
    assert_eq!(code_of(&tried.body), Some("DEVICE_ADDRESS_MISMATCH"));
    let timeline = door.timeline().await;
    let row = timeline
        .iter()
        .find(|row| row.code == "DEVICE_ADDRESS_MISMATCH")
        .unwrap();
    assert!(
        row.detail.contains("127.0.0.9") && row.detail.contains("127.0.0.1"),
        "{row:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_whether_user_or_pin_was_wrong_and_back_keeps_the_user_id() {
    let door = door().await;
    door.register(OTHER_NAME, "127.0.0.1", Some(CISCO_7841))
        .await;
    let wrong_pin = door.get("userid=aksethi&pin=1928").await;
    assert_eq!(code_of(&wrong_pin.body), Some("AUTHENTICATION_FAILED"));
    let other = format!(
        "{}?name={OTHER_NAME}&userid=nobody&pin=1928",
        door.https_url()
    );
    let unknown = door.fetch(&other).await;
    let neutral = |xml: &str| {
        xml.replace("nobody", "aksethi")
            .replace(OTHER_NAME, MAC_NAME)
    };
    assert_eq!(neutral(&unknown.body), wrong_pin.body);
    let form = door.fetch(&url_of_key(&wrong_pin.body, "Back")).await;
    assert!(
        form.body.contains("<DefaultValue>aksethi</DefaultValue>"),
        "{}",
        form.body
    );

    let at_once = door.get(&right_login()).await;
    assert_eq!(
        code_of(&at_once.body),
        Some("TOO_MANY_ATTEMPTS"),
        "{}",
        at_once.body
    );
    assert!(
        at_once.body.contains("Too many attempts. Try again in "),
        "{}",
        at_once.body
    );
    door.test.clock.advance(Duration::from_secs(10));
    let later = door.get(&right_login()).await;
    assert!(
        later.body.contains("<Title>Login Success</Title>"),
        "{}",
        later.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_without_pin_or_without_user_is_no_login() {
    let door = door().await;
    for query in ["userid=aksethi", "userid=aksethi&pin=", "userid=&pin=8362"] {
        let answer = door.get(query).await;
        assert_eq!(
            code_of(&answer.body),
            Some("AUTHENTICATION_FAILED"),
            "{query}"
        );
        door.test.clock.advance(Duration::from_mins(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_after_a_right_login_has_its_code_text_and_log_line() {
    let door = door().await;
    let model = "INVALID_DEVICE_MODEL";
    let cti_port = phone_model::all()
        .iter()
        .find(|model| !model.is_phone())
        .unwrap();
    door.register(OTHER_NAME, "127.0.0.1", Some(cti_port.number))
        .await;
    let other = format!("{}?name={OTHER_NAME}&{}", door.https_url(), right_login());
    let answer = door.fetch(&other).await;
    assert_eq!(code_of(&answer.body), Some(model), "{}", answer.body);

    door.change_profile(|profile| profile.desk_phones = None)
        .await;
    let answer = door.get(&right_login()).await;
    assert_eq!(
        code_of(&answer.body),
        Some("MODEL_PHONETEMPELATE_NOT_FOUND")
    );
    assert!(
        answer
            .body
            .contains("No template for this phone. Contact your administrator.")
    );

    door.change_profile(|profile| profile.limit_provision = 0)
        .await;
    let answer = door.get(&right_login()).await;
    assert_eq!(code_of(&answer.body), Some("SELFPROV_DEVICE_LIMIT"));
    assert!(
        answer
            .body
            .contains("You already have the most phones allowed.")
    );

    door.change_profile(|profile| profile.allow_provision = false)
        .await;
    let answer = door.get(&right_login()).await;
    assert_eq!(code_of(&answer.body), Some("SELFPROV_NOT_ALLOWED"));
    assert!(answer.body.contains("You may not provision a phone."));

    leave_end_users(&door, "aksethi").await;
    let answer = door.get(&right_login()).await;
    assert_eq!(code_of(&answer.body), Some("USER_NOT_READY"));

    let trace = door.trace().await;
    for message in [
        "Model phone template is not available.",
        "Device Self-Provision is not allowed.",
        "Device Self-Provision has reached its device limit.",
    ] {
        let line = trace.lines().find(|line| line.ends_with(message)).unwrap();
        let (start, rest) = line.split_once(" ERROR [https-").unwrap();
        assert_eq!(start, "2026-11-21 12:00:00,000");
        let (_, end) = rest.split_once("]  ").unwrap();
        assert_eq!(end, format!("handlers.SelfProvisionHandler - {message}"));
    }
}

async fn leave_end_users(door: &Door, login: &str) {
    let user = user_of(door, login).await;
    let mut transaction = door.app().store.begin().await.unwrap();
    let connection = transaction.connection();
    store::end_user::leave_every_access_control_group(connection, user)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

async fn user_of(door: &Door, login: &str) -> selfprov::domain::pkid::Pkid {
    let mut reader = door.app().store.read().await.unwrap();
    let login = selfprov::domain::login_name::FoldedLogin::of(login);
    store::end_user::by_login(reader.connection(), &login)
        .await
        .unwrap()
        .unwrap()
        .pkid
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_a_correlation_id_in_log_and_timeline() {
    let door = door().await;
    let success = door.get(&right_login()).await;
    door.fetch(&url_of_key(&success.body, "Continue")).await;
    let trace = door.trace().await;
    let timeline = door.timeline().await;
    for (event, result) in [
        (TimelineEvent::LoggedIn, "LOGIN_SUCCESS"),
        (TimelineEvent::Provisioned, "PROVISIONED"),
    ] {
        let row = timeline.iter().find(|row| row.event == event).unwrap();
        let correlation = row.correlation.unwrap().to_string();
        let line = trace
            .lines()
            .find(|line| line.contains(&correlation))
            .unwrap();
        assert!(line.contains(result) && line.contains(MAC_NAME), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_old_changed_or_of_another_phone_leads_back_to_the_login() {
    let door = door().await;
    door.register(OTHER_NAME, "127.0.0.1", Some(CISCO_7841))
        .await;
    let success = door.get(&right_login()).await;
    let go_on = url_of_key(&success.body, "Continue");
    let before = door.phone();
    let changed = format!("{go_on}A");
    let others = go_on.replace(MAC_NAME, OTHER_NAME);
    for url in [&changed, &others] {
        let answer = door.fetch(url).await;
        assert!(
            answer.body.contains("<Title>Login</Title>"),
            "{url}: {}",
            answer.body
        );
    }
    let elsewhere = door.run(&go_on, &["--interface", "127.0.0.9"]).await;
    assert!(
        !elsewhere.body.contains("<Title>Provisioning</Title>"),
        "{}",
        elsewhere.body
    );
    door.test.clock.advance(Duration::from_mins(4));
    let old = door.fetch(&go_on).await;
    assert!(old.body.contains("<Title>Login</Title>"), "{}", old.body);
    assert_eq!(door.phone(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_mode_not_required_the_user_id_alone_is_enough() {
    let door = door().await;
    set_mode(&door, AuthenticationMode::NotRequired).await;
    let form = door.get("").await;
    assert!(
        form.body
            .contains("<QueryStringParam>userid</QueryStringParam>"),
        "{}",
        form.body
    );
    assert!(
        !form
            .body
            .contains("<QueryStringParam>pin</QueryStringParam>"),
        "{}",
        form.body
    );
    for user_id in ["aksethi", "AkSethi", "1004"] {
        let success = door.get(&format!("userid={user_id}")).await;
        assert!(
            success.body.contains("Number: 1004"),
            "{user_id}: {}",
            success.body
        );
    }
    let success = door.get("userid=aksethi").await;
    set_mode(&door, AuthenticationMode::UsersOnly).await;
    let answer = door.fetch(&url_of_key(&success.body, "Continue")).await;
    assert!(
        answer.body.contains("<Title>Login</Title>"),
        "the mode has changed since: {}",
        answer.body
    );
}

async fn set_mode(door: &Door, mode: AuthenticationMode) {
    let mut transaction = door.app().store.begin().await.unwrap();
    store::self_provisioning::set_mode(transaction.connection(), mode)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    door.app().reread_configuration().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_logs_in_for_a_user_with_the_code_in_its_mode_only() {
    let door = door().await;
    let code = "4071936285";
    let hash = door
        .app()
        .hasher
        .hash(Share::Others, &Secret::from(code))
        .await
        .unwrap();
    let code_hash = selfprov::domain::self_provisioning::AuthenticationCodeHash {
        hash,
        length: code.len(),
    };
    let mut transaction = door.app().store.begin().await.unwrap();
    let connection = transaction.connection();
    store::self_provisioning::set_code(connection, Some(&code_hash))
        .await
        .unwrap();
    transaction.commit().await.unwrap();

    let by_code = format!("userid=aksethi&pin={code}");
    let refused = door.get(&by_code).await;
    assert_eq!(code_of(&refused.body), Some("AUTHENTICATION_FAILED"));
    door.test.clock.advance(Duration::from_mins(1));
    set_mode(&door, AuthenticationMode::UsersAndAdministrators).await;
    for login in [by_code, right_login()] {
        let success = door.get(&login).await;
        assert!(
            success.body.contains("<Title>Login Success</Title>"),
            "{}",
            success.body
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_must_change_is_changed_on_the_handset_and_the_login_goes_on() {
    let door = door().await;
    must_change_pin(&door).await;
    let form = door.get(&right_login()).await;
    assert!(
        form.body.contains("<Title>Change PIN</Title>"),
        "{}",
        form.body
    );
    let url = form_url(&form.body);
    for (new, again, reason) in [
        ("739516", "739517", "The two PINs are not the same."),
        ("12345", "12345", "The digits run straight up or down."),
        ("12", "12", "The PIN needs at least 4 digits."),
        ("73a516", "73a516", "A PIN has digits only."),
    ] {
        let refused = door
            .run(&url, &post(&format!("newpin={new}&newpin2={again}")))
            .await;
        assert!(refused.body.contains(reason), "{new}: {}", refused.body);
        let form = door.fetch(&url_of_key(&refused.body, "Back")).await;
        assert!(
            form.body.contains("<Title>Change PIN</Title>"),
            "{}",
            form.body
        );
    }
    let success = door.run(&url, &post("newpin=739516&newpin2=739516")).await;
    assert!(
        success.body.contains("<Title>Login Success</Title>"),
        "{}",
        success.body
    );
    let done = door.fetch(&url_of_key(&success.body, "Continue")).await;
    assert!(
        done.body.contains("<Title>Provisioning</Title>"),
        "{}",
        done.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_only_an_administrator_may_change_is_not_changed_on_the_handset() {
    for_each_database(|database| async move {
        let door = Door::open(&database).await;
        must_change_pin(&door).await;
        let form = door.get(&right_login()).await;
        let url = form_url(&form.body);
        // The administrator says so while the form is on the screen.
        let terms = store::credential::Terms {
            policy: fresh_system::PIN_POLICY,
            must_change: true,
            does_not_expire: false,
            cant_change: true,
        };
        let owner = user_of(&door, "aksethi").await;
        let mut transaction = door.app().store.begin().await.unwrap();
        let connection = transaction.connection();
        let pin = store::credential::find(connection, owner, CredentialKind::Pin)
            .await
            .unwrap()
            .unwrap();
        store::credential::set_terms(connection, pin.pkid, &terms)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        let refused = door.run(&url, &post("newpin=739516&newpin2=739516")).await;
        assert!(
            refused.body.contains("Only an administrator may change"),
            "{}",
            refused.body
        );
        let refused = door.get(&right_login()).await;
        assert_eq!(code_of(&refused.body), Some("CREDENTIAL_EXPIRED"));
        assert!(
            refused.body.contains("Contact your administrator."),
            "{}",
            refused.body
        );
        let mut reader = door.app().store.read().await.unwrap();
        let connection = reader.connection();
        let after = store::credential::find(connection, owner, CredentialKind::Pin).await;
        assert_eq!(after.unwrap().unwrap().version, pin.version);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_that_must_change_releases_no_phone() {
    let door = door().await;
    let success = door.get(&right_login()).await;
    door.fetch(&url_of_key(&success.body, "Continue")).await;
    must_change_pin(&door).await;
    let service = door.https_url().replace("selfProvision", "releasePhone");
    let form = door.curl(&service, "", &[]).await;
    let refused = door
        .run(&form_url(&form.body), &post(&format!("pin={PIN}")))
        .await;
    assert_eq!(
        code_of(&refused.body),
        Some("CREDENTIAL_EXPIRED"),
        "{}",
        refused.body
    );
    assert!(door.phone().owner.is_some());
}

async fn must_change_pin(door: &Door) {
    let app = door.app();
    let owner = user_of(door, "aksethi").await;
    let credential = store::credential::NewCredential {
        pkid: app.new_pkid(),
        owner,
        kind: CredentialKind::Pin,
        hash: app
            .hasher
            .hash(Share::Others, &Secret::from(PIN))
            .await
            .unwrap(),
        policy: fresh_system::PIN_POLICY,
        changed_at: app.environment.now(),
        must_change: true,
    };
    let mut transaction = app.store.begin().await.unwrap();
    store::credential::put(transaction.connection(), &credential)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_logins_than_may_wait_are_told_to_wait_and_the_form_still_comes() {
    let test = TestApp::builder()
        .settings(|settings| {
            settings.credentials.hasher_threads = 1;
            settings.credentials.hasher_queue_max = 1;
        })
        .start(&Database::sqlite())
        .await;
    test.add_fixture().await;
    let door = Arc::new(Door::open_with(test).await);
    let mut names = Vec::new();
    for number in 0..8 {
        let name = format!("SEP00000000000{number}");
        door.register(&name, "127.0.0.1", Some(CISCO_7841)).await;
        names.push(name);
    }
    let busy = async {
        loop {
            let logins = names.iter().map(|name| {
                let url = format!("{}?name={name}&userid=aksethi&pin={PIN}", door.https_url());
                let door = Arc::clone(&door);
                tokio::spawn(async move { door.fetch(&url).await })
            });
            for login in logins.collect::<Vec<_>>() {
                let answer = login.await.unwrap();
                assert_eq!(answer.status, 200);
                if answer.body.contains("<Title>Please wait</Title>") {
                    return answer;
                }
            }
        }
    };
    let busy = tokio::time::timeout(Duration::from_mins(1), busy)
        .await
        .unwrap();
    let refresh = busy.header("refresh").unwrap();
    let (after_s, url) = refresh.split_once("; url=").unwrap();
    assert_eq!(after_s, "5");
    let form = door.fetch(url).await;
    assert!(
        form.body.contains("<DefaultValue>aksethi</DefaultValue>"),
        "{}",
        form.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_a_login_waits_and_the_form_comes_from_memory() {
    let door = door().await;
    let success = door.get(&right_login()).await;
    door.app().store.close().await;
    let form = door.get("").await;
    assert!(form.body.contains("<Title>Login</Title>"), "{}", form.body);
    let go_on = url_of_key(&success.body, "Continue");
    for answer in [door.get(&right_login()).await, door.fetch(&go_on).await] {
        assert_eq!(answer.status, 200);
        assert!(
            answer.body.contains("<Title>Please wait</Title>"),
            "{}",
            answer.body
        );
        assert!(
            answer
                .header("refresh")
                .unwrap()
                .starts_with("5; url=https://")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_log_metric_or_file_holds_a_pin_that_somebody_entered() {
    if !is_own_process("handset::no_log_metric_or_file_holds_a_pin_that_somebody_entered") {
        return;
    }
    let pin = "84629173";
    let wrong = "5018264739";
    let own_log = OwnLog::captured();
    metrics::recorder();
    let door = door().await;
    door.test.add_user("mmuster", "1005", pin).await;
    door.get(&format!("userid=mmuster&pin={wrong}")).await;
    door.test.clock.advance(Duration::from_mins(1));
    door.get(&format!("userid={wrong}&pin={pin}")).await;
    door.test.clock.advance(Duration::from_mins(1));
    door.get(&format!("userid=mmuster&pin={pin}&pin={pin}"))
        .await;
    door.get(&format!("pin={pin}%00&userid=mmuster")).await;
    let success = door.get(&format!("userid=mmuster&pin={pin}")).await;
    door.fetch(&url_of_key(&success.body, "Continue")).await;
    assert!(door.phone().owner.is_some(), "the whole way was gone");
    door.trace().await;
    let mut written = vec![("the service's own log".to_owned(), own_log.bytes())];
    written.push((
        "metrics".to_owned(),
        metrics::recorder().render().into_bytes(),
    ));
    assert!(written.iter().all(|(_, bytes)| !bytes.is_empty()));
    for path in door.files() {
        written.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    for (place, bytes) in written {
        for secret in [pin, wrong] {
            let found = bytes
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {place}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_restart() {
    let door = door().await;
    let folder = door.test.database.folder();
    let new = tempfile::tempdir().unwrap();
    let files = selfprov::server::tls::CertificateFiles::in_data_dir(new.path());
    let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
    let names = ["127.0.0.1".to_owned()];
    selfprov::server::tls::ServerCertificate::load_or_make(files, &names, now).unwrap();
    for name in ["https-key.pem", "https-certificate.pem"] {
        std::fs::copy(new.path().join(name), folder.join(name)).unwrap();
    }
    assert!(door.certificate.reload(now).unwrap());
    // curl trusts the file in the folder, which is the new one.
    assert!(door.get("").await.body.contains("<Title>Login</Title>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_releases_the_phone_and_continue_cannot_take_it_back() {
    for_each_database(|database| async move {
        let door = Door::open(&database).await;
        let success = door.get(&right_login()).await;
        let go_on = url_of_key(&success.body, "Continue");
        door.fetch(&go_on).await;
        assert!(door.phone().owner.is_some());

        let service = door.https_url().replace("selfProvision", "releasePhone");
        let form = door.curl(&service, "", &[]).await;
        assert!(
            form.body.contains("<Title>Release this phone</Title>"),
            "{}",
            form.body
        );
        let wrong = door.run(&form_url(&form.body), &post("pin=1928")).await;
        assert_eq!(
            code_of(&wrong.body),
            Some("AUTHENTICATION_FAILED"),
            "{}",
            wrong.body
        );
        door.test.clock.advance(Duration::from_secs(30));
        let form = door.fetch(&url_of_key(&wrong.body, "Back")).await;
        let asked = door
            .run(&form_url(&form.body), &post(&format!("pin={PIN}")))
            .await;
        assert!(
            door.phone().owner.is_some(),
            "nothing is written before the confirmation"
        );
        let release = url_of_key(&asked.body, "Release");
        let done = door.fetch(&release).await;
        assert!(
            done.body.contains("This phone is released"),
            "{}",
            done.body
        );
        let released = door.phone();
        assert_eq!(released.owner, None);

        let replayed = door.fetch(&go_on).await;
        assert_eq!(replayed.status, 200);
        let again = door.fetch(&release).await;
        assert_eq!(
            code_of(&again.body),
            Some("DEVICE_NOT_FOUND"),
            "{}",
            again.body
        );
        assert_eq!(door.phone(), released, "neither changes anything");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_nobody_owns_is_not_released() {
    let door = door().await;
    let answer = door.get(&format!("step=release&pin={PIN}")).await;
    assert_eq!(code_of(&answer.body), Some("DEVICE_NOT_FOUND"));
    assert!(
        !answer.body.contains("waiting to be provisioned"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn three_failures_lock_the_phone_and_neither_the_user_nor_a_colleague() {
    let door = door().await;
    door.test.add_user("mmuster", "1005", "739516").await;
    door.register(OTHER_NAME, "127.0.0.1", Some(CISCO_7841))
        .await;
    for _ in 0..3 {
        let wrong = door.get("userid=aksethi&pin=1928").await;
        assert_eq!(code_of(&wrong.body), Some("AUTHENTICATION_FAILED"));
        door.test.clock.advance(Duration::from_secs(10));
    }
    let right = door.get(&right_login()).await;
    let wrong = door.get("userid=aksethi&pin=1928").await;
    assert_eq!(
        code_of(&right.body),
        Some("TOO_MANY_ATTEMPTS"),
        "{}",
        right.body
    );
    assert_eq!(
        right.body, wrong.body,
        "a lock does not tell which PIN is right"
    );
    let colleague = door.get("userid=mmuster&pin=739516").await;
    assert_eq!(
        code_of(&colleague.body),
        Some("TOO_MANY_ATTEMPTS"),
        "it is the phone"
    );
    let elsewhere = format!("{}?name={OTHER_NAME}&{}", door.https_url(), right_login());
    let elsewhere = door.fetch(&elsewhere).await;
    assert!(
        elsewhere.body.contains("<Title>Login Success</Title>"),
        "{}",
        elsewhere.body
    );
    door.test.clock.advance(Duration::from_mins(31));
    let later = door.get(&right_login()).await;
    assert!(
        later.body.contains("<Title>Login Success</Title>"),
        "{}",
        later.body
    );
}
