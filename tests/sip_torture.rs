//! Odd, broken and hostile SIP sent to the running registrar over UDP, TCP and TLS.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::common::Database;
use crate::common::HandsetDoor;
use crate::common::SipPhone;
use crate::common::TestApp;
use crate::common::TestServer;
use crate::common::has_ipv6;
use crate::common::tls_client;
use selfprov::server::shutdown;
use selfprov::server::sip::door;
use selfprov::server::sip::door::SipSockets;
use selfprov::server::sip::transport::bind_udp;
use tokio::io::AsyncRead;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWrite;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Longest wait for an answer that must come.
const DEADLINE: Duration = Duration::from_secs(20);

/// No answer.
const DROPPED: &[u16] = &[];
/// 400.
const BAD: &[u16] = &[400];
/// A call of somebody who is not registered here: asked who it is.
const CALL: &[u16] = &[407];
/// A request within a dialog that is not here.
const NO_DIALOG: &[u16] = &[481];
/// The registration of somebody whom nobody knows: refused, or asked who it is.
const UNKNOWN: &[u16] = &[401, 404];

/// A message, the statuses it may get over UDP, and those over a stream where that differs.
type Expected = (&'static str, &'static [u16], Option<&'static [u16]>);

/// Every message of RFC 4475: what it gets over UDP, and over a stream where that differs. Over a
/// stream a message without Content-Length cannot be framed (`inv2543`), and one whose body is
/// shorter than it says or whose head does not end (`baddn`) is never complete.
const RFC_4475: [Expected; 49] = [
    // 3.1.1 Valid messages.
    ("wsinv", NO_DIALOG, None),
    ("intmeth", &[501], None),
    ("esc01", CALL, None),
    // Valid as SIP, but its user parts have %00: refused, because an address of record with a NUL
    // ends early for whoever reads it as C does.
    ("escnull", BAD, None),
    ("esc02", &[501], None),
    ("lwsdisp", &[200], None),
    ("longreq", CALL, None),
    ("dblreq", UNKNOWN, Some(&[401, 404, 407])),
    ("semiuri", &[200], None),
    ("transports", &[200], None),
    ("mpart01", &[405], None),
    ("unreason", DROPPED, None),
    ("noreason", DROPPED, None),
    // 3.1.2 Invalid messages.
    ("badinv01", BAD, None),
    ("clerr", BAD, Some(DROPPED)),
    ("ncl", BAD, None),
    ("scalar02", BAD, None),
    ("scalarlg", DROPPED, None),
    ("quotbal", BAD, None),
    ("ltgtruri", BAD, None),
    ("lwsruri", BAD, None),
    ("lwsstart", BAD, None),
    ("trws", BAD, None),
    ("escruri", BAD, None),
    ("baddate", BAD, None),
    ("regbadct", BAD, None),
    ("badaspec", BAD, None),
    ("baddn", BAD, Some(DROPPED)),
    ("badvers", &[505], None),
    ("mismatch01", BAD, None),
    ("mismatch02", BAD, None),
    ("bigcode", DROPPED, None),
    // 3.2 Transaction layer.
    ("badbranch", &[200], None),
    // 3.3 Application layer.
    ("insuf", BAD, None),
    ("unkscm", &[416], None),
    ("novelsc", &[416], None),
    ("unksm2", BAD, None),
    ("bext01", &[420], None),
    // A body that only the other end can judge: 415 is its to say, and who calls is asked first
    // who it is. Source: RFC 4475 clause 3.3.5, for a proxy.
    ("invut", CALL, None),
    ("regaut01", UNKNOWN, None),
    ("multi01", BAD, None),
    ("mcl01", BAD, None),
    ("bcast", DROPPED, None),
    ("zeromf", &[200, 483], None),
    ("cparam01", UNKNOWN, None),
    ("cparam02", UNKNOWN, None),
    ("regescrt", UNKNOWN, None),
    ("sdp01", CALL, None),
    // 3.4 Backward compatibility.
    ("inv2543", CALL, Some(BAD)),
];

fn file(folder: &str, name: &str) -> Vec<u8> {
    let path = format!("tests/data/{folder}/{name}");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The port in the topmost Via, to which answers over UDP go.
fn via_port(message: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(message).replace("\r\n ", " ");
    let via = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        ["via", "v"]
            .contains(&name.trim().to_lowercase().as_str())
            .then_some(value)
    });
    let sent_by = via.and_then(|via| via.split([';', ',']).next()?.split_whitespace().last());
    let port = sent_by.and_then(|sent_by| sent_by.rsplit_once(':')?.1.parse().ok());
    port.unwrap_or(5060)
}

/// The message with `rport` in its first Via, for where the port of the Via cannot be had.
fn with_rport(message: &[u8]) -> Vec<u8> {
    let at = message.windows(7).position(|window| window == b";branch");
    let at = at.unwrap_or(0);
    [&message[..at], b";rport", &message[at..]].concat()
}

fn status(answer: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(answer);
    text.split(' ')
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(0)
}

/// An OPTIONS request, whose answer shows that what was sent before has been looked at.
fn sentinel(transport: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!(
        "OPTIONS sip:cm SIP/2.0\r\nVia: SIP/2.0/{transport} host;rport;branch=z9hG4bKs{number}\r\n\
         From: <sip:s@cm>;tag=s\r\nTo: <sip:cm>\r\nCall-ID: sentinel\r\nCSeq: 1 OPTIONS\r\n\
         Content-Length: 0\r\n\r\n"
    )
}

fn is_sentinel(answer: &[u8]) -> bool {
    String::from_utf8_lossy(answer).contains("Call-ID: sentinel\r\n")
}

/// A loopback address that no other test has at this time.
fn own_address() -> IpAddr {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed) + std::process::id() * 512;
    Ipv4Addr::from_bits(0x7f40_0000 | (number & 0x001f_ffff)).into()
}

/// Sends a datagram and gives the statuses it gets: all there are until the next request is
/// answered, and at least one if an answer is expected.
async fn over_udp(server: SocketAddr, message: &[u8], expects_answer: bool) -> Vec<u16> {
    let own = (own_address(), via_port(message));
    let (socket, message) = match UdpSocket::bind(own).await {
        Ok(socket) if server.is_ipv4() => (socket, message.to_vec()),
        _ if server.is_ipv4() => {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            (socket, with_rport(message))
        }
        _ => {
            let socket = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
            (socket, with_rport(message))
        }
    };
    socket.send_to(&message, server).await.unwrap();
    socket
        .send_to(sentinel("UDP").as_bytes(), server)
        .await
        .unwrap();
    let mut buffer = vec![0; 65_536];
    let (mut statuses, mut seen_sentinel) = (Vec::new(), false);
    while !seen_sentinel || (expects_answer && statuses.is_empty()) {
        let received = timeout(DEADLINE, socket.recv(&mut buffer)).await;
        let Ok(received) = received else {
            break;
        };
        let answer = &buffer[..received.unwrap()];
        if is_sentinel(answer) {
            seen_sentinel = true;
        } else if status(answer) >= 200 {
            statuses.push(status(answer));
        }
    }
    assert!(seen_sentinel, "the server goes on");
    statuses
}

/// Sends a message on a stream and gives the statuses it gets until the connection ends.
async fn over_stream<S>(mut stream: S, message: &[u8], expects_answer: bool) -> Vec<u16>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(message).await.unwrap();
    stream.flush().await.unwrap();
    let mut received = Vec::new();
    while expects_answer && final_statuses(&received).is_empty() {
        let read = timeout(DEADLINE, stream.read_buf(&mut received)).await;
        if !matches!(read, Ok(Ok(1..))) {
            break;
        }
    }
    // The end of our half ends theirs, after what they still have to say.
    let _ = stream.shutdown().await;
    let _ = timeout(DEADLINE, stream.read_to_end(&mut received)).await;
    final_statuses(&received)
}

fn final_statuses(received: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(received);
    let starts = text.match_indices("SIP/2.0 ").map(|(at, _)| at);
    let starts = starts.filter(|at| *at == 0 || text[..*at].ends_with("\r\n\r\n"));
    let statuses = starts.map(|at| status(&text.as_bytes()[at..]));
    statuses.filter(|status| *status >= 200).collect()
}

async fn over_tcp(server: SocketAddr, message: &[u8], expects_answer: bool) -> Vec<u16> {
    let stream = TcpStream::connect(server).await.unwrap();
    over_stream(stream, message, expects_answer).await
}

async fn over_tls(
    server: SocketAddr,
    ca_file: &Path,
    message: &[u8],
    expects_answer: bool,
) -> Vec<u16> {
    let stream = TcpStream::connect(server).await.unwrap();
    let connector = tls_client(ca_file);
    let stream = connector.connect("127.0.0.1".try_into().unwrap(), stream);
    over_stream(stream.await.unwrap(), message, expects_answer).await
}

/// Where a registrar is reached.
struct Doors {
    udp: SocketAddr,
    tcp: SocketAddr,
    tls: SocketAddr,
    ca_file: std::path::PathBuf,
}

impl Doors {
    fn of(server: &TestServer) -> Self {
        Self {
            udp: server.sip_udp,
            tcp: server.sip_tcp,
            tls: server.sip_tls,
            ca_file: server.test.database.folder().join("https-certificate.pem"),
        }
    }

    /// What a message gets over UDP, TCP and TLS that is not what it must get.
    async fn wrong(&self, message: &[u8], udp: &[u16], stream: &[u16]) -> Vec<String> {
        let (answered, stream_answered) = (!udp.is_empty(), !stream.is_empty());
        let got = [
            ("UDP", udp, over_udp(self.udp, message, answered).await),
            (
                "TCP",
                stream,
                over_tcp(self.tcp, message, stream_answered).await,
            ),
            (
                "TLS",
                stream,
                over_tls(self.tls, &self.ca_file, message, stream_answered).await,
            ),
        ];
        let wrong = got.into_iter().filter(|(_, expected, got)| match got[..] {
            [] => !expected.is_empty(),
            [one] => !expected.contains(&one),
            // dblreq: one datagram is one message, but a stream may hold two.
            [one, two] => !(expected.len() == 3 && expected.contains(&one) && two == 407),
            _ => true,
        });
        wrong
            .map(|(transport, expected, got)| format!("{transport}: {got:?}, not {expected:?}"))
            .collect()
    }
}

#[tokio::test]
async fn every_message_of_rfc_4475_gets_what_it_must_over_udp_tcp_and_tls() {
    let server = TestServer::start(&Database::sqlite()).await;
    let doors = Doors::of(&server);
    let mut wrong = Vec::new();
    for (name, udp, stream) in RFC_4475 {
        let message = file("rfc4475", &format!("{name}.dat"));
        let found = doors.wrong(&message, udp, stream.unwrap_or(udp)).await;
        wrong.extend(
            found
                .into_iter()
                .map(|found| format!("{name} over {found}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(server.test.app.phones.len(), 0, "no message makes a device");
    assert_eq!(server.test.app.locations.len(), 0, "or a binding");
}

/// The messages of RFC 5118 clause 4, written anew from what it says of each.
const RFC_5118: [(&str, &[u16]); 12] = [
    ("4.1-reference", UNKNOWN),
    ("4.2-no-brackets", BAD),
    // Everything in the brackets is the address.
    ("4.3-port-inside", UNKNOWN),
    ("4.4-port-outside", UNKNOWN),
    // Both forms of `received` are in use.
    ("4.5-received-with-brackets", NO_DIALOG),
    ("4.5-received-without-brackets", NO_DIALOG),
    ("4.6-sdp", CALL),
    ("4.7-both-families-in-via", NO_DIALOG),
    ("4.8-both-families-in-sdp", CALL),
    ("4.9-mapped", CALL),
    // Both constructs must be tolerated.
    ("4.10-three-colons", &[200]),
    ("4.10-two-colons", &[200]),
];

#[tokio::test]
async fn every_message_of_rfc_5118_gets_what_it_must_on_ipv6_over_udp_tcp_and_tls() {
    if !has_ipv6() {
        return;
    }
    let test = TestApp::start(&Database::sqlite()).await;
    let any: SocketAddr = (Ipv6Addr::LOCALHOST, 0).into();
    let (trigger, shutdown) = shutdown::channel();
    let handset = HandsetDoor::open(&test, &shutdown).await;
    let udp = bind_udp(any, false).expect("this test needs ::1 on the loopback interface");
    let tcp = TcpListener::bind(any).await.unwrap();
    let tls = TcpListener::bind(any).await.unwrap();
    let doors = Doors {
        udp: udp.local_addr().unwrap(),
        tcp: tcp.local_addr().unwrap(),
        tls: tls.local_addr().unwrap(),
        ca_file: test.database.folder().join("https-certificate.pem"),
    };
    let tls = Some((tls, handset.certificate.sip_config().unwrap()));
    let sockets = SipSockets { udp, tcp, tls };
    tokio::spawn(door::run(test.app.clone(), sockets, shutdown));
    let mut wrong = Vec::new();
    for (name, expected) in RFC_5118 {
        let message = file("rfc5118", &format!("{name}.sip"));
        let found = doors.wrong(&message, expected, expected).await;
        let found = found.into_iter();
        wrong.extend(found.map(|found| format!("{name} over {found}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(test.app.phones.len(), 0, "no message makes a device");
    assert_eq!(test.app.locations.len(), 0, "or a binding");
    drop(trigger);
}

/// What a Cisco phone sends as its first REGISTER; `#` stands for the number of the phone.
const REGISTER: &str = "REGISTER sip:cm.example SIP/2.0\r\n\
    Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKt#\r\n\
    From: <sip:AUTO-REG@cm.example>;tag=0011aabbccdd00021f\r\n\
    To: <sip:AUTO-REG@cm.example>\r\n\
    Call-ID: 0011aabb-cc#@127.0.0.1\r\n\
    Max-Forwards: 70\r\n\
    Date: Sat, 21 Nov 2026 20:00:00 GMT\r\n\
    CSeq: 101 REGISTER\r\n\
    User-Agent: Cisco-CP7841/12.1.1\r\n\
    Contact: <sip:5c7b@127.0.0.1:49152;transport=tcp>\
    ;+sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0011aabbcc#>\"\
    ;+u.sip!devicename.ccm.cisco.com=\"SEP0011AABBCC#\"\
    ;+u.sip!model.ccm.cisco.com=\"622\"\r\n\
    Supported: replaces,join,X-cisco-service-control,X-cisco-sis-7.0.0\r\n\
    Expires: 3600\r\n\
    Content-Length: 0\r\n\r\n";

/// A registrar, and the phones that ask it over UDP, TCP and TLS in turn.
struct Desk {
    server: TestServer,
    phones: AtomicU32,
}

impl Desk {
    async fn open() -> Self {
        // All phones of a test come from one address.
        let test = TestApp::builder().settings(|settings| {
            settings.auto_registration.nat_networks = vec!["127.0.0.0/8".parse().unwrap()];
        });
        let test = test.start(&Database::sqlite()).await;
        test.add_fixture().await;
        Self {
            server: TestServer::start_with(test).await,
            phones: AtomicU32::new(0x10),
        }
    }

    /// Sends a REGISTER of a new phone on every transport; gives the answers and device names.
    async fn register(&self, message: impl AsRef<[u8]>) -> Vec<(String, String)> {
        let mut answers = Vec::new();
        for transport in 0..3 {
            let phone = self.phones.fetch_add(1, Ordering::Relaxed);
            let digits = format!("{phone:02X}");
            let pieces: Vec<_> = message.as_ref().split(|byte| *byte == b'#').collect();
            let message = pieces.join(digits.as_bytes());
            let answer = self.ask(transport, &message).await;
            answers.push((answer, format!("SEP0011AABBCC{digits}")));
        }
        answers
    }

    /// Sends a message by UDP, TCP or TLS and gives the first final answer.
    async fn ask(&self, transport: usize, message: &[u8]) -> String {
        let doors = Doors::of(&self.server);
        if transport == 0 {
            let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            socket.send_to(message, doors.udp).await.unwrap();
            let mut buffer = vec![0; 65_536];
            let received = timeout(DEADLINE, socket.recv(&mut buffer)).await;
            let length = received.expect("an answer").unwrap();
            return String::from_utf8_lossy(&buffer[..length]).into_owned();
        }
        let address = [doors.tcp, doors.tls][transport - 1];
        let stream = TcpStream::connect(address).await.unwrap();
        if transport == 1 {
            return first_answer(stream, message).await;
        }
        let connector = tls_client(&doors.ca_file);
        let name = "127.0.0.1".try_into().unwrap();
        first_answer(connector.connect(name, stream).await.unwrap(), message).await
    }

    /// Every transport's REGISTER is granted, for the address of record AUTO-REG, whose phone
    /// gets a number of the range.
    async fn is_granted(&self, message: impl AsRef<[u8]>) {
        for (answer, device) in self.register(message).await {
            assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
            let name = device.parse().unwrap();
            let bindings = self.server.test.app.locations.of_device(&name);
            assert_eq!(bindings.len(), 1, "{device}");
            assert_eq!(bindings[0].address_of_record(), "AUTO-REG");
        }
    }

    /// Every transport's REGISTER is refused with this status, and changes nothing.
    async fn is_refused(&self, message: impl AsRef<[u8]>, status: u16) {
        for (answer, device) in self.register(message).await {
            assert!(
                answer.starts_with(&format!("SIP/2.0 {status} ")),
                "{answer}"
            );
            let name = device.parse().unwrap();
            assert!(self.server.test.app.phones.find(&name).is_none());
        }
    }
}

async fn first_answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, message: &[u8]) -> String {
    stream.write_all(message).await.unwrap();
    stream.flush().await.unwrap();
    let mut received = Vec::new();
    while !received.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = timeout(DEADLINE, stream.read_buf(&mut received)).await;
        assert!(read.expect("an answer").unwrap() > 0, "closed");
    }
    String::from_utf8_lossy(&received).into_owned()
}

fn replaced(old: &str, new: &str) -> String {
    assert!(REGISTER.contains(old), "{old}");
    REGISTER.replace(old, new)
}

#[tokio::test]
async fn odd_spellings_register_as_the_plain_one() {
    let desk = Desk::open().await;
    for message in [
        REGISTER.to_owned(),
        replaced("Call-ID: ", "Call-ID:\r\n\t "),
        replaced("From: ", "f: ").replace("Contact: ", "m:"),
        replaced("Call-ID: ", "cAlL-iD: "),
        replaced("To: ", "To  : "),
        replaced("Via: SIP/2.0/UDP", "Via: SIP / 2.0 / UDP"),
        replaced(
            "\r\nFrom",
            ", SIP/2.0/UDP proxy.example;branch=z9hG4bKp\r\nFrom",
        ),
    ] {
        desk.is_granted(message).await;
    }
}

#[tokio::test]
async fn a_quoted_display_name_is_never_the_address_of_record() {
    let desk = Desk::open().await;
    let message = replaced("To: <", "To: \"A \\\"q\\\" ; <sip:x@y>, y\" <");
    desk.is_granted(message).await;
}

#[tokio::test]
async fn a_latin_1_display_name_is_accepted() {
    let desk = Desk::open().await;
    let mut message = replaced("From: <", "From: \"J?rg\" <").into_bytes();
    let question = message.iter().position(|byte| *byte == b'?').unwrap();
    message[question] = 0xfc;
    desk.is_granted(message).await;
}

#[tokio::test]
async fn lines_that_end_in_lf_only_are_accepted() {
    let desk = Desk::open().await;
    desk.is_granted(REGISTER.replace("\r\n", "\n")).await;
}

#[tokio::test]
async fn a_message_of_15_kb_is_accepted_and_one_over_the_limit_is_told_so() {
    let desk = Desk::open().await;
    let with_body = |bytes: usize| {
        let length = format!("Content-Length: {bytes}\r\n\r\n{}", "x".repeat(bytes));
        replaced("Content-Length: 0\r\n\r\n", &length)
    };
    desk.is_granted(with_body(15_000)).await;
    // No datagram is that long; a stream says so before it has come.
    let answer = desk.ask(1, with_body(70_000).as_bytes()).await;
    assert!(answer.starts_with("SIP/2.0 513 "), "{answer}");
}

#[tokio::test]
async fn contact_star_takes_back_what_the_device_has_bound_and_not_what_another_has() {
    let server = TestServer::start(&Database::sqlite()).await;
    let app = &server.test.app;
    let mac = "0011AABBCC01";
    let mut phone = SipPhone::tcp(server.sip_tcp, mac).await;
    assert_eq!(phone.register(120).await.status(), 200);
    let known = app.phones.find(&phone.name.parse().unwrap()).unwrap();
    let sealed = known.phone.digest.sealed_secret.clone().unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap();
    phone.number = known.phone.lines[0].pattern.to_string();
    let user = phone.name.clone();
    let reply = phone.register_as(&user, secret.reveal(), 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    // Another phone with the same line: it has an address of record in common, and a binding of
    // its own.
    let mut twin = server.test.phone("SEP0011AABBCC02", None);
    twin.lines.clone_from(&known.phone.lines);
    for line in &mut twin.lines {
        line.contact_user = app.new_pkid();
        line.ctiid = None;
    }
    let sealed = twin.digest.sealed_secret.clone().unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap();
    server.test.put_phone(twin).await;
    let mut twin = SipPhone::udp(server.sip_udp, "0011AABBCC02").await;
    twin.number.clone_from(&phone.number);
    let name = twin.name.clone();
    let reply = twin.register_as(&name, secret.reveal(), 120).await;
    assert_eq!(reply.status(), 200, "{}", reply.text);
    assert_eq!(app.locations.len(), 2);
    let text = phone.register_text("*", 120);
    assert_eq!(phone.ask(&text).await.status(), 400, "only with Expires: 0");
    let login = phone.login.take();
    let text = phone.register_text("*", 0);
    assert_eq!(phone.ask(&text).await.status(), 401, "it names no device");
    phone.login = login;
    assert_eq!(app.locations.len(), 2);
    let text = phone.register_text("*", 0);
    assert_eq!(phone.ask(&text).await.status(), 200);
    let bound = |name: &str| app.locations.of_device(&name.parse().unwrap()).len();
    assert_eq!((bound(&user), bound(&name)), (0, 1));
    let rows = server.test.texts("SELECT device_name FROM binding").await;
    assert_eq!(rows, [name]);
}

#[tokio::test]
async fn an_address_of_record_is_read_in_its_one_spelling_and_nul_is_refused() {
    let desk = Desk::open().await;
    let with_to = |user: &str| replaced("To: <sip:AUTO-REG", &format!("To: <sip:{user}"));
    desk.is_granted(with_to("%41UTO%2DREG")).await;
    desk.is_refused(with_to("%41UTO-REG%00x"), 400).await;
}

#[tokio::test]
async fn a_contacts_transport_is_kept_byte_for_byte() {
    let desk = Desk::open().await;
    for transport in ["tcp", "udp", "TCP", "tls", "Tls"] {
        let contact = format!("<sip:5c7b@127.0.0.1:49152;transport={transport}>");
        let message = replaced("<sip:5c7b@127.0.0.1:49152;transport=tcp>", &contact);
        for (answer, device) in desk.register(message).await {
            assert!(
                answer.contains(&format!("\r\nContact: {contact};")),
                "{answer}"
            );
            let name = device.parse().unwrap();
            let binding = &desk.server.test.app.locations.of_device(&name)[0];
            assert!(
                binding.contact().starts_with(&contact),
                "{}",
                binding.contact()
            );
        }
    }
}

#[tokio::test]
async fn a_content_length_that_is_negative_or_given_twice_is_refused() {
    let desk = Desk::open().await;
    for length in [
        "Content-Length: -1",
        "Content-Length: 0\r\nContent-Length: 0",
        "Content-Length: 0\r\nl: 5",
        "Content-Length: 99999999999999999999",
    ] {
        desk.is_refused(replaced("Content-Length: 0", length), 400)
            .await;
    }
}
