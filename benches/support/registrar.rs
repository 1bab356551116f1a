//! The product's registrar in a process of its own.

use std::net::SocketAddr;
use std::path::Path;

use selfprov::server::shutdown;
use selfprov::server::sip::registrar::{self, SipSockets};
use selfprov::server::sip::transport::bind_udp;

use super::processes::{Pinned, SERVER_CORE};
use super::{server, site};

/// The role of the child process.
pub(crate) const ROLE: &str = "registrar";

/// Starts it on the site in `dir`; waits until it listens.
pub(crate) fn start(dir: &Path, address: SocketAddr) -> Pinned {
    let arguments = [dir.to_str().unwrap(), &address.to_string()];
    let mut registrar = Pinned::in_role(SERVER_CORE, ROLE, &arguments);
    assert_eq!(registrar.line(), "listening");
    registrar
}

/// The child process: serves until nobody writes to it any more.
pub(crate) fn run(arguments: &[String]) {
    let [dir, address] = arguments else {
        panic!("{arguments:?}");
    };
    // Counting is part of the product's work.
    selfprov::server::metrics::recorder();
    let runtime = server::runtime(server::SERVER_THREAD);
    let app = runtime.block_on(site::open(Path::new(dir)));
    let (_trigger, shutdown) = shutdown::channel();
    let address: SocketAddr = address.parse().unwrap();
    runtime.spawn(async move {
        let udp = bind_udp(address, false).unwrap();
        let tcp = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("listening");
        let sockets = SipSockets {
            udp,
            tcp,
            tls: None,
        };
        registrar::run(app, sockets, shutdown).await.unwrap();
    });
    std::io::stdin().lines().for_each(drop);
}
