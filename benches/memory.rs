//! Memory of the registrar: 50,000 bindings over UDP, and 10,000 idle TLS connections more.
//!
//! `cargo bench --bench memory`. Server and phones are processes of their own; what counts is the
//! resident memory of the server.

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
use selfprov::server::sip::door::{self, SipSockets};
use selfprov::server::sip::transport::bind_udp;
use selfprov::server::tls::{CertificateFiles, ServerCertificate};
use selfprov::server::{run, shutdown};
use support::phones::{self, Phones};
use support::processes::{self, Pinned, SERVER_CORE};
use support::{machine, server, site};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
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

/// The role of the server's process.
const ROLE: &str = "registrar-with-tls";

/// The bars, in MB (10^6 bytes).
const BINDINGS_MB_MAX: f64 = 100.0;
const CONNECTIONS_MB_MAX: f64 = 150.0;

fn main() {
    match processes::role() {
        Some((role, arguments)) if role == ROLE => return serve(&arguments),
        Some((role, arguments)) if role == phones::ROLE => return phones::run(&arguments),
        Some((role, _)) => panic!("{role}"),
        None => {}
    }
    raise_descriptors();
    println!("{}", machine::description());
    let empty = tempfile::tempdir().unwrap();
    let mut nobody = start(empty.path(), loopback(processes::free_port()));
    nobody.line();
    println!("without phones: {:.1} MB", nobody.resident_mb());
    drop(nobody);
    let dir = tempfile::tempdir().unwrap();
    let (udp, remote) = (loopback(processes::free_port()), processes::free_port());
    let runtime = server::runtime("bench-memory");
    runtime.block_on(site::make_registered(
        dir.path(),
        BINDINGS,
        &loopback(remote).to_string(),
        &udp.to_string(),
    ));
    let mut registrar = start(dir.path(), udp);
    let tls: SocketAddr = registrar.line().parse().unwrap();
    println!("loaded: {:.1} MB", registrar.resident_mb());

    let phones = Phones::start(remote, udp, BINDINGS);
    println!(
        "all phones refreshed at once: {:.1} MB",
        registrar.resident_mb()
    );
    std::thread::sleep(SETTLED);
    drop(phones);
    registrar.tell("bindings");
    let bindings = registrar.line();
    let with_bindings = registrar.resident_mb();
    verdict(
        &format!("{bindings} bindings over UDP"),
        with_bindings,
        BINDINGS_MB_MAX,
    );
    assert!(bindings.parse::<u32>().unwrap() >= BINDINGS);

    let held = runtime.block_on(connect(dir.path(), tls));
    let more = registrar.resident_mb() - with_bindings;
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

fn start(dir: &Path, udp: SocketAddr) -> Pinned {
    let arguments = [dir.to_str().unwrap(), &udp.to_string()];
    Pinned::in_role(SERVER_CORE, ROLE, &arguments)
}

/// The server's process: prints where it listens for TLS, and how many bindings there are for each
/// line it reads.
fn serve(arguments: &[String]) {
    let [dir, udp] = arguments else {
        panic!("{arguments:?}");
    };
    let dir = Path::new(dir);
    selfprov::server::metrics::recorder();
    let runtime = server::runtime(server::SERVER_THREAD);
    let app = runtime.block_on(site::open(dir));
    let files = CertificateFiles::in_data_dir(dir);
    let names = ["127.0.0.1".to_owned()];
    let certificate = ServerCertificate::load_or_make(files, &names, server::now()).unwrap();
    let (_trigger, shutdown) = shutdown::channel();
    let udp: SocketAddr = udp.parse().unwrap();
    let served = Arc::clone(&app);
    runtime.spawn(async move {
        let listener = TcpListener::bind(loopback(0)).await.unwrap();
        println!("{}", listener.local_addr().unwrap());
        let sockets = SipSockets {
            udp: bind_udp(udp, false).unwrap(),
            tcp: TcpListener::bind(loopback(0)).await.unwrap(),
            tls: Some((listener, certificate.sip_config().unwrap())),
        };
        tokio::spawn(run::look_after_phones(served.clone(), shutdown.clone()));
        door::run(served, sockets, shutdown).await.unwrap();
    });
    for _ in std::io::stdin().lines() {
        println!("{}", app.locations.len());
    }
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
