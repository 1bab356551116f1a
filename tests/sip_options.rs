//! The bodies of REGISTER: a phone that tells what it can do hears the same of the server, and no
//! body is ever a reason to refuse a phone.

use quick_xml::Reader;
use quick_xml::events::Event;

use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::for_each_database;

const RESPONSE_TYPE: &str = "application/x-cisco-remotecc-response+xml";

/// What a phone of the 7800 sends when it boots: its bulk registration and its capabilities.
const BOOT_BODY: &str = "--uniqueBoundary\r\n\
    Content-Type: application/x-cisco-remotecc-request+xml\r\n\
    Content-Disposition: session;handling=optional\r\n\r\n\
    <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request><bulkregisterreq>\
    <contact all=\"true\"><register></register></contact></bulkregisterreq>\
    </x-cisco-remotecc-request>\r\n\
    --uniqueBoundary\r\n\
    Content-Type: application/x-cisco-remotecc-request+xml\r\n\
    Content-Disposition: session;handling=optional\r\n\r\n\
    <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<x-cisco-remotecc-request><optionsind>\
    <combine max=\"6\"><remotecc><status></status></remotecc><service-control></service-control>\
    </combine></optionsind></x-cisco-remotecc-request>\r\n\
    --uniqueBoundary--\r\n";

/// The paths of all elements of a document.
fn elements(document: &str) -> Vec<String> {
    let mut reader = Reader::from_str(document);
    let (mut open, mut paths) = (Vec::new(), Vec::new());
    loop {
        match reader.read_event().unwrap() {
            Event::Start(start) => {
                open.push(start.name().as_ref().to_owned());
                paths.push(open.join("/"));
            }
            Event::End(_) => drop(open.pop()),
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(open.is_empty(), "{document}");
    paths
}

fn with_body(phone: &mut SipPhone, content_type: &str, body: &str) -> String {
    let contact = phone.contact();
    let headers = format!(
        "Contact: {contact}\r\nExpires: 120\r\nMime-Version: 1.0\r\nContent-Type: {content_type}\r\n"
    );
    phone.request("REGISTER", "sip:127.0.0.1", &headers, body)
}

#[tokio::test]
async fn a_phone_that_tells_its_options_hears_those_of_the_server() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let wires = [
            SipPhone::udp(server.sip_udp, "0011AABBCC01").await,
            SipPhone::tcp(server.sip_tcp, "0011AABBCC02").await,
        ];
        for mut phone in wires {
            let multipart = "multipart/mixed; boundary=uniqueBoundary";
            let text = with_body(&mut phone, multipart, BOOT_BODY);
            let reply = phone.ask(&text).await;
            assert_eq!(reply.status(), 200, "{}", reply.text);
            assert_eq!(reply.header("Content-Type"), RESPONSE_TYPE);
            let length: usize = reply.header("Content-Length").parse().unwrap();
            assert_eq!(length, reply.body().len());
            let elements = elements(reply.body());
            let can = "x-cisco-remotecc-response/response/optionsind/combine";
            for element in [can.to_owned(), format!("{can}/service-control")] {
                assert!(elements.contains(&element), "{elements:?}");
            }

            // A refresh tells nothing, and hears nothing.
            let reply = phone.register(120).await;
            assert_eq!(reply.status(), 200, "{}", reply.text);
            assert_eq!((reply.header("Content-Length"), reply.body()), ("0", ""));
            assert_eq!(reply.header("Content-Type"), "");
        }
    })
    .await;
}

#[tokio::test]
async fn no_body_of_a_register_is_refused() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let bodies = [
            (
                "application/x-cisco-remotecc-request+xml",
                "<x-cisco-remotecc-request><optionsind",
            ),
            ("multipart/mixed; boundary=other", BOOT_BODY),
            ("multipart/mixed", BOOT_BODY),
            ("application/sdp", "v=0\r\n"),
            ("text/x-nobody-knows", "\u{0}<optionsind>\u{7}&&&"),
            ("image/png;;;=", "not an image"),
        ];
        for (index, (content_type, body)) in bodies.into_iter().enumerate() {
            let mac = format!("0011AABBCC1{index}");
            let mut phone = SipPhone::tcp(server.sip_tcp, &mac).await;
            let text = with_body(&mut phone, content_type, body);
            let reply = phone.ask(&text).await;
            assert_eq!(reply.status(), 200, "{content_type}: {}", reply.text);
            // And the connection goes on behind it.
            assert_eq!(phone.register(120).await.status(), 200, "{content_type}");
        }
    })
    .await;
}
