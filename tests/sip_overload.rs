//! The registrar while its database is away, and while more ask than can wait for it.

use std::time::Duration;
use std::time::Instant;

use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::for_each_database;
use crate::common::secret_of;

const MAC: &str = "0011AABBCC01";

/// Requests of one address that may wait for the database, as docs/registrar.md says.
const WAITING_MAX: usize = 1_024;

/// Requests beyond those.
const BEYOND: usize = 50;

/// Unclaimed phones that one address may have.
const UNCLAIMED_MAX: usize = 16;

/// How long a phone waits for an answer. Source: RFC 3261 clause 17.1.2.2, timer F.
const PHONES_WAIT: Duration = Duration::from_secs(32);

/// Sends REGISTERs of as many phones that nobody knows, their names beginning with `mac`.
async fn send_many(phone: &mut SipPhone, mac: &str, count: usize) {
    for number in 0..count {
        phone.mac = format!("{mac}{number:04X}");
        phone.name = format!("SEP{}", phone.mac);
        phone.boot();
        let contact = phone.contact();
        let text = phone.register_text(&contact, 120);
        phone.send(&text).await;
    }
}

/// A phone that has registered its own line with its own secret.
async fn settled(server: &TestServer, address: &str) -> (SipPhone, String) {
    let address = address.parse().unwrap();
    let mut phone = SipPhone::udp_at(server.sip_udp, MAC, address).await;
    assert_eq!(phone.register(120).await.status(), 200);
    let app = &server.test.app;
    let name = phone.name.parse().unwrap();
    let secret = secret_of(app, &name);
    phone.boot();
    phone.number = app.phones.find(&name).unwrap().phone.lines[0]
        .pattern
        .to_string();
    let user = phone.name.clone();
    let reply = phone.register_as(&user, &secret, 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    (phone, secret)
}

/// The phone refreshes, which is granted and prolongs what memory has.
async fn goes_on(server: &TestServer, phone: &mut SipPhone) {
    let name = phone_name(&phone.name);
    let ends = || server.test.app.locations.of_device(&name)[0].expires_at;
    let before = ends();
    server.test.clock.advance(Duration::from_secs(30));
    let reply = phone.register(120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert_eq!(
        ends().since(before),
        Duration::from_secs(30),
        "it is prolonged"
    );
}

fn phone_name(text: &str) -> selfprov::domain::device::DeviceName {
    text.parse().unwrap()
}

fn told_to_come_again(reply: &Reply, retry_after_s: &str) {
    assert_eq!(reply.status(), 503, "{}", reply.text);
    assert_eq!(reply.header("Retry-After"), retry_after_s, "{}", reply.text);
    assert!(reply.header("Contact").is_empty(), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_away_refreshes_go_on_and_a_new_phone_is_told_to_come_again() {
    for_each_database(|database: Database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let (mut phone, secret) = settled(&server, "127.0.0.1").await;
        let away = database.take_away().await;
        goes_on(&server, &mut phone).await;

        let elsewhere = "127.0.0.2".parse().unwrap();
        let mut new = SipPhone::udp_at(server.sip_udp, "0011AABBCC02", elsewhere).await;
        let reply = new.register(120).await;
        told_to_come_again(&reply, "60");
        assert!(
            reply.header("Warning").contains("\"dbAccessError\""),
            "{}",
            reply.text
        );
        assert!(app.phones.find(&phone_name(&new.name)).is_none());
        assert!(app.locations.of_device(&phone_name(&new.name)).is_empty());
        // A known phone that boots would have to be written as well; its old binding stays.
        phone.boot();
        let user = phone.name.clone();
        // It may have to call for help: it is not told to be silent.
        told_to_come_again(&phone.register_as(&user, &secret, 120).await, "");
        assert_eq!(app.locations.of_device(&phone_name(&user)).len(), 1);

        away.give_back().await;
        let devices = "SELECT name FROM device ORDER BY name";
        assert_eq!(server.test.texts(devices).await, [user.as_str()]);
        assert_eq!(phone.register(120).await.status(), 200);
        let reply = new.register(120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert_eq!(server.test.texts(devices).await, [user, new.name]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_database_away_all_who_wait_are_told_before_they_give_up() {
    for_each_database(|database: Database| async move {
        let server = TestServer::start(&database).await;
        let away = database.take_away().await;
        let asked = Instant::now();
        let mut sites = Vec::new();
        for (address, mac) in [("127.0.0.1", "0011AABD"), ("127.0.0.2", "0011AABE")] {
            let address = address.parse().unwrap();
            let mut site = SipPhone::tcp_at(server.sip_tcp, MAC, address).await;
            send_many(&mut site, mac, WAITING_MAX).await;
            sites.push(site);
        }
        for site in &mut sites {
            for _ in 0..WAITING_MAX {
                told_to_come_again(&site.receive().await, "60");
            }
        }
        let took = asked.elapsed();
        assert!(took < PHONES_WAIT, "{took:?}");
        away.give_back().await;
        assert!(server.test.app.phones.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_can_wait_for_the_database_are_told_to_come_again_and_nobody_else_is() {
    for_each_database(|database: Database| async move {
        let server = TestServer::start(&database).await;
        let (mut phone, secret) = settled(&server, "127.0.0.1").await;
        let held = database.hold().await;
        let mut many = SipPhone::tcp(server.sip_tcp, MAC).await;
        send_many(&mut many, "0011AABD", WAITING_MAX + BEYOND).await;
        for _ in 0..BEYOND {
            // There is a phone at this address: nobody there is told to be silent.
            told_to_come_again(&many.receive().await, "");
        }
        // The same address: what needs the database is refused, what does not goes on.
        goes_on(&server, &mut phone).await;
        phone.boot();
        let user = phone.name.clone();
        told_to_come_again(&phone.register_as(&user, &secret, 120).await, "");
        // Another address waits, and is served.
        let elsewhere = "127.0.0.2".parse().unwrap();
        let mut other = SipPhone::udp_at(server.sip_udp, "0011AABBCC02", elsewhere).await;
        let (reply, ()) = tokio::join!(other.register(120), held.give_back());
        assert_eq!(reply.status(), 200, "{}", reply.text);

        let mut granted = 0;
        for _ in 0..WAITING_MAX {
            let reply = many.receive().await;
            // The others are too many unclaimed ones of one address.
            assert!([200, 404].contains(&reply.status()), "{}", reply.text);
            granted += usize::from(reply.status() == 200);
        }
        // The phone of this address is one of those that it may have.
        assert_eq!(granted, UNCLAIMED_MAX - 1);
        assert_eq!(phone.register(120).await.status(), 200);
    })
    .await;
}
