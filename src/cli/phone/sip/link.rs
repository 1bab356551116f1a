//! The phone's connection to its `CallManager`, over UDP, TCP or TLS.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::browser::BrowserError;
use super::super::config::{CallManager, Transport};
use super::message::{MESSAGE_BYTES_MAX, Message, framed_length};

/// How long a phone waits for a TCP connection, and for the TLS handshake on it.
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
    Tls(Box<TlsStream<TcpStream>>),
}

/// What a phone trusts over TLS: the certificates of `ca_file` (PEM), as a trust list would name
/// them.
///
/// # Errors
///
/// The file cannot be read or holds no certificate.
pub fn trust(ca_file: &Path) -> Result<TlsConnector, BrowserError> {
    let unusable = |reason: String| BrowserError::CaFile {
        path: ca_file.display().to_string(),
        reason,
    };
    let pem = std::fs::read(ca_file).map_err(|error| unusable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem).flatten() {
        let added = roots.add(certificate);
        added.map_err(|error| unusable(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unusable("it holds no certificate".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

impl Link {
    /// Connects. Over TLS the node's certificate must be trusted by `trust`.
    ///
    /// # Errors
    ///
    /// The name does not resolve, nobody accepts the connection, or nothing is trusted.
    pub async fn open(
        node: &CallManager,
        transport: Transport,
        trust: Option<&TlsConnector>,
    ) -> io::Result<Self> {
        let server = lookup_host((node.host.as_str(), node.port(transport)))
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
            Transport::Tcp => Socket::Tcp(connect(server).await?),
            Transport::Tls => Socket::Tls(Box::new(secure(node, server, trust).await?)),
        };
        let local = match &socket {
            Socket::Udp(socket) => socket.local_addr()?,
            Socket::Tcp(stream) => stream.local_addr()?,
            Socket::Tls(stream) => stream.get_ref().0.local_addr()?,
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
            Socket::Tls(_) => Transport::Tls,
        }
    }

    /// Sends one message.
    ///
    /// # Errors
    ///
    /// The connection is gone.
    pub async fn send(&mut self, message: &str) -> io::Result<()> {
        match &mut self.socket {
            Socket::Udp(socket) => socket.send(message.as_bytes()).await.map(|_| ()),
            Socket::Tcp(stream) => stream.write_all(message.as_bytes()).await,
            Socket::Tls(stream) => {
                stream.write_all(message.as_bytes()).await?;
                stream.flush().await
            }
        }
    }

    /// Waits for the next message. What is no SIP message (a keep-alive) is skipped. Dropping the
    /// future loses nothing.
    ///
    /// # Errors
    ///
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
            Socket::Tcp(stream) => read_message(stream, &mut self.buffer).await,
            Socket::Tls(stream) => read_message(stream, &mut self.buffer).await,
        }
    }
}

async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(server)).await;
    let stream = stream.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A phone without a trust list does not speak TLS: it could not tell its server from another.
async fn secure(
    node: &CallManager,
    server: SocketAddr,
    trust: Option<&TlsConnector>,
) -> io::Result<TlsStream<TcpStream>> {
    let trust = trust.ok_or_else(|| {
        io::Error::other("the phone trusts no certificate: give it one with --ca-file")
    })?;
    let name = ServerName::try_from(node.host.clone()).map_err(io::Error::other)?;
    let stream = connect(server).await?;
    let secured = timeout(CONNECT_TIMEOUT, trust.connect(name, stream)).await;
    secured.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn read_message<S: AsyncRead + Unpin>(
    stream: &mut S,
    buffer: &mut BytesMut,
) -> io::Result<Message> {
    loop {
        if let Some(message) = next_in(buffer)? {
            return Ok(message);
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
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
            secure_sip_port: 0,
        };
        let (link, accepted) =
            tokio::join!(Link::open(&node, Transport::Tcp, None), listener.accept());
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
