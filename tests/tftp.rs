//! TFTP over real sockets with firmware-size files from the read-only folder: by tftp-hpa, atftp
//! and curl, and by a client of our own that loses packets.

use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::time::Duration;

use crate::common::Database;
use crate::common::TestApp;
use crate::common::TestServer;
use tempfile::TempDir;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long a test waits for something that must happen.
const DEADLINE: Duration = Duration::from_mins(1);

/// A client of ours that has heard nothing for this long acknowledges the last block again.
const QUIET: Duration = Duration::from_millis(50);

/// Bytes of a phone's firmware, not a multiple of any block size used here.
const FIRMWARE_BYTES: usize = 8_000_003;

const FIRMWARE: &str = "sip78xx.12-5-1.loads";

/// A server over a folder with a firmware file, and what stands in the file.
async fn server_with_firmware() -> (TestServer, TempDir, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    // No period of it is a power of two: a block in a wrong place shows.
    let firmware: Vec<u8> = (0..=250).cycle().take(FIRMWARE_BYTES).collect();
    std::fs::write(folder.path().join(FIRMWARE), &firmware).unwrap();
    let test = TestApp::start(&Database::sqlite()).await;
    let server = TestServer::start_with_firmware(test, Some(folder.path())).await;
    (server, folder, firmware)
}

/// Runs a stock client in a folder of its own; a missing one fails the test and says so.
async fn run(folder: &Path, program: &'static str, arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    let folder = folder.to_owned();
    let run = move || {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).output()
    };
    let output = tokio::task::spawn_blocking(run);
    let output = timeout(DEADLINE, output).await.expect("it ends").unwrap();
    output.unwrap_or_else(|error| panic!("{program}: {error}; scripts/test installs it"))
}

/// What curl, atftp or tftp-hpa says of the server's address.
struct Clients {
    folder: TempDir,
    host: String,
    port: String,
}

impl Clients {
    fn of(server: &TestServer) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            host: server.tftp.ip().to_string(),
            port: server.tftp.port().to_string(),
        }
    }

    fn fetched(&self) -> Vec<u8> {
        let path = self.folder.path().join("got");
        let bytes = std::fs::read(&path).unwrap_or_default();
        let _ = std::fs::remove_file(path);
        bytes
    }

    async fn curl(&self, name: &str, more: &[&str]) -> (Output, Vec<u8>) {
        let url = format!("tftp://{}:{}/{name}", self.host, self.port);
        let arguments = ["--silent", "--show-error", "--output", "got", &url];
        let arguments = [&arguments[..], more].concat();
        let output = run(self.folder.path(), "curl", &arguments).await;
        (output, self.fetched())
    }

    async fn atftp(&self, name: &str, options: &[&str]) -> (Output, Vec<u8>) {
        let mut arguments = vec!["--get", "--remote-file", name, "--local-file", "got"];
        for option in options {
            arguments.extend(["--option", option]);
        }
        arguments.extend([self.host.as_str(), self.port.as_str()]);
        let output = run(self.folder.path(), "atftp", &arguments).await;
        (output, self.fetched())
    }

    async fn tftp_hpa(&self, mode: &str, command: &[&str]) -> (String, Vec<u8>) {
        let arguments = [self.host.as_str(), &self.port, "-m", mode, "-c"];
        let arguments = [&arguments[..], command].concat();
        let output = run(self.folder.path(), "tftp", &arguments).await;
        let said = [output.stdout, output.stderr].concat();
        (String::from_utf8_lossy(&said).into_owned(), self.fetched())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stock_client_gets_firmware_whole() {
    let (server, _folder, firmware) = server_with_firmware().await;
    let clients = Clients::of(&server);
    for more in [&["--tftp-blksize", "1428"][..], &["--tftp-blksize", "8192"]] {
        let (output, got) = clients.curl(FIRMWARE, more).await;
        assert!(output.status.success(), "{more:?}: {output:?}");
        assert!(got == firmware, "curl {more:?}");
    }
    for options in [
        &["blksize 1428", "windowsize 16"][..],
        &["blksize 1428", "windowsize 3", "tsize 0", "timeout 2"],
    ] {
        let (output, got) = clients.atftp(FIRMWARE, options).await;
        assert!(output.status.success(), "{options:?}: {output:?}");
        assert!(got == firmware, "atftp {options:?}");
    }
    let (said, got) = clients.tftp_hpa("octet", &["get", FIRMWARE, "got"]).await;
    assert!(got == firmware, "tftp-hpa: {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_more_than_65_535_blocks_arrive_whole_by_stock_clients() {
    let (server, _folder, firmware) = server_with_firmware().await;
    let clients = Clients::of(&server);
    // 66,667 blocks, and the last one is short.
    let (output, got) = clients.curl(FIRMWARE, &["--tftp-blksize", "120"]).await;
    assert!(output.status.success(), "{output:?}");
    assert!(got == firmware, "curl");
    let options = ["blksize 120", "windowsize 16"];
    let (output, got) = clients.atftp(FIRMWARE, &options).await;
    assert!(output.status.success(), "{output:?}");
    assert!(got == firmware, "atftp");
}

#[tokio::test]
async fn lines_survive_netascii_wherever_a_block_ends() {
    let (server, folder, _) = server_with_firmware().await;
    let clients = Clients::of(&server);
    for (name, text) in [
        ("mixed.txt", b"a\nb\rc\r\nd\0e\n\n\r\r\n".to_vec()),
        // As it travels a line end is two bytes: odd blocks end between them.
        ("ends.txt", [&b"x"[..], &b"\n".repeat(2_000)].concat()),
        ("returns.txt", b"\r".repeat(1_023)),
        ("empty.txt", Vec::new()),
    ] {
        std::fs::write(folder.path().join(name), &text).unwrap();
        let (said, got) = clients.tftp_hpa("netascii", &["get", name, "got"]).await;
        assert!(got == text, "{name}: {said} {}", got.escape_ascii());
    }
    let (said, got) = clients
        .tftp_hpa("netascii", &["get", FIRMWARE, "got"])
        .await;
    assert!(said.contains("Too large for netascii"), "{said}");
    assert!(got.is_empty());
}

#[tokio::test]
async fn nobody_can_write() {
    let (server, folder, firmware) = server_with_firmware().await;
    let clients = Clients::of(&server);
    let mine = clients.folder.path().join("mine");
    std::fs::write(&mine, "mine").unwrap();
    for name in ["SEP0011AABBCCDD.cnf.xml", FIRMWARE, "new"] {
        let (said, _) = clients.tftp_hpa("octet", &["put", "mine", name]).await;
        assert!(said.contains("Error code 2"), "{name}: {said}");
        let upload = ["--upload-file", "mine"];
        let (output, _) = clients.curl(name, &upload).await;
        // 69: "permission problem on TFTP server", which is error 2.
        assert_eq!(output.status.code(), Some(69), "{name}: {output:?}");
    }
    assert!(std::fs::read(folder.path().join(FIRMWARE)).unwrap() == firmware);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Fetches a file with these options and loses the datagrams for which `loses` is true; counted
/// from 1. After `quiet` without one it asks again. Gives the bytes and how many blocks came.
async fn fetch_losing(
    server: &TestServer,
    name: &str,
    options: &str,
    quiet: Duration,
    loses: impl Fn(u32) -> bool,
) -> (Vec<u8>, u32) {
    let window = 16;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = format!("\0\x01{name}\0octet\0{options}windowsize\0{window}\0");
    let sent = socket.send_to(request.as_bytes(), server.tftp).await;
    sent.unwrap();
    let mut packet = vec![0; 2_000];
    let (length, peer) = socket.recv_from(&mut packet).await.unwrap();
    assert_eq!(packet[..2], [0, 6], "{}", packet[..length].escape_ascii());
    let (mut bytes, mut block, mut unacknowledged, mut came) = (Vec::new(), 0_u16, 0, 0);
    let acknowledge = async |block: u16| {
        let packet = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        socket.send_to(&packet, peer).await.unwrap();
    };
    acknowledge(0).await;
    loop {
        let Ok(received) = timeout(quiet, socket.recv_from(&mut packet)).await else {
            unacknowledged = 0;
            acknowledge(block).await;
            continue;
        };
        let (length, _) = received.unwrap();
        assert_eq!(packet[..2], [0, 3], "{}", packet[..length].escape_ascii());
        came += 1;
        if loses(came) {
            continue;
        }
        let number = u16::from_be_bytes([packet[2], packet[3]]);
        if number != block.wrapping_add(1) {
            // RFC 7440 clause 4: a gap is answered with the last block that came in order.
            if unacknowledged > 0 || number == block.wrapping_add(2) {
                unacknowledged = 0;
                acknowledge(block).await;
            }
            continue;
        }
        block = number;
        bytes.extend_from_slice(&packet[4..length]);
        unacknowledged += 1;
        let is_last = length < 1_000 + 4;
        if unacknowledged == window || is_last {
            unacknowledged = 0;
            acknowledge(block).await;
        }
        if is_last {
            return (bytes, came);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn loss_anywhere_in_a_window_is_mended() {
    let (server, folder, _) = server_with_firmware().await;
    let text: Vec<u8> = (0..=250).cycle().take(200_500).collect();
    std::fs::write(folder.path().join("small.bin"), &text).unwrap();
    let options = "blksize\x001000\0";
    for nth in 1..=16 {
        // The n-th block of the first windows, then one in 37.
        let loses = |came: u32| came == nth || came % 37 == nth;
        let fetched = fetch_losing(&server, "small.bin", options, QUIET, loses);
        let (bytes, came) = timeout(DEADLINE, fetched).await.expect("it arrives");
        assert!(bytes == text, "{nth}");
        assert!(came > 201, "{nth}: nothing was lost");
    }
}

#[tokio::test]
async fn without_loss_a_window_costs_no_block_more() {
    let (server, folder, _) = server_with_firmware().await;
    let text = vec![7; 200_500];
    std::fs::write(folder.path().join("small.bin"), &text).unwrap();
    let options = "blksize\x001000\0timeout\x00255\0";
    let (bytes, came) = fetch_losing(&server, "small.bin", options, DEADLINE, |_| false).await;
    assert!(bytes == text);
    assert_eq!(came, 201);
}

#[tokio::test]
async fn a_file_that_shrinks_while_it_is_sent_ends_with_an_error() {
    let (server, folder, _) = server_with_firmware().await;
    let path = folder.path().join("shrinks.bin");
    std::fs::write(&path, vec![7; 200_000]).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = b"\0\x01shrinks.bin\0octet\0blksize\x001000\0";
    socket.send_to(request, server.tftp).await.unwrap();
    let mut packet = vec![0; 2_000];
    let (_, peer) = socket.recv_from(&mut packet).await.unwrap();
    assert_eq!(packet[..2], [0, 6]);
    std::fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(100_000)
        .unwrap();
    let mut block = 0_u16;
    loop {
        let acknowledgement = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        socket.send_to(&acknowledgement, peer).await.unwrap();
        let received = timeout(DEADLINE, socket.recv_from(&mut packet)).await;
        received.expect("an answer").unwrap();
        if packet[..2] == [0, 5] {
            return;
        }
        block = u16::from_be_bytes([packet[2], packet[3]]);
        assert!(block <= 100, "there is no more of it");
    }
}

/// A datagram, which must come.
async fn receive(socket: &UdpSocket) -> (Vec<u8>, std::net::SocketAddr) {
    let mut packet = vec![0; 70_000];
    let received = timeout(DEADLINE, socket.recv_from(&mut packet)).await;
    let (length, sender) = received.expect("an answer").unwrap();
    packet.truncate(length);
    (packet, sender)
}

/// How many datagrams lie waiting; each must be error 5.
fn errors_5(socket: &UdpSocket) -> usize {
    let mut packet = [0; 600];
    let mut count = 0;
    while socket.try_recv(&mut packet).is_ok() {
        assert_eq!(packet[..4], [0, 5, 0, 5]);
        count += 1;
    }
    count
}

/// Source: RFC 1350 clause 4 (an error 5 for a wrong TID), clause 7 (nobody answers an error).
#[tokio::test]
async fn an_error_from_a_wrong_port_is_not_answered_and_strangers_only_a_few_times() {
    let (server, folder, _) = server_with_firmware().await;
    std::fs::write(folder.path().join("small.bin"), vec![7; 5_000]).unwrap();
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = b"\0\x01small.bin\0octet\0";
    client.send_to(request, server.tftp).await.unwrap();
    let (_, transfer) = receive(&client).await;
    // Its next block says that the transfer has read all that lay before the acknowledgement.
    let next_block = async |acknowledged: u8| {
        let packet = [0, 4, 0, acknowledged];
        client.send_to(&packet, transfer).await.unwrap();
        let (data, _) = receive(&client).await;
        assert_eq!(data[..4], [0, 3, 0, acknowledged + 1]);
    };
    for packet in [
        &b"\0\x05\0\x05Unknown transfer ID\0"[..],
        request,
        b"\0\x09",
        b"x",
    ] {
        stranger.send_to(packet, transfer).await.unwrap();
    }
    next_block(1).await;
    assert_eq!(errors_5(&stranger), 0, "errors answer errors");
    for _ in 0..10 {
        stranger.send_to(&[0, 4, 0, 1], transfer).await.unwrap();
    }
    next_block(2).await;
    assert_eq!(errors_5(&stranger), 3);
    for _ in 0..10 {
        stranger.send_to(&[0, 3, 0, 1, 7], transfer).await.unwrap();
    }
    next_block(3).await;
    assert_eq!(errors_5(&stranger), 0, "no more of them in this transfer");
}

#[tokio::test]
async fn a_request_that_is_filled_up_with_nul_is_served() {
    let (server, folder, _) = server_with_firmware().await;
    std::fs::write(folder.path().join("small.bin"), b"all of it").unwrap();
    for options in ["", "tsize\x000\0"] {
        for padding in 0..=5 {
            let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let padding = "\0".repeat(padding);
            let request = format!("\0\x01small.bin\0octet\0{options}{padding}");
            let sent = client.send_to(request.as_bytes(), server.tftp).await;
            sent.unwrap();
            let (mut answer, transfer) = receive(&client).await;
            if !options.is_empty() {
                assert_eq!(answer, b"\0\x06tsize\x009\0", "{padding:?}");
                client.send_to(&[0, 4, 0, 0], transfer).await.unwrap();
                answer = receive(&client).await.0;
            }
            assert_eq!(answer, b"\0\x03\0\x01all of it", "{padding:?}");
        }
    }
    // Half an option is none that can be granted.
    let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let request = b"\0\x01small.bin\0octet\0blksize\0";
    client.send_to(request, server.tftp).await.unwrap();
    assert_eq!(receive(&client).await.0[..4], [0, 5, 0, 4]);
}
