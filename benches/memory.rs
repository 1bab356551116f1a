//! Memory of the program: 50,000 bindings over UDP, and 10,000 idle TLS connections more.
//!
//! `cargo bench --bench memory`. The program is started as an administrator starts it, with every
//! door open; what counts is its resident memory (`VmRSS`), as `ps` and `top` show it.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark ends at a fault and prints its figures"
)]

mod support;

use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rustls_pki_types::pem::PemObject as _;
use selfprov::server::tls::CertificateFiles;
use support::phones::{self, Phones};
use support::program::Program;
use support::{machine, processes, server, site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Phones with a binding each.
const BINDINGS: u32 = 50_000;

/// Idle TLS connections.
const CONNECTIONS: u32 = 10_000;

/// Connections from one loopback address: as many as the product grants.
const CONNECTIONS_PER_ADDRESS: u32 = 1_000;

/// Connections that are set up at once.
const HANDSHAKES: u32 = 50;

/// Descriptors that each process needs.
const DESCRIPTORS: u32 = CONNECTIONS + 1_000;

/// After this an answer is not remembered any more (RFC 3261 timer J, 32 s, and a little).
const SETTLED: Duration = Duration::from_secs(35);

/// After this nothing of a start is under way any more.
const STARTED: Duration = Duration::from_secs(1);

/// The bars, in MB (10^6 bytes).
const BINDINGS_MB_MAX: f64 = 100.0;
const CONNECTIONS_MB_MAX: f64 = 150.0;

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == phones::ROLE => return phones::run(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    raise_descriptors();
    println!("{}", machine::description());
    let empty = tempfile::tempdir().unwrap();
    let nobody = start(empty.path(), loopback(processes::free_port()));
    println!("without phones: {}", nobody.server.resident());
    drop(nobody);
    let dir = tempfile::tempdir().unwrap();
    let (udp, remote) = (loopback(processes::free_port()), processes::free_port());
    let runtime = server::runtime("bench-memory");
    site::write_key(dir.path());
    runtime.block_on(site::make_registered(
        dir.path(),
        BINDINGS,
        &loopback(remote).to_string(),
        &udp.to_string(),
    ));
    let program = start(dir.path(), udp);
    println!("loaded: {}", program.server.resident());

    let phones = Phones::start(remote, udp, BINDINGS);
    let refreshed = program.server.resident();
    println!("all phones refreshed at once: {refreshed}");
    std::thread::sleep(SETTLED);
    drop(phones);
    let bindings = program.metric("selfprov_bindings");
    let settled = program.server.resident();
    println!("all has settled: {settled}");
    let with_bindings = refreshed.all_mb.max(settled.all_mb);
    let what = format!("{bindings:.0} bindings over UDP");
    verdict(&what, with_bindings, BINDINGS_MB_MAX);
    assert!(bindings >= f64::from(BINDINGS));

    let held = runtime.block_on(connect(dir.path(), program.sip_tls));
    let more = program.server.resident_mb() - settled.all_mb;
    let what = format!("{} idle TLS connections more", held.len());
    verdict(&what, more, CONNECTIONS_MB_MAX);
    println!(
        "  {:.1} kB a connection",
        more * 1_000.0 / f64::from(CONNECTIONS)
    );
}

fn verdict(what: &str, mb: f64, most: f64) {
    let word = if mb < most { "met" } else { "MISSED" };
    println!("{what}: {mb:.1} MB, bar {most:.0} MB: {word}");
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

/// Starts this program again under a higher limit of open files where it is too low. The limit is
/// passed on to the children.
fn raise_descriptors() {
    const RAISED: &str = "SELFPROV_BENCH_DESCRIPTORS";
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3)?.parse::<u32>().ok());
    if soft.is_none_or(|soft| soft >= DESCRIPTORS) || std::env::var_os(RAISED).is_some() {
        return;
    }
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        &format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\""),
    ]);
    shell.arg(std::env::current_exe().unwrap());
    let failed = shell.args(std::env::args().skip(1)).env(RAISED, "1").exec();
    panic!("sh: {failed}; this benchmark needs {DESCRIPTORS} open files");
}

/// Starts the program for the second time. The first start makes the administrator, and hashes a
/// password: the thread that does so keeps 19 MiB, as after any login.
fn start(dir: &Path, udp: SocketAddr) -> Program {
    let settings = [
        format!("listen.sip_udp_port={}", udp.port()),
        "advertise.host=127.0.0.1".to_owned(),
        // The sender is one address.
        "listen.sip_requests_per_source=1000000".to_owned(),
    ];
    drop(Program::start(dir, &settings));
    let program = Program::start(dir, &settings);
    // What a start still does after its doors are open.
    std::thread::sleep(STARTED);
    program
}

/// Connects as phones do, shows with a keep-alive that the connection works, and holds them all.
async fn connect(dir: &Path, server: SocketAddr) -> Vec<TlsStream<TcpStream>> {
    let certificate = CertificateFiles::in_data_dir(dir).certificate;
    let certificate = rustls_pki_types::CertificateDer::from_pem_file(certificate).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    let mut held = Vec::new();
    for first in (0..CONNECTIONS).step_by(usize::try_from(HANDSHAKES).unwrap()) {
        let connecting: Vec<_> = (first..first + HANDSHAKES)
            .map(|n| tokio::spawn(connect_one(connector.clone(), server, n)))
            .collect();
        for connected in connecting {
            held.push(connected.await.unwrap());
        }
    }
    held
}

async fn connect_one(connector: TlsConnector, server: SocketAddr, n: u32) -> TlsStream<TcpStream> {
    let own = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + 1 + n / CONNECTIONS_PER_ADDRESS);
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((own, 0).into()).unwrap();
    let stream = socket.connect(server).await.unwrap();
    let mut stream = connector.connect(server.ip().into(), stream).await.unwrap();
    stream.write_all(b"\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    let mut pong = [0; 2];
    stream.read_exact(&mut pong).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    stream
}
