//! A phone on the wire: hand-written SIP text over a real socket. It shares no code with the
//! program, so that both would have to be wrong in the same way.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use md5::Digest as _;
use md5::Md5;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sha2::Sha256;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longest wait for a message that must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// A message from the server.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// All of it.
    pub(crate) text: String,
}

impl Reply {
    /// The status; 0 for a request.
    pub(crate) fn status(&self) -> u16 {
        let mut words = self.text.split(' ');
        match words.next() {
            Some("SIP/2.0") => words.next().unwrap().parse().unwrap(),
            _ => 0,
        }
    }

    /// The first header field of this name; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        head.lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find(|(other, _)| other.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value.trim())
    }

    /// Every header field of this name.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let head = self.text.split("\r\n\r\n").next().unwrap();
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
        fields
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// A parameter of the challenge.
    pub(crate) fn challenge(&self, name: &str) -> &str {
        let marker = format!("{name}=");
        let rest = self.header("WWW-Authenticate").split_once(&marker);
        let rest = rest.map_or("", |(_, rest)| rest);
        rest.trim_start_matches('"')
            .split(['"', ','])
            .next()
            .unwrap_or_default()
    }

    /// What follows the head.
    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").unwrap().1
    }
}

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
    Tls(Box<TlsStream<TcpStream>>, Vec<u8>),
}

/// What a phone proves itself with.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    /// Digest user name.
    pub(crate) user: String,
    /// Secret.
    pub(crate) secret: String,
    /// The challenge's nonce.
    pub(crate) nonce: String,
    /// How often the nonce was used.
    pub(crate) count: u32,
    /// `MD5` or `SHA-256`, or what the server does not take.
    pub(crate) algorithm: &'static str,
}

/// A phone. What it says about itself can be changed before each REGISTER.
pub(crate) struct SipPhone {
    wire: Wire,
    /// Its own address.
    pub(crate) local: SocketAddr,
    /// The server.
    pub(crate) server: SocketAddr,
    /// `SEP…`; empty: not said.
    pub(crate) name: String,
    /// The MAC address in its instance; empty: not said.
    pub(crate) mac: String,
    /// Model number.
    pub(crate) model: u32,
    /// The line it registers.
    pub(crate) number: String,
    /// Changes with every boot.
    pub(crate) call_id: String,
    /// Number of the last request.
    pub(crate) cseq: u32,
    /// Its credentials.
    pub(crate) login: Option<Login>,
    /// Further parameters of the Contact.
    pub(crate) contact_extra: String,
    /// The whole Contact of a device that is not Cisco's.
    pub(crate) own_contact: Option<String>,
    /// `User-Agent`.
    pub(crate) user_agent: String,
}

impl SipPhone {
    /// A phone over UDP on 127.0.0.1.
    pub(crate) async fn udp(server: SocketAddr, mac: &str) -> Self {
        Self::udp_at(server, mac, "127.0.0.1".parse().unwrap()).await
    }

    /// A phone over UDP on an address of its own.
    pub(crate) async fn udp_at(server: SocketAddr, mac: &str, address: IpAddr) -> Self {
        let socket = UdpSocket::bind((address, 0)).await.unwrap();
        let local = socket.local_addr().unwrap();
        Self::new(Wire::Udp(socket), local, server, mac)
    }

    /// A phone over TCP.
    pub(crate) async fn tcp(server: SocketAddr, mac: &str) -> Self {
        Self::tcp_at(server, mac, "127.0.0.1".parse().unwrap()).await
    }

    /// A phone over TCP on an address of its own.
    pub(crate) async fn tcp_at(server: SocketAddr, mac: &str, address: IpAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address, 0)).unwrap();
        let stream = socket.connect(server).await.unwrap();
        let local = stream.local_addr().unwrap();
        Self::new(Wire::Tcp(stream, Vec::new()), local, server, mac)
    }

    /// A phone over TLS that trusts the certificates of this PEM file.
    pub(crate) async fn tls(server: SocketAddr, mac: &str, ca_file: &Path) -> Self {
        Self::tls_at(server, mac, ca_file, "127.0.0.1".parse().unwrap()).await
    }

    /// A phone over TLS on an address of its own.
    pub(crate) async fn tls_at(
        server: SocketAddr,
        mac: &str,
        ca_file: &Path,
        address: IpAddr,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::new(address, 0)).unwrap();
        let stream = socket.connect(server).await.unwrap();
        let local = stream.local_addr().unwrap();
        let stream = tls_client(ca_file)
            .connect(server.ip().into(), stream)
            .await
            .unwrap();
        Self::new(Wire::Tls(Box::new(stream), Vec::new()), local, server, mac)
    }

    fn new(wire: Wire, local: SocketAddr, server: SocketAddr, mac: &str) -> Self {
        Self {
            wire,
            local,
            server,
            name: format!("SEP{mac}"),
            mac: mac.to_owned(),
            model: 622,
            number: "AUTO-REG".to_owned(),
            call_id: format!("{mac}-1@{}", local.ip()),
            cseq: 100,
            login: None,
            contact_extra: String::new(),
            own_contact: None,
            user_agent: "Cisco-CP7841/12.5.1".to_owned(),
        }
    }

    /// The phone after a boot: another Call-ID.
    pub(crate) fn boot(&mut self) {
        self.call_id = format!("{}-{}@{}", self.mac, self.cseq, self.local.ip());
    }

    /// Makes it a device that names itself nowhere: no instance, no name, no model.
    pub(crate) fn of_another_maker(mut self, number: &str) -> Self {
        let transport = self.transport().to_lowercase();
        let contact = format!("<sip:{number}@{};transport={transport}>", self.local);
        self.own_contact = Some(contact);
        number.clone_into(&mut self.number);
        "SIP DECT base/4.2".clone_into(&mut self.user_agent);
        self
    }

    fn transport(&self) -> &'static str {
        match self.wire {
            Wire::Udp(_) => "UDP",
            Wire::Tcp(..) => "TCP",
            Wire::Tls(..) => "TLS",
        }
    }

    /// The Contact as it is sent, without `expires`.
    pub(crate) fn contact(&self) -> String {
        if let Some(contact) = &self.own_contact {
            return contact.clone();
        }
        let mut contact = format!(
            "<sip:5f3c6a0e-6c2b-4a43-9d0e-0b6f0a7a1c11@{};transport={}>",
            self.local,
            self.transport().to_lowercase()
        );
        if !self.mac.is_empty() {
            let mac = self.mac.to_lowercase();
            write!(
                contact,
                ";+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-{mac}>\""
            )
            .unwrap();
        }
        if !self.name.is_empty() {
            write!(
                contact,
                ";+u.sip!devicename.ccm.cisco.com=\"{}\"",
                self.name
            )
            .unwrap();
        }
        write!(
            contact,
            ";+u.sip!model.ccm.cisco.com=\"{}\"{}",
            self.model, self.contact_extra
        )
        .unwrap();
        contact
    }

    /// The text of a request with these header fields beside the usual ones.
    pub(crate) fn request(&mut self, method: &str, uri: &str, headers: &str, body: &str) -> String {
        self.cseq += 1;
        format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/{} {};branch=z9hG4bK{}{}\r\n\
             From: <sip:{}@127.0.0.1>;tag=0011aabb\r\n\
             To: <sip:{}@127.0.0.1>\r\n\
             Call-ID: {}\r\n\
             Max-Forwards: 70\r\n\
             CSeq: {} {method}\r\n\
             User-Agent: {}\r\n\
             {headers}Content-Length: {}\r\n\r\n{body}",
            self.transport(),
            self.local,
            self.mac,
            self.cseq,
            self.number,
            self.number,
            self.call_id,
            self.cseq,
            self.user_agent,
            body.len()
        )
    }

    /// The text of a REGISTER with this Contact.
    pub(crate) fn register_text(&mut self, contact: &str, expires_s: u32) -> String {
        let mut headers = format!(
            "Contact: {contact}\r\nExpires: {expires_s}\r\n\
             Supported: replaces,X-cisco-service-control,X-cisco-sis-7.0.0\r\n"
        );
        if let Some(authorization) = self.authorization() {
            write!(headers, "Authorization: {authorization}\r\n").unwrap();
        }
        self.request("REGISTER", "sip:127.0.0.1", &headers, "")
    }

    fn authorization(&mut self) -> Option<String> {
        let login = self.login.as_mut()?;
        login.count += 1;
        let (user, nonce, count) = (&login.user, &login.nonce, login.count);
        let algorithm = login.algorithm;
        let hash = |text: String| {
            let digest = match algorithm {
                "SHA-256" => Sha256::digest(text).to_vec(),
                _ => Md5::digest(text).to_vec(),
            };
            digest.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            })
        };
        let ha1 = hash(format!("{user}:ccmsipline:{}", login.secret));
        let ha2 = hash("REGISTER:sip:127.0.0.1".to_owned());
        let response = hash(format!("{ha1}:{nonce}:{count:08x}:c1:auth:{ha2}"));
        Some(format!(
            "Digest username=\"{user}\",realm=\"ccmsipline\",uri=\"sip:127.0.0.1\",\
             response=\"{response}\",nonce=\"{nonce}\",cnonce=\"c1\",qop=auth,nc={count:08x},\
             algorithm={algorithm}"
        ))
    }

    /// Sends a REGISTER and gives the answer.
    pub(crate) async fn register(&mut self, expires_s: u32) -> Reply {
        let contact = self.contact();
        let text = self.register_text(&contact, expires_s);
        self.ask(&text).await
    }

    /// Registers with credentials: asks for a challenge and answers it.
    pub(crate) async fn register_as(&mut self, user: &str, secret: &str, expires_s: u32) -> Reply {
        self.login = None;
        let challenge = self.register(expires_s).await;
        assert_eq!(challenge.status(), 401, "{}", challenge.text);
        self.answer_challenge(&challenge, user, secret);
        self.register(expires_s).await
    }

    /// Takes a challenge's nonce for the next requests.
    pub(crate) fn answer_challenge(&mut self, challenge: &Reply, user: &str, secret: &str) {
        self.login = Some(Login {
            user: user.to_owned(),
            secret: secret.to_owned(),
            nonce: challenge.challenge("nonce").to_owned(),
            count: 0,
            algorithm: "MD5",
        });
    }

    /// Sends a text and gives its final answer; requests that come in between are answered 200.
    pub(crate) async fn ask(&mut self, text: &str) -> Reply {
        self.send(text).await;
        loop {
            let reply = self.receive().await;
            match reply.status() {
                0 => self.answer(&reply, "200 OK").await,
                100..200 => {}
                _ if reply.header("CSeq").starts_with(&self.cseq.to_string()) => return reply,
                _ => {}
            }
        }
    }

    /// Waits for a request of this method.
    pub(crate) async fn expect(&mut self, method: &str) -> Reply {
        loop {
            let reply = self.receive().await;
            if reply.text.starts_with(method) {
                return reply;
            }
        }
    }

    /// Answers a request.
    pub(crate) async fn answer(&mut self, request: &Reply, status: &str) {
        let mut text = format!("SIP/2.0 {status}\r\n");
        for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
            write!(text, "{name}: {}\r\n", request.header(name)).unwrap();
        }
        text.push_str("Content-Length: 0\r\n\r\n");
        self.send(&text).await;
    }

    /// Sends a text.
    pub(crate) async fn send(&mut self, text: &str) {
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.send_to(text.as_bytes(), self.server).await.unwrap();
            }
            Wire::Tcp(stream, _) => stream.write_all(text.as_bytes()).await.unwrap(),
            Wire::Tls(stream, _) => {
                stream.write_all(text.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    }

    /// Waits for any message.
    pub(crate) async fn receive(&mut self) -> Reply {
        let received = async {
            match &mut self.wire {
                Wire::Udp(socket) => {
                    let mut buffer = vec![0; 65_536];
                    let length = socket.recv(&mut buffer).await.unwrap();
                    buffer.truncate(length);
                    buffer
                }
                Wire::Tcp(stream, buffer) => read_message(stream, buffer).await,
                Wire::Tls(stream, buffer) => read_message(stream, buffer).await,
            }
        };
        let bytes = timeout(DEADLINE, received).await.expect("no message came");
        Reply {
            text: String::from_utf8(bytes).unwrap(),
        }
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

/// A TLS client that trusts the certificates of this PEM file and nobody else.
pub(crate) fn tls_client(ca_file: &Path) -> TlsConnector {
    let pem = std::fs::read(ca_file).unwrap();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn message_length(buffer: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(buffer);
    let head = text.find("\r\n\r\n")? + 4;
    let body: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length:"))?
        .trim()
        .parse()
        .unwrap();
    (buffer.len() >= head + body).then_some(head + body)
}
