//! Clients that are not ours.

use std::io::Error;
use std::net::SocketAddr;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;

use super::service::Service;

/// How long a phone waits for a NOTIFY that must come.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(40);

fn run(program: &str, package: &str, command: &mut Command) -> Output {
    let output = command.output();
    output.unwrap_or_else(|error| missing(program, package, &error))
}

fn missing(program: &str, package: &str, error: &Error) -> ! {
    panic!("cannot run {program} ({error}): install the package {package}")
}

/// What `curl` got.
pub(crate) struct Page {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

/// Fetches a URL with `curl`, trusting the service's certificate only.
pub(crate) fn curl(service: &Service, arguments: &[&str], url: &str) -> Page {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--include",
        "--noproxy",
        "*",
    ]);
    command
        .args(["--cacert", &service.text("ca_file")])
        .args(arguments)
        .arg(url);
    let output = run("curl", "curl", &mut command);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "curl {url}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    // An interim answer (100 Continue) has a head of its own.
    let mut rest = text.as_str();
    loop {
        let (head, body) = rest.split_once("\r\n\r\n").unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        if status >= 200 {
            return Page {
                status,
                headers: head.to_lowercase(),
                body: body.to_owned(),
            };
        }
        rest = body;
    }
}

/// Fetches a file with the stock TFTP client (`tftp-hpa`).
pub(crate) fn tftp(service: &Service, name: &str, into: &Path) -> Option<String> {
    let server: SocketAddr = service.text("tftp").parse().unwrap();
    let target = into.join(name);
    let _ = std::fs::remove_file(&target);
    let mut command = Command::new("tftp");
    command
        .arg("-m")
        .arg("binary")
        .arg(server.ip().to_string())
        .arg(server.port().to_string());
    command.arg("-c").arg("get").arg(name).arg(&target);
    run("tftp", "tftp-hpa", &mut command);
    // The client leaves an empty file behind when the server has none.
    std::fs::read_to_string(target)
        .ok()
        .filter(|text| !text.is_empty())
}

/// A phone as `sipp` plays it: the port and Call-ID stay the same from one REGISTER to the next.
pub(crate) struct Phone {
    pub(crate) mac: String,
    pub(crate) local: SocketAddr,
    pub(crate) boot: u32,
}

impl Phone {
    /// A phone with this MAC address on a free loopback port.
    pub(crate) fn new(mac: &str) -> Self {
        let local = UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        Self {
            mac: mac.to_owned(),
            local,
            boot: 1,
        }
    }

    /// `SEP` and the MAC address.
    pub(crate) fn name(&self) -> String {
        format!("SEP{}", self.mac)
    }

    /// The Call-ID of every REGISTER since the phone booted.
    pub(crate) fn call_id(&self) -> String {
        format!(
            "{}-{}@{}",
            self.mac.to_lowercase(),
            self.boot,
            self.local.ip()
        )
    }

    /// The phone boots again: another Call-ID.
    pub(crate) fn boots(&mut self) {
        self.boot += 1;
    }

    /// Plays a scenario of `tests/data/sipp`; whether every message came as it says.
    pub(crate) fn sipp(
        &self,
        service: &Service,
        scenario: &str,
        line: &str,
        secret: Option<(&str, &str)>,
    ) -> bool {
        let keys = [("mac", self.mac.as_str()), ("line", line)];
        self.plays(service, scenario, &keys, secret).has_passed()
    }

    /// Begins to play a scenario of `tests/data/sipp` with these keys.
    pub(crate) fn plays(
        &self,
        service: &Service,
        scenario: &str,
        keys: &[(&str, &str)],
        secret: Option<(&str, &str)>,
    ) -> Playing {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sipp");
        let mut command = Command::new("sipp");
        command
            .arg(service.text("sip_udp"))
            .arg("-sf")
            .arg(directory.join(scenario));
        command.args(["-m", "1", "-nostdin", "-timeout", "30s", "-timeout_error"]);
        let (address, port) = (self.local.ip().to_string(), self.local.port().to_string());
        command.args(["-i", &address, "-p", &port]);
        for (name, value) in keys {
            command.args(["-key", name, value]);
        }
        command.args(["-cid_str", &self.call_id(), "-recv_timeout", "10000"]);
        if let Some((user, password)) = secret {
            command.args(["-au", user, "-ap", password]);
        }
        // sipp writes its error log into the directory it runs in.
        let scratch = tempfile::tempdir().unwrap();
        command.current_dir(scratch.path()).env("TERM", "dumb");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        Playing {
            child: child.unwrap_or_else(|error| missing("sipp", "sip-tester", &error)),
            _scratch: scratch,
        }
    }

    /// Waits for the service-control NOTIFY, answers it 200 and gives it.
    pub(crate) fn answers_notify(&self) -> String {
        let socket = UdpSocket::bind(self.local).unwrap();
        socket.set_read_timeout(Some(NOTIFY_TIMEOUT)).unwrap();
        let mut buffer = vec![0_u8; 65_536];
        loop {
            let (length, server) = socket
                .recv_from(&mut buffer)
                .expect("no NOTIFY came in time");
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.starts_with("NOTIFY ") {
                socket.send_to(ok_for(&message).as_bytes(), server).unwrap();
                return message;
            }
        }
    }
}

/// A scenario that is being played.
pub(crate) struct Playing {
    child: Child,
    _scratch: TempDir,
}

impl Playing {
    /// Waits for its end; whether every message came as it says.
    pub(crate) fn has_passed(mut self) -> bool {
        self.child.wait().unwrap().success()
    }
}

/// A 200 that copies what RFC 3261 clause 8.2.6.2 says.
fn ok_for(request: &str) -> String {
    let headers = request.lines().take_while(|line| !line.is_empty());
    let copied = headers.filter_map(|line| {
        let name = line.split(':').next().unwrap_or_default().trim();
        match name.to_lowercase().as_str() {
            "via" | "from" | "call-id" | "cseq" => Some(format!("{line}\r\n")),
            "to" => Some(format!("{line};tag=phone\r\n")),
            _ => None,
        }
    });
    format!(
        "SIP/2.0 200 OK\r\n{}Content-Length: 0\r\n\r\n",
        copied.collect::<String>()
    )
}

/// The text between the first `<element>` and its end, or its first attribute value.
pub(crate) fn element(xml: &str, name: &str) -> Option<String> {
    let start = xml.find(&format!("<{name}>"))? + name.len() + 2;
    let end = xml[start..].find(&format!("</{name}>"))? + start;
    Some(unescape(&xml[start..end]))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}
