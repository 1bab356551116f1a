//! The program as a child process.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;

use serde_json::Value;

use crate::program::eventually;
use crate::program::json;
use crate::program::selfprov;

/// A running service with the demo's data; killed when dropped.
pub(crate) struct Service {
    child: Child,
    directory: PathBuf,
    pub(crate) report: Value,
    settings: Vec<String>,
}

impl Service {
    /// Starts the demo's service without its journey on free ports.
    ///
    /// `settings` are `key=value` pairs for `--set`.
    pub(crate) fn start(directory: &Path, settings: &[&str]) -> Self {
        let settings: Vec<String> = settings.iter().map(|&setting| setting.to_owned()).collect();
        let report = directory.join("report.json");
        let mut command = selfprov(&directory.join("data"));
        command.args(["demo", "--no-play", "--ports", "auto"]);
        command.arg("--report").arg(&report);
        let child = spawn(command, &settings, directory);
        let mut service = Self {
            child,
            directory: directory.to_owned(),
            report: Value::Null,
            settings,
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
        let mut command = selfprov(&self.directory.join("data"));
        command.args(["demo", "--no-play"]).args(self.same_ports());
        command.arg("--report").arg(&report);
        self.child = spawn(command, &self.settings, &self.directory);
        self.report = self.wait_for_report(&report);
    }

    /// A text of the report.
    pub(crate) fn text(&self, key: &str) -> String {
        self.report[key]
            .as_str()
            .unwrap_or_else(|| panic!("the report has no {key}"))
            .to_owned()
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

    /// The ports of the first start, so that phones find the service again.
    fn same_ports(&self) -> Vec<String> {
        let port = |text: String| {
            let authority = text
                .split_once("://")
                .map_or(text.as_str(), |(_, rest)| rest);
            let port = authority.trim_end_matches('/').rsplit(':').next().unwrap();
            port.parse::<u16>().unwrap()
        };
        let keys = [
            ("https_port", "https"),
            ("http_phones_port", "http_phones"),
            ("files_http_port", "config_http"),
            ("files_https_port", "config_https"),
            ("tftp_port", "tftp"),
            ("sip_udp_port", "sip_udp"),
            ("sip_tcp_port", "sip_tcp"),
            ("sip_tls_port", "sip_tls"),
        ];
        let setting = |(key, name)| format!("listen.{key}={}", port(self.text(name)));
        keys.into_iter()
            .map(setting)
            .chain(["listen.monitoring_port=0".to_owned()])
            .flat_map(|setting| ["--set".to_owned(), setting])
            .collect()
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

fn spawn(mut command: Command, settings: &[String], directory: &Path) -> Child {
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
