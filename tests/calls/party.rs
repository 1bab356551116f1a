//! A phone or a PBX that calls and is called: hand-written SIP text, no code of the program.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use md5::Digest as _;
use md5::Md5;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::common::Reply;
use crate::common::TestServer;
use crate::common::tls_client;

/// The secret of every phone that the test application makes.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcd";

/// Longest wait for a message that must come.
const DEADLINE: Duration = Duration::from_secs(20);

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
    Tls(Box<TlsStream<TcpStream>>, Vec<u8>),
}

/// One side of a call.
pub(crate) struct Party {
    wire: Wire,
    pub(crate) local: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) number: String,
    /// Device name, which is the digest user too.
    pub(crate) name: String,
    pub(crate) nonce: String,
    count: u32,
    cseq: u32,
    branch: u32,
}

/// A call as its caller or callee keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Dialog {
    pub(crate) call_id: String,
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) target: String,
    pub(crate) routes: Vec<String>,
}

fn hash(text: String) -> String {
    let digest: [u8; 16] = Md5::digest(text).into();
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Every header field of this name, in order.
pub(crate) fn all(message: &Reply, name: &str) -> Vec<String> {
    let head = message.text.split("\r\n\r\n").next().unwrap();
    let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields
        .filter(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().to_owned())
        .collect()
}

/// What stands between angle brackets.
pub(crate) fn uri_in(value: &str) -> String {
    let inside = value.split_once('<').map_or(value, |(_, rest)| rest);
    inside.split('>').next().unwrap().to_owned()
}

impl Party {
    pub(crate) async fn udp(server: SocketAddr, address: &str, number: &str) -> Self {
        let address: IpAddr = address.parse().unwrap();
        let socket = UdpSocket::bind((address, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self::new(Wire::Udp(socket), local, server, number)
    }

    pub(crate) async fn tcp(server: SocketAddr, address: &str, number: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let address: IpAddr = address.parse().unwrap();
        socket.bind(SocketAddr::new(address, 0)).unwrap();
        let stream = socket.connect(server).await.unwrap();
        Self::of_stream(stream, server, number)
    }

    /// The same under TLS, which shows the server's certificate.
    pub(crate) async fn tls(server: &TestServer, address: &str, number: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        let address: IpAddr = address.parse().unwrap();
        socket.bind(SocketAddr::new(address, 0)).unwrap();
        let stream = socket.connect(server.sip_tls).await.unwrap();
        let local = stream.local_addr().unwrap();
        let ca_file = server.test.database.folder().join("https-certificate.pem");
        let name = server.sip_tls.ip().into();
        let stream = tls_client(&ca_file).connect(name, stream).await.unwrap();
        let wire = Wire::Tls(Box::new(stream), Vec::new());
        Self::new(wire, local, server.sip_tls, number)
    }

    /// The accepted side of a connection.
    pub(crate) fn of_stream(stream: TcpStream, server: SocketAddr, number: &str) -> Self {
        let local = stream.local_addr().unwrap();
        Self::new(Wire::Tcp(stream, Vec::new()), local, server, number)
    }

    fn new(wire: Wire, local: SocketAddr, server: SocketAddr, number: &str) -> Self {
        Self {
            wire,
            local,
            server,
            number: number.to_owned(),
            name: String::new(),
            nonce: String::new(),
            count: 0,
            cseq: 0,
            branch: 0,
        }
    }

    /// A phone that somebody has claimed, with this number, registered by its digest. The device
    /// must exist.
    pub(crate) async fn register(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        let challenge = self.try_register("").await;
        assert_eq!(challenge.status(), 401, "{}", challenge.text);
        self.take_nonce(&challenge, "WWW-Authenticate");
        let authorization = self.authorization("REGISTER", "sip:cm");
        let header = format!("Authorization: {authorization}\r\n");
        let reply = self.try_register(&header).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        self
    }

    /// Sends a REGISTER with these header fields and gives the answer.
    pub(crate) async fn try_register(&mut self, headers: &str) -> Reply {
        let contact = format!(
            "{};+u.sip!devicename.ccm.cisco.com=\"{}\";+u.sip!model.ccm.cisco.com=\"622\"",
            self.contact(),
            self.name
        );
        self.cseq += 1;
        let via = self.via();
        let text = format!(
            "REGISTER sip:cm SIP/2.0\r\nVia: {via}\r\nFrom: <sip:{0}@cm>;tag=r\r\n\
             To: <sip:{0}@cm>\r\nCall-ID: register-{0}-{1}\r\nCSeq: {2} REGISTER\r\n\
             Max-Forwards: 70\r\nContact: {contact}\r\nExpires: 3600\r\n{headers}\
             Content-Length: 0\r\n\r\n",
            self.number,
            self.local.port(),
            self.cseq
        );
        self.send(&text).await;
        self.expect("SIP/2.0").await
    }

    pub(crate) fn transport(&self) -> &'static str {
        match self.wire {
            Wire::Udp(_) => "UDP",
            Wire::Tcp(..) => "TCP",
            Wire::Tls(..) => "TLS",
        }
    }

    /// The Contact by which this party wants to be reached within a call.
    pub(crate) fn contact(&self) -> String {
        let transport = self.transport().to_lowercase();
        format!(
            "<sip:c{}@{};transport={transport}>",
            self.number, self.local
        )
    }

    fn via(&mut self) -> String {
        self.branch += 1;
        format!(
            "SIP/2.0/{} {};branch=z9hG4bK{}x{}",
            self.transport(),
            self.local,
            self.local.port(),
            self.branch
        )
    }

    fn take_nonce(&mut self, challenge: &Reply, header: &str) {
        let value = challenge.header(header);
        let nonce = value.split_once("nonce=\"").unwrap().1;
        self.nonce = nonce.split('"').next().unwrap().to_owned();
        self.count = 0;
    }

    /// Digest credentials for a request.
    pub(crate) fn authorization(&mut self, method: &str, uri: &str) -> String {
        self.count += 1;
        let (user, nonce, count) = (&self.name, &self.nonce, self.count);
        let ha1 = hash(format!("{user}:ccmsipline:{SECRET}"));
        let ha2 = hash(format!("{method}:{uri}"));
        let response = hash(format!("{ha1}:{nonce}:{count:08x}:c1:auth:{ha2}"));
        format!(
            "Digest username=\"{user}\",realm=\"ccmsipline\",uri=\"{uri}\",\
             response=\"{response}\",nonce=\"{nonce}\",cnonce=\"c1\",qop=auth,nc={count:08x},\
             algorithm=MD5"
        )
    }

    /// The text of an INVITE for this number.
    pub(crate) fn invite(&mut self, dialled: &str, call_id: &str, headers: &str) -> String {
        self.cseq += 1;
        let via = self.via();
        let body = "v=0\r\n";
        format!(
            "INVITE sip:{dialled}@127.0.0.1 SIP/2.0\r\nVia: {via}\r\n\
             From: \"A\" <sip:{0}@127.0.0.1>;tag=a{call_id}\r\nTo: <sip:{dialled}@127.0.0.1>\r\n\
             Call-ID: {call_id}\r\nCSeq: {1} INVITE\r\nMax-Forwards: 70\r\n\
             Contact: {2}\r\nX-Unknown:  kept,  as is\r\n{headers}\
             Content-Type: application/sdp\r\nContent-Length: {3}\r\n\r\n{body}",
            self.number,
            self.cseq,
            self.contact(),
            body.len(),
        )
    }

    /// Calls: sends an INVITE, proves itself when asked to, and gives the INVITE's text once 100
    /// has come.
    pub(crate) async fn call(&mut self, dialled: &str, call_id: &str) -> String {
        let (text, answer) = self.try_call(dialled, call_id, "").await;
        assert_eq!(answer.status(), 100, "{}", answer.text);
        text
    }

    /// Calls with these header fields; gives the INVITE's text and the first answer to it that is
    /// no challenge.
    pub(crate) async fn try_call(
        &mut self,
        dialled: &str,
        call_id: &str,
        headers: &str,
    ) -> (String, Reply) {
        let text = self.invite(dialled, call_id, headers);
        self.send(&text).await;
        let answer = self.answer_to(call_id).await;
        if answer.status() != 407 || self.name.is_empty() {
            return (text, answer);
        }
        self.acknowledge_refusal(&text, &answer).await;
        self.take_nonce(&answer, "Proxy-Authenticate");
        let uri = format!("sip:{dialled}@127.0.0.1");
        let authorization = self.authorization("INVITE", &uri);
        let headers = format!("{headers}Proxy-Authorization: {authorization}\r\n");
        let text = self.invite(dialled, call_id, &headers);
        self.send(&text).await;
        let cseq = self.cseq.to_string();
        loop {
            let answer = self.answer_to(call_id).await;
            if answer.header("CSeq").starts_with(&cseq) {
                return (text, answer);
            }
        }
    }

    /// Waits for a response to this call; late ones to others are passed over.
    pub(crate) async fn answer_to(&mut self, call_id: &str) -> Reply {
        loop {
            let answer = self.expect("SIP/2.0").await;
            if answer.header("Call-ID") == call_id {
                return answer;
            }
        }
    }

    /// An ACK for a refusal, or a CANCEL: what belongs to the INVITE with this text.
    pub(crate) async fn follow(&mut self, invite: &str, method: &str, to: Option<&str>) {
        let invite = Reply {
            text: invite.to_owned(),
        };
        let uri = invite.text.split(' ').nth(1).unwrap();
        let cseq = invite.header("CSeq").split(' ').next().unwrap();
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
             CSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
            invite.header("Via"),
            invite.header("From"),
            to.unwrap_or(invite.header("To")),
            invite.header("Call-ID"),
        );
        self.send(&text).await;
    }

    pub(crate) async fn acknowledge_refusal(&mut self, invite: &str, refusal: &Reply) {
        let to = refusal.header("To").to_owned();
        self.follow(invite, "ACK", Some(&to)).await;
    }

    /// Waits for a refusal of the INVITE and acknowledges it.
    pub(crate) async fn refused(&mut self, invite: &str) -> Reply {
        loop {
            let reply = self.expect("SIP/2.0").await;
            if reply.status() >= 300 && reply.header("CSeq").ends_with("INVITE") {
                self.acknowledge_refusal(invite, &reply).await;
                return reply;
            }
            assert!(reply.status() < 200 || !reply.header("CSeq").ends_with("INVITE"));
        }
    }

    /// Answers a request with every Via and Record-Route of it.
    pub(crate) async fn answer(&mut self, request: &Reply, status: &str) {
        let text = self.answer_text(request, status);
        self.send(&text).await;
    }

    /// The text of an answer with every Via and Record-Route of the request.
    pub(crate) fn answer_text(&self, request: &Reply, status: &str) -> String {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "Record-Route", "From", "Call-ID", "CSeq"] {
            for value in all(request, name) {
                write!(text, "{name}: {value}\r\n").unwrap();
            }
        }
        let to = request.header("To");
        let tag = if to.contains("tag=") || status.starts_with("100") {
            String::new()
        } else {
            format!(";tag=b{}", self.local.port())
        };
        write!(text, "To: {to}{tag}\r\nContact: {}\r\n", self.contact()).unwrap();
        text.push_str("Content-Length: 0\r\n\r\n");
        text
    }

    /// The dialog as the caller sees it, from the 200.
    pub(crate) fn dialog_of_caller(ok: &Reply) -> Dialog {
        let mut routes = all(ok, "Record-Route");
        routes.reverse();
        Dialog {
            call_id: ok.header("Call-ID").to_owned(),
            from: ok.header("From").to_owned(),
            to: ok.header("To").to_owned(),
            target: uri_in(ok.header("Contact")),
            routes,
        }
    }

    /// The dialog as the callee sees it, from the INVITE.
    pub(crate) fn dialog_of_callee(&self, invite: &Reply) -> Dialog {
        Dialog {
            call_id: invite.header("Call-ID").to_owned(),
            from: format!("{};tag=b{}", invite.header("To"), self.local.port()),
            to: invite.header("From").to_owned(),
            target: uri_in(invite.header("Contact")),
            routes: all(invite, "Record-Route"),
        }
    }

    /// Sends a request within a call.
    pub(crate) async fn within(&mut self, dialog: &Dialog, method: &str, cseq: Option<u32>) {
        let text = self.within_text(dialog, method, cseq);
        self.send(&text).await;
    }

    /// The text of a request within a call.
    pub(crate) fn within_text(
        &mut self,
        dialog: &Dialog,
        method: &str,
        cseq: Option<u32>,
    ) -> String {
        if cseq.is_none() {
            self.cseq += 1;
        }
        let cseq = cseq.unwrap_or(self.cseq);
        let via = self.via();
        let routes = dialog.routes.iter().fold(String::new(), |mut text, route| {
            write!(text, "Route: {route}\r\n").unwrap();
            text
        });
        format!(
            "{method} {} SIP/2.0\r\nVia: {via}\r\n{routes}From: {}\r\nTo: {}\r\n\
             Call-ID: {}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContact: {}\r\n\
             Content-Length: 0\r\n\r\n",
            dialog.target,
            dialog.from,
            dialog.to,
            dialog.call_id,
            self.contact(),
        )
    }

    /// The number of the last CSeq.
    pub(crate) const fn last_cseq(&self) -> u32 {
        self.cseq
    }

    pub(crate) async fn send(&mut self, text: &str) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                let bytes = text.as_bytes();
                socket.send_to(bytes, self.server).await.unwrap();
            }
            Wire::Tcp(stream, _) => stream.write_all(text.as_bytes()).await.unwrap(),
            Wire::Tls(stream, _) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    }

    /// Waits for a message that begins so; others, which may be retransmissions, are passed over.
    pub(crate) async fn expect(&mut self, start: &str) -> Reply {
        let local = self.local;
        let waited = timeout(DEADLINE, async {
            loop {
                let message = self.receive().await;
                if message.text.starts_with(start) {
                    return message;
                }
            }
        });
        waited
            .await
            .unwrap_or_else(|_| panic!("{start} did not come to {local}"))
    }

    /// Waits for a final or provisional response with this status.
    pub(crate) async fn expect_status(&mut self, status: u16) -> Reply {
        self.expect(&format!("SIP/2.0 {status} ")).await
    }

    /// Whether nothing that begins with `start` comes for a moment that the server would have used.
    pub(crate) async fn hears_nothing_of(&mut self, start: &str) -> bool {
        let heard = self.heard().await;
        !heard.iter().any(|message| message.text.starts_with(start))
    }

    /// All that has come, up to the answer to an OPTIONS sent now.
    pub(crate) async fn heard(&mut self) -> Vec<Reply> {
        let via = self.via();
        self.cseq += 1;
        let cseq = format!("{} OPTIONS", self.cseq);
        let text = format!(
            "OPTIONS sip:cm SIP/2.0\r\nVia: {via}\r\nFrom: <sip:o@cm>;tag=o\r\nTo: <sip:o@cm>\r\n\
             Call-ID: options-{}\r\nCSeq: {cseq}\r\nContent-Length: 0\r\n\r\n",
            self.local.port(),
        );
        self.send(&text).await;
        let mut heard = Vec::new();
        loop {
            let message = timeout(DEADLINE, self.receive()).await.unwrap();
            if message.header("CSeq") == cseq {
                return heard;
            }
            heard.push(message);
        }
    }

    async fn receive(&mut self) -> Reply {
        let bytes = match &mut self.wire {
            Wire::Udp(socket) => {
                let mut buffer = vec![0; 65_536];
                let length = socket.recv(&mut buffer).await.unwrap();
                buffer.truncate(length);
                buffer
            }
            Wire::Tcp(stream, buffer) => read_message(stream, buffer).await,
            Wire::Tls(stream, buffer) => read_message(stream, buffer).await,
        };
        let text = String::from_utf8(bytes).unwrap();
        Reply { text }
    }
}

async fn read_message<S: AsyncRead + Unpin>(stream: &mut S, buffer: &mut Vec<u8>) -> Vec<u8> {
    loop {
        if let Some(length) = message_length(buffer) {
            break buffer.drain(..length).collect();
        }
        let mut piece = [0; 4_096];
        let length = stream.read(&mut piece).await.unwrap();
        assert!(length > 0, "the server closed the connection");
        buffer.extend_from_slice(&piece[..length]);
    }
}

fn message_length(buffer: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(buffer);
    let head = text.find("\r\n\r\n")? + 4;
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"))?;
    let body: usize = length.trim().parse().unwrap();
    (buffer.len() >= head + body).then_some(head + body)
}

/// A device with its user and line, and the phone itself, registered over UDP.
pub(crate) async fn phone(server: &TestServer, address: &str, mac: &str, number: &str) -> Party {
    let name = device(server, mac, number).await;
    let party = Party::udp(server.sip_udp, address, number).await;
    party.register(&name).await
}

/// The same over TCP.
pub(crate) async fn tcp_phone(
    server: &TestServer,
    address: &str,
    mac: &str,
    number: &str,
) -> Party {
    let name = device(server, mac, number).await;
    let party = Party::tcp(server.sip_tcp, address, number).await;
    party.register(&name).await
}

/// The same over TLS.
pub(crate) async fn tls_phone(
    server: &TestServer,
    address: &str,
    mac: &str,
    number: &str,
) -> Party {
    let name = device(server, mac, number).await;
    let party = Party::tls(server, address, number).await;
    party.register(&name).await
}

/// A claimed device with this number, which another may have already; gives its name.
pub(crate) async fn device(server: &TestServer, mac: &str, number: &str) -> String {
    let test = &server.test;
    let name = format!("SEP{mac}");
    let shared = test.app.phones.of_number(&number.parse().unwrap());
    if let Some(other) = shared.first() {
        let mut phone = test.phone(&name, None);
        phone.lines.clone_from(&other.phone.lines);
        for line in &mut phone.lines {
            line.contact_user = test.app.new_pkid();
            line.ctiid = None;
        }
        test.put_phone(phone).await;
    } else {
        let user = test.add_user(&format!("u{number}"), number, "8362").await;
        test.add_phone(&name, Some(&user)).await;
    }
    name
}
