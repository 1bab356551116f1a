use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::*;
use crate::cli::phone::sip::message::{Message, StartLine};
use crate::domain::phone_model;

const DEADLINE: Duration = Duration::from_secs(30);

/// Serves one phone file over TFTP; anything else is not found.
async fn serve_files(socket: UdpSocket, sip_port: u16) {
    let file = format!(
        "<device><devicePool><callManagerGroup><members><member priority=\"0\"><callManager>\
         <ports><sipPort>{sip_port}</sipPort></ports><processNodeName>127.0.0.1</processNodeName>\
         </callManager></member></members></callManagerGroup></devicePool><sipProfile><sipLines>\
         <line button=\"1\"><name>1000</name></line></sipLines></sipProfile></device>"
    );
    let mut packet = [0; 1024];
    loop {
        let (length, phone) = socket.recv_from(&mut packet).await.unwrap();
        if packet[..2] == [0, 1] {
            let is_own = packet[2..length].starts_with(b"SEP0011AABBCCDD.cnf.xml\0");
            let block = [b"\0\x03\0\x01", file.as_bytes()].concat();
            let missing = b"\0\x05\0\x01File not found\0".to_vec();
            socket
                .send_to(if is_own { &block } else { &missing }, phone)
                .await
                .unwrap();
        }
    }
}

/// A registrar that says yes and hands over what else the phone sends.
struct Registrar {
    socket: UdpSocket,
    phone: Option<SocketAddr>,
}

impl Registrar {
    async fn receive(&mut self) -> Message {
        let mut bytes = vec![0; 65_536];
        let received = timeout(DEADLINE, self.socket.recv_from(&mut bytes)).await;
        let (length, from) = received.unwrap().unwrap();
        self.phone = Some(from);
        Message::parse(&bytes[..length]).unwrap()
    }

    async fn send(&self, text: &str) {
        self.socket
            .send_to(text.as_bytes(), self.phone.unwrap())
            .await
            .unwrap();
    }

    /// Takes a REGISTER, grants what it asks for, and gives it.
    async fn register(&mut self) -> Message {
        let request = self.receive().await;
        assert_eq!(request.start, StartLine::Request("REGISTER".into()));
        let expires = request.header("Expires").unwrap();
        let answer = request.answer(200, "OK");
        self.send(&answer.replacen("\r\n", &format!("\r\nExpires: {expires}\r\n"), 1))
            .await;
        request
    }

    /// Tells the phone to do something and gives the status it answers with.
    async fn notify(&mut self, event: &str, body: &str) -> u16 {
        let length = body.len();
        let request = format!(
            "NOTIFY sip:phone SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\nFrom: <sip:x>;tag=1\r\n\
             To: <sip:phone>\r\nCall-ID: n\r\nCSeq: 1 NOTIFY\r\nEvent: {event}\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        );
        self.send(&request).await;
        match self.receive().await.start {
            StartLine::Response { status, .. } => status,
            StartLine::Request(method) => panic!("{method} instead of an answer"),
        }
    }
}

#[tokio::test]
async fn a_phone_obeys_only_the_server_that_names_its_registration() {
    let files = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let sip = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let tftp = files.local_addr().unwrap();
    tokio::spawn(serve_files(files, sip.local_addr().unwrap().port()));
    let mut registrar = Registrar {
        socket: sip,
        phone: None,
    };
    let options = Options {
        mac: "0011AABBCCDD".parse().unwrap(),
        model: phone_model::by_product("Cisco 7841").unwrap(),
        servers: FileServers {
            http: None,
            tftp: Some(tftp),
        },
        ca_file: None,
        transport: None,
        random: crate::cli::phone::command::random_bytes,
    };
    let mut handset = Handset::new(options, std::sync::Arc::new(|_| {})).unwrap();
    tokio::spawn(async move {
        handset.power_on().await.unwrap();
        loop {
            let stimulus = handset.wait().await;
            handset.handle(stimulus).await;
        }
    });
    let first = registrar.register().await;
    assert!(first.header("Reason").unwrap().contains("Last=initialized"));
    let call_id = first.header("Call-ID").unwrap().to_owned();

    let stranger = "action=restart\nRegisterCallId={another@1.2.3.4}\n";
    assert_eq!(registrar.notify("service-control", stranger).await, 400);
    assert_eq!(
        registrar
            .notify("service-control", "action=restart\n")
            .await,
        400
    );
    assert_eq!(registrar.notify("message-summary", "").await, 489);
    let ours = format!("action=reset\r\nRegisterCallId={{{call_id}}}\r\n");
    assert_eq!(registrar.notify("service-control", &ours).await, 200);

    let last = registrar.register().await;
    assert_eq!(
        (last.header("Expires"), last.header("Call-ID")),
        (Some("0"), Some(&*call_id))
    );
    let again = registrar.register().await;
    assert!(again.header("Reason").unwrap().contains("Last=reset-reset"));
    assert_ne!(again.header("Call-ID"), Some(&*call_id));
    let contact = again.header("Contact").unwrap();
    assert!(
        contact.contains("0011aabbccdd") && contact.contains("SEP0011AABBCCDD"),
        "{contact}"
    );
}
