//! SIP over real sockets: retransmissions, streams, and requests to phones on their own flow.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::common::has_ipv6;
use selfprov::domain::registration::{Flow, Transport};
use selfprov::domain::time::UnixMillis;
use selfprov::server::shutdown::{self, ShutdownTrigger};
use selfprov::server::sip::message::{
    self, Message, Method, ReplyHead, Request, ResponseBuilder, Status,
};
use selfprov::server::sip::transport::{
    Connector, Limits, Outbound, OutboundError, Quick, RequestHandler, Stack, bind_udp,
    serve_outgoing, serve_tcp, serve_tls, serve_udp,
};
use selfprov::server::tls::{CertificateFiles, ServerCertificate};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Longest wait for something that must happen.
const DEADLINE: Duration = Duration::from_secs(10);

/// Answers OPTIONS at once, REGISTER when the test opens the gate, SUBSCRIBE not at all, and has
/// a fault in MESSAGE.
struct Desk {
    gate: Semaphore,
    asked: AtomicUsize,
    flows: Mutex<Vec<Flow>>,
    closed: Mutex<Vec<Flow>>,
    changed: Notify,
}

impl RequestHandler for Desk {
    type Later = ReplyHead;

    fn quick(&self, request: &Request<'_>, flow: &Flow) -> Quick<ReplyHead> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.flows.lock().unwrap().push(*flow);
        self.changed.notify_waiters();
        match request.method {
            Method::Register => Quick::Later(ReplyHead::new(request, flow)),
            Method::Subscribe => Quick::Drop,
            Method::Message => panic!("a fault on purpose"),
            _ => Quick::Answer(ResponseBuilder::new(request, flow, Status::OK).finish()),
        }
    }

    async fn later(&self, head: ReplyHead) -> Option<Vec<u8>> {
        self.gate.acquire().await.unwrap().forget();
        Some(ResponseBuilder::from_head(&head, Status::OK).finish())
    }

    fn extensions(&self) -> &[&str] {
        &["norefersub"]
    }

    fn is_never_refused(&self, request: &Request<'_>, _flow: &Flow) -> bool {
        request.uri.user == Some(b"112")
    }

    fn flow_closed(&self, flow: &Flow) {
        self.closed.lock().unwrap().push(*flow);
        self.changed.notify_waiters();
    }
}

/// A server on free ports.
struct Server {
    desk: Arc<Desk>,
    outbound: Outbound,
    udp: std::net::SocketAddr,
    tcp: std::net::SocketAddr,
    tls: std::net::SocketAddr,
    certificate: Arc<ServerCertificate>,
    trigger: ShutdownTrigger,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let desk = Arc::new(Desk {
            gate: Semaphore::new(0),
            asked: AtomicUsize::new(0),
            flows: Mutex::default(),
            closed: Mutex::default(),
            changed: Notify::new(),
        });
        let outbound = Outbound::new(1_000);
        let stack = Stack::new(Arc::clone(&desk), outbound.clone(), limits);
        let socket = bind_udp("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (udp, tcp) = (socket.local_addr().unwrap(), listener.local_addr().unwrap());
        let tls_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tls = tls_listener.local_addr().unwrap();
        let certificate = certificate();
        let config = certificate.sip_config().unwrap();
        let (trigger, shutdown) = shutdown::channel();
        tokio::spawn(serve_udp(socket, stack.clone(), shutdown.clone()));
        tokio::spawn(serve_tcp(listener, stack.clone(), shutdown.clone()));
        tokio::spawn(serve_tls(tls_listener, config, stack, shutdown));
        Self {
            desk,
            outbound,
            udp,
            tcp,
            tls,
            certificate,
            trigger,
        }
    }

    fn asked(&self) -> usize {
        self.desk.asked.load(Ordering::SeqCst)
    }

    fn last_flow(&self) -> Flow {
        *self.desk.flows.lock().unwrap().last().unwrap()
    }

    /// Waits until `condition` holds; it is looked at whenever the handler was called.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        timeout(DEADLINE, async {
            loop {
                let changed = self.desk.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if condition(self) {
                    return;
                }
                changed.await;
            }
        })
        .await
        .expect("the condition holds in time");
    }
}

/// A certificate for 127.0.0.1.
fn certificate() -> Arc<ServerCertificate> {
    let folder = tempfile::tempdir().unwrap();
    let files = CertificateFiles::in_data_dir(folder.path());
    let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
    ServerCertificate::load_or_make(files, &["127.0.0.1".to_owned()], now).unwrap()
}

/// A TLS connection to the server.
async fn connect_tls(server: &Server) -> TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    let certificate = server.certificate.certificate_der();
    roots.add(certificate.into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.tls).await.unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(server.tls.ip().into(), stream);
    timeout(DEADLINE, connecting).await.unwrap().unwrap()
}

fn request_text(method: &str, transport: &str, port: u16, branch: &str) -> String {
    format!(
        "{method} sip:cm SIP/2.0\r\n\
         Via: SIP/2.0/{transport} 127.0.0.1:{port};branch=z9hG4bK{branch}\r\n\
         From: <sip:1001@cm>;tag=f\r\nTo: <sip:1001@cm>\r\nCall-ID: c-{branch}\r\n\
         CSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A phone on UDP.
struct Phone(UdpSocket);

impl Phone {
    async fn new(server: &Server) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(server.udp).await.unwrap();
        Self(socket)
    }

    fn text(&self, method: &str, branch: &str) -> String {
        request_text(method, "UDP", self.0.local_addr().unwrap().port(), branch)
    }

    async fn send(&self, text: impl AsRef<[u8]>) {
        self.0.send(text.as_ref()).await.unwrap();
    }

    async fn receive(&self) -> String {
        let mut buffer = vec![0; 65_536];
        let length = timeout(DEADLINE, self.0.recv(&mut buffer))
            .await
            .unwrap()
            .unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }
}

/// Reads one whole message from a stream.
async fn read_message<S: AsyncRead + Unpin>(stream: &mut S) -> String {
    let mut bytes = Vec::new();
    loop {
        let read = timeout(DEADLINE, stream.read_u8()).await.unwrap();
        bytes.push(read.expect("the connection stays open"));
        if let Some(head) = bytes.windows(4).position(|end| end == b"\r\n\r\n") {
            let body = message::announced_body_bytes(&bytes[..head + 4]).unwrap();
            if bytes.len() == head + 4 + body {
                return String::from_utf8(bytes).unwrap();
            }
        }
    }
}

async fn assert_closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let read = timeout(DEADLINE, stream.read_to_end(&mut rest))
        .await
        .expect("closed in time");
    assert!(
        read.is_err() || rest.is_empty(),
        "{}",
        String::from_utf8_lossy(&rest)
    );
}

/// Answers a request of the server.
fn answer_to(text: &str, flow: &Flow) -> Vec<u8> {
    match message::parse(text.as_bytes()) {
        Ok(Message::Request(request)) => ResponseBuilder::new(&request, flow, Status::OK).finish(),
        other => panic!("{other:?}"),
    }
}

fn notify(outbound: &Outbound, flow: &Flow, branch: &str) -> Vec<u8> {
    outbound
        .start(flow, "NOTIFY", "sip:1001@127.0.0.1", branch)
        .unwrap()
        .header("From", "<sip:cm>;tag=s")
        .header("To", "<sip:1001@cm>")
        .header("Call-ID", format!("n-{branch}"))
        .header("CSeq", "1 NOTIFY")
        .header("Event", "service-control")
        .header("Subscription-State", "active")
        .finish_with_body("text/plain", b"action=restart\r\n")
}

#[tokio::test]
async fn a_retransmission_in_work_is_absorbed_and_later_gets_the_same_answer() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    let register = phone.text("REGISTER", "r1");
    for _ in 0..3 {
        phone.send(&register).await;
    }
    // The answer to a later request shows that all three were looked at.
    phone.send(phone.text("OPTIONS", "o1")).await;
    assert!(phone.receive().await.contains("1 OPTIONS"));
    assert_eq!(server.asked(), 2);
    server.desk.gate.add_permits(1);
    let first = phone.receive().await;
    assert!(
        first.starts_with("SIP/2.0 200 OK\r\n") && first.contains("1 REGISTER"),
        "{first}"
    );
    phone.send(&register).await;
    assert_eq!(phone.receive().await, first);
    assert_eq!(server.asked(), 2);
}

#[tokio::test]
async fn a_request_that_is_dropped_may_come_again() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    for _ in 0..2 {
        phone.send(phone.text("SUBSCRIBE", "s1")).await;
    }
    server.until(|server| server.asked() == 2).await;
}

#[tokio::test]
async fn a_fault_in_the_handler_costs_one_request() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    phone.send(phone.text("MESSAGE", "m1")).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 500 "));
    phone.send(phone.text("OPTIONS", "o1")).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn with_too_much_work_under_way_the_answer_is_503_and_may_be_retried() {
    let limits = Limits {
        later_max: 1,
        retry_after_s: 7,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let phone = Phone::new(&server).await;
    phone.send(phone.text("REGISTER", "r1")).await;
    phone.send(phone.text("REGISTER", "r2")).await;
    let busy = phone.receive().await;
    assert!(
        busy.starts_with("SIP/2.0 503 ") && busy.contains("\r\nRetry-After: 7\r\n"),
        "{busy}"
    );
    server.desk.gate.add_permits(2);
    assert!(phone.receive().await.contains("Call-ID: c-r1\r\n"));
    // The place is free once the first answer is out; until then the retry is refused again.
    let again = timeout(DEADLINE, async {
        loop {
            phone.send(phone.text("REGISTER", "r2")).await;
            let answer = phone.receive().await;
            if !answer.starts_with("SIP/2.0 503 ") {
                return answer;
            }
        }
    });
    assert!(again.await.unwrap().starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn answers_go_where_the_phone_asked_for_them() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    // Sent from another socket than the one named in Via: without rport the answer goes there.
    let text = phone.text("OPTIONS", "o1");
    other.send_to(text.as_bytes(), server.udp).await.unwrap();
    assert!(phone.receive().await.starts_with("SIP/2.0 200 "));
    let with_rport = phone
        .text("OPTIONS", "o2")
        .replace(";branch", ";rport;branch");
    other
        .send_to(with_rport.as_bytes(), server.udp)
        .await
        .unwrap();
    let mut buffer = [0; 2_048];
    let length = timeout(DEADLINE, other.recv(&mut buffer))
        .await
        .unwrap()
        .unwrap();
    let answer = String::from_utf8_lossy(&buffer[..length]).into_owned();
    let port = other.local_addr().unwrap().port();
    assert!(answer.contains(&format!(";rport={port};")), "{answer}");
    assert!(answer.contains(";received=127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn broken_messages_are_answered_or_dropped_and_the_socket_goes_on() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    for silent in [
        "",
        "\r\n\r\n",
        "\0\0\0\0",
        "hello",
        "SIP/2.0 200 OK\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
    ] {
        phone.send(silent).await;
    }
    phone.send(phone.text("ACK", "a1")).await;
    phone
        .send(
            phone
                .text("OPTIONS", "o1")
                .replace("SIP/2.0\r\nVia", "SIP/3.0\r\nVia"),
        )
        .await;
    assert!(phone.receive().await.starts_with("SIP/2.0 505 "));
    phone
        .send(phone.text("OPTIONS", "o2").replace("sip:cm ", "tel:1001 "))
        .await;
    assert!(phone.receive().await.starts_with("SIP/2.0 416 "));
    phone
        .send(
            phone
                .text("OPTIONS", "o3")
                .replace("CSeq", "Require: 100rel, norefersub, x\r\nCSeq"),
        )
        .await;
    let answer = phone.receive().await;
    assert!(answer.starts_with("SIP/2.0 420 "), "{answer}");
    assert!(
        answer.contains("\r\nUnsupported: 100rel, x\r\n"),
        "{answer}"
    );
    assert_eq!(server.asked(), 0);
    let large = phone
        .text("OPTIONS", "o4")
        .replace("CSeq", &format!("X: {}\r\nCSeq", "x".repeat(8_000)));
    phone.send(large).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn every_torture_message_leaves_the_socket_serving() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    server.desk.gate.add_permits(100);
    for file in std::fs::read_dir("tests/data/rfc4475").unwrap() {
        phone
            .send(std::fs::read(file.unwrap().path()).unwrap())
            .await;
    }
    phone.send(phone.text("OPTIONS", "last")).await;
    while !phone.receive().await.contains("Call-ID: c-last\r\n") {}
}

#[tokio::test]
async fn a_phone_that_ignores_two_notifies_gets_a_third() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    phone.send(phone.text("OPTIONS", "o1")).await;
    phone.receive().await;
    let flow = server.last_flow();
    assert_eq!(flow.remote, phone.0.local_addr().unwrap());
    let bytes = notify(&server.outbound, &flow, "n1");
    let started = tokio::time::Instant::now();
    let (answer, ()) = tokio::join!(server.outbound.request(&flow, "n1", bytes), async {
        let first = phone.receive().await;
        assert_eq!(phone.receive().await, first);
        assert_eq!(phone.receive().await, first);
        // T1, then twice T1: RFC 3261 clause 17.1.2.2.
        assert!(started.elapsed() >= Duration::from_millis(1_500));
        // An answer to another method or branch ends nothing.
        let right = answer_to(&first, &flow);
        let text = String::from_utf8(right.clone()).unwrap();
        phone.send(text.replace("1 NOTIFY", "1 REFER")).await;
        phone.send(text.replace("z9hG4bKn1", "z9hG4bKn2")).await;
        phone.send(text.replace("200 OK", "100 Trying")).await;
        phone.send(right).await;
    });
    assert_eq!(answer.unwrap().status, Status::OK);
}

#[tokio::test]
async fn a_notify_goes_out_on_the_phones_own_connection() {
    let server = Server::start(Limits::default()).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    let port = stream.local_addr().unwrap().port();
    stream
        .write_all(request_text("OPTIONS", "TCP", port, "o1").as_bytes())
        .await
        .unwrap();
    read_message(&mut stream).await;
    let flow = server.last_flow();
    assert_eq!((flow.transport, flow.connection), (Transport::Tcp, 1_000));
    assert_eq!(flow.remote, stream.local_addr().unwrap());
    let bytes = notify(&server.outbound, &flow, "n1");
    let (answer, ()) = tokio::join!(server.outbound.request(&flow, "n1", bytes), async {
        let request = read_message(&mut stream).await;
        assert!(request.contains("Via: SIP/2.0/TCP 127.0.0.1:"), "{request}");
        stream.write_all(&answer_to(&request, &flow)).await.unwrap();
    });
    assert_eq!(answer.unwrap().status, Status::OK);
    drop(stream);
    server
        .until(|server| *server.desk.closed.lock().unwrap() == [flow])
        .await;
    assert_eq!(server.outbound.connections(), 0);
    let gone = server
        .outbound
        .request(&flow, "n2", notify(&server.outbound, &flow, "n2"))
        .await;
    assert!(matches!(gone, Err(OutboundError::FlowGone)));
}

#[tokio::test]
async fn two_requests_with_one_branch_are_not_under_way_at_once() {
    let server = Server::start(Limits::default()).await;
    let phone = Phone::new(&server).await;
    phone.send(phone.text("OPTIONS", "o1")).await;
    phone.receive().await;
    let flow = server.last_flow();
    let bytes = notify(&server.outbound, &flow, "n1");
    let first = tokio::spawn({
        let (outbound, bytes) = (server.outbound.clone(), bytes.clone());
        async move { outbound.request(&flow, "n1", bytes).await }
    });
    phone.receive().await;
    let second = server.outbound.request(&flow, "n1", bytes.clone()).await;
    assert!(matches!(second, Err(OutboundError::Busy)));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let (third, ()) = tokio::join!(server.outbound.request(&flow, "n1", bytes), async {
        let request = phone.receive().await;
        phone.send(answer_to(&request, &flow)).await;
    });
    assert!(
        third.is_ok(),
        "a dropped request frees its branch: {third:?}"
    );
}

#[tokio::test]
async fn split_pipelined_and_kept_alive_a_stream_is_understood() {
    let server = Server::start(Limits::default()).await;
    let mut stream = TcpStream::connect(server.tcp).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let first = request_text("OPTIONS", "TCP", 5060, "o1");
    let (start, end) = first.split_at(100);
    stream.write_all(start.as_bytes()).await.unwrap();
    // A ping on another connection is answered meanwhile.
    let mut other = TcpStream::connect(server.tcp).await.unwrap();
    other.write_all(b"\r\n\r\n").await.unwrap();
    let mut pong = [0; 2];
    timeout(DEADLINE, other.read_exact(&mut pong))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&pong, b"\r\n");
    let second = request_text("OPTIONS", "TCP", 5060, "o2");
    stream
        .write_all(format!("{end}{second}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    assert!(
        read_message(&mut stream)
            .await
            .contains("Call-ID: c-o1\r\n")
    );
    assert!(
        read_message(&mut stream)
            .await
            .contains("Call-ID: c-o2\r\n")
    );
    timeout(DEADLINE, stream.read_exact(&mut pong))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(&pong, b"\r\n");
    server.desk.gate.add_permits(1);
    stream
        .write_all(request_text("REGISTER", "TCP", 5060, "r1").as_bytes())
        .await
        .unwrap();
    assert!(read_message(&mut stream).await.contains("1 REGISTER"));
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_on_is_answered_and_closed() {
    let server = Server::start(Limits::default()).await;
    let whole = request_text("OPTIONS", "TCP", 5060, "o1");
    for (length, status) in [("X: y", "400"), ("l: -1", "400"), ("l: 9999999", "513")] {
        let mut stream = TcpStream::connect(server.tcp).await.unwrap();
        let text = whole.replace("Content-Length: 0", length);
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert!(
            answer.starts_with(&format!("SIP/2.0 {status} ")),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn silent_and_slow_streams_are_closed() {
    let limits = Limits {
        message_timeout: Duration::from_millis(50),
        idle_timeout: Duration::from_millis(150),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut silent = TcpStream::connect(server.tcp).await.unwrap();
    assert_closed(&mut silent).await;
    let mut slow = TcpStream::connect(server.tcp).await.unwrap();
    slow.write_all(b"OPTIONS sip:cm SIP/2.0\r\n").await.unwrap();
    assert_closed(&mut slow).await;
    let mut idle = TcpStream::connect(server.tcp).await.unwrap();
    idle.write_all(request_text("OPTIONS", "TCP", 5060, "o1").as_bytes())
        .await
        .unwrap();
    read_message(&mut idle).await;
    assert_closed(&mut idle).await;
}

#[tokio::test]
async fn a_connection_that_we_opened_outlives_the_silence_that_ends_a_phones() {
    let limits = Limits {
        idle_timeout: Duration::from_millis(150),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let pbx = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stack = Stack::new(Arc::clone(&server.desk), server.outbound.clone(), limits);
    let (connector, requests) = Connector::new();
    let (_trigger, shutdown) = shutdown::channel();
    let own_port = server.tcp.port();
    tokio::spawn(serve_outgoing(requests, own_port, stack, shutdown));
    let (flow, accepted) = tokio::join!(connector.connect(pbx.local_addr().unwrap()), pbx.accept());
    assert_eq!(flow.unwrap().local.port(), own_port);
    let (mut peer, _) = accepted.unwrap();
    let is_answered = async |stream: &mut TcpStream, branch: &str| {
        let text = request_text("OPTIONS", "TCP", 5060, branch);
        stream.write_all(text.as_bytes()).await.unwrap();
        assert!(read_message(stream).await.starts_with("SIP/2.0 200 "));
    };
    is_answered(&mut peer, "p1").await;
    // Two phones, one after the other, are silent for too long.
    for branch in ["o1", "o2"] {
        let mut idle = TcpStream::connect(server.tcp).await.unwrap();
        is_answered(&mut idle, branch).await;
        assert_closed(&mut idle).await;
    }
    is_answered(&mut peer, "p2").await;
}

#[tokio::test]
async fn one_address_cannot_take_everybodys_share() {
    let limits = Limits {
        later_per_source_max: 1,
        connections_per_source_max: 1,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut first = TcpStream::connect(server.tcp).await.unwrap();
    first.write_all(b"\r\n\r\n").await.unwrap();
    timeout(DEADLINE, first.read_u16()).await.unwrap().unwrap();
    let mut second = TcpStream::connect(server.tcp).await.unwrap();
    assert_closed(&mut second).await;
    let (phone, other) = (
        Phone::new(&server).await,
        UdpSocket::bind("127.0.0.2:0").await.unwrap(),
    );
    phone.send(phone.text("REGISTER", "r1")).await;
    phone.send(phone.text("REGISTER", "r2")).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 503 "));
    other.connect(server.udp).await.unwrap();
    let other = Phone(other);
    other.send(other.text("REGISTER", "r3")).await;
    server.desk.gate.add_permits(2);
    assert!(other.receive().await.starts_with("SIP/2.0 200 "));
}

#[tokio::test]
async fn a_connection_over_the_limit_is_closed_and_shutdown_closes_all() {
    let server = Server::start(Limits {
        connections_max: 1,
        ..Limits::default()
    })
    .await;
    let mut first = TcpStream::connect(server.tcp).await.unwrap();
    first
        .write_all(request_text("OPTIONS", "TCP", 5060, "o1").as_bytes())
        .await
        .unwrap();
    read_message(&mut first).await;
    let mut second = TcpStream::connect(server.tcp).await.unwrap();
    assert_closed(&mut second).await;
    server.trigger.request();
    assert_closed(&mut first).await;
}

#[tokio::test]
async fn an_ipv6_socket_serves_ipv4_phones_under_their_own_address() {
    let server = Server::start(Limits::default()).await;
    if !has_ipv6() {
        return;
    }
    let socket = bind_udp("[::ffff:127.0.0.1]:0".parse().unwrap(), true).unwrap();
    let port = socket.local_addr().unwrap().port();
    let stack = Stack::new(
        Arc::clone(&server.desk),
        server.outbound.clone(),
        Limits::default(),
    );
    let (_trigger, shutdown) = shutdown::channel();
    tokio::spawn(serve_udp(socket, stack, shutdown));
    let phone = Phone(UdpSocket::bind("127.0.0.1:0").await.unwrap());
    phone.0.connect(("127.0.0.1", port)).await.unwrap();
    phone.send(phone.text("OPTIONS", "o1")).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 200 "));
    let flow = server.last_flow();
    assert_eq!(flow.remote, phone.0.local_addr().unwrap());
    let bytes = notify(&server.outbound, &flow, "n1");
    let (answer, ()) = tokio::join!(server.outbound.request(&flow, "n1", bytes), async {
        let request = phone.receive().await;
        assert!(
            request.contains(&format!("Via: SIP/2.0/UDP 127.0.0.1:{port};")),
            "{request}"
        );
        phone.send(answer_to(&request, &flow)).await;
    });
    assert_eq!(answer.unwrap().status, Status::OK);
}

#[tokio::test]
async fn tls_is_a_stream_like_any_other_and_its_flow_says_so() {
    let server = Server::start(Limits::default()).await;
    let mut stream = connect_tls(&server).await;
    let port = stream.get_ref().0.local_addr().unwrap().port();
    let text = request_text("OPTIONS", "TLS", port, "o1");
    let (head, rest) = text.split_at(40);
    for part in [head, rest] {
        stream.write_all(part.as_bytes()).await.unwrap();
        stream.flush().await.unwrap();
    }
    assert!(read_message(&mut stream).await.starts_with("SIP/2.0 200 "));
    let flow = server.last_flow();
    assert_eq!(flow.transport, Transport::Tls);
    assert_eq!(flow.local, server.tls);

    // A request of ours goes out on the same connection.
    let outbound = server.outbound.clone();
    let asked = tokio::spawn(async move {
        let request = notify(&outbound, &flow, "n1");
        outbound.request(&flow, "n1", request).await
    });
    let request = read_message(&mut stream).await;
    assert!(request.contains("\r\nVia: SIP/2.0/TLS "), "{request}");
    let answer = answer_to(&request, &flow);
    stream.write_all(&answer).await.unwrap();
    stream.flush().await.unwrap();
    assert_eq!(asked.await.unwrap().unwrap().status, Status::OK);
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let limits = Limits {
        handshake_timeout: Duration::from_millis(50),
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let mut silent = TcpStream::connect(server.tls).await.unwrap();
    assert_closed(&mut silent).await;
    let mut plain = TcpStream::connect(server.tls).await.unwrap();
    let text = request_text("OPTIONS", "TCP", 5060, "o1");
    plain.write_all(text.as_bytes()).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(DEADLINE, plain.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(
        !rest.starts_with(b"SIP"),
        "no SIP in the clear on the TLS port"
    );
    assert_eq!(server.asked(), 0);
}

#[tokio::test]
async fn one_address_cannot_take_every_handshake() {
    let limits = Limits {
        handshakes_per_source_max: 1,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let _waits = TcpStream::connect(server.tls).await.unwrap();
    // The first holds its address's only place, so the second is closed at once.
    let mut second = TcpStream::connect(server.tls).await.unwrap();
    assert_closed(&mut second).await;
}

#[tokio::test]
async fn connections_are_counted_over_all_listeners() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let stream = connect_tls(&server).await;
    let mut further = TcpStream::connect(server.tcp).await.unwrap();
    assert_closed(&mut further).await;
    drop(stream);
}

#[tokio::test]
async fn over_its_rate_an_address_gets_503_then_silence_and_its_emergency_call_goes_through() {
    let limits = Limits {
        requests_per_source_s: 1,
        retry_after_s: 7,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let phone = Phone::new(&server).await;
    for number in 0..200 {
        phone
            .send(phone.text("OPTIONS", &format!("f{number}")))
            .await;
    }
    // Sent after the flood, answered after it: what came before is decided by then.
    let call = phone.text("UPDATE", "e1").replace("sip:cm ", "sip:112@cm ");
    phone.send(&call).await;
    let (mut granted, mut refused) = (0, 0);
    loop {
        let answer = phone.receive().await;
        if answer.contains("CSeq: 1 UPDATE\r\n") {
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            break;
        }
        if answer.starts_with("SIP/2.0 503 ") {
            assert!(answer.contains("\r\nRetry-After: 7\r\n"), "{answer}");
            refused += 1;
        } else {
            assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
            granted += 1;
        }
    }
    // 10 at once and 40 refusals at once, and what a slow machine's seconds add.
    assert!((10..100).contains(&granted), "{granted}");
    assert!((40..190).contains(&refused), "{refused}");
    assert!(granted + refused < 200, "{granted} and {refused}");
    assert_eq!(server.asked(), granted + 1);
}

#[tokio::test]
async fn an_emergency_call_does_not_wait_for_a_place() {
    let limits = Limits {
        later_max: 0,
        ..Limits::default()
    };
    let server = Server::start(limits).await;
    let phone = Phone::new(&server).await;
    phone.send(phone.text("REGISTER", "r1")).await;
    assert!(phone.receive().await.starts_with("SIP/2.0 503 "));
    let call = phone
        .text("REGISTER", "r2")
        .replace("sip:cm ", "sip:112@cm ");
    phone.send(call).await;
    server.desk.gate.add_permits(1);
    assert!(phone.receive().await.starts_with("SIP/2.0 200 "));
}
