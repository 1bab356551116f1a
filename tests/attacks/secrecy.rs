//! A whole session with unusual digits, and a search for them in everything that is left of it.

use std::time::Duration;

use selfprov::domain::secret::Secret;
use selfprov::domain::self_provisioning::AuthenticationCodeHash;
use selfprov::server::metrics;
use selfprov::service::credentials::hasher::Share;
use selfprov::store;

use crate::attacks::site::ATTACKER;
use crate::attacks::site::BYSTANDER;
use crate::attacks::site::Desk;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::common::Answer;
use crate::common::Database;
use crate::common::OwnLog;
use crate::common::for_each_database;
use crate::common::form_url;
use crate::common::is_own_process;
use crate::common::post;
use crate::common::url_of_key;

const PIN: &str = "70618294";
const NEW_PIN: &str = "93075182";
const WRONG_PIN: &str = "58301749";
const WRONG_FIELD: &str = "40928163";
const CODE: &str = "6150829374";

/// Sends a form as the phone at `desk` and keeps the answer.
async fn send(site: &Site, desk: Desk, url: &str, form: &str, seen: &mut Vec<Answer>) -> String {
    let mut arguments = vec!["--interface", desk.address];
    arguments.extend(post(form));
    let answer = site.server.handset.run(url, &arguments).await;
    let body = answer.body.clone();
    seen.push(answer);
    site.test().clock.advance(Duration::from_secs(10));
    body
}

/// The session; gives every answer that a phone got.
async fn session(site: &Site) -> Vec<Answer> {
    let mut seen = Vec::new();
    let app = &site.test().app;
    site.phone(VICTIM).await;
    site.phone(ATTACKER).await;
    site.phone(BYSTANDER).await;
    site.test().add_user("mmuster", "1005", PIN).await;
    set_code(site).await;

    let url = form_url(&site.ask(VICTIM, "").await.body);
    let login = format!("userid=mmuster&pin={PIN}");
    let wrong = format!("userid=mmuster&pin={WRONG_PIN}");
    send(site, VICTIM, &url, &wrong, &mut seen).await;
    let cut_off = format!("{login}%00");
    send(site, VICTIM, &url, &cut_off, &mut seen).await;
    let twice = format!("{login}&pin={PIN}");
    send(site, VICTIM, &url, &twice, &mut seen).await;
    // In the name of another phone: refused before the PIN is looked at.
    let other = site.server.handset.https_url() + "?name=" + &BYSTANDER.name();
    send(site, ATTACKER, &other, &login, &mut seen).await;
    // An old phone: by GET over plain HTTP.
    let old = site.server.handset.http_url();
    let old = format!("{old}?name={}", ATTACKER.name());
    seen.push(site.follow(ATTACKER, &format!("{old}&{wrong}")).await);
    site.test().clock.advance(Duration::from_secs(10));
    seen.push(site.follow(ATTACKER, &format!("{old}&{login}")).await);
    // The PIN typed where the user ID belongs; its own screen says it again, to its own phone.
    let mut not_kept = Vec::new();
    let in_wrong_field = format!("userid={WRONG_FIELD}&pin={PIN}");
    send(site, BYSTANDER, &other, &in_wrong_field, &mut not_kept).await;
    let by_code = format!("userid=mmuster&pin={CODE}");
    let shown = send(site, BYSTANDER, &other, &by_code, &mut seen).await;
    assert!(shown.contains("<Title>Login Success</Title>"), "{shown}");

    site.test()
        .sql("UPDATE credential SET must_change = 1")
        .await;
    let form = send(site, VICTIM, &url, &login, &mut seen).await;
    let change = form_url(&form);
    let differ = format!("newpin={NEW_PIN}&newpin2={WRONG_PIN}");
    send(site, VICTIM, &change, &differ, &mut seen).await;
    let new = format!("newpin={NEW_PIN}&newpin2={NEW_PIN}");
    let shown = send(site, VICTIM, &change, &new, &mut seen).await;
    seen.push(site.follow(VICTIM, &url_of_key(&shown, "Continue")).await);
    let owner = app.phones.find(&VICTIM.name().parse().unwrap()).unwrap();
    assert!(owner.phone.owner.is_some(), "the whole way was gone");
    let form = site.ask(VICTIM, "step=release").await;
    let release = form_url(&form.body);
    send(
        site,
        VICTIM,
        &release,
        &format!("pin={WRONG_PIN}"),
        &mut seen,
    )
    .await;
    let asked = send(site, VICTIM, &release, &format!("pin={NEW_PIN}"), &mut seen).await;
    let released = site.follow(VICTIM, &url_of_key(&asked, "Release")).await;
    assert!(
        released.body.contains("This phone is released"),
        "{}",
        released.body
    );
    seen.push(released);
    seen
}

async fn set_code(site: &Site) {
    let app = &site.test().app;
    let code = Secret::from(CODE);
    let hash = app.hasher.hash(Share::Others, &code).await.unwrap();
    let length = CODE.len();
    let mut transaction = app.store.begin().await.unwrap();
    let code = AuthenticationCodeHash { hash, length };
    store::self_provisioning::set_code(transaction.connection(), Some(&code))
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    site.test()
        .sql("UPDATE self_provisioning SET authentication_mode = 'users_and_administrators'")
        .await;
}

async fn search(database: &Database, log: &OwnLog) {
    metrics::recorder();
    let site = Site::open(database).await;
    site.server.handset.trace_everything();
    let answers = session(&site).await;

    let trace = site.server.handset.trace().await;
    assert!(
        trace.contains(" DEBUG ") && trace.contains("PROVISIONED"),
        "{trace}"
    );
    let log = log.bytes();
    assert!(log.len() > 10_000, "libraries log as well");
    let rendered = metrics::recorder().render();
    assert!(rendered.contains("AUTHENTICATION_FAILED"));
    let mut left: Vec<(String, Vec<u8>)> = vec![
        ("the service's own log".to_owned(), log),
        ("metrics".to_owned(), rendered.into_bytes()),
        (
            "the database".to_owned(),
            site.contents().await.text().into_bytes(),
        ),
    ];
    for path in database.files() {
        left.push((path.display().to_string(), std::fs::read(&path).unwrap()));
    }
    for answer in &answers {
        left.push(("a screen".to_owned(), format!("{answer:?}").into_bytes()));
    }
    for (place, bytes) in &left {
        for secret in [PIN, NEW_PIN, WRONG_PIN, WRONG_FIELD, CODE] {
            let found = bytes
                .windows(secret.len())
                .position(|window| window == secret.as_bytes());
            if let Some(at) = found {
                let around = &bytes[at.saturating_sub(200)..bytes.len().min(at + 50)];
                panic!("{secret} in {place}: {}", String::from_utf8_lossy(around));
            }
        }
    }
    let app = &site.test().app;
    app.phones.for_each(|known| {
        let sealed = known.phone.digest.sealed_secret.clone().unwrap();
        let secret = app.keys.open_secret(&sealed).unwrap();
        let secret = secret.reveal().as_bytes();
        for (place, bytes) in &left {
            let is_there = bytes.windows(secret.len()).any(|window| window == secret);
            assert!(!is_there, "a SIP secret in {place}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_session_leaves_no_pin_code_or_secret_anywhere() {
    if !is_own_process("attacks::secrecy::a_whole_session_leaves_no_pin_code_or_secret_anywhere") {
        return;
    }
    let log = &OwnLog::captured();
    for_each_database(|database| async move { search(&database, log).await }).await;
}
