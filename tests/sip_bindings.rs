//! Which request changes a binding, and which bindings an answer shows.

use crate::common::Reply;
use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::administrator;
use crate::common::for_each_database;
use selfprov::domain::device::DeviceName;
use selfprov::domain::phone_model;
use selfprov::service::devices;
use selfprov::service::devices::NewDevice;
use selfprov::service::devices::lines::DeviceLine;
use selfprov::service::users::Extension;

const MAC: &str = "0011AABBCC01";
const OTHER_MAC: &str = "0011AABBCC02";

/// The secret of every phone that the harness adds.
const SECRET: &str = "0123456789abcdef0123456789abcd";

/// A provisioned phone with the line 1005, registered.
async fn registered(server: &TestServer, mac: &str) -> SipPhone {
    let app = &server.test.app;
    // Over TCP, where the number of a request is all that tells a late one from a new one.
    let mut phone = SipPhone::tcp(server.sip_tcp, mac).await;
    phone.number = "1005".to_owned();
    let user = phone.name.clone();
    let reply = phone.register_as(&user, SECRET, 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert_eq!(app.locations.of_device(&name(mac)).len(), 1);
    phone
}

fn name(mac: &str) -> DeviceName {
    format!("SEP{mac}").parse().unwrap()
}

/// A server with two phones of one user: they share the line 1005.
async fn server(database: &crate::common::Database) -> TestServer {
    let server = TestServer::start(database).await;
    let owner = server
        .test
        .add_user("zoe", "1005", crate::common::PIN)
        .await;
    for (mac, owner) in [(MAC, &owner), (OTHER_MAC, &owner)] {
        server
            .test
            .add_phone(&format!("SEP{mac}"), Some(owner))
            .await;
    }
    server
}

/// Adds a device of another maker with the line 1005, and gives it on the wire with its secret.
async fn of_another_maker(server: &TestServer, device: &str) -> (SipPhone, String) {
    let actor = administrator();
    let model = phone_model::by_number(phone_model::THIRD_PARTY_BASIC).unwrap();
    let line = DeviceLine::new(Extension {
        pattern: "1005".parse().unwrap(),
        route_partition: String::new(),
    });
    let new = NewDevice {
        lines: vec![line],
        ..NewDevice::new(device.parse().unwrap(), model)
    };
    let app = &server.test.app;
    let made = devices::add(app, &actor, &new).await.unwrap();
    let sealed = made.digest.sealed_secret.unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap().reveal().to_owned();
    let phone = SipPhone::tcp(server.sip_tcp, "00AA00AA00AA").await;
    (phone.of_another_maker("1005"), secret)
}

/// Sends a REGISTER with this Contact, none when it is empty.
async fn with_contact(phone: &mut SipPhone, contact: &str, expires_s: u32) -> Reply {
    let text = phone.register_text(contact, expires_s);
    phone.ask(&text.replace("Contact: \r\n", "")).await
}

/// The Contacts of a 200 without what is left of their lifetimes, which is checked.
fn shown(reply: &Reply) -> Vec<String> {
    assert_eq!(reply.status(), 200, "{}", reply.text);
    let contacts = reply.headers("Contact").into_iter().map(|contact| {
        let (contact, left) = contact.split_once(";expires=").unwrap();
        let left = left.split(';').next().unwrap();
        assert!((1..=120).contains(&left.parse().unwrap()), "{}", reply.text);
        contact.to_owned()
    });
    contacts.collect()
}

async fn at_cseq(phone: &mut SipPhone, cseq: u32, expires_s: u32) -> Reply {
    phone.cseq = cseq - 1;
    phone.register(expires_s).await
}

#[tokio::test]
async fn a_request_out_of_order_changes_nothing() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let app = &server.test.app;
        let mut phone = registered(&server, MAC).await;
        let last = phone.cseq;
        let before = app.locations.of_device(&name(MAC))[0].clone();
        server.test.clock.advance(std::time::Duration::from_secs(5));
        // The same number again, a lower one, one that moves the contact, and one that unregisters.
        for (cseq, contact_extra, expires_s) in [
            (last, "", 120),
            (last - 1, "", 120),
            (last, ";a=b", 120),
            (last - 1, "", 0),
        ] {
            phone.contact_extra = contact_extra.to_owned();
            let reply = at_cseq(&mut phone, cseq, expires_s).await;
            assert_eq!(
                reply.status(),
                500,
                "{cseq} {contact_extra} {expires_s}: {}",
                reply.text
            );
            assert!(reply.header("Warning").contains("outOfOrder"));
            assert_eq!(*app.locations.of_device(&name(MAC))[0], *before);
        }
        phone.contact_extra.clear();
        let reply = at_cseq(&mut phone, last + 10, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        // After a boot the count begins anew, with another Call-ID.
        phone.boot();
        let reply = at_cseq(&mut phone, 1, 120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert_eq!(at_cseq(&mut phone, 2, 0).await.status(), 200);
        assert_eq!(app.locations.len(), 0);
    })
    .await;
}

#[tokio::test]
async fn devices_that_share_a_line_have_a_binding_each_and_a_query_shows_both() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let mut one = registered(&server, MAC).await;
        let two = registered(&server, OTHER_MAC).await;
        assert_eq!(server.test.app.locations.len(), 2);
        let credentials = one.register_text("*", 120);
        let start = credentials.find("Contact: ").unwrap();
        let end = start + credentials[start..].find("\r\n").unwrap() + 2;
        let query = format!("{}{}", &credentials[..start], &credentials[end..]);
        let reply = one.ask(&query).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        let contacts: Vec<&str> = reply
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("Contact: "))
            .collect();
        assert_eq!(contacts.len(), 2, "{}", reply.text);
        for phone in [&one, &two] {
            let contact = phone.contact();
            let found = contacts.iter().find(|shown| shown.starts_with(&contact));
            let rest = found.unwrap().strip_prefix(&contact).unwrap();
            assert!(rest.starts_with(";expires="), "{rest}");
        }
        // Removing one leaves the other.
        assert_eq!(one.register(0).await.status(), 200);
        assert!(server.test.app.locations.of_device(&name(MAC)).is_empty());
        assert_eq!(server.test.app.locations.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn bulk_registration_proves_what_every_registration_proves() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let mut phone = registered(&server, MAC).await;
        let bulk = "--uniqueBoundary\r\n\
             Content-Type: application/x-cisco-remotecc-request+xml\r\n\r\n\
             <x-cisco-remotecc-request><bulkregisterreq><contact all=\"true\"><register/>\
             </contact></bulkregisterreq></x-cisco-remotecc-request>\r\n--uniqueBoundary--\r\n";
        let with_body = |phone: &mut SipPhone| {
            let contact = phone.contact();
            let text = phone.register_text(&contact, 120);
            let head = text.strip_suffix("Content-Length: 0\r\n\r\n").unwrap();
            format!(
                "{head}Content-Type: multipart/mixed; boundary=uniqueBoundary\r\n\
                 Content-Length: {}\r\n\r\n{bulk}",
                bulk.len()
            )
        };
        let text = with_body(&mut phone);
        assert_eq!(phone.ask(&text).await.status(), 200);
        assert_eq!(server.test.app.locations.len(), 1);
        // Right credentials, another user's line.
        phone.number = "1004".to_owned();
        let text = with_body(&mut phone);
        let reply = phone.ask(&text).await;
        assert_eq!(reply.status(), 403, "{}", reply.text);
        assert!(reply.header("Warning").contains("directoryNumberMismatch"));
        assert_eq!(server.test.app.locations.len(), 1);
        // Another phone's name with these credentials.
        phone.number = "1005".to_owned();
        phone.name = format!("SEP{OTHER_MAC}");
        phone.mac = OTHER_MAC.to_owned();
        let text = with_body(&mut phone);
        assert_eq!(phone.ask(&text).await.status(), 403);
        assert_eq!(server.test.app.locations.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn another_makers_device_gets_every_binding_of_its_line_and_a_cisco_phone_its_own() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let locations = &server.test.app.locations;
        let mut one = registered(&server, MAC).await;
        let two = registered(&server, OTHER_MAC).await;
        let (mut door, secret) = of_another_maker(&server, "door-1").await;
        // A lifetime of the Contact's own goes back once, with the time that is left.
        let own = door.contact();
        door.own_contact = Some(format!("{own};expires=300"));
        let mut all = vec![own.clone(), one.contact(), two.contact()];
        let reply = door.register_as("door-1", &secret, 200).await;
        assert_eq!(shown(&reply), all, "the new binding: {}", reply.text);
        server.test.clock.advance(std::time::Duration::from_secs(5));
        let reply = door.register(200).await;
        assert_eq!(shown(&reply), all, "a refresh");
        assert!(!reply.text.contains("x-cisco-newreg"));
        let contacts = reply.headers("Contact");
        assert!(contacts[0].ends_with(";expires=120"), "{}", reply.text);
        assert!(contacts[1].ends_with(";expires=115"), "{}", reply.text);
        let reply = one.register(120).await;
        assert_eq!(shown(&reply), [one.contact()], "a Cisco phone");
        for phone in [&mut door, &mut one] {
            let mut found = shown(&with_contact(phone, "", 120).await);
            found.sort();
            all.sort();
            assert_eq!(found, all, "a query of {}", phone.name);
        }
        // `*` takes back what the device itself bound, and only with a lifetime of 0.
        assert_eq!(with_contact(&mut door, "*", 120).await.status(), 400);
        assert_eq!(locations.len(), 3);
        let left = [one.contact(), two.contact()];
        for _ in 0..2 {
            assert_eq!(shown(&with_contact(&mut door, "*", 0).await), left);
            assert_eq!(locations.len(), 2);
        }
        assert_eq!(shown(&with_contact(&mut door, "", 0).await), left);
        assert_eq!(shown(&door.register(200).await).len(), 3);
        door.own_contact = Some(own);
        assert_eq!(shown(&door.register(0).await), left);
        let reply = with_contact(&mut one, "*", 0).await;
        assert!(shown(&reply).is_empty(), "a Cisco phone: {}", reply.text);
        assert_eq!(locations.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn taking_back_a_contact_that_was_replaced_leaves_the_new_one() {
    for_each_database(|database| async move {
        let server = server(&database).await;
        let locations = &server.test.app.locations;
        let (mut door, secret) = of_another_maker(&server, "door-1").await;
        let (old, new) = ("<sip:d@192.0.2.7:5062>", "<sip:d@Host.example:5071>;q=0.5");
        door.own_contact = Some(old.to_owned());
        let reply = door.register_as("door-1", &secret, 120).await;
        assert_eq!(shown(&reply), [old]);
        door.own_contact = Some(new.to_owned());
        assert_eq!(shown(&door.register(120).await), [new]);
        let last = door.cseq;
        for other in [old, "<sip:d@host.example>", "<sip:d@host.example:50711>"] {
            let reply = with_contact(&mut door, other, 0).await;
            assert_eq!(shown(&reply), [new], "{other}");
        }
        // Both in one request: the one that is set counts.
        let both = format!("{old};expires=0, {new};expires=120");
        assert_eq!(shown(&with_contact(&mut door, &both, 120).await), [new]);
        // Without proof a replaced Contact takes nothing back either, nor does it show anything.
        let login = door.login.take();
        let reply = with_contact(&mut door, old, 0).await;
        assert_eq!(reply.status(), 401, "{}", reply.text);
        door.login = login;
        // What comes late does nothing: it names the binding, in another spelling.
        let same = "<sip:d@host.EXAMPLE:5071;lr>;expires=0";
        let next = door.cseq;
        door.cseq = last - 1;
        assert_eq!(with_contact(&mut door, same, 120).await.status(), 500);
        assert_eq!(locations.len(), 1);
        door.cseq = next;
        assert!(shown(&with_contact(&mut door, same, 120).await).is_empty());
        assert!(locations.is_empty());
        assert_eq!(server.test.count("SELECT COUNT(*) FROM binding").await, 0);
    })
    .await;
}

#[tokio::test]
async fn the_same_number_in_another_partition_is_another_line() {
    let server = server(&crate::common::Database::sqlite()).await;
    let cisco = registered(&server, MAC).await;
    let (mut door, secret) = of_another_maker(&server, "door-1").await;
    let reply = door.register_as("door-1", &secret, 120).await;
    assert_eq!(shown(&reply), [door.contact(), cisco.contact()]);
    let app = &server.test.app;
    app.phones.update(&"door-1".parse().unwrap(), |known| {
        let mut known = known.clone();
        known.phone.lines[0].line = app.new_pkid();
        Some(known)
    });
    assert_eq!(shown(&door.register(120).await), [door.contact()]);
}
