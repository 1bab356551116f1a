//! An HTTP/1.1 client over TLS that keeps its connections and costs as little as it can, so that
//! what is measured is the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::figures::Run;

/// One kept connection.
pub(crate) struct Client {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

/// A client configuration that trusts exactly this certificate.
pub(crate) fn trusting(certificate_der: Vec<u8>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate_der.into()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl Client {
    /// Connects to a server whose certificate names `localhost`.
    pub(crate) async fn connect(address: SocketAddr, config: &Arc<ClientConfig>) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name, stream)
            .await
            .unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        }
    }

    /// The connection itself, for answers of another kind.
    pub(crate) fn into_stream(self) -> TlsStream<TcpStream> {
        self.stream
    }

    /// Sends a request and returns the body of its answer, which must be a 200.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let Some(head) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            let length = content_length(&self.buffer[..head])?;
            let body = head + 4;
            while self.buffer.len() < body + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok(&self.buffer[body..]);
        }
    }
}

fn content_length(head: &[u8]) -> io::Result<usize> {
    let head = std::str::from_utf8(head).map_err(io::Error::other)?;
    if !head.starts_with("HTTP/1.1 200 ") {
        return Err(io::Error::other(head.to_owned()));
    }
    head.lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok())
        .ok_or_else(|| io::Error::other("an answer without a length"))
}

/// A GET of `path`, with the headers that a phone sends.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: x-CiscoIPPhone/*;text/*\r\n\
         Accept-Language: en-US\r\nx-CiscoIPPhoneModelName: CP-7841\r\n\r\n"
    )
    .into_bytes()
}

/// A POST of a form to `path`, with the headers that a phone sends.
pub(crate) fn post(path: &str, form: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAccept: x-CiscoIPPhone/*;text/*\r\n\
         Accept-Language: en-US\r\nx-CiscoIPPhoneModelName: CP-7841\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    )
    .into_bytes()
}

/// What one connection asks for again and again, and what every answer must contain.
#[derive(Clone)]
pub(crate) struct Load {
    pub(crate) request: Vec<u8>,
    pub(crate) expected: &'static str,
    /// Time from one request to the next; zero: as fast as the answers come.
    pub(crate) pace: Duration,
}

/// Runs one connection for each load until `duration` is over.
pub(crate) async fn run(
    address: SocketAddr,
    config: &Arc<ClientConfig>,
    loads: Vec<Load>,
    duration: Duration,
) -> Run {
    let mut clients = Vec::new();
    for load in loads {
        clients.push((Client::connect(address, config).await, load));
    }
    let started = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(client, load)| tokio::spawn(repeat(client, load, started + duration)))
        .collect();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.unwrap());
    }
    Run {
        elapsed: started.elapsed(),
        latencies,
    }
}

async fn repeat(mut client: Client, load: Load, until: Instant) -> Vec<Duration> {
    let mut latencies = Vec::with_capacity(1 << 16);
    loop {
        let sent = Instant::now();
        if sent >= until {
            return latencies;
        }
        let body = client.exchange(&load.request).await.unwrap();
        latencies.push(sent.elapsed());
        assert!(
            memchr::memmem::find(body, load.expected.as_bytes()).is_some(),
            "no {:?} in {}",
            load.expected,
            String::from_utf8_lossy(body)
        );
        if !load.pace.is_zero() {
            tokio::time::sleep_until((sent + load.pace).into()).await;
        }
    }
}
