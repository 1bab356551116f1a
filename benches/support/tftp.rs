//! A TFTP client on one thread, as many transfers at once as asked for: files again and again with
//! every byte compared, or one file once.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::time::timeout;

/// Time after which a packet is sent again.
const RESEND: Duration = Duration::from_millis(500);

/// A file to fetch.
pub(crate) struct Wanted {
    /// Its name.
    pub(crate) name: String,
    /// What it must be.
    pub(crate) bytes: Vec<u8>,
}

/// What the clients did.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Done {
    /// Files fetched.
    pub(crate) files: u32,
    /// Bytes in them.
    pub(crate) bytes: f64,
    /// Packets that had to be sent again.
    pub(crate) resent: u32,
    /// From the first request to the last acknowledgement.
    pub(crate) elapsed_s: f64,
}

/// Runs one client for each file until `duration` is over and the transfers under way have ended.
pub(crate) async fn run(
    server: SocketAddr,
    wanted: &[Arc<Wanted>],
    options: &'static str,
    duration: Duration,
) -> Done {
    let started = Instant::now();
    let until = started + duration;
    let clients: Vec<_> = wanted
        .iter()
        .cloned()
        .map(|wanted| tokio::task::spawn_local(repeat(server, wanted, options, until)))
        .collect();
    let mut all = Done::default();
    for client in clients {
        let done = client.await.unwrap();
        all.files += done.files;
        all.bytes += done.bytes;
        all.resent += done.resent;
    }
    all.elapsed_s = started.elapsed().as_secs_f64();
    all
}

async fn repeat(
    server: SocketAddr,
    wanted: Arc<Wanted>,
    options: &'static str,
    until: Instant,
) -> Done {
    let mut done = Done::default();
    while Instant::now() < until {
        let mut position = 0;
        let resent = fetch(server, &wanted.name, options, |data| {
            let expected = wanted.bytes.get(position..position + data.len());
            assert!(expected == Some(data), "{} differs", wanted.name);
            position += data.len();
        });
        done.resent += resent.await.unwrap();
        assert_eq!(position, wanted.bytes.len());
        done.files += 1;
        done.bytes += f64::from(u32::try_from(wanted.bytes.len()).unwrap());
    }
    done
}

/// Fetches one file once, and gives it.
pub(crate) async fn once(server: SocketAddr, name: &str, options: &str) -> Vec<u8> {
    let mut file = Vec::with_capacity(8 * 1_024);
    let fetched = fetch(server, name, options, |data| file.extend_from_slice(data));
    fetched.await.unwrap();
    file
}

/// Fetches one file, from a fresh port as a phone does, and gives its blocks away; gives how often
/// it had to ask again.
async fn fetch(
    server: SocketAddr,
    name: &str,
    options: &str,
    mut take: impl FnMut(&[u8]),
) -> io::Result<u32> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let request = format!("\0\x01{name}\0octet\0{options}");
    let mut last_sent = request.into_bytes();
    let mut peer = server;
    socket.send_to(&last_sent, peer).await?;
    let (mut blksize, mut window) = (512, 1);
    let (mut block, mut unacknowledged, mut resent) = (0_u16, 0, 0);
    let mut packet = [0; 2_048];
    loop {
        let Ok(received) = timeout(RESEND, socket.recv_from(&mut packet)).await else {
            resent += 1;
            socket.send_to(&last_sent, peer).await?;
            continue;
        };
        let (length, from) = received?;
        peer = from;
        match packet[..length] {
            [0, 6, ref options @ ..] => {
                (blksize, window) = granted(options);
                last_sent = vec![0, 4, 0, 0];
                socket.send_to(&last_sent, peer).await?;
            }
            [0, 3, high, low, ref data @ ..] => {
                if u16::from_be_bytes([high, low]) != block.wrapping_add(1) {
                    continue;
                }
                take(data);
                block = block.wrapping_add(1);
                unacknowledged += 1;
                let is_last = data.len() < blksize;
                if unacknowledged == window || is_last {
                    unacknowledged = 0;
                    last_sent = vec![0, 4, high, low];
                    socket.send_to(&last_sent, peer).await?;
                }
                if is_last {
                    return Ok(resent);
                }
            }
            ref other => return Err(io::Error::other(other.escape_ascii().to_string())),
        }
    }
}

/// Block size and window size of an option acknowledgement.
fn granted(options: &[u8]) -> (usize, u16) {
    let text = String::from_utf8_lossy(options);
    let mut words = text.split('\0');
    let (mut blksize, mut window) = (512, 1);
    while let (Some(name), Some(value)) = (words.next(), words.next()) {
        match name {
            "blksize" => blksize = value.parse().unwrap(),
            "windowsize" => window = value.parse().unwrap(),
            _ => {}
        }
    }
    (blksize, window)
}
