//! Phones that take their files slowly, and clients that take nothing, over real sockets.

use std::fs::File;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestServer;
use selfprov::server::config_files::firmware::FirmwareFolder;
use selfprov::server::config_files::http::FilesDoor;
use selfprov::server::config_files::resolver::Resolver;
use selfprov::server::http;
use selfprov::server::http::Limits;
use selfprov::server::shutdown;
use selfprov::server::shutdown::ShutdownTrigger;
use tempfile::TempDir;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_secs(30);

const FIRMWARE: &str = "sip88xx.14-2-1.loads";

/// More than the sockets of both ends hold.
const FIRMWARE_BYTES: u64 = 32 * 1024 * 1024;

/// Doors for files of their own limits, plain and over TLS, with a firmware file.
struct Doors {
    server: TestServer,
    urls: [String; 2],
    plain: SocketAddr,
    _folder: TempDir,
    _trigger: ShutdownTrigger,
}

async fn doors(limits: Limits) -> Doors {
    let folder = tempfile::tempdir().unwrap();
    let firmware = File::create(folder.path().join(FIRMWARE)).unwrap();
    firmware.set_len(FIRMWARE_BYTES).unwrap();
    let server = TestServer::start_with(TestApp::start(&Database::sqlite()).await).await;
    let (trigger, shutdown) = shutdown::channel();
    let firmware = FirmwareFolder::open(folder.path()).unwrap();
    let files = Arc::new(Resolver::new(server.test.app.clone(), Some(firmware)));
    let mut addresses = Vec::new();
    for tls in [
        None,
        Some(server.handset.certificate.server_config().unwrap()),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        let door = FilesDoor::new(Arc::clone(&files));
        tokio::spawn(http::serve(
            listener,
            tls,
            door,
            limits.clone(),
            shutdown.clone(),
        ));
    }
    Doors {
        server,
        urls: [("http", addresses[0]), ("https", addresses[1])]
            .map(|(scheme, address)| format!("{scheme}://{address}/{FIRMWARE}")),
        plain: addresses[0],
        _folder: folder,
        _trigger: trigger,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_may_last_longer_than_a_connection_lives() {
    let limits = Limits {
        connection_lifetime_max: Duration::from_millis(200),
        drain_timeout: Duration::from_millis(100),
        stall_timeout: Duration::from_secs(10),
        ..Limits::default()
    };
    let doors = doors(limits).await;
    for url in &doors.urls {
        // Two seconds for all of it.
        let slowly = [
            "--limit-rate",
            "16M",
            "--output",
            "/dev/null",
            "--write-out",
        ];
        let written = ["HTTP %{http_code}\\r\\n\\r\\n%{size_download} %{time_total}"];
        let arguments = [&slowly[..], &written].concat();
        let taken = doors.server.handset.run(url, &arguments).await;
        let (bytes, seconds) = taken.body.trim().split_once(' ').unwrap();
        assert_eq!(bytes, FIRMWARE_BYTES.to_string(), "{url}");
        assert!(seconds.parse::<f64>().unwrap() > 1.0, "{url}: {seconds} s");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_always_takes_a_little_is_served_to_the_end() {
    /// What it takes at once.
    const PIECE: usize = 64 * 1024;
    let limits = Limits {
        stall_timeout: Duration::from_millis(1_500),
        ..Limits::default()
    };
    let doors = doors(limits).await;
    // With the small buffer of a phone: what its own system holds back is not the door's.
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(2 * 64 * 1024).unwrap();
    let mut slow = socket.connect(doors.plain).await.unwrap();
    let request = format!("GET /{FIRMWARE} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    slow.write_all(request.as_bytes()).await.unwrap();
    let mut piece = vec![0; PIECE];
    let mut taken = 0;
    let mut pace = tokio::time::interval(Duration::from_millis(250));
    // 256 kB/s for 8 s. A client may take nothing for 3 s at most.
    for _ in 0..32 {
        pace.tick().await;
        taken += timeout(DEADLINE, slow.read_exact(&mut piece))
            .await
            .unwrap()
            .unwrap();
    }
    // What lies in the buffers is not all: it was not cut off long ago.
    let mut rest = Vec::new();
    let read = timeout(DEADLINE, slow.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(read.is_ok(), "{read:?} after {taken} bytes");
    assert!(
        (taken + rest.len()) as u64 > FIRMWARE_BYTES,
        "{} bytes",
        taken + rest.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_loses_its_place() {
    let limits = Limits {
        connections_max: 1,
        stall_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let doors = doors(limits).await;
    let mut idle = TcpStream::connect(doors.plain).await.unwrap();
    let request = format!("GET /{FIRMWARE} HTTP/1.1\r\nHost: x\r\n\r\n");
    idle.write_all(request.as_bytes()).await.unwrap();
    let answered = timeout(DEADLINE, idle.peek(&mut [0])).await;
    assert_eq!(answered.expect("an answer").unwrap(), 1);
    let another = async {
        loop {
            let head = ["--head"];
            let url = &doors.urls[0];
            match doors.server.handset.try_run(url, &head).await {
                Ok(answer) => return answer.status,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    let status = timeout(DEADLINE, another).await;
    assert_eq!(status.expect("the place is free"), 200);
    let mut taken = Vec::new();
    let cut_off = timeout(DEADLINE, idle.read_to_end(&mut taken)).await;
    let _ = cut_off.expect("the connection is closed");
    assert!((taken.len() as u64) < FIRMWARE_BYTES);
}
