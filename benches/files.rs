//! The phones' files, the program beside its peers: configuration files over TFTP beside
//! `tftpd-hpa` (bar: 5 times as fast), firmware over TFTP beside the same (bar: 3 times),
//! configuration files over HTTP beside `nginx` (bar: half as fast). The peers serve the same bytes
//! from disk. Every server is a process on one processor, the client runs on another.
//!
//! The same few phones fetch there again and again, which the program notes once in ten seconds.
//! `noted` has as many phones as fetches, so that each is noted and its rows are written.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures and ends at a fault"
)]

mod support;

use std::fs;
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use support::figures::{median, verdict};
use support::noted_files::{self, Door};
use support::processes::{Pinned, SENDER_CORE, SERVER_CORE, free_port};
use support::program::Program;
use support::tftp::{self, Done, Wanted};
use support::{machine, site};
use tokio::runtime::{Builder, Runtime};
use tokio::task::LocalSet;

/// Phones that fetch their files at once.
const PHONES: u32 = 50;
/// Transfers of firmware at once.
const FIRMWARE_CLIENTS: usize = 4;
const FIRMWARE_BYTES: usize = 8_000_000;
const FIRMWARE: &str = "sip78xx.loads";
/// Runs of each side, in turn.
const ROUNDS: usize = 5;
/// Length of one run.
const RUN: Duration = Duration::from_millis(1_500);

fn main() {
    println!("{}", machine::description());
    let dir = tempfile::tempdir().unwrap();
    // The peer gives up its privileges, and must still reach its files.
    let passable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(dir.path(), passable).unwrap();
    let folder = dir.path().join("files");
    fs::create_dir(&folder).unwrap();
    let firmware: Vec<u8> = (0..=250).cycle().take(FIRMWARE_BYTES).collect();
    fs::write(folder.join(FIRMWARE), &firmware).unwrap();
    move_to_senders_core();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();

    let setting = format!("phones.firmware_dir={}", folder.display());
    let ours = ours(&runtime, &dir.path().join("data"), PHONES, &[setting]);
    let configs = copy_configs(&ours, &folder);
    println!("{} bytes a configuration file", configs[0].bytes.len());
    let tftpd = Tftpd::start(&folder);
    if is_wanted("config") {
        config_files(&runtime, &ours, &tftpd, &configs);
    }
    if is_wanted("firmware") {
        firmware_files(&runtime, &ours, &tftpd, firmware);
    }
    drop(tftpd);
    if is_wanted("http") {
        http(&ours, dir.path(), &folder);
    }
    drop(ours);
    if is_wanted("noted") {
        noted_files(&runtime, &dir.path().join("noted"));
    }
}

/// Moves this process, and what it starts from now on, to the client's processor.
fn move_to_senders_core() {
    let pid = std::process::id().to_string();
    let moved = Command::new("taskset")
        .args(["-acp", SENDER_CORE, &pid])
        .stdout(Stdio::null())
        .status();
    assert!(
        moved.is_ok_and(|status| status.success()),
        "a second processor and taskset (package util-linux) are needed"
    );
}

/// Waits until `ready` is true.
fn wait_for(what: &str, ready: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ready() {
        assert!(Instant::now() < deadline, "{what} did not start");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Whether this part was asked for on the command line, or no part was.
fn is_wanted(part: &str) -> bool {
    let mut parts = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .peekable();
    parts.peek().is_none() || parts.any(|word| word == part)
}

fn config_files(runtime: &Runtime, ours: &Program, tftpd: &Tftpd, configs: &[Arc<Wanted>]) {
    for (what, options) in [
        ("configuration file, TFTP", ""),
        ("the same with blksize 1428", "blksize\x001428\0"),
    ] {
        let (ours, theirs) = tftp_rounds(runtime, ours, tftpd, configs, options);
        ours.print("selfprov", "files/s");
        theirs.print("tftpd-hpa", "files/s");
        let ratio = ours.rate() / theirs.rate();
        verdict(&format!("{what} / tftpd-hpa"), ratio, ">= 5", ratio >= 5.0);
    }
}

fn firmware_files(runtime: &Runtime, ours: &Program, tftpd: &Tftpd, bytes: Vec<u8>) {
    let wanted = Arc::new(Wanted {
        name: FIRMWARE.to_owned(),
        bytes,
    });
    let wanted = vec![wanted; FIRMWARE_CLIENTS];
    let options = "blksize\x001428\0windowsize\x0016\0";
    let (ours, theirs) = tftp_rounds(runtime, ours, tftpd, &wanted, options);
    ours.print("selfprov", "files of 8 MB/s");
    theirs.print("tftpd-hpa", "files of 8 MB/s");
    let ratio = ours.rate() / theirs.rate();
    let what = "firmware, windowsize 16 / tftpd-hpa";
    verdict(what, ratio, ">= 3", ratio >= 3.0);
}

/// One side's figures of all rounds.
#[derive(Default)]
struct Side {
    rates: Vec<f64>,
    /// Processor time of the server for one file, in microseconds.
    server_us: Vec<f64>,
    resent: u32,
}

impl Side {
    fn add(&mut self, done: Done, server_s: f64) {
        let files = f64::from(done.files);
        self.rates.push(files / done.elapsed_s);
        self.server_us.push(server_s * 1e6 / files);
        self.resent += done.resent;
    }

    fn rate(&self) -> f64 {
        median(self.rates.clone())
    }

    fn print(&self, name: &str, unit: &str) {
        let resent = match self.resent {
            0 => String::new(),
            count => format!(", {count} packets sent again"),
        };
        // A server that does not wait for its children leaves no trace of their time.
        let server_us = match median(self.server_us.clone()) {
            _ if name == "tftpd-hpa" => String::new(),
            us => format!(", {us:.0} us of the server's processor each"),
        };
        println!("{name}: {:.1} {unit}{server_us}{resent}", self.rate());
    }
}

/// The program with so many phones in a folder of its own.
fn ours(runtime: &Runtime, data_dir: &Path, phones: u32, settings: &[String]) -> Program {
    fs::create_dir(data_dir).unwrap();
    site::write_key(data_dir);
    runtime.block_on(site::make(data_dir, phones));
    Program::start(data_dir, settings)
}

/// Files of as many phones as there are fetches, and what a signature of one takes.
fn noted_files(runtime: &Runtime, data_dir: &Path) {
    let program = ours(runtime, data_dir, noted_files::PHONES, &[]);
    let mut site = noted_files::Site::new(runtime, program, data_dir);
    site.rounds("HTTP", Door::Http);
    site.rounds("TFTP", Door::Tftp);
    drop(site);
    let signed = ["enabled", "signed_configuration"];
    let signed = signed.map(|name| format!("trust_list.{name}=true"));
    let program = Program::start(data_dir, &signed);
    make_trust_key(data_dir);
    let mut site = noted_files::Site::new(runtime, program, data_dir);
    site.rounds("HTTP, signed", Door::Signed);
}

/// Makes and exports the keys by which lists and files are signed, as an administrator does.
fn make_trust_key(data_dir: &Path) {
    let passphrase = data_dir.join("passphrase");
    fs::write(&passphrase, "not a secret of anybody").unwrap();
    let passphrase = passphrase.to_str().unwrap();
    let out = data_dir.join("trust-key.pem");
    let export = [
        "export",
        "--out",
        out.to_str().unwrap(),
        "--passphrase-file",
    ];
    for arguments in [
        &["create-trust-key"][..],
        &[&export[..], &[passphrase]].concat(),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_selfprov"));
        command.args(["--data-dir", data_dir.to_str().unwrap(), "cert"]);
        let done = command.args(arguments).stdout(Stdio::null()).status();
        assert!(done.unwrap().success(), "{arguments:?}");
    }
}

/// `tftpd-hpa` over a folder. It knows no windowsize, and answers with one block at a time.
struct Tftpd {
    server: Pinned,
    address: SocketAddr,
}

impl Tftpd {
    fn start(folder: &Path) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let (folder, at) = (folder.to_str().unwrap(), address.to_string());
        let arguments = [
            "--foreground",
            "--address",
            &at,
            "--user",
            "nobody",
            "--secure",
            folder,
        ];
        let server = Pinned::program(SERVER_CORE, "/usr/sbin/in.tftpd", &arguments);
        wait_for(
            "in.tftpd (package tftpd-hpa; root alone may start it)",
            || UdpSocket::bind(address).is_err(),
        );
        Self { server, address }
    }
}

/// Fetches every phone's file and puts it where the peers serve it from.
fn copy_configs(ours: &Program, folder: &Path) -> Vec<Arc<Wanted>> {
    let fetched = (0..PHONES).map(|n| {
        let name = format!("SEP0000AA{n:06X}.cnf.xml");
        let url = format!("http://{}/{name}", ours.files_http);
        let mut answer = ureq::get(&url).call().unwrap();
        let bytes = answer.body_mut().read_to_vec().unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("<authPassword>0123456789abcdef<"), "{text}");
        fs::write(folder.join(&name), &bytes).unwrap();
        Arc::new(Wanted { name, bytes })
    });
    fetched.collect()
}

fn tftp_rounds(
    runtime: &Runtime,
    ours: &Program,
    tftpd: &Tftpd,
    wanted: &[Arc<Wanted>],
    options: &'static str,
) -> (Side, Side) {
    let (mut our_side, mut their_side) = (Side::default(), Side::default());
    for _ in 0..ROUNDS {
        for (server, address, side) in [
            (&tftpd.server, tftpd.address, &mut their_side),
            (&ours.server, ours.tftp, &mut our_side),
        ] {
            let before_s = server.used_s();
            let run = tftp::run(address, wanted, options, RUN);
            let done = LocalSet::new().block_on(runtime, run);
            side.add(done, server.used_s() - before_s);
        }
    }
    (our_side, their_side)
}

/// `nginx` over the folder, with one worker as the program has one on one processor.
fn nginx(dir: &Path, folder: &Path) -> (Pinned, SocketAddr) {
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let text = format!(
        "daemon off;\nworker_processes 1;\nuser root;\npid {dir}/nginx.pid;\n\
         error_log stderr error;\nevents {{ worker_connections 1024; }}\n\
         http {{\n access_log off;\n sendfile on;\n tcp_nopush on;\n tcp_nodelay on;\n\
         \u{20}keepalive_requests 100000000;\n types {{ text/xml xml; }}\n\
         \u{20}server {{ listen {address}; root {folder}; }}\n}}\n",
        dir = dir.display(),
        folder = folder.display(),
    );
    let settings = dir.join("nginx.conf");
    fs::write(&settings, text).unwrap();
    let arguments = [
        "-c",
        settings.to_str().unwrap(),
        "-p",
        dir.to_str().unwrap(),
    ];
    let server = Pinned::program(SERVER_CORE, "nginx", &arguments);
    wait_for("nginx (package nginx-light)", || {
        TcpStream::connect(address).is_ok()
    });
    (server, address)
}

fn http(ours: &Program, dir: &Path, folder: &Path) {
    let (nginx, nginx_address) = nginx(dir, folder);
    let script = dir.join("names.lua");
    let text = format!(
        "local requests, i = {{}}, 0\n\
         init = function(args)\n for n = 0, {last} do\n\
         \u{20}requests[n] = wrk.format(\"GET\", string.format(\"/SEP0000AA%06X.cnf.xml\", n))\n end\nend\n\
         request = function()\n i = (i + 1) % {PHONES}\n return requests[i]\nend\n",
        last = PHONES - 1
    );
    fs::write(&script, text).unwrap();
    let (mut our_side, mut their_side) = (Side::default(), Side::default());
    for _ in 0..ROUNDS {
        for (server, address, side) in [
            (&nginx, nginx_address, &mut their_side),
            (&ours.server, ours.files_http, &mut our_side),
        ] {
            let before_s = server.used_s();
            let done = wrk(address, &script);
            side.add(done, server.used_s() - before_s);
        }
    }
    our_side.print("selfprov", "requests/s");
    their_side.print("nginx", "requests/s");
    let ratio = our_side.rate() / their_side.rate();
    let what = "configuration file, HTTP / nginx";
    verdict(what, ratio, ">= 0.5", ratio >= 0.5);
}

/// One run of `wrk`, a kept connection for each phone.
fn wrk(address: SocketAddr, script: &PathBuf) -> Done {
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", &PHONES.to_string()]);
    command.args(["--duration", "2s", "--script"]).arg(script);
    let output = command.arg(format!("http://{address}/")).output();
    let output = output.unwrap_or_else(|error| panic!("install wrk: {error}"));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("Non-2xx"), "{text}");
    assert!(!text.contains("Socket errors"), "{text}");
    // "12345 requests in 2.00s, 85.1MB read"
    let counted = text.lines().find_map(|line| {
        let (files, rest) = line.trim().split_once(" requests in ")?;
        let (seconds, _) = rest.split_once("s,")?;
        Some((files.parse().ok()?, seconds.parse().ok()?))
    });
    let (files, elapsed_s) = counted.unwrap_or_else(|| panic!("wrk: {text}"));
    Done {
        files,
        elapsed_s,
        ..Done::default()
    }
}
