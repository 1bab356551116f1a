//! The program as a child process.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::net::UdpSocket;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::AtomicU16;
use std::sync::atomic::Ordering;

use serde_json::Value;

use super::clients::curl;
use crate::program::eventually;
use crate::program::json;
use crate::program::selfprov;

/// A running service with the demo's data; killed when dropped.
pub(crate) struct Service {
    child: Child,
    directory: PathBuf,
    pub(crate) report: Value,
    settings: Vec<String>,
    monitoring: u16,
}

impl Service {
    /// Starts the demo's service without its journey on free ports.
    ///
    /// `settings` are `key=value` pairs for `--set`.
    pub(crate) fn start(directory: &Path, settings: &[&str]) -> Self {
        let own = settings.iter().map(|&setting| setting.to_owned());
        let monitoring = free_port();
        let at = format!("listen.monitoring_port={monitoring}");
        let settings: Vec<String> = free_ports().chain([at]).chain(own).collect();
        let report = directory.join("report.json");
        let mut service = Self {
            child: spawn(directory, &settings, &report),
            directory: directory.to_owned(),
            report: Value::Null,
            settings,
            monitoring,
        };
        service.report = service.wait_for_report(&report);
        service
    }

    /// Kills the process as `kill -9` does and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the service again on the same data and the same ports.
    pub(crate) fn start_again(&mut self) {
        let report = self.directory.join("report-again.json");
        let _ = fs::remove_file(&report);
        self.child = spawn(&self.directory, &self.settings, &report);
        self.report = self.wait_for_report(&report);
    }

    /// A text of the report.
    pub(crate) fn text(&self, key: &str) -> String {
        self.report[key]
            .as_str()
            .unwrap_or_else(|| panic!("the report has no {key}"))
            .to_owned()
    }

    /// A metric: with its labels, or the sum over all of them. 0 before it is counted for the first time.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let url = format!("http://127.0.0.1:{}/metrics", self.monitoring);
        let lines = curl(self, &[], &url).body;
        let lines = lines.lines().filter_map(|line| line.split_once(' '));
        let is_it = |series: &str| series == name || series.split('{').next() == Some(name);
        let values = lines.filter(|(series, _)| is_it(series));
        values.map(|(_, value)| value.parse::<u64>().unwrap()).sum()
    }

    /// What `selfprov device show` tells of a phone.
    pub(crate) fn device(&self, name: &str) -> Value {
        json(&self.directory.join("data"), &["device", "show", name])["device"].clone()
    }

    /// Everything that the service has written: logs, standard error, other files of its data
    /// directory, read as bytes.
    pub(crate) fn everything_written(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(&self.directory, &mut files);
        files
    }

    fn wait_for_report(&mut self, report: &Path) -> Value {
        eventually("the service to be ready", || {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!(
                    "the service ended with {status}:\n{}",
                    self.standard_error()
                );
            }
            serde_json::from_str(&fs::read_to_string(report).ok()?).ok()
        })
    }

    fn standard_error(&self) -> String {
        let mut text = String::new();
        if let Ok(mut file) = fs::File::open(self.directory.join("stderr.log")) {
            let _ = file.read_to_string(&mut text);
        }
        text
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// First of the ports that [`free_ports`] tries, below those that the system gives to whoever asks
/// for any: nobody takes one while the service is down.
static NEXT_PORT: AtomicU16 = AtomicU16::new(20_000);

/// Settings that give every door a port that nobody has.
fn free_ports() -> impl Iterator<Item = String> {
    let doors = [
        "https",
        "http_phones",
        "files_http",
        "files_https",
        "tftp",
        "sip_udp",
        "sip_tcp",
        "sip_tls",
    ];
    let doors = doors.into_iter();
    doors.map(|door| format!("listen.{door}_port={}", free_port()))
}

fn free_port() -> u16 {
    loop {
        let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        let address = ("127.0.0.1", port);
        if TcpListener::bind(address).is_ok() && UdpSocket::bind(address).is_ok() {
            return port;
        }
    }
}

fn spawn(directory: &Path, settings: &[String], report: &Path) -> Child {
    let mut command = selfprov(&directory.join("data"));
    command.args(["demo", "--no-play", "--report"]).arg(report);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let log = |name: &str| {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(directory.join(name))
            .unwrap()
    };
    command.stdout(log("stdout.log")).stderr(log("stderr.log"));
    command.spawn().unwrap()
}

fn collect(directory: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if let Ok(bytes) = fs::read(&path) {
            files.push((path, bytes));
        }
    }
}
