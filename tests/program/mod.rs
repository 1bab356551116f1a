//! The program as an administrator runs it: a command, its output and its exit status.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// How long to wait between two looks at something outside this process.
const POLL: Duration = Duration::from_millis(20);

/// The program on a data directory of its own, without the settings of the environment.
pub(crate) fn selfprov(data_dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_selfprov"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("SELFPROV_") {
            command.env_remove(name);
        }
    }
    command.arg("--data-dir").arg(data_dir).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(data_dir: &Path, arguments: &[&str]) -> Output {
    selfprov(data_dir).args(arguments).output().unwrap()
}

/// Runs a command that must succeed and gives its standard output.
pub(crate) fn done(data_dir: &Path, arguments: &[&str]) -> String {
    let output = run(data_dir, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        error_text(&output)
    );
    text(&output.stdout)
}

/// Runs a command with `--json` that must succeed and gives what it printed.
pub(crate) fn json(data_dir: &Path, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--json"]].concat();
    serde_json::from_str(&done(data_dir, &arguments)).unwrap()
}

/// Runs a command that must fail with this exit status and gives its standard error.
pub(crate) fn refused(data_dir: &Path, arguments: &[&str], status: i32) -> String {
    let output = run(data_dir, arguments);
    assert_eq!(
        output.status.code(),
        Some(status),
        "{arguments:?}: {}",
        error_text(&output)
    );
    error_text(&output)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn error_text(output: &Output) -> String {
    text(&output.stderr)
}

/// A demonstration that stays up until it is dropped.
pub(crate) struct Demo {
    child: Child,
    pub(crate) report: Value,
}

impl Demo {
    /// Starts it on free ports and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, arguments: &[&str]) -> Self {
        let report = data_dir.with_extension("report.json");
        let mut command = selfprov(data_dir);
        command
            .args(["demo", "--no-play", "--ports", "auto", "--report"])
            .arg(&report);
        command.args(arguments).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        let report = eventually("the demonstration to be ready", || {
            assert_eq!(child.try_wait().unwrap(), None, "it has ended");
            serde_json::from_str(&fs::read_to_string(&report).ok()?).ok()
        });
        Self { child, report }
    }

    /// A text of the report.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.report[key]
            .as_str()
            .unwrap_or_else(|| panic!("the report has no text {key}"))
    }

    /// Asks it to end as `kill` does and gives the exit status.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        eventually("the service to end", || self.child.try_wait().unwrap()).code()
    }

    /// A phone that fetches its files here and trusts its certificate.
    pub(crate) fn phone(&self, data_dir: &Path) -> Command {
        let mut command = selfprov(data_dir);
        command.args(["phone", "--config-url", self.text("config_http")]);
        command.args([
            "--tftp",
            self.text("tftp"),
            "--ca-file",
            self.text("ca_file"),
        ]);
        command
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The service as an administrator starts it, on free ports, until it is dropped.
pub(crate) struct Serve {
    child: Child,
    /// What it printed.
    pub(crate) printed: String,
}

impl Serve {
    /// Starts it and waits until it has printed its addresses.
    pub(crate) fn start(data_dir: &Path) -> Self {
        Self::start_with(data_dir, &[])
    }

    /// The same with further settings, each `table.key=value`.
    pub(crate) fn start_with(data_dir: &Path, settings: &[String]) -> Self {
        Self::start_by(selfprov(data_dir), settings, Stdio::inherit())
    }

    /// The same with its log somewhere else than on our standard error.
    pub(crate) fn start_logging_to(data_dir: &Path, settings: &[String], log: Stdio) -> Self {
        Self::start_by(selfprov(data_dir), settings, log)
    }

    /// The same by a command to which `serve` is added.
    pub(crate) fn start_by(mut command: Command, settings: &[String], log: Stdio) -> Self {
        command.arg("serve");
        for setting in settings {
            command.arg("--set").arg(setting);
        }
        for port in PORTS {
            command.arg("--set").arg(format!("listen.{port}=0"));
        }
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut printed = String::new();
        while !printed.contains("\nNext: ") {
            printed.push_str(&lines.next().expect("it has ended").unwrap());
            printed.push('\n');
        }
        Self { child, printed }
    }

    /// The value of a row of what it printed.
    pub(crate) fn row(&self, name: &str) -> &str {
        let mut rows = self.printed.lines().map(str::trim);
        rows.find_map(|row| row.strip_prefix(name)).unwrap().trim()
    }
}

/// Has the service make database and keys in a data directory, and ends it.
pub(crate) fn start_once(data_dir: &Path) {
    drop(Serve::start(data_dir));
}

impl Serve {
    /// Tells it to read its certificate again.
    pub(crate) fn hang_up(&self) {
        self.signal("-HUP");
    }

    /// Asks it to end as `kill` does and gives the exit status.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("-TERM");
        eventually("the service to end", || self.child.try_wait().unwrap()).code()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The ports that every start takes anew.
pub(crate) const PORTS: [&str; 9] = [
    "https_port",
    "files_http_port",
    "files_https_port",
    "tvs_port",
    "tftp_port",
    "sip_udp_port",
    "sip_tcp_port",
    "sip_tls_port",
    "monitoring_port",
];

/// Waits until `condition` gives something.
pub(crate) fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + DEADLINE;
    loop {
        if let Some(value) = condition() {
            return value;
        }
        assert!(Instant::now() < deadline, "still waiting for {what}");
        std::thread::park_timeout(POLL);
    }
}
