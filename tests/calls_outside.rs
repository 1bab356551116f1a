//! Calls by user agents that are not ours: `sipp` (Debian package `sip-tester`) and `baresip`.

mod emergency;
mod endings;
mod provisioned;
mod sipp;

use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use crate::calls::party::SECRET;
use crate::calls::party::device;
use selfprov::service::App;
use sipp::Sipp;
use sipp::answering;
use sipp::assert_passed;
use sipp::finish;
use sipp::free_port;
use sipp::start_with;

const A: &str = "0011AABBCC0A";
const B: &str = "0011AABBCC0B";
const C: &str = "0011AABBCC0C";

/// Longest wait for a condition that must come true.
const DEADLINE: Duration = Duration::from_secs(30);

/// A port for TCP that is free now.
fn free_tcp_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_phones_call_each_other_over_udp_and_tcp() {
    let server = start_with(|_| ()).await;
    let caller = device(&server, A, "1011").await;
    let callee = device(&server, B, "1012").await;
    for (transport, to) in [("u1", server.sip_udp), ("t1", server.sip_tcp)] {
        let answers = answering(&server, "127.0.0.3", &callee, "1012").await;
        let calling = Sipp::new(&server, "127.0.0.2", "phone_calls.xml");
        let calling = calling.with("name", &caller).with("number", "1011");
        let mut calling = calling.with("dialled", "1012");
        (calling.transport, calling.server) = (transport, to);
        calling.run().await;
        assert_passed(&finish(answers).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sipp_pbx_is_called_and_calls_over_udp_and_tcp() {
    for (transport, parameter) in [("u1", ""), ("t1", ";transport=tcp")] {
        let port = free_port("127.0.0.8");
        let target = format!("sip:127.0.0.8:{port}{parameter}");
        let server =
            start_with(|settings| settings.calls.pbx = Some(target.parse().unwrap())).await;
        let phone = device(&server, A, "1011").await;
        let to = match transport {
            "u1" => server.sip_udp,
            _ => server.sip_tcp,
        };
        let mut pbx = Sipp::new(&server, "127.0.0.8", "answers.xml");
        (pbx.port, pbx.transport, pbx.server) = (port, transport, to);
        let answers = pbx.start();
        let calling = Sipp::new(&server, "127.0.0.2", "phone_calls.xml");
        let calling = calling.with("name", &phone).with("number", "1011");
        let calling = calling.with("dialled", "0301234");
        calling.run().await;
        assert_passed(&finish(answers).await);
        // In.
        let answers = answering(&server, "127.0.0.3", &phone, "1011").await;
        let pbx = pbx.plays("call_without_proof.xml");
        let pbx = pbx.with("number", "0301234").with("dialled", "1011");
        pbx.run().await;
        assert_passed(&finish(answers).await);
    }
}

/// A baresip process, driven by its control port. Ends when dropped.
struct Baresip {
    process: Child,
    control: TcpStream,
    heard: Vec<u8>,
    _folder: tempfile::TempDir,
}

impl Baresip {
    /// Registers; over TLS it trusts the certificates of `ca_file` and no other.
    fn start(
        name: &str,
        number: &str,
        registrar: SocketAddr,
        transport: &str,
        ca_file: &Path,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_tcp_port();
        let config = format!(
            "net_interface 127.0.0.1\nsip_listen 127.0.0.1:0\nmodule_path /usr/lib/baresip/modules\n\
             audio_source aubridge,loop\naudio_player aubridge,loop\naudio_alert aubridge,alert\n\
             module g711.so\nmodule aubridge.so\nmodule_tmp account.so\n\
             module_app menu.so\nmodule_app ctrl_tcp.so\nctrl_tcp_listen 127.0.0.1:{port}\n\
             sip_cafile {}\nsip_verify_server yes\n",
            ca_file.display()
        );
        let account = format!(
            "<sip:{number}@{registrar};transport={transport}>;auth_user={name};\
             auth_pass={SECRET};answermode=auto;regint=120\n"
        );
        std::fs::write(folder.path().join("config"), config).unwrap();
        std::fs::write(folder.path().join("accounts"), account).unwrap();
        let process = Command::new("baresip")
            .arg("-4")
            .arg("-f")
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("baresip is needed: apt-get install baresip-core");
        let begun = Instant::now();
        let control = loop {
            match TcpStream::connect(("127.0.0.1", port)) {
                Ok(control) => break control,
                Err(error) => assert!(begun.elapsed() < DEADLINE, "baresip: {error}"),
            }
            std::thread::yield_now();
        };
        control
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        Self {
            process,
            control,
            heard: Vec::new(),
            _folder: folder,
        }
    }

    /// Gives a command; it is a JSON object in a netstring.
    fn command(&mut self, command: &str, parameters: &str) {
        let text = format!("{{\"command\":\"{command}\",\"params\":\"{parameters}\"}}");
        let netstring = format!("{}:{text},", text.len());
        self.control.write_all(netstring.as_bytes()).unwrap();
    }

    /// Waits for an event of this type.
    fn until(&mut self, event: &str) {
        let begun = Instant::now();
        let wanted = format!("\"{event}\"");
        loop {
            let text = String::from_utf8_lossy(&self.heard).into_owned();
            if let Some(index) = text.find(&wanted) {
                self.heard.drain(..index + wanted.len());
                return;
            }
            assert!(begun.elapsed() < DEADLINE, "no {event}; heard: {text}");
            let mut piece = [0; 4_096];
            if let Ok(length) = self.control.read(&mut piece) {
                assert!(length > 0, "baresip ended; heard: {text}");
                self.heard.extend_from_slice(&piece[..length]);
            }
        }
    }
}

impl Drop for Baresip {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_baresip_phones_register_by_digest_and_talk() {
    let server = start_with(|_| ()).await;
    let app = server.test.app.clone();
    let one = device(&server, A, "1011").await;
    let two = device(&server, B, "1012").await;
    let (udp, tcp) = (server.sip_udp, server.sip_tcp);
    let ca_file = server.test.database.folder().join("https-certificate.pem");
    let talked = tokio::task::spawn_blocking(move || {
        let mut caller = Baresip::start(&one, "1011", udp, "udp", &ca_file);
        let mut callee = Baresip::start(&two, "1012", tcp, "tcp", &ca_file);
        let begun = Instant::now();
        while app.locations.len() < 2 {
            assert!(begun.elapsed() < DEADLINE, "they did not register");
            std::thread::yield_now();
        }
        caller.command("dial", &format!("sip:1012@{udp}"));
        caller.until("CALL_ESTABLISHED");
        callee.until("CALL_ESTABLISHED");
        callee.command("hangup", "");
        caller.until("CALL_CLOSED");
        // And the other way round, from the phone whose connection is its proof.
        callee.command("dial", &format!("sip:1011@{tcp};transport=tcp"));
        caller.until("CALL_ESTABLISHED");
        callee.until("CALL_ESTABLISHED");
        callee.command("hangup", "");
        caller.until("CALL_CLOSED");
    });
    talked.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_phones_register_over_tls_and_talk_to_each_other_and_to_one_on_udp() {
    let server = start_with(|_| ()).await;
    let app = server.test.app.clone();
    let one = device(&server, A, "1011").await;
    let two = device(&server, B, "1012").await;
    let three = device(&server, C, "1013").await;
    let (udp, tls) = (server.sip_udp, server.sip_tls);
    let ca_file = server.test.database.folder().join("https-certificate.pem");
    let transports = |app: &App| {
        let mut transports = Vec::new();
        app.locations
            .for_each(|binding| transports.push(binding.flow().transport.as_str()));
        transports.sort_unstable();
        transports
    };
    let talked = tokio::task::spawn_blocking(move || {
        let mut one = Baresip::start(&one, "1011", tls, "tls", &ca_file);
        let mut two = Baresip::start(&two, "1012", tls, "tls", &ca_file);
        let mut three = Baresip::start(&three, "1013", udp, "udp", &ca_file);
        let begun = Instant::now();
        while transports(&app) != ["tls", "tls", "udp"] {
            assert!(begun.elapsed() < DEADLINE, "{:?}", transports(&app));
            std::thread::yield_now();
        }
        let talk = |caller: &mut Baresip, callee: &mut Baresip, to: &str| {
            caller.command("dial", to);
            caller.until("CALL_ESTABLISHED");
            callee.until("CALL_ESTABLISHED");
            callee.command("hangup", "");
            caller.until("CALL_CLOSED");
            callee.until("CALL_CLOSED");
        };
        talk(&mut one, &mut two, &format!("sip:1012@{tls};transport=tls"));
        talk(
            &mut two,
            &mut three,
            &format!("sip:1013@{tls};transport=tls"),
        );
        talk(&mut three, &mut one, &format!("sip:1011@{udp}"));
    });
    talked.await.unwrap();
}
