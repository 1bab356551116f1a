//! An HTTP/1.1 client that keeps its connection and takes whole answers with a Content-Length.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One kept connection.
pub(crate) struct KeptHttp {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl KeptHttp {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream,
            buffer: Vec::with_capacity(16 * 1_024),
        }
    }

    /// The body of the answer, which must be a 200.
    pub(crate) async fn get(&mut self, path: &str) -> &[u8] {
        let request = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.unwrap();
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.unwrap();
            assert!(read > 0, "the connection was closed");
            let Some(head_length) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            let (start, length) = (head_length + 4, self.body_length(head_length));
            if self.buffer.len() >= start + length {
                return &self.buffer[start..start + length];
            }
        }
    }

    fn body_length(&self, head_length: usize) -> usize {
        let head = std::str::from_utf8(&self.buffer[..head_length]).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        let length = head.split("\r\n").find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.parse().ok())?
        });
        length.unwrap()
    }
}
