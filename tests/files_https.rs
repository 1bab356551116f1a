//! Files over HTTPS (6971), fetched by `curl`, and what HTTP promises there.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use crate::common::Answer;
use crate::common::CISCO_7841;
use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestPhone;
use crate::common::TestServer;

use crate::program::Serve;
use selfprov::domain::history::TimelineEvent;
use selfprov::service::phone_files::file_fetched;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the phone of these tests registered.
const HOME: &str = "127.0.0.1";
const STRANGER: &str = "127.0.9.9";

/// A server with an auto-registered 7841.
async fn server_with_phone() -> (TestServer, TestPhone) {
    let test = TestApp::start(&Database::sqlite()).await;
    let phone = TestPhone::number(1).at(HOME);
    test.auto_register_model(&phone, Some(CISCO_7841)).await;
    (TestServer::start_with(test).await, phone)
}

/// A server with a firmware file of 300,000 bytes.
async fn server_with_firmware(folder: &Path) -> (TestServer, Vec<u8>) {
    let firmware: Vec<u8> = (0..=250).cycle().take(300_000).collect();
    std::fs::write(folder.join("sip78xx.loads"), &firmware).unwrap();
    let test = TestApp::start(&Database::sqlite()).await;
    let server = TestServer::start_with_firmware(test, Some(folder)).await;
    (server, firmware)
}

async fn https(server: &TestServer, name: &str, more: &[&str]) -> Answer {
    let url = format!("https://{}/{name}", server.files_https);
    server.handset.run(&url, more).await
}

async fn http(server: &TestServer, name: &str) -> Answer {
    let url = format!("http://{}/{name}", server.files_http);
    server.handset.run(&url, &[]).await
}

/// The code of the error that TFTP answers with.
async fn tftp_error(server: &TestServer, name: &str) -> u8 {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = format!("\0\x01{name}\0octet\0");
    socket
        .send_to(request.as_bytes(), server.tftp)
        .await
        .unwrap();
    let mut bytes = [0; 600];
    let received = timeout(DEADLINE, socket.recv_from(&mut bytes)).await;
    received.expect("an answer").unwrap();
    assert_eq!(bytes[..3], [0, 5, 0], "{name}");
    bytes[3]
}

#[tokio::test]
async fn a_signed_name_gets_the_unsigned_file_over_https_and_nothing_elsewhere() {
    let (server, phone) = server_with_phone().await;
    let app = &server.test.app;
    let plain = format!("{}.cnf.xml", phone.name);
    let sealed = app.phones.find(&phone.name).unwrap();
    let sealed = sealed.phone.digest.sealed_secret.clone().unwrap();
    let secret = app.keys.open_secret(&sealed).unwrap();

    let signed = https(&server, &format!("{plain}.sgn"), &[]).await;
    assert_eq!(signed.status, 200);
    assert!(signed.body.starts_with("<?xml "), "{}", signed.body);
    assert!(signed.body.contains(secret.reveal()), "it is the phone's");
    for same in [
        https(&server, &plain, &[]).await,
        http(&server, &plain).await,
        https(&server, &format!("{}.SGN", plain.to_lowercase()), &[]).await,
    ] {
        assert_eq!((same.status, &same.body), (200, &signed.body));
    }
    for name in [format!("{plain}.sgn"), format!("{plain}.enc.sgn")] {
        assert_eq!(http(&server, &name).await.status, 404, "{name}");
        assert_eq!(tftp_error(&server, &name).await, 1, "{name}");
    }
    let encrypted = https(&server, &format!("{plain}.enc.sgn"), &[]).await;
    assert_eq!(encrypted.status, 404);

    let start = Instant::now();
    while file_fetched::write_waiting(app).await.unwrap() == 0 {
        assert!(start.elapsed() < DEADLINE, "no note came");
        tokio::task::yield_now().await;
    }
    let rows = server.test.timeline(&phone).await;
    let served = |row: &&_| {
        let row: &selfprov::domain::history::TimelineEntry = row;
        row.event == TimelineEvent::FileServed
    };
    let served = rows.iter().find(served).unwrap();
    assert!(served.detail.contains("by HTTPS"), "{}", served.detail);
}

#[tokio::test]
async fn over_https_a_stranger_gets_the_file_without_its_secret_and_an_unknown_phone_one_too() {
    let (server, phone) = server_with_phone().await;
    for name in [
        format!("{}.cnf.xml.sgn", phone.name),
        "SEPFFFFFFFFFFFF.cnf.xml.sgn".to_owned(),
    ] {
        let answer = https(&server, &name, &["--interface", STRANGER]).await;
        assert_eq!(answer.status, 200, "{name}");
        assert!(answer.body.contains("<authPassword></authPassword>"));
    }
}

/// A server with a firmware file, fetched over HTTPS.
struct Firmware {
    server: TestServer,
    bytes: Vec<u8>,
    folder: TempDir,
}

impl Firmware {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, bytes) = server_with_firmware(folder.path()).await;
        Self {
            server,
            bytes,
            folder,
        }
    }

    /// The answer to `curl` with these options, and its body.
    async fn get(&self, more: &[&str]) -> (Answer, Vec<u8>) {
        let url = format!("https://{}/sip78xx.loads", self.server.files_https);
        let output = self.folder.path().join("body").display().to_string();
        let more = [&["--output", &output, "--dump-header", "-"], more].concat();
        // With its body in a file, curl prints the header fields twice: once for --include.
        let answer = self.server.handset.run(&url, &more).await;
        let bytes = std::fs::read(&output).unwrap_or_default();
        let head = memchr::memmem::find(&bytes, b"\r\n\r\n");
        let body = head.map_or_else(Vec::new, |head| bytes[head + 4..].to_vec());
        (answer, body)
    }
}

#[tokio::test]
async fn conditions_and_ranges_hold_over_tls() {
    let file = Firmware::start().await;
    let (head, _) = file.get(&["--head"]).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-length"), Some("300000"));
    assert_eq!(head.header("accept-ranges"), Some("bytes"));
    let tag = head.header("etag").unwrap().to_owned();
    let (head, _) = file.get(&["--head", "--range", "0-9"]).await;
    assert_eq!(head.header("content-length"), Some("300000"), "GET alone");

    for known in [&tag, "*", &format!("\"x\", W/{tag}")] {
        let condition = format!("If-None-Match: {known}");
        let (answer, _) = file.get(&["--header", &condition]).await;
        assert_eq!(answer.status, 304, "{known}");
        assert_eq!(answer.header("etag"), Some(tag.as_str()));
    }
    for (range, expected, content_range) in [
        (
            "1000-1999",
            &file.bytes[1_000..2_000],
            "bytes 1000-1999/300000",
        ),
        (
            "299990-",
            &file.bytes[299_990..],
            "bytes 299990-299999/300000",
        ),
        ("-5", &file.bytes[299_995..], "bytes 299995-299999/300000"),
        ("0-99999999", &file.bytes[..], "bytes 0-299999/300000"),
    ] {
        let (answer, body) = file.get(&["--range", range]).await;
        assert_eq!(answer.status, 206, "{range}");
        assert_eq!(answer.header("content-range"), Some(content_range));
        assert!(body == *expected, "{range}");
    }
    let (answer, _) = file.get(&["--range", "300000-"]).await;
    assert_eq!(answer.status, 416);
    assert_eq!(answer.header("content-range"), Some("bytes */300000"));
    let (answer, body) = file.get(&["--range", "9-1"]).await;
    assert_eq!((answer.status, body.len()), (200, 300_000));

    let if_range = format!("If-Range: {tag}");
    let (answer, body) = file.get(&["--range", "0-9", "--header", &if_range]).await;
    assert_eq!((answer.status, body.len()), (206, 10));
    let (answer, body) = file
        .get(&["--range", "0-9", "--header", "If-Range: \"old\""])
        .await;
    assert_eq!((answer.status, body.len()), (200, 300_000));
}

#[tokio::test]
async fn several_ranges_come_as_the_parts_of_one_answer_over_tls() {
    let file = Firmware::start().await;
    let (answer, body) = file.get(&["--range", "70000-140000,-3,0-1"]).await;
    assert_eq!(answer.status, 206);
    let media_type = answer.header("content-type").unwrap();
    let boundary = media_type
        .strip_prefix("multipart/byteranges; boundary=")
        .unwrap();
    assert_eq!(
        answer.header("content-length"),
        Some(body.len().to_string().as_str())
    );
    let mut expected = Vec::new();
    for (range, part) in [
        ("70000-140000", &file.bytes[70_000..=140_000]),
        ("299997-299999", &file.bytes[299_997..]),
        ("0-1", &file.bytes[..2]),
    ] {
        expected.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Type: application/octet-stream\r\n\
                 Content-Range: bytes {range}/300000\r\n\r\n"
            )
            .as_bytes(),
        );
        expected.extend_from_slice(part);
        expected.extend_from_slice(b"\r\n");
    }
    expected.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    assert!(body == expected);
}

/// Three requests sent at once, the last of which ends the connection.
fn pipelined(names: [&str; 3]) -> String {
    let close = ["", "", "Connection: close\r\n"];
    let mut requests = String::new();
    for (name, close) in names.iter().zip(close) {
        write!(requests, "GET /{name} HTTP/1.1\r\nHost: x\r\n{close}\r\n").unwrap();
    }
    requests
}

/// The statuses of answers in the order they came, and what the bodies begin with.
fn assert_answers_in_order(answers: &str) {
    let statuses: Vec<&str> = answers
        .match_indices("HTTP/1.1 ")
        .map(|(at, _)| &answers[at + 9..at + 12])
        .collect();
    assert_eq!(statuses, ["200", "404", "200"], "{answers}");
    let first = answers.find("<dialTemplate>").expect("the first file");
    let last = answers.find("<autoRegistrationName>").expect("the last");
    assert!(first < last, "{answers}");
}

#[tokio::test]
async fn connections_are_kept_and_requests_may_be_sent_ahead_over_both_doors() {
    let (server, _) = server_with_phone().await;
    let names = ["dialplan.xml", "absent.loads", "XMLDefault.cnf.xml"];
    let url = format!("https://{}/dialplan.xml", server.files_https);
    let twice = [
        "--write-out",
        "%{num_connects};",
        "--next",
        "--insecure",
        "--write-out",
        "%{num_connects};",
        &url,
    ];
    let kept = server.handset.run(&url, &twice).await;
    assert!(kept.body.contains("1;"), "{}", kept.body);
    assert!(kept.body.trim_end().ends_with("0;"), "{}", kept.body);

    let mut stream = TcpStream::connect(server.files_http).await.unwrap();
    stream.write_all(pipelined(names).as_bytes()).await.unwrap();
    let mut answers = String::new();
    let read = timeout(DEADLINE, stream.read_to_string(&mut answers)).await;
    read.expect("the connection ends").unwrap();
    assert_answers_in_order(&answers);

    let address = server.files_https.to_string();
    let answers = tokio::task::spawn_blocking(move || {
        let mut client = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &address])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need openssl");
        let mut input = client.stdin.take().unwrap();
        input.write_all(pipelined(names).as_bytes()).unwrap();
        let output = client.wait_with_output().unwrap();
        drop(input);
        String::from_utf8(output.stdout).unwrap()
    });
    assert_answers_in_order(&timeout(DEADLINE, answers).await.unwrap().unwrap());
}

/// The public key of the certificate that a server shows, as openssl says it.
fn key_of(address: &str) -> String {
    let script = format!(
        "openssl s_client -connect {address} </dev/null 2>/dev/null \
         | openssl x509 -noout -text | grep 'Public Key Algorithm'"
    );
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn with_an_rsa_certificate_the_door_shows_one_of_its_own_on_an_elliptic_curve_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (certificate, key) = (at("rsa.pem"), at("rsa-key.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-out",
            &certificate,
            "-keyout",
            &key,
        ])
        .output()
        .expect("these tests need openssl");
    assert!(made.status.success());
    let data_dir = folder.path().join("data");
    let settings = [
        format!("tls.certificate_file={certificate}"),
        format!("tls.key_file={key}"),
    ];
    let mut shown = Vec::new();
    for _ in 0..2 {
        let serve = Serve::start_with(&data_dir, &settings);
        let said = serve.row("files, HTTPS");
        assert!(said.contains("files-https-certificate.pem"), "{said}");
        assert!(said.contains("RSA"), "{said}");
        let doors = serve.row("files").to_owned();
        let files = doors.split("https://").nth(1).unwrap();
        let files = files.split(' ').next().unwrap();
        assert_eq!(key_of(files), "Public Key Algorithm: id-ecPublicKey");
        let handset = serve.row("handset").trim_start_matches("https://");
        assert_eq!(key_of(handset), "Public Key Algorithm: rsaEncryption");
        shown.push(std::fs::read(data_dir.join("files-https-certificate.pem")).unwrap());
        let trusting = Command::new("curl")
            .args(["--silent", "--max-time", "30", "--noproxy", "*", "--cacert"])
            .arg(data_dir.join("files-https-certificate.pem"))
            .arg(format!("https://{files}/dialplan.xml"))
            .output()
            .expect("these tests need curl");
        assert!(trusting.status.success(), "{trusting:?}");
    }
    assert_eq!(shown[0], shown[1], "it is kept over a restart");
    let doctor: Vec<String> = ["doctor".to_owned()]
        .into_iter()
        .chain(
            settings
                .into_iter()
                .chain(free_ports())
                .flat_map(|setting| ["--set".to_owned(), setting]),
        )
        .collect();
    let doctor: Vec<&str> = doctor.iter().map(String::as_str).collect();
    let found = crate::program::done(&data_dir, &doctor);
    assert!(
        found.contains("the configured certificate is RSA"),
        "{found}"
    );
    assert!(found.contains("files-https-certificate.pem"), "{found}");
}

fn free_ports() -> impl Iterator<Item = String> {
    crate::program::PORTS
        .into_iter()
        .map(|port| format!("listen.{port}=0"))
}

/// Status of the answer to these bytes over the plain door, and what follows its head.
async fn answered(server: &TestServer, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.files_http).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = timeout(DEADLINE, stream.read_to_string(&mut answer)).await;
    read.expect("the connection is closed").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].to_owned(), body.to_owned())
}

/// Source: RFC 9112 clause 3.2 (exactly one Host), RFC 9110 clause 13.1.1 (If-Match).
#[tokio::test]
async fn a_request_without_host_or_with_two_is_refused_and_if_match_is_heeded() {
    let (server, _) = server_with_phone().await;
    let of = async |version: &str, fields: &str| {
        let request = format!("GET /dialplan.xml {version}\r\n{fields}Connection: close\r\n\r\n");
        answered(&server, &request).await.0
    };
    assert_eq!(of("HTTP/1.1", "Host: x\r\n").await, "200");
    assert_eq!(of("HTTP/1.0", "").await, "200", "there it is not asked for");
    for hosts in ["", "Host: x\r\nHost: x\r\n", "Host: a b\r\n"] {
        assert_eq!(of("HTTP/1.1", hosts).await, "400", "{hosts:?}");
    }
    assert_eq!(of("HTTP/1.0", "Host: x\r\nHost: y\r\n").await, "400");

    let url = format!("http://{}/dialplan.xml", server.files_http);
    let whole = server.handset.run(&url, &[]).await;
    let tag = whole.header("etag").unwrap();
    for (fields, status) in [
        ("If-Match: \"x\"\r\n".to_owned(), "412"),
        (format!("If-Match: W/{tag}\r\n"), "412"),
        (format!("If-Match: \"x\", {tag}\r\n"), "200"),
        ("If-Match: *\r\n".to_owned(), "200"),
        (
            format!("If-Match: {tag}\r\nIf-None-Match: {tag}\r\n"),
            "304",
        ),
        (
            format!("If-Match: \"x\"\r\nIf-None-Match: {tag}\r\n"),
            "412",
        ),
    ] {
        let all = format!("Host: x\r\n{fields}");
        assert_eq!(of("HTTP/1.1", &all).await, status, "{fields}");
    }
    let absent = "GET /absent.bin HTTP/1.1\r\nHost: x\r\nIf-Match: \"x\"\r\n\
                  Connection: close\r\n\r\n";
    assert_eq!(answered(&server, absent).await.0, "404");

    let no_slash = "GET exact8.bin HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (status, said) = answered(&server, no_slash).await;
    assert_eq!(status, "400");
    assert!(!said.contains("empty"), "{said}");
}
