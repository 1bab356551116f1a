//! The product's registrar, and its files over HTTP, in a process of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use selfprov::server::config_files::http::FilesDoor;
use selfprov::server::config_files::resolver::Resolver;
use selfprov::server::http::{Limits, serve};
use selfprov::server::sip::door::{self, SipSockets};
use selfprov::server::sip::transport::bind_udp;
use selfprov::server::{run, shutdown};
use selfprov::service::phone_files::file_fetched;

use super::processes::{Pinned, SERVER_CORE};
use super::{server, site};

/// The role of the child process.
pub(crate) const ROLE: &str = "registrar";

/// Starts it on the site in `dir`; waits until it listens. Gives where its files are.
pub(crate) fn start(dir: &Path, address: SocketAddr) -> (Pinned, SocketAddr) {
    let arguments = [dir.to_str().unwrap(), &address.to_string()];
    let mut registrar = Pinned::in_role(SERVER_CORE, ROLE, &arguments);
    let files = registrar.line().parse().unwrap();
    (registrar, files)
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
        let files = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", files.local_addr().unwrap());
        let door = FilesDoor::new(Arc::new(Resolver::new(app.clone(), None)));
        let limits = Limits::default();
        tokio::spawn(serve(files, None, door, limits, shutdown.clone()));
        let sockets = SipSockets {
            udp,
            tcp,
            tls: None,
        };
        tokio::spawn(run::look_after_phones(app.clone(), shutdown.clone()));
        tokio::spawn(file_fetched::run(app.clone()));
        door::run(app, sockets, shutdown).await.unwrap();
    });
    std::io::stdin().lines().for_each(drop);
}
