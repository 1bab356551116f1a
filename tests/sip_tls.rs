//! SIP over TLS: the same registrar, on a connection that the phone can trust.

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crate::common::Database;
use crate::common::SipPhone;
use crate::common::TestServer;
use crate::common::for_each_database;
use crate::common::tls_client;
use selfprov::domain::registration::Transport;
use selfprov::domain::time::UnixMillis;
use selfprov::server::tls::CertificateFiles;
use selfprov::server::tls::ServerCertificate;
use tokio::net::TcpStream;

const MAC: &str = "0011AABBCC01";

fn certificate(server: &TestServer) -> std::path::PathBuf {
    server.test.database.folder().join("https-certificate.pem")
}

#[tokio::test]
async fn a_phone_registers_over_tls_and_is_notified_on_its_own_connection() {
    for_each_database(|database| async move {
        let server = TestServer::start(&database).await;
        let app = &server.test.app;
        let mut phone = SipPhone::tls(server.sip_tls, MAC, &certificate(&server)).await;
        let reply = phone.register(120).await;
        assert_eq!(reply.status(), 200, "{}", reply.text);
        assert!(reply.header("Via").starts_with("SIP/2.0/TLS "));
        let name = format!("SEP{MAC}").parse().unwrap();
        let binding = app.locations.of_device(&name)[0].clone();
        assert_eq!(binding.flow().transport, Transport::Tls);
        assert_eq!(binding.flow().remote, phone.local);

        server.test.clock.advance(Duration::from_secs(1));
        let notify = phone.expect("NOTIFY").await;
        assert!(notify.header("Via").starts_with("SIP/2.0/TLS "));
        let contact = format!("<sip:{};transport=tls>", server.sip_tls);
        assert_eq!(notify.header("Contact"), contact);
        phone.answer(&notify, "200 OK").await;

        // Another node, or this one after a restart, knows it by its transport.
        let again = crate::common::TestApp::builder().start(&database).await;
        let stored = again.app.locations.of_device(&name)[0].clone();
        assert_eq!(stored.flow().transport, Transport::Tls);
    })
    .await;
}

/// `openssl s_client` on the registrar's TLS port.
struct OpenSsl(Child);

impl OpenSsl {
    fn connect(server: SocketAddr, ca_file: &Path, arguments: &[&str]) -> Self {
        let child = Command::new("openssl")
            .args(["s_client", "-quiet", "-verify_return_error"])
            .args(["-connect", &server.to_string(), "-CAfile"])
            .arg(ca_file)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need openssl");
        Self(child)
    }

    fn ask(&mut self, request: &str) -> String {
        let stdin = self.0.stdin.as_mut().unwrap();
        stdin.write_all(request.as_bytes()).unwrap();
        stdin.flush().unwrap();
        let stdout = self.0.stdout.as_mut().unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            let read = stdout.read(&mut byte).unwrap();
            assert!(read > 0, "closed: {}", String::from_utf8_lossy(&answer));
            answer.push(byte[0]);
        }
        String::from_utf8(answer).unwrap()
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn register_text(port: u16, cseq: u32) -> String {
    format!(
        "REGISTER sip:127.0.0.1 SIP/2.0\r\n\
         Via: SIP/2.0/TLS 127.0.0.1:{port};branch=z9hG4bKossl{cseq}\r\n\
         From: <sip:AUTO-REG@127.0.0.1>;tag=a1\r\nTo: <sip:AUTO-REG@127.0.0.1>\r\n\
         Call-ID: ossl-1@127.0.0.1\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n\
         Contact: <sip:AUTO-REG@127.0.0.1:{port};transport=tls>;\
         +sip.instance=\"<urn:uuid:00000000-0000-0000-0000-0011aabbcc01>\";\
         +u.sip!devicename.ccm.cisco.com=\"SEP{MAC}\";+u.sip!model.ccm.cisco.com=\"622\"\r\n\
         Expires: 120\r\nContent-Length: 0\r\n\r\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_registers_a_phone_with_each_version_of_tls_and_trusts_the_certificate() {
    let server = TestServer::start(&Database::sqlite()).await;
    let (address, ca_file) = (server.sip_tls, certificate(&server));
    let asked = tokio::task::spawn_blocking(move || {
        let mut expected = vec![];
        for (cseq, version) in [(1, "-tls1_3"), (2, "-tls1_2")] {
            let mut client = OpenSsl::connect(address, &ca_file, &[version]);
            let answer = client.ask(&register_text(5061, cseq));
            assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
            assert!(answer.contains(&format!("CSeq: {cseq} REGISTER\r\n")));
            expected.push(answer.contains(";x-cisco-newreg"));
        }
        expected
    });
    assert_eq!(asked.await.unwrap(), [true, false]);
    assert_eq!(server.test.app.phones.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_below_1_2_are_refused() {
    let server = TestServer::start(&Database::sqlite()).await;
    let (address, ca_file) = (server.sip_tls, certificate(&server));
    let status = tokio::task::spawn_blocking(move || {
        let arguments = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
        let mut client = OpenSsl::connect(address, &ca_file, &arguments);
        drop(client.0.stdin.take());
        client.0.wait().unwrap()
    });
    assert!(!status.await.unwrap().success());
}

#[tokio::test]
async fn a_new_certificate_serves_the_next_connection_and_old_ones_go_on() {
    let server = TestServer::start(&Database::sqlite()).await;
    let ca_file = certificate(&server);
    let mut phone = SipPhone::tls(server.sip_tls, MAC, &ca_file).await;
    assert_eq!(phone.register(120).await.status(), 200);

    // Another pair takes the place of the files, as an administrator's renewal does.
    let elsewhere = tempfile::tempdir().unwrap();
    let now = UnixMillis(jiff::Timestamp::now().as_millisecond());
    let renewed = CertificateFiles::in_data_dir(elsewhere.path());
    let names = ["127.0.0.1".to_owned()];
    ServerCertificate::load_or_make(renewed.clone(), &names, now).unwrap();
    let served = &server.handset.certificate;
    std::fs::copy(&renewed.private_key, &served.files().private_key).unwrap();
    let trusts_old = tls_client(&ca_file);
    std::fs::copy(&renewed.certificate, &ca_file).unwrap();
    assert!(served.reload(now).unwrap());

    let stream = TcpStream::connect(server.sip_tls).await.unwrap();
    let refused = trusts_old.connect(server.sip_tls.ip().into(), stream).await;
    assert!(refused.is_err(), "it shows the new certificate");
    let mut other = SipPhone::tls(server.sip_tls, "0011AABBCC02", &ca_file).await;
    assert_eq!(other.register(120).await.status(), 200);
    assert_eq!(phone.register(120).await.status(), 200);
}
