//! Every SIP method over every transport, without credentials: nothing gets on.

use selfprov::domain::phone_model;
use selfprov::domain::secret::Secret;
use selfprov::service::devices;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::users;
use selfprov::service::users::Extension;

use crate::attacks::site::STRANGER;
use crate::attacks::site::Site;
use crate::attacks::site::VICTIM;
use crate::common::Database;
use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::administrator;
use crate::common::for_each_database;

/// All methods of the IANA registry, one that nobody knows, and one in the wrong letter case.
const METHODS: [&str; 16] = [
    "REGISTER",
    "INVITE",
    "ACK",
    "CANCEL",
    "BYE",
    "OPTIONS",
    "INFO",
    "PRACK",
    "UPDATE",
    "MESSAGE",
    "REFER",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "FROBNICATE",
    "register",
];

/// A device of another maker, added by an administrator and never registered.
const BASE: &str = "dect-7";

/// Its line.
const BASE_LINE: &str = "2001";

/// Another one, which is registered.
const BUSY_BASE: &str = "dect-8";

/// Its line.
const BUSY_BASE_LINE: &str = "2002";

/// Where it is.
const BUSY_BASE_ADDRESS: &str = "127.0.0.14";

/// Adds a device with a digest user of its own, whose secret is `digest of` the user.
async fn add_base(site: &Site, device: &str, line: &str, user: &str) {
    let test = site.test();
    test.add_user(user, line, "735912").await;
    let actor = administrator();
    let secret = Secret::from(format!("digest of {user}").as_str());
    users::credentials::set_digest_credentials(&test.app, &actor, user, Some(&secret))
        .await
        .unwrap();
    let new = NewDevice {
        lines: vec![DeviceLine::new(Extension {
            pattern: line.parse().unwrap(),
            route_partition: String::new(),
        })],
        digest_user: Some(user.to_owned()),
        ..NewDevice::new(
            device.parse().unwrap(),
            phone_model::by_number(phone_model::THIRD_PARTY_ADVANCED).unwrap(),
        )
    };
    devices::add(&test.app, &actor, &new).await.unwrap();
}

/// Everything in memory that a request could have changed, apart from the times of refreshes.
fn memory(site: &Site) -> String {
    let app = &site.test().app;
    let mut lines = Vec::new();
    app.locations.for_each(|binding| {
        lines.push(format!(
            "{} {} {} {} {} {}",
            binding.device_name,
            binding.address_of_record(),
            binding.contact(),
            binding.flow().remote,
            binding.call_id(),
            binding.cseq
        ));
    });
    app.phones
        .for_each(|known| lines.push(format!("{:?}", known.phone)));
    lines.sort();
    lines.join("\n")
}

/// Who a request claims to be.
struct Claim {
    what: &'static str,
    /// Device name and MAC address; empty: none.
    name: String,
    mac: &'static str,
    number: String,
}

fn claims(victim_number: &str) -> Vec<Claim> {
    let claim = |what, name: &str, mac, number: &str| Claim {
        what,
        name: name.to_owned(),
        mac,
        number: number.to_owned(),
    };
    vec![
        claim("a known phone", &VICTIM.name(), VICTIM.mac, victim_number),
        claim(
            "a known phone by its instance",
            "",
            VICTIM.mac,
            victim_number,
        ),
        claim(
            "an unknown phone with a line",
            "SEP0011AABBCC77",
            "0011AABBCC77",
            BASE_LINE,
        ),
        claim("no phone at all", "", "", "9999"),
        claim("another maker's device by its line", "", "", BASE_LINE),
        claim("another maker's device by its name", BASE, "", BASE_LINE),
        claim("another maker's registered device", "", "", BUSY_BASE_LINE),
        claim("a user", "", "", "ward7"),
    ]
}

/// What a request without credentials may be answered: never that something was done for it. Those
/// from the address of a live binding may get 202, 200 and 489, as phones.md lists; no state is kept.
fn assert_nothing_got_on(method: &str, is_registered: bool, what: &str, reply: &Reply) {
    let status = reply.status();
    let allowed: &[u16] = match method {
        "REGISTER" => &[400, 401, 403, 404],
        "OPTIONS" => &[200],
        // 407: a call needs credentials; what a call does without them is the proxy's test.
        "INVITE" if is_registered => &[302, 403, 404, 407, 480],
        "INVITE" => &[403, 404, 407],
        "REFER" if is_registered => &[202],
        "PUBLISH" if is_registered => &[200],
        "SUBSCRIBE" if is_registered => &[489],
        "REFER" | "PUBLISH" | "SUBSCRIBE" => &[403],
        "NOTIFY" => &[481, 489],
        "CANCEL" | "BYE" | "INFO" | "PRACK" | "UPDATE" => &[403, 481],
        "MESSAGE" => &[405],
        _ => &[501],
    };
    let is_right = allowed.contains(&status);
    let text = &reply.text;
    assert!(
        is_right,
        "{method} as {what} from a registered address {is_registered}: {text}"
    );
    if method == "REGISTER" {
        assert!(reply.header("Contact").is_empty(), "{text}");
    }
}

async fn phone(site: &Site, transport: &str, mac: &str, address: &str) -> SipPhone {
    let server = &site.server;
    let address = address.parse().unwrap();
    let ca_file = site.test().database.folder().join("https-certificate.pem");
    match transport {
        "udp" => SipPhone::udp_at(server.sip_udp, mac, address).await,
        "tcp" => SipPhone::tcp_at(server.sip_tcp, mac, address).await,
        _ => SipPhone::tls_at(server.sip_tls, mac, &ca_file, address).await,
    }
}

/// Sends one request in a claim's name and judges the answer.
async fn try_one(phone: &mut SipPhone, method: &str, claim: &Claim, is_registered: bool) {
    phone.name.clone_from(&claim.name);
    claim.mac.clone_into(&mut phone.mac);
    phone.number.clone_from(&claim.number);
    if claim.name.is_empty() && claim.mac.is_empty() {
        let contact = format!("<sip:{}@{}>", claim.number, phone.local);
        phone.own_contact = Some(contact);
    } else {
        phone.own_contact = None;
    }
    phone.call_id = format!("{}-{method}", phone.cseq);
    let contact = phone.contact();
    let headers = format!(
        "Contact: {contact}\r\nExpires: 3600\r\nEvent: presence\r\nRefer-To: <sip:1@127.0.0.1>\r\n"
    );
    let uri = format!("sip:{}@127.0.0.1", claim.number);
    let text = phone.request(method, &uri, &headers, "");
    if method == "ACK" {
        // It gets no answer; the next request shows that it did nothing.
        phone.send(&text).await;
        return;
    }
    let reply = phone.ask(&text).await;
    assert_nothing_got_on(method, is_registered, claim.what, &reply);
}

/// Asks for bindings in a claim's name, by any Call-ID that is somebody's.
async fn try_to_read(phone: &mut SipPhone, claim: &Claim, call_ids: &[&str]) {
    phone.number.clone_from(&claim.number);
    for call_id in call_ids {
        (*call_id).clone_into(&mut phone.call_id);
        let text = phone.request("REGISTER", "sip:127.0.0.1", "", "");
        let reply = phone.ask(&text).await;
        // Without a Contact nobody names a device: there is one answer for all.
        assert_eq!(reply.status(), 401, "as {}: {}", claim.what, reply.text);
        assert!(reply.header("Contact").is_empty(), "{}", reply.text);
    }
}

/// Takes bindings back in a claim's name: one contact, and all of them.
async fn try_to_end(phone: &mut SipPhone, claim: &Claim) {
    phone.name.clone_from(&claim.name);
    claim.mac.clone_into(&mut phone.mac);
    phone.number.clone_from(&claim.number);
    phone.own_contact = None;
    phone.call_id = format!("{}-end", phone.cseq);
    for contact in [phone.contact(), "*".to_owned()] {
        let headers = format!("Contact: {contact}\r\nExpires: 0\r\n");
        let text = phone.request("REGISTER", "sip:127.0.0.1", &headers, "");
        let reply = phone.ask(&text).await;
        let status = reply.status();
        assert!([400, 401, 403, 404].contains(&status), "{}", reply.text);
    }
}

async fn walk(database: Database, transport: &'static str) {
    let site = Site::open(&database).await;
    let mut victim = site.settled(VICTIM).await;
    add_base(&site, BASE, BASE_LINE, "ward7").await;
    add_base(&site, BUSY_BASE, BUSY_BASE_LINE, "ward8").await;
    let address = BUSY_BASE_ADDRESS.parse().unwrap();
    let base = SipPhone::udp_at(site.server.sip_udp, "00AA00AA00AA", address).await;
    let mut base = base.of_another_maker(BUSY_BASE_LINE);
    let reply = base.register_as("ward8", "digest of ward8", 3_600).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    // No new phones: their first REGISTER is the one exception, and it has tests of its own.
    site.test()
        .sql("UPDATE call_manager SET auto_registration_enabled = 0")
        .await;
    let call_ids = ["nobodys", &victim.call_id, &base.call_id];
    for (address, is_registered) in [
        (STRANGER, false),
        (VICTIM.address, true),
        (BUSY_BASE_ADDRESS, true),
    ] {
        let before = site.contents().await.without_histories();
        let memory_before = memory(&site);
        let mut phone = phone(&site, transport, VICTIM.mac, address).await;
        for method in METHODS {
            for claim in claims(&victim.number) {
                try_one(&mut phone, method, &claim, is_registered).await;
            }
        }
        for claim in claims(&victim.number) {
            try_to_read(&mut phone, &claim, &call_ids).await;
            try_to_end(&mut phone, &claim).await;
        }
        assert_eq!(memory(&site), memory_before, "{transport} from {address}");
        let after = site.contents().await.without_histories();
        assert_eq!(after, before, "{transport} from {address}");
    }
    // With its secret the same query is answered: what was asked for is there.
    let text = base
        .register_text("", 0)
        .replace("Contact: \r\nExpires: 0\r\n", "");
    let reply = base.ask(&text).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert!(
        reply.header("Contact").contains(BUSY_BASE_LINE),
        "{}",
        reply.text
    );
    // The comparison sees what gets on: the victim itself does.
    let (before, memory_before) = (site.contents().await.without_histories(), memory(&site));
    let secret = victim.login.as_ref().unwrap().secret.clone();
    victim.boot();
    let reply = victim.register_as(&VICTIM.name(), &secret, 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert_ne!(memory(&site), memory_before);
    assert_ne!(site.contents().await.without_histories(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_gets_anybody_on_without_credentials_over_udp() {
    for_each_database(|database| walk(database, "udp")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_gets_anybody_on_without_credentials_over_tcp() {
    for_each_database(|database| walk(database, "tcp")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_gets_anybody_on_without_credentials_over_tls() {
    for_each_database(|database| walk(database, "tls")).await;
}
