//! The door over real sockets, spoken to in hand-made datagrams.

use std::collections::HashMap;
use std::net::IpAddr;

use std::time::Duration;

use tokio::sync::mpsc;

use super::*;
use crate::server::shutdown;
use crate::server::shutdown::ShutdownTrigger;

/// How long a test waits for a datagram before it fails.
const DEADLINE: Duration = Duration::from_secs(20);

/// Files in memory; says when one was resolved.
struct Shelf {
    files: HashMap<&'static str, Vec<u8>>,
    resolved: mpsc::UnboundedSender<String>,
}

impl FileSource for Shelf {
    async fn resolve(&self, name: &[u8], _: IpAddr, _: FileDoor) -> Resolved {
        let name = String::from_utf8_lossy(name).into_owned();
        let found = match self.files.get(name.as_str()) {
            Some(bytes) => Resolved::Found(Content::Generated(bytes.clone().into()), None),
            None => Resolved::NotFound,
        };
        let _ = self.resolved.send(name);
        found
    }

    fn begins(&self, _: &FetchReceipt) -> bool {
        true
    }

    fn fetched(&self, _: FetchReceipt) {}
}

struct Server {
    address: SocketAddr,
    resolved: mpsc::UnboundedReceiver<String>,
    _trigger: ShutdownTrigger,
}

/// A door that sends again after `first_wait`.
async fn start(files: &[(&'static str, Vec<u8>)], first_wait: Duration) -> Server {
    let limits = Limits {
        first_wait,
        longest_wait: first_wait,
        ..Limits::of_blksize(1_428)
    };
    start_with(files, limits).await
}

async fn start_with(files: &[(&'static str, Vec<u8>)], limits: Limits) -> Server {
    start_for(files, limits, TRANSFERS_MAX).await
}

/// A door for this many clients at once.
async fn start_for(
    files: &[(&'static str, Vec<u8>)],
    limits: Limits,
    clients_max: usize,
) -> Server {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    let (trigger, shutdown) = shutdown::channel();
    let (sender, resolved) = mpsc::unbounded_channel();
    let door = Door {
        files: Arc::new(Shelf {
            files: files.iter().cloned().collect(),
            resolved: sender,
        }),
        limits,
        clients: Clients::new(clients_max),
    };
    tokio::spawn(serve(socket, Arc::new(door), shutdown));
    Server {
        address,
        resolved,
        _trigger: trigger,
    }
}

/// A door that never sends again while a test runs.
async fn start_patient(files: &[(&'static str, Vec<u8>)]) -> Server {
    start(files, DEADLINE * 2).await
}

struct Client {
    socket: UdpSocket,
    /// Where the transfer's packets come from.
    peer: SocketAddr,
}

impl Client {
    async fn ask(server: &Server, request: &[u8]) -> (Self, Vec<u8>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.send_to(request, server.address).await.unwrap();
        let mut client = Self {
            socket,
            peer: server.address,
        };
        let first = client.receive().await;
        assert_ne!(client.peer, server.address, "answered from a fresh port");
        (client, first)
    }

    async fn receive(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 70_000];
        let received = timeout(DEADLINE, self.socket.recv_from(&mut bytes)).await;
        let (length, peer) = received.expect("a datagram").unwrap();
        self.peer = peer;
        bytes.truncate(length);
        bytes
    }

    async fn acknowledge(&self, block: u16) {
        let packet = [&[0, 4], block.to_be_bytes().as_slice()].concat();
        self.socket.send_to(&packet, self.peer).await.unwrap();
    }

    /// Takes the rest of a transfer whose first packet is `packet`; gives the bytes.
    async fn take(&mut self, mut packet: Vec<u8>, blksize: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        loop {
            assert_eq!(packet[..2], [0, 3]);
            bytes.extend_from_slice(&packet[4..]);
            self.acknowledge(block_of(&packet)).await;
            if packet.len() < blksize + 4 {
                return bytes;
            }
            packet = self.receive().await;
        }
    }

    fn nothing_more(&self) {
        let mut bytes = [0; 16];
        assert!(self.socket.try_recv(&mut bytes).is_err());
    }
}

fn block_of(packet: &[u8]) -> u16 {
    u16::from_be_bytes([packet[2], packet[3]])
}

fn bytes(length: usize) -> Vec<u8> {
    (0..=250).cycle().take(length).collect()
}

#[tokio::test]
async fn files_of_every_length_arrive_whole() {
    for length in [0, 1, 511, 512, 513, 1024, 5000] {
        let server = start_patient(&[("f", bytes(length))]).await;
        let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
        assert_eq!(client.take(first, 512).await, bytes(length), "{length}");
    }
}

#[tokio::test]
async fn options_are_acknowledged_and_the_block_size_is_capped() {
    let server = start_patient(&[("f", bytes(5000))]).await;
    let request = b"\0\x01f\0octet\0tsize\x000\0blksize\x0065464\0timeout\x007\0nonsense\x001\0";
    let (mut client, first) = Client::ask(&server, request).await;
    assert_eq!(
        first,
        b"\0\x06blksize\x001428\0tsize\x005000\0timeout\x007\0"
    );
    client.acknowledge(0).await;
    let packet = client.receive().await;
    assert_eq!(client.take(packet, 1428).await, bytes(5000));
}

#[tokio::test]
async fn a_duplicate_acknowledgement_does_not_double_the_traffic() {
    let server = start_patient(&[("f", bytes(3000))]).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    assert_eq!(block_of(&first), 1);
    for _ in 0..3 {
        client.acknowledge(1).await;
    }
    for block in 2..=5 {
        assert_eq!(block_of(&client.receive().await), block);
        client.acknowledge(block).await;
        client.acknowledge(block).await;
    }
    assert_eq!(block_of(&client.receive().await), 6);
    client.nothing_more();
}

#[tokio::test]
async fn a_packet_of_a_stranger_gets_error_5_and_the_transfer_goes_on() {
    let server = start_patient(&[("f", bytes(1000))]).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let mut stranger = Client {
        socket: UdpSocket::bind("127.0.0.1:0").await.unwrap(),
        peer: client.peer,
    };
    stranger.acknowledge(1).await;
    assert_eq!(stranger.receive().await[..4], [0, 5, 0, 5]);
    client.nothing_more();
    assert_eq!(client.take(first, 512).await, bytes(1000));
}

#[tokio::test]
async fn what_is_not_a_read_request_is_refused_with_its_code() {
    let server = start_patient(&[("f", bytes(10))]).await;
    for (request, code) in [
        (&b"\0\x01absent\0octet\0"[..], 1),
        (b"\0\x02f\0octet\0", 2),
        (b"\0\x01f\0mail\0", 4),
        (b"\0\x01f", 4),
        (b"\0\x07", 4),
        (b"", 4),
    ] {
        let (_, answer) = Client::ask(&server, request).await;
        assert_eq!(answer[..4], [0, 5, 0, code], "{}", request.escape_ascii());
        assert_eq!(answer.last(), Some(&0));
    }
}

#[tokio::test]
async fn a_repeated_request_is_served_once() {
    let mut server = start_patient(&[("f", bytes(600))]).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    for _ in 0..5 {
        let again = client
            .socket
            .send_to(b"\0\x01f\0octet\0", server.address)
            .await;
        again.unwrap();
    }
    assert_eq!(client.take(first, 512).await, bytes(600));
    let (mut other, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    other.take(first, 512).await;
    client.nothing_more();
    server.resolved.recv().await.unwrap();
    server.resolved.recv().await.unwrap();
    assert!(
        server.resolved.try_recv().is_err(),
        "resolved once a client"
    );
}

#[tokio::test]
async fn an_unanswered_packet_is_sent_again_a_few_times_and_then_no_more() {
    let server = start(&[("f", bytes(600))], Duration::from_millis(20)).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let peer = client.peer;
    for _ in 0..2 {
        assert_eq!(client.receive().await, first);
    }
    // The client never answered, so three packets are all that a forged address could cause.
    // Once the door has forgotten it, the same client is served anew, from another port.
    while client.peer == peer {
        let again = client
            .socket
            .send_to(b"\0\x01f\0octet\0", server.address)
            .await;
        again.unwrap();
        let mut bytes = [0; 600];
        let waited = timeout(
            Duration::from_millis(5),
            client.socket.recv_from(&mut bytes),
        );
        if let Ok(Ok((_, answered_from))) = waited.await {
            client.peer = answered_from;
        }
    }
}

#[tokio::test]
async fn a_lost_block_is_sent_again() {
    let server = start(&[("f", bytes(600))], Duration::from_millis(20)).await;
    let (mut client, _lost) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let again = client.receive().await;
    assert_eq!(block_of(&again), 1);
    client.acknowledge(1).await;
    loop {
        let packet = client.receive().await;
        if block_of(&packet) == 2 {
            assert_eq!(packet.len(), 4 + 88);
            return client.acknowledge(2).await;
        }
    }
}

#[tokio::test]
async fn windows_are_sent_at_once_and_a_lost_block_moves_the_window_back() {
    let server = start_patient(&[("f", bytes(10_000))]).await;
    let request = b"\0\x01f\0octet\0blksize\x001000\0windowsize\x004\0";
    let (mut client, first) = Client::ask(&server, request).await;
    assert_eq!(first, b"\0\x06blksize\x001000\0windowsize\x004\0");
    client.acknowledge(0).await;
    for block in 1..=4 {
        assert_eq!(block_of(&client.receive().await), block);
    }
    client.acknowledge(2).await;
    for block in 3..=6 {
        assert_eq!(block_of(&client.receive().await), block);
    }
    client.acknowledge(6).await;
    for block in 7..=10 {
        assert_eq!(block_of(&client.receive().await), block);
    }
    client.acknowledge(10).await;
    assert_eq!(
        client.receive().await,
        [0, 3, 0, 11],
        "an empty block ends it"
    );
    client.acknowledge(11).await;
}

#[tokio::test]
async fn block_numbers_wrap_in_files_of_more_than_65_535_blocks() {
    let length = 8 * 66_000 + 3;
    let server = start_patient(&[("f", bytes(length))]).await;
    let request = b"\0\x01f\0octet\0blksize\x008\0windowsize\x0016\0";
    let (mut client, _) = Client::ask(&server, request).await;
    client.acknowledge(0).await;
    let mut received = Vec::with_capacity(length);
    let mut blocks = 0_u32;
    loop {
        let packet = client.receive().await;
        blocks += 1;
        assert_eq!(u32::from(block_of(&packet)), blocks & 0xffff);
        received.extend_from_slice(&packet[4..]);
        let is_last = packet.len() < 12;
        if blocks.is_multiple_of(16) || is_last {
            client.acknowledge(block_of(&packet)).await;
        }
        if is_last {
            break;
        }
    }
    assert_eq!(blocks, 66_001);
    assert!(received == bytes(length));
}

#[tokio::test]
async fn lines_travel_in_netascii_and_tsize_is_what_travels() {
    let server = start_patient(&[("f", b"a\nb\rc\n".to_vec())]).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0NetASCII\0tsize\x000\0").await;
    assert_eq!(first, b"\0\x06tsize\x009\0");
    client.acknowledge(0).await;
    let packet = client.receive().await;
    assert_eq!(client.take(packet, 512).await, b"a\r\nb\r\0c\r\n");
}

#[tokio::test]
async fn a_client_error_ends_the_transfer_without_an_answer() {
    let server = start(&[("f", bytes(600))], Duration::from_millis(20)).await;
    let (client, _) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let error = packet::error(ErrorCode::NotDefined, "no room");
    client.socket.send_to(&error, client.peer).await.unwrap();
    // The client is forgotten at once: its next request is served from another port.
    let mut again = Client {
        socket: client.socket,
        peer: client.peer,
    };
    while again.peer == client.peer {
        again
            .socket
            .send_to(b"\0\x01f\0octet\0again\x001\0", server.address)
            .await
            .unwrap();
        again.receive().await;
    }
}

#[tokio::test]
async fn shutdown_ends_the_door() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (trigger, shutdown) = shutdown::channel();
    let (sender, _resolved) = mpsc::unbounded_channel();
    let shelf = Shelf {
        files: HashMap::new(),
        resolved: sender,
    };
    let door = tokio::spawn(run(socket, Arc::new(shelf), 1_428, shutdown));
    trigger.request();
    timeout(DEADLINE, door).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn the_next_request_of_the_same_port_is_served_at_once() {
    let server = start_patient(&[("f", bytes(600)), ("g", bytes(20))]).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    assert_eq!(client.take(first, 512).await, bytes(600));
    for name in ["g", "f", "f", "g", "f"].repeat(20) {
        let request = format!("\0\x01{name}\0octet\0tsize\x000\0");
        let request = request.as_bytes();
        client
            .socket
            .send_to(request, server.address)
            .await
            .unwrap();
        assert_eq!(client.receive().await[..2], [0, 6], "{name}");
        client.acknowledge(0).await;
        let packet = client.receive().await;
        let length = if name == "f" { 600 } else { 20 };
        assert_eq!(client.take(packet, 512).await, bytes(length));
    }
}

#[tokio::test]
async fn a_client_that_turns_to_another_file_is_not_kept_waiting_for_the_first() {
    let server = start_patient(&[("f", bytes(600)), ("g", bytes(20))]).await;
    let (mut client, _) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let request = b"\0\x01g\0octet\0";
    client
        .socket
        .send_to(request, server.address)
        .await
        .unwrap();
    let packet = client.receive().await;
    assert_eq!(client.take(packet, 512).await, bytes(20));
}

#[tokio::test]
async fn retransmissions_back_off_to_a_cap_and_end_after_five() {
    let limits = Limits {
        first_wait: Duration::from_millis(20),
        longest_wait: Duration::from_millis(50),
        ..Limits::of_blksize(1_428)
    };
    let server = start_with(&[("f", bytes(600))], limits).await;
    let (mut client, _) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    let peer = client.peer;
    let acknowledged_at = std::time::Instant::now();
    client.acknowledge(1).await;
    let second = loop {
        let packet = client.receive().await;
        if block_of(&packet) == 2 {
            break packet;
        }
    };
    for _ in 0..5 {
        assert_eq!(client.receive().await, second);
    }
    // 20, 40, then the cap of 50 three times: earlier than that no timer fires.
    assert!(acknowledged_at.elapsed() >= Duration::from_millis(20 + 40 + 50 * 3));
    // A sixth would come before the client is forgotten and served anew from another port.
    while client.peer == peer {
        let request = b"\0\x01f\0octet\0tsize\x000\0";
        let asked = client.socket.send_to(request, server.address).await;
        asked.unwrap();
        let mut packet = vec![0; 600];
        let waited = timeout(
            Duration::from_millis(5),
            client.socket.recv_from(&mut packet),
        );
        if let Ok(Ok((_, from))) = waited.await {
            assert!(from != peer, "sent a sixth time");
            client.peer = from;
        }
    }
}

#[tokio::test]
async fn clients_that_went_away_give_their_places_back() {
    let limits = Limits {
        first_wait: Duration::from_millis(100),
        longest_wait: Duration::from_millis(100),
        ..Limits::of_blksize(1_428)
    };
    let files = [("f", bytes(600)), ("g", bytes(20))];
    let server = start_for(&files, limits, 2).await;
    let mut silent = Vec::new();
    for _ in 0..2 {
        // Their addresses are proven, so they keep their places for a while.
        let (mut client, _) = Client::ask(&server, b"\0\x01f\0octet\0").await;
        client.acknowledge(1).await;
        while block_of(&client.receive().await) != 2 {}
        silent.push(client);
    }
    let started = std::time::Instant::now();
    let third = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut asked = 0;
    let mut packet = [0; 600];
    loop {
        let request = b"\0\x01g\0octet\0";
        third.send_to(request, server.address).await.unwrap();
        asked += 1;
        let answered = timeout(Duration::from_millis(10), third.recv_from(&mut packet));
        if answered.await.is_ok() {
            break;
        }
        assert!(started.elapsed() < DEADLINE, "the places stay taken");
    }
    assert!(asked > 1, "there was no place for a third");
    drop(silent);
}

#[tokio::test]
async fn a_client_that_acknowledges_keeps_its_place_when_forged_requests_come() {
    let files = [("f", bytes(600)), ("g", bytes(20))];
    let limits = Limits {
        first_wait: DEADLINE * 2,
        ..Limits::of_blksize(1_428)
    };
    let server = start_for(&files, limits, 2).await;
    let (mut client, first) = Client::ask(&server, b"\0\x01f\0octet\0").await;
    assert_eq!(block_of(&first), 1);
    client.acknowledge(1).await;
    let second = client.receive().await;
    for _ in 0..20 {
        let (_forged, first) = Client::ask(&server, b"\0\x01g\0octet\0").await;
        assert_eq!(
            block_of(&first),
            1,
            "each takes the place of the one before"
        );
    }
    assert_eq!(client.take(second, 512).await.len(), 88);
}
