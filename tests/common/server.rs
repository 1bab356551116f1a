//! The whole server in this process: a [`TestApp`] with every door on a port of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use selfprov::server::config_files;
use selfprov::server::config_files::firmware::FirmwareFolder;
use selfprov::server::config_files::http::FilesDoor;
use selfprov::server::config_files::resolver::Resolver;
use selfprov::server::http;
use selfprov::server::run;
use selfprov::server::shutdown;
use selfprov::server::shutdown::ShutdownTrigger;
use selfprov::server::sip::door;
use selfprov::server::sip::door::SipSockets;
use selfprov::server::sip::transport::bind_udp;
use tokio::net::TcpListener;
use tokio::net::UdpSocket;

use super::app::TestApp;
use super::database::Database;
use super::handset_door::HandsetDoor;

/// A running server. Dropped, its doors close.
///
/// Each door's owner adds a field with its address and starts it in [`TestServer::start_with`].
pub(crate) struct TestServer {
    /// The application behind the doors.
    pub(crate) test: TestApp,
    /// HTTP for files.
    pub(crate) files_http: SocketAddr,
    /// HTTPS for files; the certificate is that of the handsets' door.
    pub(crate) files_https: SocketAddr,
    /// TFTP.
    pub(crate) tftp: SocketAddr,
    /// SIP over UDP.
    pub(crate) sip_udp: SocketAddr,
    /// SIP over TCP.
    pub(crate) sip_tcp: SocketAddr,
    /// SIP over TLS, with the handset's certificate.
    pub(crate) sip_tls: SocketAddr,
    /// HTTPS and plain HTTP for handsets.
    pub(crate) handset: HandsetDoor,
    _trigger: ShutdownTrigger,
}

impl TestServer {
    /// Starts a server with the usual users and templates on a fresh database.
    pub(crate) async fn start(database: &Database) -> Self {
        Self::start_with(TestApp::start(database).await).await
    }

    /// Starts the doors of an application.
    pub(crate) async fn start_with(test: TestApp) -> Self {
        Self::start_with_firmware(test, None).await
    }

    /// Starts the doors of an application that has a firmware folder.
    pub(crate) async fn start_with_firmware(test: TestApp, firmware: Option<&Path>) -> Self {
        let (trigger, shutdown) = shutdown::channel();
        let firmware = firmware.map(|path| FirmwareFolder::open(path).unwrap());
        let resolver = Arc::new(Resolver::new(test.app.clone(), firmware));

        let handset = HandsetDoor::open(&test, &shutdown).await;

        let mut files = Vec::new();
        for tls in [None, Some(handset.certificate.server_config().unwrap())] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            files.push(listener.local_addr().unwrap());
            let door = FilesDoor::new(resolver.clone());
            let limits = http::Limits::default();
            tokio::spawn(http::serve(listener, tls, door, limits, shutdown.clone()));
        }

        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let tftp = socket.local_addr().unwrap();
        let blksize_max = test.app.settings.phones.tftp_blksize_max;
        tokio::spawn(config_files::tftp::run(
            socket,
            resolver,
            blksize_max,
            shutdown.clone(),
        ));

        let udp = bind_udp("127.0.0.1:0".parse().unwrap(), false).unwrap();
        let sip_udp = udp.local_addr().unwrap();
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sip_tcp = tcp.local_addr().unwrap();
        let tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sip_tls = tls.local_addr().unwrap();
        let sockets = SipSockets {
            udp,
            tcp,
            tls: Some((tls, handset.certificate.sip_config().unwrap())),
        };
        tokio::spawn(door::run(test.app.clone(), sockets, shutdown.clone()));
        tokio::spawn(run::look_after_phones(test.app.clone(), shutdown));

        Self {
            test,
            files_http: files[0],
            files_https: files[1],
            tftp,
            sip_udp,
            sip_tcp,
            sip_tls,
            handset,
            _trigger: trigger,
        }
    }
}
