//! Which request changes a binding, and which bindings an answer shows.

#![cfg(test)]

mod common;

use common::Reply;
use common::SipPhone;
use common::TestServer;
use common::for_each_database;
use selfprov::domain::device::DeviceName;

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
async fn server(database: &common::Database) -> TestServer {
    let server = TestServer::start(database).await;
    let owner = server.test.add_user("zoe", "1005", common::PIN).await;
    for (mac, owner) in [(MAC, &owner), (OTHER_MAC, &owner)] {
        server
            .test
            .add_phone(&format!("SEP{mac}"), Some(owner))
            .await;
    }
    server
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
