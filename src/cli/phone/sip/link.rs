//! The phone's connection to its `CallManager`, over UDP or TCP.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;

use super::super::config::{CallManager, Transport};
use super::message::{MESSAGE_BYTES_MAX, Message, framed_length};

/// How long a phone waits for a TCP connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection to one `CallManager`.
#[derive(Debug)]
pub struct Link {
    socket: Socket,
    /// This phone's address on it.
    pub local: SocketAddr,
    buffer: BytesMut,
}

#[derive(Debug)]
enum Socket {
    Udp(UdpSocket),
    Tcp(TcpStream),
}

impl Link {
    /// Connects.
    ///
    /// # Errors
    /// The name does not resolve or nobody accepts the connection.
    pub async fn open(node: &CallManager, transport: Transport) -> io::Result<Self> {
        let server = lookup_host((node.host.as_str(), node.sip_port))
            .await?
            .next();
        let server = server.ok_or_else(|| io::Error::other("the name has no address"))?;
        let socket = match transport {
            Transport::Udp => {
                let any: SocketAddr = match server {
                    SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
                    SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
                };
                let socket = UdpSocket::bind(any).await?;
                socket.connect(server).await?;
                Socket::Udp(socket)
            }
            Transport::Tcp => {
                let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await;
                let stream = stream.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
                stream.set_nodelay(true)?;
                Socket::Tcp(stream)
            }
        };
        let local = match &socket {
            Socket::Udp(socket) => socket.local_addr()?,
            Socket::Tcp(stream) => stream.local_addr()?,
        };
        Ok(Self {
            socket,
            local,
            buffer: BytesMut::new(),
        })
    }

    /// How this link talks.
    pub const fn transport(&self) -> Transport {
        match self.socket {
            Socket::Udp(_) => Transport::Udp,
            Socket::Tcp(_) => Transport::Tcp,
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn send(&mut self, message: &str) -> io::Result<()> {
        match &mut self.socket {
            Socket::Udp(socket) => socket.send(message.as_bytes()).await.map(|_| ()),
            Socket::Tcp(stream) => stream.write_all(message.as_bytes()).await,
        }
    }

    /// Waits for the next message. What is no SIP message (a keep-alive) is skipped. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    /// The connection is gone.
    pub async fn receive(&mut self) -> io::Result<Message> {
        match &mut self.socket {
            Socket::Udp(socket) => loop {
                self.buffer.clear();
                self.buffer.reserve(MESSAGE_BYTES_MAX);
                socket.recv_buf(&mut self.buffer).await?;
                if let Ok(message) = Message::parse(&self.buffer) {
                    return Ok(message);
                }
            },
            Socket::Tcp(stream) => loop {
                if let Some(message) = next_in(&mut self.buffer)? {
                    return Ok(message);
                }
                if stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            },
        }
    }
}

/// Takes the first complete message from a stream's buffer.
fn next_in(buffer: &mut BytesMut) -> io::Result<Option<Message>> {
    // Keep-alives between messages (RFC 5626 section 4.4.1).
    let blank = buffer
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let _ = buffer.split_to(blank);
    let length = framed_length(buffer).map_err(io::Error::other)?;
    let Some(length) = length else {
        return Ok(None);
    };
    Message::parse(&buffer.split_to(length))
        .map(Some)
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn messages_in_pieces_over_tcp_are_put_together() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let node = CallManager {
            host: "127.0.0.1".into(),
            sip_port: listener.local_addr().unwrap().port(),
        };
        let (link, accepted) = tokio::join!(Link::open(&node, Transport::Tcp), listener.accept());
        let (mut link, (mut server, _)) = (link.unwrap(), accepted.unwrap());
        let message = "\r\n\r\nSIP/2.0 200 OK\r\nCSeq: 1 REGISTER\r\nContent-Length: 2\r\n\r\nhi";
        server.write_all(message.as_bytes()).await.unwrap();
        server.write_all(&message.as_bytes()[..30]).await.unwrap();
        assert_eq!(link.receive().await.unwrap().body, b"hi");
        server.write_all(&message.as_bytes()[30..]).await.unwrap();
        assert_eq!(link.receive().await.unwrap().body, b"hi");
        drop(server);
        assert!(link.receive().await.is_err());
    }
}
