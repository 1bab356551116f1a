//! The registrar over real sockets: what each REGISTER gets and what it leaves behind.

use std::net::IpAddr;
use std::time::Duration;

use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::for_each_database;
use selfprov::domain::catalogue::AutoRegistration;
use selfprov::domain::device::DeviceName;
use selfprov::domain::history::TimelineEntry;
use selfprov::service::App;
use selfprov::service::housekeeping;
use selfprov::service::phone_files::file_fetched;
use selfprov::service::registrar::auto_register;
use selfprov::store;

const MAC: &str = "0011AABBCC01";
const OTHER_MAC: &str = "0011AABBCC02";

/// Longest wait for a condition that must come true.
const DEADLINE: Duration = Duration::from_secs(20);

fn name(mac: &str) -> DeviceName {
    format!("SEP{mac}").parse().unwrap()
}

fn secret(app: &App, mac: &str) -> String {
    let known = app.phones.find(&name(mac)).unwrap();
    let sealed = known.phone.digest.sealed_secret.clone().unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap();
    secret.reveal().to_owned()
}

fn number(app: &App, mac: &str) -> String {
    let known = app.phones.find(&name(mac)).unwrap();
    known.phone.lines[0].pattern.to_string()
}

async fn timeline(app: &App, mac: &str) -> Vec<TimelineEntry> {
    let mut reader = app.store.read().await.unwrap();
    store::history::timeline_of(reader.connection(), &name(mac), 100)
        .await
        .unwrap()
}

async fn events(app: &App, mac: &str) -> Vec<String> {
    let entries = timeline(app, mac).await;
    entries
        .iter()
        .map(|entry| entry.event.as_str().to_owned())
        .collect()
}

/// Waits until the timeline of a phone ends with this event.
async fn until_event(app: &App, mac: &str, event: &str) {
    let waited = async {
        while events(app, mac).await.last().map(String::as_str) != Some(event) {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(DEADLINE, waited).await;
    assert!(waited.is_ok(), "{:?}", events(app, mac).await);
}

/// Changes the auto-registration block of the application's node.
async fn change_block(test: &TestApp, change: impl FnOnce(&mut AutoRegistration)) {
    let app = &test.app;
    let mut node = app.catalogue.load().call_managers[&app.node.pkid].clone();
    change(&mut node.auto_registration);
    let mut transaction = app.store.begin().await.unwrap();
    store::catalogue::update_call_manager(transaction.connection(), &node)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.reread_configuration().await.unwrap();
}

/// Marks the phone's own file as fetched, as the file doors do.
async fn fetch_file(app: &App, mac: &str) {
    let known = app.phones.find(&name(mac)).unwrap();
    let now = app.environment.now();
    let mut transaction = app.store.begin().await.unwrap();
    store::device::set_file_fetched(transaction.connection(), known.phone.pkid, now)
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    app.phones.update(&name(mac), |known| {
        let mut changed = known.clone();
        changed.phone.file_fetched_at = Some(now);
        Some(changed)
    });
}

/// A phone that has auto-registered, fetched its own file and registered its own line.
async fn settled(server: &TestServer, mac: &str, address: &str) -> SipPhone {
    let app = &server.test.app;
    let address: IpAddr = address.parse().unwrap();
    let mut phone = SipPhone::udp_at(server.sip_udp, mac, address).await;
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    fetch_file(app, mac).await;
    phone.boot();
    phone.number = number(app, mac);
    let user = phone.name.clone();
    let reply = phone.register_as(&user, &secret(app, mac), 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert!(is_new(&reply));
    phone
}

fn is_new(reply: &Reply) -> bool {
    reply.header("Contact").ends_with(";x-cisco-newreg")
}

#[tokio::test]
async fn an_unknown_phone_becomes_a_device_and_is_told_to_restart() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        let reply = phone.register(3_600).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert_eq!(reply.header("Expires"), "120");
        assert_eq!(reply.header("Date"), "Sat, 21 Nov 2026 12:00:00 GMT");
        assert!(reply.header("Supported").contains("X-cisco-sis-8.0.0"));
        let echo = format!("{};expires=120;x-cisco-newreg", phone.contact());
        assert_eq!(reply.header("Contact"), echo);
        assert_eq!(number(app, MAC), "1000");

        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        assert_eq!(notify.header("Event"), "service-control");
        assert!(notify.body().starts_with("action=restart\r\n"));
        let call_id = format!("RegisterCallId={{{}}}\r\n", phone.call_id);
        assert!(notify.body().contains(&call_id), "{}", notify.text);
        let stamp = app.phones.find(&name(MAC)).unwrap().phone.version_stamp;
        let stamp = format!("ConfigVersionStamp={{{stamp}}}\r\n");
        assert!(notify.body().contains(&stamp), "{}", notify.text);
        phone.answer(&notify, "200 OK").await;
        until_event(app, MAC, "restart_sent").await;
        assert_eq!(events(app, MAC).await, ["auto_registered", "restart_sent"]);

        // What is in memory stands in the database.
        let again = TestApp::builder().start(&database).await;
        let stored = again.app.phones.find(&name(MAC)).unwrap();
        assert_eq!(stored.phone, app.phones.find(&name(MAC)).unwrap().phone);
        assert!(again.app.phone_control.is_owed_by(&name(MAC)));
    })
    .await;
}

#[tokio::test]
async fn a_phone_refreshes_without_credentials_until_it_has_fetched_its_file() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert!(is_new(&phone.register(120).await));
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 200);
    assert!(!is_new(&reply));

    // Another boot is not a refresh.
    let call_id = phone.call_id.clone();
    phone.boot();
    assert_eq!(phone.register(120).await.status(), 401);
    phone.call_id = call_id;
    assert_eq!(phone.register(120).await.status(), 200);
    server.test.clock.advance(Duration::from_mins(14));
    // The binding ended meanwhile; nobody refreshed it.
    assert_eq!(phone.register(120).await.status(), 401);
    assert_eq!(app.phones.len(), 1);
}

#[tokio::test]
async fn after_fifteen_minutes_nobody_refreshes_without_credentials() {
    let server = TestServer::start(&Database::sqlite()).await;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert!(is_new(&phone.register(120).await));
    for _ in 0..8 {
        server.test.clock.advance(Duration::from_secs(110));
        assert_eq!(phone.register(120).await.status(), 200);
    }
    server.test.clock.advance(Duration::from_secs(110));
    assert_eq!(phone.register(120).await.status(), 401);
}

#[tokio::test]
async fn a_second_claimant_of_a_name_is_refused_and_reported_with_both_addresses() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    assert_eq!(phone.register(120).await.status(), 200);
    let thief = "127.0.0.9".parse().unwrap();
    let mut thief = SipPhone::udp_at(server.sip_udp, MAC, thief).await;
    thief.call_id.clone_from(&phone.call_id);
    for _ in 0..3 {
        let reply = thief.register(120).await;
        assert_eq!(reply.status(), 403, "{}", reply.text);
    }
    let reports: Vec<_> = timeline(app, MAC)
        .await
        .into_iter()
        .filter(|entry| entry.event.as_str() == "registration_refused")
        .collect();
    assert_eq!(reports.len(), 1);
    assert!(reports[0].detail.contains("127.0.0.1"));
    assert!(reports[0].detail.contains("127.0.0.9"));
    assert_eq!(phone.register(120).await.status(), 200);
}

#[tokio::test]
async fn a_phone_that_moves_before_its_fetch_is_written_proves_itself() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        assert_eq!(phone.register(120).await.status(), 200);
        let elsewhere = "127.0.0.9".parse().unwrap();
        let mut moved = SipPhone::udp_at(server.sip_udp, MAC, elsewhere).await;
        moved.boot();
        assert_eq!(moved.register(120).await.status(), 403, "it has no secret");
        // It fetches its file, and nothing writes that down in this test yet.
        let file = format!("http://{}/{}.cnf.xml", server.files_http, name(MAC));
        let answer = server.handset.run(&file, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let pkid = app.phones.find(&name(MAC)).unwrap().phone.pkid;
        let noted = async {
            while !app.file_notes.has_fetched(pkid) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(DEADLINE, noted).await.unwrap();
        moved.number = number(app, MAC);
        let user = moved.name.clone();
        let reply = moved.register_as(&user, &secret(app, MAC), 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        // Written down it stays so.
        assert_eq!(file_fetched::write_waiting(app).await.unwrap(), 1);
        assert!(!app.file_notes.has_fetched(pkid));
        assert_eq!(phone.register(120).await.status(), 401);
    })
    .await;
}

#[tokio::test]
async fn a_right_digest_registers_the_phones_own_line_and_moves_its_binding() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server, MAC, "127.0.0.1").await;
        // The binding under the auto-registration name went with it, and so did what it owed.
        assert_eq!(app.locations.of_device(&name(MAC)).len(), 1);
        assert!(!app.phone_control.is_owed_by(&name(MAC)));
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(!is_new(&reply));
        let user = phone.name.clone();
        let mut moved = SipPhone::tcp_at(server.sip_tcp, MAC, "127.0.0.7".parse().unwrap()).await;
        moved.number.clone_from(&phone.number);
        moved.call_id.clone_from(&phone.call_id);
        moved.cseq = phone.cseq;
        let reply = moved.register_as(&user, &secret(app, MAC), 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(!is_new(&reply), "the same boot is not new");
        let known = app.phones.find(&name(MAC)).unwrap();
        let address: IpAddr = "127.0.0.7".parse().unwrap();
        assert_eq!(known.phone.registered_address, Some(address));
        let again = TestApp::builder().start(&database).await;
        let stored = again.app.phones.find(&name(MAC)).unwrap();
        assert_eq!(stored.phone.registered_address, Some(address));
        // The old address has nothing to say any more.
        phone.login = None;
        assert_eq!(phone.register(120).await.status(), 401);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_secret_an_old_nonce_and_a_used_count_are_challenged() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    let user = phone.name.clone();
    let used = phone.login.clone();

    let reply = phone.register_as(&user, "wrong", 120).await;
    assert_eq!(reply.status(), 401);
    assert_eq!(reply.challenge("stale"), "");
    assert_eq!(reply.challenge("realm"), "ccmsipline");
    assert_eq!(reply.challenge("algorithm"), "MD5");

    // The same nonce count again.
    phone.login = used.clone();
    phone.login.as_mut().unwrap().count -= 1;
    let reply = phone.register(120).await;
    assert_eq!((reply.status(), reply.challenge("stale")), (401, "true"));
    // The next count goes on.
    phone.login = used;
    assert_eq!(phone.register(120).await.status(), 200);
    assert_eq!(phone.register(120).await.status(), 200);

    // Another address cannot use the nonce.
    let elsewhere = "127.0.0.8".parse().unwrap();
    let mut other = SipPhone::udp_at(server.sip_udp, MAC, elsewhere).await;
    other.number.clone_from(&phone.number);
    other.login.clone_from(&phone.login);
    let reply = other.register(120).await;
    assert_eq!((reply.status(), reply.challenge("stale")), (401, "true"));

    server.test.clock.advance(Duration::from_secs(601));
    let reply = phone.register(120).await;
    assert_eq!((reply.status(), reply.challenge("stale")), (401, "true"));
    phone.answer_challenge(&reply, &user, &secret(app, MAC));
    assert_eq!(phone.register(120).await.status(), 200);
}

#[tokio::test]
async fn nonce_counts_go_on_beyond_a_byte_and_never_back() {
    let server = TestServer::start(&Database::sqlite()).await;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    let mut with_count = async |count: u32| {
        phone.login.as_mut().unwrap().count = count - 1;
        let reply = phone.register(120).await;
        (reply.status(), reply.challenge("stale").to_owned())
    };
    let taken = (200, String::new());
    let stale = (401, "true".to_owned());
    for count in [0xfe, 0xff, 0x100, 0x101, 0x10_0000] {
        assert_eq!(with_count(count).await, taken, "{count:x}");
    }
    for count in [0x10_0000, 0xf_ffff, 0x101, 0xff, 1] {
        assert_eq!(with_count(count).await, stale, "{count:x}");
    }
    assert_eq!(with_count(0x10_0001).await, taken);
}

#[tokio::test]
async fn any_node_takes_a_nonce_of_another() {
    let database = Database::sqlite();
    let server = TestServer::start(&database).await;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    let clock = server.test.clock.clone();
    let second = TestApp::builder().clock(&clock).node_name("CM_node2");
    let second = TestServer::start_with(second.start(&database).await).await;
    phone.server = second.sip_udp;
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
}

#[tokio::test]
async fn a_device_cannot_register_anothers_number_or_name() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut a = settled(&server, MAC, "127.0.0.1").await;
    let b = settled(&server, OTHER_MAC, "127.0.0.2").await;
    let own_number = a.number.clone();

    // B's number with A's own name and secret.
    a.number.clone_from(&b.number);
    let reply = a.register(120).await;
    assert_eq!(reply.status(), 403, "{}", reply.text);
    assert!(reply.header("Warning").contains("directoryNumberMismatch"));
    // A user's number.
    a.number = "1004".to_owned();
    assert_eq!(a.register(120).await.status(), 403);
    // B's name and number with A's secret.
    a.number.clone_from(&b.number);
    a.name.clone_from(&b.name);
    a.mac.clone_from(&b.mac);
    let reply = a.register(120).await;
    assert_eq!(reply.status(), 403, "{}", reply.text);
    // B's name beside A's own instance.
    a.mac = MAC.to_owned();
    assert_eq!(a.register(120).await.status(), 403);

    let b_bindings = app.locations.of_device(&name(OTHER_MAC));
    assert_eq!(b_bindings.len(), 1);
    assert_eq!(b_bindings[0].flow().remote, b.local);
    assert!(
        events(app, OTHER_MAC)
            .await
            .contains(&"registration_refused".to_owned())
    );
    // A itself is unharmed.
    a.number = own_number;
    a.name = format!("SEP{MAC}");
    assert_eq!(a.register(120).await.status(), 200);
}

#[tokio::test]
async fn a_phone_that_nobody_knows_cannot_take_a_users_number() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    phone.number = "1004".to_owned();
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 403, "{}", reply.text);
    assert!(app.phones.is_empty());
    // A phone whose device was removed still registers with the number it had.
    phone.number = "1007".to_owned();
    assert_eq!(phone.register(120).await.status(), 200);
    assert_eq!(number(app, MAC), "1000");
}

#[tokio::test]
async fn a_keep_alive_changes_nothing_and_needs_nothing() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut stranger = SipPhone::udp(server.sip_udp, OTHER_MAC).await;
    stranger.contact_extra = ";expires=0;cisco-keep-alive".to_owned();
    let reply = stranger.register(0).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert!(!reply.header("Date").is_empty());
    assert!(app.phones.is_empty());

    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    phone.login = None;
    phone.contact_extra = ";expires=0;cisco-keep-alive".to_owned();
    assert_eq!(phone.register(0).await.status(), 200);
    assert_eq!(app.locations.of_device(&name(MAC)).len(), 1);
}

#[tokio::test]
async fn a_lifetime_below_65_seconds_is_too_brief() {
    let server = TestServer::start(&Database::sqlite()).await;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    let reply = phone.register(60).await;
    assert_eq!((reply.status(), reply.header("Min-Expires")), (423, "65"));
    let reply = phone.register(70).await;
    assert_eq!((reply.status(), reply.header("Expires")), (200, "70"));
}

#[tokio::test]
async fn a_phone_unregisters_with_its_digest_at_once() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server, MAC, "127.0.0.1").await;
        assert_eq!(phone.register(0).await.status(), 200);
        assert!(app.locations.is_empty());
        assert_eq!(phone.register(120).await.status(), 200);
        let text = phone.register_text("*", 0);
        assert_eq!(phone.ask(&text).await.status(), 200);
        assert!(app.locations.is_empty());
        let text = phone.register_text("*", 120);
        assert_eq!(phone.ask(&text).await.status(), 400);
        let again = TestApp::builder().start(&database).await;
        assert!(again.app.locations.is_empty());
        until_event(app, MAC, "unregistered").await;
    })
    .await;
}

#[tokio::test]
async fn a_phone_unregisters_without_digest_on_its_own_connection_alone() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let first = settled(&server, MAC, "127.0.0.1").await;
    let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
    phone.number.clone_from(&first.number);
    let user = first.name.clone();
    let reply = phone.register_as(&user, &secret(app, MAC), 120).await;
    assert_eq!(reply.status(), 200);
    phone.login = None;

    let mut stranger = SipPhone::tcp(server.sip_tcp, MAC).await;
    stranger.number.clone_from(&first.number);
    stranger.call_id = "another".to_owned();
    assert_eq!(stranger.register(0).await.status(), 401);
    assert_eq!(app.locations.len(), 1);
    assert_eq!(phone.register(0).await.status(), 200);
    assert!(app.locations.is_empty());
}

#[tokio::test]
async fn a_phone_that_goes_down_keeps_its_binding_for_a_minute() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    let login = phone.login.take();
    let call_id = phone.call_id.clone();
    phone.boot();
    assert_eq!(phone.register(0).await.status(), 401, "another Call-ID");
    phone.call_id = call_id;
    let reply = phone.register(0).await;
    assert_eq!(reply.status(), 200);
    assert!(!reply.header("Date").is_empty());
    server.test.clock.advance(Duration::from_secs(50));
    housekeeping::remove_expired(app).await;
    assert_eq!(app.locations.len(), 1);
    // It comes back.
    phone.login = login;
    assert_eq!(phone.register(120).await.status(), 200);
    server.test.clock.advance(Duration::from_secs(61));
    housekeeping::remove_expired(app).await;
    assert_eq!(app.locations.len(), 1);
    // It goes for good.
    phone.login = None;
    assert_eq!(phone.register(0).await.status(), 200);
    server.test.clock.advance(Duration::from_secs(61));
    housekeeping::remove_expired(app).await;
    assert!(app.locations.is_empty());
}

#[tokio::test]
async fn a_boot_replaces_the_binding_and_counts_as_new() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    phone.boot();
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 200);
    assert!(is_new(&reply));
    let bindings = app.locations.of_device(&name(MAC));
    assert_eq!(bindings.len(), 1);
    assert_eq!(*bindings[0].call_id(), *phone.call_id);
}

#[tokio::test]
async fn a_registration_that_is_not_refreshed_ends() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = settled(&server, MAC, "127.0.0.1").await;
        server.test.clock.advance(Duration::from_secs(130));
        assert_eq!(
            housekeeping::remove_expired(app).await,
            0,
            "late is not gone"
        );
        // 15 s late. The service's own round may have come first.
        server.test.clock.advance(Duration::from_secs(5));
        housekeeping::remove_expired(app).await;
        assert!(app.locations.is_empty());
        until_event(app, MAC, "unregistered").await;
        let again = TestApp::builder().start(&database).await;
        assert!(again.app.locations.is_empty());
        assert!(is_new(&phone.register(120).await));
    })
    .await;
}

#[tokio::test]
async fn registrations_survive_a_restart_of_the_service() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let mut phone = settled(&server, MAC, "127.0.0.1").await;
        let clock = server.test.clock.clone();
        drop(server);
        clock.advance(Duration::from_secs(119));
        let test = TestApp::builder().clock(&clock).start(&database).await;
        let server = TestServer::start_with(test).await;
        let app = &server.test.app;
        // One full lifetime from the start, although the service was away.
        clock.advance(Duration::from_secs(119));
        assert_eq!(housekeeping::remove_expired(app).await, 0);
        phone.server = server.sip_udp;
        let user = phone.name.clone();
        let reply = phone.register_as(&user, &secret(app, MAC), 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(!is_new(&reply));
    })
    .await;
}

#[tokio::test]
async fn refusals_of_auto_registration_tell_the_phone_to_try_later() {
    let server = TestServer::start(&Database::sqlite()).await;
    let test = &server.test;
    let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
    let refused = |reply: &Reply| {
        assert_eq!(reply.status(), 404, "{}", reply.text);
        assert_eq!(reply.header("Retry-After"), "60");
        assert!(reply.header("Warning").contains("autoRegisterDBError"));
    };
    change_block(test, |block| block.enabled = false).await;
    refused(&phone.register(120).await);
    let now = test.app.environment.now();
    change_block(test, |block| {
        block.enabled = true;
        block.enabled_until = Some(now);
    })
    .await;
    refused(&phone.register(120).await);
    change_block(test, |block| {
        block.enabled_until = None;
        block.models_allowed = vec![621];
    })
    .await;
    refused(&phone.register(120).await);
    change_block(test, |block| {
        block.models_allowed.clear();
        block.end_dn = block.start_dn.clone();
    })
    .await;
    refused(&phone.register(120).await);
    change_block(test, |block| block.universal_line_template = None).await;
    refused(&phone.register(120).await);
    assert!(test.app.phones.is_empty());
}

#[tokio::test]
async fn a_range_without_free_number_and_a_ceiling_refuse_the_next_phone() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let test = &server.test;
        // 1004 is a user's.
        change_block(test, |block| {
            block.start_dn = "1003".parse().unwrap();
            block.end_dn = "1005".parse().unwrap();
        })
        .await;
        let mut numbers = Vec::new();
        for index in 0..2 {
            let mac = format!("0011AABB00{index:02}");
            let mut phone = SipPhone::udp(server.sip_udp, &mac).await;
            assert_eq!(phone.register(120).await.status(), 200);
            numbers.push(number(&test.app, &mac));
        }
        assert_eq!(numbers, ["1003", "1005"]);
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        let reply = phone.register(120).await;
        assert_eq!((reply.status(), reply.header("Retry-After")), (404, "60"));
        change_block(test, |block| {
            block.end_dn = "1999".parse().unwrap();
            block.unclaimed_max = 2;
        })
        .await;
        assert_eq!(phone.register(120).await.status(), 404);
        change_block(test, |block| block.unclaimed_max = 3).await;
        assert_eq!(phone.register(120).await.status(), 200);
    })
    .await;
}

#[tokio::test]
async fn one_address_registers_sixteen_unclaimed_phones_and_a_nat_network_more() {
    let nat = |settings: &mut selfprov::service::settings::Settings| {
        settings.auto_registration.nat_networks = vec!["127.0.1.0/24".parse().unwrap()];
    };
    let test = TestApp::builder().settings(nat);
    let test = test.start(&Database::sqlite()).await;
    test.add_fixture().await;
    let server = TestServer::start_with(test).await;
    for (address, last) in [("127.0.0.1", 404), ("127.0.1.1", 200)] {
        let address: IpAddr = address.parse().unwrap();
        let group = address.to_string().replace('.', "");
        for index in 0..17 {
            let mac = format!("00{group:0>8}{index:02}");
            let mut phone = SipPhone::udp_at(server.sip_udp, &mac, address).await;
            let expected = if index < 16 { 200 } else { last };
            assert_eq!(phone.register(120).await.status(), expected, "{mac}");
        }
    }
}

#[tokio::test]
async fn an_unclaimed_phone_that_never_fetches_its_file_is_removed_and_may_come_again() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::udp(server.sip_udp, MAC).await;
        phone.register(120).await;
        let mut claimed = SipPhone::udp(server.sip_udp, OTHER_MAC).await;
        claimed.register(120).await;
        fetch_file(app, OTHER_MAC).await;
        server.test.clock.advance(Duration::from_secs(301));
        assert_eq!(auto_register::sweep(app).await.unwrap(), [name(MAC)]);
        assert!(app.phones.find(&name(MAC)).is_none());
        assert!(app.locations.of_device(&name(MAC)).is_empty());
        assert!(events(app, MAC).await.contains(&"removed".to_owned()));
        assert!(is_new(&phone.register(120).await));
        // The number after the last one given, not the one that came free.
        assert_eq!(number(app, MAC), "1002");
        // Months later.
        server.test.clock.advance(Duration::from_hours(2_400));
        assert_eq!(auto_register::sweep(app).await.unwrap().len(), 2);
        assert!(app.phones.is_empty());
    })
    .await;
}

#[tokio::test]
async fn two_nodes_never_give_one_number() {
    for_each_database(|database| async move {
        let one = TestApp::builder().settings(|settings| {
            settings.auto_registration.unclaimed_per_source_max = 1_000;
        });
        let one = one.start(&database).await;
        one.add_fixture().await;
        let two = TestApp::builder()
            .node_name("CM_node2")
            .settings(|settings| {
                settings.auto_registration.unclaimed_per_source_max = 1_000;
            });
        let two = two.start(&database).await;
        change_block(&two, |block| {
            block.enabled = true;
            block.end_dn = "1999".parse().unwrap();
        })
        .await;
        let servers = [
            TestServer::start_with(one).await,
            TestServer::start_with(two).await,
        ];
        let mut phones = Vec::new();
        for index in 0..80 {
            let server = servers[index % 2].sip_udp;
            phones.push(tokio::spawn(async move {
                let mac = format!("0011AABC{index:04}");
                let mut phone = SipPhone::udp(server, &mac).await;
                phone.register(120).await.status()
            }));
        }
        for phone in phones {
            assert_eq!(phone.await.unwrap(), 200);
        }
        let again = TestApp::builder().start(&database).await;
        let mut numbers = Vec::new();
        again.app.phones.for_each(|known| {
            numbers.push(known.phone.lines[0].pattern.to_string());
        });
        assert_eq!(numbers.len(), 80);
        numbers.sort();
        numbers.dedup();
        assert_eq!(numbers.len(), 80);
        assert!(!numbers.contains(&"1004".to_owned()), "a user's number");
    })
    .await;
}

#[tokio::test]
async fn a_restart_is_retried_until_the_phone_has_come_back() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::tcp(server.sip_tcp, MAC).await;
        assert_eq!(phone.register(120).await.status(), 200);
        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        phone.answer(&notify, "480 Temporarily Unavailable").await;
        until_event(app, MAC, "restart_failed").await;
        server.test.clock.advance(Duration::from_secs(3));
        let notify = phone.expect("NOTIFY").await;
        phone.answer(&notify, "200 OK").await;
        until_event(app, MAC, "restart_sent").await;
        let owed = app.phone_control.owed_by(&name(MAC)).unwrap();
        assert_eq!(owed.attempts, 2);

        // It went on as if nothing had been: it is asked again at once.
        assert_eq!(phone.register(120).await.status(), 200);
        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        phone.answer(&notify, "200 OK").await;
        fetch_file(app, MAC).await;
        phone.boot();
        phone.number = number(app, MAC);
        let user = phone.name.clone();
        let reply = phone.register_as(&user, &secret(app, MAC), 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        until_event(app, MAC, "restart_done").await;
        assert!(app.phone_control.is_empty());
        let again = TestApp::builder().start(&database).await;
        assert!(again.app.phone_control.is_empty());
    })
    .await;
}

#[tokio::test]
async fn requests_that_are_no_registrations_are_answered() {
    let server = TestServer::start(&Database::sqlite()).await;
    let mut stranger =
        SipPhone::udp_at(server.sip_udp, OTHER_MAC, "127.0.0.5".parse().unwrap()).await;
    let mut phone = settled(&server, MAC, "127.0.0.1").await;
    let uri = "sip:1000@127.0.0.1";
    for (method, headers, for_phone, for_stranger) in [
        ("OPTIONS", "", 200, 200),
        ("REFER", "Refer-To: <cid:1@2>\r\n", 202, 403),
        ("PUBLISH", "Event: presence\r\n", 200, 403),
        ("SUBSCRIBE", "Event: presence\r\n", 489, 403),
        ("NOTIFY", "Event: presence\r\n", 489, 489),
        ("BYE", "", 481, 481),
        ("MESSAGE", "", 405, 405),
        ("FETCH", "", 501, 501),
        ("INVITE", "Contact: <sip:1@127.0.0.1>\r\n", 403, 407),
    ] {
        let text = phone.request(method, uri, headers, "");
        assert_eq!(phone.ask(&text).await.status(), for_phone, "{method}");
        let text = stranger.request(method, uri, headers, "");
        assert_eq!(stranger.ask(&text).await.status(), for_stranger, "{method}");
    }
    // The alarm of a phone that has just booted.
    let headers = "Refer-To: <cid:1@2>\r\nContent-Type: application/x-cisco-alarm+xml\r\n";
    let text = stranger.request("REFER", uri, headers, "<x/>");
    assert_eq!(stranger.ask(&text).await.status(), 202);
}

#[tokio::test]
async fn one_phone_that_another_node_made_does_not_spoil_the_group_it_is_written_with() {
    for_each_database(|database| async move {
        let one = TestApp::start(&database).await;
        let two = TestApp::builder().node_name("CM_node2");
        let two = two.start(&database).await;
        change_block(&two, |block| {
            block.enabled = true;
            block.end_dn = "1999".parse().unwrap();
        })
        .await;
        let one = TestServer::start_with(one).await;
        let two = TestServer::start_with(two).await;
        let mut known = SipPhone::udp(one.sip_udp, MAC).await;
        assert_eq!(known.register(120).await.status(), 200);

        let mut statuses = Vec::new();
        for index in 0..10 {
            let server = two.sip_udp;
            statuses.push(tokio::spawn(async move {
                let mac = match index {
                    5 => MAC.to_owned(),
                    _ => format!("0011AABD{index:04}"),
                };
                let mut phone = SipPhone::udp(server, &mac).await;
                phone.register(120).await.status()
            }));
        }
        for (index, status) in statuses.into_iter().enumerate() {
            // It exists, so it must prove itself.
            let expected = if index == 5 { 401 } else { 200 };
            assert_eq!(status.await.unwrap(), expected);
        }
        assert_eq!(two.test.app.phones.len(), 10);
        assert_eq!(number(&two.test.app, MAC), "1000");
    })
    .await;
}
