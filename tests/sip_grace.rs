//! Nobody is stranded: what a phone may still do between its old file and its new one.

use std::time::Duration;

use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::administrator;
use crate::common::for_each_database;
use crate::common::provision_for_user;
use crate::common::secret_of;
use selfprov::domain::device::DeviceName;
use selfprov::domain::secret::Secret;
use selfprov::service::App;
use selfprov::service::devices;
use selfprov::service::devices::DeviceChange;
use selfprov::service::self_provisioning::release;
use selfprov::service::users::credentials::set_digest_credentials;
use selfprov::store;

/// Longest wait for something that must happen.
const DEADLINE: Duration = Duration::from_secs(20);

const MAC: &str = "0011AABBCC01";

fn name() -> DeviceName {
    format!("SEP{MAC}").parse().unwrap()
}

fn number(app: &App) -> String {
    let known = app.phones.find(&name()).unwrap();
    known.phone.lines[0].pattern.to_string()
}

/// Marks the phone's own file as fetched, as the file doors do.
async fn fetch_file(app: &App) {
    let known = app.phones.find(&name()).unwrap();
    let now = app.environment.now();
    let mut transaction = app.store.begin().await.unwrap();
    store::device::set_file_fetched(transaction.connection(), known.phone.pkid, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.phones.update(&name(), |known| {
        let mut changed = known.clone();
        changed.phone.file_fetched_at = Some(now);
        Some(changed)
    });
}

async fn release_by_administrator(app: &App) {
    let actor = administrator();
    release::by_administrator(app, &name(), &actor)
        .await
        .unwrap();
}

/// A phone that has auto-registered, fetched its own file and registered its own line.
async fn settled(server: &TestServer) -> SipPhone {
    let app = &server.test.app;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    fetch_file(app).await;
    phone.boot();
    phone.number = number(app);
    let user = phone.name.clone();
    let reply = phone
        .register_as(&user, &secret_of(app, &name()), 120)
        .await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    phone
}

/// Takes the next restart and says yes to it, which is heard.
async fn take_restart(server: &TestServer, phone: &mut SipPhone) -> Reply {
    let control = &server.test.app.phone_control;
    let attempts = || control.owed_by(&name()).map(|owed| owed.attempts);
    let before = attempts();
    server.test.clock.advance(Duration::from_secs(1));
    let notify = phone.expect("NOTIFY").await;
    phone.answer(&notify, "200 OK").await;
    let heard = tokio::time::timeout(DEADLINE, async {
        while attempts() == before {
            tokio::task::yield_now().await;
        }
    });
    assert!(heard.await.is_ok(), "the answer is not heard");
    notify
}

/// The phone boots with the file it has now.
async fn boot_with_new_file(app: &App, phone: &mut SipPhone) -> Reply {
    fetch_file(app).await;
    phone.boot();
    phone.number = number(app);
    let user = phone.name.clone();
    phone
        .register_as(&user, &secret_of(app, &name()), 120)
        .await
}

#[tokio::test]
async fn a_phone_that_never_needed_a_secret_refreshes_without_one_after_provisioning() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        assert_eq!(phone.register(120).await.status(), 200);
        provision_for_user(app, &name()).await;
        take_restart(&server, &mut phone).await;
        for _ in 0..2 {
            // It went on as if nothing had been: it is asked again each time.
            let reply = phone.register(120).await;
            assert_eq!(reply.status(), 200, "{}", reply.text);
            take_restart(&server, &mut phone).await;
        }
        let old_call_id = phone.call_id.clone();
        let reply = boot_with_new_file(app, &mut phone).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(reply.header("Contact").contains("x-cisco-newreg"));
        assert!(app.phone_control.is_empty());
        // The grace is over.
        phone.login = None;
        phone.call_id = old_call_id;
        phone.number = "AUTO-REG".to_owned();
        assert_eq!(phone.register(120).await.status(), 401);
    })
    .await;
}

#[tokio::test]
async fn the_old_secret_refreshes_the_old_binding_and_nothing_else() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        let old_secret = secret_of(app, &name());
        let user = phone.name.clone();
        provision_for_user(app, &name()).await;
        assert_ne!(secret_of(app, &name()), old_secret);

        let login = phone.login.take();
        assert_eq!(phone.register(120).await.status(), 401);
        phone.login = login;
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        take_restart(&server, &mut phone).await;
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        take_restart(&server, &mut phone).await;

        // Another boot, or the user's number, is not the old binding.
        let (number, call_id) = (phone.number.clone(), phone.call_id.clone());
        phone.boot();
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        phone.call_id = call_id;
        phone.number = "1004".to_owned();
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        phone.number = number;

        // Fifteen minutes, and not one more.
        for _ in 0..8 {
            let reply = phone.register_as(&user, &old_secret, 120).await;
            assert_eq!(reply.status(), 200, "{}", reply.text);
            server.test.clock.advance(Duration::from_secs(112));
        }
        server.test.clock.advance(Duration::from_secs(10));
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn a_phone_that_missed_a_change_keeps_the_secret_that_it_has() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        let old_secret = secret_of(app, &name());
        let user = phone.name.clone();
        // It is in a call, and fetches nothing between the two.
        provision_for_user(app, &name()).await;
        server.test.clock.advance(Duration::from_mins(1));
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        release_by_administrator(app).await;
        phone.login = None;
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        take_restart(&server, &mut phone).await;
        let reply = boot_with_new_file(app, &mut phone).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn a_phone_whose_other_values_changed_first_still_needs_its_secret() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        provision_for_user(app, &name()).await;
        let reply = boot_with_new_file(app, &mut phone).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let old_secret = secret_of(app, &name());
        let user = phone.name.clone();
        let change = DeviceChange {
            description: Some("not fetched".to_owned()),
            ..DeviceChange::default()
        };
        devices::update(app, &administrator(), &name(), &change)
            .await
            .unwrap();
        release_by_administrator(app).await;
        phone.login = None;
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        let reply = phone.register_as(&user, &old_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn two_changes_of_a_users_digest_credentials_strand_nobody() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let user = server.test.add_user("ward7", "2001", crate::common::PIN);
        let user = user.await;
        let set = async |secret: &str| {
            let secret = Secret::from(secret);
            set_digest_credentials(app, &administrator(), "ward7", Some(&secret))
                .await
                .unwrap();
        };
        set("first").await;
        server.test.add_phone(name().as_str(), Some(&user)).await;
        let change = DeviceChange {
            digest_user: Some(Some("ward7".to_owned())),
            ..DeviceChange::default()
        };
        devices::update(app, &administrator(), &name(), &change)
            .await
            .unwrap();
        fetch_file(app).await;
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        phone.number = number(app);
        let reply = phone.register_as("ward7", "first", 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        for secret in ["second", "third"] {
            set(secret).await;
            let reply = phone.register_as("ward7", "first", 120).await;
            assert_eq!(reply.status(), 200, "{secret}: {}", reply.text);
        }
        // What it has fetched it holds.
        fetch_file(app).await;
        set("fourth").await;
        let reply = phone.register_as("ward7", "third", 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let reply = phone.register_as("ward7", "first", 120).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
    })
    .await;
}

#[tokio::test]
async fn a_released_phone_keeps_its_binding_until_it_has_restarted() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        provision_for_user(app, &name()).await;
        let reply = boot_with_new_file(app, &mut phone).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let users_secret = secret_of(app, &name());
        let user = phone.name.clone();

        release_by_administrator(app).await;
        assert_ne!(number(app), "1004");
        let reply = phone.register_as(&user, &users_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        take_restart(&server, &mut phone).await;
        let reply = boot_with_new_file(app, &mut phone).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(app.phone_control.is_empty());
        assert_eq!(app.locations.of_device(&name()).len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_binding_outlives_the_device_it_belonged_to() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server).await;
        provision_for_user(app, &name()).await;
        boot_with_new_file(app, &mut phone).await;
        let users_secret = secret_of(app, &name());
        let user = phone.name.clone();
        // No number is free: the row goes.
        let mut node = app.catalogue.load().call_managers[&app.node.pkid].clone();
        node.auto_registration.end_dn = node.auto_registration.start_dn.clone();
        let mut transaction = app.store.begin().await.unwrap();
        store::catalogue::update_call_manager(transaction.connection(), &node)
            .await
            .unwrap();
        transaction.commit().await.unwrap();
        app.reread_configuration().await.unwrap();
        release_by_administrator(app).await;
        assert!(app.phones.find(&name()).is_none());
        // Another that is not registered cannot be told, and is not tried for ever.
        let owner = server.test.end_user("aksethi").await.unwrap();
        let other = server.test.add_phone("SEP0011AABBCC09", Some(&owner)).await;
        release::by_administrator(app, &other.name, &administrator())
            .await
            .unwrap();
        assert!(app.phones.find(&other.name).is_none());
        assert!(!app.phone_control.is_owed_by(&other.name));

        phone.login = None;
        let reply = phone.register_as(&user, &users_secret, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        take_restart(&server, &mut phone).await;
        phone.login = None;
        phone.boot();
        phone.number = "AUTO-REG".to_owned();
        assert_eq!(phone.register(120).await.status(), 404);
    })
    .await;
}

#[tokio::test]
async fn a_released_phone_gets_its_file_where_it_stood_and_nobody_else_does() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let _phone = settled(&server).await;
        let has_secret = async |from: &str| {
            let url = format!("http://{}/{}.cnf.xml", server.files_http, name());
            let file = server.handset.run(&url, &["--interface", from]).await;
            assert_eq!(file.status, 200, "{from}: {}", file.body);
            file.body.contains(&secret_of(app, &name()))
        };
        let before = secret_of(app, &name());
        for change in ["provisioned", "released"] {
            match change {
                "provisioned" => provision_for_user(app, &name()).await,
                _ => release_by_administrator(app).await,
            }
            // It is another device now, with another secret, and has not registered yet.
            assert_ne!(secret_of(app, &name()), before, "{change}");
            assert!(!has_secret("127.0.9.9").await, "{change}");
            assert!(has_secret("127.0.0.1").await, "{change}");
        }
    })
    .await;
}
