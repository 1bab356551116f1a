//! A stream that tells whether anything moves on it, so that a client that takes nothing of its
//! answer can be told from one that takes it slowly.

use std::io;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;
use std::time::Duration;

use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::time::sleep;

/// What moves on one connection.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes written, and one for each time that all of them were flushed.
    written: AtomicU64,
    /// Bytes read.
    read: AtomicU64,
    /// Whether bytes wait until the client takes some.
    is_blocked: AtomicBool,
}

impl Progress {
    /// Waits until bytes have lain before the client for `limit`, at most twice that, and it took
    /// none.
    pub(super) async fn stalled(&self, limit: Duration) {
        let is_blocked = || self.is_blocked.load(Ordering::Relaxed);
        unmoved(limit, || is_blocked().then(|| self.written())).await;
    }

    /// Waits until nothing has moved for `limit`, at most twice that, in either direction.
    pub(super) async fn at_rest(&self, limit: Duration) {
        let moved = || {
            self.written()
                .wrapping_add(self.read.load(Ordering::Relaxed))
        };
        unmoved(limit, || Some(moved())).await;
    }

    fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    fn note<T>(&self, polled: &Poll<io::Result<T>>, bytes: impl Fn(&T) -> usize) {
        match polled {
            Poll::Pending => self.is_blocked.store(true, Ordering::Relaxed),
            Poll::Ready(done) => {
                add(&self.written, done.as_ref().map_or(0, bytes));
                self.is_blocked.store(false, Ordering::Relaxed);
            }
        }
    }
}

fn add(counter: &AtomicU64, bytes: usize) {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    counter.fetch_add(bytes, Ordering::Relaxed);
}

/// Waits until `moved` gives the same at both ends of a `limit`; `None` never counts.
async fn unmoved(limit: Duration, moved: impl Fn() -> Option<u64>) {
    let mut seen = None;
    loop {
        let now = moved();
        if seen.is_some() && seen == now {
            return;
        }
        seen = now;
        sleep(limit).await;
    }
}

/// The stream.
#[derive(Debug)]
pub(super) struct WatchedStream<S> {
    stream: S,
    progress: Arc<Progress>,
}

impl<S> WatchedStream<S> {
    /// Watches `stream` and keeps `progress` true.
    pub(super) const fn new(stream: S, progress: Arc<Progress>) -> Self {
        Self { stream, progress }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for WatchedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let read = buffer.filled().len().saturating_sub(before);
        add(&self.progress.read, read);
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for WatchedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.progress.note(&polled, |written| *written);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.progress.note(&polled, |written| *written);
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.progress.note(&polled, |()| 1);
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.progress.note(&polled, |()| 1);
        polled
    }
}
